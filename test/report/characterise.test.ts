import { expect, test } from "vitest";
import { idealDevice } from "../../models/constant-step.ts";
import { cuSiO2WStdp } from "../../models/cusio2w.ts";
import { withEndurance, withYield } from "../../models/imperfections.ts";
import { linearIonDrift } from "../../models/ion-drift.ts";
import { library } from "../../models/library.ts";
import { pcm } from "../../models/pcm.ts";
import { pcmInference } from "../../models/pcm-inference.ts";
import { constantStep, softBounds } from "../../models/step-devices.ts";
import { device } from "../../src/index.ts";
import { characterise } from "../../src/report/characterise.ts";
import { type Estimate, isEstimate } from "../../src/report/estimate.ts";
import type { LineFigure } from "../../src/report/figures.ts";
import { plotly } from "../../src/report/plotly.ts";
import { station } from "../../src/report/station.ts";
import { svg } from "../../src/report/svg.ts";

const quantile = 4.9; // normal: a false alarm in 1e6

type Found = Awaited<ReturnType<typeof characterise>>;

function estimateOf(found: Found, name: string): Estimate {
  const value = found.metrics[name];
  if (!isEstimate(value)) throw new Error(`${name} is ${JSON.stringify(value)}`);
  return value;
}

function curve(found: Found, figure: string, name: string) {
  return (found.figures[figure] as LineFigure).series.find((series) => series.name === name)!;
}

test("the ideal device climbs 25 equal steps of 0.8 uS without spread, drift or read noise", async () => {
  const found = await characterise(idealDevice, { seed: 1, devices: 20 });
  expect(found.metrics).toMatchObject({ pulses: 30, responding: 1 });
  expect(found.metrics.halfway).toBeCloseTo(12.5, 9);
  const exact = { lowest: 0, highest: 20, range: 20, stepUp: 0.8, stepUpCycleSd: 0, levelDeviceSd: 0 };
  for (const [name, value] of Object.entries(exact)) {
    const { mean, interval95 } = estimateOf(found, name);
    expect(mean, name).toBeCloseTo(value, 9);
    expect(interval95[1] - interval95[0], name).toBeLessThan(1e-9);
  }
  const { x, y } = curve(found, "pulses", "set");
  expect(x).toEqual(Array.from({ length: 31 }, (_, n) => n));
  for (const [n, level] of y.entries()) expect(level).toBeCloseTo(Math.min(20, 0.8 * n), 9);
  expect(Object.keys(found.omitted).sort()).toEqual(["drift", "endurance", "loop", "readNoise", "window"]);
  expect(found.metrics.distinguishable).toBeUndefined(); // no spread to stand out of
  expect(found.metrics.onOffRatio).toBeUndefined(); // over 0
  const levels = found.metrics.levels as { levels: number; toldApart: Estimate }[];
  expect(levels.map(({ toldApart }) => toldApart.mean)).toEqual([1, 1, 1, 1]);
});

test("asymmetry is 0 for equal steps and, for soft bounds, the mean of |1 - 2 x|", async () => {
  const equal = await characterise(constantStep, { seed: 1, devices: 20 });
  expect(estimateOf(equal, "asymmetry").mean).toBe(0);
  const soft = await characterise(softBounds, { seed: 1, devices: 20 });
  // up a (1 - x), down a x; x covers the inner 90 % of what the ramp covers
  const [bottom, top] = ["lowest", "highest"].map((name) => estimateOf(soft, name).mean / 20);
  const places = Array.from({ length: 9000 }, (_, k) => bottom + (0.05 + (k + 0.5) / 1e4) * (top - bottom));
  const expected = places.reduce((sum, x) => sum + Math.abs(1 - 2 * x), 0) / 9000;
  expect(expected).toBeGreaterThan(0.42);
  expect(estimateOf(soft, "asymmetry").mean).toBeCloseTo(expected, 2); // 36 places for the integral
  expect(estimateOf(soft, "symmetryPoint").mean).toBeCloseTo(10, 1);
  // a step of 1 % of what is left, at the level of the nearest pulse to half of the range
  expect(estimateOf(soft, "stepUp").mean).toBeCloseTo(0.1, 1);
});

