/**
 * Rules that teach spike times, on the same task, cell and devices: which learns how well, how fast, with how many pulses.
 *
 * One layer as in pcm-letters: 132 streams, 168 cells with the times of their spikes. Each rule finds its own learning rate
 * for each storage on patterns of its own, and is then judged on others. The tempotron decides whether a cell fires, not
 * when: it is taught the same letters one by one, and all rules are judged by such decisions too.
 */
import { type SyntheticPattern, syntheticPattern } from "../datasets/synthetic-pattern.ts";
import {
  barPlot,
  ConfigError,
  type Estimate,
  estimate,
  experiment,
  linePlot,
  type Metric,
  panelPlot,
  quantity,
  type Raster,
  type Result,
  raster as rasterOf,
  rasterPlot,
} from "../src/index.ts";
import { type Decided, decide, decisionRates, decisions, potentials } from "./timing-rules/decisions.ts";
import {
  type RuleCase,
  rules,
  type Score,
  score,
  storages,
  type Taught,
  teach,
} from "./timing-rules/network.ts";

/** A rule on a storage, and what it has come to. */
interface Entry {
  readonly rule: string;
  readonly storage: string;
  eta: number; // A
  tried: number; // rates
  readonly scores: Score[];
  readonly decisions: number[]; // right ones
  readonly epochs: number[]; // to the criterion, of the replicates that got there
  readonly pulses: number[]; // per device
  readonly curves: (readonly number[])[];
  raster?: Raster;
}

/** The tempotron on a storage. */
interface DecisionEntry {
  readonly storage: string;
  eta: number; // V
  tried: number;
  readonly done: Decided[];
}

const tempotronName = "tempotron";
/** Part of right decisions for the number of epochs of the tempotron. */
const decisionCriterion = 0.95;

/** Names out of a list, "all" for all of them. */
function chosen(asked: readonly string[], known: readonly string[], what: string): string[] {
  const unknown = asked.find((name) => name !== "all" && !known.includes(name));
  if (unknown !== undefined)
    throw new ConfigError(`there is no ${what} ${unknown}; there are ${known.join("; ")}`);
  return known.filter((name) => asked.includes("all") || asked.includes(name));
}

/**
 * The learning rate with the least cost: doubled and halved from `start` on, in each direction until two rates in a row were
 * no better than the best so far.
 */
export async function ladder(start: number, cost: (rate: number) => Promise<number>) {
  let best = { rate: start, cost: await cost(start) };
  let tried = 1;
  for (const factor of [2, 0.5]) {
    let rate = start;
    for (let misses = 0; misses < 2; ) {
      rate *= factor;
      tried++;
      const found = await cost(rate);
      if (found < best.cost) {
        best = { rate, cost: found };
        misses = 0;
      } else misses++;
    }
  }
  return { ...best, tried };
}

/** Mean over replicates with its interval, where there are several. */
const over = (values: readonly number[]): number | Estimate =>
  values.length > 1 ? estimate(values) : (values[0] ?? Number.NaN);

/** Name of the rule that decides, where it is asked for, and the rules of spike times. */
function rulesAsked(asked: readonly string[]): { timing: string[]; decides: boolean } {
  const all = chosen(asked, [...Object.keys(rules), tempotronName], "rule");
  return { timing: all.filter((name) => name !== tempotronName), decides: all.includes(tempotronName) };
}

/** First epoch at which 2 matched / (desired + actual) reached the criterion. */
function epochsTo(criterion: number, { both }: Taught): number | undefined {
  const k = both.findIndex((value) => value >= criterion);
  return k < 0 ? undefined : k;
}

