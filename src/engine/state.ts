/**
 * The stored variables of a compiled network: where they lie, and in which order they are told.
 *
 * Synapses lie in memory by presynaptic cell, delay and target; outside they come in the order of the pairs
 * that were given, or of the rows of another pattern. Values of presynaptic and postsynaptic cells of a
 * projection are those of the connected slices. Knows nothing of runs.
 */
import type { Scope } from "../language/checked.ts";
import { ConfigError, NumericError } from "../math/errors.ts";
import { nearest } from "../math/nearest.ts";
import { realBytes } from "../wasm/emit.ts";
import type { Built, BuiltProjection } from "./built.ts";
import { noVariable } from "./record.ts";
import { watchBytes } from "./watch.ts";

type Reals = Float32Array | Float64Array;
type Exports = Readonly<Record<string, (...args: number[]) => number>>;

/** A variable of a part. */
interface Stored {
  readonly size: number;
  /** Element k is told as element `order[k]` (absent: the same). */
  readonly order?: Uint32Array;
  /** The values now, in memory order: a view, or a copy of what is kept in closed form. */
  read(): Reals;
  /** Gives every element a value, in memory order. */
  write(values: ArrayLike<number>): void;
}

export class State {
  /** Ticks computed so far. */
  tick = 0;
  readonly #built: Built;
  readonly #memory: WebAssembly.Memory;
  readonly #exports: Exports;
  readonly #words: Uint32Array; // the whole memory
  readonly #start: readonly { readonly offset: number; readonly bytes: Uint8Array }[];

