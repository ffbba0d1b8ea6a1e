/** How much a synapse changes when two spikes meet, and when many meet at one rate. */

import { command, relay } from "../models/relay.ts";
import { multiplicativeStdp, pairStdp, tripletStdp } from "../models/stdp.ts";
import {
  experiment,
  linePlot,
  neurons,
  oneToOne,
  seconds,
  simulate,
  spikeSource,
  synapses,
  type Time,
  trace,
} from "../src/index.ts";

/** Spike times of many pairs of cells, s: [pair][spike]. */
interface Protocol {
  readonly pre: readonly (readonly number[])[];
  readonly post: readonly (readonly number[])[];
  readonly duration: number; // s
}

type Rule = typeof pairStdp | typeof multiplicativeStdp | typeof tripletStdp;

/** Change of the weight of each pair of cells, V, from `start`. */
async function changes(
  rule: Rule,
  { pre, post, duration }: Protocol,
  options: { dt: Time; start: number; seed: string | number },
): Promise<Float64Array> {
  const { dt, start, seed } = options;
  const size = pre.length;
  const early = post.map((times) => times.map((t) => t - seconds(dt))); // a relay fires one tick after its command
  const stimulus = spikeSource(size, pre);
  const teacher = spikeSource(size, early);
  const cells = neurons(size, relay);
  const commands = synapses(teacher, cells, command, { connect: oneToOne() });
  const plastic = synapses(stimulus, cells, rule, { connect: oneToOne(), initial: { w: `${start} V` } });
  const { w } = await simulate(
    { stimulus, teacher, cells, commands, plastic },
    { duration: `${duration} s`, dt, seed, record: { w: trace(plastic, "w") } },
  );
  return w.values.map((value) => value - start);
}

/** One spike each, the post spike `lag` seconds after the pre spike. */
function singlePairs(lags: readonly number[]): Protocol {
  const middle = 0.15;
  return {
    pre: lags.map(() => [middle]),
    post: lags.map((lag) => [middle + lag]),
    duration: 0.3,
  };
}

/** Sixty pairs at each rate, the post spike `lag` seconds after the pre spike: Pfister & Gerstner's protocol. */
function pairedTrains(rates: readonly number[], lags: readonly number[]): Protocol {
  const times = (rate: number) => Array.from({ length: 60 }, (_, n) => 1 + n / rate);
  return {
    pre: lags.flatMap(() => rates.map(times)),
    post: lags.flatMap((lag) => rates.map((rate) => times(rate).map((t) => t + lag))),
    duration: 2 + 60 / Math.min(...rates),
  };
}

/** Relative changes with their standard errors: Sjöström et al. 2001, as in Pfister & Gerstner 2006, table 1. */
const measured = {
  rates: [0.1, 10, 20, 40, 50], // Hz
  before: { mean: [-0.04, 0.14, 0.29, 0.53, 0.56], error: [0.05, 0.1, 0.14, 0.11, 0.26] }, // post 10 ms after pre
  behind: { mean: [-0.29, -0.41, -0.34, 0.56, 0.75], error: [0.08, 0.11, 0.1, 0.32, 0.19] }, // post 10 ms before
} as const;

