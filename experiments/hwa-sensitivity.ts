/** Which imperfection of a chip a network feels first: each made worse by itself until a hundredth of the accuracy is lost. */
import { readNetwork, shippedNetwork } from "../datasets/weights.ts";
import { analognetKws } from "../models/analognet.ts";
import { resnet } from "../models/resnet.ts";
import { lstmLanguageModel } from "../models/sequences.ts";
import {
  barPlot,
  ConfigError,
  type Examples,
  estimate,
  evaluate,
  experiment,
  type Layer,
  linePlot,
  onTiles,
  program,
  type Result,
  type State,
  sequential,
  type TileOptions,
  type Time,
} from "../src/index.ts";
import { type Effect, effects, tileWith } from "./hardware-aware/effects.ts";
import { keywordShape, keywords } from "./hardware-aware/keywords.ts";
import { textTask } from "./hardware-aware/language.ts";
import { pictures } from "./hardware-aware/pictures.ts";

interface Subject {
  readonly layers: readonly Layer[];
  readonly inputs: readonly number[];
  readonly train: Examples;
  readonly test: Examples;
  readonly chance: number;
  readonly batch: number;
  /** What its tiles have other than standard. */
  readonly tile?: TileOptions;
}

/** The first of some examples; of sequences whole batches of streams. */
function first({ inputs, labels, scale }: Examples, size: number, count: number): Examples {
  const all = inputs.length / size;
  const own = Math.min(count, all);
  return {
    inputs: inputs.subarray(0, own * size),
    labels: Array.prototype.slice.call(labels, 0, (labels.length / all) * own),
    scale,
  };
}

/** Networks by name, as the experiments that train them have them. */
const subjects: Readonly<
  Record<string, (o: { data: string; tests: number; seed: string | number }) => Promise<Subject>>
> = {
  "analognet-kws": async ({ data, tests, seed }) => {
    const { train, test } = await keywords(data || "speech-commands", seed);
    const inputs = keywordShape;
    return {
      layers: analognetKws(),
      inputs,
      train,
      test: first(test, 490, tests),
      chance: 1 / 12,
      batch: 50,
      tile: { rows: 1024 },
    };
  },
  "hwa-resnet32": async ({ data, tests, seed }) => {
    const set = await pictures(data || "cifar10", { images: 2000, tests, seed });
    return { ...set, layers: resnet(), chance: 0.1, batch: 50 };
  },
  "hwa-lstm": async ({ data, tests }) => {
    const time = 35;
    const { train, test, symbols } = await textTask({
      data: data || "ptb-words",
      vocabulary: 1000,
      learnt: 100000,
      tested: 0,
      batch: 20,
      time,
    });
    const layers = lstmLanguageModel({ symbols, layers: 2, units: 128, dropout: 0.2 });
    const count = Math.ceil(tests / 20) * 20; // whole batches of streams
    return {
      layers,
      inputs: [time, 1],
      train: first(train, time, 2000),
      test: first(test, time, count),
      chance: 1 / symbols,
      batch: 20,
    };
  },
};

export default experiment({
  name: "hwa-sensitivity",
  question: "Which imperfection of a chip does a network feel first, and how much of each does it bear?",
  source: "Rasch et al. 2023, Nat. Commun. 14:5282, doi:10.1038/s41467-023-40770-4, sensitivity of networks",
  parameters: {
    network: "analognet-kws",
    weights: "",
    data: "",
    tests: 400,
    chips: 2,
    age: "1 h",
    loss: 1,
    effects: effects.map(({ name }) => name),
    steps: 2,
  },
  quick: {
    data: "sample",
    tests: 48,
    chips: 1,
    effects: ["ADC", "output noise"],
    steps: 0,
  },
  describe: {
    network: `which network: ${Object.keys(subjects).join(", ")}`,
    weights:
      "a .safetensors file with its weights, such as one of the experiment of that name; without it those that ship",
    data: "which data, as that experiment names them; empty for the whole",
    tests: "examples to test on",
    chips: "programmings, the same for all effects",
    age: "time after programming",
    loss: "normalised accuracy that may be lost compared with the standard tile (%)",
    effects: "which imperfections",
    steps: "halvings between the last level that is borne and the first that is not",
  },
  metrics: {
    standard: "accuracy on the standard tile (%)",
    effects:
      "the level of each effect that costs what may be lost, how many times the standard that is where it has one, and the accuracies seen (%)",
    ranking:
      "effects of the standard tile, first the one of which the fewest multiples are borne; of converters a bit less counts twice",
  },

  async run(given, context) {
    const { network: name, tests, chips, age, loss, steps } = given;
    if (!Object.hasOwn(subjects, name))
      throw new ConfigError(`there is no network ${name}; there are ${Object.keys(subjects).join(", ")}`);
    const chosen = given.effects.map((word) => {
      const effect = effects.find((one) => one.name === word);
      if (!effect)
        throw new ConfigError(
          `there is no effect ${word}; there are ${effects.map((one) => one.name).join(", ")}`,
        );
      return effect;
    });
    const subject = await subjects[name]({ data: given.data, tests, seed: context.seed });
    const weights = await weightsOf(name, given.weights);
    const look = lookWith(subject, weights, { chips, age: age as Time, seed: context.seed });
    const standard = await look(undefined, 0, context.signal);
    context.log({ stage: "standard", accuracy: standard });
    const least = standard - (loss / 100) * (standard - subject.chance);
    const rows: Row[] = [];
    const result = (): Result => resultOf(rows, { standard, least, name });
    for (const [k, effect] of chosen.entries()) {
      const row = await threshold(effect, least, steps, async (level, n) => {
        const share = n / (effect.levels.length + steps);
        context.progress((k + share) / chosen.length, `${effect.name}: ${level} ${effect.unit}`);
        const accuracy = await look(effect, level, context.signal);
        context.log({ effect: effect.name, level, accuracy });
        return accuracy;
      });
      if (context.signal.aborted) break;
      rows.push(row);
      context.partial(result());
    }
    return result();
  },
});

