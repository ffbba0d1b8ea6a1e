/**
 * Machine code of devices: their state in memory, fabrication, pulses and reads.
 *
 * One device at a time, two neighbours or any two side by side, with the same bits. All is float64, whatever a network's
 * precision. The clock of devices is simulated time plus what they waited. Draws are sparse, by device index; the nth
 * pulse of a device draws the same numbers whenever and in whatever company it comes. Knows nothing of weights or
 * synapses.
 */
import { quietRead, readSd } from "../device/read.ts";
import { inline } from "../language/algebra.ts";
import type { CheckedModel } from "../language/checked.ts";
import type { Expression } from "../language/expression.ts";
import { type Move, moves, odeStep } from "../language/pulse.ts";
import {
  br_if,
  type Code,
  FunctionBuilder,
  f64,
  f64x2,
  get,
  i32,
  i32x4,
  loop,
  set,
  tee,
  v128,
} from "../wasm/assembler.ts";
import { Emitter, Prologue } from "../wasm/emit.ts";
import { Graph, type Node } from "../wasm/graph.ts";
import { loadLane, storeLane } from "../wasm/lane.ts";
import { Lowering } from "../wasm/lower.ts";
import { sparseDraw } from "./draws.ts";
import { flickerDraw } from "./flicker.ts";
import { type Layout, padded } from "./layout.ts";
import { commonInput, type EmitContext, type UpdateOptions } from "./population.ts";
import { cells } from "./schedule.ts";

/** Where the state of devices lies. */
export interface DeviceMemory {
  readonly count: number;
  readonly variables: Readonly<Record<string, number>>; // f64 [device]
  /** f64 [device]: arguments of the pulse to come; those without a place have the value of their parameter. */
  readonly arguments?: Readonly<Record<string, number>>;
  readonly writtenAt: number; // f64 [device], s on the clock of devices
  readonly pulsed: number; // u32 [device]: pulses received
}

/** Devices of one model in one memory. */
export interface Devices {
  readonly model: CheckedModel;
  readonly memory: DeviceMemory;
  readonly context: EmitContext; // of precision float64
}

export function layOutDevices(
  layout: Layout,
  model: CheckedModel,
  count: number,
  label: string,
): DeviceMemory {
  const array = () => layout.take(8 * padded(count), label);
  return {
    count,
    variables: Object.fromEntries(model.variables.map((v) => [v.name, array()])),
    writtenAt: array(),
    pulsed: layout.take(4 * padded(count), label),
  };
}

/** Pushes the clock of devices, s. */
const clock = (tick: Code, dt: number): Code =>
  f64.add(f64.mul(f64.convert_i32_u(tick), f64.const(dt)), f64.load(i32.const(0), cells.deviceTime));

type Values = ReadonlyMap<string, Node>; // by name

interface Tools {
  readonly fn: FunctionBuilder;
  readonly graph: Graph;
  readonly lower: (e: Expression, values?: Values) => Node;
  readonly emitter: Emitter;
  readonly now: Code; // v128, s
  /** What the device stores, or is given, by name. */
  readonly input: (name: string) => Node;
  /** An input that reads a v128. */
  readonly local: (index: number) => Node;
  /** Stores the lanes of a v128 into an f64 [device]. */
  readonly store: (offset: number, value: Code) => Code;
}

const signatures = {
  pulse: { parameters: ["i32", "i32"] },
  read: { parameters: ["i32", "i32", "i32"], result: "v128" },
  drive: { parameters: ["i32", "i32", "f64", "f64"], result: "v128" },
} as const;

/** The device that is named, it and the next or the next three, or it and another that is named last. */
export type Company = "alone" | "next" | "nextThree" | "other";

/**
 * A pulse: (device, tick), whose draws are addressed by the pulses before it; a read: (device, tick, draw) -> v128; or a
 * sample of a waveform: (device, sample, voltage, dt) -> v128. In the company of another device its number comes last.
 */
