/**
 * Lays out and emits one projection: its synapses, traces, handlers and devices.
 */
import type { Expression } from "../language/expression.ts";
import { ConfigError } from "../math/errors.ts";
import type { Builder } from "./builder.ts";
import type { BuiltPopulation, BuiltProjection } from "./built.ts";
import type { Rows } from "./connect.ts";
import { type DeferredMemory, decayTableLength, emitRecord, emitSlow, historyLength } from "./deferred.ts";
import { initialValues, nearestTicks } from "./initial.ts";
import { offsets, padded } from "./layout.ts";
import { type Cells, eventSide, type Projection, parentOf } from "./network.ts";
import { columns, pathway } from "./pathway.ts";
import { type ElementMemory, emitUpdate } from "./population.ts";
import { type Assignment, type ElementProgram, isStored, type ProjectionProgram } from "./program.ts";
import {
  type EventOptions,
  emitEvent,
  type ProjectionContext,
  type ProjectionMemory,
  type Side,
} from "./projection.ts";
import { type BuiltStorage, buildStorage } from "./storage.ts";

/** Which side of a projection the cells of a named event stand for. */
function sideOf(name: string, event: string, from: Cells, part: Projection): Side {
  const side = eventSide(part, from);
  if (side) return side === "post" ? "column" : "row";
  throw new ConfigError(
    `${name}: the event "${event}" comes from ${from.size} cells; it needs one for each of the ${part.post.size} postsynaptic or the ${part.pre.size} presynaptic cells`,
  );
}

export function wire(
  builder: Builder,
  name: string,
  part: Projection,
  rows: Rows,
  delays: number | Uint32Array,
): BuiltProjection {
  const { layout, options, connections } = builder;
  const program = builder.programs.get(name) as ProjectionProgram;
  const pre = builder.populationOf(part.pre, name);
  const post = builder.populationOf(part.post, name);
  const preStart = parentOf(part.pre).start;
  const postStart = parentOf(part.post).start;
  const path = pathway(rows, { preCells: pre.size, preStart, postStart, delays, bounds: post.bounds });
  if (path.delays.length > 1 && program.pre.variables.length > 0)
    throw new ConfigError(
      `${name}: ${program.pre.variables[0]} is kept once per presynaptic cell (pre), so all synapses of the projection must have the same delay; declare it per synapse`,
    );
  const counted = program.handlers.get("pre")?.find(({ scope }) => scope === "shared")?.target;
  if (path.delays.length > 1 && counted !== undefined)
    throw new ConfigError(
      `${name}: the pre handler assigns ${counted}, which all synapses share, once for each spike that arrives, so all synapses of the projection must have the same delay`,
    );
  const dense = rows.dense && path.delays.length === 1;
  const columnEvents = Object.entries(part.events).some(
    ([event, from]) => from.kind !== "clock" && sideOf(name, event, from, part) === "column",
  );
  // a row is walked delay by delay, but it remembers one tick up to which post events have been applied
  const defers = program.deferPost && path.delays.length === 1;
  const wantsColumns = !dense && !defers && (columnEvents || program.handlers.has("post"));
  const { targets, ...segments } = path;
  connections.set(name, { targets, columns: wantsColumns ? columns(path, post.size) : undefined });
  const memory = layOut(builder, name, part, program, {
    pre,
    post,
    path,
    dense,
    columns: wantsColumns,
  });
  const deferred = defers ? layOutDeferred(builder, name, program, pre.size, post.size) : undefined;
  const context: ProjectionContext = {
    ...builder.context(name),
    program,
    memory,
    guarded: new Set([...guardedVariables(pre, "pre"), ...guardedVariables(post, "post")]),
  };
  const sizes = { synapse: path.size, pre: part.pre.size, post: part.post.size };
  const initial = initialValues(name, part.model, part.initial, sizes, options.dt);
  for (const [variable, value] of initial.expressions)
    initialiseSynapses(builder, context, variable, value, { pre: pre.size, post: post.size });
  let storage: BuiltStorage | undefined;
  if (part.weight) {
    storage = buildStorage(builder, name, part.weight, {
      synapses: path.size,
      weight: memory.synapse[program.weight as string],
      context: builder.context(name, "devices"),
    });
  }
  const frozenFlag = layout.take(4, `${name} bookkeeping`);
  const stored = {
    ...context,
    write: storage?.write,
    fire: storage?.fire,
    read: part.weight?.read === "event" ? storage?.read : undefined,
  };
  addTraces(builder, name, program, memory, {
    pre: pre.size,
    synapses: padded(path.size),
    bounds: post.boundsOffset,
  });
  const waiting = deferred && {
    memory: deferred,
    slow: builder.module.add(emitSlow(program, deferred, memory, options.precision)),
  };
  addEvents(
    builder,
    name,
    part,
    { ...stored, deferred: waiting },
    { pre, post, delays: path.delays, frozenFlag },
  );
  return {
    name,
    part,
    program,
    memory,
    path: segments,
    order: composed(rows.order, path.order),
    pre,
    post,
    frozenFlag,
    initial,
    storage,
    deferred,
  };
}