/** Weights of a run, or those that ship with the program. */
async function weightsOf(name: string, file: string): Promise<State> {
  if (file) return readNetwork(file);
  if (name === "analognet-kws") return shippedNetwork("analognet-kws-8-bits");
  throw new ConfigError(
    `weights of ${name} do not ship; run ${name} and tell weights=<its folder>/networks/trained for chips.safetensors`,
  );
}

/** Mean accuracy over chips of a tile with an effect. */
function lookWith(
  subject: Subject,
  weights: State,
  o: { readonly chips: number; readonly age: Time; readonly seed: string | number },
) {
  const { "tiles.outputBound": bound, ...own } = weights; // learnt: of the standard tile
  const standard = { ...subject.tile, ...(bound ? { outputBound: bound.data[0] } : {}) };
  return async (effect: Effect | undefined, level: number, signal: AbortSignal): Promise<number> => {
    const tile = tileWith(standard, effect, level);
    const under = onTiles({ tile, noiseScale: 0 });
    const network = await sequential(subject.layers, {
      inputs: subject.inputs,
      batch: subject.batch,
      seed: o.seed,
      matrices: under.matrices,
      memory: 1.5,
    });
    network.setWeights(own);
    const accuracies: number[] = [];
    for (let c = 0; c < o.chips && !signal.aborted; c++) {
      const chip = await program(under.values(), tile, { seed: `${o.seed}/${c}` });
      under.mount(chip.at(o.age));
      accuracies.push((await evaluate(network, subject.test, { signal })).accuracy);
    }
    return signal.aborted ? Number.NaN : estimate(accuracies).mean;
  };
}

interface Row {
  readonly effect: Effect;
  /** Level at which accuracy falls below what may be lost; undefined where no level does. */
  readonly level: number | undefined;
  readonly seen: readonly { readonly level: number; readonly accuracy: number }[];
}

/** Climbs the levels until too much is lost, then halves the last step, in logarithms. */
async function threshold(
  effect: Effect,
  least: number,
  steps: number,
  look: (level: number, n: number) => Promise<number>,
): Promise<Row> {
  const seen: { level: number; accuracy: number }[] = [];
  const see = async (level: number) => {
    const accuracy = await look(level, seen.length);
    seen.push({ level, accuracy });
    return accuracy;
  };
  let borne: number | undefined;
  let broken: number | undefined;
  for (const level of effect.levels) {
    if ((await see(level)) >= least) borne = level;
    else {
      broken = level;
      break;
    }
  }
  const start = borne ?? (effect.standard > 0 ? effect.standard : undefined);
  if (broken !== undefined && start !== undefined && !effect.whole) {
    let [low, high] = [start, broken];
    for (let k = 0; k < steps; k++) {
      const middle = Number(Math.sqrt(low * high).toPrecision(3));
      if ((await see(middle)) >= least) low = middle;
      else high = middle;
    }
    broken = Number(Math.sqrt(low * high).toPrecision(3));
  }
  return { effect, level: broken, seen };
}

/** Levels, their ranking, and figures of both. */
function resultOf(
  rows: readonly Row[],
  o: { readonly standard: number; readonly least: number; readonly name: string },
): Result {
  const levels = {
    standard: 100 * o.standard,
    effects: rows.map(({ effect, level, seen }) => ({
      effect: effect.name,
      level: level ?? null,
      unit: effect.unit,
      timesStandard: level !== undefined && effect.standard > 0 ? level / effect.standard : undefined,
      seen: seen.map((one) => ({ level: one.level, accuracy: 100 * one.accuracy })),
    })),
  };
  const borne = rows
    .filter(({ level, effect }) => level !== undefined && effect.standard > 0)
    .sort((a, b) => multiple(a) - multiple(b));
  const metrics = { ...levels, ranking: borne.map(({ effect }) => effect.name) };
  if (rows.length === 0) return { metrics };
  return {
    metrics,
    figures: {
      accuracy: linePlot({
        title: `${o.name}: accuracy when one thing gets worse`,
        xLog: true,
        xTitle: "level over the first level tried",
        yTitle: "accuracy (%)",
        series: Object.fromEntries(
          rows
            .filter(({ effect }) => !effect.whole)
            .map(({ effect, seen }) => {
              const sorted = [...seen].sort((a, b) => worse(effect, a.level) - worse(effect, b.level));
              return [
                effect.name,
                {
                  x: sorted.map(({ level }) => worse(effect, level)),
                  y: sorted.map(({ accuracy }) => 100 * accuracy),
                },
              ];
            }),
        ),
        levels: [{ at: 100 * o.least, label: "what may be lost" }],
      }),
      ...(borne.length > 0
        ? {
            times: barPlot({
              title: `${o.name}: multiples of the standard tile that are borne`,
              categories: borne.map(({ effect }) => effect.name),
              series: {
                borne: borne.map(multiple),
              },
              yTitle: "times the standard",
            }),
          }
        : {}),
    },
  };
}

/** How many times worse than standard; a bit less is twice. */
const multiple = ({ effect, level = effect.standard }: Row): number =>
  effect.whole ? 2 ** (effect.standard - level) : Math.max(level / effect.standard, effect.standard / level);

/** How many times worse than the first level tried. */
const worse = ({ levels }: Effect, level: number): number =>
  Math.max(level / levels[0], levels[1] < levels[0] ? levels[0] / level : 0);
