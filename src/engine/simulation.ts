/**
 * A compiled network that runs, and runs again.
 *
 * Holds the memory and drives the machine code a stretch of ticks at a time: hands spikes in, takes recordings
 * out, watches for NaN. State goes on from run to run until `restart`.
 */
import { counted, type DeviceUse, deviceUse, pulsesByDirection } from "../device/counts.ts";
import { ConfigError } from "../math/errors.ts";
import { nearest } from "../math/nearest.ts";
import { seconds, type Time } from "../math/units.ts";
import type { Built, BuiltPopulation, BuiltProjection } from "./built.ts";
import { fillMemory, refractoryTicks } from "./fill.ts";
import { type TickedSpikes, tickedSpikes } from "./inputs.ts";
import { type Network, type Part, parentOf, type SpikeTimes } from "./network.ts";
import {
  type Recorded,
  type Recorder,
  recordedIndices,
  SpikeCollector,
  sampleInterval,
  TraceCollector,
} from "./record.ts";
import { cells as fixed } from "./schedule.ts";
import { State } from "./state.ts";
import type { BuiltStorage } from "./storage.ts";
import type { Team } from "./workers.ts";

export interface RunOptions<
  R extends Readonly<Record<string, Recorder>> = Readonly<Record<string, Recorder>>,
> {
  readonly duration: Time;
  /** Spikes of spike sources, by the part's name; times count from the start of the run. */
  readonly inputs?: Readonly<Record<string, SpikeTimes>>;
  /**
   * Projections that do not learn: only their `pre` handler runs, and it changes nothing that a synapse stores, such as its
   * weight; traces go on.
   */
  readonly frozen?: readonly string[];
  readonly record?: R;
  /** Cells and traces start from their initial values, no spike is in flight; weights stay as they are. */
  readonly restart?: boolean;
}

type Exports = Readonly<Record<string, (...args: number[]) => number>>;

export class Simulation<N extends Network = Network> {
  readonly network: N;
  /** Threads that share the work. */
  readonly threads: number;
  /** Why there are fewer threads than were asked for. */
  readonly oneThreadBecause: string | undefined;
  readonly dt: number; // s
  readonly #built: Built;
  readonly #memory: WebAssembly.Memory;
  readonly #state: State;
  readonly #exports: Exports;
  readonly #team: Team | undefined;
  readonly #nameOf = new Map<object, string>();
  readonly #writers = new Map<string, number>(); // where a source's next list goes
  readonly #all: Uint32Array; // the whole memory
  #running = false;
  #closed = false;

  constructor(
    network: N,
    built: Built,
    memory: WebAssembly.Memory,
    instance: WebAssembly.Instance,
    team: Team | undefined,
  ) {
    this.network = network;
    this.threads = built.threads;
    this.oneThreadBecause = built.oneThreadBecause;
    this.dt = built.dt;
    this.#built = built;
    this.#memory = memory;
    this.#all = new Uint32Array(memory.buffer);
    this.#exports = instance.exports as Exports;
    this.#team = team;
    for (const [name, part] of Object.entries(network)) this.#nameOf.set(part, name);
    fillMemory(built, memory, this.#exports);
    this.#state = new State(built, memory, this.#exports);
  }

  /** Simulated time, s. */
  get time(): number {
    return this.#tick * this.dt;
  }

  /** Bytes of memory by what they hold, and synapses in all. */
  get memory(): {
    readonly bytes: number;
    readonly shares: Record<string, number>;
    readonly synapses: number;
  } {
    const { layout, projections } = this.#built;
    let synapses = 0;
    for (const { path } of projections.values()) synapses += path.size;
    return { bytes: layout.bytes, shares: layout.shares, synapses };
  }

  /** Runs for `duration` and gives back what was recorded. */
  run<const R extends Readonly<Record<string, Recorder>>>(options: RunOptions<R>): Recorded<R> {
    const steps = this.steps(options);
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
    }
  }

