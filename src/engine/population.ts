/**
 * Machine code of a population: integrate, test the threshold, fire, run the tick handler, reset.
 *
 * One pass over the cells of a range. The reset is done in the same pass when nothing that arrives in the
 * tick could see the difference, else in a pass of its own over the cells that fired, after delivery.
 */
import { hasDraw } from "../language/algebra.ts";
import type { Expression } from "../language/expression.ts";
import type { Key } from "../math/random.ts";
import {
  br_if,
  type Code,
  FunctionBuilder,
  f32,
  f32x4,
  f64,
  f64x2,
  get,
  i32,
  i32x4,
  i64x2,
  iff,
  loop,
  set,
  tee,
  v128,
} from "../wasm/assembler.ts";
import { Emitter, laneCount, Prologue, realBytes } from "../wasm/emit.ts";
import { Graph, type Node, type Precision } from "../wasm/graph.ts";
import { loadLane, splatF64, storeLane } from "../wasm/lane.ts";
import { Lowering } from "../wasm/lower.ts";
import { packedDraw, sparseDraw } from "./draws.ts";
import { padding } from "./layout.ts";
import type { Assignment, ElementProgram } from "./program.ts";

/** Byte offsets of a part's arrays. */
export interface ElementMemory {
  readonly size: number;
  readonly variables: Readonly<Record<string, number>>;
  readonly shared: Readonly<Record<string, number>>;
  /** Traces of cells: variables of those cells, by the name that equations use ("v_post"). */
  readonly connected?: Readonly<Record<string, number>>;
  /** Index of the first cell that a projection connects: `i` and `j` count from it. */
  readonly first?: number;
  /** i32 [cell]: first tick at which the cell is no longer refractory. */
  readonly until?: number;
  /** i32 [cell]: refractory ticks, where they differ between cells. */
  readonly refractoryTicks?: number;
}

export interface EmitContext {
  readonly precision: Precision;
  readonly dt: number;
  readonly key: Key;
  readonly calls: (name: string) => number;
}

/**
 * Variables with a differential equation that are nearer to 0 than this are put to 0, every so many ticks: a trace that
 * decays would otherwise end among the subnormal numbers, with which processors are up to a hundred times slower.
 */
export const negligible = { below: 2 ** -100, every: 32 } as const;

/** Pushes time at a tick as a vector. */
const timeVector = (tick: Code, { precision, dt }: EmitContext): Code =>
  splatF64(precision, f64.mul(f64.convert_i32_u(tick), f64.const(dt)));

/** Inputs every kernel knows: key words, plain words, the tick, time. */
export function commonInput(
  node: Node,
  prologue: Prologue,
  context: EmitContext,
  tick: Code,
): Code | undefined {
  const name = node.name as string;
  if (name.startsWith("#")) return prologue.words(Number(name.slice(1)));
  if (name === "key0") return prologue.words(context.key[0]);
  if (name === "key1") return prologue.words(context.key[1]);
  if (name === "tick") return prologue.vector("tick", i32x4.splat(tick));
  if (name === "t") return prologue.vector("t", timeVector(tick, context));
  return undefined;
}

interface Group {
  readonly current: Map<string, Node>;
  readonly spiked?: Node;
}

/** Lowers one group of an iteration: new values of every variable and who fires. */
function lowerGroup(
  graph: Graph,
  elements: ElementProgram,
  sharedNames: readonly string[],
  group: number,
  extra: { threshold?: Expression; tick?: readonly Assignment[]; refractory: boolean },
): Group {
  const old = new Map(elements.variables.map((name) => [name, graph.input(`${name}@${group}`)]));
  const current = new Map(old);
  const resolver = (values: ReadonlyMap<string, Node>) => ({
    name: (name: string): Node => {
      const value = values.get(name);
      if (value) return elements.booleans.has(name) ? graph.node("ne", [value, graph.constant(0)]) : value;
      if (sharedNames.includes(name)) return graph.input(`shared ${name}`);
      if (name === "t") return graph.input("t");
      if (name === "i" || name === "j") return graph.input(`i@${group}`);
      if (/_(pre|post)$/.test(name)) return graph.input(`${name}@${group}`);
      if (name === "not_refractory")
        return extra.refractory
          ? graph.input(`not refractory@${group}`, "mask")
          : graph.node("eq", [graph.constant(0), graph.constant(0)]);
      throw new Error(`${name} has no place in memory`);
    },
    random: (draw: Extract<Expression, { kind: "random" }>, args: readonly Node[]) =>
      packedDraw(graph, draw, args, group),
  });
  const integrate = new Lowering(graph, resolver(old));
  for (const [name, value] of elements.next) current.set(name, integrate.lowerReal(value));
  let spiked: Node | undefined;
  if (extra.threshold) {
    const mask = new Lowering(graph, resolver(current)).lower(extra.threshold);
    spiked = extra.refractory
      ? graph.node("and", [mask, graph.input(`not refractory@${group}`, "mask")])
      : mask;
  }
  for (const { target, value } of extra.tick ?? []) {
    const fresh = new Lowering(graph, resolver(current)).lowerReal(value);
    const held =
      extra.refractory && elements.frozenWhileRefractory.has(target)
        ? graph.select(graph.input(`not refractory@${group}`, "mask"), fresh, current.get(target) as Node)
        : fresh;
    current.set(target, held);
  }
  return { current, spiked };
}

