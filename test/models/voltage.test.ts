import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { biolekIonDrift, linearIonDrift } from "../../models/ion-drift.ts";
import { stanfordPku } from "../../models/stanford-pku.ts";
import { vteam } from "../../models/vteam.ts";
import { yakopcic } from "../../models/yakopcic.ts";
import { fabricate, type Model } from "../../src/index.ts";

type Device = Model<"device">;
interface Stairs {
  readonly start: number;
  readonly dt: number; // s
  readonly voltages: readonly number[];
  readonly rows: readonly (readonly [number, number])[]; // state, A
}
const golden = JSON.parse(
  readFileSync(new URL("../golden/devices_scipy.json", import.meta.url), "utf8"),
) as Readonly<Record<string, Stairs>>;

/** Largest difference from the golden state and current, relative to the largest of each; `parts` steps for a stair. */
async function difference(model: Device, state: string, golden: Stairs, parts: number): Promise<number> {
  const { start, dt, voltages, rows } = golden;
  const array = await fabricate(1, model, { seed: 1 });
  array.set(state, start);
  const largest = [0, 1].map((column) => Math.max(...rows.map((row) => Math.abs(row[column]))));
  let worst = 0;
  for (const [k, voltage] of voltages.entries()) {
    const currents = array.drive(new Float64Array(parts).fill(voltage), `${dt / parts} s`);
    const reached = [array.get(state)[0], currents[parts - 1]];
    for (const column of [0, 1])
      worst = Math.max(worst, Math.abs(reached[column] - rows[k][column]) / largest[column]);
  }
  return worst;
}

describe("under a voltage of stairs, states and currents agree with SciPy to 1e-7; a parameter 0.1 % off does not", () => {
  test.each([
    ["vteam", vteam, "w", 1, { Voff: "0.02002 V" }],
    ["stanfordPku", stanfordPku, "gap", 32, { beta: 0.8008 }],
    ["yakopcic", yakopcic, "x", 512, { xn: 0.5005 }], // kinks of its slowing leave order 2
    ["biolekIonDrift", biolekIonDrift, "x", 32, { p: 1.001 }],
  ] as const)("%s", async (name, model, state, parts, other) => {
    expect(await difference(model, state, golden[name], parts)).toBeLessThan(1e-7);
    expect(await difference(model.with(other as never), state, golden[name], parts)).toBeGreaterThan(1e-6); // control
  });
});

/**
 * Without a window the square of the resistance is linear in the flux: R^2 = R0^2 - 2 mobility (Roff - Ron) Ron / D^2 phi
 * (Strukov et al. 2008, integrated).
 */
test("linear ion drift follows its closed form in the flux, by order 4", async () => {
  const [Ron, Roff, k] = [100, 16_000, (1e-14 * 100) / 10e-9 ** 2];
  const [R0, amplitude, width] = [0.3 * Ron + 0.7 * Roff, 1, 0.2];
  const expected = Math.sqrt(R0 ** 2 - 2 * k * (Roff - Ron) * amplitude * width);
  const errors: number[] = [];
  for (const parts of [10, 20, 40]) {
    const array = await fabricate(1, linearIonDrift, { seed: 1 });
    array.set("x", 0.3);
    array.drive(new Float64Array(parts).fill(amplitude), `${width / parts} s`);
    errors.push(Math.abs(1 / array.read()[0] - expected) / expected);
  }
  expect(errors[2]).toBeLessThan(1e-9);
  for (const k of [0, 1]) expect(Math.abs(Math.log2(errors[k] / errors[k + 1]) - 4)).toBeLessThan(0.3);
});

describe("VTEAM", () => {
  test("moves by koff (V / Voff - 1) t under a constant voltage, and not at all between the thresholds", async () => {
    const array = await fabricate(1, vteam, { seed: 1 });
    array.set("w", 1e-9);
    array.pulse("down", undefined, { amplitude: 0.1, width: 1e-7 });
    expect(Math.abs(array.get("w")[0] - (1e-9 + 5e-4 * (0.1 / 0.02 - 1) * 1e-7))).toBeLessThan(1e-21);
    const before = array.get("w")[0];
    array.drive([0.0199, -0.1999], "1 s");
    expect(array.get("w")[0]).toBe(before);
  });

  test("stops at its ends: 50 to 1000 ohm", async () => {
    const array = await fabricate(1, vteam, { seed: 1 });
    for (let n = 0; n < 200; n++) array.pulse("up");
    expect(Math.abs(1 / array.read()[0] - 50)).toBeLessThan(1e-9);
    for (let n = 0; n < 9; n++) array.pulse("down", undefined, { width: "1 us" });
    expect(Math.abs(1 / array.read()[0] - 1000)).toBeLessThan(1e-9);
  });
});

describe("Stanford–PKU", () => {
  test("a read is I0 exp(-gap / g0) sinh(V / V0) / V at 0.1 V", async () => {
    const array = await fabricate(1, stanfordPku, { seed: 1 });
    const expected = (1e-3 * Math.exp(-1.7 / 0.25) * Math.sinh(0.4)) / 0.1;
    expect(Math.abs(array.read()[0] / expected - 1)).toBeLessThan(1e-13);
  });

  test("nothing moves below Fmin: 1.39 V at the widest gap", async () => {
    const array = await fabricate(1, stanfordPku, { seed: 1 });
    const least = (1.4e9 * 12e-9) / (16 - 0.8 * 1.7 ** 3);
    array.pulse("up", undefined, { amplitude: least * 0.999, width: "1 s" });
    expect(array.get("gap")[0]).toBe(1.7e-9);
    array.pulse("up", undefined, { amplitude: least * 1.001 });
    expect(array.get("gap")[0]).toBeLessThan(1.7e-9);
  });
});

test.each([
  ["VTEAM", vteam, 0.3, "0.1 ns"],
  ["Stanford–PKU", stanfordPku, 1.8, "0.5 ns"],
  ["Yakopcic", yakopcic, 0.4, "20 us"],
  ["linear ion drift", linearIonDrift, 1, "4 ms"],
] as const)(
  "%s: the current is pinched at 0 V and the way back from a sweep is another",
  async (_, model, most, dt) => {
    const array = await fabricate(1, model as Device, { seed: 1 });
    const sign = model === vteam ? -1 : 1; // towards low resistance
    const sweep = Float64Array.from({ length: 101 }, (_, k) => sign * most * (1 - Math.abs(k - 50) / 50));
    const current = array.drive(sweep, dt);
    expect(Math.abs(current[0])).toBe(0);
    expect(Math.abs(current[100])).toBe(0);
    expect(current[75] / current[25]).toBeGreaterThan(1.01); // the same voltage, half way up and down
  },
);
