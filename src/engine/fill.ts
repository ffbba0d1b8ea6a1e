/**
 * Fills a fresh memory: connections, bookkeeping, initial values.
 */
import { realBytes } from "../wasm/emit.ts";
import { Graph } from "../wasm/graph.ts";
import { interpret } from "../wasm/interpret.ts";
import { Lowering } from "../wasm/lower.ts";
import type { Built, BuiltPopulation, Connections } from "./built.ts";
import { decay, longAgo } from "./deferred.ts";

type Exports = Readonly<Record<string, (...args: number[]) => number>>;

export function fillMemory(built: Built, memory: WebAssembly.Memory, exports: Exports): void {
  const { buffer } = memory;
  const words = (offset: number, length: number) => new Uint32Array(buffer, offset, length);
  const reals = (offset: number, length: number) =>
    built.precision === "float64"
      ? new Float64Array(buffer, offset, length)
      : new Float32Array(buffer, offset, length);
  const bytes = realBytes(built.precision);
  for (const { boundsOffset, bounds, ring } of built.populations.values()) {
    // a source has one list, but threads still share what it projects to by bounds
    words(boundsOffset, built.threads + 1).set(bounds);
    for (let thread = 0; thread < ring.threads; thread++)
      words(ring.writer + 64 * thread, 1)[0] = ring.list + thread * ring.listStride;
  }
  for (const { name, memory: m, path } of built.projections.values()) {
    const { targets, columns } = built.connections.get(name) as Connections;
    const offsets = words(m.targets, path.size);
    for (let k = 0; k < path.size; k++) offsets[k] = targets[k] * bytes;
    words(m.starts, path.starts.length).set(path.starts);
    if (m.column && columns) {
      words(m.column.starts, columns.starts.length).set(columns.starts);
      words(m.column.synapse, path.size).set(columns.synapse);
      words(m.column.pre, path.size).set(columns.pre);
    }
    built.connections.delete(name);
  }
  for (const { memory: m, initial } of built.populations.values())
    for (const [name, values] of initial?.arrays ?? [])
      reals(m?.variables[name] ?? (m?.shared[name] as number), values.length).set(Float64Array.from(values));
  for (const { memory: m, initial, order } of built.projections.values())
    for (const [name, given] of initial.arrays) {
      const values = Float64Array.from(given);
      if (name in m.synapse) {
        const array = reals(m.synapse[name], values.length);
        for (let k = 0; k < values.length; k++) array[k] = values[order ? order[k] : k];
      } else if (name in m.pre)
        for (let thread = 0; thread < built.threads; thread++)
          reals(m.pre[name] + thread * m.preStride + m.preStart * bytes, values.length).set(values);
      else if (name in m.post) reals(m.post[name] + m.postStart * bytes, values.length).set(values);
      else reals(m.shared[name], 1).set(values);
    }
  for (const { deferred, program, pre, post } of built.projections.values()) {
    if (!deferred) continue;
    for (const [trace, tau] of program.lazyTraces) {
      const table = reals(deferred.tables[trace], deferred.tableLength);
      for (let n = 0; n < table.length; n++) table[n] = decay(n, table.length, tau, built.dt);
    }
    new Int32Array(buffer, deferred.recent, 4 * post.size).fill(longAgo);
    new Int32Array(buffer, deferred.newest, post.size).fill(longAgo);
    for (let thread = 0; thread < built.threads; thread++)
      new Int32Array(buffer, deferred.last + thread * deferred.stride, pre.size).fill(-1);
  }
  for (const { storage } of built.projections.values())
    if (storage) new Float64Array(buffer, storage.scale, 1)[0] = 1;
  for (const initialiser of built.initialisers) {
    const run = exports[initialiser.exportName];
    if (initialiser.kind === "elements") run(0, initialiser.places, 0, 0, 0);
    else
      for (let thread = 0; thread < built.threads; thread++)
        for (let c = 0; c < initialiser.classes; c++)
          run(0, initialiser.cells, c, 0, thread, 0, initialiser.cells);
  }
}

/** Refractory ticks of every cell, from its stored variables. */
export function refractoryTicks(
  { refractory, program, size }: BuiltPopulation,
  dt: number,
  values: (variable: string) => ArrayLike<number>,
): Uint32Array {
  const graph = new Graph("float64");
  const node = new Lowering(graph, { name: (name) => graph.input(name) }).lowerReal(
    refractory as NonNullable<typeof refractory>,
  );
  const names = program?.cells.variables ?? [];
  const arrays = names.map(values);
  return Uint32Array.from({ length: size }, (_, k) => {
    const inputs = Object.fromEntries(names.map((name, v) => [name, arrays[v][k]]));
    const time = interpret([node], { ...inputs, i: k }, "float64")[0] as number;
    return Math.max(0, Math.floor(time / dt + 1e-3));
  });
}
