/**
 * From a network to one WebAssembly module and one memory layout.
 *
 * Connects, lays out, emits. The parts are builder.ts's (populations) and wiring.ts's (projections).
 */
import { randomKey } from "../math/random.ts";
import { Builder } from "./builder.ts";
import type { BuildOptions, Built, BuiltProjection } from "./built.ts";
import { connect } from "./connect.ts";
import { delayTicks } from "./initial.ts";
import { type Network, type Projection, parentOf } from "./network.ts";
import { emitSchedule } from "./schedule.ts";
import { emitWatch } from "./watch.ts";
import { wire } from "./wiring.ts";

/** Builds a network. Throws `ConfigError` or `ModelError` where parts do not fit. */
export function build(network: Network, options: BuildOptions): Built {
  const builder = new Builder(network, options);
  const { dt, seed } = options;
  const connected = builder.projectionParts.map(([name, part]) => {
    const pre = parentOf(part.pre);
    const post = parentOf(part.post);
    const own = pre.parent === post.parent ? pre.start - post.start : false;
    const rows = connect(part.pattern, part.pre.size, part.post.size, randomKey(seed, name, "connect"), own);
    const delays = delayTicks(name, part, rows, dt, randomKey(seed, name, "delay"));
    return { name, part, rows, delays };
  });
  const { longest, shortest } = delayRange(connected);
  const chunk = chunkOf(network);
  const meeting = Math.min(shortest, chunk);
  const slots = 2 ** Math.ceil(Math.log2(longest + 2 * chunk + 2));
  for (const [name, part] of Object.entries(network))
    if (part.kind === "population" || part.kind === "source") builder.addPopulation(name, part, slots);
  const projections = new Map<string, BuiltProjection>();
  for (const { name, part, rows, delays } of connected)
    projections.set(name, wire(builder, name, part, rows, delays));
  const { pre, post, clocks } = builder.events;
  emitSchedule(builder.module, {
    populations: builder.scheduled,
    traces: builder.traces,
    events: [...pre, ...post, ...clocks],
    slots,
    threads: builder.threads,
    meeting,
    mainMayBlock: options.mainMayBlock,
  });
  builder.module.add(emitWatch(options.precision));
  const { layout, threads } = builder;
  const shared = threads > 1;
  return {
    bytes: builder.module.assemble({ pages: layout.pages, maximumPages: layout.pages, shared }),
    layout,
    threads,
    oneThreadBecause: options.threads > 1 ? builder.oneThreadBecause : undefined,
    slots,
    chunk,
    populations: builder.populations,
    projections,
    connections: builder.connections,
    initialisers: builder.initialisers,
    precision: options.precision,
    dt,
  };
}

/**
 * Ticks between two looks of JavaScript at the memory: many for small networks, whose ticks are short; few for large
 * ones, whose spikes of all those ticks must be kept.
 */
function chunkOf(network: Network): number {
  let size = 1;
  for (const part of Object.values(network))
    if (part.kind === "population" || part.kind === "source") size += part.size;
  return Math.max(16, Math.min(256, 2 ** Math.floor(Math.log2(2 ** 23 / size))));
}

/** Longest delay, and the shortest between threads: infinite when nothing crosses them. */
function delayRange(
  connected: readonly { readonly part: Projection; readonly delays: number | Uint32Array }[],
): { longest: number; shortest: number } {
  let longest = 0;
  let shortest = Number.POSITIVE_INFINITY;
  for (const { part, delays } of connected) {
    const all = typeof delays === "number" ? [delays] : delays;
    const crosses = parentOf(part.pre).parent.kind === "population";
    for (const d of all) {
      if (d > longest) longest = d;
      if (crosses && d < shortest) shortest = d;
    }
    for (const from of Object.values(part.events))
      if (from.kind !== "clock" && parentOf(from).parent.kind === "population") shortest = 0;
  }
  return { longest, shortest };
}
