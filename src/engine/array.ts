/**
 * Devices alone, without a network: pulse them, let them age, read them.
 *
 * The machine code of a pulse and of a read is that of devices in networks (devices.ts). The nth pulse and the nth
 * read of a device draw the same numbers whatever is done to others and in whatever order.
 */

import { readSd } from "../device/read.ts";
import { inline } from "../language/algebra.ts";
import type { CheckedModel, Parameter } from "../language/checked.ts";
import { describe } from "../language/dimension.ts";
import { namesIn } from "../language/expression.ts";
import type { Model } from "../language/model.ts";
import { ConfigError, NumericError } from "../math/errors.ts";
import { nearest } from "../math/nearest.ts";
import { randomKey } from "../math/random.ts";
import { parseQuantity, sameDimension, seconds, type Time } from "../math/units.ts";
import {
  br_if,
  type Code,
  call,
  FunctionBuilder,
  f64,
  get,
  i32,
  iff,
  loop,
  ModuleBuilder,
  set,
  tee,
  v128,
} from "../wasm/assembler.ts";
import { calledFunctions } from "./called.ts";
import {
  type DeviceMemory,
  type Devices,
  driveFunction,
  fabrication,
  layOutDevices,
  pulseFunction,
  type Reading,
  readFunction,
} from "./devices.ts";
import { Layout, padded } from "./layout.ts";
import { emitUpdate } from "./population.ts";
import { cells } from "./schedule.ts";

type Exports = Readonly<Record<string, (...args: number[]) => number>>;

/** Where an array's devices, lists and reads lie. */
interface ArrayMemory {
  readonly devices: DeviceMemory;
  readonly list: number; // u32 [device]: whom a pulse is for
  readonly reading: number; // f64 [device], S
  /** Samples of a waveform that are driven in one call, where the model says its current. */
  readonly waveform?: {
    readonly samples: number;
    readonly voltages: number; // f64 [sample], V
    readonly currents: number; // f64 [sample][padded device], A
  };
}

const most = 2 ** 24;
/** Most currents, f64, that wait in memory to be fetched, and most samples. */
const waitingCurrents = 2 ** 16;
const waitingSamples = 2 ** 12;

/** Arguments of a pulse: quantities such as "1.2 V", SI numbers, or SI numbers for each device. */
export type PulseValues = Readonly<Record<string, string | number | ArrayLike<number>>>;

/** Which read: see `DeviceArray.read`. */
export interface ReadOptions {
  readonly noise?: boolean;
  readonly which?: ArrayLike<number>;
  readonly after?: Time;
  readonly number?: number;
}

/** Devices of one model, in hand. Made by `fabricate`. */
export class DeviceArray {
  readonly size: number;
  readonly model: Model<"device">;
  readonly #buffer: ArrayBuffer;
  readonly #exports: Exports;
  readonly #memory: ArrayMemory;
  readonly #clock: Float64Array;
  readonly #argumentsOf: Readonly<Record<string, readonly string[]>>; // by pulse
  readonly #argumentValues = new Map<string, number>(); // what an argument's places hold, where all hold the same
  #reads = 0; // with noise
  #samples = 0; // of waveforms

  constructor(model: Model<"device">, memory: ArrayMemory, buffer: ArrayBuffer, exports: Exports) {
    this.size = memory.devices.count;
    this.model = model;
    this.#buffer = buffer;
    this.#exports = exports;
    this.#memory = memory;
    this.#clock = new Float64Array(buffer, cells.deviceTime, 1);
    this.#argumentsOf = argumentsOf(model.checked);
  }

  /** Time since fabrication, s. */
  get time(): number {
    return this.#clock[0];
  }

