/**
 * Machine code of a projection's handlers: what an event does to synapses and to the cells they join.
 *
 * An event comes from one cell. Seen from a presynaptic cell (or a clock) its synapses are a row, contiguous in
 * memory; seen from a postsynaptic cell they are a column. Statements about the cell itself are
 * computed once an event, the others once a synapse, on lane 0 of the vector instructions. Statements see
 * the values that earlier statements of the handler left. Knows nothing of queues.
 */
import { type Expression, name as nameNode, namesIn } from "../language/expression.ts";
import { ConfigError } from "../math/errors.ts";
import {
  block,
  br_if,
  type Code,
  call,
  FunctionBuilder,
  f32x4,
  f64,
  f64x2,
  get,
  i32,
  i32x4,
  iff,
  loop,
  set,
  tee,
} from "../wasm/assembler.ts";
import { Emitter, Prologue, realBytes } from "../wasm/emit.ts";
import { Graph, type Node } from "../wasm/graph.ts";
import { laneToF64, loadLane, reached, splatF64, storeLane } from "../wasm/lane.ts";
import { Lowering } from "../wasm/lower.ts";
import {
  type DeferredMemory,
  DeferredRows,
  seedDeferred,
  seedTraces,
  synapseStatements,
} from "./deferred.ts";
import { sparseDraw } from "./draws.ts";
import { commonInput, type EmitContext } from "./population.ts";
import type { Assignment, ProjectionProgram } from "./program.ts";

/** Where a projection's arrays lie. Targets are byte offsets of the postsynaptic cell's real. */
export interface ProjectionMemory {
  readonly synapse: Readonly<Record<string, number>>;
  readonly pre: Readonly<Record<string, number>>;
  /** Bytes between the copies of the (pre) arrays that each thread keeps. */
  readonly preStride: number;
  readonly post: Readonly<Record<string, number>>;
  readonly shared: Readonly<Record<string, number>>;
  readonly source: Readonly<Record<string, number>>; // variables of the presynaptic population
  readonly target: Readonly<Record<string, number>>; // of the postsynaptic one
  readonly sourceUntil?: number; // of the presynaptic population's cells
  readonly targetUntil?: number; // of the postsynaptic one's
  readonly targets: number; // u32 [synapse]
  readonly starts: number; // u32 [thread + 1][pre * classes]
  readonly startsStride: number;
  readonly classes: number; // distinct delays
  readonly column?: { readonly starts: number; readonly synapse: number; readonly pre: number };
  readonly dense: boolean; // synapse (i - preStart) * postCount + (j - postStart)
  readonly preStart: number;
  readonly preStop: number;
  readonly postStart: number;
  readonly postStop: number;
}

export interface ProjectionContext extends EmitContext {
  readonly program: ProjectionProgram;
  readonly memory: ProjectionMemory;
  /** Names, such as v_post, that synapses cannot write while the cell is refractory. */
  readonly guarded: ReadonlySet<string>;
  /** Function (synapse, new weight: f64, tick) -> weight: f64, where the weight lives on devices. */
  readonly write?: number;
  /** Function (synapse, tick, draw) -> weight: f64, where every event reads the devices. */
  readonly read?: number;
  /** Where post events wait, and the function for the older ones, when they are deferred. */
  readonly deferred?: { readonly memory: DeferredMemory; readonly slow: number };
}

export type Side = "row" | "column";

/**
 * Whether a statement belongs to the event's cell (once an event) or to each synapse. Variables of connected
 * populations, v_pre and v_post, are written once a synapse, whichever cell the event came from.
 */
function isCellLevel(assignment: Assignment, side: Side): boolean {
  const { scope } = assignment;
  return side === "row" ? scope === "pre" || scope === "shared" : scope === "post" || scope === "shared";
}

interface Lowered {
  readonly graph: Graph;
  readonly cell: readonly { target: Assignment; node: Node }[];
  readonly synapse: readonly { target: Assignment; node: Node }[];
  readonly norms: readonly Expression[];
}