export default experiment({
  name: "timing-rules",
  question: "Which rule teaches spike times best, on ideal synapses and on devices?",
  source: "rules: docs/rules.md; task: Nandakumar et al. 2020, Sci. Rep. 10:8080, with synthetic patterns",
  parameters: {
    rules: ["all"],
    storages: ["all"],
    letters: ["I", "B", "M"],
    replicates: 5,
    epochs: 100,
    searchPatterns: 2,
    tolerance: "25 ms",
    tau: "10 ms",
    cost: "40 Hz",
    criterion: 0.8,
    epochInterval: "38.6 s",
  },
  quick: {
    storages: ["ideal", "PCM", "Cu/SiO2/W-like"],
    letters: ["I"],
    replicates: 1,
    epochs: 30,
    searchPatterns: 0,
  },
  describe: {
    rules: "all, or some of NormAD, ReSuMe, PSD, SPAN, I-learning, tempotron",
    storages:
      "all, or some of ideal, PCM, Cu/SiO2/W-like and the last two with what is less than a pulse kept",
    letters: "that the rates of the 168 cells draw, 400 ms each",
    replicates: "independent runs, each with its own pattern and devices",
    epochs: "presentations of the pattern in training",
    searchPatterns:
      "patterns on which a rule finds its learning rate, the least Victor-Purpura distance after training; 0: rates of an earlier search",
    tolerance: "within which a spike meets a desired one",
    tau: "time scale of van Rossum's distance",
    cost: "of moving a spike, for Victor and Purpura's distance",
    criterion: "of 2 matched / (desired + actual), for the number of epochs",
    epochInterval: "time between presentations, during which devices drift",
  },
  metrics: {
    results:
      "by rule and storage: learning rate (pA) and rates tried; recall, precision and 2 matched / (desired + actual) within the tolerance, recall within 5 ms (1); letters and cells in which the cell fires if it should and only then (decisions, 1); mean van Rossum distance of a cell; Victor-Purpura distance per desired spike; epochs to the criterion and how many of the replicates got there; pulses per device",
    tempotron:
      "taught whether to fire, letter by letter: learning rate (uV) and rates tried, right decisions (1), epochs to 0.95 of them and how many of the replicates got there, pulses per device",
    silence: "the distances and decisions of a network that never fires",
  },

  async run(parameters, context): Promise<Result> {
    const { letters, replicates, epochs, searchPatterns, criterion, epochInterval } = parameters;
    const { tolerance } = parameters;
    const stored = chosen(parameters.storages, Object.keys(storages), "storage");
    const { timing, decides } = rulesAsked(parameters.rules);
    const entries: Entry[] = stored.flatMap((storage) =>
      timing.map((rule) => ({
        ...{ rule, storage, eta: quantity(rules[rule].eta[storage], "A"), tried: 0 },
        ...{ scores: [], decisions: [], epochs: [], pulses: [], curves: [] },
      })),
    );
    const deciding: DecisionEntry[] = (decides ? stored : []).map((storage) => ({
      ...{ storage, eta: quantity(decisionRates[storage], "V"), tried: 0, done: [] },
    }));
    const stopped = () => context.signal.aborted;
    const run = (of: Entry, pattern: SyntheticPattern, eta: number, seed: string) =>
      teach(pattern, {
        ...{ rule: rules[of.rule] as RuleCase, storage: storages[of.storage](), eta, epochs },
        ...{ interval: epochInterval, tolerance, seed, stopped },
      });

    const runDecisions = (of: DecisionEntry, pattern: SyntheticPattern, eta: number, seed: string) =>
      decide(pattern, {
        ...{ storage: storages[of.storage](potentials), eta, epochs, interval: epochInterval, seed, stopped },
      });

    const searched = Array.from({ length: searchPatterns }, (_, k) =>
      syntheticPattern({ seed: `${context.seed}/search/${k}`, letters }),
    );
    const searchPart = searchPatterns > 0 ? 0.75 : 0;
    for (const [k, of] of entries.entries()) {
      if (searchPatterns === 0 || stopped()) break;
      const cost = async (eta: number) => {
        context.progress(
          (searchPart * (k + Math.min(of.tried, 8) / 9)) / entries.length,
          `${of.rule} on ${of.storage}: ${(eta * 1e12).toPrecision(3)} pA`,
        );
        let sum = 0;
        for (const [p, pattern] of searched.entries()) {
          const { actual } = await run(of, pattern, eta, `${context.seed}/search/${p}`);
          sum += score(actual, pattern.desired, parameters).victorPurpura;
        }
        of.tried++;
        return stopped() ? Number.POSITIVE_INFINITY : sum;
      };
      of.eta = (await ladder(of.eta, cost)).rate;
      context.log({ rule: of.rule, storage: of.storage, eta: of.eta, tried: of.tried });
    }

    for (const of of deciding) {
      if (searchPatterns === 0 || stopped()) break;
      const cost = async (eta: number) => {
        context.progress(searchPart, `tempotron on ${of.storage}: ${(eta * 1e6).toPrecision(3)} uV`);
        let wrong = 0;
        for (const [p, pattern] of searched.entries()) {
          const { curve, right } = await runDecisions(of, pattern, eta, `${context.seed}/search/${p}`);
          // where several rates end without a fault, the fastest
          wrong += 1 - right + 1e-3 * (1 - curve.reduce((sum, each) => sum + each, 0) / curve.length);
        }
        of.tried++;
        return stopped() ? Number.POSITIVE_INFINITY : wrong;
      };
      of.eta = (await ladder(of.eta, cost)).rate;
      context.log({ rule: tempotronName, storage: of.storage, eta: of.eta, tried: of.tried });
    }

    let shown: { desired: Raster; silence: Score; decided: number } | undefined;
    const told = (): Result => {
      const done = entries.filter(({ scores }) => scores.length > 0);
      const decided = deciding.filter((of) => of.done.length > 0);
      if (!shown || done.length + decided.length === 0) return { metrics: {} };
      const { desired, silence } = shown;
      return {
        metrics: {
          results: done.length > 0 ? done.map(rowOf) : undefined,
          tempotron: decided.length > 0 ? decided.map(decisionRow) : undefined,
          silence: {
            vanRossum: silence.vanRossum,
            victorPurpura: silence.victorPurpura,
            decisions: shown.decided,
          },
        },
        figures: { ...figuresOf(done, desired, criterion), ...decisionFigure(done, decided) },
        spikes: { desired, ...Object.fromEntries(best(done).map(({ raster, name }) => [name, raster])) },
      };
    };
    for (let r = 0; r < replicates && !stopped(); r++) {
      const seed = `${context.seed}/${r}`;
      const pattern = syntheticPattern({ seed, letters });
      const { desired } = pattern;
      const silent = rasterOf({ t: [], i: [] }, desired.size, desired.duration);
      shown ??= {
        ...{ desired, silence: score(silent, desired, parameters), decided: decisions(silent, pattern) },
      };
      for (const [k, of] of entries.entries()) {
        const done = (r + k / (entries.length + deciding.length)) / replicates;
        context.progress(
          searchPart + (1 - searchPart) * done,
          `replicate ${r + 1}: ${of.rule} on ${of.storage}`,
        );
        const taught = await run(of, pattern, of.eta, seed);
        if (stopped()) break;
        of.scores.push(score(taught.actual, desired, parameters));
        of.decisions.push(decisions(taught.actual, pattern));
        of.curves.push(taught.both);
        const needed = epochsTo(criterion, taught);
        if (needed !== undefined) of.epochs.push(needed);
        if (taught.pulsesPerDevice !== undefined) of.pulses.push(taught.pulsesPerDevice);
        if (r === 0) of.raster = taught.actual;
      }
      for (const [k, of] of deciding.entries()) {
        const done = (r + (entries.length + k) / (entries.length + deciding.length)) / replicates;
        context.progress(
          searchPart + (1 - searchPart) * done,
          `replicate ${r + 1}: tempotron on ${of.storage}`,
        );
        const taught = await runDecisions(of, pattern, of.eta, seed);
        if (stopped()) break;
        of.done.push(taught);
      }
      context.partial(told());
    }
    return told();
  },
});

