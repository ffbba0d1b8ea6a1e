/** The current-based benchmark network: one second of asynchronous irregular activity. */

import { cuba, excitatory, inhibitory } from "../models/cuba.ts";
import {
  experiment,
  histogramPlot,
  isiCv,
  meanRate,
  neurons,
  pairwiseBernoulli,
  rasterPlot,
  rates,
  simulate,
  spikes,
  synapses,
} from "../src/index.ts";

export default experiment({
  name: "cuba",
  question: "Does the CUBA benchmark network settle in its asynchronous irregular state of 5 to 6 Hz?",
  source: "Brette et al. 2007, J. Comput. Neurosci. 23:349, benchmark 2",
  parameters: { sizeE: 3200, sizeI: 800, p: 0.02, duration: "1 s" },
  quick: { duration: "500 ms" },
  describe: {
    sizeE: "excitatory cells",
    sizeI: "inhibitory cells",
    p: "probability of a connection",
    duration: "biological time",
  },
  metrics: {
    meanRate: "mean rate of all cells (Hz)",
    rateE: "mean rate of the excitatory cells (Hz)",
    rateI: "mean rate of the inhibitory cells (Hz)",
    isiCv: "coefficient of variation of the interspike intervals, mean over cells (1)",
  },

  async run({ sizeE, sizeI, p, duration }, { seed, threads, signal, progress }) {
    const cells = neurons(sizeE + sizeI, cuba, { v: "Vr + rand() * (Vt - Vr)" });
    const exc = synapses(cells.slice(0, sizeE), cells, excitatory, { connect: pairwiseBernoulli(p) });
    const inh = synapses(cells.slice(sizeE), cells, inhibitory, { connect: pairwiseBernoulli(p) });

    const { raster } = await simulate(
      { cells, exc, inh },
      { duration, dt: "0.1 ms", seed, threads, signal, progress, record: { raster: spikes(cells) } },
    );

    const perCell = rates(raster);
    const mean = (some: Float64Array) => some.reduce((sum, rate) => sum + rate, 0) / some.length;
    return {
      metrics: {
        meanRate: meanRate(raster),
        rateE: mean(perCell.subarray(0, sizeE)),
        rateI: mean(perCell.subarray(sizeE)),
        isiCv: isiCv(raster),
      },
      figures: {
        raster: rasterPlot(raster, { title: "Spikes of the CUBA network" }),
        rates: histogramPlot(perCell, { title: "Rates of the cells", xTitle: "rate (Hz)", yTitle: "cells" }),
      },
      spikes: { cells: raster },
    };
  },
});
