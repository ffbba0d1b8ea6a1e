/**
 * Machine code of writes: how a weight that a handler asked for becomes pulses onto the devices of its synapse.
 *
 * Open loop: nobody looks at what a pulse did until the synapse is read again. Which pulses a composition gives is
 * decided when the code is made, so a pair that only goes up pays nothing for the others. Pulses and reads of one
 * device are devices.ts's.
 */
import { counted } from "../device/counts.ts";
import type { WeightStorage } from "../device/storage.ts";
import {
  block,
  br_if,
  type Code,
  call,
  FunctionBuilder,
  f32,
  f64,
  f64x2,
  get,
  i32,
  i32x4,
  iff,
  loop,
  select,
  set,
  tee,
} from "../wasm/assembler.ts";
import { Emitter, Prologue } from "../wasm/emit.ts";
import { Graph } from "../wasm/graph.ts";
import { sparseDraw } from "./draws.ts";
import { commonInput, type EmitContext } from "./population.ts";

/** Counter word 3 of reads. */
export const readAtEvent = 0;
export const readAfterWrite = 0x10000;
export const readPlain = 0x10001;
const stochasticRounding = 0x10002;

/** Where a projection keeps its weights and what belongs to its devices besides their state. */
export interface StorageMemory {
  readonly counts: number; // f64 [counted.size]
  readonly counters: number; // u32 [1], or [synapse][group]
  readonly scale: number; // f64 [1]: weights are multiplied by it when read
  readonly left?: number; // f64 [synapse]: what accumulates, in steps
  readonly readAt?: number; // u32 [synapse]: tick of the last read at an event, plus one
}

/** Function indices of pulses onto a device, (device, tick), and of reads of two, (device, tick, draw) -> v128. */
export interface DeviceFunctions {
  readonly increase: number;
  readonly decrease?: number;
  readonly reset?: number;
  readonly read: number;
  readonly quiet: number;
}

export interface Programming {
  readonly storage: WeightStorage;
  readonly memory: StorageMemory;
  readonly devices: DeviceFunctions;
  readonly context: EmitContext; // of the projection
}

/** Adds to a count. `place`: code of the count's number where it depends on the group. */
export function count(memory: StorageMemory, by: Code, first: number, place: Code = i32.const(0)): Code {
  const address = i32.shl(place, i32.const(3));
  const offset = memory.counts + 8 * first;
  return f64.store(address, offset, f64.add(f64.load(address, offset), by));
}

/** A conductance times the significance of the device with number `n` in its synapse. */
export function weighted({ significances, devices }: WeightStorage, value: Code, n: Code): Code {
  if (!significances) return value;
  const own = i32.rem_u(n, i32.const(devices));
  const significance = significances
    .slice(0, -1)
    .reduceRight<Code>(
      (rest, s, k) => select(f64.const(s), rest, i32.eq(own, i32.const(k))),
      f64.const(significances[devices - 1]),
    );
  return f64.mul(value, significance);
}

/**
 * Reads the devices of a synapse in turn: leaves a conductance in `value` and runs `each`, which finds the place of the
 * device in local `n`.
 */
export function readSynapse(
  fn: FunctionBuilder,
  perSynapse: number,
  read: (device: Code) => Code,
  o: { readonly synapse: Code; readonly n: number; readonly value: number; readonly each: Code },
): Code {
  const two = fn.local("v128");
  const next = i32.add(get(o.n), i32.const(1));
  const second = [set(o.value, f64x2.extract_lane(get(two), 1)), o.each];
  return [
    set(o.n, i32.const(0)),
    loop(
      set(two, read(i32.add(i32.mul(o.synapse, i32.const(perSynapse)), get(o.n)))),
      set(o.value, f64x2.extract_lane(get(two), 0)),
      o.each,
      set(o.n, next),
      perSynapse % 2 === 0 ? second : iff(i32.lt_u(get(o.n), i32.const(perSynapse)), second),
      br_if(0, i32.lt_u(tee(o.n, next), i32.const(perSynapse))),
    ),
  ];
}