/** Variables of connected cells that synapses cannot write while the cell is refractory, as a handler names them. */
const guardedVariables = ({ program }: BuiltPopulation, side: "pre" | "post"): string[] =>
  program?.refractory ? [...program.cells.frozenWhileRefractory].map((name) => `${name}_${side}`) : [];

function layOutDeferred(
  { layout, bytes, threads, options }: Builder,
  name: string,
  program: ProjectionProgram,
  preCells: number,
  postCells: number,
): DeferredMemory {
  const label = `${name} traces`;
  const stride = 2 * 4 * padded(preCells);
  const last = layout.take(stride * threads, label);
  const tableLength = decayTableLength(program.lazyTraces.values(), options.dt);
  return {
    last,
    applied: last + stride / 2,
    stride,
    recent: layout.take(16 * padded(postCells), label),
    newest: layout.take(4 * padded(postCells), label),
    history: layout.take(4 * historyLength * padded(postCells), label),
    count: layout.take(4 * padded(postCells), label),
    flushed: layout.take(4 * padded(postCells), label),
    tables: offsets([...program.lazyTraces.keys()], () => layout.take(bytes * tableLength, label)),
    tableLength,
  };
}

function layOut(
  builder: Builder,
  name: string,
  part: Projection,
  program: ProjectionProgram,
  o: {
    pre: BuiltPopulation;
    post: BuiltPopulation;
    path: ReturnType<typeof pathway>;
    dense: boolean;
    columns: boolean;
  },
): ProjectionMemory {
  const { layout, bytes, threads } = builder;
  const { path, pre, post } = o;
  const places = padded(path.size);
  const preBytes = padded(pre.size) * bytes;
  const preStride = program.pre.variables.length * preBytes;
  const preBase = layout.take(preStride * threads, `${name} traces`);
  const preStart = parentOf(part.pre).start;
  const postStart = parentOf(part.post).start;
  const synapses = `${name} synapses`;
  return {
    synapse: offsets(program.synapse.variables, () => layout.take(places * bytes, synapses)),
    pre: Object.fromEntries(program.pre.variables.map((v, k) => [v, preBase + k * preBytes])),
    preStride,
    post: offsets(program.post.variables, () => layout.take(padded(post.size) * bytes, `${name} traces`)),
    shared: offsets(program.shared, () => layout.take(16, `${name} traces`)),
    source: pre.memory?.variables ?? {},
    target: post.memory?.variables ?? {},
    sourceUntil: pre.memory?.until,
    targetUntil: post.memory?.until,
    targets: layout.take(4 * path.size, synapses),
    starts: layout.take(4 * path.starts.length, `${name} rows`),
    startsStride: 4 * path.segments,
    classes: path.delays.length,
    column: o.columns
      ? {
          starts: layout.take(4 * (post.size + 1), synapses),
          synapse: layout.take(4 * path.size, synapses),
          pre: layout.take(4 * path.size, synapses),
        }
      : undefined,
    dense: o.dense,
    distinct: path.distinct,
    preStart,
    preStop: preStart + part.pre.size,
    postStart,
    postStop: postStart + part.post.size,
  };
}

function initialiseSynapses(
  builder: Builder,
  context: ProjectionContext,
  variable: string,
  value: Expression,
  cells: { readonly pre: number; readonly post: number },
): void {
  const scope = context.program.model.variables.find((v) => v.name === variable)?.scope ?? "synapse";
  const side: Side = scope === "post" ? "column" : "row";
  const once = scope === "shared";
  const statements: Assignment[] = [{ target: variable, value, scope }];
  const exportName = `initialise ${builder.initialisers.length}`;
  const shift = once ? context.memory.preStart : 0;
  builder.module.add(emitEvent({ context, statements, side, shift, exportName }));
  builder.initialisers.push({
    kind: "synapses",
    exportName,
    cells: once ? 1 : side === "row" ? cells.pre : cells.post,
    classes: side === "row" && scope === "synapse" ? context.memory.classes : 1,
  });
}

function addTraces(
  builder: Builder,
  name: string,
  program: ProjectionProgram,
  memory: ProjectionMemory,
  sizes: { readonly pre: number; readonly synapses: number; readonly bounds: number },
): void {
  const { preStart, postStart, source, target } = memory;
  const step = (
    elements: ElementProgram,
    own: Pick<ElementMemory, "size" | "variables" | "connected" | "first">,
  ) =>
    builder.module.add(
      emitUpdate({
        elements,
        memory: { ...own, shared: memory.shared },
        context: builder.context(name),
        shared: program.shared,
        refractory: false,
      }),
    );
  const named = (cells: Readonly<Record<string, number>>, side: "pre" | "post") =>
    Object.fromEntries(Object.entries(cells).map(([variable, offset]) => [`${variable}_${side}`, offset]));
  if (program.pre.next.size > 0 && !program.deferPost)
    builder.traces.push({
      update: step(program.pre, {
        size: sizes.pre,
        variables: memory.pre,
        connected: named(source, "pre"),
        first: preStart,
      }),
      range: { kind: "all", size: padded(sizes.pre) },
      stride: memory.preStride,
    });
  if (program.post.next.size > 0)
    builder.traces.push({
      update: step(program.post, {
        size: memory.postStop,
        variables: memory.post,
        connected: named(target, "post"),
        first: postStart,
      }),
      range: { kind: "bounds", bounds: sizes.bounds },
      stride: 0,
    });
  if (program.synapse.next.size > 0)
    builder.traces.push({
      update: step(program.synapse, { size: sizes.synapses, variables: memory.synapse }),
      range: { kind: "all", size: sizes.synapses },
      stride: 0,
    });
}

