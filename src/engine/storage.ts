/**
 * Machine code of weights on devices: reads, and how a written weight becomes pulses.
 *
 * Devices of synapse k: [k][polarity][device], polarity 0 increases the weight. Counter word 3 of draws tells
 * reads of one tick apart: at an event, after a write, and all others. Pulses and reads of one device are devices.ts's.
 */
import type { WeightStorage } from "../device/pair.ts";
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
  type ModuleBuilder,
  select,
  set,
  tee,
  v128,
} from "../wasm/assembler.ts";
import { Emitter, Prologue } from "../wasm/emit.ts";
import { Graph, type Precision } from "../wasm/graph.ts";
import {
  type DeviceMemory,
  type Devices,
  fabrication,
  layOutDevices,
  pulseFunction,
  readFunction,
} from "./devices.ts";
import { sparseDraw } from "./draws.ts";
import { type Layout, padded } from "./layout.ts";
import { commonInput, type EmitContext, type UpdateOptions } from "./population.ts";

/** Counter word 3 of reads. */
export const readAtEvent = 0;
export const readAfterWrite = 0x10000;
export const readPlain = 0x10001;
const stochasticRounding = 0x10002;

export interface BuiltStorage {
  readonly storage: WeightStorage;
  readonly perSynapse: number; // devices
  readonly count: number; // devices in all
  readonly memory: DeviceMemory;
  readonly reading: number; // f64 [device]: what the last `readAll` read, S
  readonly pulses: number; // u32 [3]: SET pulses onto G+, onto G-, RESET pulses
  readonly counters: number; // u32 [1], or [synapse][polarity]
  readonly scale: number; // f64 [1]: weights are multiplied by it when read
  /** Function indices: (synapse, weight, tick) -> weight; (synapse, tick) -> weight. */
  readonly write: number;
  readonly read: number;
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
  const perSynapse = 2 * storage.devices;
  const count = synapses * perSynapse;
  const memory = layOutDevices(layout, storage.device.checked, count, label);
  const reading = layout.take(8 * padded(count), label);
  const pulses = layout.take(16, label);
  const counters = layout.take(storage.counter === "shared" ? 4 : 8 * synapses, label);
  const scale = layout.take(8, label);
  const devices: Devices = {
    model: storage.device.checked,
    memory,
    context: { ...context, precision: "float64" },
  };
  const setPulse = module.add(pulseFunction(devices, "set"));
  const readDevice = module.add(readFunction(devices, true));
  const quietDevice = module.add(readFunction(devices, false));
  const read = module.add(weightFunction(storage, readDevice, scale));
  const refresh =
    storage.refresh &&
    module.add(
      refreshFunction(storage, {
        quiet: quietDevice,
        set: setPulse,
        reset: module.add(pulseFunction(devices, "reset")),
        pulses,
        counters,
      }),
    );
  const write = module.add(
    writeFunction(storage, {
      read,
      set: setPulse,
      refresh,
      weight,
      precision,
      pulses,
      counters,
      scale,
      context,
    }),
  );
  exportReadAll(module, name, { count, readDevice, quietDevice, reading });
  exportReadWeights(module, name, { synapses, read, weight, precision });
  for (const update of fabrication(devices)) site.addInitialiser(padded(count), update);
  return { storage, perSynapse, count, memory, reading, pulses, counters, scale, write, read };
}

/**
 * Reads the devices of a synapse in turn: leaves a conductance in `value` and runs `each`, which finds the place of the
 * device in local `n`.
 */
function readSynapse(
  fn: FunctionBuilder,
  devices: number,
  read: (device: Code) => Code,
  o: { readonly synapse: Code; readonly n: number; readonly value: number; readonly each: Code },
): Code {
  const two = fn.local("v128");
  const next = i32.add(get(o.n), i32.const(1));
  return [
    set(o.n, i32.const(0)),
    loop(
      set(two, read(i32.add(i32.mul(o.synapse, i32.const(2 * devices)), get(o.n)))),
      ([0, 1] as const).map((lane) => [
        set(o.value, f64x2.extract_lane(get(two), lane)),
        o.each,
        lane === 0 ? set(o.n, next) : [],
      ]),
      br_if(0, i32.lt_u(tee(o.n, next), i32.const(2 * devices))),
    ),
  ];
}

