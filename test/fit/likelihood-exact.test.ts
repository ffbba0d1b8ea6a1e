/** Linear models: the filter against the normal distribution of all that was read, written down at once. */
import { describe, expect, test } from "vitest";
import { likelihoodOf, resolutionOf } from "../../src/fit/likelihood.ts";
import { device, type Measurement, type Model } from "../../src/index.ts";
import { type Plan, simulated, spaced } from "./measured.ts";

/** A number as a sum of independent standard normal ones: mean, and factor by the name of each. */
interface Linear {
  readonly mean: number;
  readonly of: ReadonlyMap<string, number>;
}

const certain = (mean: number): Linear => ({ mean, of: new Map() });
const draw = (name: string): Linear => ({ mean: 0, of: new Map([[name, 1]]) });
const times = (a: Linear, factor: number): Linear => ({
  mean: a.mean * factor,
  of: new Map([...a.of].map(([name, x]) => [name, x * factor])),
});
function plus(...terms: Linear[]): Linear {
  const of = new Map<string, number>();
  for (const term of terms) for (const [name, x] of term.of) of.set(name, (of.get(name) ?? 0) + x);
  return { mean: terms.reduce((sum, { mean }) => sum + mean, 0), of };
}

/** Log-density of numbers by Cholesky's decomposition of their covariance. */
function density(reads: readonly { readonly value: number; readonly as: Linear }[]): number {
  const rows = reads.map(({ as: a }) =>
    reads.map(({ as: b }) => [...a.of].reduce((sum, [name, x]) => sum + x * (b.of.get(name) ?? 0), 0)),
  );
  const white: number[] = [];
  let log = 0;
  reads.forEach(({ value, as }, i) => {
    for (let j = 0; j <= i; j++) {
      let rest = rows[i][j];
      for (let k = 0; k < j; k++) rest -= rows[i][k] * rows[j][k];
      rows[i][j] = j < i ? rest / rows[j][j] : Math.sqrt(rest);
    }
    let rest = value - as.mean;
    for (let k = 0; k < i; k++) rest -= rows[i][k] * white[k];
    white.push(rest / rows[i][i]);
    log -= 0.5 * white[i] ** 2 + Math.log(rows[i][i]) + 0.5 * Math.log(2 * Math.PI);
  });
  return log;
}

/** A device that is linear in everything random. */
const linear = device({
  name: "linear device",
  source: "test",
  equations: `
    G    : S
    x    : 1             # a hidden state that relaxes
    gain : 1 (constant)
    bias : 1 (constant)
    both = gain + 0.5 * bias : 1
  `,
  initial: {
    gain: "1 + gainSd * randn()",
    bias: "biasMean + 0.3 * gainSd * randn()",
    x: "0.5 + 0.2 * randn()",
    G: "G0 + startSd * randn()",
  },
  on: {
    up: "x = keep * x + kick * randn(); G += step * both + drag * x + stepSd * randn()",
    down: "x = keep * x; G = leak * G - 0.5 * step * gain",
  },
  drift: "G * (max(age, t0) / t0)^(-nu)",
  read: "Gd + readSd * randn() + offset * bias",
  parameters: {
    step: "1 uS",
    gainSd: 0.3,
    biasMean: 0.1,
    keep: 0.8,
    kick: 0.5,
    drag: "0.7 uS",
    stepSd: "0.4 uS",
    leak: 0.9,
    nu: 0.05,
    t0: "1 s",
    readSd: "0.3 uS",
    offset: "0.2 uS",
    G0: "5 uS",
    startSd: "0.6 uS",
  },
});

interface Case {
  readonly measurement: Measurement;
  readonly model: Model<"device">;
  readonly start: "read" | "fabricated";
}

