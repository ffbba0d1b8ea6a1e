/** Small networks on one array that computes its layers in turn: what the abstracts say, and our model of the array. */
import type { Paper } from "../../src/index.ts";

const efficiency = (network: string, bits: number) => ["efficiency", { network, bits }, "ours"] as const;
const keywords = "AnalogNet-KWS";
const persons = "AnalogNet-VWW (stand-in)";

export const paper: Paper = {
  name: "analognets",
  title: "AnalogNets: noise-robust networks and the AON-CiM accelerator",
  authors: "Zhou, Redondo, Büchel, Boybat, Comas, Nandakumar, Das, Sebastian, Le Gallo, Whatmough 2021",
  source: "arXiv:2111.06503; IEEE Micro 42(6):76, 2022",
  known:
    "Known here: the two abstracts, circulated figures that could not be checked, and what follows from them by arithmetic. Efficiencies are of the preprint.",
  marks: {
    P: "stated in an abstract",
    U: "a circulated value, not checked in the article",
  },
  standIns: {
    network: {
      what: "layers of AnalogNet-KWS",
      value: "five convolutions and a dense layer, derived from MicroNet-KWS-S",
      why: "not in the abstracts; use, cycles and speed agree exactly with circulated figures",
    },
    persons: {
      what: "layers of AnalogNet-VWW",
      value: "layers searched until cycles, weights, operations and efficiencies came within 1 %",
      why: "not known",
    },
    pictures: {
      what: "Visual Wake Words",
      value: "the user's own copy, as much of it as there is, in grey, 100 x 100",
      why: "its photographs are not ours to hand on; which of its tasks, sizes and colours they used is not known",
    },
    energies: {
      what: "energy of a row and of a conversion",
      value: "three constants of the array, fitted to nine published efficiencies",
      why: "energies by component are not known; efficiencies below are what the fit was made to, so they test its form only",
    },
  },
  runs: {
    array: {
      experiment: "aon-cim",
      about: "mapping, time and energy; arithmetic on shapes, the same in the quick form",
      seconds: { quick: 1, full: 1 },
      standIns: ["network", "persons", "energies"],
    },
    drift: {
      experiment: "analognet-vww",
      about: "a network that sees persons, trained for chips of phase-change memory, over a year",
      quickTask: "rings among made pictures",
      full: { data: "visual-wake-words", bits: [8], ages: ["1 day"] }, // 83,000 images
      seconds: { quick: 6, full: 20_000 },
      standIns: ["persons", "pictures"],
    },
  },
  claims: [
    {
      quantity: "cells of the array that hold a weight, keywords",
      theirs: "57.3 %",
      mark: "U",
      run: "array",
      metric: "use",
      unit: "%",
      times: 1,
      standIns: ["network"],
      criterion: { from: 57.25, to: 57.45 },
    },
    {
      quantity: "inferences a second at 8 bits, keywords",
      theirs: "7,762",
      mark: "U",
      run: "array",
      metric: ["keywords", { bits: 8 }, "inferencesPerSecond"],
      standIns: ["network"],
      criterion: { from: 7761, to: 7763 },
    },
    {
      quantity: "inferences a second at 8 bits, persons",
      theirs: "1,063",
      mark: "U",
      run: "array",
      metric: ["persons", { bits: 8 }, "inferencesPerSecond"],
      standIns: ["persons"],
      criterion: { from: 1050, to: 1076 },
    },
    ...(
      [
        [keywords, 8, 8.58, "P"],
        [keywords, 6, 26.76, "U"],
        [keywords, 4, 57.39, "P"],
        [persons, 8, 4.37, "P"],
        [persons, 6, 12.82, "U"],
        [persons, 4, 25.69, "P"],
      ] as const
    ).map(([network, bits, value, mark]) => ({
      quantity: `TOPS/W at ${bits} bits, ${network === keywords ? "keywords" : "persons"}`,
      theirs: `${value}`,
      mark,
      run: "array",
      metric: efficiency(network, bits),
      standIns: [network === keywords ? "network" : "persons", "energies"],
      criterion: { from: value * 0.989, to: value * 1.011 },
    })),
    {
      quantity: "largest deviation of nine efficiencies",
      run: "array",
      metric: "deviation",
      unit: "%",
      times: 1,
      criterion: { atMost: 1.1 },
    },
    {
      quantity: "cells of channel-wise convolutions that hold a weight, MicroNet-KWS-S",
      run: "array",
      metric: ["depthwise", { way: "MicroNet-KWS-S, channel-wise" }, "depthwiseUse"],
      unit: "%",
      times: 1,
      standIns: [],
      criterion: { atMost: 2 },
    },
    {
      quantity: "lost of the accuracy in floating point after a day of drift, persons, 8 bits",
      theirs: "at most 1.2 points",
      mark: "P",
      run: "drift",
      metric: ["drop", { case: "8 bits, trained for it", age: "1 day" }, "points"],
      unit: "points",
      times: 1,
      criterion: { atMost: 1.2 },
    },
  ],
  missing: [
    {
      what: "what keywords lose after 24 h of drift (at most 0.8 points)",
      why: "an experiment of its own, analognet-kws, not part of this page",
    },
    {
      what: "measurements on the fabricated chip",
      why: "the text was not readable; no figure of it is quoted",
    },
    { what: "energy by component, area", why: "not known" },
  ],
};