interface Train {
  readonly kind: "increase" | "decrease";
  readonly synapse: Code;
  readonly group: Code;
  readonly steps: number; // local i32: change of the group, in steps
  readonly tick: Code;
  /** Most pulses where significances decide how many there are. */
  readonly most?: number;
  /** Local i32 for the steps that could not be made; only with significances. */
  readonly rest?: number;
}

/** Emits a train of pulses onto one group of a synapse and counts them. */
function train(fn: FunctionBuilder, programming: Programming, o: Train): Code {
  const { storage, memory, devices } = programming;
  const { groups, significances } = storage;
  const pulse = devices[o.kind] as number;
  const p = fn.local("i32");
  const first = i32.mul(
    i32.add(groups === 1 ? o.synapse : i32.shl(o.synapse, i32.const(1)), o.group),
    i32.const(storage.devices),
  );
  const counts = (pulses: number): Code =>
    count(memory, f64.convert_i32_s(get(pulses)), counted[o.kind], o.group);
  if (significances) return slicedTrain(fn, { ...o, first, pulse, significances, counts });
  const counter = fn.local("i32");
  const address: Code =
    storage.counter === "shared"
      ? i32.const(0)
      : i32.shl(i32.add(i32.mul(o.synapse, i32.const(groups)), o.group), i32.const(2));
  return [
    set(p, i32.const(0)),
    block(
      br_if(0, i32.le_s(get(o.steps), i32.const(0))),
      loop(
        set(counter, i32.load(address, memory.counters)),
        call(pulse, i32.add(first, i32.rem_u(get(counter), i32.const(storage.devices))), o.tick),
        i32.store(address, memory.counters, i32.add(get(counter), i32.const(1))),
        br_if(0, i32.lt_s(tee(p, i32.add(get(p), i32.const(1))), get(o.steps))),
      ),
      counts(o.steps),
    ),
  ];
}

/** The most significant device gets as many pulses as fit, the next as many as fit in what is left, and so on. */
function slicedTrain(
  fn: FunctionBuilder,
  o: Train & {
    readonly first: Code;
    readonly pulse: number;
    readonly significances: readonly number[];
    readonly counts: (pulses: number) => Code;
  },
): Code {
  const rest = o.rest ?? fn.local("i32");
  const pulses = fn.local("i32"); // onto this device
  const all = fn.local("i32"); // onto the group
  const p = fn.local("i32");
  const left = i32.sub(i32.const(o.most ?? 0), get(all));
  return [
    set(rest, get(o.steps)),
    set(all, i32.const(0)),
    o.significances.map((s, k) => [
      set(pulses, i32.div_u(get(rest), i32.const(s))),
      o.most === undefined ? [] : set(pulses, select(left, get(pulses), i32.gt_s(get(pulses), left))),
      set(rest, i32.sub(get(rest), i32.mul(get(pulses), i32.const(s)))),
      set(all, i32.add(get(all), get(pulses))),
      set(p, i32.const(0)),
      iff(
        get(pulses),
        loop(
          call(o.pulse, i32.add(o.first, i32.const(k)), o.tick),
          br_if(0, i32.lt_s(tee(p, i32.add(get(p), i32.const(1))), get(pulses))),
        ),
      ),
    ]),
    o.counts(all),
  ];
}

/**
 * write(synapse, weight, tick) -> weight to keep: as read after the pulses, or as it was when none was due. Pulses are
 * for the difference to what the handler read: the kept weight, or with a read at every event that read again. A
 * weight that is no finite number is kept as it is, so that the run stops. `gather`: function (synapse, direction, tick)
 * that sees to a single pulse later, together with others (volley.ts).
 */