  /** Of a filled memory, which becomes the state that `restart` goes back to. */
  constructor(built: Built, memory: WebAssembly.Memory, exports: Exports) {
    this.#built = built;
    this.#memory = memory;
    this.#exports = exports;
    this.#words = new Uint32Array(memory.buffer);
    this.#start = this.#regions().map(({ offset, length }) => ({
      offset,
      bytes: new Uint8Array(memory.buffer, offset, length).slice(),
    }));
  }

  words(offset: number, length: number): Uint32Array {
    return this.#words.subarray(offset >> 2, (offset >> 2) + length);
  }

  reals(offset: number, length: number): Reals {
    const { buffer } = this.#memory;
    return this.#built.precision === "float64"
      ? new Float64Array(buffer, offset, length)
      : new Float32Array(buffer, offset, length);
  }

  /** Values of a variable: a copy. Throws `ConfigError` where there is no such part or variable. */
  get(part: string, variable: string): Float64Array {
    const { size, order, read } = this.stored(part, variable);
    const values = read();
    if (!order) return Float64Array.from(values);
    const told = new Float64Array(size);
    for (let k = 0; k < size; k++) told[order[k]] = values[k];
    return told;
  }

  /** Overwrites a variable. */
  set(part: string, variable: string, values: number | ArrayLike<number>): void {
    const { size, order, write } = this.stored(part, variable);
    if (typeof values === "number") write(new Float64Array(size).fill(values));
    else {
      if (values.length !== size)
        throw new ConfigError(`${part}.${variable} has ${size} elements, not ${values.length}`);
      write(order ? Float64Array.from(order, (k) => values[k]) : values);
    }
  }

  stored(part: string, variable: string): Stored {
    const population = this.#built.populations.get(part);
    if (!population) return this.#storedOf(this.projection(part), variable);
    const { memory, size } = population;
    const offset = memory?.variables[variable];
    if (offset !== undefined) return this.#plain(offset, size);
    const shared = memory?.shared[variable];
    if (shared !== undefined) return this.#plain(shared, 1);
    throw noVariable(part, variable, Object.keys({ ...memory?.variables, ...memory?.shared }));
  }

  projection(name: string): BuiltProjection {
    const { projections, populations } = this.#built;
    const built = projections.get(name);
    if (built) return built;
    if (populations.has(name)) throw new ConfigError(`${name} is not a projection`);
    const guess = nearest(name, [...projections.keys(), ...populations.keys()]);
    throw new ConfigError(`the network has no part ${name}${guess ? `; did you mean ${guess}?` : ""}`);
  }

  #plain(offset: number, size: number): Stored {
    const values = () => this.reals(offset, size);
    return { size, read: values, write: (given) => values().set(given as Float64Array) };
  }

  #storedOf(built: BuiltProjection, variable: string): Stored {
    const { memory, path, order, name } = built;
    const offset = memory.synapse[variable];
    if (offset !== undefined) {
      const { size, read, write } = this.#plain(offset, path.size);
      const settled = () => {
        this.flush(built);
        return read();
      };
      return {
        size,
        order,
        read: settled,
        write: (values) => {
          this.flush(built);
          write(values);
        },
      };
    }
    const kept = this.#keptByCell(built, variable);
    if (kept)
      return this.#declared(built, variable) === "synapse" ? this.#spread(built, variable, kept) : kept;
    if (variable in memory.shared) return this.#plain(memory.shared[variable], 1);
    throw noVariable(
      name,
      variable,
      [memory.synapse, memory.pre, memory.post, memory.shared].flatMap((o) => Object.keys(o)),
    );
  }

  #declared({ part }: BuiltProjection, variable: string): Scope | undefined {
    return part.model.checked.variables.find((v) => v.name === variable)?.scope;
  }

  #keptByCell(built: BuiltProjection, variable: string): Stored | undefined {
    const { memory } = built;
    const bytes = realBytes(this.#built.precision);
    if (variable in memory.pre) return this.#trace(built, variable);
    if (variable in memory.post)
      return this.#plain(
        memory.post[variable] + memory.postStart * bytes,
        memory.postStop - memory.postStart,
      );
    return undefined;
  }

  /** A variable of each synapse that is kept once for all synapses of a cell (hoist.ts), told synapse by synapse. */
  #spread({ name, memory, path }: BuiltProjection, variable: string, kept: Stored): Stored {
    const side = variable in memory.pre ? "pre" : "post";
    return {
      size: path.size,
      read: () => {
        const values = kept.read();
        const cells = this.synapseCells(name)[side];
        return Float64Array.from(cells, (cell) => values[cell]);
      },
      write: (given) => {
        const values = Float64Array.from(kept.read());
        const cells = this.synapseCells(name)[side];
        cells.forEach((cell, k) => {
          values[cell] = given[k];
        });
        cells.forEach((cell, k) => {
          if (values[cell] !== given[k])
            throw new ConfigError(
              `${name}.${variable} is one value for all synapses of a ${side}synaptic cell, kept once; synapse ${k} of cell ${cell} cannot differ`,
            );
        });
        kept.write(values);
      },
    };
  }

  /** A value of each presynaptic cell; every thread has its copy. */
  #trace(built: BuiltProjection, variable: string): Stored {
    const { memory, deferred } = built;
    const bytes = realBytes(this.#built.precision);
    const size = memory.preStop - memory.preStart;
    const copy = (thread: number, name = variable) =>
      this.reals(memory.pre[name] + thread * memory.preStride + memory.preStart * bytes, size);
    const all = (values: ArrayLike<number>, name = variable) => {
      for (let thread = 0; thread < this.#built.threads; thread++)
        copy(thread, name).set(values as Float64Array);
    };
    if (!deferred) return { size, read: () => copy(0), write: (values) => all(values) };
    // kept as its value at the row's last event
    const now = (name: string): Reals => {
      const values = copy(0, name).slice();
      const table = this.reals(deferred.tables[name], deferred.tableLength);
      const last = this.words(deferred.last + 4 * memory.preStart, size);
      for (let i = 0; i < size; i++)
        values[i] *= table[Math.min(this.tick - 1 - (last[i] | 0), deferred.tableLength - 1)];
      return values;
    };
    return {
      size,
      read: () => now(variable),
      write: (values) => {
        this.flush(built);
        const traces = Object.keys(memory.pre).map((name) => [name, now(name)] as const);
        for (const [name, trace] of traces) all(trace, name);
        all(values);
        this.#beginRows(built);
      },
    };
  }

  /** Rows count from now on: traces are what they are before this tick. */
  #beginRows({ deferred, pre }: BuiltProjection): void {
    if (!deferred) return;
    for (let thread = 0; thread < this.#built.threads; thread++)
      this.words(deferred.last + thread * deferred.stride, pre.size).fill(this.tick - 1);
  }

  /** Makes synapses see the post events that wait. */
  flush({ name, deferred, post }: BuiltProjection): void {
    if (!deferred) return;
    const { bounds } = post;
    for (let thread = 0; thread + 1 < bounds.length; thread++)
      this.#exports[`flush ${name}`](this.tick, thread, bounds[thread], bounds[thread + 1]);
  }

  /** Which cells each synapse joins, in the order of `get`: indices within the connected slices. */
  synapseCells(projection: string): { readonly pre: Uint32Array; readonly post: Uint32Array } {
    const { memory, path, order } = this.projection(projection);
    const bytes = realBytes(this.#built.precision);
    const targets = this.words(memory.targets, path.size);
    const pre = new Uint32Array(path.size);
    const post = new Uint32Array(path.size);
    const { starts, segments } = path;
    const ends = starts.subarray(starts.length - segments);
    for (let s = 0; s < segments; s++) {
      const cell = Math.floor(s / path.delays.length) - memory.preStart;
      for (let k = starts[s]; k < ends[s]; k++) {
        const at = order ? order[k] : k;
        pre[at] = cell;
        post[at] = targets[k] / bytes - memory.postStart;
      }
    }
    return { pre, post };
  }

  /** Cells and traces go back to their initial values and spikes in flight are gone; weights and time stay. */
  restart(): void {
    const { populations, projections } = this.#built;
    for (const built of projections.values()) this.flush(built);
    const memory = new Uint8Array(this.#memory.buffer);
    for (const { offset, bytes } of this.#start) memory.set(bytes, offset);
    // a cell that never fired may fire in the first tick, whenever that is: `until` is 0 and time goes on
    for (const { ring } of populations.values())
      this.words(ring.count, (ring.tableStride * ring.threads) >> 2).fill(0);
    for (const built of projections.values()) this.#beginRows(built);
  }

  /** Memory that `restart` restores. */
  #regions(): { offset: number; length: number }[] {
    const real = realBytes(this.#built.precision);
    const regions: { offset: number; length: number }[] = [];
    for (const { memory, size } of this.#built.populations.values()) {
      if (!memory) continue;
      for (const offset of Object.values(memory.variables)) regions.push({ offset, length: size * real });
      if (memory.until !== undefined) regions.push({ offset: memory.until, length: size * 4 });
    }
    for (const { memory, program, path, post } of this.#built.projections.values()) {
      for (const variable of program.synapse.next.keys())
        regions.push({ offset: memory.synapse[variable], length: path.size * real });
      if (program.pre.variables.length > 0)
        regions.push({
          offset: Math.min(...Object.values(memory.pre)),
          length: memory.preStride * this.#built.threads,
        });
      for (const offset of Object.values(memory.post)) regions.push({ offset, length: post.size * real });
    }
    return regions;
  }

  // ---- numbers -------------------------------------------------------------------------------------

  /** Throws `NumericError` where a cell's variable is not finite; the last look was at tick `since`. */
  checkCells(since: number): void {
    for (const { name, memory, size } of this.#built.populations.values())
      for (const [variable, offset] of Object.entries(memory?.variables ?? {}))
        this.#check(this.reals(offset, size), (k) => `${name}: ${variable} of cell ${k}`, since);
  }

  /** Throws `NumericError` where a synapse or a trace is not finite. Cost O(synapses). */
  checkSynapses(since: number): void {
    for (const { name, memory, path, pre, post, order } of this.#built.projections.values()) {
      const look = (side: "synapse" | "pre" | "post", size: number, element: (k: number) => string) => {
        for (const [variable, offset] of Object.entries(memory[side]))
          this.#check(this.reals(offset, size), (k) => `${name}: ${variable} of ${element(k)}`, since);
      };
      look("synapse", path.size, (k) => {
        const synapse = order ? order[k] : k;
        const cells = this.synapseCells(name);
        return `synapse ${synapse} (cell ${cells.pre[synapse]} to ${cells.post[synapse]})`;
      });
      look("pre", pre.size, (k) => `presynaptic cell ${k - memory.preStart}`);
      look("post", post.size, (k) => `postsynaptic cell ${k - memory.postStart}`);
    }
  }

  #check(values: Reals, place: (k: number) => string, since: number): void {
    const { byteOffset, byteLength, BYTES_PER_ELEMENT } = values;
    const whole = byteLength - (byteLength % watchBytes); // the rest of the array is looked at here
    const fine = this.#exports.watch(byteOffset, byteOffset + whole) === 0;
    for (let k = fine ? whole / BYTES_PER_ELEMENT : 0; k < values.length; k++) {
      if (values[k] - values[k] === 0) continue; // NaN for NaN and the infinities
      const seconds = (tick: number) => `${Number((tick * this.#built.dt).toPrecision(9))} s`;
      throw new NumericError(
        `${place(k)} became ${values[k]} between ${seconds(since)} and ${seconds(this.tick)}; the step may be too long or an argument out of range`,
      );
    }
  }
}
