/**
 * Trains of pulses on rows and columns, and where they coincide.
 *
 * A train is one word a line: bit k is set where the line is pulsed in slot k, with a probability of its own (Gokmen &
 * Vlasov 2016, Front. Neurosci. 10:333, doi:10.3389/fnins.2016.00333). Slot k of line e in update u is word e of
 * (key, stream, u, k), packed as in src/math/random.ts, whatever else is drawn. Hits are the groups of four cells of a row
 * that get pulses, with a signed count for each: more than 0 raise a weight. Knows nothing of devices.
 */

import type { Block, Heap } from "../tensor/heap.ts";
import { each, locals } from "../tensor/loops.ts";
import { addDraws } from "../tensor/noise.ts";
import {
  type Code,
  FunctionBuilder,
  f32x4,
  get,
  i8x16,
  i16x8,
  i32,
  i32x4,
  iff,
  type ModuleBuilder,
  set,
  v128,
} from "../wasm/assembler.ts";
import { uniform } from "../wasm/draws.ts";
import { Emitter, Prologue } from "../wasm/emit.ts";
import { Graph } from "../wasm/graph.ts";

/** Slots of a train, at most. */
export const mostSlots = 31;

/** Columns that have trains, arranged so that four neighbours are pulsed alike; byte offsets. */
export interface Arranged {
  readonly bits: number; // u32 [place]
  readonly negative: number; // [place], as of lines
  readonly places: number; // u32 [place]: 4 times the column
}

/** Lines of one side with their trains. Blocks have room for the next multiple of 16. */
export interface Lines {
  readonly values: Block; // f32 [line], 0 past the last
  readonly bits: Block; // u32 [line]
  readonly negative: Block; // [line], -1 where the value is negative, else 0
}

/** The hits of one row; byte offsets. */
export interface HitMemory {
  readonly places: number; // u32 [hit][4]: bytes from the row's first cell to each
  readonly counts: number; // i32 [hit][4]
  readonly starts: number; // u32 [hit][4]: bytes, 4 for every pulse before in the row
  readonly ranks: number; // u32 [hit][4]: bytes, 4 for every cell pulsed before in the row
  readonly total: number; // u32: pulses in the row
  readonly active: number; // u32: cells pulsed in the row
}

export const roomOf = (lines: number): number => Math.ceil(lines / 16) * 16;

export function layOutLines(heap: Heap, count: number): Lines {
  const take = () => heap.take(roomOf(count));
  return { values: take(), bits: take(), negative: take() };
}

export function layOutHits(heap: Heap, columns: number): HitMemory {
  const groups = Math.ceil(columns / 4);
  const four = () => heap.take(4 * groups).at;
  const sums = heap.take(2).at;
  return {
    places: four(),
    counts: four(),
    starts: four(),
    ranks: four(),
    total: sums,
    active: sums + 4,
  };
}

const plus = (a: Code, b: Code): Code => i32.add(a, b);
const zero = v128.const(0, 0, 0, 0);

/**
 * Adds and exports `trains`(values, count, scale, slots, key0, key1, stream, tick, bits, negative): bit k of line e is set
 * with probability |value_e| scale, for k < slots.
 */