function decisionRow({ storage, eta, tried, done }: DecisionEntry): Metric {
  const epochs = done.flatMap(({ curve }) => {
    const k = curve.findIndex((right) => right >= decisionCriterion);
    return k < 0 ? [] : [k];
  });
  const pulses = done.flatMap(({ pulsesPerDevice }) => pulsesPerDevice ?? []);
  return {
    storage,
    eta: Number((eta * 1e6).toPrecision(4)),
    tried,
    decisions: over(done.map(({ right }) => right)),
    epochs: epochs.length > 0 ? over(epochs) : null,
    reached: `${epochs.length} of ${done.length}`,
    pulses: pulses.length > 0 ? over(pulses) : null,
  };
}

/** Wrong decisions of every rule and storage. */
function decisionFigure(entries: readonly Entry[], deciding: readonly DecisionEntry[]): Result["figures"] {
  const names = [...new Set([...entries, ...deciding].map(({ storage }) => storage))];
  const ofRules = [...new Set(entries.map(({ rule }) => rule))];
  const wrong = (right: readonly number[]) => over(right.map((each) => 100 * (1 - each)));
  const bar = (storage: string) => [
    ...ofRules.map((rule) =>
      wrong(entries.find((of) => of.rule === rule && of.storage === storage)?.decisions ?? []),
    ),
    ...(deciding.length > 0
      ? [wrong(deciding.find((of) => of.storage === storage)?.done.map(({ right }) => right) ?? [])]
      : []),
  ];
  return {
    decisions: barPlot({
      title: "Wrong decisions",
      caption:
        "Letters and cells in which the cell fires though it should not, or does not though it should. The tempotron is taught this and no times; the others learn times.",
      yTitle: "wrong (%)",
      categories: [...ofRules, ...(deciding.length > 0 ? [tempotronName] : [])],
      series: Object.fromEntries(names.map((storage) => [storage, bar(storage)])),
    }),
  };
}

