/**
 * What a Cu/SiO2/W-like memristor does with a pulse, with many of them, and with two spikes that overlap.
 *
 * The article's three device figures, made from models whose parameters are stand-ins (models/cusio2w.ts): steps by
 * conductance with a fit of the step law, the change at a pair of spikes by their interval, and conductance by pulses. The
 * voltage across the device never exceeds half a volt.
 */
import { cuSiO2W, cuSiO2WLevels, cuSiO2WStdp, spikePair } from "../models/cusio2w.ts";
import {
  ConfigError,
  estimate,
  experiment,
  fabricate,
  fit,
  linePlot,
  type Measurement,
  quantity,
  type Result,
} from "../src/index.ts";

const source =
  "Nandakumar & Rajendran 2020, Microelectron. Eng., arXiv:2001.09299 (parameters are stand-ins)";
const law = ["aUp", "aDown", "gammaUp", "gammaDown", "pulseSd"] as const;
const uS = 1e-6;

/** Conductances, S, of devices from their lowest state, over as many pulses up as down: [read][device]. */
async function ramp(model: Parameters<typeof fabricate>[1], devices: number, pulses: number, seed: string) {
  const array = await fabricate(devices, model, { seed });
  array.pulse("reset");
  const reads = [array.read()];
  for (let k = 0; k < 2 * pulses; k++) {
    array.pulse(k < pulses ? "up" : "down");
    reads.push(array.read());
  }
  return reads;
}

/** The ramps as a table of measurements, such as a laboratory would have. */
function measured(reads: readonly Float64Array[], pulses: number): Measurement {
  const pulse = Int16Array.from(reads, (_, k) => (k === 0 ? -1 : k <= pulses ? 0 : 1));
  return {
    source: "simulated ramps",
    pulses: ["up", "down"],
    arguments: [],
    quantity: "conductance",
    sequences: Array.from(reads[0], (_, d) => ({
      device: `device ${d + 1}`,
      cycle: 1,
      pulse,
      arguments: [],
      values: Float64Array.from(reads, (row) => row[d]),
    })),
  };
}

/** Mean steps of pulses `from` to `to` by the conductance before, in ten classes of its range: estimates, uS. */
function stepsByConductance(
  reads: readonly Float64Array[],
  from: number,
  to: number,
  range: [number, number],
) {
  const classes = Array.from({ length: 10 }, (): number[] => []);
  for (let k = from; k < to; k++)
    for (let d = 0; d < reads[k].length; d++) {
      const place = Math.floor((10 * (reads[k][d] - range[0])) / (range[1] - range[0]));
      classes[Math.min(9, Math.max(0, place))].push((reads[k + 1][d] - reads[k][d]) / uS);
    }
  const filled = classes.map((steps, c) => ({ steps, c })).filter(({ steps }) => steps.length > 30);
  return {
    x: filled.map(({ c }) => (range[0] + ((c + 0.5) / 10) * (range[1] - range[0])) / uS),
    y: filled.map(({ steps }) => estimate(steps)),
  };
}

/** Changes of conductance, uS, at pairs of spikes, and the greatest voltage: [state][interval]. */
async function window(
  states: readonly number[],
  intervals: readonly number[],
  sampling: number,
  seed: string,
) {
  const array = await fabricate(states.length, cuSiO2WStdp.with({ deviceSd: 0 }), { seed });
  const changes = states.map((): number[] => []);
  let greatest = 0;
  for (const interval of intervals) {
    array.set("x", states);
    const before = array.read();
    const voltage = spikePair(interval, sampling);
    for (const v of voltage) greatest = Math.max(greatest, Math.abs(v));
    array.drive(voltage, `${sampling} s`);
    const after = array.read();
    for (const [k, all] of changes.entries()) all.push((after[k] - before[k]) / uS);
  }
  return { changes, greatest };
}

/** From -50 ms to 50 ms; in steps of one up to ten, then of two. Without 0, where the waveforms cancel. */
const intervals = [
  ...Array.from({ length: 10 }, (_, k) => k + 1),
  ...Array.from({ length: 20 }, (_, k) => 12 + 2 * k),
]
  .flatMap((ms) => [-ms, ms])
  .sort((a, b) => a - b)
  .map((ms) => ms * 1e-3);