export function addTrains(module: ModuleBuilder): void {
  const names = [
    "values",
    "count",
    "scale",
    "slots",
    "key0",
    "key1",
    "stream",
    "tick",
    "bits",
    "negative",
  ] as const;
  const fn = new FunctionBuilder({
    parameters: names.map((name) => (name === "scale" ? "f32" : "i32")),
    exportName: "trains",
  });
  const v = locals(fn, names, { e: "i32", byte: "i32", k: "i32", bit: "v128", value: "v128" });
  const groups = [0, 1, 2, 3];
  const limits = groups.map(() => fn.local("v128")); // probability times 2^32
  const found = groups.map(() => fn.local("v128"));
  const graph = new Graph("float32");
  const prologue = new Prologue(fn);
  const emitter = new Emitter({
    fn,
    prologue,
    precision: "float32",
    input: (node) => {
      if (node.name === "block")
        return i32x4.add(i32x4.splat(i32.shr_u(get(v.e), i32.const(2))), v128.const(0, 1, 2, 3));
      return i32x4.splat(get(v[node.name as "tick"]));
    },
  });
  const counter = ["block", "tick", "stream", "k", "key0", "key1"].map((name) => graph.input(name, "words"));
  const words = groups.map((word) => graph.node("philox", counter, { word }));
  const at = (base: number, group: number, value?: Code): Code =>
    value
      ? v128.store(plus(get(base), get(v.byte)), 16 * group, value)
      : v128.load(plus(get(base), get(v.byte)), 16 * group);
  const any = groups.map((g) => get(limits[g])).reduce((a, b) => v128.or(a, b));
  fn.body = [
    prologue.code,
    each(
      v.e,
      { below: get(v.count), step: 16 },
      set(v.byte, i32.shl(get(v.e), i32.const(2))),
      groups.map((g) => [
        set(v.value, at(v.values, g)),
        at(v.negative, g, f32x4.lt(get(v.value), zero)),
        set(
          limits[g],
          i32x4.trunc_sat_f32x4_u(
            f32x4.mul(
              f32x4.mul(f32x4.abs(get(v.value)), f32x4.splat(get(v.scale))),
              v128.const(0x4f800000, 0x4f800000, 0x4f800000, 0x4f800000), // 2^32
            ),
          ),
        ),
        set(found[g], zero),
      ]),
      iff(v128.any_true(any), [
        set(v.bit, v128.const(1, 1, 1, 1)),
        each(
          v.k,
          { below: get(v.slots) },
          emitter.define(words),
          groups.map((g) =>
            set(
              found[g],
              v128.or(
                get(found[g]),
                v128.and(get(v.bit), i32x4.gt_u(get(limits[g]), emitter.value(words[g]))),
              ),
            ),
          ),
          set(v.bit, i32x4.shl(get(v.bit), i32.const(1))),
        ),
      ]),
      groups.map((g) => at(v.bits, g, get(found[g]))),
    ),
  ];
  module.add(fn);
}

const shifted = (value: Code, lanes: number): Code =>
  i8x16.shuffle(
    zero,
    value,
    Array.from({ length: 16 }, (_, k) => 16 - 4 * lanes + k),
  );

/** Writes hits one after the other. */
class HitWriter {
  readonly #memory: HitMemory;
  readonly #hits: number;
  readonly #sums: readonly [total: number, active: number]; // of the row so far, in every lane
  readonly #scratch: number;
  readonly #size: number;

  constructor(fn: FunctionBuilder, memory: HitMemory) {
    this.#memory = memory;
    this.#hits = fn.local("i32");
    this.#sums = [fn.local("v128"), fn.local("v128")];
    this.#scratch = fn.local("v128");
    this.#size = fn.local("v128");
  }

