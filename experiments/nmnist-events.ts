/**
 * Digits seen by an event camera, told apart by taught cells: NormAD on ideal weights and on PCM.
 *
 * The camera makes three saccades over each digit; every pixel has a cell for brighter and one for darker. The taught cells
 * see the events themselves, or line detectors that see them.
 */
import { type EventDigit, eventDigits, eventPixels, eventRaster } from "../datasets/nmnist.ts";
import { ConfigError, experiment, seconds, spikeSource, type Time } from "../src/index.ts";
import type { Examples, Front, Trains } from "./classifier/network.ts";
import { metrics, resultOf, teachAll } from "./classifier/training.ts";
import { lineFront } from "./normad-mnist.ts";

/** Events up to `duration`, at most one a cell and tick: [cell][spike], s. */
function eventTrains(digit: EventDigit, duration: number, tick: number): Trains {
  const raster = eventRaster(digit);
  const trains: number[][] = Array.from({ length: raster.size }, () => []);
  for (const [k, t] of raster.t.entries()) {
    const train = trains[raster.i[k]];
    const at = Math.floor(t / tick + 1e-6) * tick;
    if (at < duration - tick / 2 && (train.length === 0 || at > train[train.length - 1] + tick / 2))
      train.push(at);
  }
  return trains;
}

function frontOf(features: string): Front {
  if (features === "lines") return lineFront(eventPixels, eventPixels, 2);
  if (features !== "events") throw new ConfigError(`features are events or lines, not ${features}`);
  const camera = spikeSource(2 * eventPixels * eventPixels);
  return { parts: { camera }, features: camera, input: "camera" };
}

export default experiment({
  name: "nmnist-events",
  question: "Can cells taught by NormAD read digits from the events of a camera?",
  source:
    "data of Orchard et al. 2015, Front. Neurosci. 9:437, a selection of 1,000 + 100; rule of Anwani & Rajendran 2015, IJCNN",
  parameters: {
    images: 1000,
    tests: 100,
    heldOut: "test",
    epochs: 5,
    synapses: ["ideal", "PCM"],
    features: "lines",
    duration: "320 ms",
    dt: "1 ms",
    period: "5 ms",
    eta: "100 pA",
    etaEnd: "10 pA",
    inhibition: "-1 nA",
    batch: 1,
    devices: 1,
    weightPerConductance: "50 pA/uS",
  },
  quick: { images: 100, epochs: 2, features: "events", dt: "2 ms", period: "6 ms" },
  describe: {
    images: "recordings to learn from, of the 1,000 for training",
    tests: "recordings to test on, at most",
    heldOut: 'where the tests are from: "test", or "train" for what follows the recordings to learn from',
    epochs: "how often they are shown",
    synapses: "what weights are stored on, a network for each: ideal, PCM",
    features: "what the taught cells see: events, or lines in them",
    duration: "of a recording; the last event comes at 315 ms",
    dt: "tick",
    period: "of the desired spikes of the right cell",
    eta: "learning rate of the first recording",
    etaEnd: "of the last; it falls exponentially",
    inhibition: "weight from each taught cell to the others",
    batch: "recordings between two writes of PCM; plain weights change after each",
    devices: "PCM devices of each polarity of a synapse",
    weightPerConductance: "weight that a conductance makes",
  },
  metrics,

  async run({ images, tests, heldOut, epochs, synapses: kinds, features, duration, dt, ...o }, context) {
    if (heldOut !== "test" && heldOut !== "train")
      throw new ConfigError(`recordings are held out of test or train, not ${heldOut}`);
    const { signal } = context;
    const learning = await eventDigits("train", { signal });
    const held = heldOut === "train" ? learning.slice(images) : await eventDigits("test", { signal });
    const task = {
      front: frontOf(features),
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
      train: examplesOf(learning.slice(0, images), duration, dt),
      test: examplesOf(held.slice(0, tests), duration, dt),
      epochs,
      pcm: { batch: o.batch, devices: o.devices, weightPerConductance: o.weightPerConductance },
    } as const;
    return resultOf(await teachAll(task, kinds, context));
  },
});

function examplesOf(digits: readonly EventDigit[], duration: Time, dt: Time): Examples {
  return {
    size: digits.length,
    at: (k) => ({ label: digits[k].digit, spikes: eventTrains(digits[k], seconds(duration), seconds(dt)) }),
  };
}
