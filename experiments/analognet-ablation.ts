/** What each part of training for a crossbar is worth: keywords on one PCM array with one gain of the ADC for all layers. */
import { readNetworks, shippedNetwork } from "../datasets/weights.ts";
import { analognetKws } from "../models/analognet.ts";
import {
  barPlot,
  ConfigError,
  type Estimate,
  experiment,
  type Figure,
  type Result,
  type State,
  type Time,
} from "../src/index.ts";
import { analognetArray, analognetMapping, descent, firstGain } from "./hardware-aware/analognets.ts";
import { keywordShape, keywords } from "./hardware-aware/keywords.ts";
import { type Case, type Found, study, tableMetrics, tableOf } from "./hardware-aware/study.ts";

/** Rows of the ablation, each with what the one before has (Zhou et al. 2021: training in two stages). */
const rows = ["as it is", "clipping", "noise", "converters", "one gain"] as const;
type Row = (typeof rows)[number];

const chance = 1 / 12;

/** Networks that several bit widths begin with. */
const networks = { clipping: "clipped", noise: "clipped, with noise" } as const;

export default experiment({
  name: "analognet-ablation",
  question:
    "What do clipping, noise, converters and one gain for all layers, each added to training, save of what a keyword network loses on a PCM crossbar?",
  source: "Zhou et al. 2021, arXiv:2111.06503 (AnalogNets), parts of its training",
  parameters: {
    data: "speech-commands",
    rows: [...rows] as string[],
    epochs: 30,
    learningRate: 0.05,
    batch: 100,
    awareEpochs: 8,
    awareRate: 0.01,
    bits: [8, 6, 4],
    noise: 0.1,
    clip: 2,
    remapEvery: 10,
    rangeBatches: 10,
    chips: 10,
    ages: ["25 s", "1 day", "1 year"],
    weights: "",
    fused: false,
  },
  quick: {
    data: "sample",
    rows: ["as it is", "one gain"],
    batch: 30,
    awareEpochs: 1,
    bits: [6],
    rangeBatches: 2,
    chips: 1,
    ages: ["1 day"],
    weights: "shipped",
  },
  describe: {
    data: '"speech-commands", the training part that is present, or "sample", features of 20 clips a class that ship with the program',
    rows: `of ${rows.join(", ")}: each has what those before it have`,
    epochs: "passes in floating point",
    learningRate: "of stochastic gradient descent with momentum 0.9; it falls along half a cosine",
    batch: "clips of a step",
    awareEpochs:
      "passes of each training: with clipped weights, from those in floating point; with noise, converters, one gain, from the clipped ones",
    awareRate: "its learning rate",
    bits: "bits of both converters",
    noise: "standard deviation of the noise on weights in training, over the largest weight of a layer",
    clip: "weights of a layer are clipped at so many of their standard deviations",
    remapEvery: "steps after which that is looked at anew, while weights are clipped without noise",
    rangeBatches: "batches over which input ranges and gains are looked for before they are learnt",
    chips: "programmings of each row and bit width",
    ages: "times after programming",
    weights:
      '"shipped", folder of an earlier run, whose networks are taken over, or a .safetensors file with one in floating point',
    fused: "fuse products and sums: a third faster, and other bits on other machines",
  },
  metrics: {
    ...tableMetrics,
    drop: "what is lost of the accuracy in floating point at each age (%)",
    split: "whose clips these are",
  },

  async run(given, context) {
    const { batch, bits, weights } = given;
    const ages = given.ages as readonly Time[];
    for (const row of given.rows)
      if (!(rows as readonly string[]).includes(row))
        throw new ConfigError(`there is no row ${JSON.stringify(row)}; there are ${rows.join(", ")}`);
    const { split, ...data } = await keywords(given.data, context.seed);
    const cases = casesOf(given.rows as Row[], { ...given, ages });
    const result = (found: Found): Result => {
      const seen = { ...found, cases: found.cases.filter((one) => one.ages.length > 0) };
      const { floating = Number.NaN } = found;
      return {
        metrics: {
          ...tableOf(seen, { chance }),
          drop: Object.fromEntries(
            seen.cases.map(({ name, accuracy }) => [
              name,
              accuracy.map(({ mean }) => 100 * (floating - mean)),
            ]),
          ),
          split,
        },
        figures: Object.fromEntries(
          ages.map((age, k) => [
            `drop-${age.replace(" ", "-")}`,
            dropFigure(found, { age, k, bits, rows: given.rows }),
          ]),
        ),
        networks: found.networks,
      };
    };
    const found = await study(
      { ...data, layers: analognetKws(), inputs: keywordShape, chance },
      {
        floating: { epochs: given.epochs, batch, optimizer: descent(given.learningRate) },
        cases,
        seed: context.seed,
        fused: given.fused,
        threads: context.threads,
        known: await knownNetworks(weights),
      },
      { ...context, partial: (some) => context.partial(result(some)) },
    );
    return result(found);
  },
});

