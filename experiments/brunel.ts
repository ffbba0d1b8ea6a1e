/** Four regimes of a sparse network of excitatory and inhibitory cells, and the rates that theory gives. */

import { brunel, excitatory, inhibitory, meanFieldRate } from "../models/brunel.ts";
import {
  experiment,
  fixedIndegree,
  isiCv,
  linePlot,
  meanRate,
  neurons,
  type Raster,
  rasterPlot,
  seconds,
  simulate,
  spikes,
  synapses,
} from "../src/index.ts";

/** SI values of the model. */
const { J, Vt, taum } = Object.fromEntries(brunel.checked.parameters.map(({ name, value }) => [name, value]));

export default experiment({
  name: "brunel",
  question:
    "Are the rates of a sparse random network those of mean-field theory, in all four regimes of figure 8?",
  source: "Brunel 2000, J. Comput. Neurosci. 8:183, model A, figure 8",
  parameters: {
    sizeE: 10_000,
    sizeI: 2500,
    indegreeE: 1000,
    indegreeI: 250,
    regimes: [
      "A synchronous regular",
      "B fast synchronous",
      "C asynchronous irregular",
      "D slow synchronous",
    ],
    g: [3, 6, 5, 4.5],
    drive: [2, 4, 2, 0.9],
    sweep: [4.5, 5, 6, 8],
    settle: "200 ms",
    duration: "1 s",
  },
  quick: { sizeE: 4000, sizeI: 1000, sweep: [5, 8], settle: "100 ms", duration: "300 ms" },
  describe: {
    sizeE: "excitatory cells",
    sizeI: "inhibitory cells",
    indegreeE: "excitatory synapses of each cell; as many external ones",
    indegreeI: "inhibitory synapses of each cell",
    regimes: "names of the regimes in the order of the lists below",
    g: "inhibitory over excitatory weight, by regime",
    drive: "external rate over the rate whose mean input reaches threshold, by regime",
    sweep: "inhibitory weights at which the rate is compared with theory, with a drive of 2",
    settle: "time before measures begin",
    duration: "biological time that is measured",
  },
  metrics: {
    rate: "mean rate of all cells, by regime (Hz)",
    theory: "mean-field rate, by regime (Hz)",
    isiCv: "coefficient of variation of the interspike intervals, by regime (1)",
    synchrony: "standard deviation over mean of the spikes of all cells in 1 ms, by regime (1)",
    frequency: "peak of the spectrum of the activity, by regime (Hz)",
    sweepRate: "mean rate of all cells, by g of the sweep (Hz)",
    sweepTheory: "mean-field rate, by g of the sweep (Hz)",
    asynchronousError: "relative difference of rate and theory in regime C (1)",
  },

  async run(parameters, { seed, threads, signal, progress }) {
    const { sizeE, sizeI, indegreeE, indegreeI, regimes, g, drive, sweep, settle, duration } = parameters;
    const reaching = Vt / (J * indegreeE * taum); // Hz, Brunel's nu_thr
    const from = seconds(settle);

    /** Spikes after `settle`, their times counted from there. */
    const spikesOf = async (weight: number, rateExt: number): Promise<Raster> => {
      const model = brunel.with({ Cext: indegreeE, rateExt: `${rateExt} Hz` });
      const cells = neurons(sizeE + sizeI, model, { v: "rand() * Vt" });
      const [E, I] = [cells.slice(0, sizeE), cells.slice(sizeE)];
      const options = { delay: "1.5 ms" } as const;
      const exc = synapses(E, cells, excitatory, { connect: fixedIndegree(indegreeE), ...options });
      const inh = synapses(I, cells, inhibitory.with({ g: weight }), {
        connect: fixedIndegree(indegreeI),
        ...options,
      });
      const { raster } = await simulate(
        { cells, exc, inh },
        {
          duration: `${from + seconds(duration)} s`,
          dt: "0.1 ms",
          seed,
          threads,
          signal,
          record: { raster: spikes(cells) },
        },
      );
      return after(raster, from);
    };
    const theoryOf = (weight: number, rateExt: number) =>
      meanFieldRate({ g: weight, rateExt, excitatoryIndegree: indegreeE, inhibitoryIndegree: indegreeI });

    const runs = regimes.length + sweep.length;
    const rasters: Raster[] = [];
    for (const [k, regime] of regimes.entries()) {
      progress(k / runs, regime);
      rasters.push(await spikesOf(g[k], drive[k] * reaching));
    }
    const sweepRate: number[] = [];
    for (const [k, weight] of sweep.entries()) {
      progress((regimes.length + k) / runs, `g = ${weight}`);
      sweepRate.push(meanRate(await spikesOf(weight, 2 * reaching)));
    }

    const rate = rasters.map(meanRate);
    const theory = regimes.map((_, k) => theoryOf(g[k], drive[k] * reaching));
    const asynchronous = regimes.findIndex((regime) => regime.includes("asynchronous"));
    const named = (values: readonly number[]) =>
      Object.fromEntries(regimes.map((name, k) => [name, values[k]]));
    const counts = rasters.map((raster) => activity(raster, 1e-3));
    const fine = Array.from(
      { length: 41 },
      (_, k) => sweep[0] + ((sweep[sweep.length - 1] - sweep[0]) * k) / 40,
    );
    return {
      metrics: {
        rate: named(rate),
        theory: named(theory),
        isiCv: named(rasters.map(isiCv)),
        synchrony: named(counts.map(relativeDeviation)),
        frequency: named(rasters.map((raster) => peakFrequency(activity(raster, 2.5e-4), 2.5e-4))),
        sweepRate,
        sweepTheory: sweep.map((weight) => theoryOf(weight, 2 * reaching)),
        asynchronousError: asynchronous < 0 ? null : rate[asynchronous] / theory[asynchronous] - 1,
      },
      figures: {
        ...Object.fromEntries(
          regimes.flatMap((name, k) => {
            const title = `${name}: g = ${g[k]}, drive ${drive[k]}`;
            const shown = counts[k].subarray(0, 200);
            return [
              [
                `raster-${letterOf(name)}`,
                rasterPlot(firstCells(rasters[k], 100, 0.2), {
                  title,
                  caption: `100 of ${sizeE + sizeI} cells.`,
                }),
              ],
              [
                `activity-${letterOf(name)}`,
                linePlot({
                  title: `${name}: activity of all cells in windows of 1 ms`,
                  x: Array.from(shown, (_, n) => n + 0.5),
                  series: { activity: shown.map((count) => count / (sizeE + sizeI) / 1e-3) },
                  xTitle: "time (ms)",
                  yTitle: "rate (Hz)",
                }),
              ],
            ];
          }),
        ),
        theory: linePlot({
          title: "Rate over inhibition, drive 2",
          series: {
            simulated: { x: sweep, y: sweepRate, line: false },
            "mean field": { x: fine, y: fine.map((weight) => theoryOf(weight, 2 * reaching)), points: false },
          },
          xTitle: "g (inhibitory over excitatory weight)",
          yTitle: "rate (Hz)",
        }),
      },
      spikes: Object.fromEntries(regimes.map((name, k) => [letterOf(name), rasters[k]])),
    };
  },
});