export function writeFunction(
  programming: Programming,
  o: {
    readonly read: number;
    readonly refresh?: number;
    readonly weight: number;
    readonly gather?: number;
  },
): FunctionBuilder {
  const { storage, memory, context } = programming;
  const { rounding, significances, maxPulses, opposite } = storage;
  const fn = new FunctionBuilder({ parameters: ["i32", "f64", "i32"], result: "f64" });
  const [synapse, wanted, tick] = [0, 1, 2];
  const stored = fn.local("f64");
  const before = fn.local("f64"); // what the handler read
  const steps = fn.local("f64"); // change of a group in steps, signed
  const direction = fn.local("i32"); // 0: a greater weight, 1: a lesser one
  const given = fn.local("i32"); // whole steps
  const rest = fn.local("i32"); // of these, what could not be given
  const graph = new Graph("float64");
  const prologue = new Prologue(fn);
  const emitter = new Emitter({
    fn,
    prologue,
    precision: "float64",
    input: (node) => {
      const name = node.name as string;
      if (name === "steps") return f64x2.splat(get(steps));
      if (name === "element") return i32x4.splat(get(synapse));
      return commonInput(node, prologue, { ...context, precision: "float64" }, get(tick)) as Code;
    },
  });
  const size = graph.node("abs", [graph.input("steps")]);
  const draw = { kind: "random", distribution: "uniform", stream: stochasticRounding, args: [] } as const;
  const more = {
    nearest: () => graph.add(size, graph.constant(0.5)),
    stochastic: () => graph.add(size, sparseDraw(graph, draw, [])),
    accumulated: () => size,
  }[rounding]();
  const most = maxPulses * (significances?.[0] ?? 1);
  const capped = graph.node("min", [graph.node("floor", [more]), graph.constant(most)]);
  const wide = context.precision === "float64";
  const byte: Code = i32.shl(get(synapse), i32.const(wide ? 3 : 2));
  const load = wide ? f64.load(byte, o.weight) : f64.promote_f32(f32.load(byte, o.weight));
  const readAgain = call(o.read, get(synapse), get(tick), i32.const(readAtEvent));
  const perStep = storage.weightPerConductance * storage.step * (opposite ? 2 : 1);
  const pulses = (kind: Train["kind"], group: Code): Code =>
    train(fn, programming, {
      kind,
      group,
      synapse: get(synapse),
      steps: given,
      rest,
      tick: get(tick),
      most: maxPulses,
    });
  const trains =
    storage.groups === 1
      ? iff(get(direction), pulses("decrease", i32.const(0)), pulses("increase", i32.const(0)))
      : [
          pulses("increase", get(direction)),
          opposite ? pulses("decrease", i32.xor(get(direction), i32.const(1))) : [],
        ];
  const leftAddress = i32.shl(get(synapse), i32.const(3));
  const done = f64.convert_i32_s(significances ? i32.sub(get(given), get(rest)) : get(given));
  const keepRest = (left: number): Code =>
    f64.store(
      leftAddress,
      left,
      f64.sub(get(steps), select(f64.sub(f64.const(0), done), done, get(direction))),
    );
  const finite = i32.and(
    f64.lt(get(wanted), f64.const(Number.POSITIVE_INFINITY)),
    f64.gt(get(wanted), f64.const(Number.NEGATIVE_INFINITY)),
  );
  const atOnce = [
    trains,
    memory.left === undefined ? [] : keepRest(memory.left),
    o.refresh === undefined ? [] : set(given, i32.or(get(given), call(o.refresh, get(synapse), get(tick)))),
    iff(get(given), set(stored, call(o.read, get(synapse), get(tick), i32.const(readAfterWrite)))),
  ];
  const program = [
    set(before, get(stored)),
    storage.read === "run" ? [] : set(before, wide ? readAgain : f64.promote_f32(f32.demote_f64(readAgain))),
    set(
      steps,
      f64.div(
        f64.mul(f64.sub(get(wanted), get(before)), f64.const(1 / perStep)),
        f64.load(i32.const(0), memory.scale),
      ),
    ),
    memory.left === undefined ? [] : set(steps, f64.add(f64.load(leftAddress, memory.left), get(steps))),
    set(direction, f64.lt(get(steps), f64.const(0))),
    emitter.define([capped]),
    set(given, i32.trunc_sat_f64_s(f64x2.extract_lane(emitter.value(capped), 0))),
    o.gather === undefined
      ? atOnce
      : iff(
          i32.eq(get(given), i32.const(1)),
          call(o.gather, get(synapse), get(direction), get(tick)),
          atOnce,
        ),
  ];
  fn.body = [prologue.code, set(stored, load), iff(finite, program, set(stored, get(wanted))), get(stored)];
  return fn;
}

