/**
 * Post events that wait until their synapse is next looked at.
 *
 * What a post event does to a synapse depends only on the synapse and on presynaptic traces that decay in closed
 * form (program.ts proves it), so it may be applied when the row is next walked: spikes of postsynaptic cells are
 * kept in a short history instead of walking columns. The bits are those of applying every event at once: events of
 * a synapse are applied one by one, in order, each with the trace of its own time. The two most recent spikes of
 * a cell take no branch; older ones are rare and take a loop. A cell whose history is full makes all rows
 * catch up first.
 *
 * A trace is kept as its value at its last event; n ticks later it is value * E(n), E(n) = exp(-n dt / tau)
 * from a table, E(0) = 1, and 0 from n = 40 tau / dt on, where it is below 2^-57.
 */

import { exp } from "../math/doubledouble.ts";
import {
  block,
  br,
  br_if,
  type Code,
  call,
  FunctionBuilder,
  get,
  i8x16,
  i32,
  i32x4,
  i64x2,
  iff,
  loop,
  type ModuleBuilder,
  set,
  tee,
  v128,
} from "../wasm/assembler.ts";
import { Emitter, Prologue, realBytes } from "../wasm/emit.ts";
import type { Precision } from "../wasm/graph.ts";
import { Graph, type Node } from "../wasm/graph.ts";
import { loadLane, loadSplat, storeLane } from "../wasm/lane.ts";
import { Lowering } from "../wasm/lower.ts";
import type { Assignment, ProjectionProgram } from "./program.ts";

/** Spikes of a postsynaptic cell that can wait. */
export const historyLength = 32;
/** Where a spike lies that never was. */
export const longAgo = -(2 ** 30);

export interface DeferredMemory {
  readonly last: number; // i32 [pre]: tick of the row's last event; a copy per thread
  readonly applied: number; // i32 [pre]: post spikes before this tick have been applied; a copy per thread
  readonly stride: number; // bytes between the copies
  readonly recent: number; // i32 [post][4]: latest spikes, newest first
  readonly newest: number; // i32 [post]: the latest alone, for neighbours at a time
  readonly history: number; // i32 [post][historyLength], a ring
  readonly count: number; // i32 [post]: spikes in all
  readonly flushed: number; // i32 [post]: how many of them every row has seen
  readonly tables: Readonly<Record<string, number>>; // real [tableLength] by trace
  readonly tableLength: number;
}

/** E(n) of every trace: value of the table at n. The same numbers in every precision but for rounding. */
export const decay = (n: number, length: number, tau: number, dt: number): number =>
  n >= length - 1 ? 0 : exp((-n * dt) / tau);
/** Entries of a table: up to 40 time constants, and the 0 beyond. */
export const decayTableLength = (taus: Iterable<number>, dt: number): number =>
  Math.ceil((40 * Math.max(...taus)) / dt) + 1;

/** Statements of the post handler about synapses. */
export const synapseStatements = (program: ProjectionProgram): Assignment[] =>
  (program.handlers.get("post") ?? []).filter((a) => a.scope === "synapse");

type Lower = (value: Assignment["value"], values: ReadonlyMap<string, Node>) => Node;

/**
 * Values of synapse variables after the two most recent post spikes, where they are due. `current` gains them, and
 * the traces as they are now.
 */
export function seedDeferred(
  graph: Graph,
  program: ProjectionProgram,
  current: Map<string, Node>,
  lower: Lower,
): void {
  const trace = (name: string, factor: string) =>
    graph.mul(graph.input(`pre ${name}`), graph.input(`${factor} ${name}`));
  for (const slot of [1, 0]) {
    const values = new Map(current);
    for (const name of program.lazyTraces.keys()) values.set(name, trace(name, `decay${slot}`));
    for (const { target, value } of synapseStatements(program)) values.set(target, lower(value, values));
    for (const name of new Set(synapseStatements(program).map((a) => a.target))) {
      const before = current.get(name) ?? graph.input(`synapse ${name}`);
      current.set(name, graph.select(graph.input(`due${slot}`, "mask"), values.get(name) as Node, before));
    }
  }
  seedTraces(graph, program, current);
}