/** The log-density of what was read of each device, as sums of what was drawn; `shared`: constants are the device's own. */
function jointDensity({ measurement, model, start }: Case, shared = true): number {
  const resolution = resolutionOf(measurement);
  const groups = new Map<string, { value: number; as: Linear }[]>();
  const p = (name: string) => model.checked.parameters.find((each) => each.name === name)!.value;
  measurement.sequences.forEach(({ device, pulse, time, values }, s) => {
    const reads = groups.get(device) ?? [];
    groups.set(device, reads);
    const own = shared ? device : `${s}`;
    const gain = plus(certain(1), times(draw(`gain ${own}`), p("gainSd")));
    const bias = plus(certain(p("biasMean")), times(draw(`bias ${own}`), 0.3 * p("gainSd")));
    let x = plus(certain(0.5), times(draw(`x ${s}`), 0.2));
    let G = plus(certain(p("G0")), times(draw(`start ${s}`), p("startSd")));
    let pulsed = 0;
    const drifted = (row: number) => (Math.max((time?.[row] ?? 0) - pulsed, p("t0")) / p("t0")) ** -p("nu");
    const seen = (row: number) =>
      plus(
        times(draw(`read ${s} ${row}`), p("readSd")),
        times(draw(`rest ${s} ${row}`), resolution),
        times(bias, p("offset")),
      );
    for (let row = 0; row < values.length; row++) {
      const name = measurement.pulses[pulse[row]];
      if (name !== undefined) pulsed = time?.[row] ?? 0;
      if (row === 0 && start === "read") {
        // nothing known of G beforehand: it is what the read leaves over
        G = times(plus(certain(values[0]), times(seen(0), -1)), 1 / drifted(0));
        continue;
      }
      if (name === "up") {
        x = plus(times(x, p("keep")), times(draw(`kick ${s} ${row}`), p("kick")));
        const both = plus(gain, times(bias, 0.5));
        const step = times(draw(`step ${s} ${row}`), p("stepSd"));
        G = plus(G, times(both, p("step")), times(x, p("drag")), step);
      } else if (name === "down") {
        x = times(x, p("keep"));
        G = plus(times(G, p("leak")), times(gain, -0.5 * p("step")));
      }
      if (!Number.isNaN(values[row]))
        reads.push({ value: values[row], as: plus(times(G, drifted(row)), seen(row)) });
    }
  });
  return [...groups.values()].reduce((sum, reads) => sum + density(reads), 0);
}

const pulses = ["", "up", "up", "", "down", "up", "up", "down", "", "up", "up", ""];
const time = [0, ...spaced(0.5, 3000, 11)];
const plans: Readonly<Record<string, Omit<Plan, "first">>> = {
  "one device": { devices: 1, pulses },
  "one device, three cycles": { devices: 1, cycles: 3, pulses },
  "four devices": { devices: 4, pulses },
  "three devices, three cycles each, some pulses unread": {
    devices: 3,
    cycles: 3,
    pulses,
    unread: [2, 6, 7],
  },
  drift: { devices: 3, cycles: 2, pulses, time, unread: [4] },
};

async function logLikelihood({ measurement, model, start }: Case): Promise<number> {
  const likelihood = await likelihoodOf(measurement, model, { free: ["step"], start, loss: "normal" });
  return likelihood.values(Float64Array.of(model.checked.parameters[0].value))[0];
}

describe("a linear device has the log-likelihood of the joint normal distribution, to 1e-9 of it", () => {
  for (const [name, plan] of Object.entries(plans))
    for (const start of ["read", "fabricated"] as const)
      test(`${name}, start ${start}`, async () => {
        // constants of the only device measured are taken to be their means
        const model = plan.devices > 1 ? linear : linear.with({ gainSd: 0 });
        const first = start === "read" ? { first: (s: number) => 5e-6 + 1e-7 * s } : {};
        const [measurement] = await simulated({ ...plan, ...first }, model, `exact ${name}`);
        const found = await logLikelihood({ measurement, model, start });
        const exact = jointDensity({ measurement, model, start });
        expect(Math.abs(found / exact - 1)).toBeLessThan(1e-9);
        if (plan.devices === 1 || !plan.cycles) return;
        const apart = jointDensity({ measurement, model, start }, false); // control: constants anew in each cycle
        expect(Math.abs(found / apart - 1)).toBeGreaterThan(1e-4);
      });
});

/** Pulses without noise that start from what has drifted: G is uncertain because the drift of the device is. */
const sliding = device({
  name: "sliding device",
  source: "test",
  equations: "G : S\nslope : 1 (constant)",
  initial: { slope: "1 + slopeSd * randn()", G: "G0" },
  on: { up: "G = Gd + step" },
  drift: "G + rate * slope * age",
  read: "Gd + readSd * randn()",
  parameters: { step: "1 uS", G0: "3 uS", rate: "10 nS/s", slopeSd: 0.4, readSd: "0.2 uS" },
});

test("pulses that start from an uncertain drift", async () => {
  const plan = { devices: 4, pulses: ["", "up", "", "up", "up", ""], time: [10, 30, 90, 100, 150, 400] };
  const [measurement] = await simulated(plan, sliding, 1);
  const resolution = resolutionOf(measurement);
  const exact = measurement.sequences.reduce((total, { pulse, time, values }, s) => {
    let G = certain(3e-6);
    let pulsed = 0;
    const reads = Array.from(values, (value, row) => {
      const age = time![row] - pulsed;
      const drifted = plus(G, times(plus(certain(1), times(draw(`slope ${s}`), 0.4)), 1e-8 * age));
      if (pulse[row] >= 0) {
        pulsed = time![row];
        G = plus(drifted, certain(1e-6));
      }
      const noise = [times(draw(`read ${row}`), 2e-7), times(draw(`rest ${row}`), resolution)];
      return { value, as: plus(pulse[row] >= 0 ? G : drifted, ...noise) };
    });
    return total + density(reads);
  }, 0);
  const found = await logLikelihood({ measurement, model: sliding, start: "fabricated" });
  expect(Math.abs(found / exact - 1)).toBeLessThan(1e-9);
});