export interface UpdateOptions {
  readonly elements: ElementProgram;
  readonly memory: ElementMemory;
  readonly context: EmitContext;
  readonly shared: readonly string[];
  readonly threshold?: Expression;
  readonly tick?: readonly Assignment[];
  /** Refractory ticks when the same for all cells. */
  readonly refractoryTicks?: number;
  readonly refractory: boolean;
  /** Reset statements done in this pass. */
  readonly fusedReset?: readonly Assignment[];
}

/**
 * update(lo, hi, out, tick, base) -> spikes written: steps elements [lo, hi) and writes the indices of the
 * cells that fired to `out`, in order. `lo` and `hi` are multiples of the padding; `base` is added to the
 * addresses of reals (a thread's own copy).
 */
export function emitUpdate(options: UpdateOptions, exportName?: string): FunctionBuilder {
  const { elements, memory, context } = options;
  const { precision } = context;
  const fn = new FunctionBuilder({
    parameters: ["i32", "i32", "i32", "i32", "i32"],
    result: "i32",
    exportName,
  });
  const [lo, hi, out, tick, base] = [0, 1, 2, 3, 4];
  const prologue = new Prologue(fn);
  const lanes = laneCount(precision);
  const bytes = realBytes(precision);
  const random = [
    ...elements.next.values(),
    ...(options.threshold ? [options.threshold] : []),
    ...(options.tick ?? []).map((a) => a.value),
  ].some(hasDraw);
  const groups = random ? 4 : 1;
  const graph = new Graph(precision);
  const p = fn.local("i32"); // byte offset of the first element's real
  const q = fn.local("i32"); // byte offset of its i32
  const count = fn.local("i32");
  const mask = fn.local("i32");
  const cell = fn.local("i32");

  const firstIndex = (group: number): Code => i32.add(get(lo), i32.const(group * lanes));
  const indices = (group: number): Code =>
    i32x4.add(i32x4.splat(firstIndex(group)), prologue.vector("0123", v128.const(0, 1, 2, 3)));
  const input = (node: Node): Code => {
    const known = commonInput(node, prologue, context, get(tick));
    if (known) return known;
    const name = node.name as string;
    if (name === "block")
      return i32x4.add(
        i32x4.splat(i32.shr_u(get(lo), i32.const(precision === "float64" ? 1 : 2))),
        prologue.vector("0123", v128.const(0, 1, 2, 3)),
      );
    if (name.startsWith("shared ")) {
      const address = i32.const(0);
      const offset = memory.shared[name.slice(7)];
      return prologue.vector(
        name,
        precision === "float64" ? v128.load64_splat(address, offset) : v128.load32_splat(address, offset),
      );
    }
    // a variable of the model is one word; what the engine adds to them is two, or reserved by the language
    const at = name.lastIndexOf("@");
    const group = Number(name.slice(at + 1));
    const variable = name.slice(0, at);
    if (variable === "i") {
      const first = memory.first ?? 0;
      const index = first === 0 ? indices(group) : i32x4.sub(indices(group), i32x4.splat(i32.const(first)));
      return precision === "float64" ? f64x2.convert_low_i32x4_s(index) : f32x4.convert_i32x4_s(index);
    }
    if (variable === "this element") return indices(group);
    if (variable === "not refractory") {
      const now = prologue.vector("tick", i32x4.splat(get(tick)));
      const until = memory.until as number;
      return precision === "float64"
        ? i64x2.extend_low_i32x4_s(i32x4.le_s(v128.load64_zero(get(q), until + 8 * group), now))
        : i32x4.le_s(v128.load(get(q), until + 16 * group), now);
    }
    const connected = memory.connected?.[variable];
    if (connected !== undefined) return v128.load(i32.sub(get(p), get(base)), connected + 16 * group);
    return v128.load(get(p), memory.variables[variable] + 16 * group);
  };
  const emitterOptions = { fn, prologue, precision, input, calls: context.calls };
  const emitter = new Emitter(emitterOptions);

  const plans = Array.from({ length: groups }, (_, group) => {
    const { current, spiked } = lowerGroup(graph, elements, options.shared, group, options);
    const resetTargets = new Set((options.fusedReset ?? []).map((a) => a.target));
    const changed = elements.variables.filter(
      (name) => resetTargets.has(name) || current.get(name) !== graph.input(`${name}@${group}`),
    );
    return { group, current, spiked, changed, resetTargets };
  });
  const roots = plans.flatMap(({ current, spiked, changed }) => [
    ...changed.map((name) => current.get(name) as Node),
    ...(spiked ? [spiked] : []),
  ]);
  const body: Code[] = [emitter.define(roots)];
  for (const { group, current, spiked, changed, resetTargets } of plans) {
    const finals = new Map<string, number>();
    for (const name of resetTargets) {
      const local = fn.local("v128");
      finals.set(name, local);
      body.push(set(local, emitter.value(current.get(name) as Node)));
    }
    if (spiked) {
      const fork = emitter.fork();
      const after = new Map(current);
      for (const { target, value } of options.fusedReset ?? []) {
        const lowering = new Lowering(graph, {
          name: (name) => {
            const node = after.get(name);
            if (node) return elements.booleans.has(name) ? graph.node("ne", [node, graph.constant(0)]) : node;
            if (options.shared.includes(name)) return graph.input(`shared ${name}`);
            return graph.input(name === "i" ? `i@${group}` : name);
          },
          random: (draw, args) => sparseDraw(graph, draw, args, { block: `this element@${group}` }),
        });
        after.set(target, lowering.lowerReal(value));
      }
      const resets: Code[] = [fork.define([...resetTargets].map((name) => after.get(name) as Node))];
      for (const name of resetTargets)
        resets.push(
          set(
            finals.get(name) as number,
            v128.bitselect(
              fork.value(after.get(name) as Node),
              get(finals.get(name) as number),
              emitter.value(spiked),
            ),
          ),
        );
      const bits =
        precision === "float64" ? i64x2.bitmask(emitter.value(spiked)) : i32x4.bitmask(emitter.value(spiked));
      const valid = tail(memory.size, firstIndex(group), lanes);
      const refractoryTicks =
        memory.refractoryTicks === undefined
          ? i32.const(options.refractoryTicks ?? 0)
          : i32.load(i32.shl(get(cell), i32.const(2)), memory.refractoryTicks);
      body.push(
        iff(tee(mask, bits), [
          valid ? set(mask, i32.and(get(mask), valid)) : [],
          resets,
          iff(
            get(mask),
            loop(
              set(cell, i32.add(firstIndex(group), i32.ctz(get(mask)))),
              i32.store(i32.add(get(out), i32.shl(get(count), i32.const(2))), 0, get(cell)),
              options.refractory
                ? i32.store(
                    i32.shl(get(cell), i32.const(2)),
                    memory.until as number,
                    i32.add(get(tick), refractoryTicks),
                  )
                : [],
              set(count, i32.add(get(count), i32.const(1))),
              br_if(0, tee(mask, i32.and(get(mask), i32.sub(get(mask), i32.const(1))))),
            ),
          ),
        ]),
      );
    }
    for (const name of changed) {
      const final = finals.get(name);
      const value = final === undefined ? emitter.value(current.get(name) as Node) : get(final);
      body.push(v128.store(get(p), memory.variables[name] + 16 * group, value));
    }
  }
  const step = groups * lanes;
  const main = loop(
    body,
    set(p, i32.add(get(p), i32.const(step * bytes))),
    set(q, i32.add(get(q), i32.const(step * 4))),
    br_if(0, i32.lt_u(tee(lo, i32.add(get(lo), i32.const(step))), get(hi))),
  );
  const first = i32.add(i32.mul(get(lo), i32.const(bytes)), get(base));
  const end = i32.add(i32.mul(get(hi), i32.const(bytes)), get(base));
  const moving = [...elements.next.keys()].filter((name) => !elements.booleans.has(name));
  const due = i32.eqz(i32.and(get(tick), i32.const(negligible.every - 1)));
  fn.body = [
    prologue.code,
    iff(i32.lt_u(get(lo), get(hi)), [
      moving.length === 0
        ? []
        : iff(
            due,
            settle(
              precision,
              p,
              first,
              end,
              moving.map((v) => memory.variables[v]),
            ),
          ),
      set(p, first),
      set(q, i32.shl(get(lo), i32.const(2))),
      main,
    ]),
    get(count),
  ];
  return fn;
}