async function knownNetworks(place: string): Promise<Record<string, State> | undefined> {
  if (place === "shipped") return { floating: await shippedNetwork("analognet-kws-floating") };
  return place ? readNetworks(place) : undefined;
}

interface Ablation {
  readonly awareEpochs: number;
  readonly awareRate: number;
  readonly batch: number;
  readonly bits: readonly number[];
  readonly noise: number;
  readonly clip: number;
  readonly remapEvery: number;
  readonly rangeBatches: number;
  readonly chips: number;
  readonly ages: readonly Time[];
}

/** Networks that bit widths share, and then each row at each width. */
function casesOf(wanted: readonly Row[], o: Ablation): Case[] {
  const { rangeBatches, chips, ages } = o;
  const mapping = analognetMapping({ rangeBatches });
  const steps = { epochs: o.awareEpochs, batch: o.batch, optimizer: descent(o.awareRate) };
  const noise = { noise: "constant", noiseScale: o.noise } as const;
  const free = analognetArray("none", firstGain); // no converter, and no bound of outputs to learn
  const unseen = { tile: free, ages: [], chips: 0 } as const;
  const clipping = { ...mapping, outputBound: "tile", clipSigmas: o.clip } as const;
  const has = (...some: Row[]) => some.some((row) => wanted.includes(row));
  const shared: Case[] = [
    {
      name: networks.clipping,
      mapping: { ...clipping, remapEvery: o.remapEvery },
      training: { ...steps, noiseScale: 0, tile: free },
      ...unseen,
    },
    {
      name: networks.noise,
      from: networks.clipping,
      mapping: clipping,
      training: { ...steps, ...noise, tile: free },
      ...unseen,
    },
  ];
  const all = o.bits.flatMap((bits) => {
    const tile = analognetArray(bits, firstGain);
    const on = { tile, ages, chips } as const;
    const training = { ...steps, ...noise, tile };
    const fine = { ...mapping, clipSigmas: o.clip };
    const each: Record<Row, Omit<Case, "name">> = {
      "as it is": { mapping, ...on },
      clipping: { from: networks.clipping, mapping, ...on },
      noise: { from: networks.noise, mapping, ...on },
      converters: {
        from: networks.clipping,
        mapping: { ...fine, outputBound: "matrix" },
        boundOnChips: "shared",
        training,
        ...on,
      },
      "one gain": { from: networks.clipping, mapping: fine, training, ...on },
    };
    return wanted.map((row): Case => ({ name: nameOf(bits, row), ...each[row] }));
  });
  return [
    ...shared.filter(({ name }) =>
      name === networks.noise ? has("noise") : has("clipping", "noise", "converters", "one gain"),
    ),
    ...all,
  ];
}

const nameOf = (bits: number, row: string): string =>
  `${bits} bits, ${row === "as it is" ? row : `+ ${row}`}`;

/** What is lost of the accuracy in floating point at an age: a bar for each row and bit width. */
function dropFigure(
  { cases, floating = Number.NaN }: Found,
  o: {
    readonly age: Time;
    readonly k: number;
    readonly bits: readonly number[];
    readonly rows: readonly string[];
  },
): Figure {
  const lost = (bits: number, row: string): Estimate | number => {
    const one = cases.find(({ name }) => name === nameOf(bits, row))?.accuracy[o.k];
    if (!one) return Number.NaN;
    const [low, high] = one.interval95;
    return {
      mean: 100 * (floating - one.mean),
      standardError: 100 * one.standardError,
      interval95: [100 * (floating - high), 100 * (floating - low)],
      n: one.n,
    };
  };
  return barPlot({
    title: `AnalogNet-KWS on a PCM crossbar after ${o.age}`,
    categories: o.rows.map((row) => (row === "as it is" ? row : `+ ${row}`)),
    yTitle: "lost accuracy (points)",
    series: Object.fromEntries(o.bits.map((bits) => [`${bits} bits`, o.rows.map((row) => lost(bits, row))])),
  });
}
