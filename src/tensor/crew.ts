/**
 * Threads for kernels: a call is dealt out by rows of what it writes, each thread does its share on the one memory.
 *
 * Every number is computed by one thread, by the same steps whoever does it, so the bits do not depend on how many there
 * are. Calls too small to be worth a thread's waking are made here. Threads wait in `mate.ts` for what `deal` writes.
 */
import { fromSource, type Ready, startNodeWorker, startPageWorker } from "../engine/workers.ts";
import { dealtFilter, type FilterName } from "./minimal.ts";
import { fieldOf, planNumbers } from "./product.ts";

/** Words of the board on which calls are written, before the arguments. */
export const board = { turn: 0, done: 1, head: 4 } as const;
/** Of each thread: index of the function, -1 to end; count of arguments; then those as float64. */
export const slotBytes = 8 * 48;
export const headBytes = 64;

/** What a thread is sent. */
export interface Orders {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly board: SharedArrayBuffer;
  readonly names: readonly string[];
  readonly thread: number; // from 0
}

type Call = (...numbers: number[]) => number;

export class Crew {
  /** Threads, this one among them. */
  readonly size: number;
  readonly #board: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #names: readonly string[];
  readonly #closers: readonly (() => void)[];

  constructor(
    size: number,
    buffer: SharedArrayBuffer,
    names: readonly string[],
    closers: readonly (() => void)[],
  ) {
    this.size = size;
    this.#board = buffer;
    this.#words = new Int32Array(buffer);
    this.#names = names;
    this.#closers = closers;
  }