export default experiment({
  name: "stdp-window",
  question:
    "Do pairs give the exponential window, and do triplets give the dependence on rate that pairs cannot?",
  source: "Song, Miller & Abbott 2000, Nat. Neurosci. 3:919; Pfister & Gerstner 2006, J. Neurosci. 26:9673",
  parameters: { reach: "100 ms", step: "2 ms", dt: "0.1 ms" },
  quick: { step: "5 ms" },
  describe: {
    reach: "largest time between the two spikes",
    step: "between two points of the window",
    dt: "tick of the window; the protocols of many spikes have a tick of 1 ms",
  },
  metrics: {
    windowError: "largest difference from the exponential window, additive rule, over its amplitude (1)",
    taup: "time constant of potentiation read off the window, additive rule (ms)",
    taum: "time constant of depression read off the window, additive rule (ms)",
    together: "change by two spikes in one tick, over the amplitude of potentiation (1)",
    tripletMisfit: "mean square distance of triplets from the measured changes, in standard errors (1)",
    pairMisfit: "the same for pairs, with the amplitudes that fit best (1)",
  },

  async run({ reach, step, dt }, { seed, progress }) {
    const count = Math.floor(seconds(reach) / seconds(step) + 1e-9);
    const lags = Array.from({ length: 2 * count + 1 }, (_, k) => (k - count) * seconds(step));
    const { Ap, Am, taup, taum, wmax } = parametersOf(pairStdp);
    const additive = await changes(pairStdp, singlePairs(lags), { dt, start: wmax / 2, seed });
    const soft = await changes(multiplicativeStdp, singlePairs(lags), { dt, start: wmax / 4, seed });
    const closedForm = lags.map((lag) =>
      lag >= 0 ? Ap * Math.exp(-lag / taup) : -Am * Math.exp(lag / taum),
    );
    const error = Math.max(...closedForm.map((value, k) => Math.abs(additive[k] - value))) / Ap;

    progress(0.3, "dependence on rate");
    const { w0 } = parametersOf(tripletStdp);
    const rule = tripletStdp.with({ wmax: "1 mV" }); // the measured changes come near the usual bound
    const protocol = pairedTrains(measured.rates, [0.01, -0.01]);
    const relative = async (amplitudes: Parameters<typeof rule.with>[0]) =>
      (await changes(rule.with(amplitudes), protocol, { dt: "1 ms", start: w0, seed })).map((dw) => dw / w0);
    const triplets = await relative({});
    progress(0.5, "dependence on rate, pairs");
    const pairs = fittedPairs(
      await relative({ A2p: 1e-3, A3p: 0, A2m: 0 }),
      await relative({ A2p: 0, A3p: 0, A2m: 1e-3 }),
    );

    const figure = (at: number, side: "before" | "behind", order: string) => {
      const { mean, error } = measured[side];
      const of = (values: Float64Array) => values.subarray(at, at + mean.length);
      return linePlot({
        title: `Change by pairs at one rate, ${order}`,
        caption: "Band: standard error of the measurement.",
        x: measured.rates,
        series: {
          measured: {
            y: mean,
            line: false,
            band: { low: mean.map((m, k) => m - error[k]), high: mean.map((m, k) => m + error[k]) },
          },
          triplets: of(triplets),
          "best pairs": { y: of(pairs), dashed: true },
        },
        xTitle: "rate (Hz)",
        yTitle: "relative change of the weight",
      });
    };
    return {
      metrics: {
        windowError: error,
        taup: timeConstant(lags, additive, 1) * 1e3,
        taum: timeConstant(lags, additive, -1) * 1e3,
        together: additive[count] / Ap,
        tripletMisfit: misfit(triplets),
        pairMisfit: misfit(pairs),
      },
      figures: {
        window: linePlot({
          title: "Change of the weight by one pair of spikes",
          x: lags.map((lag) => lag * 1e3),
          series: {
            additive: { y: additive.map((dw) => dw * 1e6), line: false },
            "closed form": { y: closedForm.map((dw) => dw * 1e6), points: false },
            "multiplicative, from a quarter": { y: soft.map((dw) => dw * 1e6), points: false, dashed: true },
          },
          xTitle: "post spike after pre spike (ms)",
          yTitle: "change (uV)",
        }),
        "rate-before": figure(0, "before", "post 10 ms after pre"),
        "rate-behind": figure(measured.rates.length, "behind", "post 10 ms before pre"),
      },
    };
  },
});

/** SI values of a rule's parameters. */
function parametersOf(rule: Rule): Record<string, number> {
  return Object.fromEntries(rule.checked.parameters.map(({ name, value }) => [name, value]));
}

/** Slope of the logarithm of the window on one side, as a time constant, s; regression. */
function timeConstant(lags: readonly number[], change: Float64Array, side: 1 | -1): number {
  const on = lags
    .map((lag, k) => ({ x: side * lag, y: Math.log(side * change[k]) }))
    .filter(({ x }) => x > 0);
  const mean = (values: number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
  const [x0, y0] = [mean(on.map(({ x }) => x)), mean(on.map(({ y }) => y))];
  const xx = on.reduce((sum, { x }) => sum + (x - x0) ** 2, 0);
  return -xx / on.reduce((sum, { x, y }) => sum + (x - x0) * (y - y0), 0);
}

/** All measured changes in the order of the protocol, with their standard errors. */
const data = {
  mean: [...measured.before.mean, ...measured.behind.mean],
  error: [...measured.before.error, ...measured.behind.error],
};

function misfit(model: Float64Array): number {
  const sum = data.mean.reduce((total, mean, k) => total + ((model[k] - mean) / data.error[k]) ** 2, 0);
  return sum / data.mean.length;
}

/** The sum of the two, each scaled by its own factor, that lies nearest to the data: pairs are linear in both. */
function fittedPairs(potentiation: Float64Array, depression: Float64Array): Float64Array {
  const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    data.error.reduce((sum, error, k) => sum + (a[k] * b[k]) / error ** 2, 0);
  const [pp, pd, dd] = [
    dot(potentiation, potentiation),
    dot(potentiation, depression),
    dot(depression, depression),
  ];
  const [py, dy] = [dot(potentiation, data.mean), dot(depression, data.mean)];
  const determinant = pp * dd - pd * pd;
  const [p, d] = [(dd * py - pd * dy) / determinant, (pp * dy - pd * py) / determinant];
  return potentiation.map((value, k) => p * value + d * depression[k]);
}