  /** Like `run`, a stretch of ticks at a time: yields the fraction done. Leaving early keeps the state reached. */
  *steps<const R extends Readonly<Record<string, Recorder>>>(
    options: RunOptions<R>,
  ): Generator<number, Recorded<R>, void> {
    if (this.#closed) throw new ConfigError("the simulation is closed: its threads have ended");
    if (this.#running) throw new ConfigError("the simulation is already running");
    const ticks = this.#wholeTicks(options.duration);
    const inputs = this.#inputs(options.inputs ?? {}, ticks);
    const frozen = this.#frozenProjections(options.frozen ?? []);
    const collectors = this.#collectors((options.record ?? {}) as R);
    // nothing can be refused from here on
    if (options.restart) this.restart();
    for (const built of frozen) this.#state.flush(built);
    const first = this.#tick;
    let looked = first;
    this.#running = true;
    try {
      for (const { frozenFlag } of frozen) this.#words(frozenFlag, 1)[0] = 1;
      this.#readDevices();
      this.#refractory();
      let done = 0;
      while (done < ticks) {
        let stretch = Math.min(this.#built.chunk, ticks - done);
        for (const { collector } of collectors.traces) {
          const { interval } = collector;
          if (interval === 0) continue;
          if (done % interval === 0) collector.sample(done * this.dt);
          stretch = Math.min(stretch, interval - (done % interval));
        }
        for (const [name, spikes] of inputs) this.#feed(name, spikes, done, stretch);
        this.#team?.start(this.#tick, stretch);
        this.#exports.run(this.#tick, stretch, 0);
        for (const { collector, population } of collectors.spikes)
          this.#drain(collector, population, stretch, first);
        this.#state.tick += stretch;
        done += stretch;
        if (this.#tick - looked < this.#built.chunk && done < ticks) continue;
        this.#state.checkCells(looked);
        looked = this.#tick;
        yield done / ticks;
      }
      this.#state.checkSynapses(first);
      for (const { collector } of collectors.traces)
        if (collector.interval === 0) collector.sample(ticks * this.dt);
    } finally {
      for (const { frozenFlag } of frozen) this.#words(frozenFlag, 1)[0] = 0;
      this.#running = false;
    }
    const duration = ticks * this.dt;
    return Object.fromEntries(
      collectors.all.map(([name, c]) => [
        name,
        c instanceof SpikeCollector ? c.raster(this.dt, duration) : c.trace,
      ]),
    ) as Recorded<R>;
  }

  /**
   * Cells and traces (what projections keep for each cell, and any variable with a differential equation) go back to
   * their initial values and spikes in flight are gone; what synapses store, such as weights, and time stay.
   */
  restart(): void {
    this.#state.restart();
  }

  /** Values of a stored variable, SI: a copy. Synapses come in the order of `pairs`, else by row (see `synapseCells`). */
  get(part: keyof N & string, variable: string): Float64Array {
    return this.#state.get(part, variable);
  }

  /** Overwrites a stored variable. On devices this changes the weight as read, not the devices. */
  set(part: keyof N & string, variable: string, values: number | ArrayLike<number>): void {
    this.#state.set(part, variable, values);
  }

  /** Which cells each synapse joins, in the order of `get`: indices within the connected slices. */
  synapseCells(projection: keyof N & string): { readonly pre: Uint32Array; readonly post: Uint32Array } {
    return this.#state.synapseCells(projection);
  }

  /** Time passes for devices only: they drift. */
  wait(time: Time): void {
    const by = seconds(time);
    if (!(by >= 0)) throw new ConfigError(`devices cannot wait for ${time}`);
    new Float64Array(this.#memory.buffer, fixed.deviceTime, 1)[0] += by;
  }

  /** Time on the clock of the devices, s: simulated time and what `wait` added. */
  get deviceTime(): number {
    return this.time + new Float64Array(this.#memory.buffer, fixed.deviceTime, 1)[0];
  }

  /**
   * Conductance of every device of a projection now, S: [synapse, polarity, device], without polarity where synapses have
   * one. `noise: false` leaves read noise out. A look: it counts as no read.
   */
  conductances(projection: keyof N & string, options: { readonly noise?: boolean } = {}): Float64Array {
    const { order } = this.#state.projection(projection);
    const storage = this.#storage(projection);
    this.#exports[`readAll ${projection}`](this.#tick, options.noise === false ? 1 : 0);
    const read = new Float64Array(this.#memory.buffer, storage.reading, storage.count);
    if (!order) return read.slice();
    const told = new Float64Array(storage.count);
    const { perSynapse } = storage;
    for (let k = 0; k < order.length; k++)
      told.set(read.subarray(k * perSynapse, (k + 1) * perSynapse), order[k] * perSynapse);
    return told;
  }

  /** Pulses the devices of a projection have received: towards greater weights, towards lesser ones, RESET. */
  pulses(projection: keyof N & string): readonly [number, number, number] {
    return pulsesByDirection(this.#counts(projection));
  }

  /** Pulses by the device's own names, and reads, of all devices of a projection since it was made. */
  deviceUse(projection: keyof N & string): DeviceUse {
    return deviceUse(this.#storage(projection).storage, this.#counts(projection));
  }

  /** All weights of a projection are multiplied by a factor when they are next read, and from then on. */
  scaleWeights(projection: keyof N & string, factor: number): void {
    const storage = this.#storage(projection);
    if (!(factor > 0 && Number.isFinite(factor)))
      throw new ConfigError(`weights are scaled by a positive factor, not ${factor}`);
    new Float64Array(this.#memory.buffer, storage.scale, 1)[0] = factor;
  }

  /** Ends the threads: values can still be read, but nothing runs any more. On one thread it does nothing. */
  close(): void {
    if (!this.#team || this.#closed) return;
    this.#closed = true;
    this.#team.close();
  }

  // ---- parts ---------------------------------------------------------------------------------------

  #storage(projection: string): BuiltStorage {
    const { storage } = this.#state.projection(projection);
    if (!storage) throw new ConfigError(`${projection} does not keep its weights on devices`);
    return storage;
  }

  #counts(projection: string): Float64Array {
    return new Float64Array(this.#memory.buffer, this.#storage(projection).counts, counted.size);
  }

  #nameOfPart(part: Part, user: string): string {
    const name = this.#nameOf.get(part);
    if (name === undefined) throw new ConfigError(`${user} is not about a part of this network`);
    return name;
  }

  get #tick(): number {
    return this.#state.tick;
  }

  #words(offset: number, length: number): Uint32Array {
    return this.#state.words(offset, length);
  }

  // ---- a run ---------------------------------------------------------------------------------------

  #wholeTicks(duration: Time): number {
    const time = seconds(duration, "duration");
    const ticks = Math.round(time / this.dt);
    if (time < 0) throw new ConfigError(`a run of ${duration} would go back in time`);
    if (!(ticks >= 0) || Math.abs(ticks * this.dt - time) > 1e-3 * this.dt)
      throw new ConfigError(`a run of ${duration} is not a whole number of ticks of ${this.dt} s`);
    if (this.#tick + ticks > 2 ** 31)
      throw new ConfigError(`a simulation has at most ${2 ** 31} ticks; ${duration} goes beyond`);
    return ticks;
  }

  #inputs(given: Readonly<Record<string, SpikeTimes>>, ticks: number): Map<string, TickedSpikes> {
    const sources = [...this.#built.populations.values()].filter(({ part }) => part.kind === "source");
    for (const name of Object.keys(given))
      if (!sources.some((s) => s.name === name)) {
        const guess = nearest(
          name,
          sources.map((s) => s.name),
        );
        throw new ConfigError(
          `inputs: there is no spike source ${name}${guess ? `; did you mean ${guess}?` : ""}`,
        );
      }
    return new Map(
      sources.map(({ name, part, size }) => {
        const fixedSpikes = part.kind === "source" && this.#tick === 0 ? part.spikes : undefined;
        const spikes = given[name] ?? fixedSpikes ?? { t: [], i: [] };
        return [name, tickedSpikes(name, spikes, { size, ticks, dt: this.dt })];
      }),
    );
  }

  #frozenProjections(names: readonly string[]): BuiltProjection[] {
    return names.map((name) => this.#state.projection(name));
  }

  #collectors<R extends Readonly<Record<string, Recorder>>>(record: R) {
    const spikes: { collector: SpikeCollector; population: BuiltPopulation }[] = [];
    const traces: { collector: TraceCollector }[] = [];
    const all = Object.entries(record).map(([name, recorder]): [string, SpikeCollector | TraceCollector] => {
      if (recorder.kind === "spikes") {
        const { parent, start } = parentOf(recorder.cells);
        const population = this.#built.populations.get(
          this.#nameOfPart(parent, `record.${name}`),
        ) as BuiltPopulation;
        const collector = new SpikeCollector(start, recorder.cells.size);
        spikes.push({ collector, population });
        return [name, collector];
      }
      const { of } = recorder;
      const { parent, start } = of.kind === "projection" ? { parent: of, start: 0 } : parentOf(of);
      const part = this.#nameOfPart(parent, `record.${name}`);
      const { size, order, read } = this.#state.stored(part, recorder.variable);
      const collector = new TraceCollector(
        read,
        recordedIndices(recorder, name, { size: of.kind === "projection" ? size : of.size, start, order }),
        sampleInterval(recorder, name, this.dt),
      );
      traces.push({ collector });
      return [name, collector];
    });
    return { spikes, traces, all };
  }

  /** Weights on devices are read at the start of a run. */
  #readDevices(): void {
    for (const { storage, name } of this.#built.projections.values())
      if (storage) this.#exports[`readWeights ${name}`](this.#tick);
  }

  #refractory(): void {
    for (const population of this.#built.populations.values())
      if (population.refractory && population.memory?.refractoryTicks !== undefined)
        refractoryTicks(population, this.dt, (variable) =>
          this.#state.get(population.name, variable),
        ).forEach((ticks, k) => {
          this.#words(population.memory?.refractoryTicks as number, population.size)[k] = ticks;
        });
  }

  /** Writes a source's spikes of ticks [done, done + count) of the run into its ring. */
  #feed(name: string, spikes: TickedSpikes, done: number, count: number): void {
    const { ring } = this.#built.populations.get(name) as BuiltPopulation;
    const { slots } = this.#built;
    const words = this.#all;
    let at = this.#writers.get(name) ?? ring.list;
    for (let k = 0; k < count; k++) {
      const from = spikes.from[done + k];
      const to = spikes.from[done + k + 1];
      if (at + 4 * (to - from) > ring.list + ring.listBytes) at = ring.list;
      const slot = (this.#tick + k) & (slots - 1);
      words[(ring.start >> 2) + slot] = at;
      words[(ring.count >> 2) + slot] = to - from;
      for (let m = from; m < to; m++, at += 4) words[at >> 2] = spikes.cells[m];
    }
    this.#writers.set(name, at);
  }

  #drain(collector: SpikeCollector, { ring }: BuiltPopulation, count: number, first: number): void {
    const { slots } = this.#built;
    const words = this.#all;
    for (let k = 0; k < count; k++) {
      const slot = (this.#tick + k) & (slots - 1);
      for (let thread = 0; thread < ring.threads; thread++) {
        const n = words[(ring.count >> 2) + thread * slots + slot];
        if (n > 0)
          collector.take(
            words,
            words[(ring.start >> 2) + thread * slots + slot] >> 2,
            n,
            this.#tick + k - first,
          );
      }
    }
  }
}
