/**
 * Where a projection's values lie, and the code that loads and stores them as an event meets them.
 *
 * An event is at one cell and goes along its synapses; a place is the cell, a synapse and the cell at its other end.
 * One synapse at a time works on lane 0 of the vector instructions. Neighbours in a row may work side by side: their own
 * values are contiguous, those of their targets are contiguous too or gathered from where they lie, and what belongs
 * to the event's cell is the same in every lane. Knows nothing of loops or of what a handler computes.
 */
import {
  type Code,
  call,
  type FunctionBuilder,
  f32x4,
  f64,
  f64x2,
  get,
  i32,
  i32x4,
  i64x2,
  set,
  v128,
} from "../wasm/assembler.ts";
import { type Emitter, laneCount, type Prologue, realBytes } from "../wasm/emit.ts";
import type { Node, Precision } from "../wasm/graph.ts";
import { laneToF64, loadLane, loadSplat, splatF64, storeLane } from "../wasm/lane.ts";
import type { DeferredMemory, DeferredRows } from "./deferred.ts";
import { commonInput, type EmitContext } from "./population.ts";
import type { ProjectionProgram } from "./program.ts";
import type { Outcome, Side } from "./statements.ts";

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
  readonly distinct: boolean; // no row has two synapses of one delay onto the same cell
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
  /** Function (tick) to be called at the end of an event that may have written, where pulses are gathered. */
  readonly fire?: number;
  /** Function (synapse, tick, draw) -> weight: f64, where every event reads the devices. */
  readonly read?: number;
  /** Where post events wait, and the function for the older ones, when they are deferred. */
  readonly deferred?: { readonly memory: DeferredMemory; readonly slow: number };
}

/** Parameters of an event function. */
export const parameters = { list: 0, count: 1, delayClass: 2, tick: 3, thread: 4, lo: 5, hi: 6 } as const;

/** Byte offsets of the reals of two connected cells. */
export interface Ends {
  readonly pre: Code;
  readonly post: Code;
}

export class Access {
  readonly precision: Precision;
  readonly bytes: number; // of a real
  /** Locals: index of the event's cell; byte offset of its real. */
  readonly cell: number;
  readonly cellByte: number;
  /** Locals: four times the index of the synapse; byte offset of the real of the cell at its other end. */
  readonly k: number;
  readonly other: number;
  /** The same of each neighbour, the first being `other`, where targets are gathered; else empty. */
  readonly others: readonly number[];
  /** Locals with the norm of each argument of `normalize`. */
  readonly norms: readonly number[];
  readonly #context: ProjectionContext;
  readonly #prologue: Prologue;
  readonly #side: Side;
  readonly #spread: boolean;
  readonly #rows: DeferredRows | undefined;
  readonly #preBase: number; // local: byte offset of this thread's copy of (pre) arrays

  /**
   * `spread`: whatever belongs to the event's cell fills every lane. `gathered`: targets of neighbours lie anywhere. `rows`:
   * code of deferred post events, where they are.
   */
  constructor(
    fn: FunctionBuilder,
    prologue: Prologue,
    context: ProjectionContext,
    o: {
      readonly side: Side;
      readonly spread: boolean;
      readonly gathered: boolean;
      readonly norms: number;
      readonly rows: DeferredRows | undefined;
    },
  ) {
    this.precision = context.precision;
    this.bytes = realBytes(context.precision);
    this.cell = fn.local("i32");
    this.cellByte = fn.local("i32");
    this.k = fn.local("i32");
    this.other = fn.local("i32");
    const more = laneCount(context.precision) - 1;
    this.others = o.gathered ? [this.other, ...Array.from({ length: more }, () => fn.local("i32"))] : [];
    this.#preBase = fn.local("i32");
    this.norms = Array.from({ length: o.norms }, () => fn.local("v128"));
    this.#context = context;
    this.#prologue = prologue;
    this.#side = o.side;
    this.#spread = o.spread;
    this.#rows = o.rows;
  }

