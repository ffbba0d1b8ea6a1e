/**
 * A projection, interpreted synapse by synapse: the readable twin of projection.ts and deferred.ts.
 *
 * Nothing is hoisted, deferred or shared between threads; reference.ts says in which order of a tick its
 * methods are called.
 */
import { type Expression, namesIn } from "../language/expression.ts";
import { randomKey } from "../math/random.ts";
import { Bank } from "./bank.ts";
import {
  type InterpretedPopulation,
  type Reals,
  type Setting,
  settle,
  type Variables,
  zeros,
} from "./cellwise.ts";
import { connect } from "./connect.ts";
import { decay, decayTableLength } from "./deferred.ts";
import { Evaluator } from "./evaluate.ts";
import { delayTicks, initialValues } from "./initial.ts";
import { type Projection, parentOf } from "./network.ts";
import { pathway, sources } from "./pathway.ts";
import {
  type Assignment,
  type ElementProgram,
  type ProjectionProgram,
  projectionProgram,
} from "./program.ts";

export type Side = "row" | "column";

/** A projection with its synapses in memory order: by presynaptic cell, then delay, then target. */
export class InterpretedProjection {
  readonly name: string;
  readonly part: Projection;
  readonly program: ProjectionProgram;
  readonly source: InterpretedPopulation;
  readonly target: InterpretedPopulation;
  readonly preStart: number;
  readonly postStart: number;
  readonly pre: Uint32Array; // [synapse], cell of the whole population
  readonly post: Uint32Array;
  /** Synapse k of memory is the synapse `order[k]` of the pairs, or rows, that were given. */
  readonly order: Uint32Array;
  /** Distinct delays, ticks, ascending. */
  readonly delays: readonly number[];
  readonly synapse: Variables;
  readonly traces: { readonly pre: Variables; readonly post: Variables };
  readonly shared: Variables;
  readonly bank: Bank | undefined;
  readonly #setting: Setting;
  readonly #delay: Uint32Array; // [synapse], ticks
  readonly #lastEvent: Int32Array; // [pre], tick: traces in closed form are kept as they were then
  readonly #equations: Evaluator;
  readonly #handlers: Evaluator;

