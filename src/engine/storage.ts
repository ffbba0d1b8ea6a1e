/**
 * Weights on devices: where they lie, and machine code that reads them.
 *
 * Devices of synapse k: [k][group][device], group 0 increases the weight. Counter word 3 of draws tells
 * reads of one tick apart: at an event, after a write, and all others. Writes are programming.ts's.
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
  get,
  i32,
  iff,
  loop,
  type ModuleBuilder,
  select,
  set,
  tee,
  v128,
} from "../wasm/assembler.ts";
import type { Precision } from "../wasm/graph.ts";
import {
  type DeviceMemory,
  type Devices,
  fabrication,
  layOutDevices,
  pulseFunction,
  readFunction,
} from "./devices.ts";
import { type Layout, padded } from "./layout.ts";
import type { EmitContext, UpdateOptions } from "./population.ts";
import {
  count,
  type DeviceFunctions,
  type Programming,
  readAtEvent,
  readPlain,
  readSynapse,
  refreshFunction,
  type StorageMemory,
  weighted,
  writeFunction,
} from "./programming.ts";
import { addVolley, canGather } from "./volley.ts";

export interface BuiltStorage extends StorageMemory {
  readonly storage: WeightStorage;
  readonly perSynapse: number; // devices
  readonly count: number; // devices in all
  readonly memory: DeviceMemory;
  readonly reading: number; // f64 [device]: what the last `readAll` read, S
  /** Function indices: (synapse, weight, tick) -> weight; (synapse, tick, draw) -> weight. */
  readonly write: number;
  readonly read: number;
  /** Function (tick), where single pulses of an event are gathered: called at the end of each. */
  readonly fire?: number;
}

/** A network being built, as far as storage adds to it. */
interface Site {
  readonly module: ModuleBuilder;
  readonly layout: Layout;
  addInitialiser(places: number, options: UpdateOptions): void;
}

/** Lays out and emits the devices of a projection. `weight` is where the projection keeps its weights. */
export function buildStorage(
  site: Site,
  name: string,
  storage: WeightStorage,
  options: { readonly synapses: number; readonly weight: number; readonly context: EmitContext },
): BuiltStorage {
  const { module, layout } = site;
  const { synapses, weight, context } = options;
  const { precision } = context;
  const label = `${name} devices`;
  const perSynapse = storage.groups * storage.devices;
  const total = synapses * perSynapse;
  // two devices are read at a time: behind an odd number of them stands one more
  const memory = layOutDevices(layout, storage.device.checked, total + (perSynapse % 2), label);
  const reading = layout.take(8 * padded(total), label);
  const own: StorageMemory = {
    counts: layout.take(8 * counted.size, label),
    counters: layout.take(storage.counter === "shared" ? 4 : 4 * storage.groups * synapses, label),
    scale: layout.take(8, label),
    left: storage.rounding === "accumulated" ? layout.take(8 * synapses, label) : undefined,
    readAt: storage.read === "event" ? layout.take(4 * synapses, label) : undefined,
  };
  const devices: Devices = {
    model: storage.device.checked,
    memory,
    context: { ...context, precision: "float64" },
  };
  const pulse = (kind: string | undefined) =>
    kind === undefined ? undefined : module.add(pulseFunction(devices, kind));
  const functions: DeviceFunctions = {
    increase: module.add(pulseFunction(devices, storage.increase)),
    decrease: pulse(storage.decrease),
    reset: pulse(storage.refresh && "reset"),
    read: module.add(readFunction(devices, "noisy")),
    quiet: module.add(readFunction(devices, "quiet")),
  };
  const programming: Programming = { storage, memory: own, devices: functions, context };
  const read = module.add(weightFunction(programming));
  const refresh = storage.refresh && module.add(refreshFunction(programming, storage.refresh));
  const volley = canGather(storage)
    ? addVolley(module, layout, label, devices, programming, weight)
    : undefined;
  const write = module.add(writeFunction(programming, { read, refresh, weight, gather: volley?.gather }));
  exportReadAll(module, name, { count: total, reading, ...functions });
  exportReadWeights(module, name, { synapses, read, weight, precision });
  for (const update of fabrication(devices)) site.addInitialiser(padded(total), update);
  return { ...own, storage, perSynapse, count: total, memory, reading, write, fire: volley?.fire, read };
}