/** Puts what is negligible to 0 in arrays of reals, from byte `first` to byte `end` of each; `p` is a local to count in. */
function settle(precision: Precision, p: number, first: Code, end: Code, arrays: readonly number[]): Code {
  const real = precision === "float64" ? f64x2 : f32x4;
  const below =
    precision === "float64"
      ? f64x2.splat(f64.const(negligible.below))
      : f32x4.splat(f32.const(negligible.below));
  const settled = (offset: number): Code => {
    const value = v128.load(get(p), offset);
    return v128.store(get(p), offset, v128.andnot(value, real.lt(real.abs(value), below)));
  };
  return [
    set(p, first),
    loop(arrays.map(settled), br_if(0, i32.lt_u(tee(p, i32.add(get(p), i32.const(16))), end))),
  ];
}

/**
 * reset(list, count, tick): the reset of each cell in a list (u32), one after the other. Draws are sparse, so a
 * reset gives the same numbers here and in `emitUpdate`.
 */
export function emitReset(options: {
  readonly elements: ElementProgram;
  readonly memory: ElementMemory;
  readonly context: EmitContext;
  readonly shared: readonly string[];
  readonly reset: readonly Assignment[];
}): FunctionBuilder {
  const { elements, memory, context, reset } = options;
  const { precision } = context;
  const bytes = realBytes(precision);
  const fn = new FunctionBuilder({ parameters: ["i32", "i32", "i32"] });
  const [list, count, tick] = [0, 1, 2];
  const prologue = new Prologue(fn);
  const cell = fn.local("i32");
  const byte = fn.local("i32");
  const n = fn.local("i32");
  const graph = new Graph(precision);
  const emitter = new Emitter({
    fn,
    prologue,
    precision,
    calls: context.calls,
    activeLanes: 1,
    input: (node) => {
      const known = commonInput(node, prologue, context, get(tick));
      if (known) return known;
      const name = node.name as string;
      if (name === "element") return i32x4.splat(get(cell));
      if (name === "i") return splatF64(precision, f64.convert_i32_s(get(cell)));
      if (name.startsWith("shared ")) return loadLane(precision, i32.const(0), memory.shared[name.slice(7)]);
      return loadLane(precision, get(byte), memory.variables[name.slice(4)]); // "own x"
    },
  });
  const current = new Map<string, Node>();
  for (const { target, value } of reset) {
    const lowering = new Lowering(graph, {
      name: (name) => {
        const kind = options.shared.includes(name)
          ? "shared "
          : elements.variables.includes(name)
            ? "own "
            : "";
        const node = current.get(name) ?? graph.input(kind + name);
        return elements.booleans.has(name) ? graph.node("ne", [node, graph.constant(0)]) : node;
      },
      random: (draw, args) => sparseDraw(graph, draw, args),
    });
    current.set(target, lowering.lowerReal(value));
  }
  const body: Code = [
    set(cell, i32.load(i32.add(get(list), i32.shl(get(n), i32.const(2))), 0)),
    set(byte, i32.mul(get(cell), i32.const(bytes))),
    emitter.define([...current.values()]),
    [...current].map(([name, node]) =>
      storeLane(precision, get(byte), memory.variables[name], emitter.value(node)),
    ),
  ];
  fn.body = [
    prologue.code,
    iff(get(count), loop(body, br_if(0, i32.lt_u(tee(n, i32.add(get(n), i32.const(1))), get(count))))),
  ];
  return fn;
}

/** Bits of the lanes that hold cells, where the size leaves a tail. */
function tail(size: number, first: Code, lanes: number): Code | undefined {
  if (size % padding === 0) return undefined;
  const rest = i32.sub(i32.const(size), first);
  const all = i32.const((1 << lanes) - 1);
  // rest >= lanes: all; rest <= 0: none; else the lowest `rest` lanes
  const some = i32.sub(i32.shl(i32.const(1), rest), i32.const(1));
  return [
    [some, all, i32.lt_s(rest, i32.const(lanes)), 0x1b],
    i32.const(0),
    i32.gt_s(rest, i32.const(0)),
    0x1b,
  ];
}
