/**
 * Machine code of a projection's handlers: what an event does to synapses and to the cells they join.
 *
 * An event comes from one cell. Seen from a presynaptic cell (or a clock) its synapses are a row, contiguous in
 * memory; seen from a postsynaptic cell they are a column. Statements about the cell itself are computed once an event,
 * the others once a synapse: one after the other, or as many side by side as a vector holds, where neighbours in a row
 * do not meet. Both ways give the same bits. Knows nothing of queues.
 */
import type { Expression } from "../language/expression.ts";
import {
  block,
  br_if,
  type Code,
  call,
  FunctionBuilder,
  f32x4,
  f64x2,
  get,
  i32,
  iff,
  loop,
  set,
  tee,
} from "../wasm/assembler.ts";
import { Emitter, laneCount, Prologue } from "../wasm/emit.ts";
import { Graph, type Node } from "../wasm/graph.ts";
import { laneToF64, splatF64 } from "../wasm/lane.ts";
import { Lowering } from "../wasm/lower.ts";
import { Access, type ProjectionContext, type ProjectionMemory, parameters } from "./access.ts";
import { DeferredRows } from "./deferred.ts";
import type { Assignment } from "./program.ts";
import { type Handler, inputName, lowerHandler, type Outcome, reachable, type Side } from "./statements.ts";
import { column, denseRow, sparseRow, type Walk } from "./walk.ts";

export type { ProjectionContext, ProjectionMemory } from "./access.ts";
export type { Side } from "./statements.ts";

export interface EventOptions {
  readonly context: ProjectionContext;
  readonly statements: readonly Assignment[];
  readonly side: Side;
  /** Cell of the connected population = cell of the list + shift; others are passed over. */
  readonly shift: number;
  readonly exportName?: string;
  /**
   * Deferred post events: "apply" them to every synapse met before the statements (default), "only" apply them, or
   * "leave" them where the projection is frozen.
   */
  readonly waiting?: "apply" | "only" | "leave";
}

/** Nodes that are few enough to repeat their code four times in a loop. */
const shortCode = 8;

/**
 * event(list, count, class, tick, thread, lo, hi): runs a handler for the cells in a list (u32), or for
 * cells 0..count-1 where list is 0. Rows: the synapses of delay class `class` onto this thread's cells. Columns:
 * cells outside [lo, hi) belong to another thread.
 */
export function emitEvent(options: EventOptions): FunctionBuilder {
  const { context, statements, side, shift, exportName } = options;
  const { precision, memory, deferred } = context;
  const fn = new FunctionBuilder({
    parameters: Object.values(parameters).map(() => "i32" as const),
    exportName,
  });
  const prologue = new Prologue(fn);
  const graph = new Graph(precision);
  const rows =
    deferred && side === "row"
      ? new DeferredRows(fn, prologue, precision, deferred.memory, deferred.slow)
      : undefined;
  const waiting = rows && (options.waiting ?? "apply");
  const handler = lowerHandler(graph, context, statements, side, waiting);
  // what is left to do at neighbours for which no post event waits
  const plain =
    waiting === "only"
      ? { ...handler, synapse: [] }
      : waiting === "apply"
        ? lowerHandler(graph, context, statements, side, "leave")
        : handler;
  const short = context.write === undefined && sizeOf(handler) <= shortCode;
  const together = side === "row" && canGoTogether(handler, context);
  // to gather targets costs as much as there is to do with them where that is little
  const gathered = together && !memory.dense && memory.distinct && !rows && !short;
  const access = new Access(fn, prologue, context, {
    side,
    spread: together,
    gathered,
    norms: handler.norms.length,
    rows,
  });
  const outer = new Emitter({
    fn,
    prologue,
    precision,
    calls: context.calls,
    activeLanes: 1,
    input: (node) => access.input(node, 1),
  });
  const once = outer.define([
    ...handler.cell.map(({ node }) => node),
    ...ofTheCell([...handler.synapse, ...plain.synapse], context, access),
  ]);

  const isWeight = ({ target }: Outcome): boolean => target.target === context.program.weight;
  /** What a handler does at the synapse at hand and its neighbours, `lanes` in all. */
  const work = ({ synapse }: Handler, lanes: number): Code => {
    const emitter = outer.fork({ activeLanes: lanes, input: (node) => access.input(node, lanes) });
    const defined = emitter.define(synapse.map(({ node }) => node));
    // weights on devices last: their other values are then in place
    const ordered = [...synapse.filter((o) => !isWeight(o)), ...synapse.filter(isWeight)];
    return [defined, ordered.map((outcome) => access.store(outcome, emitter, lanes))];
  };
  const one = (): Code => [
    rows && waiting !== "leave" ? rows.startSynapse(get(access.other), get(access.k), access.traces) : [],
    work(handler, 1),
  ];
  const walk: Walk = { fn, access, memory };
  const synapses = (): Code => {
    if (handler.synapse.length === 0) return [];
    if (side === "column") return column(walk, one);
    const lanes = laneCount(precision);
    const unroll = short ? 4 : 1;
    const many = (): Code => work(plain, lanes);
    if (!together || !memory.dense)
      return sparseRow(walk, one, { unroll, many: gathered ? many : undefined });
    return denseRow(walk, one, {
      many,
      lanes,
      unroll,
      alone: waiting === "leave" ? undefined : rows?.anyDue(get(access.other)),
    });
  };

  const rowWord = i32.add(
    i32.shl(get(access.cell), i32.const(2)),
    i32.mul(get(parameters.thread), i32.const(deferred?.memory.stride ?? 0)),
  );
  const perCell: Code = [
    set(access.cellByte, access.scale(get(access.cell))),
    rows ? rows.startRow(rowWord) : [],
    once,
    synapses(),
    context.fire !== undefined && handler.synapse.some(isWeight)
      ? call(context.fire, get(parameters.tick))
      : [],
    handler.cell.map((outcome) => access.store(outcome, outer, 1)),
    rows ? rows.endRow(rowWord, get(parameters.tick), waiting !== "only") : [],
  ];
  const n = fn.local("i32");
  const listed = i32.load(i32.add(get(parameters.list), i32.shl(get(n), i32.const(2))), 0);
  const body: Code = block(
    br_if(0, i32.eqz(get(parameters.count))),
    handler.norms.map((argument, k) =>
      normOf(argument, access.norms[k], { fn, prologue, graph, access, context }),
    ),
    loop(
      set(access.cell, get(n)),
      iff(get(parameters.list), set(access.cell, listed)),
      set(access.cell, i32.add(get(access.cell), i32.const(shift))),
      iff(isConnected(access.cell, side, memory), perCell),
      br_if(0, i32.lt_u(tee(n, i32.add(get(n), i32.const(1))), get(parameters.count))),
    ),
  );
  // the prologue is complete only when the body has been emitted
  fn.body = [access.begin(), prologue.code, body];
  return fn;
}

