/**
 * Kernels on tables [row][feature]: the same for every number, with numbers that belong to a feature or to a row, and sums
 * over rows or over features.
 *
 * A row is filled up to `width`, a multiple of four. Work goes four features at a time over the whole width; sums over
 * features leave out what is past `features`. Every sum has one order: over rows in chunks of `rowsTogether`, over features
 * in four lanes that are joined pairwise.
 */
import {
  block,
  br,
  br_if,
  type Code,
  FunctionBuilder,
  f32,
  f32x4,
  get,
  i8x16,
  i32,
  i32x4,
  iff,
  loop,
  type ModuleBuilder,
  set,
  v128,
} from "../wasm/assembler.ts";
import { Emitter, Prologue } from "../wasm/emit.ts";
import { Graph, type Node } from "../wasm/graph.ts";
import { each, least } from "./loops.ts";

/** Rows that a sum over rows takes before it is added to the others. */
export const rowsTogether = 256;

/** What is computed from tables (`inputs`), a number for each feature (`columns`), for each row (`rows`), and for all (`scalars`). */
export interface Rowwise {
  readonly inputs: readonly string[];
  readonly columns?: readonly string[];
  readonly rows?: readonly string[];
  readonly scalars?: readonly string[];
  readonly outputs: readonly string[];
  readonly compute: (graph: Graph, of: Readonly<Record<string, Node>>) => Readonly<Record<string, Node>>;
}

/** What to do with the outputs: keep each number, add over rows or over chunks of rows, or join over features. */
type Join = "none" | "rows" | "chunks" | "sum" | "max";

/** Vectors that a sum over rows takes side by side: a line of the cache. */
const together = 4;

interface Layout {
  readonly fn: FunctionBuilder;
  readonly rowCount: number;
  readonly width: number;
  readonly features: number;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly columns: readonly number[];
  readonly rows: readonly number[];
  readonly scalars: readonly number[];
}

/** Parameters in their order: rows, width, (features), inputs, outputs, columns, rows, scalars. */
function layout(name: string, what: Rowwise, withFeatures: boolean): Layout {
  const { inputs, outputs, columns = [], rows = [], scalars = [] } = what;
  const counts = [inputs, outputs, columns, rows].map((names) => names.length);
  const head = withFeatures ? 3 : 2;
  const words = head + counts.reduce((a, b) => a + b, 0);
  const fn = new FunctionBuilder({
    parameters: [
      ...Array.from({ length: words }, () => "i32" as const),
      ...scalars.map(() => "f32" as const),
    ],
    exportName: name,
  });
  let next = head;
  const places = counts.map((count) => Array.from({ length: count }, () => next++));
  return {
    fn,
    rowCount: 0,
    width: 1,
    features: head - 1,
    inputs: places[0],
    outputs: places[1],
    columns: places[2],
    rows: places[3],
    scalars: scalars.map((_, k) => words + k),
  };
}

/**
 * Adds and exports `name`(rows, width, inputs…, outputs…, columns…, rows…, scalars…). An output may lie where an input does.
 */
export function addRowwise(module: ModuleBuilder, name: string, what: Rowwise): number {
  return add(module, name, what, "none");
}

/** The same, but outputs are numbers for each feature, to which the sums over rows are added. */
export function addColumnSums(module: ModuleBuilder, name: string, what: Rowwise): number {
  return add(module, name, what, "rows");
}

/**
 * The same, but outputs are tables of sums, [chunk][feature], of `rowsTogether` rows each. `first…` of an input is the first row of
 * the chunk.
 */
export function addChunkSums(module: ModuleBuilder, name: string, what: Rowwise): number {
  return add(module, name, what, "chunks");
}

/** What kernels of chunks call the first row of an input's chunk. */
const firstOf = (input: string): string => `first${input.toUpperCase()}`;

/**
 * Adds and exports `name`(rows, width, features, inputs…, outputs…, columns…, rows…, scalars…) whose outputs are one number
 * for each row: the sum over features, or the largest.
 */
export function addRowSums(
  module: ModuleBuilder,
  name: string,
  what: Rowwise,
  join: "sum" | "max" = "sum",
): number {
  return add(module, name, what, join);
}