/** Puts the traces as they are now into `current`. */
export function seedTraces(graph: Graph, program: ProjectionProgram, current: Map<string, Node>): void {
  for (const name of program.lazyTraces.keys())
    current.set(name, graph.mul(graph.input(`pre ${name}`), graph.input(`decay ${name}`)));
}

/** Code of deferred events within a row walk. One for each emitted function. */
export class DeferredRows {
  readonly #memory: DeferredMemory;
  readonly #precision: Precision;
  readonly #slow: number;
  readonly #last: number;
  readonly #applied: number;
  readonly #lastVector: number;
  readonly #appliedVector: number;
  readonly #recent: number;
  readonly #due: number;
  readonly #index: number;
  readonly #limit: Code;

  constructor(
    fn: FunctionBuilder,
    prologue: Prologue,
    precision: Precision,
    memory: DeferredMemory,
    slow: number,
  ) {
    this.#memory = memory;
    this.#precision = precision;
    this.#slow = slow;
    this.#last = fn.local("i32");
    this.#applied = fn.local("i32");
    this.#lastVector = fn.local("v128");
    this.#appliedVector = fn.local("v128");
    this.#recent = fn.local("v128");
    this.#due = fn.local("v128");
    this.#index = fn.local("v128");
    this.#limit = prologue.words(memory.tableLength - 1);
  }