export default experiment({
  name: "cusio2w-device",
  question: "How do pulses and pairs of spikes below half a volt move a Cu/SiO2/W-like memristor?",
  source,
  parameters: {
    devices: 20,
    pulses: 150,
    states: [0.2, 0.5, 0.8],
    sampling: "10 us",
  },
  quick: { devices: 6, pulses: 100, sampling: "50 us" },
  describe: {
    devices: "pulsed and fitted; all alike, so that the law of one is fitted",
    pulses: "up, and then down",
    states: "x of the device at a pair of spikes, 0 to 1",
    sampling: "step of the waveforms",
  },
  metrics: {
    law: "the step law a (1 - x)^gamma and a x^gamma: what the devices have, what the fit of their ramps finds, its 95 % interval",
    top: "mean conductance after the pulses up (uS)",
    bottom: "mean conductance after the pulses down (uS)",
    window:
      "by state x: change at a pre spike 1 ms before a post spike (up) and after it (down), and 10 ms (uS)",
    reach: "longest interval that still changes the conductance (s); by closed form it ends at 38.9 ms",
    greatestVoltage: "across the device at any pair (V)",
    spikeAlone: "change by one spike without another (uS)",
  },

  async run({ devices, pulses, states, sampling }, context): Promise<Result> {
    const outside = states.find((x) => !(x > 0 && x < 1));
    if (outside !== undefined) throw new ConfigError(`a state is between 0 and 1, not ${outside}`);
    const seed = `${context.seed}`;
    const dt = quantity(sampling, "s");

    context.progress(0, "ramps");
    const model = cuSiO2W.with({ deviceSd: 0, x0: 0 });
    const reads = await ramp(model, devices, pulses, `${seed}/ramp`);
    const { parameters } = model.checked;
    const of = (name: string) => parameters.find((each) => each.name === name)?.value ?? Number.NaN;
    const range: [number, number] = [of("Gmin"), of("Gmax")];

    context.progress(0.1, "fit of the step law");
    const found = await fit(measured(reads, pulses), model, {
      free: [...law],
      starts: 16,
      seed: `${seed}/fit`,
      signal: context.signal,
    });
    const fitted = (name: (typeof law)[number]) => {
      const one = found.parameters.find((each) => each.name === name);
      if (!one) throw new ConfigError(`the fit has no ${name}`);
      return one;
    };

    context.progress(0.6, "spike pairs");
    const { changes, greatest } = await window(states, intervals, dt, `${seed}/pairs`);
    const [before, after] = [intervals.filter((each) => each < 0), intervals.filter((each) => each > 0)];
    const at = (ms: number) => intervals.findIndex((interval) => Math.abs(interval - ms * 1e-3) < 1e-9);
    const alone = await window([0.5], [1], dt, `${seed}/alone`); // a second apart

    context.progress(0.9, "half quanta");
    const staircase = await ramp(
      cuSiO2WLevels.with({ deviceSd: 0, aUp: 0.05, aDown: 0.05, n0: 1 }),
      2,
      pulses,
      `${seed}/levels`,
    );
    const spread = await ramp(cuSiO2W, 5, pulses, `${seed}/spread`);

    const line = (count: number, value: (k: number) => number) =>
      Array.from({ length: count }, (_, k) => value(k));
    const x = line(101, (k) => k / 100);
    const G = x.map((each) => (range[0] + each * (range[1] - range[0])) / uS);
    const fittedStep = (up: boolean) => {
      const [a, gamma] = up
        ? [fitted("aUp").value, fitted("gammaUp").value]
        : [-fitted("aDown").value, fitted("gammaDown").value];
      return x.map((each) => (a * (up ? 1 - each : each) ** gamma * (range[1] - range[0])) / uS);
    };
    const count = line(reads.length, (k) => k);
    const inMicro = (row: ArrayLike<number>) => Array.from(row, (value) => value / uS);
    /** The devices' curves as one, with gaps between them. */
    const joined = (rows: readonly Float64Array[]) => {
      const each = Array.from(rows[0], (_, d) => [...rows.map((row) => row[d] / uS), Number.NaN]);
      return { x: each.flatMap((curve) => line(curve.length, (k) => k)), y: each.flat() };
    };
    const waveform = (interval: number) => {
      const voltage = spikePair(interval, dt).subarray(0, Math.round(60e-3 / dt));
      return {
        x: line(voltage.length, (k) => (k + 0.5) * dt * 1e3),
        y: Array.from(voltage, (v) => v * 1e3),
        points: false,
      };
    };
    return {
      metrics: {
        law: Object.fromEntries(
          law.map((name) => [
            name,
            {
              has: of(name),
              found: fitted(name).value,
              low: fitted(name).interval95[0],
              high: fitted(name).interval95[1],
            },
          ]),
        ),
        top: estimate(inMicro(reads[pulses])),
        bottom: estimate(inMicro(reads[2 * pulses])),
        window: states.map((state, k) => ({
          x: state,
          up1: changes[k][at(1)],
          down1: changes[k][at(-1)],
          up10: changes[k][at(10)],
          down10: changes[k][at(-10)],
        })),
        reach: Math.max(...intervals.filter((_, k) => changes.some((all) => all[k] !== 0)).map(Math.abs)),
        greatestVoltage: greatest,
        spikeAlone: alone.changes[0][0],
      },
      figures: {
        steps: linePlot({
          title: "Steps by conductance, Cu/SiO2/W-like",
          caption: `Means of ${devices} devices in ten classes of conductance, 95 % intervals; curves are the step law fitted to the ramps.`,
          series: {
            up: {
              ...stepsByConductance(reads, 0, pulses, range),
              bars: true,
              line: false,
              points: true,
              colour: 0,
            },
            "up, fitted": { x: G, y: fittedStep(true), points: false, colour: 0 },
            down: {
              ...stepsByConductance(reads, pulses, 2 * pulses, range),
              ...{ bars: true, line: false, points: true, colour: 1 },
            },
            "down, fitted": { x: G, y: fittedStep(false), points: false, colour: 1 },
          },
          xTitle: "conductance (uS)",
          yTitle: "change by a pulse (uS)",
        }),
        window: linePlot({
          title: "Change by a pair of spikes, Cu/SiO2/W-like",
          caption:
            "Post less pre spike time; from the overlap of their waveforms, which alone stay below threshold.",
          x: [...before, 0, ...after].map((interval) => interval * 1e3),
          series: Object.fromEntries(
            states.map((state, k) => {
              const y = [
                ...changes[k].slice(0, before.length),
                Number.NaN,
                ...changes[k].slice(before.length),
              ];
              return [`x = ${state}`, { y, points: true }];
            }),
          ),
          xTitle: "interval (ms)",
          yTitle: "change of conductance (uS)",
        }),
        waveforms: linePlot({
          title: "Voltage across the device at a pair of spikes",
          series: { "post 5 ms after pre": waveform(5e-3), "pre 5 ms after post": waveform(-5e-3) },
          xTitle: "time (ms)",
          yTitle: "voltage (mV)",
          yRange: [-500, 500],
          levels: [
            { at: 270, label: "threshold up" },
            { at: -270, label: "threshold down" },
          ],
        }),
        pulses: linePlot({
          title: "Conductance by pulses, Cu/SiO2/W-like",
          caption: `${pulses} pulses up, then down: the mean of ${devices} equal devices, five that differ, and two that move by half quanta.`,
          x: count,
          series: {
            mean: { y: reads.map((row) => estimate(inMicro(row))), points: false, colour: 0 },
            "devices that differ": { ...joined(spread), points: false, faint: true, colour: 2 },
            "half quanta": { ...joined(staircase), points: false, colour: 1 },
          },
          xTitle: "pulse",
          yTitle: "conductance (uS)",
        }),
      },
    };
  },
});
