/**
 * The reference: whole networks interpreted, eagerly, one element at a time.
 *
 * Slow and readable, the oracle of the compiler. It shares with the machine code what a model means
 * (program.ts), who is connected to whom, and the graphs of functions and draws; nothing of memory, order of
 * evaluation, emitted code or threads. Every bit must be the same, in float64 and float32
 * (test/engine/reference*.test.ts).
 *
 * A tick: populations integrate, test thresholds and run tick handlers; traces and synapses integrate; what
 * arrives is delivered: `pre` of all projections in the network's order, then `post` and named events, then
 * clocks; cells that fired are reset. A projection's spikes arrive by delay, shortest first, then by
 * cell, then by synapse.
 */
import { type DeviceUse, deviceUse, pulsesByDirection } from "../device/counts.ts";
import { ConfigError } from "../math/errors.ts";
import { seconds, type Time } from "../math/units.ts";
import { InterpretedPopulation, type Reals } from "./cellwise.ts";
import { nearestTicks } from "./initial.ts";
import { tickedSpikes } from "./inputs.ts";
import { type Clock, eventSide, type Network, type Part, parentOf } from "./network.ts";
import { type Assignment, isStored } from "./program.ts";
import {
  noVariable,
  type Recorded,
  type Recorder,
  recordedIndices,
  SpikeCollector,
  sampleInterval,
  TraceCollector,
} from "./record.ts";
import type { CompileOptions } from "./simulate.ts";
import type { RunOptions } from "./simulation.ts";
import { InterpretedProjection, type Side } from "./synapsewise.ts";

/** A network that is interpreted: `Simulation`'s methods, without machine code. */
export class Reference<N extends Network = Network> {
  readonly network: N;
  readonly dt: number; // s
  readonly #populations = new Map<string, InterpretedPopulation>();
  readonly #projections = new Map<string, InterpretedProjection>();
  readonly #nameOf = new Map<object, string>();
  readonly #start = new Map<Reals | Int32Array, Reals | Int32Array>(); // what `restart` restores
  #tick = 0;

