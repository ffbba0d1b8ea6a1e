/** Networks trained for the noise of crossbar chips: what the article says of products on tiles, and our runs. */
import type { Paper } from "../../src/index.ts";

const error = (group: string, name: string) => ["errors", { group, name }, "error"] as const;
const within = (value: number, by: number) => ({ from: value - by, to: value + by });

export const paper: Paper = {
  name: "hwa-training",
  title: "Hardware-aware training for analog in-memory computing",
  authors: "Rasch, Mackin, Le Gallo, Chen, Fasoli, Odermatt, Li, Nandakumar and others 2023",
  source: "Nat. Commun. 14:5282, doi:10.1038/s41467-023-40770-4",
  known:
    "Known here: equations and parameters of the crossbar model, as the article and the source of aihwkit state them. This page is about products on tiles, not yet about trained networks.",
  marks: {
    P: "stated in the article",
    C: "an independent calculation of the article's equations in NumPy, made by us: not the article's",
  },
  standIns: {
    "test vectors": {
      what: "vectors by which drift is compensated",
      value: "single inputs, sums over the conductances",
      why: "not stated; as in aihwkit",
    },
    "read noise": {
      what: "conductance that the long-term noise of reads is in proportion to",
      value: "the drifted one, as in aihwkit",
      why: "the printed equation has the target; with it the article's own 15 % would be 16.8 %",
    },
  },
  runs: {
    products: {
      experiment: "hwa-mvm-error",
      about: "errors of products of 512 × 512 normal weights on phase-change tiles",
      set: { groups: ["standard", "no compensation", "conventions", "fixed point", "input range"] },
      quick: { vectors: 50, replicates: 1 },
      full: { replicates: 5 },
      seconds: { quick: 30, full: 180 },
      standIns: ["test vectors", "read noise"],
    },
  },
  claims: [
    {
      quantity: "error of products an hour after programming, drift compensated",
      theirs: "15 %, without saying when; 15.1 % at 1 h",
      mark: "P",
      run: "products",
      metric: error("standard", "1 h"),
      unit: "%",
      times: 1,
      criterion: { from: 13, to: 16 },
    },
    ...(
      [
        [
          "standard",
          "programmed, without long-term noise of reads",
          "right after programming, short-term noise only",
          10.6,
          3,
        ],
        ["standard", "programmed, with it", "right after programming", 13.3, 0.4],
        ["standard", "1 day", "after a day, compensated", 17.1, 0.4],
        ["standard", "1 year", "after a year, compensated", 22, 0.5],
        ["no compensation", "no compensation, 1 h", "after an hour, not compensated", 26.2, 0.6],
        ["no compensation", "no compensation, 1 day", "after a day, not compensated", 36, 0.8],
        ["no compensation", "no compensation, 1 year", "after a year, not compensated", 51.7, 1],
        [
          "conventions",
          "both devices have errors, 1 h",
          "after an hour, errors on both devices (aihwkit)",
          15.5,
          0.4,
        ],
        [
          "fixed point",
          "both of 4 bits",
          "fixed point of 4 bits, which theirs is said to resemble",
          18.2,
          0.4,
        ],
        ["input range", "input range 0.5, 0 s", "input range half as wide as inputs", 39.4, 0.8],
      ] as const
    ).map(([group, name, quantity, value, by]) => ({
      quantity,
      theirs: `${value} %`,
      mark: "C",
      run: "products",
      metric: error(group, name),
      unit: "%",
      times: 1,
      criterion: within(value, by),
    })),
  ],
  missing: [
    {
      what: "accuracies of the eleven networks after training for chips",
      why: "the data sets of most are not to be had; networks of the same kind are trained in experiments of their own (hwa-…), not on this page",
    },
    {
      what: "two of the levels of imperfections that make 20 %: constant noise of weights, stuck devices",
      why: "conventions are not known; the group levels of hwa-mvm-error has them all",
    },
  ],
};