  /** Makes the calls of one function, the first of them here. */
  deal(name: string, here: Call, shares: readonly (readonly number[])[]): void {
    const words = this.#words;
    const index = this.#names.indexOf(name);
    for (let k = 0; k < this.size - 1; k++) {
      const at = headBytes + k * slotBytes;
      const share = shares[k + 1];
      words[at >> 2] = share ? index : -2; // nothing to do
      words[(at >> 2) + 1] = share?.length ?? 0;
      if (share) new Float64Array(this.#board, at + 8, share.length).set(share);
    }
    Atomics.store(words, board.done, 0);
    Atomics.add(words, board.turn, 1);
    Atomics.notify(words, board.turn);
    here(...shares[0]);
    while (Atomics.load(words, board.done) < this.size - 1);
  }

  /** Ends the threads. */
  close(): void {
    for (const close of this.#closers) close();
  }
}

/** Starts all threads but this one. */
export async function startCrew(size: number, o: Pick<Orders, "module" | "memory" | "names">): Promise<Crew> {
  const buffer = new SharedArrayBuffer(headBytes + (size - 1) * slotBytes);
  const closers = await Promise.all(
    Array.from({ length: size - 1 }, (_, thread): Ready => {
      const orders: Orders = { ...o, board: buffer, thread };
      const url = fromSource
        ? new URL("./mate.ts", import.meta.url)
        : new URL("../analog/mate.js", import.meta.url);
      return (
        startNodeWorker(url, orders) ??
        startPageWorker(
          fromSource
            ? new Worker(new URL("./mate.ts", import.meta.url), { type: "module" })
            : new Worker(new URL("../analog/mate.js", import.meta.url), { type: "module" }),
          orders,
        )
      );
    }),
  );
  return new Crew(size, buffer, o.names, closers);
}

/** Products below so many multiplications, tables and draws below so many numbers, are not dealt out: some 30 us of work. */
const least = { products: 1 << 19, numbers: 1 << 15, normals: 1 << 13 };

/** Whole numbers from 0 to `count` in about equal stretches, each a multiple of `step` but the last. */
function stretches(count: number, parts: number, step = 1): [from: number, to: number][] {
  const size = Math.ceil(count / parts / step) * step;
  return Array.from({ length: parts }, (_, k): [number, number] => [
    Math.min(count, k * size),
    Math.min(count, (k + 1) * size),
  ]).filter(([from, to]) => to > from);
}

/** `multiply` by all threads: images where each has its own outputs, else rows. Needs room for a plan of each. */
export function dealtProducts(crew: Crew, multiply: Call, memory: WebAssembly.Memory, plans: number): Call {
  return (plan, a, b, c, images) => {
    const words = new Int32Array(memory.buffer, plan, planNumbers);
    const of = (name: Parameters<typeof fieldOf>[0]) => words[fieldOf(name)];
    const [m, steps] = [of("m"), of("outers") * of("steps")];
    if (images * of("lines") * m * of("n") * steps < least.products) return multiply(plan, a, b, c, images);
    if (images >= crew.size && of("cImage") !== 0) {
      const shares = stretches(images, crew.size).map(([from, to]) => [
        plan,
        a + from * of("aImage"),
        b + from * of("bImage"),
        c + from * of("cImage"),
        to - from,
      ]);
      crew.deal("multiply", multiply, shares);
      return 0;
    }
    const rows = stretches(m, crew.size);
    if (rows.length < 2) return multiply(plan, a, b, c, images);
    const shares = rows.map(([from, to], k) => {
      const own = plans + 4 * planNumbers * k;
      const copy = new Int32Array(memory.buffer, own, planNumbers);
      copy.set(words);
      copy[fieldOf("m")] = to - from;
      return [own, a + from * of("aRow"), b, c + from * of("cRow"), images];
    });
    crew.deal("multiply", multiply, shares);
    return 0;
  };
}

/** Filters by all threads, each in a room of its own: see minimal.ts. */
export function dealtFilters(crew: Crew, name: FilterName, call: Call): Call {
  return (...args) => {
    const shares = dealtFilter(name, args, crew.size);
    if (shares.length < 2) return call(...args);
    crew.deal(name, call, shares);
    return 0;
  };
}

/** A kernel on rows of tables by all threads: (rows, width, `tables` byte offsets, `columns` offsets, `perRow` offsets, scalars). */
export function dealtRows(
  crew: Crew,
  name: string,
  call: Call,
  o: { readonly tables: number; readonly columns: number; readonly perRow: number },
): Call {
  return (rows, width, ...rest) => {
    if (rows * width * o.tables < least.numbers) return call(rows, width, ...rest);
    const shares = stretches(rows, crew.size).map(([from, to]) => [
      to - from,
      width,
      ...rest.map((value, k) => {
        if (k < o.tables) return value + 4 * from * width;
        const isRow = k >= o.tables + o.columns && k < o.tables + o.columns + o.perRow;
        return isRow ? value + 4 * from : value;
      }),
    ]);
    crew.deal(name, call, shares);
    return 0;
  };
}

/** Sums over chunks of rows by all threads: (rows, width, `inputs` byte offsets, `outputs` offsets, what is the same for all). */
export function dealtChunks(
  crew: Crew,
  name: string,
  call: Call,
  o: { readonly inputs: number; readonly outputs: number; readonly chunk: number },
): Call {
  return (rows, width, ...rest) => {
    if (rows * width * o.inputs < least.numbers) return call(rows, width, ...rest);
    const shares = stretches(rows, crew.size, o.chunk).map(([from, to]) => [
      to - from,
      width,
      ...rest.map((value, k) => {
        if (k < o.inputs) return value + 4 * from * width;
        return k < o.inputs + o.outputs ? value + 4 * (from / o.chunk) * width : value;
      }),
    ]);
    crew.deal(name, call, shares);
    return 0;
  };
}

/** A kernel on rows any distance apart by all threads: (rows, features, a place and the bytes to the next row of each array). */
export function dealtCells(crew: Crew, name: string, call: Call): Call {
  return (rows, features, ...places) => {
    if ((rows * features * places.length) / 2 < least.numbers) return call(rows, features, ...places);
    const shares = stretches(rows, crew.size).map(([from, to]) => [
      ...[to - from, features],
      ...places.map((value, k) => (k % 2 === 0 ? value + from * places[k + 1] : value)),
    ]);
    crew.deal(name, call, shares);
    return 0;
  };
}

/** `copyLines` by all threads, images shared out. */
export function dealtLines(crew: Crew, call: Call): Call {
  return (from, fromImage, fromLine, to, toImage, toLine, images, lines, bytes) => {
    if ((images * lines * bytes) / 2 < least.numbers)
      return call(from, fromImage, fromLine, to, toImage, toLine, images, lines, bytes);
    const shares = stretches(images, crew.size).map(([first, end]) => [
      ...[from + first * fromImage, fromImage, fromLine],
      ...[to + first * toImage, toImage, toLine, end - first, lines, bytes],
    ]);
    crew.deal("copyLines", call, shares);
    return 0;
  };
}

/** `normalTicks` by all threads, ticks shared out. */
export function dealtTicks(crew: Crew, call: Call): Call {
  return (to, count, key0, key1, stream, tick, scale, ticks) => {
    if (ticks < 2 || count * ticks < least.normals)
      return call(to, count, key0, key1, stream, tick, scale, ticks);
    const shares = stretches(ticks, crew.size).map(([from, end]) => [
      ...[to + 4 * count * from, count, key0, key1, stream, tick + from, scale, end - from],
    ]);
    crew.deal("normalTicks", call, shares);
    return 0;
  };
}

/** A kernel on arrays by all threads: (count, `arrays` byte offsets, scalars). */
export function dealtNumbers(crew: Crew, name: string, call: Call, arrays: number): Call {
  return (count, ...rest) => {
    if (count * arrays < least.numbers) return call(count, ...rest);
    const shares = stretches(count, crew.size, 16).map(([from, to]) => [
      to - from,
      ...rest.map((value, k) => (k < arrays ? value + 4 * from : value)),
    ]);
    crew.deal(name, call, shares);
    return 0;
  };
}
