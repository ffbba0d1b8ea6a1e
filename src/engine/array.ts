/**
 * Devices alone, without a network: pulse them, let them age, read them.
 *
 * The machine code of a pulse and of a read is that of devices in networks (devices.ts). The nth pulse and the nth
 * read of a device draw the same numbers whatever is done to others and in whatever order.
 */
import type { Model } from "../language/model.ts";
import { ConfigError } from "../math/errors.ts";
import { nearest } from "../math/nearest.ts";
import { randomKey } from "../math/random.ts";
import { seconds, type Time } from "../math/units.ts";
import {
  br_if,
  call,
  FunctionBuilder,
  get,
  i32,
  iff,
  loop,
  ModuleBuilder,
  tee,
  v128,
} from "../wasm/assembler.ts";
import { poissonFunction } from "../wasm/poisson.ts";
import {
  type DeviceMemory,
  type Devices,
  fabrication,
  layOutDevices,
  pulseFunction,
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
}

const most = 2 ** 24;

/** Devices of one model, in hand. Made by `fabricate`. */
export class DeviceArray {
  readonly size: number;
  readonly model: Model<"device">;
  readonly #buffer: ArrayBuffer;
  readonly #exports: Exports;
  readonly #memory: ArrayMemory;
  readonly #clock: Float64Array;
  #reads = 0; // with noise

  constructor(model: Model<"device">, memory: ArrayMemory, buffer: ArrayBuffer, exports: Exports) {
    this.size = memory.devices.count;
    this.model = model;
    this.#buffer = buffer;
    this.#exports = exports;
    this.#memory = memory;
    this.#clock = new Float64Array(buffer, cells.deviceTime, 1);
  }

  /** Time since fabrication, s. */
  get time(): number {
    return this.#clock[0];
  }

  /**
   * A pulse that the model names, such as "set", to every device, or to the devices listed, one after the other; a device
   * listed twice gets two pulses. Pulses take no time.
   */
  pulse(name: string, which?: ArrayLike<number>): void {
    const pulses = Object.keys(this.model.checked.handlers);
    if (!pulses.includes(name)) {
      const guess = nearest(name, pulses);
      throw new ConfigError(
        `${this.model.checked.name} has no pulse ${name}; ${guess ? `did you mean ${guess}?` : `its pulses are ${pulses.join(", ")}`}`,
      );
    }
    if (!which) {
      this.#exports[`pulse all ${name}`]();
      return;
    }
    for (let k = 0; k < which.length; k++)
      if (!(Number.isInteger(which[k]) && which[k] >= 0 && which[k] < this.size))
        throw new ConfigError(`there is no device ${which[k]} among ${this.size}`);
    const list = new Uint32Array(this.#buffer, this.#memory.list, this.size);
    for (let from = 0; from < which.length; from += this.size) {
      const count = Math.min(this.size, which.length - from);
      for (let k = 0; k < count; k++) list[k] = which[from + k];
      this.#exports[`pulse ${name}`](this.#memory.list, count);
    }
  }

  /** Time passes. */
  wait(time: Time): void {
    const by = seconds(time);
    if (!(by >= 0)) throw new ConfigError(`devices cannot wait for ${time}`);
    this.#clock[0] += by;
  }

  /** One read of every device, S. `noise: false`: its drifted conductance, which no read changes. */
  read(options: { readonly noise?: boolean } = {}): Float64Array {
    if (options.noise === false) this.#exports.readQuiet(0);
    else this.#exports.read(this.#reads++);
    return this.#f64(this.#memory.reading).slice();
  }

  /** Values of a stored variable, SI: a copy. */
  get(variable: string): Float64Array {
    return this.#variable(variable).slice();
  }

  /** Overwrites a stored variable, SI; what drifts goes on from the last pulse. */
  set(variable: string, values: number | ArrayLike<number>): void {
    const stored = this.#variable(variable);
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
    if (!Object.hasOwn(variables, name)) {
      const guess = nearest(name, Object.keys(variables));
      throw new ConfigError(
        `${this.model.checked.name} stores no ${name}; ${guess ? `did you mean ${guess}?` : `it stores ${Object.keys(variables).join(", ")}`}`,
      );
    }
    return this.#f64(variables[name]);
  }
}

/**
 * Makes `size` devices of one model, as fabrication leaves them. Equal seeds make equal devices; the first of many are
 * those of few. Throws `ConfigError` for more than 16,777,216 devices.
 */
export async function fabricate(
  size: number,
  model: Model<"device">,
  options: { readonly seed: string | number },
): Promise<DeviceArray> {
  if (!(Number.isInteger(size) && size >= 1 && size <= most))
    throw new ConfigError(`an array has a whole number of devices from 1 to ${most}, not ${size}`);
  const module = new ModuleBuilder();
  const layout = new Layout();
  const memory: ArrayMemory = {
    devices: layOutDevices(layout, model.checked, size, "devices"),
    list: layout.take(4 * padded(size), "lists"),
    reading: layout.take(8 * padded(size), "reads"),
  };
  let poisson: number | undefined;
  const devices: Devices = {
    model: model.checked,
    memory: memory.devices,
    context: {
      precision: "float64",
      dt: 0, // time is what the array waited
      key: randomKey(options.seed, "devices"),
      calls: () => {
        poisson ??= poissonFunction(module);
        return poisson;
      },
    },
  };
  const steps = fabrication(devices);
  steps.forEach((update, k) => {
    module.add(emitUpdate(update, `fabricate ${k}`));
  });
  for (const name of Object.keys(model.checked.handlers)) {
    module.add(pulseAllFunction(`pulse all ${name}`, size, module.add(pulseFunction(devices, name, 2))));
    module.add(pulseListFunction(`pulse ${name}`, module.add(pulseFunction(devices, name))));
  }
  module.add(readsFunction("read", memory, module.add(readFunction(devices, true))));
  module.add(readsFunction("readQuiet", memory, module.add(readFunction(devices, false))));
  const { pages } = layout;
  const wasm = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const bytes = module.assemble({ pages, maximumPages: pages, shared: false });
  const { instance } = await WebAssembly.instantiate(bytes, { env: { memory: wasm } });
  const exports = instance.exports as Exports;
  steps.forEach((_, k) => {
    exports[`fabricate ${k}`](0, padded(size), 0, 0, 0);
  });
  return new DeviceArray(model, memory, wasm.buffer, exports);
}

/** A pulse to every device, two at a time. */
function pulseAllFunction(exportName: string, size: number, pulseTwo: number): FunctionBuilder {
  const fn = new FunctionBuilder({ exportName });
  const n = fn.local("i32");
  fn.body = loop(
    call(pulseTwo, get(n), i32.const(0)),
    br_if(0, i32.lt_u(tee(n, i32.add(get(n), i32.const(2))), i32.const(size))),
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