  constructor(
    name: string,
    part: Projection,
    populations: { readonly source: InterpretedPopulation; readonly target: InterpretedPopulation },
    setting: Setting,
  ) {
    const { dt, seed, precision } = setting;
    const { source, target } = populations;
    this.name = name;
    this.part = part;
    this.source = source;
    this.target = target;
    this.#setting = setting;
    this.program = projectionProgram(part, dt);
    const pre = parentOf(part.pre);
    const post = parentOf(part.post);
    this.preStart = pre.start;
    this.postStart = post.start;
    const own = pre.parent === post.parent ? pre.start - post.start : false;
    const rows = connect(part.pattern, part.pre.size, part.post.size, randomKey(seed, name, "connect"), own);
    const delays = delayTicks(name, part, rows, dt, randomKey(seed, name, "delay"));
    const path = pathway(rows, {
      preCells: source.size,
      preStart: pre.start,
      postStart: post.start,
      delays,
      bounds: [0, target.size],
    });
    this.delays = path.delays;
    this.order = Uint32Array.from(path.targets, (_, k) => {
      const inRows = path.order ? path.order[k] : k;
      return rows.order ? rows.order[inRows] : inRows;
    });
    this.pre = sources(path);
    this.post = path.targets;
    this.#lastEvent = new Int32Array(source.size).fill(-1);
    this.#delay = path.targets.map((_, k) =>
      typeof delays === "number" ? delays : delays[path.order ? path.order[k] : k],
    );
    const { program } = this;
    this.synapse = zeros(setting, program.synapse.variables, path.size);
    this.traces = {
      pre: zeros(setting, program.pre.variables, source.size),
      post: zeros(setting, program.post.variables, target.size),
    };
    this.shared = zeros(setting, program.shared, 1);
    const booleans = new Set(
      [program.synapse, program.pre, program.post].flatMap((elements) => [...elements.booleans]),
    );
    const key = randomKey(seed, name);
    this.#equations = new Evaluator(precision, key, "packed", booleans);
    this.#handlers = new Evaluator(precision, key, "sparse", booleans);
    const sizes = { synapse: path.size, pre: part.pre.size, post: part.post.size };
    const initial = initialValues(name, part.model, part.initial, sizes, dt);
    for (const [variable, values] of initial.arrays) {
      const given = Float64Array.from(values);
      if (variable in this.synapse)
        for (let k = 0; k < path.size; k++) this.synapse[variable][k] = given[this.order[k]];
      else if (variable in this.traces.pre) this.traces.pre[variable].set(given, this.preStart);
      else if (variable in this.traces.post) this.traces.post[variable].set(given, this.postStart);
      else this.shared[variable].set(given);
    }
    for (const [variable, value] of initial.expressions) this.#initialise(variable, value);
    if (part.weight)
      this.bank = new Bank(part.weight, {
        synapses: path.size,
        dt,
        key: randomKey(seed, name, "devices"),
        weights: this.synapse[program.weight as string],
      });
  }

  #initialise(variable: string, value: Expression): void {
    const scope = this.program.model.variables.find((v) => v.name === variable)?.scope ?? "synapse";
    const arrays = {
      synapse: this.synapse,
      pre: this.traces.pre,
      post: this.traces.post,
      shared: this.shared,
    };
    const array = arrays[scope as keyof typeof arrays][variable];
    for (let k = 0; k < array.length; k++) {
      const [pre, post] = scope === "synapse" ? [this.pre[k], this.post[k]] : [k, k];
      const element = scope === "shared" ? this.preStart : k;
      array[k] = this.#handlers.value(value, { element, tick: 0 }, (name) =>
        this.#value(name, { synapse: k, pre, post }, 0),
      );
    }
  }

  // ---- names ---------------------------------------------------------------------------------------

  /** The value of a name where a synapse, or a cell of either side, is at hand. */
  #value(
    name: string,
    at: { readonly synapse?: number; readonly pre?: number; readonly post?: number },
    tick: number,
  ): number {
    if (name in this.synapse) {
      if (this.bank && name === this.program.weight) return this.bank.weight(at.synapse as number, tick);
      return this.synapse[name][at.synapse as number];
    }
    if (name in this.traces.pre) return this.#trace(name, at.pre as number, tick);
    if (name in this.traces.post) return this.traces.post[name][at.post as number];
    if (name in this.shared) return this.shared[name][0];
    if (name === "t") return tick * this.#setting.dt;
    if (name === "i") return (at.pre as number) - this.preStart;
    if (name === "j") return (at.post as number) - this.postStart;
    const [, variable, side] = /^(.*)_(pre|post)$/.exec(name) as RegExpExecArray;
    const cells = side === "pre" ? this.source : this.target;
    if (variable in cells.shared) return cells.shared[variable][0];
    return cells.variables[variable][(side === "pre" ? at.pre : at.post) as number];
  }

  /**
   * A presynaptic trace. One that only decays may be kept as it was at its cell's last event, n ticks ago: it is that times
   * E(n) = exp(-n dt / tau), rounded once to the network's precision, 0 after 40 of the longest tau.
   */
  #trace(name: string, cell: number, tick: number): number {
    const value = this.traces.pre[name][cell];
    const { lazyTraces } = this.program;
    const tau = lazyTraces.get(name);
    if (tau === undefined) return value;
    const { dt, precision } = this.#setting;
    const round = precision === "float32" ? Math.fround : (x: number) => x;
    const length = decayTableLength(lazyTraces.values(), dt);
    return round(value * round(decay(tick - this.#lastEvent[cell], length, tau, dt)));
  }

  /** Traces in closed form as they are at an event, which they are kept from. */
  #keepTraces(cell: number, tick: number): void {
    for (const name of this.program.lazyTraces.keys())
      this.traces.pre[name][cell] = this.#trace(name, cell, tick);
    this.#lastEvent[cell] = tick;
  }

  /** The synapses in memory order from those in the order they are told: of the pairs given, else of the rows. */
  told<A extends Reals | Uint32Array>(inMemory: A): A {
    const told = inMemory.slice() as A;
    for (let k = 0; k < told.length; k++) told[this.order[k]] = inMemory[k];
    return told;
  }

  /** Values of a variable as they are before `tick` is computed: a copy, of synapses in the order they are told. */
  read(name: string, tick: number): Reals | undefined {
    if (name in this.synapse) return this.told(this.synapse[name]);
    const values = this.#cellValues(name, tick);
    if (!values) return this.shared[name]?.slice();
    const { cells, start, size } = this.#sideOf(name);
    return this.#ofEachSynapse(name)
      ? this.told(Float64Array.from(cells, (cell) => values[cell]))
      : values.slice(start, start + size);
  }

  /** A trace of every cell of its side, before `tick` is computed. */
  #cellValues(name: string, tick: number): Reals | undefined {
    const { pre, post } = this.traces;
    if (name in post) return post[name];
    return name in pre ? pre[name].map((_, cell) => this.#trace(name, cell, tick - 1)) : undefined;
  }

  /** Cells of a trace: of each synapse, and those that the projection connects. */
  #sideOf(name: string): { readonly cells: Uint32Array; readonly start: number; readonly size: number } {
    return name in this.traces.pre
      ? { cells: this.pre, start: this.preStart, size: this.part.pre.size }
      : { cells: this.post, start: this.postStart, size: this.part.post.size };
  }

  /** Whether a variable that is kept once for a cell was declared for each synapse (hoist.ts). */
  #ofEachSynapse(name: string): boolean {
    return this.part.model.checked.variables.some((v) => v.name === name && v.scope === "synapse");
  }

  /** Gives every element of a variable a value before `tick` is computed. */
  write(name: string, values: ArrayLike<number>, tick: number): void {
    if (name in this.shared) this.shared[name].set(Array.from(values));
    else if (name in this.synapse)
      for (let k = 0; k < this.pre.length; k++) this.synapse[name][k] = values[this.order[k]];
    else {
      const { cells, start } = this.#sideOf(name);
      if (name in this.traces.pre)
        for (let cell = 0; cell < this.source.size; cell++) this.#keepTraces(cell, tick - 1);
      const array = this.traces.pre[name] ?? this.traces.post[name];
      if (this.#ofEachSynapse(name))
        cells.forEach((cell, k) => {
          array[cell] = values[this.order[k]];
        });
      else array.set(Array.from(values), start);
    }
  }

  /** Traces begin anew before `tick`. */
  restart(tick: number): void {
    this.#lastEvent.fill(tick - 1);
  }

  // ---- time ----------------------------------------------------------------------------------------

  /** Integrates traces and synapses. */
  step(tick: number): void {
    const { pre, post, synapse } = this.program;
    if (this.program.lazyTraces.size === 0)
      this.#integrate(pre, this.traces.pre, this.source.size, tick, (k) => ({ pre: k }));
    this.#integrate(post, this.traces.post, this.target.size, tick, (k) => ({ post: k }));
    this.#integrate(synapse, this.synapse, this.pre.length, tick, (k) => ({
      synapse: k,
      pre: this.pre[k],
      post: this.post[k],
    }));
  }

  #integrate(
    elements: ElementProgram,
    variables: Variables,
    size: number,
    tick: number,
    place: (element: number) => { synapse?: number; pre?: number; post?: number },
  ): void {
    const changing = [...elements.next];
    if (changing.length === 0) return;
    settle(variables, elements.next.keys(), tick);
    for (let k = 0; k < size; k++) {
      const next = this.#equations.values(
        changing.map(([, value]) => value),
        { element: k, tick },
        (name) => this.#value(name, place(k), tick),
      );
      changing.forEach(([name], n) => {
        variables[name][k] = next[n];
      });
    }
  }

  // ---- events --------------------------------------------------------------------------------------

  /** The synapses of a cell, in memory order; of a row only those of one delay, when that is given. */
  #synapsesOf(side: Side, cell: number, delay?: number): number[] {
    const found: number[] = [];
    const ends = side === "row" ? this.pre : this.post;
    for (let k = 0; k < ends.length; k++)
      if (ends[k] === cell && (delay === undefined || this.#delay[k] === delay)) found.push(k);
    return found;
  }

  /**
   * A handler runs for cells, in their order. `delay`: only the synapses of a row with that delay, ticks. Cells that the
   * projection does not connect are passed over.
   */
  handle(
    statements: readonly Assignment[],
    side: Side,
    cells: readonly number[],
    tick: number,
    delay?: number,
  ): void {
    if (cells.length === 0) return;
    const [start, { size }] =
      side === "row" ? [this.preStart, this.part.pre] : [this.postStart, this.part.post];
    const norms = this.#norms(statements, tick);
    for (const cell of cells)
      if (cell >= start && cell < start + size)
        this.#event(statements, { side, cell, synapses: this.#synapsesOf(side, cell, delay), tick, norms });
  }

  /** sqrt of the sum of squares over the presynaptic cells, in their order, of the arguments of `normalize`. */
  #norms(statements: readonly Assignment[], tick: number): number[] {
    this.#handlers.prepare(statements.map(({ value }) => value));
    const round = this.#setting.precision === "float32" ? Math.fround : (x: number) => x;
    return this.#handlers.norms.map((argument) => {
      let sum = 0;
      for (let pre = this.preStart; pre < this.preStart + this.part.pre.size; pre++) {
        const x = this.#handlers.value(argument, { element: 0, tick }, (name) =>
          this.#value(name, { pre }, tick),
        );
        sum = round(sum + round(x * x));
      }
      return round(Math.sqrt(sum));
    });
  }

  /**
   * One event at one cell: statement by statement, those about the cell itself once, the others at every
   * synapse. An event sees its own cell as it was when the event came, besides what the handler assigns.
   */
  #event(
    statements: readonly Assignment[],
    event: {
      readonly side: Side;
      readonly cell: number;
      readonly synapses: readonly number[];
      readonly tick: number;
      readonly norms: readonly number[];
    },
  ): void {
    const { side, cell, tick, norms } = event;
    const ofCell = ({ scope }: Assignment): boolean =>
      scope === "shared" || scope === (side === "row" ? "pre" : "post");
    const here = side === "row" ? { pre: cell } : { post: cell };
    if (side === "row") this.#keepTraces(cell, tick);
    const norm = (name: string): number | undefined =>
      name.startsWith("norm ") ? norms[Number(name.slice(5))] : undefined;

    const atArrival = new Map<string, number>();
    const changing = new Set(statements.filter((s) => !ofCell(s)).map(({ target }) => target));
    for (const name of statements.flatMap(({ value }) => [...namesIn(value)]))
      if (this.#belongsTo(name, side) && !changing.has(name))
        atArrival.set(name, this.#value(name, here, tick));

    const left = new Map<string, number>(); // by statements about the cell
    const results = statements.map((statement) => {
      if (!ofCell(statement)) return 0;
      const value = this.#handlers.value(
        statement.value,
        { element: cell, tick },
        (name) => norm(name) ?? left.get(name) ?? atArrival.get(name) ?? this.#value(name, here, tick),
      );
      left.set(statement.target, value);
      return value;
    });

    for (const k of event.synapses) {
      const at = { synapse: k, pre: this.pre[k], post: this.post[k] };
      const assigned = new Map<string, number>();
      statements.forEach((statement, n) => {
        const { target } = statement;
        if (ofCell(statement)) assigned.set(target, results[n]);
        else if (this.#writable(statement, at, tick))
          assigned.set(
            target,
            this.#handlers.value(
              statement.value,
              { element: k, tick },
              (name) =>
                norm(name) ?? assigned.get(name) ?? atArrival.get(name) ?? this.#value(name, at, tick),
            ),
          );
      });
      for (const target of changing) {
        const value = assigned.get(target);
        if (value !== undefined && target !== this.program.weight) this.#assign(target, value, at, tick);
      }
      const weight =
        changing.has(this.program.weight as string) && assigned.get(this.program.weight as string);
      if (typeof weight === "number") this.#assign(this.program.weight as string, weight, at, tick);
    }
    for (const [target, value] of left) this.#assign(target, value, here, tick);
  }

  /** Whether a name has one value for the cell of an event. */
  #belongsTo(name: string, side: Side): boolean {
    if (name in this.shared || name === (side === "row" ? "i" : "j")) return true;
    if (name in this.traces[side === "row" ? "pre" : "post"]) return true;
    return name.endsWith(side === "row" ? "_pre" : "_post");
  }

  /** A variable that stands still while its cell is refractory cannot be written then. */
  #writable({ target, scope }: Assignment, at: { pre: number; post: number }, tick: number): boolean {
    if (scope !== "precell" && scope !== "postcell") return true;
    const cells = scope === "precell" ? this.source : this.target;
    const variable = target.replace(/_(pre|post)$/, "");
    if (!cells.program?.cells.frozenWhileRefractory.has(variable)) return true;
    return cells.until[scope === "precell" ? at.pre : at.post] <= tick;
  }

  #assign(
    target: string,
    value: number,
    at: { readonly synapse?: number; readonly pre?: number; readonly post?: number },
    tick: number,
  ): void {
    if (target in this.synapse) {
      if (this.bank && target === this.program.weight) this.bank.write(at.synapse as number, value, tick);
      else this.synapse[target][at.synapse as number] = value;
    } else if (target in this.traces.pre) this.traces.pre[target][at.pre as number] = value;
    else if (target in this.traces.post) this.traces.post[target][at.post as number] = value;
    else if (target in this.shared) this.shared[target][0] = value;
    else if (target.endsWith("_pre")) this.source.variables[target.slice(0, -4)][at.pre as number] = value;
    else this.target.variables[target.slice(0, -5)][at.post as number] = value;
  }
}
