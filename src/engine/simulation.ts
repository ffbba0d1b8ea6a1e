/**
 * A compiled network that runs, and runs again.
 *
 * Holds the memory and drives the machine code a stretch of ticks at a time: hands spikes in, takes recordings
 * out, watches for NaN. State goes on from run to run until `restart`.
 */
import { ConfigError, NumericError } from "../math/errors.ts";
import { nearest } from "../math/nearest.ts";
import { seconds, type Time } from "../math/units.ts";
import { type Built, type BuiltPopulation, type BuiltProjection, chunkTicks } from "./built.ts";
import { fillMemory, refractoryTicks } from "./fill.ts";
import { type TickedSpikes, tickedSpikes } from "./inputs.ts";
import { type Network, type Part, parentOf, type SpikeTimes } from "./network.ts";
import {
  noVariable,
  type Recorded,
  type Recorder,
  recordedIndices,
  SpikeCollector,
  sampleInterval,
  TraceCollector,
} from "./record.ts";
import { cells as fixed } from "./schedule.ts";
import type { Team } from "./workers.ts";

export interface RunOptions<
  R extends Readonly<Record<string, Recorder>> = Readonly<Record<string, Recorder>>,
> {
  readonly duration: Time;
  /** Spikes of spike sources, by the part's name; times count from the start of the run. */
  readonly inputs?: Readonly<Record<string, SpikeTimes>>;
  /** Projections whose synapses stand still: only their `pre` handler runs, and it changes no synapse. */
  readonly frozen?: readonly string[];
  readonly record?: R;
  /** Cells and traces start from their initial values, no spike is in flight; synapses stay as they are. */
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
  readonly #exports: Exports;
  readonly #team: Team | undefined;
  readonly #nameOf = new Map<object, string>();
  readonly #start: readonly { readonly offset: number; readonly bytes: Uint8Array }[];
  readonly #writers = new Map<string, number>(); // where a source's next list goes
  readonly #all: Uint32Array; // the whole memory
  #tick = 0;
  #running = false;

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
    this.#start = this.#stateRegions().map(({ offset, length }) => ({
      offset,
      bytes: new Uint8Array(memory.buffer, offset, length).slice(),
    }));
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
    if (this.#running) throw new ConfigError("the simulation is already running");
    const ticks = this.#wholeTicks(options.duration);
    const inputs = this.#inputs(options.inputs ?? {}, ticks);
    const frozen = this.#frozenProjections(options.frozen ?? []);
    if (options.restart) this.restart();
    for (const built of frozen) this.#flush(built);
    const collectors = this.#collectors((options.record ?? {}) as R);
    const first = this.#tick;
    this.#running = true;
    try {
      for (const { frozenFlag } of frozen) this.#words(frozenFlag, 1)[0] = 1;
      this.#readDevices();
      this.#refractory();
      let done = 0;
      while (done < ticks) {
        let stretch = Math.min(chunkTicks, ticks - done);
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
        this.#tick += stretch;
        done += stretch;
        if (stretch === chunkTicks || done === ticks || done % chunkTicks === 0) {
          this.#checkNumbers(stretch);
          yield done / ticks;
        }
      }
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

  /** Cells and traces go back to their initial values and spikes in flight are gone; synapses and time stay. */
  restart(): void {
    for (const built of this.#built.projections.values()) this.#flush(built);
    const memory = new Uint8Array(this.#memory.buffer);
    for (const { offset, bytes } of this.#start) memory.set(bytes, offset);
    // a cell that never fired may fire in the first tick, whenever that is: `until` is 0 and time goes on
    for (const { ring } of this.#built.populations.values()) {
      const size = (ring.tableStride * ring.threads) >> 2;
      this.#words(ring.count, size).fill(0);
    }
    for (const { deferred, pre } of this.#built.projections.values())
      if (deferred)
        for (let thread = 0; thread < this.threads; thread++)
          this.#words(deferred.last + thread * deferred.stride, pre.size).fill(this.#tick);
  }

  /** Makes synapses see the post events that wait. */
  #flush({ name, deferred, post }: BuiltProjection): void {
    if (!deferred) return;
    const { bounds } = post;
    for (let thread = 0; thread + 1 < bounds.length; thread++)
      this.#exports[`flush ${name}`](this.#tick, thread, bounds[thread], bounds[thread + 1]);
  }

  /** Values of a stored variable, SI: a copy. Synapses come in the order of `pairs` (see `synapseCells`). */
  get(part: keyof N & string, variable: string): Float64Array {
    return Float64Array.from(this.#array(part, variable));
  }

  /** Overwrites a stored variable. On devices this changes the weight as read, not the devices. */
  set(part: keyof N & string, variable: string, values: number | ArrayLike<number>): void {
    const array = this.#array(part, variable);
    if (typeof values === "number") array.fill(values);
    else {
      if (values.length !== array.length)
        throw new ConfigError(`${part}.${variable} has ${array.length} elements, not ${values.length}`);
      array.set(values as ArrayLike<number> & number[]);
    }
  }

  /** Which cells each synapse joins, in the order of `get`: indices within the connected slices. */
  synapseCells(projection: keyof N & string): { readonly pre: Uint32Array; readonly post: Uint32Array } {
    const built = this.#projection(projection);
    const { memory, path } = built;
    const pre = new Uint32Array(path.size);
    const starts = path.starts;
    const ends = starts.subarray(starts.length - path.segments);
    for (let s = 0; s < path.segments; s++)
      pre.fill(Math.floor(s / path.delays.length) - memory.preStart, starts[s], ends[s]);
    const bytes = this.#built.precision === "float64" ? 8 : 4;
    const post = this.#words(memory.targets, path.size).map((b) => b / bytes - memory.postStart);
    return { pre, post };
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
   * Conductance of every device of a projection now, S: [synapse, polarity, device]. `noise: false` leaves read noise out.
   */
  conductances(projection: keyof N & string, options: { readonly noise?: boolean } = {}): Float64Array {
    const { storage } = this.#projection(projection);
    if (!storage) throw new ConfigError(`${projection} does not keep its weights on devices`);
    this.#exports[`readAll ${projection}`](this.#tick, options.noise === false ? 1 : 0);
    return new Float64Array(this.#memory.buffer, storage.reading, storage.count).slice();
  }

  /** Pulses the devices of a projection have received: SET onto G+, SET onto G-, RESET. */
  pulses(projection: keyof N & string): readonly [number, number, number] {
    const { storage } = this.#projection(projection);
    if (!storage) throw new ConfigError(`${projection} does not keep its weights on devices`);
    const [up, down, reset] = this.#words(storage.pulses, 3);
    return [up, down, reset];
  }

  /** All weights of a projection are multiplied by a factor when they are next read, and from then on. */
  scaleWeights(projection: keyof N & string, factor: number): void {
    const { storage } = this.#projection(projection);
    if (!storage) throw new ConfigError(`${projection} does not keep its weights on devices`);
    if (!(factor > 0 && Number.isFinite(factor)))
      throw new ConfigError(`weights are scaled by a positive factor, not ${factor}`);
    new Float64Array(this.#memory.buffer, storage.scale, 1)[0] = factor;
  }

  /** Ends the threads. A simulation on one thread needs no closing. */
  close(): void {
    this.#team?.close();
  }

  // ---- parts ---------------------------------------------------------------------------------------

  #nameOfPart(part: Part, user: string): string {
    const name = this.#nameOf.get(part);
    if (name === undefined) throw new ConfigError(`${user} is not about a part of this network`);
    return name;
  }

  #projection(name: string): BuiltProjection {
    const built = this.#built.projections.get(name);
    if (!built) {
      const guess = nearest(name, [...this.#built.projections.keys()]);
      throw new ConfigError(`there is no projection ${name}${guess ? `; did you mean ${guess}?` : ""}`);
    }
    return built;
  }

  #words(offset: number, length: number): Uint32Array {
    return this.#all.subarray(offset >> 2, (offset >> 2) + length);
  }

  #reals(offset: number, length: number): Float32Array | Float64Array {
    const { buffer } = this.#memory;
    return this.#built.precision === "float64"
      ? new Float64Array(buffer, offset, length)
      : new Float32Array(buffer, offset, length);
  }

  #array(part: string, variable: string): Float32Array | Float64Array {
    const population = this.#built.populations.get(part);
    if (population) {
      const { memory } = population;
      const offset = memory?.variables[variable];
      if (offset !== undefined) return this.#reals(offset, population.size);
      const shared = memory?.shared[variable];
      if (shared !== undefined) return this.#reals(shared, 1);
      throw noVariable(part, variable, Object.keys({ ...memory?.variables, ...memory?.shared }));
    }
    const built = this.#projection(part);
    const { memory, path, pre, post } = built;
    if (variable in memory.synapse) {
      this.#flush(built);
      return this.#reals(memory.synapse[variable], path.size);
    }
    if (built.deferred && variable in memory.pre) return this.#lazyTrace(built, variable);
    if (variable in memory.pre) return this.#reals(memory.pre[variable], pre.size);
    if (variable in memory.post) return this.#reals(memory.post[variable], post.size);
    if (variable in memory.shared) return this.#reals(memory.shared[variable], 1);
    throw noVariable(
      part,
      variable,
      [memory.synapse, memory.pre, memory.post, memory.shared].flatMap((o) => Object.keys(o)),
    );
  }

  /** A trace kept as its value at the last event, as it is now: a copy. */
  #lazyTrace({ memory, deferred, pre }: BuiltProjection, variable: string): Float32Array | Float64Array {
    const { last, tables, tableLength } = deferred as NonNullable<typeof deferred>;
    const values = this.#reals(memory.pre[variable], pre.size).slice();
    const table = this.#reals(tables[variable], tableLength);
    const events = this.#words(last, pre.size);
    for (let i = 0; i < values.length; i++)
      values[i] *= table[Math.min(this.#tick - events[i], tableLength - 1)];
    return values;
  }

  /** Memory that `restart` restores. */
  #stateRegions(): { offset: number; length: number }[] {
    const real = this.#built.precision === "float64" ? 8 : 4;
    const regions: { offset: number; length: number }[] = [];
    for (const { memory, size } of this.#built.populations.values()) {
      if (!memory) continue;
      for (const offset of Object.values(memory.variables)) regions.push({ offset, length: size * real });
      if (memory.until !== undefined) regions.push({ offset: memory.until, length: size * 4 });
    }
    for (const { memory, program, post } of this.#built.projections.values()) {
      if (program.pre.variables.length > 0)
        regions.push({
          offset: Math.min(...Object.values(memory.pre)),
          length: memory.preStride * this.threads,
        });
      for (const offset of Object.values(memory.post)) regions.push({ offset, length: post.size * real });
    }
    return regions;
  }

  // ---- a run ---------------------------------------------------------------------------------------

  #wholeTicks(duration: Time): number {
    const time = seconds(duration);
    const ticks = Math.round(time / this.dt);
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
    return names.map((name) => this.#projection(name));
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
      const size = of.kind === "projection" ? this.#array(part, recorder.variable).length : of.size;
      const collector = new TraceCollector(
        () => this.#array(part, recorder.variable),
        recordedIndices(recorder, name, { size, start }),
        sampleInterval(recorder, name, this.dt),
      );
      this.#array(part, recorder.variable);
      traces.push({ collector });
      return [name, collector];
    });
    return { spikes, traces, all };
  }

  /** Weights on devices are read at the start of a run. */
  #readDevices(): void {
    for (const { storage, name } of this.#built.projections.values())
      if (storage?.storage.read === "run") this.#exports[`readWeights ${name}`](this.#tick);
  }

  #refractory(): void {
    for (const population of this.#built.populations.values())
      if (population.refractory && population.memory?.refractoryTicks !== undefined)
        refractoryTicks(population, this.dt, (variable) => this.#array(population.name, variable)).forEach(
          (ticks, k) => {
            this.#words(population.memory?.refractoryTicks as number, population.size)[k] = ticks;
          },
        );
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
          collector.take(words, words[(ring.start >> 2) + thread * slots + slot] >> 2, n, this.#tick + k - first);
      }
    }
  }

  /** Throws when a cell's variable is not a number any more. */
  #checkNumbers(stretch: number): void {
    for (const { name, memory, size } of this.#built.populations.values()) {
      for (const [variable, offset] of Object.entries(memory?.variables ?? {})) {
        const values = this.#reals(offset, size);
        for (let k = 0; k < size; k++)
          // NaN is the one value that differs from itself
          if (values[k] !== values[k]) {
            const to = this.#tick * this.dt;
            const from = to - stretch * this.dt;
            throw new NumericError(
              `${name}: ${variable} of cell ${k} is not a number at ${format(to)} (it was at ${format(from)}); the step may be too long or an argument out of range`,
            );
          }
      }
    }
  }
}

const format = (time: number): string => `${Number(time.toPrecision(9))} s`;