function add(module: ModuleBuilder, name: string, what: Rowwise, join: Join): number {
  const over = join === "sum" || join === "max";
  const { fn, rowCount, width, features, ...at } = layout(name, what, over);
  const { inputs, outputs, columns = [], rows = [], scalars = [], compute } = what;
  const prologue = new Prologue(fn);
  const byte = fn.local("i32"); // of the vector within its row
  const row = fn.local("i32");
  const rowStart = fn.local("i32"); // byte offset of the row within a table
  const chunkStart = fn.local("i32");
  const stride = fn.local("i32");
  const inRow = (base: number, shift: number): Code => i32.add(get(base), get(shift));
  const place = (base: number, start = rowStart): Code => i32.add(i32.add(get(base), get(start)), get(byte));
  const firsts = join === "chunks" ? inputs.map(firstOf) : [];
  /** Code for so many vectors side by side, and their outputs: [vector][output]. */
  const emit = (vectors: number): { defined: Code; values: Code[] } => {
    const graph = new Graph("float32");
    const emitter = new Emitter({
      fn,
      prologue,
      precision: "float32",
      input: (node) => {
        const [wanted, vector] = (node.name as string).split(" ");
        const of = (names: readonly string[]) => names.indexOf(wanted);
        const offset = 16 * Number(vector);
        if (of(scalars) >= 0) return prologue.vector(wanted, f32x4.splat(get(at.scalars[of(scalars)])));
        if (of(columns) >= 0) return v128.load(inRow(at.columns[of(columns)], byte), offset);
        if (of(rows) >= 0)
          return v128.load32_splat(i32.add(get(at.rows[of(rows)]), i32.shl(get(row), i32.const(2))), 0);
        if (of(firsts) >= 0) return v128.load(place(at.inputs[of(firsts)], chunkStart), offset);
        return v128.load(place(at.inputs[of(inputs)]), offset);
      },
    });
    const names = [...inputs, ...firsts, ...columns, ...rows, ...scalars];
    const wanted = Array.from({ length: vectors }, (_, vector) => {
      const nodes = compute(
        graph,
        Object.fromEntries(names.map((each) => [each, graph.input(`${each} ${vector}`)])),
      );
      return outputs.map((output) => nodes[output]);
    }).flat();
    return { defined: emitter.define(wanted), values: wanted.map((node) => emitter.value(node)) };
  };
  const start: Code = [prologue.code, set(stride, i32.shl(get(width), i32.const(2)))];
  if (join === "none") {
    const { defined, values } = emit(1);
    fn.body = [
      each(
        row,
        { below: get(rowCount) },
        each(
          byte,
          { below: get(stride), step: 16 },
          defined,
          values.map((value, k) => v128.store(place(at.outputs[k]), 0, value)),
        ),
        set(rowStart, i32.add(get(rowStart), get(stride))),
      ),
    ];
  } else if (join === "rows" || join === "chunks") {
    const chunk = fn.local("i32");
    const end = fn.local("i32");
    const sums = Array.from({ length: together * outputs.length }, () => fn.local("v128"));
    /** So many vectors of the chunk's rows, then on to the next. */
    const vectors = (count: number): Code => {
      const { defined, values } = emit(count);
      const own = sums.slice(0, values.length);
      return [
        own.map((sum) => set(sum, v128.const(0, 0, 0, 0))),
        set(rowStart, get(chunkStart)),
        each(
          row,
          { from: get(chunk), below: get(end) },
          defined,
          values.map((value, k) => set(own[k], f32x4.add(get(own[k]), value))),
          set(rowStart, i32.add(get(rowStart), get(stride))),
        ),
        own.map((sum, k) => {
          const to = inRow(at.outputs[k % outputs.length], byte);
          const offset = 16 * Math.floor(k / outputs.length);
          const total = join === "rows" ? f32x4.add(v128.load(to, offset), get(sum)) : get(sum);
          return v128.store(to, offset, total);
        }),
        set(byte, i32.add(get(byte), i32.const(16 * count))),
      ];
    };
    const whileRoom = (count: number): Code =>
      block(
        loop(
          br_if(1, i32.gt_u(i32.add(get(byte), i32.const(16 * count)), get(stride))),
          vectors(count),
          br(0),
        ),
      );
    // a chunk is small enough to stay in the first caches while its features are gone through
    fn.body = [
      each(
        chunk,
        { below: get(rowCount), step: rowsTogether },
        set(end, least(get(rowCount), i32.add(get(chunk), i32.const(rowsTogether)))),
        set(byte, i32.const(0)),
        whileRoom(together),
        whileRoom(1),
        set(chunkStart, get(rowStart)),
        join === "chunks" ? at.outputs.map((output) => set(output, i32.add(get(output), get(stride)))) : [],
      ),
    ];
  } else {
    const [first] = outputs.map(() => fn.local("v128"));
    if (outputs.length !== 1) throw new Error(`${name}: one output`);
    const empty = join === "sum" ? 0 : Number.NEGATIVE_INFINITY;
    const joined = (a: Code, b: Code): Code => (join === "sum" ? f32x4.add(a, b) : f32x4.pmax(a, b));
    const whole = fn.local("i32"); // bytes of vectors without filling
    const words = (...lanes: number[]) =>
      lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte));
    const turned = (...lanes: number[]): Code => i8x16.shuffle(get(first), get(first), words(...lanes));
    // lanes 0 … 3 of the last vector that are features: their number is greater
    const mask = i32x4.gt_s(i32x4.splat(i32.and(get(features), i32.const(3))), v128.const(0, 1, 2, 3));
    const { defined, values } = emit(1);
    fn.body = [
      set(whole, i32.shl(i32.and(get(features), i32.const(-4)), i32.const(2))),
      each(
        row,
        { below: get(rowCount) },
        set(first, f32x4.splat(f32.const(empty))),
        each(byte, { below: get(whole), step: 16 }, defined, set(first, joined(get(first), values[0]))),
        iff(i32.and(get(features), i32.const(3)), [
          set(byte, get(whole)),
          defined,
          set(first, joined(get(first), v128.bitselect(values[0], f32x4.splat(f32.const(empty)), mask))),
        ]),
        set(first, joined(get(first), turned(1, 0, 3, 2))),
        set(first, joined(get(first), turned(2, 3, 0, 1))),
        v128.store32_lane(i32.add(get(at.outputs[0]), i32.shl(get(row), i32.const(2))), 0, get(first), 0),
        set(rowStart, i32.add(get(rowStart), get(stride))),
      ),
    ];
  }
  fn.body = [start, fn.body];
  return module.add(fn);
}