  /** At the start of a row. `word`: address of the row's i32 in the thread's copy. */
  startRow(word: Code): Code {
    return [
      set(this.#last, i32.load(word, this.#memory.last)),
      set(this.#applied, i32.load(word, this.#memory.applied)),
      set(this.#lastVector, i32x4.splat(get(this.#last))),
      set(this.#appliedVector, i32x4.splat(get(this.#applied))),
    ];
  }

  /** At the end of a row: `event` when the traces had an event, not only a catching up. */
  endRow(word: Code, tick: Code, event: boolean): Code {
    return [
      event ? i32.store(word, this.#memory.last, tick) : [],
      i32.store(word, this.#memory.applied, tick),
    ];
  }

  /** Before a synapse: `target` is the byte offset of its cell's real, `k` four times its index. */
  startSynapse(target: Code, k: Code, traces: Code): Code {
    const cell = i32.shl(target, i32.const(this.#precision === "float64" ? 1 : 2)); // * 16
    const shift = i32.const(this.#precision === "float64" ? 3 : 2);
    return [
      set(this.#recent, v128.load(cell, this.#memory.recent)),
      set(this.#due, i32x4.ge_s(get(this.#recent), get(this.#appliedVector))),
      set(
        this.#index,
        i32x4.shl(i32x4.min_u(i32x4.sub(get(this.#recent), get(this.#lastVector)), this.#limit), shift),
      ),
      iff(
        i32x4.extract_lane(get(this.#due), 2),
        call(this.#slow, k, target, get(this.#applied), get(this.#last), traces),
      ),
    ];
  }

  /** Whether a post event waits for any of the synapses that a vector holds, the first ending at `target`. */
  anyDue(target: Code): Code {
    const wide = this.#precision === "float64";
    const newest = wide
      ? v128.load64_splat(i32.shr_u(target, i32.const(1)), this.#memory.newest)
      : v128.load(target, this.#memory.newest);
    return v128.any_true(i32x4.ge_s(newest, get(this.#appliedVector)));
  }

  /** Code of the inputs `seedDeferred` uses besides the traces themselves. `spread`: traces of the row in every lane. */
  input(node: Node, tick: Code, spread: boolean): Code | undefined {
    const [kind, name] = (node.name as string).split(" ");
    const wide = this.#precision === "float64";
    const mask = (bits: Code): Code => (wide ? i64x2.extend_low_i32x4_s(bits) : bits);
    const at = (lane: number): Code =>
      loadLane(this.#precision, i32x4.extract_lane(get(this.#index), lane), this.#memory.tables[name]);
    switch (kind) {
      case "due0":
        return mask(get(this.#due));
      case "due1":
        return mask(i64x2.shr_u(get(this.#due), i32.const(32)));
      case "decay0":
        return at(0);
      case "decay1":
        return at(1);
      case "decay":
        return (spread ? loadSplat : loadLane)(
          this.#precision,
          tableIndex(i32.sub(tick, get(this.#last)), this.#memory, this.#precision),
          this.#memory.tables[name],
        );
      default:
        return undefined;
    }
  }
}

/** Byte offset into a decay table of n ticks, n at most the last entry. */
function tableIndex(ticks: Code, { tableLength }: DeferredMemory, precision: Precision): Code {
  const limit = i32.const(tableLength - 1);
  return i32.shl([ticks, limit, i32.lt_u(ticks, limit), 0x1b], i32.const(precision === "float64" ? 3 : 2));
}

/**
 * slow(k * 4, target, applied, last, traces): applies the due spikes of one synapse that are older than the two
 * most recent, in order. `traces`: byte address of the row's reals in the thread's copy.
 */
export function emitSlow(
  program: ProjectionProgram,
  memory: DeferredMemory,
  arrays: {
    readonly synapse: Readonly<Record<string, number>>;
    readonly pre: Readonly<Record<string, number>>;
  },
  precision: Precision,
): FunctionBuilder {
  const fn = new FunctionBuilder({ parameters: ["i32", "i32", "i32", "i32", "i32"] });
  const [k, target, applied, last, traces] = [0, 1, 2, 3, 4];
  const n = fn.local("i32");
  const end = fn.local("i32");
  const word = fn.local("i32"); // of the cell
  const spike = fn.local("i32");
  const wide = realBytes(precision) === 8;
  const graph = new Graph(precision);
  const prologue = new Prologue(fn);
  const emitter = new Emitter({
    fn,
    prologue,
    precision,
    activeLanes: 1,
    input: (node) => {
      const [kind, name] = (node.name as string).split(" ");
      if (kind === "synapse")
        return loadLane(precision, wide ? i32.shl(get(k), i32.const(1)) : get(k), arrays.synapse[name]);
      if (kind === "pre") return loadLane(precision, get(traces), arrays.pre[name]);
      return loadLane(
        precision,
        tableIndex(i32.sub(get(spike), get(last)), memory, precision),
        memory.tables[name],
      );
    },
  });
  const values = new Map<string, Node>();
  for (const name of program.lazyTraces.keys())
    values.set(name, graph.mul(graph.input(`pre ${name}`), graph.input(`decay ${name}`)));
  const changed = new Map<string, Node>();
  for (const { target: name, value } of synapseStatements(program)) {
    const lowering = new Lowering(graph, {
      name: (used) => values.get(used) ?? graph.input(`synapse ${used}`),
    });
    const node = lowering.lowerReal(value);
    values.set(name, node);
    changed.set(name, node);
  }
  const synapseByte = wide ? i32.shl(get(k), i32.const(1)) : get(k);
  const ring = i32.add(
    i32.mul(get(word), i32.const(historyLength)),
    i32.shl(i32.and(get(n), i32.const(historyLength - 1)), i32.const(2)),
  );
  fn.body = [
    prologue.code,
    set(word, wide ? i32.shr_u(get(target), i32.const(1)) : get(target)),
    set(end, i32.sub(i32.load(get(word), memory.count), i32.const(2))),
    set(n, i32.load(get(word), memory.flushed)),
    block(
      loop(
        br_if(1, i32.ge_s(get(n), get(end))),
        set(spike, i32.load(ring, memory.history)),
        iff(i32.ge_s(get(spike), get(applied)), [
          emitter.define([...changed.values()]),
          [...changed].map(([name, node]) =>
            storeLane(precision, synapseByte, arrays.synapse[name], emitter.value(node)),
          ),
        ]),
        set(n, i32.add(get(n), i32.const(1))),
        br(0),
      ),
    ),
  ];
  return fn;
}

/**
 * record(list, count, class, tick, thread, lo, hi): notes the spikes of cells [lo, hi) in the history. `walk` makes every
 * row catch up; called first when a cell's history is full.
 */
export function emitRecord(
  module: ModuleBuilder,
  name: string,
  memory: DeferredMemory,
  o: { readonly walk: number; readonly preCells: number },
): number {
  const flush = module.add(emitFlush(name, memory, o));
  const fn = new FunctionBuilder({ parameters: ["i32", "i32", "i32", "i32", "i32", "i32", "i32"] });
  const [list, count, , tick, thread, lo, hi] = [0, 1, 2, 3, 4, 5, 6];
  const n = fn.local("i32");
  const cell = fn.local("i32");
  const word = fn.local("i32");
  const spikes = fn.local("i32");
  const each = (body: Code): Code => [
    set(n, i32.const(0)),
    loop(
      set(cell, i32.load(i32.add(get(list), i32.shl(get(n), i32.const(2))), 0)),
      iff(i32.lt_u(i32.sub(get(cell), get(lo)), i32.sub(get(hi), get(lo))), [
        set(word, i32.shl(get(cell), i32.const(2))),
        body,
      ]),
      br_if(0, i32.lt_u(tee(n, i32.add(get(n), i32.const(1))), get(count))),
    ),
  ];
  const waiting = i32.sub(i32.load(get(word), memory.count), i32.load(get(word), memory.flushed));
  const recent = i32.shl(get(cell), i32.const(4));
  const shifted = i8x16.shuffle(
    i32x4.splat(get(tick)),
    v128.load(recent, memory.recent),
    [0, 1, 2, 3, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27],
  );
  fn.body = block(
    br_if(0, i32.eqz(get(count))),
    each(
      iff(i32.ge_s(waiting, i32.const(historyLength)), call(flush, get(tick), get(thread), get(lo), get(hi))),
    ),
    each([
      set(spikes, i32.load(get(word), memory.count)),
      i32.store(
        i32.add(
          i32.mul(get(word), i32.const(historyLength)),
          i32.shl(i32.and(get(spikes), i32.const(historyLength - 1)), i32.const(2)),
        ),
        memory.history,
        get(tick),
      ),
      i32.store(get(word), memory.count, i32.add(get(spikes), i32.const(1))),
      v128.store(recent, memory.recent, shifted),
      i32.store(get(word), memory.newest, get(tick)),
    ]),
  );
  return module.add(fn);
}

/** flush(tick, thread, lo, hi), exported: the synapses onto cells [lo, hi) see every spike before `tick`. */
function emitFlush(
  name: string,
  memory: DeferredMemory,
  { walk, preCells }: { readonly walk: number; readonly preCells: number },
): FunctionBuilder {
  const fn = new FunctionBuilder({ parameters: ["i32", "i32", "i32", "i32"], exportName: `flush ${name}` });
  const [tick, thread, lo, hi] = [0, 1, 2, 3];
  const word = fn.local("i32");
  fn.body = [
    call(walk, i32.const(0), i32.const(preCells), i32.const(0), get(tick), get(thread), get(lo), get(hi)),
    set(word, i32.shl(get(lo), i32.const(2))),
    block(
      loop(
        br_if(1, i32.ge_u(get(word), i32.shl(get(hi), i32.const(2)))),
        i32.store(get(word), memory.flushed, i32.load(get(word), memory.count)),
        set(word, i32.add(get(word), i32.const(4))),
        br(0),
      ),
    ),
  ];
  return fn;
}