test("spreads from cycle to cycle and from device to device are told apart", async () => {
  const model = device({
    name: "two spreads",
    source: "test",
    equations: "G : S\ndG : S (constant)",
    initial: { G: "Gmin", dG: "step + deviceSd * randn()" },
    on: { set: "G = min(G + dG + pulseSd * randn(), Gmax)", reset: "G = Gmin" },
    read: "G",
    parameters: { step: "1 uS", deviceSd: "0.2 uS", pulseSd: "0.3 uS", Gmin: "1 uS", Gmax: "101 uS" },
  });
  const [devices, cycles] = [2000, 8];
  const found = await characterise(model, { seed: 5, devices });
  const pulses = Math.round(found.metrics.halfway as number);
  // error of a standard deviation from a sum of squares: sd / sqrt(2 freedom); its mean over devices
  const cycleError = 0.3 / Math.sqrt(2 * devices * (cycles - 1));
  const cycle = estimateOf(found, "stepUpCycleSd").mean;
  expect(Math.abs(cycle - 0.3)).toBeLessThan(quantile * cycleError);
  expect(Math.abs(cycle - 0.3 * 1.04)).toBeGreaterThan(quantile * cycleError); // control: 4 %
  const between = 0.04 + 0.09 / cycles; // variance of a device's mean step
  const deviceError = (between * Math.sqrt(2 / devices)) / (2 * 0.2);
  const own = estimateOf(found, "stepUpDeviceSd").mean;
  expect(Math.abs(own - 0.2)).toBeLessThan(quantile * deviceError);
  expect(Math.abs(own - Math.sqrt(between))).toBeGreaterThan(quantile * deviceError); // control: all of it
  // and of the level after so many pulses
  const levelError = (Math.sqrt(pulses) * 0.3) / Math.sqrt(2 * devices * (cycles - 1));
  expect(Math.abs(estimateOf(found, "levelCycleSd").mean - Math.sqrt(pulses) * 0.3)).toBeLessThan(
    quantile * levelError,
  );
  expect(Math.abs(estimateOf(found, "levelDeviceSd").mean / pulses - 0.2)).toBeLessThan(
    (quantile * ((0.04 + 0.09 / pulses / cycles) * Math.sqrt(2 / devices))) / 0.4,
  );
  expect(found.metrics.distinguishable as number).toBeCloseTo(estimateOf(found, "range").mean / cycle, 6);
});

test("the PCM ramp has the means of the specification's 200,000 devices", async () => {
  const devices = 50_000;
  const { up } = await station(pcm, { seed: 3, devices, quick: false });
  const published = [
    [1, 2.05, 1.52],
    [2, 3.43, 1.97],
    [3, 4.46, 2.19],
    [5, 5.92, 2.38],
    [10, 7.84, 2.48],
    [20, 9.4, 2.67],
  ] as const;
  const meanAt = (n: number) => 1e6 * (up!.levels[n].reduce((sum, G) => sum + G, 0) / up!.levels[n].length);
  const size = up!.levels[0].length;
  for (const [n, mean, sd] of published) {
    const bound = 0.005 + quantile * sd * Math.sqrt(1 / size + 1 / 200_000); // 0.005: two decimals
    expect(Math.abs(meanAt(n) - mean), `pulse ${n}`).toBeLessThan(bound);
    if (n > 1) expect(Math.abs(1.02 * meanAt(n) - mean), `control at ${n}`).toBeGreaterThan(bound);
  }
});

test("PCM: drift exponent 0.04, read noise 0.03 G + 0.13 uS, a flat spectrum", async () => {
  const found = await characterise(pcm, { seed: 2 });
  const drift = estimateOf(found, "driftExponent");
  expect(drift.mean).toBeCloseTo(0.04, 12);
  expect(found.metrics.driftExponentSd).toBe(0);
  expect(estimateOf(found, "keptAfterYear").mean).toBeCloseTo((10 ** 7.5 / 38.6) ** -0.04, 12);
  expect(found.figures.driftExponents).toBeUndefined(); // one value
  // ten groups: t(9) with a false alarm of 1e-6 reaches 11.7 standard errors
  const within = (name: string, value: number) => {
    const { mean, standardError } = estimateOf(found, name);
    return Math.abs(mean - value) < 11.7 * standardError;
  };
  expect(within("readNoiseSlope", 0.03)).toBe(true);
  expect(within("readNoiseSlope", 0.033)).toBe(false); // control
  expect(within("readNoiseOffset", 0.13)).toBe(true);
  expect(within("readNoiseOffset", 0.14)).toBe(false);
  const { mean, standardError } = estimateOf(found, "readSpectrumSlope"); // 32 devices: t(31), 6.1 errors
  expect(Math.abs(mean)).toBeLessThan(6.1 * standardError);
  expect(6.1 * standardError).toBeLessThan(0.1); // so that 1/f would be seen
  const { y } = curve(found, "readSpectrum", "");
  const whole = y.reduce<number>((sum, density) => sum + (density ?? 0), 0) / y.length;
  expect(whole).toBeGreaterThan(1.9); // variance 1 over half a hertz
  expect(whole).toBeLessThan(2.1);
});

test("a device whose exponents spread shows them, and 1/f noise its slope", async () => {
  const model = pcm.with({ nuSd: 0.008 });
  const found = await characterise(model, { seed: 2 });
  // 4 levels of each device share its exponent
  const sd = found.metrics.driftExponentSd as number;
  expect(Math.abs(sd - 0.008)).toBeLessThan((quantile * 0.008) / Math.sqrt(2 * 1000));
  expect(found.figures.driftExponents).toBeDefined();
  const noisy = device({
    name: "1/f",
    source: "test",
    equations: "G : S",
    initial: { G: "Gmin" },
    on: { set: "G = min(G + step, Gmax)", reset: "G = Gmin" },
    read: "G * (1 + 0.05 * flicker(fast, slow))",
    parameters: { fast: "1 s", slow: "100000 s", step: "1 uS", Gmin: "10 uS", Gmax: "20 uS" },
  });
  const { mean } = estimateOf(await characterise(noisy, { seed: 2, devices: 100 }), "readSpectrumSlope");
  expect(mean).toBeLessThan(-0.7);
  expect(mean).toBeGreaterThan(-1.3);
});

