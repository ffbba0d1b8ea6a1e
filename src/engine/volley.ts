/**
 * Machine code of single pulses that many synapses of an event get: gathered, then done two at a time.
 *
 * Pulses onto different devices do not know of each other, so they may wait until all synapses of an event have been
 * met; the bits are those of doing each at once. Only for synapses of one device, where no two writes of an event meet.
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
  iff,
  loop,
  type ModuleBuilder,
  set,
  v128,
} from "../wasm/assembler.ts";
import { type Devices, pulseFunction, readFunction } from "./devices.ts";
import type { Layout } from "./layout.ts";
import { count, type Programming, readAfterWrite } from "./programming.ts";

/** Pulses that wait at most, in each direction. */
const capacity = 1024;

export interface Volley {
  /** Function (synapse, direction, tick): one pulse, direction 0 towards a greater weight, 1 towards a lesser. */
  readonly gather: number;
  /** Function (tick): gives all that wait, and reads what has become of the weights. */
  readonly fire: number;
}

/** Whether the single pulses of a projection may be gathered: one device a synapse, that nobody looks at in between. */
export const canGather = ({
  groups,
  devices,
  rounding,
  read,
  refresh,
  significances,
}: WeightStorage): boolean =>
  groups * devices === 1 &&
  rounding !== "accumulated" &&
  read === "run" &&
  refresh === undefined &&
  significances === undefined;

/** `weight`: where the projection keeps its weights. */
export function addVolley(
  module: ModuleBuilder,
  layout: Layout,
  label: string,
  devices: Devices,
  programming: Programming,
  weight: number,
): Volley {
  const waiting = layout.take(8, label); // i32 [direction]: how many
  const lists = layout.take(8 * capacity, label); // u32 [direction][waiting]: devices
  const fire = module.add(fireFunction(module, devices, programming, { waiting, lists, weight }));
  const fn = new FunctionBuilder({ parameters: ["i32", "i32", "i32"] });
  const [synapse, direction, tick] = [0, 1, 2];
  const n = fn.local("i32");
  const word = i32.shl(get(direction), i32.const(2));
  const place = i32.shl(i32.add(i32.mul(get(direction), i32.const(capacity)), get(n)), i32.const(2));
  fn.body = [
    // this synapse's weight is still to be kept by the handler: it must not be among those that fire now
    iff(i32.eq(i32.load(word, waiting), i32.const(capacity)), call(fire, get(tick))),
    set(n, i32.load(word, waiting)),
    i32.store(place, lists, get(synapse)),
    i32.store(word, waiting, i32.add(get(n), i32.const(1))),
  ];
  return { gather: module.add(fn), fire };
}

function fireFunction(
  module: ModuleBuilder,
  devices: Devices,
  programming: Programming,
  o: { readonly waiting: number; readonly lists: number; readonly weight: number },
): FunctionBuilder {
  const { storage, memory, context } = programming;
  const fn = new FunctionBuilder({ parameters: ["i32"] });
  const tick = 0;
  const p = fn.local("i32"); // of the list, in bytes
  const end = fn.local("i32");
  const total = fn.local("i32");
  const first = fn.local("i32");
  const second = fn.local("i32");
  const weights = fn.local("v128");
  const readTwo = module.add(readFunction(devices, "noisy", "other"));
  const wide = context.precision === "float64";
  const occasion = [get(tick), i32.const(readAfterWrite)];

  /** beta (G - reference): the steps of `weightFunction`, in storage.ts, on two lanes. */
  const weightsOf = (conductances: Code): Code =>
    f64x2.mul(
      f64x2.mul(
        f64x2.sub(
          f64x2.add(f64x2.splat(f64.const(0)), conductances),
          f64x2.splat(f64.const(storage.reference)),
        ),
        f64x2.splat(f64.const(storage.weightPerConductance)),
      ),
      v128.load64_splat(i32.const(0), memory.scale),
    );
  const keep = (synapse: number, lane: number): Code => {
    const value = f64x2.extract_lane(get(weights), lane);
    return wide
      ? f64.store(i32.shl(get(synapse), i32.const(3)), o.weight, value)
      : f32.store(i32.shl(get(synapse), i32.const(2)), o.weight, f32.demote_f64(value));
  };
  const noteCounter = (synapse: number): Code => {
    if (storage.counter === "shared") return [];
    const address = i32.shl(get(synapse), i32.const(2));
    return i32.store(address, memory.counters, i32.add(i32.load(address, memory.counters), i32.const(1)));
  };
  const at = (neighbour: number): Code => i32.load(get(p), o.lists + 4 * neighbour);

  const direction = (which: 0 | 1, pulse: string): Code => {
    const both = module.add(pulseFunction(devices, pulse, "other"));
    const alone = module.add(pulseFunction(devices, pulse));
    const two = [
      set(first, at(0)),
      set(second, at(1)),
      call(both, get(first), get(tick), get(second)),
      set(weights, weightsOf(call(readTwo, get(first), ...occasion, get(second)))),
      [first, second].map((synapse, lane) => [keep(synapse, lane), noteCounter(synapse)]),
    ];
    const one = [
      set(first, at(0)),
      call(alone, get(first), get(tick)),
      set(weights, weightsOf(call(readTwo, get(first), ...occasion, get(first)))),
      keep(first, 0),
      noteCounter(first),
    ];
    const begin = which * 4 * capacity;
    const many = i32.load(i32.const(4 * which), o.waiting);
    return [
      set(p, i32.const(begin)),
      set(end, i32.add(i32.const(begin), i32.shl(many, i32.const(2)))),
      set(total, i32.add(get(total), many)),
      count(memory, f64.convert_i32_s(many), which === 0 ? counted.increase : counted.decrease),
      block(
        br_if(0, i32.lt_u(i32.sub(get(end), get(p)), i32.const(8))),
        loop(
          two,
          set(p, i32.add(get(p), i32.const(8))),
          br_if(0, i32.ge_u(i32.sub(get(end), get(p)), i32.const(8))),
        ),
      ),
      iff(i32.lt_u(get(p), get(end)), one),
      i32.store(i32.const(4 * which), o.waiting, i32.const(0)),
    ];
  };
  const counter =
    storage.counter === "shared"
      ? i32.store(i32.const(0), memory.counters, i32.add(i32.load(i32.const(0), memory.counters), get(total)))
      : [];
  fn.body = [
    direction(0, storage.increase),
    storage.decrease === undefined ? [] : direction(1, storage.decrease),
    counter,
    count(memory, f64.convert_i32_s(get(total)), counted.reads),
  ];
  return fn;
}
