/**
 * A filter as machine code: runs over rows of measurements, two parameter points or two directions side by side.
 *
 * Lanes share the rows and differ in parameters and, where derivatives are carried along, in the direction of those
 * (forward mode). Every row leaves its results behind, so log-likelihoods of groups and of single reads are
 * differences. Knows nothing of what parameters mean.
 */

import { Layout } from "../engine/layout.ts";
import { differentiate } from "../language/algebra.ts";
import { type Expression, name } from "../language/expression.ts";
import {
  br_if,
  type Code,
  call,
  FunctionBuilder,
  get,
  i32,
  i32x4,
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
import { type Branch, resultCells, type Step } from "./filter.ts";

/** What happens, in order: an index into steps, and the inputs of each row by name. */
export interface Rows {
  readonly count: number;
  readonly code: Uint32Array; // [row]
  readonly inputs: Readonly<Record<string, Float64Array>>; // [row] each
}

export interface KernelOptions {
  readonly cells: readonly string[];
  readonly steps: readonly Branch[];
  readonly rows: Rows;
  /** Names that are set for each lane. */
  readonly parameters: readonly string[];
  /** The log-likelihood alone, with its derivative along a direction, or with what each read was expected to be. */
  readonly results: "value" | "slope" | "prediction";
}

const lanes = 2;
const tangent = (of: string) => `d ${of}`;

/** Results of a run: views that the next run overwrites, [row][lane]. */
export interface KernelResults {
  readonly logLikelihood: Float64Array;
  /** What each read was expected to be, and its standard deviation. */
  readonly expected?: Float64Array;
  readonly spread?: Float64Array;
  /** The derivative of the log-likelihood along each lane's direction. */
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
  const { rows, parameters, results } = options;
  const derivatives = results === "slope";
  const unasked = new Set<string>(results === "prediction" ? [] : [resultCells.expected, resultCells.spread]);
  const cells = options.cells.filter((cell) => !unasked.has(cell));
  const resultNames = derivatives
    ? [resultCells.logLikelihood, tangent(resultCells.logLikelihood)]
    : Object.values(resultCells).filter((cell) => !unasked.has(cell));

  const layout = new Layout(0);
  const cellNames = derivatives ? [...cells, ...cells.map(tangent)] : cells;
  const cellsAt = layout.take(16 * cellNames.length, "cells");
  const parameterNames = derivatives ? [...parameters, ...parameters.map(tangent)] : parameters;
  const parametersAt = layout.take(16 * parameterNames.length, "parameters");
  const cellPlaces = new Map(cellNames.map((cell, k) => [cell, cellsAt + 16 * k]));
  const code = layout.take(4 * rows.count, "rows");
  const places: Places = {
    cells: cellPlaces,
    parameters: new Map(parameterNames.map((each, k) => [each, parametersAt + 16 * k])),
    inputs: new Map(Object.keys(rows.inputs).map((each) => [each, layout.take(8 * rows.count, "rows")])),
  };
  const resultsAt = resultNames.map(() => layout.take(16 * rows.count, "results"));
  const { pages } = layout;

  const module = new ModuleBuilder();
  const tangents = new Map(
    [...cells, ...parameters].map((each): [string, Expression] => [each, name(tangent(each))]),
  );
  const complete = (step: Step): Step => {
    const asked = without(step, unasked);
    return derivatives ? withTangents(asked, tangents, tangent) : asked;
  };
  const functions = options.steps.map(({ step, shortcut }) =>
    module.add(
      stepFunction(
        {
          step: complete(step),
          ...(shortcut ? { shortcut: { ...shortcut, step: complete(shortcut.step) } } : {}),
        },
        places,
      ),
    ),
  );
  const kept = resultNames.map((each) => cellPlaces.get(each) as number);
  module.add(runFunction(functions, code, kept, resultsAt));
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const bytes = module.assemble({ pages, maximumPages: pages, shared: false });
  const { instance } = await WebAssembly.instantiate(bytes, { env: { memory } });
  const { buffer } = memory;
  new Uint32Array(buffer, code, rows.count).set(rows.code);
  for (const [input, offset] of places.inputs)
    new Float64Array(buffer, offset, rows.count).set(rows.inputs[input]);
  const reals = (offset: number, count: number) => new Float64Array(buffer, offset, lanes * count);
  const [logLikelihood, second, third] = resultsAt.map((offset) => reals(offset, rows.count));
  return new Kernel({
    rows: rows.count,
    run: instance.exports.run as (rows: number) => void,
    parameters: reals(parametersAt, parameters.length),
    ...(derivatives ? { directions: reals(parametersAt + 16 * parameters.length, parameters.length) } : {}),
    cells: reals(cellsAt, cellNames.length),
    results: {
      logLikelihood,
      ...(derivatives ? { slope: second } : second && third ? { expected: second, spread: third } : {}),
    },
  });
}

/** Byte offsets by name: cells and parameters are [lane], inputs [row]. */
interface Places {
  readonly cells: ReadonlyMap<string, number>;
  readonly parameters: ReadonlyMap<string, number>;
  readonly inputs: ReadonlyMap<string, number>;
}

/** step(row): all cells of a step from their old values; by the shortcut where both lanes may take it. */
function stepFunction({ step, shortcut }: Branch, places: Places): FunctionBuilder {
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
      const column = places.inputs.get(wanted);
      if (column !== undefined) return v128.load64_splat(i32.shl(get(row), i32.const(3)), column);
      const parameter = places.parameters.get(wanted);
      if (parameter !== undefined) return prologue.vector(wanted, v128.load(i32.const(0), parameter));
      const cell = places.cells.get(wanted);
      if (cell === undefined) throw new Error(`${wanted} has no place in a fit`);
      return v128.load(i32.const(0), cell);
    },
  });
  const lowering = new Lowering(graph, { name: (each) => graph.input(each) });
  const lowered = (of: Step) =>
    [...of].map(([cell, value]): [string, Node] => [cell, lowering.lowerReal(value)]);
  const emit = (to: Emitter, nodes: readonly [string, Node][]): Code => [
    to.define(nodes.map(([, node]) => node)),
    nodes.map(([cell, node]) => v128.store(i32.const(0), places.cells.get(cell) as number, to.value(node))),
  ];
  let body: Code;
  if (shortcut) {
    const mask = lowering.lower(shortcut.when);
    const defined = emitter.define([mask]);
    body = [
      defined,
      iff(
        i32x4.all_true(emitter.value(mask)),
        emit(emitter.fork(), lowered(shortcut.step)),
        emit(emitter.fork(), lowered(step)),
      ),
    ];
  } else body = emit(emitter, lowered(step));
  fn.body = [prologue.code, body];
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

/** A step without the cells of a result that nobody asks for. */
const without = (step: Step, cells: ReadonlySet<string>): Step =>
  new Map([...step].filter(([cell]) => !cells.has(cell)));

/** A step with the derivatives of its cells along tangents of cells and parameters: `tangent(cell)` of each. */
export function withTangents(
  step: Step,
  tangents: ReadonlyMap<string, Expression>,
  tangent: (cell: string) => string,
): Step {
  const done = new Map<Expression, Expression>();
  const all = new Map(step);
  for (const [cell, value] of step) all.set(tangent(cell), differentiate(value, tangents, done));
  return all;
}
