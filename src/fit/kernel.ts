/**
 * A filter as machine code: runs over rows of measurements, two parameter points or two directions side by side.
 *
 * Lanes share the rows and differ in parameters and, where derivatives are carried along, in the direction of those
 * (forward mode). Every row leaves its results behind, so log-likelihoods of groups and of single reads are
 * differences. Knows nothing of what parameters mean.
 */

import { Layout } from "../engine/layout.ts";
import { inline } from "../language/algebra.ts";
import { type Expression, name } from "../language/expression.ts";
import {
  br_if,
  type Code,
  call,
  FunctionBuilder,
  get,
  i32,
  iff,
  loop,
  ModuleBuilder,
  set,
  tee,
  v128,
} from "../wasm/assembler.ts";
import { Emitter, Prologue } from "../wasm/emit.ts";
import { Graph, type Node } from "../wasm/graph.ts";
import { Lowering } from "../wasm/lower.ts";
import { resultCells, type Step, tangentOf } from "./filter.ts";

/** What happens, in order: an index into steps, and the inputs of each row by name. */
export interface Rows {
  readonly count: number;
  readonly code: Uint32Array; // [row]
  readonly inputs: Readonly<Record<string, Float64Array>>; // [row] each
}

export interface KernelOptions {
  readonly cells: readonly string[];
  readonly steps: readonly Step[];
  readonly rows: Rows;
  /** Names that are set for each lane. */
  readonly parameters: readonly string[];
  /** Carry derivatives along? */
  readonly derivatives: boolean;
}

const lanes = 2;
const tangent = (of: string) => `d ${of}`;

/** Results of a run: views that the next run overwrites, [row][lane]. */
export interface KernelResults {
  readonly logLikelihood: Float64Array;
  /** Without derivatives: what each read was expected to be, and its standard deviation. */
  readonly expected?: Float64Array;
  readonly spread?: Float64Array;
  /** With derivatives: that of the log-likelihood along each lane's direction. */
  readonly slope?: Float64Array;
}

export class Kernel {
  readonly #rows: number;
  readonly #run: (rows: number) => void;
  readonly #parameters: Float64Array; // [parameter][lane]
  readonly #directions: Float64Array | undefined;
  readonly #cells: Float64Array;
  readonly #results: KernelResults;

  constructor(options: {
    readonly rows: number;
    readonly run: (rows: number) => void;
    readonly parameters: Float64Array;
    readonly directions?: Float64Array;
    readonly cells: Float64Array;
    readonly results: KernelResults;
  }) {
    this.#rows = options.rows;
    this.#run = options.run;
    this.#parameters = options.parameters;
    this.#directions = options.directions;
    this.#cells = options.cells;
    this.#results = options.results;
  }

