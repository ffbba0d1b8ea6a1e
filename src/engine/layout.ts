/**
 * Where everything lies in the one linear memory.
 *
 * Arrays are handed out in order, aligned to 64 bytes and padded so that a kernel may run past the last
 * element to the end of its vectors. Plain numbers: a worker gets the same layout.
 */

/** Elements are padded to this many, the most one kernel iteration handles. */
export const padding = 16;
export const padded = (count: number): number => Math.max(padding, Math.ceil(count / padding) * padding);

const pageBytes = 65536;

export class Layout {
  #end: number;
  readonly #shares: { label: string; bytes: number }[] = [];

  /** Address 0 to `reserved` stays free for the schedule's own cells. */
  constructor(reserved = 1024) {
    this.#end = reserved;
  }

  /** Byte offset of a new array. `label` names it in the memory report. */
  take(bytes: number, label: string): number {
    const offset = this.#end;
    this.#end = Math.ceil((offset + bytes) / 64) * 64;
    this.#shares.push({ label, bytes });
    return offset;
  }

  get bytes(): number {
    return this.#end;
  }

  get pages(): number {
    return Math.ceil((this.#end + pageBytes) / pageBytes);
  }

  /** Bytes by label. */
  get shares(): Record<string, number> {
    const sums: Record<string, number> = {};
    for (const { label, bytes } of this.#shares) sums[label] = (sums[label] ?? 0) + bytes;
    return sums;
  }
}

/** Byte offsets of arrays by name. */
export const offsets = (names: readonly string[], place: () => number): Record<string, number> =>
  Object.fromEntries(names.map((name) => [name, place()]));
