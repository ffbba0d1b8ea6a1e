/**
 * Numbers or spikes between two tiles of PCM: three networks for digits that all have the same matrices.
 *
 * "relu" hands numbers from tile to tile. "surrogate" holds the first tile's sums at cells that leak and fire, and adds up what
 * the second makes of their spikes; it is trained as it is. "converted" is the first with cells that fire in place of its
 * numbers, its weights scaled so that rates stay below one spike a time.
 */
import { digitSets, type LabelledImages } from "../datasets/mnist.ts";
import {
  adam,
  cosine,
  dense,
  type Examples,
  experiment,
  globalAveragePool,
  type Layer,
  type Metric,
  predict,
  type Result,
  relu,
  repeat,
  type State,
  sequential,
  spiking,
  type Time,
} from "../src/index.ts";
import { chipDescriptions, waysOntoChips } from "./hardware-aware/chips.ts";
import {
  type CaseFound,
  errorFigure,
  type Found,
  networkName,
  study,
  type Task,
  tableMetrics,
  tableOf,
} from "./hardware-aware/study.ts";

const { weights: _, distillation: _none, ...describedChips } = chipDescriptions;
const pixels = 784;
const classes = 10;
const chance = 1 / classes;
/** Images by which activations are counted, and from which rates are normalised. */
const counted = 1000;

const numbersNetwork = (hidden: number): Layer[] => [dense(pixels, hidden), relu(), dense(hidden, classes)];
/** The first tile is read once, its sums are held; the second is read at each time. */
const spikesNetwork = (hidden: number, times: number, decay: number): Layer[] => [
  dense(pixels, hidden),
  repeat(times),
  spiking({ decay }),
  dense(hidden, classes),
  globalAveragePool(),
];

function part({ images, labels, size }: LabelledImages, count: number): Examples {
  const kept = count > 0 ? Math.min(count, size) : size;
  return {
    inputs: images.subarray(0, kept * pixels),
    labels: labels.subarray(0, kept),
    scale: 1 / 255,
  };
}

/** What the first layers of a network make of the first images, [image][…outputs]. */
async function activations(layers: readonly Layer[], state: State, { inputs, scale }: Examples) {
  const network = await sequential(layers, { inputs: [pixels], batch: 50, seed: 0 });
  network.setWeights(
    Object.fromEntries(Object.entries(state).filter(([name]) => /^0\.(weights|bias)$/.test(name))),
  );
  return predict(network, inputs.subarray(0, counted * pixels), { scale });
}

/**
 * Weights of a network of numbers for one of spikes: divided by the 99.9 % quantile of the activations, and multiplied by it
 * afterwards (Rueckauer et al. 2017, Front. Neurosci. 11:682, section 2.2.1; the largest in Diehl et al. 2015, IJCNN).
 */
async function converted(state: State, hidden: number, train: Examples): Promise<State> {
  const sizes = (await activations(numbersNetwork(hidden).slice(0, 2), state, train))
    .filter((y) => y > 0)
    .sort();
  const most = sizes[Math.floor(0.999 * sizes.length)] ?? 1;
  const times = ({ shape, data }: State[string], factor: number) => ({
    shape,
    data: data.map((w) => w * factor),
  });
  return {
    "0.weights": times(state["0.weights"], 1 / most),
    "0.bias": times(state["0.bias"], 1 / most),
    "3.weights": times(state["2.weights"], most),
    "3.bias": state["2.bias"],
  };
}

/** Numbers that are more than 0. */
function count(numbers: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < numbers.length; k++) if (numbers[k] > 0) sum++;
  return sum;
}

/** What an image takes, in the words of NeuroBench (Yik et al. 2025, arXiv:2304.04640), and products of tiles. */
async function work(layers: readonly Layer[], state: State, test: Examples): Promise<Record<string, number>> {
  const spikes = layers.findIndex(({ kind }) => kind === "spiking");
  const held = layers.find((layer) => layer.kind === "repeat");
  const hidden = await activations(layers.slice(0, spikes === -1 ? 2 : spikes + 1), state, test);
  const images = Math.min(counted, test.labels.length);
  const times = held?.times ?? 1;
  const cells = hidden.length / images / times;
  const active = count(hidden) / images;
  const dots = count(test.inputs.subarray(0, images * pixels)) / images;
  const firstOperations = dots * cells;
  const secondOperations = active * classes;
  return {
    times,
    products: 1 + times,
    spikes: held ? active : 0,
    activationSparsity: 1 - active / (times * cells),
    effectiveMACs: firstOperations + (held ? 0 : secondOperations),
    effectiveACs: held ? secondOperations : 0,
    dense: pixels * cells + times * cells * classes,
  };
}

/** A network and what was found of it. */
interface Row {
  readonly network: string;
  readonly found: Found;
  readonly work?: Readonly<Record<string, number>>;
}