  /**
   * A pulse that the model names, such as "set", to every device, or to the devices listed, one after the other; a device
   * listed twice gets two pulses. Pulses take no time. `values`: arguments of this pulse, for all devices or one for each
   * device of the array, listed or not; an argument that is not given has the value of the model's parameter.
   */
  pulse(name: string, which?: ArrayLike<number>, values: PulseValues = {}): void {
    this.#refuseUnknown("has no pulse", name, "its pulses are", Object.keys(this.model.checked.handlers));
    if (which) this.#refuseOthers(which);
    this.#setArguments(name, values);
    if (!which) {
      this.#exports[`pulse all ${name}`]();
      return;
    }
    const list = new Uint32Array(this.#buffer, this.#memory.list, this.size);
    for (let from = 0; from < which.length; from += this.size) {
      const count = Math.min(this.size, which.length - from);
      for (let k = 0; k < count; k++) list[k] = which[from + k];
      this.#exports[`pulse ${name}`](this.#memory.list, count);
    }
  }

  #refuseOthers(which: ArrayLike<number>): void {
    for (let k = 0; k < which.length; k++)
      if (!(Number.isInteger(which[k]) && which[k] >= 0 && which[k] < this.size))
        throw new ConfigError(`there is no device ${which[k]} among ${this.size}`);
  }

  /** Writes the arguments of a pulse to where its machine code looks for them. */
  #setArguments(pulse: string, values: PulseValues): void {
    const { checked } = this.model;
    const used = this.#argumentsOf[pulse];
    const given = Object.entries(values).map(([name, value]) => {
      this.#refuseUnknown("has no argument", name, "its arguments are", checked.arguments);
      if (!used.includes(name))
        throw new ConfigError(`the pulse ${pulse} of ${checked.name} does not use ${name}`);
      return [name, argumentValue(checked, name, value, this.size)] as const;
    });
    const read = new Map<string, number | ArrayLike<number>>(given);
    for (const name of used) {
      const parameter = checked.parameters.find((each) => each.name === name) as Parameter;
      const value = read.get(name) ?? parameter.value;
      if (value === this.#argumentValues.get(name)) continue;
      const places = this.#f64((this.#memory.devices.arguments as Record<string, number>)[name]);
      if (typeof value === "number") {
        places.fill(value);
        this.#argumentValues.set(name, value);
      } else {
        places.set(value);
        this.#argumentValues.delete(name);
      }
    }
  }

