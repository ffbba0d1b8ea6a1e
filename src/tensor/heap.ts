/**
 * The one memory that kernels work in: arrays handed out once and kept.
 *
 * A training step allocates nothing. Arrays are aligned to 64 bytes and followed by room for a vector, so that a kernel
 * may read past the last element.
 */
import { ConfigError } from "../math/errors.ts";

const pageBytes = 65536;
const alignment = 64;
/** 4 GiB, what a WebAssembly memory can hold. */
const mostBytes = 2 ** 32;

/** Float32 numbers in a heap. `data` is a view that stays valid. */
export interface Block {
  readonly at: number; // byte offset
  readonly data: Float32Array;
}

export class Heap {
  readonly memory: WebAssembly.Memory;
  #end = alignment; // nothing lies at 0
  readonly #shared = new Map<string, Block>();

  /** `shared`: among threads. Throws `ConfigError` for more than 4 GiB. */
  constructor(bytes: number, o: { readonly shared?: boolean } = {}) {
    const pages = Math.ceil(bytes / pageBytes) + 1;
    if (!(pages * pageBytes <= mostBytes))
      throw new ConfigError(
        `${(bytes / 2 ** 30).toFixed(1)} GiB are more than the 4 GiB a memory of kernels can hold`,
      );
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: o.shared ?? false });
  }

  /** Numbers, 0 to begin with. Throws `ConfigError` when the heap is full. */
  take(count: number): Block {
    const at = this.#end;
    const end = Math.ceil((at + 4 * count + 16) / alignment) * alignment;
    if (end > this.memory.buffer.byteLength)
      throw new ConfigError(
        `the memory of kernels is full: ${count} numbers do not fit into what is left of ${this.memory.buffer.byteLength} bytes`,
      );
    this.#end = end;
    return { at, data: new Float32Array(this.memory.buffer, at, count) };
  }

  /** Numbers that all who ask for this name share: those of before, where they are enough. */
  share(name: string, count: number): Block {
    const known = this.#shared.get(name);
    if (known && known.data.length >= count) return known;
    const block = this.take(count);
    this.#shared.set(name, block);
    return block;
  }

  /** Bytes handed out. */
  get used(): number {
    return this.#end;
  }
}
