/**
 * Spoken digits by taught cells that hear a cochlea through delay lines: NormAD on ideal weights and on PCM.
 *
 * A word is trimmed, brought to one level, heard by the cochlea and stretched to one length. Each stream then passes through
 * lines of several delays, so that when the word has ended all its parts arrive at once. An inhibition that holds the taught
 * cells back ends there, and they answer.
 */
import { type SpokenDigit, spokenDigits } from "../datasets/fsdd.ts";
import { command, relay } from "../models/relay.ts";
import { cochlea, experiment, mono, neurons, pairs, seconds, spikeSource, synapses } from "../src/index.ts";
import type { Example, Front, Trains } from "./classifier/network.ts";
import { metrics, resultOf, teachAll } from "./classifier/training.ts";

const dt = "0.5 ms";
const level = -15; // dB, root mean square of a word
const trim = 1e-3; // a word begins and ends where 10 ms have that much of the power of the loudest: 30 dB

/** Samples of a word from its first to its last loud 10 ms, at one level. */
function word({ audio }: SpokenDigit): { sampleRate: number; channels: [Float64Array] } {
  const samples = mono(audio);
  const frame = Math.round(audio.sampleRate / 100);
  const powers = Array.from({ length: Math.floor(samples.length / frame) }, (_, f) =>
    samples.subarray(f * frame, (f + 1) * frame).reduce((sum, x) => sum + x * x, 0),
  );
  const loud = trim * Math.max(...powers);
  const first = powers.findIndex((power) => power >= loud) * frame;
  const last = (powers.findLastIndex((power) => power >= loud) + 1) * frame;
  const heard = samples.subarray(first, last);
  const rms = Math.sqrt(heard.reduce((sum, x) => sum + x * x, 0) / heard.length);
  return { sampleRate: audio.sampleRate, channels: [heard.map((x) => (x * 10 ** (level / 20)) / rms)] };
}

/** What the cochlea makes of a word, stretched to `length` (s) unless that is 0, at most one spike a tick: [stream][spike], s. */
function heardSpikes(
  digit: SpokenDigit,
  options: { channels: number; streams: number; density: number },
  length: number,
): Trains {
  const raster = cochlea(word(digit), { ...options, dt });
  const tick = seconds(dt);
  const trains: number[][] = Array.from({ length: raster.size }, () => []);
  for (const [k, t] of raster.t.entries()) {
    const train = trains[raster.i[k]];
    const at = Math.floor((t * length) / raster.duration / tick + 1e-6) * tick;
    if (train.length === 0 || at > train[train.length - 1]) train.push(at);
  }
  return trains;
}

/** Streams and their delay lines: line d of all streams comes d + 1 spacings (s) later. */
function delayFront(streams: number, lines: number, spacing: number): Front {
  const sound = spikeSource(streams);
  const taps = neurons(streams * lines, relay);
  const pre = Array.from({ length: streams * lines }, (_, k) => k % streams);
  const post = pre.map((_, k) => k);
  const delay = post.map((k) => (Math.floor(k / streams) + 1) * spacing);
  const delayed = synapses(sound, taps, command, { connect: pairs(pre, post), delay });
  return { parts: { sound, taps, delayed }, features: taps, input: "sound" };
}

/** Words in turn: digit by digit of one speaker, speaker by speaker of one repetition. */
function inTurn(words: readonly SpokenDigit[]): SpokenDigit[] {
  const speakers = [...new Set(words.map(({ speaker }) => speaker))];
  const order = ({ index, speaker, digit }: SpokenDigit) =>
    (index * speakers.length + speakers.indexOf(speaker)) * 10 + digit;
  return [...words].sort((a, b) => order(a) - order(b));
}

export default experiment({
  name: "spoken-digits",
  question: "Can cells taught by NormAD tell spoken digits by the spikes of a cochlea?",
  source: "free spoken digit dataset, official split; rule of Anwani & Rajendran 2015, IJCNN",
  parameters: {
    repetitions: 45,
    tests: 5,
    epochs: 5,
    synapses: ["ideal", "PCM"],
    channels: 64,
    streams: 128,
    density: 5,
    length: "360 ms",
    lines: 6,
    answer: "60 ms",
    period: "3.5 ms",
    eta: "100 pA",
    etaEnd: "10 pA",
    inhibition: "-1 nA",
    batch: 1,
    devices: 1,
    weightPerConductance: "250 pA/uS",
  },
  quick: { repetitions: 2, tests: 1, epochs: 4, channels: 32, streams: 64 },
  describe: {
    repetitions: "of each digit by each speaker to learn from, of the 45 of the official training part",
    tests: "of each digit by each speaker to test on, of the 5 of the official test part",
    epochs: "how often the words to learn from are heard",
    synapses: "what weights are stored on, a network for each: ideal, PCM",
    channels: "of the cochlea",
    streams: "of spikes that leave it",
    density: "of the spikes of its ganglion cells",
    length: "to which a word is stretched",
    lines: "of delay for each stream; they share the length of a word equally",
    answer: "time for it, after the word",
    period: "of the desired spikes of the right cell",
    eta: "learning rate of the first word",
    etaEnd: "of the last; it falls exponentially",
    inhibition: "weight from each taught cell to the others",
    batch: "words between two writes of PCM; plain weights change after each",
    devices: "PCM devices of each polarity of a synapse",
    weightPerConductance: "weight that a conductance makes",
  },
  metrics,

  async run({ repetitions, tests, epochs, synapses: kinds, channels, streams, lines, ...o }, context) {
    const { signal } = context;
    const length = seconds(o.length);
    const examples = async (part: "train" | "test", limit: number) => {
      const words = inTurn(await spokenDigits({ part, limit }, { signal }));
      const heard: Example[] = [];
      for (const [k, one] of words.entries()) {
        heard.push({
          label: one.digit,
          spikes: heardSpikes(one, { channels, streams, density: o.density }, length),
        });
        if (k % 10 !== 9) continue;
        context.progress(0, `hearing ${k + 1} of ${words.length} words of the ${part} part`);
        await new Promise((resolve) => setTimeout(resolve, 0));
        signal.throwIfAborted();
      }
      return { size: heard.length, at: (k: number) => heard[k] };
    };
    const end = length + seconds(o.answer);
    const task = {
      front: delayFront(streams, lines, length / lines),
      teaching: {
        classes: 10,
        dt,
        duration: `${end} s`,
        pause: "20 ms",
        desired: { from: `${length} s`, to: `${end} s`, period: o.period },
        hold: `${length - 0.01} s`,
        inhibition: o.inhibition,
        eta: o.eta,
        etaEnd: o.etaEnd,
      },
      train: await examples("train", repetitions),
      test: await examples("test", tests),
      epochs,
      pcm: { batch: o.batch, devices: o.devices, weightPerConductance: o.weightPerConductance },
    } as const;
    return resultOf(await teachAll(task, kinds, context));
  },
});