  #refuseUnknown(lacks: string, name: string, list: string, known: readonly string[]): void {
    if (known.includes(name)) return;
    const guess = nearest(name, known);
    const offer = guess
      ? `did you mean ${guess}?`
      : known.length > 0
        ? `${list} ${known.join(", ")}`
        : "it has none";
    throw new ConfigError(`${this.model.checked.name} ${lacks} ${name}; ${offer}`);
  }

  /** Time passes. */
  wait(time: Time): void {
    const by = seconds(time);
    if (!(by >= 0)) throw new ConfigError(`devices cannot wait for ${time}`);
    this.#clock[0] += by;
  }

  /**
   * Drives every device by a voltage, V, whose samples are each held for `dt`: one step of the differential equations
   * for a sample. Gives the currents after each step, A: [sample][device]. Time passes.
   */
  drive(voltage: ArrayLike<number>, dt: Time): Float64Array {
    const { waveform } = this.#memory;
    const { name } = this.model.checked;
    if (!waveform)
      throw new ConfigError(
        `${name} cannot be driven: its model does not say its current, as current: "V * G"`,
      );
    const step = seconds(dt);
    if (!(step > 0)) throw new ConfigError(`a sample of a waveform takes a positive time, not ${dt}`);
    for (let k = 0; k < voltage.length; k++)
      if (!Number.isFinite(voltage[k])) throw new ConfigError(`sample ${k} of the voltage is ${voltage[k]}`);
    const { size } = this;
    const stride = padded(size);
    const result = new Float64Array(voltage.length * size);
    const voltages = new Float64Array(this.#buffer, waveform.voltages, waveform.samples);
    const currents = new Float64Array(this.#buffer, waveform.currents, waveform.samples * stride);
    for (let from = 0; from < voltage.length; from += waveform.samples) {
      const count = Math.min(waveform.samples, voltage.length - from);
      for (let k = 0; k < count; k++) voltages[k] = voltage[from + k];
      this.#exports.drive(count, this.#samples, step);
      this.#samples += count;
      for (let k = 0; k < count; k++)
        result.set(currents.subarray(k * stride, k * stride + size), (from + k) * size);
    }
    const wrong = result.findIndex((current) => Number.isNaN(current));
    if (wrong >= 0)
      throw new NumericError(
        `${name}: the current of device ${wrong % size} is NaN after sample ${Math.floor(wrong / size)}; a shorter dt may help`,
      );
    return result;
  }

  /**
   * One read of every device, or of the devices listed, S. `noise: false`: their drifted conductances, which no read
   * changes. `after`: as they will read when this much more time has passed, which does not pass. `number`: the noise of
   * the read of this number, 0 to 2^32 - 1, which does not count as one.
   */
  read(options: ReadOptions = {}): Float64Array {
    const { noise = true, which, after, number } = options;
    if (number !== undefined && !(Number.isInteger(number) && number >= 0 && number < 2 ** 32))
      throw new ConfigError(`the number of a read is a whole number from 0 to 2^32 - 1, not ${number}`);
    const later = after === undefined ? 0 : seconds(after);
    if (!(later >= 0)) throw new ConfigError(`devices cannot wait for ${after}`);
    const now = this.#clock[0];
    this.#clock[0] += later;
    const result = this.#read(noise ? "noisy" : "quiet", which, number);
    this.#clock[0] = now;
    return result;
  }

  /** Standard deviation of the noise of a read of every device, or of those listed, S. Throws `ConfigError`. */
  readSd(which?: ArrayLike<number>): Float64Array {
    if (!this.#exports["read sd"]) readSd(this.model.checked); // says why
    return this.#read("sd", which);
  }

  #read(reading: Reading, which: ArrayLike<number> | undefined, told?: number): Float64Array {
    const number = told ?? (reading === "noisy" ? this.#reads++ : 0);
    if (!which) {
      this.#exports[`read ${reading}`](number);
      return this.#f64(this.#memory.reading).slice();
    }
    this.#refuseOthers(which);
    const result = new Float64Array(which.length);
    const list = new Uint32Array(this.#buffer, this.#memory.list, this.size);
    for (let from = 0; from < which.length; from += this.size) {
      const count = Math.min(this.size, which.length - from);
      for (let k = 0; k < count; k++) list[k] = which[from + k];
      this.#exports[`list ${reading}`](count, number);
      result.set(this.#f64(this.#memory.reading).subarray(0, count), from);
    }
    return result;
  }

  /** Values of a stored variable, SI: a copy. */
  get(variable: string): Float64Array {
    return this.#variable(variable).slice();
  }

  /** Overwrites a stored variable, SI, a truth value with 0 or 1; what drifts goes on from the last pulse. */
  set(variable: string, values: number | ArrayLike<number>): void {
    const stored = this.#variable(variable);
    const truth = this.model.checked.variables.some(({ name, boolean }) => name === variable && boolean);
    const wrong =
      truth && Array.from(typeof values === "number" ? [values] : values).find((x) => x !== 0 && x !== 1);
    if (wrong !== false && wrong !== undefined)
      throw new ConfigError(`${variable} is a truth value, 0 or 1, not ${wrong}`);
    if (typeof values === "number") stored.fill(values);
    else if (values.length !== this.size)
      throw new ConfigError(`${variable} has ${this.size} values, one for each device, not ${values.length}`);
    else stored.set(values);
  }

  #f64(offset: number): Float64Array {
    return new Float64Array(this.#buffer, offset, this.size);
  }

  #variable(name: string): Float64Array {
    const { variables } = this.#memory.devices;
    this.#refuseUnknown("stores no", name, "it stores", Object.keys(variables));
    return this.#f64(variables[name]);
  }
}

/**
 * Makes `size` devices of one model, as fabrication leaves them. Equal seeds make equal devices; the first of many are
 * those of few. `given`: stored variables that are known, SI [device]; those after them in `initial` follow. Throws `ConfigError` for more than 16,777,216 devices.
 */
export async function fabricate(
  size: number,
  model: Model<"device">,
  options: { readonly seed: string | number; readonly given?: Readonly<Record<string, Float64Array>> },
): Promise<DeviceArray> {
  if (!(Number.isInteger(size) && size >= 1 && size <= most))
    throw new ConfigError(`an array has a whole number of devices from 1 to ${most}, not ${size}`);
  const module = new ModuleBuilder();
  const layout = new Layout();
  const { checked } = model;
  const place = (name: string) => [name, layout.take(8 * padded(size), "arguments")];
  const memory: ArrayMemory = {
    devices: {
      ...layOutDevices(layout, checked, size, "devices"),
      arguments: Object.fromEntries(checked.arguments.map(place)),
    },
    list: layout.take(4 * padded(size), "lists"),
    reading: layout.take(8 * padded(size), "reads"),
    waveform: checked.current && layOutWaveform(layout, size),
  };
  const devices: Devices = {
    model: checked,
    memory: memory.devices,
    context: {
      precision: "float64",
      dt: 0, // time is what the array waited
      key: randomKey(options.seed, "devices"),
      calls: calledFunctions(module),
    },
  };
  const steps = fabrication(devices);
  steps.forEach((update, k) => {
    module.add(emitUpdate(update, `fabricate ${k}`));
  });
  for (const name of Object.keys(checked.handlers)) {
    module.add(
      pulseAllFunction(`pulse all ${name}`, size, module.add(pulseFunction(devices, name, "nextThree"))),
    );
    module.add(pulseListFunction(`pulse ${name}`, module.add(pulseFunction(devices, name))));
  }
  for (const reading of ["noisy", "quiet", ...(hasKnownNoise(checked) ? (["sd"] as const) : [])] as const) {
    const read = module.add(readFunction(devices, reading));
    module.add(readsFunction(`read ${reading}`, memory, read));
    module.add(readListFunction(`list ${reading}`, memory, read));
  }
  if (checked.current) module.add(driveAllFunction(memory, module.add(driveFunction(devices))));
  const { pages } = layout;
  const wasm = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const bytes = module.assemble({ pages, maximumPages: pages, shared: false });
  const { instance } = await WebAssembly.instantiate(bytes, { env: { memory: wasm } });
  const exports = instance.exports as Exports;
  const array = new DeviceArray(model, memory, wasm.buffer, exports);
  Object.keys(checked.initial).forEach((variable, k) => {
    exports[`fabricate ${k}`](0, padded(size), 0, 0, 0);
    const known = options.given?.[variable];
    if (known) array.set(variable, known);
  });
  return array;
}

function layOutWaveform(layout: Layout, size: number): ArrayMemory["waveform"] {
  const samples = Math.max(1, Math.min(waitingSamples, Math.floor(waitingCurrents / padded(size))));
  return {
    samples,
    voltages: layout.take(8 * samples, "waveform"),
    currents: layout.take(8 * samples * padded(size), "waveform"),
  };
}

/** The arguments that each pulse uses. */
function argumentsOf(model: CheckedModel): Record<string, string[]> {
  const inlined = inline({ parameters: [], derived: model.derived });
  return Object.fromEntries(
    Object.entries(model.handlers).map(([pulse, statements]) => {
      const expressions = statements.flatMap(({ value, application }) =>
        application ? [value, application.voltage, application.dt] : [value],
      );
      const used = new Set(expressions.flatMap((each) => [...namesIn(inlined(each))]));
      return [pulse, model.arguments.filter((name) => used.has(name))];
    }),
  );
}

/** An argument in SI units, one number or one for each of `size` devices. Throws `ConfigError`. */
function argumentValue(
  model: CheckedModel,
  name: string,
  value: PulseValues[string],
  size: number,
): number | ArrayLike<number> {
  const wrong = (reason: string): never => {
    throw new ConfigError(`${model.name}, argument ${name}: ${reason}`);
  };
  const finite = (x: number) => Number.isFinite(x) || wrong(`${x} is not a finite number`);
  if (typeof value === "string") {
    const { dimension } = model.parameters.find((parameter) => parameter.name === name) as Parameter;
    const read = parseQuantity(value);
    if (!sameDimension(read.dimension, dimension))
      wrong(`${JSON.stringify(value)} is ${describe(read.dimension)}, not ${describe(dimension)}`);
    return read.value;
  }
  if (typeof value === "number") finite(value);
  else {
    if (value.length !== size) wrong(`there are ${size} values, one for each device, not ${value.length}`);
    for (let k = 0; k < size; k++) finite(value[k]);
  }
  return value;
}

/** A pulse to every device, four at a time. */
function pulseAllFunction(exportName: string, size: number, pulseFour: number): FunctionBuilder {
  const fn = new FunctionBuilder({ exportName });
  const n = fn.local("i32");
  fn.body = loop(
    call(pulseFour, get(n), i32.const(0)),
    br_if(0, i32.lt_u(tee(n, i32.add(get(n), i32.const(4))), i32.const(size))),
  );
  return fn;
}

/** pulses(list, count): a pulse to each device of a list (u32), in turn. */
function pulseListFunction(exportName: string, pulse: number): FunctionBuilder {
  const fn = new FunctionBuilder({ parameters: ["i32", "i32"], exportName });
  const [list, count] = [0, 1];
  const n = fn.local("i32");
  const device = i32.load(i32.add(get(list), i32.shl(get(n), i32.const(2))), 0);
  fn.body = iff(
    get(count),
    loop(
      call(pulse, device, i32.const(0)),
      br_if(0, i32.lt_u(tee(n, i32.add(get(n), i32.const(1))), get(count))),
    ),
  );
  return fn;
}

/** reads(number): read `number` of every device into `reading`. */
function readsFunction(exportName: string, memory: ArrayMemory, read: number): FunctionBuilder {
  const fn = new FunctionBuilder({ parameters: ["i32"], exportName });
  const number = 0;
  const n = fn.local("i32");
  fn.body = loop(
    v128.store(i32.shl(get(n), i32.const(3)), memory.reading, call(read, get(n), get(number), i32.const(0))),
    br_if(0, i32.lt_u(tee(n, i32.add(get(n), i32.const(2))), i32.const(memory.devices.count))),
  );
  return fn;
}

/** list(count, number): read `number` of each device of the list into `reading`, in its order. */
function readListFunction(exportName: string, memory: ArrayMemory, read: number): FunctionBuilder {
  const fn = new FunctionBuilder({ parameters: ["i32", "i32"], exportName });
  const [count, number] = [0, 1];
  const n = fn.local("i32");
  const device = i32.load(i32.shl(get(n), i32.const(2)), memory.list);
  fn.body = iff(
    get(count),
    loop(
      v128.store64_lane(
        i32.shl(get(n), i32.const(3)),
        memory.reading,
        call(read, device, get(number), i32.const(0)),
        0,
      ),
      br_if(0, i32.lt_u(tee(n, i32.add(get(n), i32.const(1))), get(count))),
    ),
  );
  return fn;
}

/** Whether the noise of reads has a standard deviation that follows from the text. */
function hasKnownNoise(model: CheckedModel): boolean {
  try {
    readSd(model);
    return true;
  } catch (error) {
    if (error instanceof ConfigError) return false;
    throw error;
  }
}

/** drive(count, first, dt): every device through `count` samples of the waveform, two devices at a time. */
function driveAllFunction({ devices, waveform }: ArrayMemory, drive: number): FunctionBuilder {
  const { voltages, currents } = waveform as NonNullable<ArrayMemory["waveform"]>;
  const fn = new FunctionBuilder({ parameters: ["i32", "i32", "f64"], exportName: "drive" });
  const [count, first, dt] = [0, 1, 2];
  const sample = fn.local("i32");
  const n = fn.local("i32");
  const voltage = fn.local("f64");
  const zero = i32.const(0);
  const at = i32.add(i32.mul(get(sample), i32.const(padded(devices.count))), get(n));
  const more = (index: number, by: number, end: Code): Code =>
    br_if(0, i32.lt_u(tee(index, i32.add(get(index), i32.const(by))), end));
  fn.body = iff(
    get(count),
    loop(
      f64.store(zero, cells.deviceTime, f64.add(f64.load(zero, cells.deviceTime), get(dt))),
      set(voltage, f64.load(i32.shl(get(sample), i32.const(3)), voltages)),
      set(n, zero),
      loop(
        v128.store(
          i32.shl(at, i32.const(3)),
          currents,
          call(drive, get(n), i32.add(get(first), get(sample)), get(voltage), get(dt)),
        ),
        more(n, 2, i32.const(devices.count)),
      ),
      more(sample, 1, get(count)),
    ),
  );
  return fn;
}
