/**
 * Messages of Protocol Buffers as they lie in a file: fields by number, no schema.
 *
 * Nothing is copied: what has a length is a view of the bytes. What a field means its reader knows. Format: "Encoding",
 * protobuf.dev/programming-guides/encoding; groups, which are obsolete, count as damage.
 */

/** Bytes that are no message; `at` counts from the beginning of the file. */
export class WireError extends Error {
  override readonly name = "WireError";
  readonly at: number;

  constructor(reason: string, at: number) {
    super(`${reason} at byte ${at}`);
    this.at = at;
  }
}

/** A value on the wire: a whole number, four or eight bytes, or something of its own length. */
type Value =
  | { readonly wire: 0; readonly value: bigint }
  | { readonly wire: 1 | 2 | 5; readonly bytes: Uint8Array };

/** A message whose fields have been told apart. */
export class Message {
  readonly #fields = new Map<number, Value[]>();

  readonly #origin: number; // where the file begins in its buffer

  /** Reads all of `bytes`. Throws `WireError`. */
  constructor(bytes: Uint8Array, origin: number = bytes.byteOffset) {
    this.#origin = origin;
    let at = 0;
    const place = () => bytes.byteOffset - origin + at;
    const take = (length: number): Uint8Array => {
      if (length > bytes.length - at) throw new WireError("the file is cut off or damaged", place());
      at += length;
      return bytes.subarray(at - length, at);
    };
    const varint = (): bigint => {
      let value = 0n;
      for (let shift = 0n; shift < 70n; shift += 7n) {
        const [byte] = take(1);
        value |= BigInt(byte & 127) << shift;
        if (byte < 128) return BigInt.asUintN(64, value);
      }
      throw new WireError("a number has no end", place());
    };
    while (at < bytes.length) {
      const tag = varint();
      const [field, wire] = [Number(tag >> 3n), Number(tag & 7n)];
      let value: Value;
      if (wire === 0) value = { wire, value: varint() };
      else if (wire === 1 || wire === 5) value = { wire, bytes: take(wire === 1 ? 8 : 4) };
      else if (wire === 2) value = { wire, bytes: take(Number(varint())) };
      else throw new WireError("there is no such kind of field", place());
      if (field === 0) throw new WireError("there is no field 0", place());
      const known = this.#fields.get(field);
      if (known) known.push(value);
      else this.#fields.set(field, [value]);
    }
  }

  /** What has a length, all of a field. */
  bytes(field: number): Uint8Array[] {
    return (this.#fields.get(field) ?? []).flatMap((value) => (value.wire === 2 ? [value.bytes] : []));
  }

  /** Messages within this one. */
  messages(field: number): Message[] {
    return this.bytes(field).map((bytes) => new Message(bytes, this.#origin));
  }

  /** The first such message. */
  message(field: number): Message | undefined {
    const [first] = this.bytes(field);
    return first && new Message(first, this.#origin);
  }

  texts(field: number): string[] {
    return this.bytes(field).map((bytes) => new TextDecoder().decode(bytes));
  }

  /** The last one counts; "" where there is none. */
  text(field: number): string {
    return this.texts(field).at(-1) ?? "";
  }

  /** Signed whole numbers, packed or not. Beyond 2^53 they are rounded. */
  integers(field: number): number[] {
    return (this.#fields.get(field) ?? []).flatMap((value) => {
      if (value.wire === 0) return [Number(BigInt.asIntN(64, value.value))];
      return value.wire === 2 ? packedIntegers(value.bytes, this.#origin) : [];
    });
  }

  /** The last whole number; undefined where there is none. */
  integer(field: number): number | undefined {
    return this.integers(field).at(-1);
  }

  /** float32, packed or not. */
  floats(field: number): number[] {
    return this.#fixed(field, 5, 4, (view, at) => view.getFloat32(at, true));
  }

  /** float64, packed or not. */
  doubles(field: number): number[] {
    return this.#fixed(field, 1, 8, (view, at) => view.getFloat64(at, true));
  }

  #fixed(field: number, wire: 1 | 5, size: number, read: (view: DataView, at: number) => number): number[] {
    return (this.#fields.get(field) ?? []).flatMap((value) => {
      if (value.wire === 0 || (value.wire !== wire && value.wire !== 2)) return [];
      const { buffer, byteOffset, byteLength } = value.bytes;
      if (byteLength % size !== 0) throw new WireError("numbers are cut off", byteOffset - this.#origin);
      const view = new DataView(buffer, byteOffset, byteLength);
      return Array.from({ length: byteLength / size }, (_, k) => read(view, size * k));
    });
  }
}

/** Whole numbers one after the other. */
function packedIntegers(bytes: Uint8Array, origin: number): number[] {
  const start = bytes.byteOffset - origin;
  const values: number[] = [];
  let [value, shift] = [0n, 0n];
  for (const byte of bytes) {
    value |= BigInt(byte & 127) << shift;
    shift += 7n;
    if (byte < 128) {
      values.push(Number(BigInt.asIntN(64, value)));
      [value, shift] = [0n, 0n];
    } else if (shift > 63n) throw new WireError("a number has no end", start);
  }
  if (shift > 0n) throw new WireError("a number is cut off", start + bytes.length);
  return values;
}