/**
 * read(synapse, tick, draw) -> weight: beta (sum of G+ - sum of G-), Boybat et al. 2018, eq. 1; with a single group
 * beta (sum of G - reference).
 */
function weightFunction({ storage, memory, devices }: Programming): FunctionBuilder {
  const fn = new FunctionBuilder({ parameters: ["i32", "i32", "i32"], result: "f64" });
  const [synapse, tick, draw] = [0, 1, 2];
  const n = fn.local("i32");
  const sum = fn.local("f64");
  const value = fn.local("f64");
  const perSynapse = storage.groups * storage.devices;
  const own = weighted(storage, get(value), get(n));
  const more = f64.add(get(sum), own);
  const isUp = i32.lt_u(get(n), i32.const(storage.devices));
  fn.body = [
    readSynapse(fn, perSynapse, (device) => call(devices.read, device, get(tick), get(draw)), {
      synapse: get(synapse),
      n,
      value,
      each: set(sum, storage.groups === 1 ? more : select(more, f64.sub(get(sum), own), isUp)),
    }),
    countRead({ storage, memory }, { synapse: get(synapse), tick: get(tick), draw: get(draw) }),
    storage.groups === 1 ? set(sum, f64.sub(get(sum), f64.const(storage.reference))) : [],
    f64.mul(f64.mul(get(sum), f64.const(storage.weightPerConductance)), f64.load(i32.const(0), memory.scale)),
  ];
  return fn;
}

/** Counts a read of a synapse. At events of one tick a synapse is read once: they see the same number. */
function countRead(
  { storage, memory }: Pick<Programming, "storage" | "memory">,
  o: { readonly synapse: Code; readonly tick: Code; readonly draw: Code },
): Code {
  const add = count(memory, f64.const(storage.groups * storage.devices), counted.reads);
  if (memory.readAt === undefined) return add;
  const address = i32.shl(o.synapse, i32.const(2));
  const now = i32.add(o.tick, i32.const(1));
  const atEvent = i32.eq(o.draw, i32.const(readAtEvent));
  const known = i32.eq(i32.load(address, memory.readAt), now);
  return [iff(i32.eqz(i32.and(atEvent, known)), add), iff(atEvent, i32.store(address, memory.readAt, now))];
}

/** readAll_<name>(tick, quiet): every device's conductance into `reading`; quiet leaves read noise out. */
function exportReadAll(
  module: ModuleBuilder,
  name: string,
  o: { readonly count: number; readonly reading: number; readonly read: number; readonly quiet: number },
): void {
  const fn = new FunctionBuilder({ parameters: ["i32", "i32"], exportName: `readAll ${name}` });
  const [tick, quiet] = [0, 1];
  const d = fn.local("i32");
  const two = fn.local("v128");
  const args = [get(d), get(tick), i32.const(readPlain)];
  fn.body = loop(
    iff(get(quiet), set(two, call(o.quiet, ...args)), set(two, call(o.read, ...args))),
    v128.store(i32.shl(get(d), i32.const(3)), o.reading, get(two)),
    br_if(0, i32.lt_u(tee(d, i32.add(get(d), i32.const(2))), i32.const(o.count))),
  );
  module.add(fn);
}

/** readWeights_<name>(tick): every weight as read now. */
function exportReadWeights(
  module: ModuleBuilder,
  name: string,
  o: { synapses: number; read: number; weight: number; precision: Precision },
): void {
  const fn = new FunctionBuilder({ parameters: ["i32"], exportName: `readWeights ${name}` });
  const tick = 0;
  const k = fn.local("i32");
  const value = fn.local("f64");
  const store =
    o.precision === "float64"
      ? f64.store(i32.shl(get(k), i32.const(3)), o.weight, get(value))
      : f32.store(i32.shl(get(k), i32.const(2)), o.weight, f32.demote_f64(get(value)));
  fn.body = block(
    br_if(0, i32.eqz(i32.const(o.synapses))),
    loop(
      set(value, call(o.read, get(k), get(tick), i32.const(readPlain))),
      store,
      br_if(0, i32.lt_u(tee(k, i32.add(get(k), i32.const(1))), i32.const(o.synapses))),
    ),
  );
  module.add(fn);
}