/** "A synchronous regular" -> "a": for names of files. */
const letterOf = (regime: string) => regime.split(" ")[0].toLowerCase();

/** The raster from time `from` on, s. */
function after({ t, i, size, duration }: Raster, from: number): Raster {
  const first = t.findIndex((time) => time >= from);
  const start = first < 0 ? t.length : first;
  return { t: t.slice(start).map((time) => time - from), i: i.slice(start), size, duration: duration - from };
}

/** The first `size` cells until `end`, s. */
function firstCells(raster: Raster, size: number, end: number): Raster {
  const kept = Array.from(raster.t.keys()).filter((k) => raster.i[k] < size && raster.t[k] < end);
  return {
    t: Float64Array.from(kept, (k) => raster.t[k]),
    i: Uint32Array.from(kept, (k) => raster.i[k]),
    size,
    duration: Math.min(end, raster.duration),
  };
}

/** Spikes of all cells in windows of `width` seconds. */
function activity({ t, duration }: Raster, width: number): Float64Array {
  const counts = new Float64Array(Math.round(duration / width));
  for (const time of t) counts[Math.min(counts.length - 1, Math.floor(time / width + 1e-6))]++;
  return counts;
}

function relativeDeviation(counts: Float64Array): number {
  const mean = counts.reduce((sum, n) => sum + n, 0) / counts.length;
  return Math.sqrt(counts.reduce((sum, n) => sum + (n - mean) ** 2, 0) / (counts.length - 1)) / mean;
}

/** The frequency from 5 Hz to 1 kHz, in steps of 5 Hz, with the largest power; window of Hann. */
function peakFrequency(counts: Float64Array, width: number): number {
  const mean = counts.reduce((sum, n) => sum + n, 0) / counts.length;
  const shown = counts.map((n, k) => (n - mean) * Math.sin((Math.PI * (k + 0.5)) / counts.length) ** 2);
  let best = 0;
  let frequency = 0;
  for (let f = 5; f <= 1000; f += 5) {
    let [re, im] = [0, 0];
    for (let k = 0; k < shown.length; k++) {
      re += shown[k] * Math.cos(2 * Math.PI * f * k * width);
      im += shown[k] * Math.sin(2 * Math.PI * f * k * width);
    }
    if (re * re + im * im > best) [best, frequency] = [re * re + im * im, f];
  }
  return frequency;
}