function deviceFunction(
  { model, memory, context }: Devices,
  kind: keyof typeof signatures,
  company: Company,
  body: (tools: Tools) => Code,
): FunctionBuilder {
  const pulse = kind === "pulse";
  const lanes = company === "alone" ? 1 : 2;
  const groups = company === "nextThree" ? ([0, 1] as const) : ([0] as const); // of two lanes
  const { parameters: own, ...result } = signatures[kind];
  const fn = new FunctionBuilder({
    parameters: company === "other" ? [...own, "i32"] : own,
    ...result,
  });
  const [device, tick, draw, other] = [0, 1, 2, own.length];
  const places = pulse ? (memory.arguments ?? {}) : {};
  const byte = fn.local("i32");
  const otherByte = fn.local("i32");
  const scratch = fn.local("v128");
  const neighbours = company === "next" || company === "nextThree";
  const load = (offset: number, group = 0): Code => {
    if (neighbours) return v128.load(get(byte), offset + 16 * group);
    const first = loadLane("float64", get(byte), offset);
    return company === "alone" ? first : v128.load64_lane(get(otherByte), offset, first, 1);
  };
  const store = (offset: number, value: Code, group = 0): Code => {
    if (neighbours) return v128.store(get(byte), offset + 16 * group, value);
    if (company === "alone") return storeLane("float64", get(byte), offset, value);
    return [
      set(scratch, value),
      storeLane("float64", get(byte), offset, get(scratch)),
      v128.store64_lane(get(otherByte), offset, get(scratch), 1),
    ];
  };
  const word = i32.shl(get(device), i32.const(2));
  const otherWord = i32.shl(get(other), i32.const(2));
  const received =
    company === "nextThree"
      ? v128.load(word, memory.pulsed)
      : company === "next"
        ? v128.load64_zero(word, memory.pulsed)
        : company === "alone"
          ? v128.load32_zero(word, memory.pulsed)
          : v128.load32_lane(otherWord, memory.pulsed, v128.load32_zero(word, memory.pulsed), 1);
  const more = i32x4.add(received, i32x4.splat(i32.const(1)));
  const countMore =
    company === "nextThree"
      ? v128.store(word, memory.pulsed, more)
      : company === "next"
        ? v128.store64_lane(word, memory.pulsed, more, 0)
        : company === "alone"
          ? v128.store32_lane(word, memory.pulsed, more, 0)
          : [
              set(scratch, more),
              v128.store32_lane(word, memory.pulsed, get(scratch), 0),
              v128.store32_lane(otherWord, memory.pulsed, get(scratch), 1),
            ];
  const now = f64x2.splat(clock(get(tick), context.dt));
  const indices =
    company === "other"
      ? i32x4.replace_lane(i32x4.splat(get(device)), 1, get(other))
      : i32x4.add(i32x4.splat(get(device)), v128.const(0, 1, 2, 3));
  const graph = new Graph("float64");
  const prologue = new Prologue(fn);
  const emitter = new Emitter({
    fn,
    prologue,
    precision: "float64",
    calls: context.calls,
    activeLanes: lanes,
    input: (node) => {
      const [name, second] = (node.name as string).split("@");
      const group = second === undefined ? 0 : 1;
      if (name === "#draw") return i32x4.splat(kind === "read" ? get(draw) : i32.const(0));
      if (name.startsWith("local ")) return get(Number(name.slice(6)));
      if (name === "tick") return pulse ? received : i32x4.splat(get(tick));
      if (name === "t") return now; // not simulated time
      const known = commonInput(node, prologue, context, get(tick));
      if (known) return known;
      if (name === "element") return indices;
      if (name === "i") {
        const own = f64x2.convert_low_i32x4_s(indices);
        return group === 0 ? own : f64x2.add(own, f64x2.splat(f64.const(2)));
      }
      if (name === "age") return f64x2.sub(now, load(memory.writtenAt, group));
      if (kind === "drive" && name === "V") return f64x2.splat(get(2));
      if (kind === "drive" && name === "dt") return f64x2.splat(get(3));
      return load(memory.variables[name] ?? places[name], group);
    },
  });
  const parameters = model.parameters.filter((parameter) => !Object.hasOwn(places, parameter.name));
  const inlined = inline({ ...model, parameters });
  const local = (index: number): Node => graph.input(`local ${index}`);
  const code = groups.map((group) => {
    const own = (name: string) => (group === 0 ? name : `${name}@1`);
    const lower: Tools["lower"] = (expression, values) =>
      new Lowering(graph, {
        name: (name) => values?.get(name) ?? graph.input(own(name)),
        random: (random, args) =>
          random.distribution === "flicker"
            ? flickerDraw(graph, random, args, context.key, graph.input(own("i")))
            : sparseDraw(graph, random, args, { draw: "draw", half: group }),
      }).lowerReal(inlined(expression));
    return body({
      fn,
      graph,
      lower,
      emitter,
      now,
      input: (name) => graph.input(own(name)),
      store: (offset, value) => store(offset, value, group),
      local,
    });
  });
  fn.body = [
    set(byte, i32.shl(get(device), i32.const(3))),
    company === "other" ? set(otherByte, i32.shl(get(other), i32.const(3))) : [],
    prologue.code,
    code,
    pulse ? countMore : [], // draws read the count of pulses before it moves on
  ];
  return fn;
}

/**
 * pulse(device, tick): the statements of a pulse; they see what earlier ones assigned, and as `Gd` the drifted
 * conductance before the first. Notes the time.
 */
export function pulseFunction(devices: Devices, name: string, company: Company = "alone"): FunctionBuilder {
  const { model, memory } = devices;
  return deviceFunction(devices, "pulse", company, (tools) => {
    const { lower, emitter, now, store } = tools;
    const assigned = new Map<string, Node>();
    const values = new Map<string, Node>(model.drift ? [["Gd", lower(model.drift)]] : []);
    const integrations: Code[] = [];
    for (const move of moves(model.handlers[name])) {
      const made = move.application
        ? integrate(tools, move as Integration, values, integrations)
        : [...move.values].map(([target, value]) => [target, lower(value, values)] as const);
      for (const [target, node] of made) {
        assigned.set(target, node);
        values.set(target, node);
      }
    }
    return [
      integrations,
      emitter.define([...assigned.values()]),
      [...assigned].map(([variable, node]) => store(memory.variables[variable], emitter.value(node))),
      store(memory.writtenAt, now),
    ];
  });
}