/** read(synapse, tick, draw) -> weight: beta (sum of G+ - sum of G-). Boybat et al. 2018, eq. 1. */
function weightFunction(storage: WeightStorage, readDevice: number, scale: number): FunctionBuilder {
  const fn = new FunctionBuilder({ parameters: ["i32", "i32", "i32"], result: "f64" });
  const [synapse, tick, draw] = [0, 1, 2];
  const n = fn.local("i32");
  const sum = fn.local("f64");
  const value = fn.local("f64");
  const { devices } = storage;
  const isUp = i32.lt_u(get(n), i32.const(devices));
  fn.body = [
    readSynapse(fn, devices, (device) => call(readDevice, device, get(tick), get(draw)), {
      synapse: get(synapse),
      n,
      value,
      each: set(sum, select(f64.add(get(sum), get(value)), f64.sub(get(sum), get(value)), isUp)),
    }),
    f64.mul(f64.mul(get(sum), f64.const(storage.weightPerConductance)), f64.load(i32.const(0), scale)),
  ];
  return fn;
}

/** Emits `pulses` pulses, each to the device its counter points at, and counts them. */
function pulseLoop(
  storage: WeightStorage,
  o: {
    fn: FunctionBuilder;
    set: number;
    counters: number;
    synapse: Code;
    polarity: Code;
    pulses: number; // local
    tick: Code;
    tally: number;
  },
): Code {
  const p = o.fn.local("i32");
  const counter = o.fn.local("i32");
  const address: Code =
    storage.counter === "shared"
      ? i32.const(0)
      : i32.shl(i32.add(i32.shl(o.synapse, i32.const(1)), o.polarity), i32.const(2));
  const first = i32.add(
    i32.mul(o.synapse, i32.const(2 * storage.devices)),
    i32.mul(o.polarity, i32.const(storage.devices)),
  );
  const tallyAddress = i32.shl(o.polarity, i32.const(2));
  return [
    set(p, i32.const(0)),
    block(
      br_if(0, i32.le_s(get(o.pulses), i32.const(0))),
      loop(
        set(counter, i32.load(address, o.counters)),
        call(o.set, i32.add(first, i32.rem_u(get(counter), i32.const(storage.devices))), o.tick),
        i32.store(address, o.counters, i32.add(get(counter), i32.const(1))),
        br_if(0, i32.lt_s(tee(p, i32.add(get(p), i32.const(1))), get(o.pulses))),
      ),
      i32.store(tallyAddress, o.tally, i32.add(i32.load(tallyAddress, o.tally), get(o.pulses))),
    ),
  ];
}

/**
 * write(synapse, weight, tick) -> weight to keep: as read after the pulses, or as it was when none was due. Pulses are
 * for the difference to what the handler read: the kept weight, or with a read at every event that read again.
 */
function writeFunction(
  storage: WeightStorage,
  o: {
    read: number;
    set: number;
    refresh?: number;
    weight: number;
    precision: Precision;
    pulses: number;
    counters: number;
    scale: number;
    context: EmitContext;
  },
): FunctionBuilder {
  const fn = new FunctionBuilder({ parameters: ["i32", "f64", "i32"], result: "f64" });
  const [synapse, wanted, tick] = [0, 1, 2];
  const stored = fn.local("f64");
  const before = fn.local("f64"); // what the handler read
  const steps = fn.local("f64"); // conductance change in pulses, signed
  const polarity = fn.local("i32");
  const pulses = fn.local("i32");
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
      return commonInput(node, prologue, o.context, get(tick)) as Code;
    },
  });
  const size = graph.node("abs", [graph.input("steps")]);
  const rounded =
    storage.rounding === "nearest"
      ? graph.node("floor", [graph.add(size, graph.constant(0.5))])
      : graph.node("floor", [
          graph.add(
            size,
            sparseDraw(
              graph,
              { kind: "random", distribution: "uniform", stream: stochasticRounding, args: [] },
              [],
            ),
          ),
        ]);
  const capped = graph.node("min", [rounded, graph.constant(storage.maxPulses)]);
  const byte: Code = i32.shl(get(synapse), i32.const(o.precision === "float64" ? 3 : 2));
  const wide = o.precision === "float64";
  const load = wide ? f64.load(byte, o.weight) : f64.promote_f32(f32.load(byte, o.weight));
  const readAgain = call(o.read, get(synapse), get(tick), i32.const(readAtEvent));
  fn.body = [
    prologue.code,
    set(stored, load),
    set(before, get(stored)),
    storage.read === "run" ? [] : set(before, wide ? readAgain : f64.promote_f32(f32.demote_f64(readAgain))),
    set(
      steps,
      f64.div(
        f64.mul(
          f64.sub(get(wanted), get(before)),
          f64.const(1 / (storage.weightPerConductance * storage.step)),
        ),
        f64.load(i32.const(0), o.scale),
      ),
    ),
    set(polarity, f64.lt(get(steps), f64.const(0))),
    emitter.define([capped]),
    set(pulses, i32.trunc_sat_f64_s(f64x2.extract_lane(emitter.value(capped), 0))),
    pulseLoop(storage, {
      fn,
      set: o.set,
      counters: o.counters,
      synapse: get(synapse),
      polarity: get(polarity),
      pulses,
      tick: get(tick),
      tally: o.pulses,
    }),
    o.refresh === undefined ? [] : set(pulses, i32.or(get(pulses), call(o.refresh, get(synapse), get(tick)))),
    iff(get(pulses), set(stored, call(o.read, get(synapse), get(tick), i32.const(readAfterWrite)))),
    get(stored),
  ];
  return fn;
}