  constructor(network: N, options: Omit<CompileOptions, "threads">) {
    this.network = network;
    this.dt = seconds(options.dt);
    const setting = { dt: this.dt, seed: options.seed, precision: options.precision ?? "float64" };
    for (const [name, part] of Object.entries(network)) {
      this.#nameOf.set(part, name);
      if (part.kind === "population" || part.kind === "source")
        this.#populations.set(name, new InterpretedPopulation(name, part, setting));
    }
    for (const [name, part] of Object.entries(network)) {
      if (part.kind !== "projection") continue;
      const source = this.#cells(parentOf(part.pre).parent);
      const target = this.#cells(parentOf(part.post).parent);
      this.#projections.set(name, new InterpretedProjection(name, part, { source, target }, setting));
    }
    for (const { variables, until } of this.#populations.values())
      for (const array of [...Object.values(variables), until]) this.#start.set(array, array.slice());
    for (const { traces, synapse, program } of this.#projections.values()) {
      const moving = [...program.synapse.next.keys()].map((name) => synapse[name]);
      for (const array of [...Object.values(traces.pre), ...Object.values(traces.post), ...moving])
        this.#start.set(array, array.slice());
    }
  }

  /** Simulated time, s. */
  get time(): number {
    return this.#tick * this.dt;
  }

  /** Runs for `duration` and gives back what was recorded. */
  run<const R extends Readonly<Record<string, Recorder>>>(options: RunOptions<R>): Recorded<R> {
    const ticks = Math.round(seconds(options.duration) / this.dt);
    const inputs = this.#inputs(options.inputs ?? {}, ticks);
    const frozen = new Set((options.frozen ?? []).map((name) => this.#projection(name)));
    if (options.restart) this.restart();
    const recorders = this.#recorders((options.record ?? {}) as R);
    for (const { bank } of this.#projections.values()) bank?.readAll(this.#tick);
    for (const population of this.#populations.values()) population.beginRun();
    for (let n = 0; n < ticks; n++) {
      for (const { collector } of recorders.traces)
        if (collector.interval > 0 && n % collector.interval === 0) collector.sample(n * this.dt);
      for (const [population, spikes] of inputs)
        population.fired.set(this.#tick, [...spikes.cells.subarray(spikes.from[n], spikes.from[n + 1])]);
      this.#step(frozen);
      for (const { collector, population } of recorders.spikes) {
        const fired = Uint32Array.from(population.fired.get(this.#tick) ?? []);
        collector.take(fired, 0, fired.length, n);
      }
      this.#tick++;
    }
    for (const { collector } of recorders.traces)
      if (collector.interval === 0) collector.sample(ticks * this.dt);
    const results = recorders.all.map(([name, c]) => [
      name,
      c instanceof SpikeCollector ? c.raster(this.dt, ticks * this.dt) : c.trace,
    ]);
    return Object.fromEntries(results) as Recorded<R>;
  }

  /** Cells and traces go back to their initial values and spikes in flight are gone; weights and time stay. */
  restart(): void {
    for (const [array, values] of this.#start) array.set(values as Float64Array);
    for (const { fired } of this.#populations.values()) fired.clear();
    for (const projection of this.#projections.values()) projection.restart(this.#tick);
  }

  /** Values of a stored variable, SI: a copy. */
  get(part: keyof N & string, variable: string): Float64Array {
    return Float64Array.from(this.#read(part, variable));
  }

  /** Overwrites a stored variable. */
  set(part: keyof N & string, variable: string, values: number | ArrayLike<number>): void {
    const before = this.#read(part, variable);
    const given = typeof values === "number" ? before.map(() => values) : Array.from(values);
    const cells = this.#populations.get(part);
    if (cells) before.set(given);
    else this.#projection(part).write(variable, given, this.#tick);
  }

  /** Which cells each synapse joins, in the order of `get`: indices within the connected slices. */
  synapseCells(projection: keyof N & string): { readonly pre: Uint32Array; readonly post: Uint32Array } {
    const found = this.#projection(projection);
    const { pre, post, preStart, postStart } = found;
    return {
      pre: found.told(pre.map((i) => i - preStart)),
      post: found.told(post.map((j) => j - postStart)),
    };
  }

  /** Time passes for devices only: they drift. */
  wait(time: Time): void {
    for (const { bank } of this.#projections.values()) if (bank) bank.devices.waited += seconds(time);
  }

  /** Conductance of every device of a projection now, S: [synapse, group, device]. */
  conductances(projection: keyof N & string, options: { readonly noise?: boolean } = {}): Float64Array {
    const { order } = this.#projection(projection);
    const bank = this.#bank(projection);
    const { perSynapse } = bank;
    const read = bank.conductances(this.#tick, options.noise === false);
    const told = new Float64Array(read.length);
    order.forEach((synapse, k) => {
      told.set(read.subarray(k * perSynapse, (k + 1) * perSynapse), synapse * perSynapse);
    });
    return told;
  }

  /** Pulses the devices of a projection have received: towards greater weights, towards lesser ones, RESET. */
  pulses(projection: keyof N & string): readonly [number, number, number] {
    return pulsesByDirection(this.#bank(projection).counts);
  }

  /** Pulses and reads of the devices of a projection, by kind. */
  deviceUse(projection: keyof N & string): DeviceUse {
    const { storage, counts } = this.#bank(projection);
    return deviceUse(storage, counts);
  }

  /** All weights of a projection are multiplied by a factor when they are next read, and from then on. */
  scaleWeights(projection: keyof N & string, factor: number): void {
    this.#bank(projection).scale = factor;
  }

  // ---- a tick --------------------------------------------------------------------------------------

  #step(frozen: ReadonlySet<InterpretedProjection>): void {
    const tick = this.#tick;
    const projections = [...this.#projections.values()];
    for (const population of this.#populations.values()) population.step(tick);
    for (const projection of projections) projection.step(tick);
    for (const projection of projections) this.#deliverPre(projection, frozen.has(projection));
    const learning = projections.filter((projection) => !frozen.has(projection));
    for (const projection of learning)
      for (const [event, statements] of projection.program.handlers)
        this.#deliverEvent(projection, event, statements);
    for (const projection of learning)
      for (const [event, statements] of projection.program.handlers) {
        const clock = projection.part.events[event];
        if (clock?.kind === "clock" && this.#strikes(clock)) this.#deliverClock(projection, statements);
      }
    for (const population of this.#populations.values()) population.reset(tick);
  }

  /** While a projection is frozen its `pre` handler changes nothing that a synapse stores. */
  #deliverPre(projection: InterpretedProjection, frozen: boolean): void {
    const handler = projection.program.handlers.get("pre") ?? [];
    const statements = frozen ? handler.filter((s) => !isStored(projection.program, s)) : handler;
    for (const delay of projection.delays) {
      const cells = projection.source.fired.get(this.#tick - delay) ?? [];
      projection.handle(statements, "row", cells, this.#tick, delay);
    }
  }

  /** `post`, and named events that come from cells. */
  #deliverEvent(projection: InterpretedProjection, event: string, statements: readonly Assignment[]): void {
    const { part, target, preStart, postStart } = projection;
    if (event === "pre") return;
    if (event === "post") {
      projection.handle(statements, "column", target.fired.get(this.#tick) ?? [], this.#tick);
      return;
    }
    const from = part.events[event];
    if (from.kind === "clock") return;
    const side: Side = eventSide(part, from) === "post" ? "column" : "row";
    const { parent, start } = parentOf(from);
    const shift = (side === "column" ? postStart : preStart) - start;
    const cells = (this.#cells(parent).fired.get(this.#tick) ?? []).map((cell) => cell + shift);
    projection.handle(statements, side, cells, this.#tick);
  }

  /** Whether a clock strikes at the end of this tick. */
  #strikes(clock: Clock): boolean {
    const since = this.#tick + 1 - nearestTicks(clock.offset, this.dt);
    return since >= 0 && since % nearestTicks(clock.period, this.dt) === 0;
  }

  /**
   * A clock has no cell of its own: statements about all run once, those about postsynaptic cells for each of them, others
   * for each presynaptic cell and its synapses, by delay. Neighbouring statements of one kind run together.
   */
  #deliverClock(projection: InterpretedProjection, statements: readonly Assignment[]): void {
    const kind = ({ scope }: Assignment) => (scope === "shared" || scope === "post" ? scope : "others");
    const phases: Assignment[][] = [];
    for (const statement of statements) {
      const last = phases.at(-1);
      if (last && kind(last[0]) === kind(statement)) last.push(statement);
      else phases.push([statement]);
    }
    const { part, preStart, postStart, delays } = projection;
    const cellsOf = (start: number, size: number) => Array.from({ length: size }, (_, k) => start + k);
    for (const phase of phases) {
      if (kind(phase[0]) === "shared") projection.handle(phase, "row", [preStart], this.#tick);
      else if (kind(phase[0]) === "post")
        projection.handle(phase, "column", cellsOf(postStart, part.post.size), this.#tick);
      else
        for (const delay of delays)
          projection.handle(phase, "row", cellsOf(preStart, part.pre.size), this.#tick, delay);
    }
  }

  // ---- parts ---------------------------------------------------------------------------------------

  #cells(part: Part): InterpretedPopulation {
    const found = this.#populations.get(this.#nameOf.get(part) ?? "");
    if (!found) throw new ConfigError("these cells are not in the network");
    return found;
  }

  #projection(name: string): InterpretedProjection {
    const found = this.#projections.get(name);
    if (!found) throw new ConfigError(`there is no projection ${name}`);
    return found;
  }

  #bank(projection: string) {
    const { bank } = this.#projection(projection);
    if (!bank) throw new ConfigError(`${projection} does not keep its weights on devices`);
    return bank;
  }

  #read(part: string, variable: string): Reals {
    const cells = this.#populations.get(part);
    if (!cells) {
      const projection = this.#projection(part);
      const found = projection.read(variable, this.#tick);
      if (found) return found;
      throw noVariable(
        part,
        variable,
        projection.program.model.variables.map((v) => v.name),
      );
    }
    const found = { ...cells.variables, ...cells.shared };
    if (!(variable in found)) throw noVariable(part, variable, Object.keys(found));
    return found[variable];
  }

  // ---- a run ---------------------------------------------------------------------------------------

  #inputs(given: RunOptions["inputs"] & object, ticks: number) {
    const sources = Object.entries(this.network).flatMap(([name, part]) =>
      part.kind === "source" ? [{ name, part }] : [],
    );
    return sources.map(({ name, part }) => {
      const spikes = given[name] ?? (this.#tick === 0 ? part.spikes : undefined) ?? { t: [], i: [] };
      return [
        this.#cells(part),
        tickedSpikes(name, spikes, { size: part.size, ticks, dt: this.dt }),
      ] as const;
    });
  }

  #recorders(record: Readonly<Record<string, Recorder>>) {
    const spikes: { collector: SpikeCollector; population: InterpretedPopulation }[] = [];
    const traces: { collector: TraceCollector }[] = [];
    const all = Object.entries(record).map(([name, recorder]): [string, SpikeCollector | TraceCollector] => {
      if (recorder.kind === "spikes") {
        const { parent, start } = parentOf(recorder.cells);
        const collector = new SpikeCollector(start, recorder.cells.size);
        spikes.push({ collector, population: this.#cells(parent) });
        return [name, collector];
      }
      const { of, variable } = recorder;
      const { parent, start } = of.kind === "projection" ? { parent: of, start: 0 } : parentOf(of);
      const part = this.#nameOf.get(parent) ?? "";
      const size = of.kind === "projection" ? this.#read(part, variable).length : of.size;
      const indices = recordedIndices(recorder, name, { size, start });
      const read = () => this.#read(part, variable);
      const collector = new TraceCollector(read, indices, sampleInterval(recorder, name, this.dt));
      traces.push({ collector });
      return [name, collector];
    });
    return { spikes, traces, all };
  }
}

/**
 * Interprets a network: what `compile` gives, in plain TypeScript, some 10,000 times slower. For tests of the compiler and
 * for looking at what a model does.
 */
export const interpretNetwork = <const N extends Network>(
  network: N,
  options: Omit<CompileOptions, "threads">,
): Reference<N> => new Reference(network, options);