/**
 * refresh(synapse, tick) -> whether it was due: when the mean conductance of a group exceeds `above` and the means are as
 * the rule asks, RESETs all devices of the synapse and writes the difference again, open loop.
 */
export function refreshFunction(
  programming: Programming,
  rule: NonNullable<WeightStorage["refresh"]>,
): FunctionBuilder {
  const { storage, memory, devices } = programming;
  const fn = new FunctionBuilder({ parameters: ["i32", "i32"], result: "i32" });
  const [synapse, tick] = [0, 1];
  const due = fn.local("i32");
  const sums = [fn.local("f64"), fn.local("f64")];
  const n = fn.local("i32");
  const value = fn.local("f64");
  const first = fn.local("i32");
  const difference = fn.local("f64");
  const steps = fn.local("i32");
  const group = fn.local("i32");
  const perSynapse = 2 * storage.devices;
  const weight = storage.significances?.reduce((a, b) => a + b, 0) ?? storage.devices; // of a group
  const add = (which: number): Code =>
    set(sums[which], f64.add(get(sums[which]), weighted(storage, get(value), get(n))));
  const magnitude = select(
    get(difference),
    f64.sub(f64.const(0), get(difference)),
    f64.gt(get(difference), f64.const(0)),
  );
  const exceeds = (which: number, mean: number): Code => f64.gt(get(sums[which]), f64.const(weight * mean));
  const full = i32.or(exceeds(0, rule.above), exceeds(1, rule.above));
  const both = i32.and(exceeds(0, rule.otherAbove), exceeds(1, rule.otherAbove));
  const near = f64.lt(magnitude, f64.const(weight * rule.difference));
  fn.body = [
    set(first, i32.mul(get(synapse), i32.const(perSynapse))),
    readSynapse(fn, perSynapse, (device) => call(devices.quiet, device, get(tick), i32.const(readAtEvent)), {
      synapse: get(synapse),
      n,
      value,
      each: [
        iff(i32.lt_u(get(n), i32.const(storage.devices)), add(0)),
        iff(i32.ge_u(get(n), i32.const(storage.devices)), add(1)),
      ],
    }),
    count(memory, f64.const(perSynapse), counted.reads),
    set(difference, f64.sub(get(sums[0]), get(sums[1]))),
    iff(tee(due, i32.and(i32.and(full, both), near)), [
      set(n, i32.const(0)),
      loop(
        call(devices.reset as number, i32.add(get(first), get(n)), get(tick)),
        br_if(0, i32.lt_u(tee(n, i32.add(get(n), i32.const(1))), i32.const(perSynapse))),
      ),
      count(memory, f64.const(perSynapse), counted.reset),
      set(
        steps,
        i32.trunc_sat_f64_s(f64.add(f64.mul(magnitude, f64.const(1 / storage.step)), f64.const(0.5))),
      ),
      set(group, f64.lt(get(difference), f64.const(0))),
      train(fn, programming, {
        kind: "increase",
        synapse: get(synapse),
        group: get(group),
        steps,
        tick: get(tick),
      }),
    ]),
    get(due),
  ];
  return fn;
}
