/** Rate of one cell over its input current, against the closed form. */

import { drivenLif } from "../models/lif.ts";
import {
  experiment,
  linePlot,
  neurons,
  quantity,
  type Raster,
  seconds,
  simulate,
  spikes,
  timesOf,
} from "../src/index.ts";

/** SI values of `drivenLif`. */
const { taum, R, El, Vt, tref } = Object.fromEntries(
  drivenLif.checked.parameters.map(({ name, value }) => [name, value]),
);

/** f = 1 / (tref + taum ln(R I / (R I - (Vt - El)))), Hz; 0 up to the rheobase. */
export function closedFormRate(current: number): number {
  const drive = R * current;
  const reach = Vt - El;
  return drive <= reach ? 0 : 1 / (tref + taum * Math.log(drive / (drive - reach)));
}

export default experiment({
  name: "single-neuron",
  question: "Does a leaky integrate-and-fire cell fire at the rate that the closed form gives?",
  source: "Lapicque 1907; Gerstner et al. 2014, Neuronal Dynamics, section 1.3",
  parameters: {
    currents: 60,
    from: "1.5 nA",
    to: "8 nA",
    duration: "5 s",
    ticks: ["0.5 ms", "0.25 ms", "0.1 ms", "0.05 ms", "0.025 ms"],
  },
  quick: { currents: 30, duration: "1 s", ticks: ["0.5 ms", "0.25 ms", "0.1 ms"] },
  describe: {
    currents: "number of cells, each with its own current",
    from: "smallest current",
    to: "largest current",
    duration: "biological time",
    ticks: "time steps that divide the refractory time; the rates of the last one are drawn",
  },
  metrics: {
    rheobase: "between the largest current that is silent and the smallest that fires (nA)",
    rheobaseClosedForm: "current whose steady potential is the threshold (nA)",
    largestError: "largest relative error of a rate at the smallest tick (1)",
    order: "order of the average error in the tick, from the first tick to the last (1)",
  },

  async run({ currents, from, to, duration, ticks }, { seed, signal, progress }) {
    const [low, high] = [quantity(from, "A"), quantity(to, "A")];
    const current = Float64Array.from(
      { length: currents },
      (_, k) => low + ((high - low) * k) / (currents - 1),
    );
    const expected = Array.from(current, closedFormRate);
    const cells = neurons(currents, drivenLif, { v: "El", I: current });

    const largest: number[] = []; // relative errors, by tick
    const average: number[] = [];
    let measured: number[] = [];
    for (const [k, dt] of ticks.entries()) {
      progress(k / ticks.length, `tick ${dt}`);
      const record = { raster: spikes(cells) };
      const { raster } = await simulate({ cells }, { duration, dt, seed, signal, record });
      measured = Array.from(current, (_, i) => rateOf(raster, i));
      const errors = expected.map((rate, i) => Math.abs(measured[i] / rate - 1)).filter(Number.isFinite);
      largest.push(Math.max(...errors));
      average.push(errors.reduce((sum, error) => sum + error, 0) / errors.length);
    }

    const first = measured.findIndex((rate) => rate > 0);
    const tick = ticks.map((dt) => seconds(dt));
    const span = Math.log(tick[0] / tick[tick.length - 1]);
    const nanoamperes = Array.from(current, (I) => I * 1e9);
    return {
      metrics: {
        rheobase: first > 0 ? [nanoamperes[first - 1], nanoamperes[first]] : null,
        rheobaseClosedForm: ((Vt - El) / R) * 1e9,
        largestError: largest[largest.length - 1],
        order: Math.log(average[0] / average[average.length - 1]) / span,
      },
      figures: {
        rates: linePlot({
          title: "Rate over current",
          x: nanoamperes,
          series: {
            simulated: { y: measured, line: false },
            "closed form": { y: expected, points: false },
          },
          xTitle: "current (nA)",
          yTitle: "rate (Hz)",
        }),
        error: linePlot({
          title: "Relative error of the rates over the tick",
          x: tick.map((dt) => dt * 1e3),
          series: { largest, average },
          xTitle: "tick (ms)",
          yTitle: "relative error",
          xLog: true,
          yLog: true,
        }),
      },
    };
  },
});

/** Rate of cell i by its mean interspike interval, Hz; 0 with fewer than two spikes. */
function rateOf(raster: Raster, i: number): number {
  const t = timesOf(raster, i);
  return t.length < 2 ? 0 : (t.length - 1) / (t[t.length - 1] - t[0]);
}
