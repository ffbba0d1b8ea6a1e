/**
 * A population, interpreted cell by cell: the readable twin of population.ts.
 *
 * Nothing is fused or vectorised; reference.ts says in which order of a tick its methods are called.
 */
import { randomKey } from "../math/random.ts";
import type { Precision } from "../wasm/graph.ts";
import { Evaluator, type Names } from "./evaluate.ts";
import { initialValues } from "./initial.ts";
import type { Population, Source } from "./network.ts";
import { negligible } from "./population.ts";
import { type PopulationProgram, populationProgram } from "./program.ts";

/** A variable of many elements, in the network's precision. */
export type Reals = Float32Array | Float64Array;
export type Variables = Record<string, Reals>;

export interface Setting {
  readonly dt: number; // s
  readonly seed: string | number;
  readonly precision: Precision;
}

/** Variables of `size` elements, all 0. */
export const zeros = (setting: Setting, names: readonly string[], size: number): Variables =>
  Object.fromEntries(
    names.map((name) => [
      name,
      setting.precision === "float64" ? new Float64Array(size) : new Float32Array(size),
    ]),
  );

/** Puts variables that are next to 0 to 0, where `tick` is one of those at which that is done. */
export function settle(variables: Variables, moving: Iterable<string>, tick: number): void {
  if (tick % negligible.every !== 0) return;
  for (const name of moving)
    variables[name].forEach((value, k) => {
      if (Math.abs(value) < negligible.below) variables[name][k] = 0;
    });
}

/** A population or a spike source. */
export class InterpretedPopulation {
  readonly name: string;
  readonly size: number;
  readonly program: PopulationProgram | undefined;
  readonly variables: Variables = {};
  readonly shared: Variables = {};
  /** First tick at which each cell is no longer refractory. */
  readonly until: Int32Array;
  /** Cells that fired, ascending, by tick. */
  readonly fired = new Map<number, readonly number[]>();
  readonly #setting: Setting;
  readonly #equations: Evaluator;
  readonly #resets: Evaluator;
  #refractory: readonly number[] = []; // ticks, of each cell

  constructor(name: string, part: Population | Source, setting: Setting) {
    this.name = name;
    this.size = part.size;
    this.until = new Int32Array(part.size);
    this.#setting = setting;
    const key = randomKey(setting.seed, name);
    if (part.kind === "population") this.program = populationProgram(part.model.checked, setting.dt);
    const booleans = this.program?.cells.booleans;
    this.#equations = new Evaluator(setting.precision, key, "packed", booleans);
    this.#resets = new Evaluator(setting.precision, key, "sparse", booleans);
    if (part.kind === "source" || !this.program) return;
    this.variables = zeros(setting, this.program.cells.variables, part.size);
    this.shared = zeros(setting, this.program.shared, 1);
    const initial = initialValues(name, part.model, part.initial, { cell: part.size }, setting.dt);
    const array = (variable: string): Reals => this.variables[variable] ?? this.shared[variable];
    for (const [variable, values] of initial.arrays) array(variable).set(Array.from(values));
    for (const [variable, value] of initial.expressions)
      array(variable).forEach((_, cell) => {
        const fresh = this.#equations.value(value, { element: cell, tick: 0 }, this.#names(cell, 0));
        array(variable)[cell] = fresh;
      });
  }

  #names(cell: number, tick: number): Names {
    return (name) => {
      if (name === "t") return tick * this.#setting.dt;
      if (name === "i") return cell;
      if (name === "not_refractory") return this.until[cell] <= tick;
      return (this.variables[name] ?? this.shared[name])[name in this.variables ? cell : 0];
    };
  }

  /** Refractory ticks of every cell: they hold for a run. */
  beginRun(): void {
    const { refractory } = this.program ?? {};
    if (!refractory) return;
    const evaluator = new Evaluator("float64", [0, 0], "sparse");
    this.#refractory = Array.from({ length: this.size }, (_, cell) => {
      const time = evaluator.value(refractory, { element: cell, tick: 0 }, this.#names(cell, 0));
      return Math.max(0, Math.floor(time / this.#setting.dt + 1e-3));
    });
  }

  /** Integrates, tests the threshold, runs the tick handler; notes who fired. */
  step(tick: number): void {
    if (!this.program) return;
    const { cells, threshold, tick: handler, refractory } = this.program;
    const fired: number[] = [];
    settle(this.variables, cells.next.keys(), tick);
    for (let cell = 0; cell < this.size; cell++) {
      const names = this.#names(cell, tick);
      const place = { element: cell, tick };
      const next = this.#equations.values([...cells.next.values()], place, names);
      [...cells.next.keys()].forEach((name, k) => {
        this.variables[name][cell] = next[k];
      });
      const active = this.until[cell] <= tick;
      const fires = threshold !== undefined && active && this.#equations.value(threshold, place, names) !== 0;
      for (const { target, value } of handler)
        if (active || !cells.frozenWhileRefractory.has(target))
          this.variables[target][cell] = this.#equations.value(value, place, names);
      if (!fires) continue;
      fired.push(cell);
      if (refractory) this.until[cell] = tick + this.#refractory[cell];
    }
    if (threshold) this.fired.set(tick, fired);
  }

  /** The reset of the cells that fired. */
  reset(tick: number): void {
    for (const cell of this.fired.get(tick) ?? [])
      for (const { target, value } of this.program?.reset ?? [])
        this.variables[target][cell] = this.#resets.value(
          value,
          { element: cell, tick },
          this.#names(cell, tick),
        );
  }
}
