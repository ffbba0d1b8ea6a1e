/** The conductance-based benchmark networks, of integrate-and-fire and of Hodgkin–Huxley cells. */

import { coba, cobaStimulus, excitatory, inhibitory, kick } from "../models/coba.ts";
import { cobaHodgkinHuxley, cobaHodgkinHuxleyRest } from "../models/hodgkin-huxley.ts";
import {
  ConfigError,
  experiment,
  isiCv,
  linePlot,
  meanRate,
  neurons,
  type Population,
  pairwiseBernoulli,
  type Raster,
  rasterPlot,
  simulate,
  spikes,
  synapses,
} from "../src/index.ts";

export default experiment({
  name: "coba",
  question: "Does activity started by 50 ms of stimulation sustain itself in conductance-based networks?",
  source: "Brette et al. 2007, J. Comput. Neurosci. 23:349, benchmarks 1 and 3",
  parameters: { cell: "integrate-and-fire", sizeE: 3200, sizeI: 800, p: 0.02, duration: "1 s" },
  quick: { duration: "400 ms" },
  describe: {
    cell: "integrate-and-fire (benchmark 1) or hodgkin-huxley (benchmark 3)",
    sizeE: "excitatory cells",
    sizeI: "inhibitory cells",
    p: "probability of a connection",
    duration: "biological time",
  },
  metrics: {
    meanRate: "mean rate of all cells (Hz)",
    lateRate: "mean rate of all cells in the last 100 ms; 0 when the activity has died (Hz)",
    isiCv: "coefficient of variation of the interspike intervals, mean over cells (1)",
  },

  async run({ cell, sizeE, sizeI, p, duration }, { seed, threads, signal, progress }) {
    const size = sizeE + sizeI;
    const cells = cellsOf(cell, size);
    const stimulus = neurons(20, cobaStimulus, { rate: "100 Hz" });
    const start = synapses(stimulus, cells, kick, { connect: pairwiseBernoulli(0.01) });
    const exc = synapses(cells.slice(0, sizeE), cells, excitatory, { connect: pairwiseBernoulli(p) });
    const inh = synapses(cells.slice(sizeE), cells, inhibitory, { connect: pairwiseBernoulli(p) });

    const { raster } = await simulate(
      { cells, stimulus, start, exc, inh },
      { duration, dt: "0.1 ms", seed, threads, signal, progress, record: { raster: spikes(cells) } },
    );

    const { at, rate } = activity(raster, 0.005);
    const late = raster.t.filter((t) => t >= raster.duration - 0.1).length;
    return {
      metrics: {
        meanRate: meanRate(raster),
        lateRate: late / (size * Math.min(0.1, raster.duration)),
        isiCv: isiCv(raster),
      },
      figures: {
        raster: rasterPlot(raster, {
          title: `Spikes of the COBA network, ${cell} cells`,
          windows: [{ label: "stimulation", from: "0 ms", to: "50 ms" }],
        }),
        activity: linePlot({
          title: "Activity, in windows of 5 ms",
          x: at,
          series: { "mean rate": rate },
          xTitle: "time (s)",
          yTitle: "rate (Hz)",
        }),
      },
      spikes: { cells: raster },
    };
  },
});

function cellsOf(cell: string, size: number): Population {
  if (cell === "integrate-and-fire") return neurons(size, coba, { v: "Vr + rand() * (Vt - Vr)" });
  if (cell === "hodgkin-huxley") return neurons(size, cobaHodgkinHuxley, cobaHodgkinHuxleyRest);
  throw new ConfigError(`cell is integrate-and-fire or hodgkin-huxley, not ${cell}`);
}

/** Mean rate of all cells over time, Hz, in windows of `width` seconds; `at` are their middles. */
function activity({ t, size, duration }: Raster, width: number): { at: number[]; rate: number[] } {
  const rate = new Array<number>(Math.ceil(duration / width - 1e-9)).fill(0);
  for (const time of t) rate[Math.min(rate.length - 1, Math.floor(time / width))] += 1 / (size * width);
  return { at: rate.map((_, k) => (k + 0.5) * width), rate };
}
