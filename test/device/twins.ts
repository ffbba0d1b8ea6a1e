/** One array of devices, by machine code and by the interpreter, compared bit for bit. */
import { InterpretedDevices } from "../../src/engine/oracle.ts";
import { type DeviceArray, fabricate, type Model } from "../../src/index.ts";
import { randomKey } from "../../src/math/random.ts";

type Values = Readonly<Record<string, number | Float64Array>>;

export interface Twins {
  readonly array: DeviceArray;
  wait(seconds: number): void;
  pulse(name: string, which?: readonly number[], values?: Values): void;
  /** Throws at the first bit that differs in a current; gives them, A: [sample][device]. */
  drive(voltage: readonly number[], dt: number): Float64Array;
  /** Throws at the first bit that differs in a variable or a read; gives how many values were compared. */
  compare(): number;
}

/** The same devices made both ways, with what may be done to both. */
export async function twins(model: Model<"device">, size: number, seed: number): Promise<Twins> {
  const array = await fabricate(size, model, { seed });
  const key = randomKey(seed, "devices");
  const oracle = new InterpretedDevices(model.checked, size, { dt: 0, key, freeArguments: true });
  let reads = 0;
  let samples = 0;
  const everyone = Array.from({ length: size }, (_, device) => device);
  return {
    array,
    wait(seconds) {
      array.wait(`${seconds} s`);
      oracle.waited += seconds;
    },
    pulse(name, which, values = {}) {
      array.pulse(name, which, values);
      for (const d of which ?? everyone) {
        const own = Object.entries(values).map(([key, v]) => [key, typeof v === "number" ? v : v[d]]);
        oracle.pulse(name, d, 0, Object.fromEntries(own));
      }
    },
    drive(voltage, dt) {
      const currents = array.drive(voltage, `${dt} s`);
      for (const [n, V] of voltage.entries()) {
        oracle.waited += dt;
        for (const d of everyone) {
          const [x, wanted] = [currents[n * size + d], oracle.drive(d, samples, V, dt)];
          if (!Object.is(x, wanted))
            throw new Error(`current of device ${d}, sample ${n}: machine code ${x}, interpreter ${wanted}`);
        }
        samples++;
      }
      return currents;
    },
    compare() {
      let compared = 0;
      const same = (what: string, actual: Float64Array, wanted: (device: number) => number) => {
        actual.forEach((x, d) => {
          compared++;
          if (!Object.is(x, wanted(d)))
            throw new Error(`${what} of device ${d}: machine code ${x}, interpreter ${wanted(d)}`);
        });
      };
      for (const { name } of model.checked.variables)
        same(name, array.get(name), (d) => oracle.state[name][d]);
      same("quiet read", array.read({ noise: false }), (d) => oracle.conductance(d, 0, 0, true));
      const read = reads++; // reads of an array are told apart by their number
      same(`read ${read}`, array.read(), (d) => oracle.conductance(d, read, 0));
      return compared;
    },
  };
}