type Integration = Required<Move>;

/**
 * Appends to `code` a loop over the steps of an application; gives the variables after it. What does not change from
 * step to step is computed before.
 */
function integrate(
  { fn, lower, emitter, input, local }: Tools,
  { values: step, application }: Integration,
  values: Values,
  code: Code[],
): [string, Node][] {
  const variables = [...step.keys()].map((variable) => {
    const index = fn.local("v128");
    return { variable, index, before: values.get(variable) ?? input(variable), node: local(index) };
  });
  const within = new Map(values);
  within.set("V", lower(application.voltage, values));
  within.set("dt", lower(application.dt, values));
  for (const { variable, node } of variables) within.set(variable, node);
  const next = [...step.values()].map((value) => lower(value, within));
  const n = fn.local("i32");
  code.push(
    emitter.define([
      ...variables.map(({ before }) => before),
      ...invariants(next, new Set(variables.map(({ node }) => node))),
    ]),
    variables.map(({ index, before }) => set(index, emitter.value(before))),
    set(n, i32.const(0)),
  );
  const inside = emitter.fork();
  code.push(
    loop(
      inside.define(next),
      variables.map(({ index }, k) => set(index, inside.value(next[k]))),
      br_if(0, i32.lt_u(tee(n, i32.add(get(n), i32.const(1))), i32.const(application.steps))),
    ),
  );
  return variables.map(({ variable, node }) => [variable, node]);
}

/** The largest parts of `roots` that do not depend on `moving`. */
export function invariants(roots: readonly Node[], moving: ReadonlySet<Node>): Node[] {
  const dependent = new Map<Node, boolean>();
  const depends = (node: Node): boolean => {
    let known = dependent.get(node);
    if (known === undefined) {
      known = moving.has(node) || node.args.map(depends).some((each) => each);
      dependent.set(node, known);
    }
    return known;
  };
  const found = new Set(roots.filter((root) => !depends(root)));
  for (const [node, moved] of dependent)
    if (moved) for (const arg of node.args) if (!depends(arg)) found.add(arg);
  return [...found];
}

/**
 * drive(device, sample, voltage, dt) -> v128: holds a voltage for dt, one step of the differential equations; the
 * currents of the device and the next after it, A. Draws of the current are addressed by the sample. Notes the time
 * where there are equations: their step is a write.
 */
export function driveFunction(devices: Devices): FunctionBuilder {
  const { model, memory } = devices;
  return deviceFunction(devices, "drive", "next", ({ graph, lower, emitter, now, store }) => {
    const held: [string, Node][] = [
      ["V", graph.input("V")],
      ["dt", graph.input("dt")],
    ];
    const step = [...odeStep(model)].map(([variable, next]): [string, Node] => [
      variable,
      lower(next, new Map(held)),
    ]);
    const values = new Map([...held, ...step]);
    if (step.length > 0) values.set("age", graph.constant(0));
    if (model.drift) values.set("Gd", lower(model.drift, values));
    const current = lower(model.current as Expression, values);
    return [
      emitter.define([...step.map(([, node]) => node), current]),
      step.map(([variable, node]) => store(memory.variables[variable], emitter.value(node))),
      step.length > 0 ? store(memory.writtenAt, now) : [],
      emitter.value(current),
    ];
  });
}

/** What a read gives, S: one read with noise, the drifted conductance, or the standard deviation of the noise. */
export type Reading = "noisy" | "quiet" | "sd";

/** read(device, tick, draw) -> v128: of the device and the next, or the one named last. */
export function readFunction(
  devices: Devices,
  reading: Reading,
  company: "next" | "other" = "next",
): FunctionBuilder {
  const { model } = devices;
  return deviceFunction(devices, "read", company, ({ lower, emitter }) => {
    const drifted: [string, Node][] = reading !== "quiet" && model.drift ? [["Gd", lower(model.drift)]] : [];
    const wanted = {
      noisy: () => model.read as Expression,
      quiet: () => quietRead(model),
      sd: () => readSd(model),
    };
    const node = lower(wanted[reading](), new Map(drifted));
    return [emitter.define([node]), emitter.value(node)];
  });
}

/** Updates that fabricate devices, one for each variable with an initial value, to be run in this order. */
export function fabrication({ model, memory, context }: Devices): UpdateOptions[] {
  const inlined = inline(model, { dt: context.dt });
  const { count, variables } = memory;
  return Object.entries(model.initial).map(([variable, value]) => ({
    elements: {
      variables: Object.keys(variables),
      booleans: new Set(),
      next: new Map([[variable, inlined(value)]]),
      frozenWhileRefractory: new Set(),
    },
    memory: { size: count, variables, shared: {} },
    context,
    shared: [],
    refractory: false,
  }));
}