function rowOf({ rule, storage, eta, tried, scores, decisions, epochs, pulses }: Entry): Metric {
  const all = (pick: (each: Score) => number) => over(scores.map(pick));
  return {
    rule,
    storage,
    eta: Number((eta * 1e12).toPrecision(4)),
    tried,
    recall: all((s) => s.recall),
    precision: all((s) => s.precision),
    both: all((s) => s.both),
    recall5: all((s) => s.recall5),
    decisions: over(decisions),
    vanRossum: all((s) => s.vanRossum),
    victorPurpura: all((s) => s.victorPurpura),
    epochs: epochs.length > 0 ? over(epochs) : null,
    reached: `${epochs.length} of ${scores.length}`,
    pulses: pulses.length > 0 ? over(pulses) : null,
  };
}

/** Of each storage the rule with the least Victor-Purpura distance in the first replicate, its spikes under a file's name. */
function best(entries: readonly Entry[]) {
  return [...new Set(entries.map(({ storage }) => storage))].flatMap((storage) => {
    const [first] = entries
      .filter((of) => of.storage === storage)
      .sort((a, b) => a.scores[0].victorPurpura - b.scores[0].victorPurpura);
    const name = storage.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
    return first.raster ? [{ of: first, raster: first.raster, name }] : [];
  });
}

function figuresOf(entries: readonly Entry[], desired: Raster, criterion: number): Result["figures"] {
  if (entries.length === 0) return {};
  const names = [...new Set(entries.map(({ storage }) => storage))];
  const ofRules = [...new Set(entries.map(({ rule }) => rule))];
  const at = (rule: string, storage: string) =>
    entries.find((of) => of.rule === rule && of.storage === storage)?.scores ?? [];
  const bars = (title: string, yTitle: string, caption: string, pick: (each: Score) => number) =>
    barPlot({
      ...{ title, caption, yTitle, categories: ofRules },
      series: Object.fromEntries(
        names.map((storage) => [storage, ofRules.map((rule) => over(at(rule, storage).map(pick)))]),
      ),
    });
  const curve = ({ curves }: Entry) =>
    Array.from({ length: Math.min(...curves.map((each) => each.length)) }, (_, k) =>
      over(curves.map((each) => each[k])),
    );
  return {
    recall: bars(
      "Desired spikes met",
      "recall",
      "After training, each rule at its own rate; 95 % intervals.",
      (s) => s.recall,
    ),
    distance: bars(
      "Distance from the desired spikes",
      "Victor-Purpura distance per desired spike",
      "A network that never fires has 1.",
      (s) => s.victorPurpura,
    ),
    learning: panelPlot(
      names.map((storage) =>
        linePlot({
          title: storage,
          series: Object.fromEntries(
            entries
              .filter((of) => of.storage === storage)
              .map((of) => [of.rule, { y: curve(of), points: false }]),
          ),
          xTitle: "epoch",
          yTitle: "2 matched / (desired + actual)",
          yRange: [0, 1],
          levels: [{ at: criterion, label: "criterion" }],
        }),
      ),
      { title: "Learning, each rule at its own rate" },
    ),
    ...Object.fromEntries(
      best(entries).map(({ of, raster, name }) => [
        `raster-${name}`,
        rasterPlot(raster, {
          desired,
          title: `Desired spikes (light) and actual ones: ${of.rule}, ${of.storage}`,
          yTitle: "output cell",
        }),
      ]),
    ),
  };
}