function addEvents(
  builder: Builder,
  name: string,
  part: Projection,
  context: ProjectionContext,
  o: {
    readonly pre: BuiltPopulation;
    readonly post: BuiltPopulation;
    readonly delays: readonly number[];
    readonly frozenFlag: number;
  },
): void {
  const { module, events, options } = builder;
  const bounds = o.post.boundsOffset;
  const add = (
    statements: readonly Assignment[],
    side: Side,
    shift = 0,
    waiting?: EventOptions["waiting"],
  ): number => module.add(emitEvent({ context, statements, side, shift, waiting }));
  const { deferred, program } = context;
  for (const [handler, statements] of program.handlers) {
    if (handler === "pre") {
      const still = statements.filter((s) => !isStored(program, s));
      events.pre.push({
        event: add(statements, "row"),
        frozen: still.length === statements.length && !deferred ? undefined : add(still, "row", 0, "leave"),
        runsFrozen: true,
        frozenFlag: o.frozenFlag,
        bounds,
        from: { kind: "ring", ring: o.pre.ring, delays: o.delays, ownOnly: false },
      });
      continue;
    }
    const common = { frozenFlag: o.frozenFlag, bounds, runsFrozen: false };
    if (handler === "post") {
      const from = {
        kind: "ring" as const,
        ring: o.post.ring,
        delays: [0],
        ownOnly: o.post.ring.threads > 1,
      };
      if (!deferred) {
        events.post.push({ ...common, event: add(statements, "column"), from });
        continue;
      }
      const walk = add([], "row", 0, "only");
      const record = emitRecord(module, name, deferred.memory, { walk, preCells: o.pre.size });
      events.post.push({ ...common, event: record, from });
      const ofPost = statements.filter((s) => s.scope === "post");
      if (ofPost.length > 0) events.post.push({ ...common, event: add(ofPost, "column"), from });
      continue;
    }
    const from = part.events[handler];
    if (from.kind === "clock") {
      const clock = (time: number, what: string): number => {
        const ticks = nearestTicks(time, options.dt);
        if (ticks < 1 || Math.abs(ticks * options.dt - time) > 1e-6 * options.dt)
          throw new ConfigError(
            `${name}: the ${what} of ${handler}, ${time} s, is not a whole number of ticks of ${options.dt} s from one on`,
          );
        return ticks;
      };
      const timing = {
        kind: "clock" as const,
        period: clock(from.period, "period"),
        offset: clock(from.offset, "offset"),
      };
      const { preStart, classes } = context.memory;
      for (const phase of phases(statements)) {
        const { scope } = phase[0];
        if (scope === "shared")
          events.clocks.push({
            ...common,
            event: add(phase, "row", preStart),
            from: { ...timing, count: 1, classes: 1 },
          });
        else if (scope === "post")
          events.clocks.push({
            ...common,
            event: add(phase, "column"),
            from: { ...timing, count: o.post.size, classes: 1 },
          });
        else
          events.clocks.push({
            ...common,
            event: add(phase, "row"),
            from: { ...timing, count: o.pre.size, classes },
          });
      }
      continue;
    }
    const side = sideOf(name, handler, from, part);
    const { start } = parentOf(from);
    const shift = (side === "column" ? context.memory.postStart : context.memory.preStart) - start;
    events.post.push({
      ...common,
      event: add(statements, side, shift),
      from: {
        kind: "ring",
        ring: builder.populationOf(from, name).ring,
        delays: side === "row" ? o.delays.map(() => 0) : [0],
        ownOnly: false,
      },
    });
  }
}

/**
 * Statements of a clock, which has no cell of its own: those about all run once, those about postsynaptic cells for
 * each of them, others for each presynaptic cell and its synapses. Neighbours of one kind run together.
 */
function phases(statements: readonly Assignment[]): Assignment[][] {
  const kind = ({ scope }: Assignment) => (scope === "shared" || scope === "post" ? scope : "others");
  const found: Assignment[][] = [];
  for (const statement of statements) {
    const last = found.at(-1);
    if (last && kind(last[0]) === kind(statement)) last.push(statement);
    else found.push([statement]);
  }
  return found;
}

/** first[second[k]], either being the identity when absent. */
function composed(first: Uint32Array | undefined, second: Uint32Array | undefined): Uint32Array | undefined {
  if (!first) return second;
  if (!second) return first;
  return second.map((k) => first[k]);
}