  get begin(): Code {
    return [set(this.#hits, i32.const(0)), this.#sums.map((sum) => set(sum, zero))];
  }

  /** Of the sizes in `value`: those before in the row, as bytes; moves the sum on. */
  #before(value: Code, sum: number, offset: number): Code {
    const s = this.#scratch;
    const address = i32.shl(get(this.#hits), i32.const(4));
    return [
      set(s, value),
      set(s, i32x4.add(get(s), shifted(get(s), 1))),
      set(s, i32x4.add(get(s), shifted(get(s), 2))), // sums up to each lane
      v128.store(address, offset, i32x4.shl(i32x4.add(get(sum), i32x4.sub(get(s), value)), i32.const(2))),
      set(sum, i32x4.add(get(sum), i32x4.splat(i32x4.extract_lane(get(s), 3)))),
    ];
  }

  /** Takes down four signed counts, in a local, and their places. */
  add(place: Code, counts: number): Code {
    const { places, counts: to, starts, ranks } = this.#memory;
    const [total, active] = this.#sums;
    const size = this.#size;
    const negative = i32x4.shr_s(get(counts), i32.const(31));
    return [
      v128.store(i32.shl(get(this.#hits), i32.const(4)), places, place),
      v128.store(i32.shl(get(this.#hits), i32.const(4)), to, get(counts)),
      set(size, i32x4.sub(v128.xor(get(counts), negative), negative)),
      this.#before(get(size), total, starts),
      this.#before(i32x4.min_u(get(size), v128.const(1, 1, 1, 1)), active, ranks),
      set(this.#hits, plus(get(this.#hits), i32.const(1))),
    ];
  }

  get end(): Code {
    const { total, active } = this.#memory;
    return [
      i32.store(i32.const(0), total, i32x4.extract_lane(get(this.#sums[0]), 0)),
      i32.store(i32.const(0), active, i32x4.extract_lane(get(this.#sums[1]), 0)),
      get(this.#hits),
    ];
  }
}

/**
 * Adds and exports `coincide`(train, lowers, bytes) -> hits: of a row with a train and so many bytes of the arranged columns.
 * `lowers` is -1 where a positive column is lowered, else 0.
 */
export function addCoincide(module: ModuleBuilder, memory: HitMemory, arranged: Arranged): void {
  const names = ["train", "lowers", "bytes"] as const;
  const fn = new FunctionBuilder({
    parameters: names.map(() => "i32" as const),
    result: "i32",
    exportName: "coincide",
  });
  const v = locals(fn, names, { at: "i32", counts: "v128", sign: "v128", own: "v128" });
  const writer = new HitWriter(fn, memory);
  const both = v128.and(v128.load(get(v.at), arranged.bits), get(v.own));
  fn.body = [
    writer.begin,
    set(v.own, i32x4.splat(get(v.train))),
    each(
      v.at,
      { below: get(v.bytes), step: 16 },
      set(v.counts, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(i8x16.popcnt(both)))),
      iff(v128.any_true(get(v.counts)), [
        set(v.sign, v128.xor(i32x4.splat(get(v.lowers)), v128.load(get(v.at), arranged.negative))),
        set(v.counts, i32x4.sub(v128.xor(get(v.counts), get(v.sign)), get(v.sign))),
        writer.add(v128.load(get(v.at), arranged.places), v.counts),
      ]),
    ),
    writer.end,
  ];
  module.add(fn);
}

/** Adds and exports `pick`(counts, from, below) -> hits: of signed counts, i32 [column], in these bytes of a row. */
export function addPick(module: ModuleBuilder, memory: HitMemory): void {
  const names = ["counts", "from", "below"] as const;
  const fn = new FunctionBuilder({ parameters: ["i32", "i32", "i32"], result: "i32", exportName: "pick" });
  const v = locals(fn, names, { at: "i32", four: "v128" });
  const writer = new HitWriter(fn, memory);
  fn.body = [
    writer.begin,
    each(
      v.at,
      { from: get(v.from), below: get(v.below), step: 16 },
      set(v.four, v128.load(plus(get(v.counts), get(v.at)), 0)),
      iff(
        v128.any_true(get(v.four)),
        writer.add(i32x4.add(i32x4.splat(get(v.at)), v128.const(0, 4, 8, 12)), v.four),
      ),
    ),
    writer.end,
  ];
  module.add(fn);
}

/** Adds and exports `products`(factor, x, columns, counts): counts = factor x, i32, rounded half to even. */
export function addProducts(module: ModuleBuilder): void {
  const names = ["factor", "x", "columns", "counts"] as const;
  const fn = new FunctionBuilder({ parameters: ["f32", "i32", "i32", "i32"], exportName: "products" });
  const v = locals(fn, names, { at: "i32" });
  const product = f32x4.mul(f32x4.splat(get(v.factor)), v128.load(plus(get(v.x), get(v.at)), 0));
  fn.body = each(
    v.at,
    { below: i32.shl(get(v.columns), i32.const(2)), step: 16 },
    v128.store(plus(get(v.counts), get(v.at)), 0, i32x4.trunc_sat_f32x4_s(f32x4.nearest(product))),
  );
  module.add(fn);
}

/** Adds and exports `uniforms`(to, count, key0, key1, stream, tick, scale), as `normals` (noise.ts) but on (0, scale). */
export const addUniforms = (module: ModuleBuilder): number =>
  addDraws(module, "uniforms", ["scale"], (graph, bits, { scale }) =>
    bits.map((word) => graph.mul(uniform(graph, word), scale)),
  );