  /** At the start of the function. */
  begin(): Code {
    const copy = i32.mul(get(parameters.thread), i32.const(this.#context.memory.preStride));
    return set(this.#preBase, copy);
  }

  /** The cells that the synapse at hand connects. */
  get ends(): Ends {
    return this.#side === "row"
      ? { pre: get(this.cellByte), post: get(this.other) }
      : { pre: get(this.other), post: get(this.cellByte) };
  }

  /** Byte offset of an index. */
  scale(index: Code): Code {
    return i32.shl(index, i32.const(this.bytes === 8 ? 3 : 2));
  }

  /** Address of the (pre) real of the event's cell, for deferred rows. */
  get traces(): Code {
    return i32.add(get(this.cellByte), get(this.#preBase));
  }

  get #synapseIndex(): Code {
    return i32.shr_u(get(this.k), i32.const(2));
  }

  get #synapseByte(): Code {
    return this.bytes === 8 ? i32.shl(get(this.k), i32.const(1)) : get(this.k);
  }

  // ---- loads ---------------------------------------------------------------------------------------

  /** Code of an input at the synapse at hand and its neighbours, `lanes` in all. */
  input(node: Node, lanes: number): Code {
    return this.inputAt(node, this.ends, lanes);
  }

  inputAt(node: Node, { pre, post }: Ends, lanes: number): Code {
    const { memory, program, read } = this.#context;
    const tick = get(parameters.tick);
    const known =
      commonInput(node, this.#prologue, this.#context, tick) ?? this.#rows?.input(node, tick, this.#spread);
    if (known) return known;
    const { precision } = this;
    const [kind, name] = (node.name as string).split(" ");
    switch (kind) {
      case "synapse":
        if (name === program.weight && read !== undefined)
          return splatF64(precision, call(read, this.#synapseIndex, tick, i32.const(0)));
        return this.#neighbours(this.#synapseByte, memory.synapse[name], lanes);
      case "pre":
        return this.#presynaptic(i32.add(pre, get(this.#preBase)), memory.pre[name]);
      case "source":
        return this.#presynaptic(pre, memory.source[name]);
      case "post":
        return this.#ofTargets(post, memory.post[name], lanes);
      case "target":
        return this.#ofTargets(post, memory.target[name], lanes);
      case "shared":
        return this.#one(i32.const(0), memory.shared[name]);
      case "not_refractory":
        return name === "source"
          ? this.#reached(pre, memory.sourceUntil as number, 1)
          : this.#reached(post, memory.targetUntil as number, lanes);
      case "norm":
        return get(this.norms[Number(name)]);
      case "element": {
        const first = i32x4.splat(this.#synapseIndex);
        return lanes === 1 ? first : i32x4.add(first, this.#counting);
      }
      case "cell":
        return i32x4.splat(get(this.cell));
      case "i":
        return this.#index(pre, memory.preStart);
      case "j":
        return this.#index(post, memory.postStart, lanes);
      default:
        throw new Error(`${node.name} has no place in memory`);
    }
  }

  /**
   * Whether an input belongs to the event's cell alone, so that it may be loaded once. `changed`: inputs that the synapses of
   * the event change.
   */
  isOfCell(node: Node, changed: ReadonlySet<string>): boolean {
    const name = node.name as string;
    const [kind] = name.split(" ");
    const own =
      this.#side === "row"
        ? ["pre", "source", "i", "shared", "decay"]
        : ["post", "target", "j", "shared", "not_refractory target"];
    return own.includes(kind === "not_refractory" ? name : kind) && !changed.has(name);
  }

  /** A real that is the same for all lanes, or is wanted in lane 0 only. */
  #one(address: Code, offset: number): Code {
    return (this.#spread ? loadSplat : loadLane)(this.precision, address, offset);
  }

  #presynaptic(address: Code, offset: number): Code {
    return this.#side === "row" ? this.#one(address, offset) : loadLane(this.precision, address, offset);
  }

  #neighbours(address: Code, offset: number, lanes: number): Code {
    return lanes === 1 ? loadLane(this.precision, address, offset) : v128.load(address, offset);
  }

  /** Reals of the cells that neighbours end at. */
  #ofTargets(post: Code, offset: number, lanes: number): Code {
    if (lanes === 1 || this.others.length === 0) return this.#neighbours(post, offset, lanes);
    const load = this.bytes === 8 ? v128.load64_lane : v128.load32_lane;
    return this.others
      .slice(1)
      .reduce<Code>(
        (value, other, k) => load(get(other), offset, value, k + 1),
        loadLane(this.precision, post, offset),
      );
  }

  /** Mask: whether the tick until which a cell is refractory has been reached. */
  #reached(byte: Code, offset: number, lanes: number): Code {
    const wide = this.bytes === 8;
    const word = wide ? i32.shr_u(byte, i32.const(1)) : byte;
    const until =
      lanes === 1
        ? v128.load32_splat(word, offset)
        : this.others.length > 0
          ? this.#gatheredWords(offset)
          : (wide ? v128.load64_zero : v128.load)(word, offset);
    const now = this.#prologue.vector("tick", i32x4.splat(get(parameters.tick)));
    const mask = i32x4.le_s(until, now);
    return wide ? i64x2.extend_low_i32x4_s(mask) : mask;
  }

  /** A word of each cell that neighbours end at. */
  #gatheredWords(offset: number): Code {
    const word = (other: number): Code =>
      this.bytes === 8 ? i32.shr_u(get(other), i32.const(1)) : get(other);
    const [first, ...rest] = this.others;
    return rest.reduce<Code>(
      (value, other, k) => v128.load32_lane(word(other), offset, value, k + 1),
      v128.load32_zero(word(first), offset),
    );
  }

  get #counting(): Code {
    return this.#prologue.vector("0123", v128.const(0, 1, 2, 3));
  }

  /** Index of a cell within its slice, as a real. */
  #index(byte: Code, start: number, lanes = 1): Code {
    const index = (at: Code): Code => i32.sub(i32.div_u(at, i32.const(this.bytes)), i32.const(start));
    if (lanes === 1) return splatF64(this.precision, f64.convert_i32_s(index(byte)));
    const indices =
      this.others.length === 0
        ? i32x4.add(i32x4.splat(index(byte)), this.#counting)
        : this.others.reduce<Code>(
            (value, other, k) => i32x4.replace_lane(value, k, index(get(other))),
            i32x4.splat(i32.const(0)),
          );
    return this.bytes === 8 ? f64x2.convert_low_i32x4_s(indices) : f32x4.convert_i32x4_s(indices);
  }

  // ---- stores --------------------------------------------------------------------------------------

  /** Keeps the outcome of a handler at the synapse at hand and its neighbours. */
  store({ target: { target: name, scope }, node }: Outcome, emitter: Emitter, lanes: number): Code {
    const { memory, program, write } = this.#context;
    const { pre, post } = this.ends;
    const value = emitter.value(node);
    const put = (address: Code, offset: number): Code =>
      lanes === 1 ? storeLane(this.precision, address, offset, value) : v128.store(address, offset, value);
    const toTargets = (offset: number): Code => {
      if (lanes === 1 || this.others.length === 0) return put(post, offset);
      const store = this.bytes === 8 ? v128.store64_lane : v128.store32_lane;
      return this.others.map((other, k) => store(get(other), offset, value, k));
    };
    switch (scope) {
      case "synapse":
        if (name === program.weight && write !== undefined)
          return storeLane(
            this.precision,
            this.#synapseByte,
            memory.synapse[name],
            splatF64(
              this.precision,
              call(write, this.#synapseIndex, laneToF64(this.precision, value), get(parameters.tick)),
            ),
          );
        return put(this.#synapseByte, memory.synapse[name]);
      case "pre":
        return put(i32.add(pre, get(this.#preBase)), memory.pre[name]);
      case "post":
        return toTargets(memory.post[name]);
      case "precell":
        return put(pre, memory.source[name.slice(0, -4)]);
      case "postcell":
        return toTargets(memory.target[name.slice(0, -5)]);
      case "shared":
        return put(i32.const(0), memory.shared[name]);
      default:
        throw new Error(`${name} cannot be assigned by a synapse`);
    }
  }
}