/**
 * Whether neighbours in a row may be done side by side: each changes only itself and the cell it ends at, and no device is
 * read or written.
 */
function canGoTogether(handler: Handler, { program, read, write }: ProjectionContext): boolean {
  const { weight } = program;
  return handler.synapse.every(({ target: { target, scope }, node }) => {
    if (scope === "precell" || (target === weight && write !== undefined)) return false;
    return read === undefined || ![...reachable([node])].some(({ name }) => name === `synapse ${weight}`);
  });
}

/** Inputs of what is done at synapses that are the same for all synapses of the event. */
function ofTheCell(outcomes: Handler["synapse"], { program }: ProjectionContext, access: Access): Node[] {
  const changed = new Set(outcomes.map(({ target }) => inputName(target.target, program)));
  return [...reachable(outcomes.map(({ node }) => node))].filter(
    (node) => node.op === "input" && access.isOfCell(node, changed),
  );
}

const sizeOf = ({ synapse }: Handler): number => reachable(synapse.map(({ node }) => node)).size;

/** Whether the cell is one that the projection connects; in a column also whether it is this thread's. */
function isConnected(cell: number, side: Side, memory: ProjectionMemory): Code {
  const { preStart, preStop, postStart, postStop } = memory;
  const within = (first: Code, size: Code): Code => i32.lt_u(i32.sub(get(cell), first), size);
  if (side === "row") return within(i32.const(preStart), i32.const(preStop - preStart));
  const { lo, hi } = parameters;
  return i32.and(
    within(i32.const(postStart), i32.const(postStop - postStart)),
    within(get(lo), i32.sub(get(hi), get(lo))),
  );
}

/** Leaves the norm of `argument` over the presynaptic cells in a local: summed in order of the cells. */
function normOf(
  argument: Expression,
  local: number,
  o: {
    readonly fn: FunctionBuilder;
    readonly prologue: Prologue;
    readonly graph: Graph;
    readonly access: Access;
    readonly context: ProjectionContext;
  },
): Code {
  const { fn, prologue, graph, access, context } = o;
  const { precision, memory, program } = context;
  const { other, bytes } = access;
  const emitter = new Emitter({
    fn,
    prologue,
    precision,
    input: (node) => access.inputAt(node, { pre: get(other), post: i32.const(0) }, 1),
    calls: context.calls,
    activeLanes: 1,
  });
  const ops = precision === "float64" ? f64x2 : f32x4;
  const value = new Lowering(graph, {
    name: (name) => graph.input(inputName(name, program)),
  }).lowerReal(argument);
  return [
    set(local, prologue.real(0, precision)),
    set(other, i32.const(memory.preStart * bytes)),
    loop(
      emitter.define([value]),
      set(local, ops.add(get(local), ops.mul(emitter.value(value), emitter.value(value)))),
      br_if(
        0,
        i32.lt_u(tee(other, i32.add(get(other), i32.const(bytes))), i32.const(memory.preStop * bytes)),
      ),
    ),
    set(local, splatF64(precision, laneToF64(precision, ops.sqrt(get(local))))),
  ];
}