/**
 * refresh(synapse, tick) -> whether it was due: when the mean conductance of a group exceeds `above` and the means differ by less
 * than `difference`, RESETs all devices of the synapse and writes the difference again, open loop.
 */
function refreshFunction(
  storage: WeightStorage,
  o: { quiet: number; set: number; reset: number; pulses: number; counters: number },
): FunctionBuilder {
  const refresh = storage.refresh as NonNullable<WeightStorage["refresh"]>;
  const fn = new FunctionBuilder({ parameters: ["i32", "i32"], result: "i32" });
  const [synapse, tick] = [0, 1];
  const due = fn.local("i32");
  const sums = [fn.local("f64"), fn.local("f64")];
  const n = fn.local("i32");
  const value = fn.local("f64");
  const first = fn.local("i32");
  const difference = fn.local("f64");
  const pulses = fn.local("i32");
  const polarity = fn.local("i32");
  const { devices } = storage;
  const add = (which: number): Code => set(sums[which], f64.add(get(sums[which]), get(value)));
  const full = devices * refresh.above;
  const magnitude = select(
    get(difference),
    f64.sub(f64.const(0), get(difference)),
    f64.gt(get(difference), f64.const(0)),
  );
  const rule = i32.and(
    i32.or(f64.gt(get(sums[0]), f64.const(full)), f64.gt(get(sums[1]), f64.const(full))),
    f64.lt(magnitude, f64.const(devices * refresh.difference)),
  );
  fn.body = [
    set(first, i32.mul(get(synapse), i32.const(2 * devices))),
    readSynapse(fn, devices, (device) => call(o.quiet, device, get(tick), i32.const(readAtEvent)), {
      synapse: get(synapse),
      n,
      value,
      each: [
        iff(i32.lt_u(get(n), i32.const(devices)), add(0)),
        iff(i32.ge_u(get(n), i32.const(devices)), add(1)),
      ],
    }),
    set(difference, f64.sub(get(sums[0]), get(sums[1]))),
    iff(tee(due, rule), [
      set(n, i32.const(0)),
      loop(
        call(o.reset, i32.add(get(first), get(n)), get(tick)),
        br_if(0, i32.lt_u(tee(n, i32.add(get(n), i32.const(1))), i32.const(2 * devices))),
      ),
      i32.store(
        i32.const(0),
        o.pulses + 8,
        i32.add(i32.load(i32.const(0), o.pulses + 8), i32.const(2 * devices)),
      ),
      set(
        pulses,
        i32.trunc_sat_f64_s(f64.add(f64.mul(magnitude, f64.const(1 / storage.step)), f64.const(0.5))),
      ),
      set(polarity, f64.lt(get(difference), f64.const(0))),
      pulseLoop(storage, {
        fn,
        set: o.set,
        counters: o.counters,
        synapse: get(synapse),
        polarity: get(polarity),
        pulses,
        tick: get(tick),
        tally: o.pulses,
      }),
    ]),
    get(due),
  ];
  return fn;
}

/** readAll_<name>(tick, quiet): every device's conductance into `reading`; quiet leaves read noise out. */
function exportReadAll(
  module: ModuleBuilder,
  name: string,
  o: { count: number; readDevice: number; quietDevice: number; reading: number },
): void {
  const fn = new FunctionBuilder({ parameters: ["i32", "i32"], exportName: `readAll ${name}` });
  const [tick, quiet] = [0, 1];
  const d = fn.local("i32");
  const two = fn.local("v128");
  const args = [get(d), get(tick), i32.const(readPlain)];
  fn.body = loop(
    iff(get(quiet), set(two, call(o.quietDevice, ...args)), set(two, call(o.readDevice, ...args))),
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