test("a programmed device has levels, drift and read noise, but no ramps", async () => {
  const found = await characterise(pcmInference, { seed: 1, devices: 400 });
  expect(found.omitted.pulses).toBe("the device is programmed by program, not moved by pulses");
  expect(Object.keys(found.figures)).toEqual([
    "levels",
    "drift",
    "driftExponents",
    "readNoise",
    "readHistogram",
    "readSpectrum",
  ]);
  const levels = found.metrics.driftByLevel as { level: number }[];
  for (const [k, { level }] of levels.entries())
    expect(Math.abs(level / (6.25 * (k + 1)) - 1)).toBeLessThan(0.05);
});

test("pairs of spikes move a device with thresholds as its equation says, and less the nearer its bound", async () => {
  const found = await characterise(cuSiO2WStdp.with({ deviceSd: 0 }), { seed: 1, devices: 20 });
  const { series } = found.figures.window as LineFigure;
  expect(series).toHaveLength(3);
  const peak = (k: number) => Math.max(...series[k].y.map((value) => value ?? 0));
  const dip = (k: number) => Math.min(...series[k].y.map((value) => value ?? 0));
  expect(peak(0)).toBeGreaterThan(peak(1));
  expect(peak(1)).toBeGreaterThan(peak(2));
  expect(dip(0)).toBeGreaterThan(dip(1));
  expect(dip(1)).toBeGreaterThan(dip(2));
  // a pair a millisecond apart moves x by 0.05 from 0.5: of the room above by a tenth
  const level = Number(/from ([\d.]+) uS/.exec(series[1].name)![1]);
  const room = 5.5 * 77.48 - level;
  expect(found.metrics.pairUp as number).toBeCloseTo(0.1 * room, 0);
  expect(found.figures.loop).toBeDefined();
});

test("the loop of a memristor goes through the origin; a device without a threshold has no window", async () => {
  const found = await characterise(linearIonDrift, { seed: 1, devices: 10, quick: true });
  expect(found.omitted.window).toMatch(/^a spike of 556 mV alone moves it/);
  const { x, y } = curve(found, "loop", "one device");
  const largest = Math.max(...y.map((value) => Math.abs(value ?? 0)));
  for (const [k, voltage] of x.entries())
    if (Math.abs(voltage) < 1e-12) expect(Math.abs(y[k] as number)).toBeLessThan(1e-9 * largest);
  expect(found.metrics.loopOpening as number).toBeGreaterThan(0.1);
});

test("endurance is the median of its Weibull distribution, and stuck devices do not respond", async () => {
  const model = withYield(withEndurance(idealDevice, { cycles: 1e6, at: "0 uS" }), {
    stuck: 0.2,
    at: "0 uS",
  });
  const found = await characterise(model, { seed: 4 });
  const median = 1e6 * Math.sqrt(Math.log(2));
  const { mean, standardError } = estimateOf(found, "endurance");
  expect(Math.abs(mean - median)).toBeLessThan(11.7 * standardError);
  expect(Math.abs(mean - 2 * median)).toBeGreaterThan(11.7 * standardError); // control
  expect(Math.abs((found.metrics.responding as number) - 0.8)).toBeLessThan(
    quantile * Math.sqrt(0.16 / 1000),
  );
});

test("equal seeds give equal results, other seeds others", async () => {
  const options = { devices: 20, quick: true };
  const [one, again, other] = await Promise.all(
    [1, 1, 2].map((seed) => characterise(pcm, { ...options, seed })),
  );
  expect(JSON.stringify(again)).toBe(JSON.stringify(one));
  expect(JSON.stringify(other)).not.toBe(JSON.stringify(one));
});

test("fewer than ten devices are refused", async () => {
  await expect(characterise(pcm, { seed: 1, devices: 3 })).rejects.toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: a device is characterised on 10 devices or more, not 3]`,
  );
});

/** Every device, once: with its file. */
const devices = Object.entries(library).filter(([name]) => name.includes("."));

test.each(devices)("%s is characterised, and every metric says what it is", async (_, model) => {
  const found = await characterise(model, { seed: 1, devices: 10, quick: true });
  expect(Object.keys(found.figures).length).toBeGreaterThan(0);
  for (const name of Object.keys(found.metrics)) {
    if (found.metrics[name] === undefined) continue;
    expect(found.meanings[name], name).toMatch(/\S/);
  }
  for (const figure of Object.values(found.figures)) {
    expect(JSON.parse(JSON.stringify(figure))).toEqual(figure);
    expect(svg(figure)).not.toMatch(/NaN|Infinity|undefined/);
    expect(plotly(figure).data.length).toBeGreaterThan(0);
  }
  const told = { ...found.figures, ...found.omitted };
  for (const part of ["pulses", "drift", "endurance", "loop", "window"]) expect(told).toHaveProperty(part);
});
