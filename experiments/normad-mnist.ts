/**
 * Handwritten digits by one layer of taught cells behind fixed line detectors: NormAD on ideal weights and on PCM.
 *
 * Each pixel drives a cell with a current and fires regularly, the faster the brighter. Twelve maps of cells see lines, corners
 * and forks in it: 8,112 cells, of which some 650 fire for a digit. Ten cells, one a digit, are taught by all of them.
 */
import { digitSets, type LabelledImages } from "../datasets/mnist.ts";
import { drivenLif, lif } from "../models/lif.ts";
import { lineDetectors } from "../models/line-detectors.ts";
import { doubleExponentialSynapse } from "../models/synapses.ts";
import {
  compile,
  experiment,
  neurons,
  spikeSource,
  spikes,
  synapses,
  type Time,
  timesOf,
} from "../src/index.ts";
import type { Examples, Front } from "./classifier/network.ts";
import { metrics, resultOf, teachAll } from "./classifier/training.ts";

const duration = "100 ms";

/** Pixels, and the line detectors that see them. */
export function lineFront(rows: number, columns: number, layers = 1): Front {
  const lines = lineDetectors(rows, columns, { layers });
  const pixels = spikeSource(layers * rows * columns);
  const features = neurons(lines.size, lif, { v: "El" });
  const detect = synapses(pixels, features, doubleExponentialSynapse, {
    connect: lines.connect,
    initial: { w: lines.weights },
  });
  return { parts: { pixels, features, detect }, features, input: "pixels" };
}

/**
 * Spike times of a pixel by grey level, 0 to 255: [level][spike], s. A cell as `lif` with a current of 2.7 nA, at which
 * it does not fire yet, and 101.2 pA more for each level.
 */
async function pixelTrains(dt: Time): Promise<Float64Array[]> {
  const cell = drivenLif.with({
    taum: "10 ms",
    R: `${1e9 / 30} ohm`,
    El: "-70 mV",
    Vt: "20 mV",
    tref: "3 ms",
  });
  const levels = Array.from({ length: 256 }, (_, level) => 2.7e-9 + 101.2e-12 * level);
  const pixels = neurons(256, cell, { v: "El", I: levels });
  const simulation = await compile({ pixels }, { dt, seed: 0 });
  const { fired } = simulation.run({ duration, record: { fired: spikes(pixels) } });
  return levels.map((_, level) => timesOf(fired, level));
}

function examplesOf(set: LabelledImages, size: number, trains: readonly Float64Array[]): Examples {
  const area = set.rows * set.columns;
  return {
    size: Math.min(size, set.size),
    at: (k) => ({
      label: set.labels[k],
      spikes: Array.from(set.images.subarray(k * area, (k + 1) * area), (level) => trains[level]),
    }),
  };
}

export default experiment({
  name: "normad-mnist",
  question: "Can one layer taught by NormAD read handwritten digits, on plain numbers and on memory devices?",
  source:
    "Kulkarni & Rajendran 2018, Neural Networks 103:118, doi:10.1016/j.neunet.2018.03.019; constants of the code of Kulkarni et al. 2017, ICECS, doi:10.1109/ICECS.2017.8292015",
  parameters: {
    images: 60000,
    epochs: 1,
    tests: 10000,
    data: "mnist",
    heldOut: "test",
    synapses: ["ideal", "PCM"],
    eta: "100 pA",
    etaEnd: "10 pA",
    inhibition: "-1 nA",
    period: "3.5 ms",
    dt: "0.5 ms",
    batch: 10,
    devices: 1,
    weightPerConductance: "100 pA/uS",
  },
  quick: { images: 100, epochs: 2, tests: 100, data: "sample" },
  describe: {
    images: "digits to learn from, the first of the training part",
    epochs: "how often they are shown",
    tests: "digits to test on, at most",
    data: '"mnist", or "sample" for the 100 + 100 digits that ship with the program',
    heldOut: 'where the tests are from: "test", or "train" for what follows the digits to learn from',
    synapses: "what weights are stored on, a network for each: ideal, PCM",
    eta: "learning rate of the first digit",
    etaEnd: "of the last; it falls exponentially",
    inhibition: "weight from each taught cell to the others",
    period: "of the desired spikes of the right cell, from 10 ms on",
    dt: "tick; 0.1 ms in the source",
    batch: "digits between two writes of PCM; plain weights change after each",
    devices: "PCM devices of each polarity of a synapse",
    weightPerConductance: "weight that a conductance makes",
  },
  metrics,

  async run({ images, epochs, tests, data, heldOut, synapses: kinds, dt, ...o }, context) {
    const sets = await digitSets(data, { images, heldOut, signal: context.signal });
    const trains = await pixelTrains(dt);
    const task = {
      front: lineFront(sets.train.rows, sets.train.columns),
      teaching: {
        classes: 10,
        dt,
        duration,
        pause: "20 ms",
        desired: { from: "10 ms", to: duration, period: o.period },
        inhibition: o.inhibition,
        eta: o.eta,
        etaEnd: o.etaEnd,
      },
      train: examplesOf(sets.train, images, trains),
      test: examplesOf(sets.test, tests, trains),
      epochs,
      pcm: { batch: o.batch, devices: o.devices, weightPerConductance: o.weightPerConductance },
    } as const;
    return resultOf(await teachAll(task, kinds, context));
  },
});
