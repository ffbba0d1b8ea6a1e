/**
 * Bits of a byte array, most significant first.
 *
 * Reading past the end throws `DataError` with the byte offset. Holds no copy of the bytes.
 */

import { DataError } from "../math/errors.ts";

export class BitReader {
  readonly bytes: Uint8Array;
  readonly source: string; // names the data in errors
  #at: number; // bits from the start

  constructor(bytes: Uint8Array, source: string, byte = 0) {
    this.bytes = bytes;
    this.source = source;
    this.#at = byte * 8;
  }

  /** Offset of the byte that holds the next bit. */
  get byte(): number {
    return this.#at >>> 3;
  }

  /** An error at `byte`, by default where the reader stands. */
  error(reason: string, byte = this.byte): DataError {
    return new DataError(`${this.source}: byte ${byte}: ${reason}`);
  }

  /** Skips to the next whole byte; returns the bits that were skipped, as a number. */
  align(): number {
    return this.unsigned((8 - (this.#at & 7)) & 7);
  }

  /** The next `count` bits (0 to 53) as a number >= 0. */
  unsigned(count: number): number {
    if (this.#at + count > this.bytes.length * 8) throw this.error("the data end here", this.bytes.length);
    let value = 0;
    while (count > 0) {
      const used = this.#at & 7;
      const take = Math.min(8 - used, count);
      const part = (this.bytes[this.#at >>> 3] >> (8 - used - take)) & ((1 << take) - 1);
      value = value * (1 << take) + part; // not shifted: up to 53 bits
      this.#at += take;
      count -= take;
    }
    return value;
  }

  /** The next `count` bits in two's complement. */
  signed(count: number): number {
    const value = this.unsigned(count);
    return count > 0 && value >= 2 ** (count - 1) ? value - 2 ** count : value;
  }

  /** The number of zeros before the next one; the one is read too. */
  unary(): number {
    const start = this.#at;
    const end = this.bytes.length * 8;
    while (this.#at < end) {
      const rest = (this.bytes[this.#at >>> 3] << (this.#at & 7)) & 0xff;
      if (rest === 0) {
        this.#at = (this.#at | 7) + 1;
        continue;
      }
      this.#at += Math.clz32(rest) - 24;
      const zeros = this.#at - start;
      this.#at++;
      return zeros;
    }
    throw this.error("the data end here", this.bytes.length);
  }
}
