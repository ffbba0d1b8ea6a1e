/** Izhikevich's two-variable cell: one quadratic and one linear equation, and a reset. */
import { neuron } from "../src/index.ts";

/**
 * Regular spiking by default. All quantities are potentials, as in the paper, where the time is in ms; its
 * figures use steps of 0.5 to 1 ms, which changes spike times.
 */
export const izhikevich = neuron({
  name: "Izhikevich",
  source: "Izhikevich 2003, IEEE Trans. Neural Networks 14:1569, eqs. 1 to 3",
  equations: `
    dv/dt = (0.04 * v^2 / mV + 5 * v + 140 * mV - u + I) / ms : V
    du/dt = a * (b * v - u) / ms                              : V
    I                                                         : V
  `,
  threshold: "v >= Vpeak",
  reset: "v = c; u += d",
  parameters: { a: 0.02, b: 0.2, c: "-65 mV", d: "8 mV", Vpeak: "30 mV", mV: "1 mV", ms: "1 ms" },
});

/** Parameters of the cell types in figure 2 of the paper, for `izhikevich.with(...)`. */
export const izhikevichTypes = {
  regularSpiking: { a: 0.02, b: 0.2, c: "-65 mV", d: "8 mV" },
  intrinsicallyBursting: { a: 0.02, b: 0.2, c: "-55 mV", d: "4 mV" },
  chattering: { a: 0.02, b: 0.2, c: "-50 mV", d: "2 mV" },
  fastSpiking: { a: 0.1, b: 0.2, c: "-65 mV", d: "2 mV" },
  thalamoCortical: { a: 0.02, b: 0.25, c: "-65 mV", d: "0.05 mV" },
  resonator: { a: 0.1, b: 0.26, c: "-65 mV", d: "2 mV" },
  lowThresholdSpiking: { a: 0.02, b: 0.25, c: "-65 mV", d: "2 mV" },
} as const;