export default experiment({
  name: "spiking-tiles",
  question:
    "On the same PCM tiles, up to a year old: does a network that hands on spikes name digits better or worse than one that hands on numbers, and what does it do for it?",
  source:
    "Neftci et al. 2019, IEEE Signal Process. Mag. 36:51 (surrogate derivatives); Diehl et al. 2015, IJCNN, doi:10.1109/IJCNN.2015.7280696 (conversion); Rasch et al. 2023, Nat. Commun. 14:5282 (tiles)",
  parameters: {
    data: "mnist",
    images: 12000,
    tests: 2000,
    hidden: 256,
    times: 16,
    decay: 0.9,
    convertedTimes: 32,
    epochs: 5,
    learningRate: 0.002,
    batch: 50,
    awareEpochs: 2,
    awareRate: 0.001,
    noise: 3,
    rampSteps: 100,
    dropConnect: 0,
    device: "pcm",
    chips: 3,
    ages: ["1 s", "1 h", "1 day", "1 year"],
    fused: false,
  },
  quick: {
    data: "sample",
    images: 100,
    tests: 100,
    hidden: 64,
    epochs: 20,
    batch: 20,
    awareEpochs: 5,
    rampSteps: 5,
    ages: ["1 h", "1 year"],
  },
  describe: {
    data: '"mnist", or "sample": 100 and 100 digits that ship with the program',
    images: "digits to learn from; 0 for all",
    tests: "digits to test on; 0 for all",
    hidden: "cells between the tiles",
    times: "steps of time of the network trained with spikes",
    decay: "part of its cells' potential that is left after a step",
    convertedTimes: "steps of time of the converted network, whose cells do not leak",
    epochs: "passes in floating point",
    learningRate: "of Adam; it falls along half a cosine",
    batch: "digits of a step",
    ...describedChips,
  },
  metrics: {
    networks: "test error in floating point (%), and what an image takes",
    chips: tableMetrics.chips,
    digits: "to learn from, and to test on",
  },

  async run(given, context) {
    const { hidden, batch, fused, tests, images } = given;
    const ages = given.ages as readonly Time[];
    const sets = await digitSets(given.data, { images, heldOut: "test" });
    const data = { train: part(sets.train, images), test: part(sets.test, tests), inputs: [pixels], chance };
    const rows: Row[] = [];
    const result = (): Result => {
      const cases: CaseFound[] = rows.flatMap(({ network, found }) =>
        found.cases.map((one) => ({ ...one, name: `${network}, ${one.name}` })),
      );
      const tables = rows.map(({ network, found, work }) => ({
        network,
        work,
        ...tableOf(found, { chance, direct: "as it is" }),
      }));
      return {
        metrics: {
          networks: tables.map(
            ({ network, floatingError, work }): Metric => ({ network, floatingError, ...work }),
          ),
          chips: tables.flatMap(({ network, chips = [] }): Metric[] =>
            chips.map((row) => ({ network, ...row })),
          ),
          digits: { data: given.data, train: data.train.labels.length, test: data.test.labels.length },
        },
        figures:
          cases.length > 0
            ? {
                error: errorFigure(
                  { losses: [], networks: {}, cases },
                  `Numbers or spikes on ${given.device} tiles`,
                ),
              }
            : {},
        networks: Object.fromEntries(
          rows.flatMap(({ network, found }) =>
            Object.entries(found.networks).map(([name, state]) => [`${network}-${name}`, state]),
          ),
        ),
      };
    };
    const descent = (rate: number) => adam({ learningRate: cosine(rate, { warmUp: 0.05 }) });
    const floating = { epochs: given.epochs, batch, optimizer: descent(given.learningRate) };
    const cases = waysOntoChips(
      { ...given, ages },
      { epochs: given.awareEpochs, batch, optimizer: descent(given.awareRate) },
      data.train.labels.length,
    );
    let studies = 0;
    const look = (name: string, layers: readonly Layer[], o: { start?: State; cases?: typeof cases }) => {
      const before = studies++ / 4;
      const task: Task = { ...data, layers };
      return study(
        task,
        {
          floating,
          cases: o.cases ?? cases,
          seed: `${context.seed}/${name}`,
          fused,
          known: o.start && { floating: o.start },
        },
        {
          ...context,
          progress: (share, message) => context.progress(before + share / 4, `${name}, ${message}`),
          log: (event) => context.log({ network: name, ...event }),
          partial: () => context.partial(result()),
        },
      );
    };
    const add = async (network: string, layers: readonly Layer[], found: Found) => {
      rows.push({ network, found, work: await work(layers, found.networks["floating"], data.test) });
      context.partial(result());
    };

    const plain = numbersNetwork(hidden);
    const numbers = await look("relu", plain, {});
    if (context.signal.aborted) return result();
    await add("relu", plain, numbers);
    const fired = spikesNetwork(hidden, given.times, given.decay);
    const learnt = await look("surrogate", fired, {});
    if (context.signal.aborted) return result();
    await add("surrogate", fired, learnt);
    // cells that do not leak; weights trained for chips are those of the network of numbers
    const rates = spikesNetwork(hidden, given.convertedTimes, 1);
    const [direct, aware] = cases;
    const found: Found[] = [];
    for (const from of ["floating", networkName(aware.name)]) {
      const start = await converted(numbers.networks[from], hidden, data.train);
      found.push(await look(`converted from ${from}`, rates, { start, cases: [direct] }));
      if (context.signal.aborted) return result();
    }
    const trained = found[1].cases.map((one) => ({ ...one, name: aware.name }));
    await add("converted", rates, { ...found[0], cases: [...found[0].cases, ...trained] });
    return result();
  },
});
