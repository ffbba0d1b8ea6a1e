/**
 * Kernels on tables [row][feature]: the same for every number, with numbers that belong to a feature or to a row, and sums
 * over rows or over features.
 *
 * A row is filled up to `width`, a multiple of four. Work goes four features at a time over the whole width; sums over
 * features leave out what is past `features`. Every sum has one order: over rows in chunks of `rowsTogether`, over features
 * in four lanes that are joined pairwise.
 */
import {
  type Code,
  FunctionBuilder,
  f32,
  f32x4,
  get,
  i8x16,
  i32,
  i32x4,
  iff,
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

/** What to do with the outputs: keep each number, add over rows, or join over features. */
type Join = "none" | "rows" | "sum" | "max";

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
  const graph = new Graph("float32");
  const prologue = new Prologue(fn);
  const byte = fn.local("i32"); // of the vector within its row
  const row = fn.local("i32");
  const rowStart = fn.local("i32"); // byte offset of the row within a table
  const stride = fn.local("i32");
  const inRow = (base: number, shift: number): Code => i32.add(get(base), get(shift));
  const place = (base: number): Code => i32.add(i32.add(get(base), get(rowStart)), get(byte));
  const emitter = new Emitter({
    fn,
    prologue,
    precision: "float32",
    input: (node) => {
      const wanted = node.name as string;
      const of = (names: readonly string[]) => names.indexOf(wanted);
      if (of(scalars) >= 0) return prologue.vector(wanted, f32x4.splat(get(at.scalars[of(scalars)])));
      if (of(columns) >= 0) return v128.load(inRow(at.columns[of(columns)], byte), 0);
      if (of(rows) >= 0)
        return v128.load32_splat(i32.add(get(at.rows[of(rows)]), i32.shl(get(row), i32.const(2))), 0);
      return v128.load(place(at.inputs[of(inputs)]), 0);
    },
  });
  const nodes = compute(
    graph,
    Object.fromEntries([...inputs, ...columns, ...rows, ...scalars].map((each) => [each, graph.input(each)])),
  );
  const wanted = outputs.map((output) => nodes[output]);
  const defined = emitter.define(wanted);
  const values = wanted.map((node) => emitter.value(node));
  const start: Code = [prologue.code, set(stride, i32.shl(get(width), i32.const(2)))];
  const overFeatures = (...body: Code[]): Code => each(byte, { below: get(stride), step: 16 }, body);
  if (join === "none")
    fn.body = [
      start,
      each(
        row,
        { below: get(rowCount) },
        overFeatures(
          defined,
          values.map((value, k) => v128.store(place(at.outputs[k]), 0, value)),
        ),
        set(rowStart, i32.add(get(rowStart), get(stride))),
      ),
    ];
  else if (join === "rows") {
    const sums = wanted.map(() => fn.local("v128"));
    const chunk = fn.local("i32");
    const end = fn.local("i32");
    const zero = v128.const(0, 0, 0, 0);
    const chunkStart = fn.local("i32");
    // a chunk is small enough to stay in the first cache while its features are gone through
    fn.body = [
      start,
      each(
        chunk,
        { below: get(rowCount), step: rowsTogether },
        set(end, least(get(rowCount), i32.add(get(chunk), i32.const(rowsTogether)))),
        overFeatures(
          sums.map((sum) => set(sum, zero)),
          set(rowStart, get(chunkStart)),
          each(
            row,
            { from: get(chunk), below: get(end) },
            defined,
            values.map((value, k) => set(sums[k], f32x4.add(get(sums[k]), value))),
            set(rowStart, i32.add(get(rowStart), get(stride))),
          ),
          sums.map((sum, k) =>
            v128.store(
              inRow(at.outputs[k], byte),
              0,
              f32x4.add(v128.load(inRow(at.outputs[k], byte), 0), get(sum)),
            ),
          ),
        ),
        set(chunkStart, get(rowStart)),
      ),
    ];
  } else {
    const [first] = wanted.map(() => fn.local("v128"));
    if (wanted.length !== 1) throw new Error(`${name}: one output`);
    const empty = join === "sum" ? 0 : Number.NEGATIVE_INFINITY;
    const joined = (a: Code, b: Code): Code => (join === "sum" ? f32x4.add(a, b) : f32x4.pmax(a, b));
    const whole = fn.local("i32"); // bytes of vectors without filling
    const words = (...lanes: number[]) =>
      lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte));
    const turned = (...lanes: number[]): Code => i8x16.shuffle(get(first), get(first), words(...lanes));
    // lanes 0 … 3 of the last vector that are features: their number is greater
    const mask = i32x4.gt_s(i32x4.splat(i32.and(get(features), i32.const(3))), v128.const(0, 1, 2, 3));
    fn.body = [
      start,
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
  return module.add(fn);
}