/** Where a target lives, as an input's name. */
function inputName(name: string, program: ProjectionProgram): string {
  if (program.synapse.variables.includes(name)) return `synapse ${name}`;
  if (program.pre.variables.includes(name)) return `pre ${name}`;
  if (program.post.variables.includes(name)) return `post ${name}`;
  if (program.shared.includes(name)) return `shared ${name}`;
  if (name.endsWith("_pre")) return `source ${name.slice(0, -4)}`;
  if (name.endsWith("_post")) return `target ${name.slice(0, -5)}`;
  return name;
}

function lowerHandler(
  context: ProjectionContext,
  statements: readonly Assignment[],
  side: Side,
  waiting: NonNullable<EventOptions["waiting"]>,
): Lowered {
  const { program, precision } = context;
  const graph = new Graph(precision);
  const current = new Map<string, Node>();
  const norms: Expression[] = [];
  const targets = new Map<string, Assignment>();
  const booleans = new Set([...program.synapse.booleans, ...program.pre.booleans, ...program.post.booleans]);
  // draws of a statement about the event's cell belong to that cell, other draws to the synapse
  const lowering = (
    values: ReadonlyMap<string, Node> = current,
    block: "cell" | "element" = "element",
  ): Lowering =>
    new Lowering(graph, {
      name: (name) => {
        const node = values.get(name) ?? graph.input(inputName(name, program));
        return booleans.has(name) ? graph.node("ne", [node, graph.constant(0)]) : node;
      },
      random: (draw, args) => sparseDraw(graph, draw, args, { block }),
      normalize: (argument) => {
        const assigned = [...namesIn(argument)].find((name) => targets.has(name));
        if (assigned !== undefined)
          throw new ConfigError(
            `${program.model.name}: normalize() uses ${assigned}, which the same handler has assigned before; put it first`,
          );
        let index = norms.indexOf(argument);
        if (index < 0) index = norms.push(argument) - 1;
        const value = lowering().lowerReal(argument);
        const norm = graph.input(`norm ${index}`);
        return graph.select(
          graph.node("gt", [norm, graph.constant(0)]),
          graph.div(value, norm),
          graph.constant(0),
        );
      },
    });
  if (context.deferred && side === "row") {
    if (waiting !== "leave") {
      seedDeferred(graph, program, current, (value, values) => lowering(values).lowerReal(value));
      for (const assignment of synapseStatements(program)) targets.set(assignment.target, assignment);
    } else seedTraces(graph, program, current);
    // all traces of a row are kept as they were at its last event, whether this one assigns them or not
    if (waiting !== "only")
      for (const name of program.lazyTraces.keys())
        targets.set(name, { target: name, value: nameNode(name), scope: "pre" });
  }
  for (const assignment of statements) {
    const block = isCellLevel(assignment, side) ? "cell" : "element";
    let node = lowering(current, block).lowerReal(assignment.value);
    const { target } = assignment;
    if (context.guarded.has(target)) {
      const before = current.get(target) ?? graph.input(inputName(target, program));
      const end = assignment.scope === "precell" ? "source" : "target";
      node = graph.select(graph.input(`not_refractory ${end}`, "mask"), node, before);
    }
    current.set(target, node);
    targets.set(target, assignment);
  }
  const all = [...targets].map(([name, target]) => ({ target, node: current.get(name) as Node }));
  return {
    graph,
    cell: all.filter(({ target }) => isCellLevel(target, side)),
    synapse: all.filter(({ target }) => !isCellLevel(target, side)),
    norms,
  };
}

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

/**
 * event(list, count, class, tick, thread, lo, hi): runs a handler for the cells in a list (u32), or for
 * cells 0..count-1 where list is 0. Rows: the synapses of delay class `class` onto this thread's cells. Columns:
 * cells outside [lo, hi) belong to another thread.
 */
