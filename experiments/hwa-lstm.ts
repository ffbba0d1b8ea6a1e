/** A recurrent language model on PCM crossbars: what a year of drift costs, before and after training for it. */
import { readNetworks } from "../datasets/weights.ts";
import { lstmLanguageModel } from "../models/sequences.ts";
import { adam, cosine, experiment, type Result, sgd, type Time } from "../src/index.ts";
import { bothWays, chipDescriptions } from "./hardware-aware/chips.ts";
import { textTask } from "./hardware-aware/language.ts";
import { errorFigure, type Found, study, tableMetrics, tableOf } from "./hardware-aware/study.ts";

export default experiment({
  name: "hwa-lstm",
  question:
    "How well does a recurrent network name the next word on PCM crossbars up to a year old, with its weights as they are and trained for chips?",
  source: "Rasch et al. 2023, Nat. Commun. 14:5282, doi:10.1038/s41467-023-40770-4, LSTM on Penn Treebank",
  parameters: {
    data: "ptb-words",
    vocabulary: 1000,
    learnt: 100000,
    tested: 5000,
    layers: 2,
    units: 128,
    dropout: 0.2,
    time: 35,
    batch: 20,
    epochs: 3,
    learningRate: 10,
    awareEpochs: 1,
    awareRate: 0.001,
    noise: 5,
    rampSteps: 100,
    dropConnect: 0.01,
    device: "pcm",
    chips: 3,
    ages: ["1 s", "1 h", "1 day", "1 year"],
    weights: "",
    fused: false,
  },
  quick: {
    data: "sample",
    vocabulary: 0,
    learnt: 20000,
    tested: 2000,
    layers: 1,
    units: 32,
    dropout: 0,
    time: 20,
    epochs: 3,
    awareRate: 0.003,
    rampSteps: 5,
    ages: ["1 h", "1 year"],
  },
  describe: {
    data: 'text: "ptb-words", "ptb-characters", "war-and-peace", "shakespeare", or "sample", 60 kB that ship with the program',
    vocabulary: "most frequent words that are kept, the others are <unk>; 0 for all",
    learnt: "symbols to learn from; 0 for all",
    tested: "symbols to test on; 0 for all",
    layers: "of cells",
    units: "cells of a layer and features of the embedding; the paper has 2 layers of 650",
    dropout: "part of what goes up from each layer that is left out while learning; the paper has 0.5",
    time: "symbols through which errors go back",
    batch: "streams that are read side by side",
    epochs: "passes over the text in floating point",
    learningRate:
      "of stochastic gradient descent, gradients no longer than 0.25; it falls along half a cosine",
    ...chipDescriptions,
    awareRate: "its learning rate, of Adam",
  },
  metrics: { ...tableMetrics, text: "which text, and what of it" },

  async run(given, context) {
    const { layers, units, dropout, batch, time, weights } = given;
    const ages = given.ages as readonly Time[];
    const { train, test, symbols, split } = await textTask(given);
    const chance = 1 / symbols;
    const result = (found: Found): Result => ({
      metrics: { ...tableOf(found, { chance, direct: "as it is" }), text: split },
      figures:
        found.cases.length > 0
          ? { error: errorFigure(found, `${layers} x ${units} LSTM cells on ${given.device} chips`) }
          : {},
      networks: found.networks,
    });
    const found = await study(
      {
        train,
        test,
        chance,
        layers: lstmLanguageModel({ symbols, layers, units, dropout }),
        inputs: [time, 1],
        order: "kept",
      },
      {
        // after Adam sums leave the range of the ADC: 88 % wrong on tiles as they are, 75 % with an ADC without limits
        floating: {
          epochs: given.epochs,
          batch,
          optimizer: sgd({ learningRate: cosine(given.learningRate, { warmUp: 0.05 }), clip: 0.25 }),
        },
        cases: bothWays(
          { ...given, ages },
          {
            epochs: given.awareEpochs,
            batch,
            optimizer: adam({ learningRate: cosine(given.awareRate, { warmUp: 0.05 }), clip: 10 }),
          },
          train.inputs.length / time,
        ),
        fused: given.fused,
        threads: context.threads,
        seed: context.seed,
        known: weights ? await readNetworks(weights) : undefined,
      },
      { ...context, partial: (some) => context.partial(result(some)) },
    );
    return result(found);
  },
});