  /** Runs all rows. `points`: [lane][parameter]; `directions` alike, where the kernel carries derivatives. */
  run(points: ArrayLike<number>, directions?: ArrayLike<number>): KernelResults {
    transpose(points, this.#parameters);
    if (this.#directions)
      transpose(directions ?? new Float64Array(this.#directions.length), this.#directions);
    this.#cells.fill(0);
    this.#run(this.#rows);
    return this.#results;
  }
}

/** [lane][k] -> [k][lane] */
function transpose(from: ArrayLike<number>, to: Float64Array): void {
  const count = to.length / lanes;
  for (let lane = 0; lane < lanes; lane++)
    for (let k = 0; k < count; k++) to[lanes * k + lane] = from[lane * count + k];
}

/** Compiles a filter for its rows. */
export async function compileKernel(options: KernelOptions): Promise<Kernel> {
  const { cells, steps, rows, parameters, derivatives } = options;
  const layout = new Layout(0);
  const cellNames = derivatives ? [...cells, ...cells.map(tangent)] : cells;
  const cellsAt = layout.take(16 * cellNames.length, "cells");
  const parameterNames = derivatives ? [...parameters, ...parameters.map(tangent)] : parameters;
  const parametersAt = layout.take(16 * parameterNames.length, "parameters");
  const resultNames = derivatives
    ? [resultCells.logLikelihood, tangent(resultCells.logLikelihood)]
    : Object.values(resultCells);
  const place = new Map<string, number>([
    ...cellNames.map((cell, k): [string, number] => [cell, cellsAt + 16 * k]),
    ...parameterNames.map((parameter, k): [string, number] => [parameter, parametersAt + 16 * k]),
  ]);
  const code = layout.take(4 * rows.count, "rows");
  const inputs = new Map(Object.keys(rows.inputs).map((each) => [each, layout.take(8 * rows.count, "rows")]));
  const results = resultNames.map(() => layout.take(16 * rows.count, "results"));
  const { pages } = layout;

  const module = new ModuleBuilder();
  const tangents = new Map(
    [...cells, ...parameters].map((each): [string, Expression] => [each, name(tangent(each))]),
  );
  const functions = steps.map((step) => {
    const all = new Map(step);
    if (derivatives) for (const [cell, value] of tangentOf(step, tangents)) all.set(tangent(cell), value);
    return module.add(stepFunction(all, place, inputs, new Set(parameterNames)));
  });
  module.add(
    runFunction(
      functions,
      code,
      resultNames.map((each) => place.get(each) as number),
      results,
    ),
  );
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const bytes = module.assemble({ pages, maximumPages: pages, shared: false });
  const { instance } = await WebAssembly.instantiate(bytes, { env: { memory } });
  const { buffer } = memory;
  new Uint32Array(buffer, code, rows.count).set(rows.code);
  for (const [input, offset] of inputs) new Float64Array(buffer, offset, rows.count).set(rows.inputs[input]);
  const [logLikelihood, second, third] = results.map(
    (offset) => new Float64Array(buffer, offset, lanes * rows.count),
  );
  const reals = (offset: number, count: number) => new Float64Array(buffer, offset, lanes * count);
  return new Kernel({
    rows: rows.count,
    run: instance.exports.run as (rows: number) => void,
    parameters: reals(parametersAt, parameters.length),
    ...(derivatives ? { directions: reals(parametersAt + 16 * parameters.length, parameters.length) } : {}),
    cells: reals(cellsAt, cellNames.length),
    results: derivatives
      ? { logLikelihood, slope: second }
      : { logLikelihood, expected: second, spread: third },
  });
}

/** step(row): all cells of a step from their old values. */
function stepFunction(
  step: Step,
  place: ReadonlyMap<string, number>,
  inputs: ReadonlyMap<string, number>,
  invariant: ReadonlySet<string>,
): FunctionBuilder {
  const fn = new FunctionBuilder({ parameters: ["i32"] });
  const row = 0;
  const graph = new Graph("float64");
  const prologue = new Prologue(fn);
  const emitter = new Emitter({
    fn,
    prologue,
    precision: "float64",
    input: (node) => {
      const wanted = node.name as string;
      const column = inputs.get(wanted);
      if (column !== undefined) return v128.load64_splat(i32.shl(get(row), i32.const(3)), column);
      const offset = place.get(wanted);
      if (offset === undefined) throw new Error(`${wanted} has no place in a fit`);
      const load = v128.load(i32.const(0), offset);
      return invariant.has(wanted) ? prologue.vector(wanted, load) : load;
    },
  });
  const lowering = new Lowering(graph, { name: (each) => graph.input(each) });
  const folded = inline({ parameters: [], derived: [] });
  const nodes = [...step].map(([cell, value]): [string, Node] => [cell, lowering.lowerReal(folded(value))]);
  const defined = emitter.define(nodes.map(([, node]) => node));
  const stores: Code = nodes.map(([cell, node]) =>
    v128.store(i32.const(0), place.get(cell) as number, emitter.value(node)),
  );
  fn.body = [prologue.code, defined, stores];
  return fn;
}

/** run(rows): each row's step in turn; keeps the cells in `kept` after each. */
function runFunction(
  functions: readonly number[],
  code: number,
  kept: readonly number[],
  results: readonly number[],
): FunctionBuilder {
  const fn = new FunctionBuilder({ parameters: ["i32"], exportName: "run" });
  const rows = 0;
  const row = fn.local("i32");
  const which = fn.local("i32");
  const at = fn.local("i32");
  const choose = functions.map((target, k) => iff(i32.eq(get(which), i32.const(k)), call(target, get(row))));
  fn.body = iff(
    get(rows),
    loop(
      set(which, i32.load(i32.shl(get(row), i32.const(2)), code)),
      choose,
      set(at, i32.shl(get(row), i32.const(4))),
      kept.map((cell, k) => v128.store(get(at), results[k], v128.load(i32.const(0), cell))),
      br_if(0, i32.lt_u(tee(row, i32.add(get(row), i32.const(1))), get(rows))),
    ),
  );
  return fn;
}