export function emitEvent(options: EventOptions): FunctionBuilder {
  const { context, statements, side, shift, exportName, waiting = "apply" } = options;
  const { precision, program, memory } = context;
  const fn = new FunctionBuilder({
    parameters: ["i32", "i32", "i32", "i32", "i32", "i32", "i32"],
    exportName,
  });
  const [list, count, delayClass, tick, thread, lo, hi] = [0, 1, 2, 3, 4, 5, 6];
  const prologue = new Prologue(fn);
  const bytes = realBytes(precision);
  const scale = (index: Code): Code => i32.shl(index, i32.const(bytes === 8 ? 3 : 2));
  const n = fn.local("i32");
  const cell = fn.local("i32"); // index of the event's cell
  const cellByte = fn.local("i32");
  const k = fn.local("i32"); // synapse index * 4
  const end = fn.local("i32");
  const other = fn.local("i32"); // byte offset of the cell at the other end
  const preBase = fn.local("i32");
  const lowered = lowerHandler(context, statements, side, waiting);
  const rows =
    context.deferred && side === "row"
      ? new DeferredRows(fn, prologue, precision, context.deferred.memory, context.deferred.slow)
      : undefined;
  const { graph } = lowered;
  const synapseIndex = (): Code => i32.shr_u(get(k), i32.const(2));
  const synapseByte = (): Code => (bytes === 8 ? i32.shl(get(k), i32.const(1)) : get(k));

  // at the event's cell
  const now = () => prologue.vector("tick", i32x4.splat(get(tick)));
  const index = (value: Code): Code => splatF64(precision, f64.convert_i32_s(value));
  const preAddress = (byte: Code): Code => i32.add(byte, get(preBase));
  const until = (byte: Code, offset: number): Code =>
    reached(precision, bytes === 8 ? i32.shr_u(byte, i32.const(1)) : byte, offset, now());
  const normLocals = lowered.norms.map(() => fn.local("v128"));

  /** Code of an input, given the byte offsets of the pre and the post cell. */
  const inputAt = (node: Node, pre: Code, post: Code): Code => {
    const known = commonInput(node, prologue, context, get(tick)) ?? rows?.input(node, get(tick));
    if (known) return known;
    const [kind, name] = (node.name as string).split(" ");
    switch (kind) {
      case "synapse":
        if (name === program.weight && context.read !== undefined)
          return splatF64(precision, call(context.read, synapseIndex(), get(tick), i32.const(0)));
        return loadLane(precision, synapseByte(), memory.synapse[name]);
      case "pre":
        return loadLane(precision, preAddress(pre), memory.pre[name]);
      case "post":
        return loadLane(precision, post, memory.post[name]);
      case "source":
        return loadLane(precision, pre, memory.source[name]);
      case "target":
        return loadLane(precision, post, memory.target[name]);
      case "shared":
        return loadLane(precision, i32.const(0), memory.shared[name]);
      case "not_refractory":
        return name === "source"
          ? until(pre, memory.sourceUntil as number)
          : until(post, memory.targetUntil as number);
      case "norm":
        return get(normLocals[Number(name)]);
      case "element":
        return i32x4.splat(synapseIndex());
      case "cell":
        return i32x4.splat(get(cell));
      case "i":
        return index(i32.sub(i32.div_u(pre, i32.const(bytes)), i32.const(memory.preStart)));
      case "j":
        return index(i32.sub(i32.div_u(post, i32.const(bytes)), i32.const(memory.postStart)));
      default:
        throw new Error(`${node.name} has no place in memory`);
    }
  };
  const preByte = side === "row" ? get(cellByte) : get(other);
  const postByte = side === "row" ? get(other) : get(cellByte);
  const input = (node: Node): Code => inputAt(node, preByte, postByte);
  const outer = new Emitter({ fn, prologue, precision, input, calls: context.calls, activeLanes: 1 });

  /** Inputs that belong to the event's cell and that no synapse of the event changes. */
  const changedBySynapse = new Set(lowered.synapse.map(({ target }) => inputName(target.target, program)));
  const isCellInput = (node: Node): boolean => {
    const [kind] = (node.name as string).split(" ");
    const own =
      side === "row"
        ? ["pre", "source", "i", "shared", "decay"]
        : ["post", "target", "j", "shared", "not_refractory target"];
    const known = kind === "not_refractory" ? (node.name as string) : kind;
    return own.includes(known) && !changedBySynapse.has(node.name as string);
  };
  const reachable = new Set<Node>();
  const visit = (node: Node) => {
    if (reachable.has(node)) return;
    reachable.add(node);
    node.args.forEach(visit);
  };
  for (const { node } of lowered.synapse) visit(node);
  const hoisted = [...reachable].filter((node) => node.op === "input" && isCellInput(node));
  const once = outer.define([...lowered.cell.map(({ node }) => node), ...hoisted]);

  const store = ({ target, node }: { target: Assignment; node: Node }, emitter: Emitter): Code => {
    const name = target.target;
    const value = emitter.value(node);
    switch (target.scope) {
      case "synapse":
        if (name === program.weight && context.write !== undefined)
          return storeLane(
            precision,
            synapseByte(),
            memory.synapse[name],
            splatF64(precision, call(context.write, synapseIndex(), laneToF64(precision, value), get(tick))),
          );
        return storeLane(precision, synapseByte(), memory.synapse[name], value);
      case "pre":
        return storeLane(precision, preAddress(preByte), memory.pre[name], value);
      case "post":
        return storeLane(precision, postByte, memory.post[name], value);
      case "precell":
        return storeLane(precision, preByte, memory.source[name.slice(0, -4)], value);
      case "postcell":
        return storeLane(precision, postByte, memory.target[name.slice(0, -5)], value);
      case "shared":
        return storeLane(precision, i32.const(0), memory.shared[name], value);
      default:
        throw new Error(`${name} cannot be assigned by a synapse`);
    }
  };

  /** One synapse at k (and, in a column, with `other` already set). */
  const one = (): Code => {
    const emitter = outer.fork();
    const code: Code[] = [];
    if (side === "row") code.push(set(other, i32.load(get(k), memory.targets)));
    if (rows && waiting !== "leave")
      code.push(rows.startSynapse(get(other), get(k), preAddress(get(cellByte))));
    code.push(emitter.define(lowered.synapse.map(({ node }) => node)));
    // weights on devices last: their other values are then in place
    const ordered = [...lowered.synapse].sort(
      (a, b) => Number(a.target.target === program.weight) - Number(b.target.target === program.weight),
    );
    for (const item of ordered) code.push(store(item, emitter));
    return code;
  };

  const advance = (amount: number): Code => set(k, i32.add(get(k), i32.const(amount)));
  const rowLoop = (): Code => {
    const segment = i32.shl(
      i32.add(i32.mul(get(cell), i32.const(memory.classes)), get(delayClass)),
      i32.const(2),
    );
    const start = (extra: number): Code =>
      i32.shl(
        i32.load(
          i32.add(i32.mul(get(thread), i32.const(memory.startsStride)), segment),
          memory.starts + extra * memory.startsStride,
        ),
        i32.const(2),
      );
    const unroll = reachable.size <= 8 && context.write === undefined ? 4 : 1;
    const many =
      unroll === 1
        ? []
        : block(
            br_if(0, i32.lt_u(i32.sub(get(end), get(k)), i32.const(4 * unroll))),
            loop(
              Array.from({ length: unroll }, () => [one(), advance(4)]),
              br_if(0, i32.ge_s(i32.sub(get(end), get(k)), i32.const(4 * unroll))),
            ),
          );
    return [
      set(k, start(0)),
      set(end, start(1)),
      many,
      block(
        br_if(0, i32.ge_u(get(k), get(end))),
        loop(one(), br_if(0, i32.lt_u(tee(k, i32.add(get(k), i32.const(4))), get(end)))),
      ),
    ];
  };
  const columnLoop = (): Code => {
    if (memory.dense) {
      const columns = memory.postStop - memory.postStart;
      return [
        set(other, i32.const(memory.preStart * bytes)),
        set(k, i32.shl(i32.sub(get(cell), i32.const(memory.postStart)), i32.const(2))),
        loop(
          one(),
          advance(4 * columns),
          br_if(
            0,
            i32.lt_u(tee(other, i32.add(get(other), i32.const(bytes))), i32.const(memory.preStop * bytes)),
          ),
        ),
      ];
    }
    const column = memory.column as NonNullable<typeof memory.column>;
    const c = fn.local("i32");
    return [
      set(c, i32.shl(i32.load(i32.shl(get(cell), i32.const(2)), column.starts), i32.const(2))),
      set(end, i32.shl(i32.load(i32.shl(get(cell), i32.const(2)), column.starts + 4), i32.const(2))),
      block(
        br_if(0, i32.ge_u(get(c), get(end))),
        loop(
          set(k, i32.shl(i32.load(get(c), column.synapse), i32.const(2))),
          set(other, scale(i32.load(get(c), column.pre))),
          one(),
          br_if(0, i32.lt_u(tee(c, i32.add(get(c), i32.const(4))), get(end))),
        ),
      ),
    ];
  };

  /** Norms over the presynaptic cells, once a call: summed in order of the cells. */
  const norms = lowered.norms.map((argument, index): Code => {
    const inner = new Emitter({
      fn,
      prologue,
      precision,
      input: (node) => inputAt(node, get(other), i32.const(0)),
      calls: context.calls,
      activeLanes: 1,
    });
    const ops = precision === "float64" ? f64x2 : f32x4;
    const value = new Lowering(graph, {
      name: (name) => graph.input(inputName(name, program)),
    }).lowerReal(argument);
    const local = normLocals[index];
    return [
      set(local, prologue.real(0, precision)),
      set(other, i32.const(memory.preStart * bytes)),
      loop(
        inner.define([value]),
        set(local, ops.add(get(local), ops.mul(inner.value(value), inner.value(value)))),
        br_if(
          0,
          i32.lt_u(tee(other, i32.add(get(other), i32.const(bytes))), i32.const(memory.preStop * bytes)),
        ),
      ),
      set(local, ops.sqrt(get(local))),
    ];
  });

  const [first, last] =
    side === "row" ? [memory.preStart, memory.preStop] : [memory.postStart, memory.postStop];
  const inRange: Code =
    side === "row"
      ? i32.lt_u(i32.sub(get(cell), i32.const(first)), i32.const(last - first))
      : i32.and(
          i32.lt_u(i32.sub(get(cell), i32.const(first)), i32.const(last - first)),
          i32.lt_u(i32.sub(get(cell), get(lo)), i32.sub(get(hi), get(lo))),
        );
  const rowWord = i32.add(
    i32.shl(get(cell), i32.const(2)),
    i32.mul(get(thread), i32.const(context.deferred?.memory.stride ?? 0)),
  );
  const perCell: Code = [
    set(cellByte, scale(get(cell))),
    rows ? rows.startRow(rowWord) : [],
    once,
    lowered.synapse.length === 0 ? [] : side === "row" ? rowLoop() : columnLoop(),
    lowered.cell.map((item) => store(item, outer)),
    rows ? rows.endRow(rowWord, get(tick), waiting !== "only") : [],
  ];
  const body: Code = block(
    br_if(0, i32.eqz(get(count))),
    norms,
    loop(
      set(cell, get(n)),
      iff(get(list), set(cell, i32.load(i32.add(get(list), i32.shl(get(n), i32.const(2))), 0))),
      set(cell, i32.add(get(cell), i32.const(shift))),
      iff(inRange, perCell),
      br_if(0, i32.lt_u(tee(n, i32.add(get(n), i32.const(1))), get(count))),
    ),
  );
  fn.body = [
    set(preBase, i32.mul(get(thread), i32.const(memory.preStride))),
    // the prologue is complete only when the body has been emitted
    prologue.code,
    body,
  ];
  return fn;
}
