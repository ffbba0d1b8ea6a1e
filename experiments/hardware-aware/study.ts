/**
 * A network in floating point, and what becomes of it on chips: with its weights as they are, or after training for chips.
 *
 * Each case has three networks of the same layers: in floating point, on tiles as they are trained for, and on tiles as chips
 * have them. Source: Rasch et al. 2023, Nat. Commun. 14:5282, doi:10.1038/s41467-023-40770-4.
 */
import {
  type AwareOptions,
  type Chip,
  ConfigError,
  type Estimate,
  type Examples,
  estimate,
  evaluate,
  type Figure,
  type Layer,
  type LookOptions,
  type LossKind,
  linePlot,
  type OptimizerOptions,
  onTiles,
  program,
  type Sequential,
  type State,
  seconds,
  sequential,
  sgd,
  type Tile,
  type TilesUnder,
  type Time,
  type TrainOptions,
  train,
} from "../../src/index.ts";

/** What is learnt and tested. */
export interface Task {
  readonly layers: readonly Layer[];
  /** Of one example. */
  readonly inputs: readonly number[];
  readonly train: Examples;
  readonly test: Examples;
  readonly loss?: LossKind;
  readonly change?: TrainOptions["change"];
  /** "kept" for streams, whose states go on from batch to batch. Default "random". */
  readonly order?: TrainOptions["order"];
  /** Share of rows named rightly by guessing. */
  readonly chance: number;
}

export interface Training {
  readonly epochs: number;
  readonly batch: number;
  readonly optimizer: OptimizerOptions;
}

/** One way onto chips. */
export interface Case {
  readonly name: string;
  /** Name of a case before this one, whose trained weights it begins with. Default: the network in floating point. */
  readonly from?: string;
  /** Training for chips, on tiles that may disturb less, which is faster. Without it weights are as they are. */
  readonly training?: Training &
    Pick<AwareOptions, "noise" | "noiseScale" | "rampSteps" | "dropConnect"> & {
      readonly tile: Tile;
      /** Outputs of the network in floating point are learnt as well, at a temperature, as that share of the loss. */
      readonly distillation?: { readonly share: number; readonly temperature: number };
    };
  /** How weights are mapped to conductances, and ranges of inputs found. */
  readonly mapping?: Omit<AwareOptions, "tile" | "noise" | "noiseScale" | "rampSteps" | "dropConnect">;
  /** Chips have one output bound for all tiles, the median of those of training where each matrix has its own. */
  readonly boundOnChips?: "shared";
  readonly tile: Tile;
  /** What chips of an age are of, where that is another tile for some: written anew, with the same draws. Default `tile`. */
  readonly tileAt?: (age: Time) => Tile;
  readonly ages: readonly Time[];
  /** Programmings. */
  readonly chips: number;
  readonly driftCompensation?: LookOptions["driftCompensation"];
}

export interface StudyOptions {
  readonly floating: Training;
  readonly cases: readonly Case[];
  readonly seed: string | number;
  /** Products and sums fused: a third faster, and other bits on other machines. */
  readonly fused: boolean;
  /** Threads that share the work; the same bits for any number. Default 1. */
  readonly threads?: number;
  /** Networks that are known already: `floating`, and by `networkName` those that were trained for chips. */
  readonly known?: Readonly<Record<string, State>>;
}

export interface StudyContext {
  readonly signal: AbortSignal;
  readonly progress: (fraction: number, message?: string) => void;
  readonly log: (event: Readonly<Record<string, unknown>>) => void;
  readonly partial: (found: Found) => void;
}

/** What was found for a case: shares of rows named rightly. */
export interface CaseFound {
  readonly name: string;
  readonly losses: readonly number[]; // of epochs of training for chips
  /** On the tile without errors of devices. */
  readonly tiles?: number;
  readonly ages: readonly Time[];
  readonly accuracy: readonly Estimate[]; // [age]
}

export interface Found {
  readonly losses: readonly number[];
  readonly floating?: number;
  readonly cases: readonly CaseFound[];
  readonly networks: Readonly<Record<string, State>>;
}

/** Under what name the network of a case is kept. */
export const networkName = (name: string): string => name.replace(/[^A-Za-z0-9]+/g, "-");

/** Normalised accuracy: 1 in floating point, 0 by guessing (Rasch et al. 2023, section 2). */
export const normalised = (accuracy: number, floating: number, chance: number): number =>
  1 - (floating - accuracy) / (floating - chance);

/** All of it; what is missing when interrupted is left out. */
export async function study(task: Task, o: StudyOptions, context: StudyContext): Promise<Found> {
  const networks: Sequential[] = [];
  try {
    return await studyWith(networks, task, o, context);
  } finally {
    for (const network of networks) network.close();
  }
}

async function studyWith(
  networks: Sequential[],
  task: Task,
  o: StudyOptions,
  context: StudyContext,
): Promise<Found> {
  const found: { -readonly [K in keyof Found]: Found[K] } = { losses: [], cases: [], networks: {} };
  const size = task.inputs.reduce((a, b) => a * b, 1);
  const examples = task.train.inputs.length / size;
  const tests = task.test.inputs.length / size;
  // a step costs about three looks, a product of a tile with all that disturbs it four
  const costs = [
    o.known?.floating ? 0 : 3 * o.floating.epochs * examples,
    ...o.cases.map(
      ({ training, chips, ages }) =>
        4 * (training?.epochs ?? 0) * examples + 4 * (chips * ages.length + 1) * tests,
    ),
  ];
  const all = costs.reduce((a, b) => a + b, 0);
  let done = 0;
  let costOfThis = 0;
  const begin = (k: number) => {
    done += costOfThis;
    costOfThis = costs[k];
  };
  const told = (fraction: number, what: string) =>
    context.progress((done + costOfThis * Math.min(1, fraction)) / all, what);
  const build = async (batch: number, under?: TilesUnder, layers = task.layers): Promise<Sequential> => {
    const network = await sequential(layers, {
      inputs: task.inputs,
      batch,
      seed: o.seed,
      loss: task.loss,
      matrices: under?.matrices,
      memory: 3,
      fused: o.fused,
      threads: o.threads,
    });
    networks.push(network);
    return network;
  };
  const learn = async (
    network: Sequential,
    training: Training & Pick<TrainOptions, "teacher">,
    name: string,
  ): Promise<number[]> => {
    const losses: number[] = [];
    await train(network, task.train, {
      ...training,
      seed: `${o.seed}/${name}`,
      change: task.change,
      order: task.order,
      signal: context.signal,
      progress: (n) => {
        const share = n / (training.epochs * examples);
        told(name === "floating" ? share : 0.5 * share, `${name}: learning, ${Math.round(100 * share)} %`);
      },
      onEpoch: ({ epoch, loss, accuracy }) => {
        losses.push(loss);
        context.log({ stage: name, epoch, loss, accuracy });
      },
    });
    return losses;
  };

  begin(0);
  const floating = await build(Math.max(o.floating.batch, ...o.cases.map((one) => one.training?.batch ?? 0)));
  const { known = {} } = o;
  if (known.floating) floating.setWeights(known.floating);
  else if (o.floating.epochs > 0) found.losses = await learn(floating, o.floating, "floating");
  if (context.signal.aborted) return found;
  found.floating = (await evaluate(floating, task.test, { signal: context.signal })).accuracy;
  found.networks = { floating: floating.weights() };
  context.log({ stage: "floating", accuracy: found.floating });
  context.partial(found);

  for (const [k, one] of o.cases.entries()) {
    begin(k + 1);
    const { name, training, mapping = {}, tile, ages, chips } = one;
    const batch = training?.batch ?? o.floating.batch;
    const { boundOnChips: outputBound = mapping.outputBound ?? "tile" } = one;
    const under = onTiles({ ...mapping, outputBound, tile, noiseScale: 0 });
    const onChips = await build(batch, under, withoutDropout(task.layers));
    let losses: readonly number[] = [];
    const start = startOf(one, found.networks);
    if (training && known[networkName(name)]) {
      onChips.setWeights(boundsOf(known[networkName(name)], outputBound, tile));
      found.networks = { ...found.networks, [networkName(name)]: known[networkName(name)] };
    } else if (training) {
      const { tile: easier, epochs, batch: _, optimizer, distillation, ...noise } = training;
      const trained = onTiles({ ...mapping, ...noise, tile: easier });
      const aware = await build(batch, trained);
      aware.setWeights(start, { some: true });
      trained.map();
      const teacher = distillation && { ...distillation, network: floating };
      losses = await learn(aware, { epochs, batch, optimizer, teacher }, name);
      if (context.signal.aborted) return found;
      onChips.setWeights(boundsOf(aware.weights(), outputBound, tile));
      found.networks = { ...found.networks, [networkName(name)]: aware.weights() };
    } else {
      onChips.setWeights(start, { some: true });
      under.map();
      const { signal } = context;
      await findRanges(onChips, task, { batch, batches: mapping.rangeBatches ?? 100, signal });
    }
    const tiles = (await evaluate(onChips, task.test, { signal: context.signal })).accuracy;
    if (context.signal.aborted) return found;
    context.log({ stage: name, tiles });
    const accuracies = ages.map((): number[] => []);
    const result = (): CaseFound => ({
      name,
      losses,
      tiles,
      ages,
      accuracy: accuracies.filter((list) => list.length > 0).map((list) => estimate(list)),
    });
    const withThis = (): Found => ({ ...found, cases: [...found.cases, result()] });
    for (let c = 0; c < chips; c++) {
      let chip: Chip | undefined;
      for (const [a, age] of ages.entries()) {
        const own = one.tileAt?.(age) ?? tile;
        if (chip?.tile !== own) chip = await program(under.values(), own, { seed: `${o.seed}/${name}/${c}` });
        under.mount(chip.at(age, { driftCompensation: one.driftCompensation }));
        const { accuracy } = await evaluate(onChips, task.test, { signal: context.signal });
        if (context.signal.aborted) return accuracies[0].length > 0 ? withThis() : found;
        accuracies[a].push(accuracy);
        const share = (c * ages.length + a + 1) / (chips * ages.length);
        told(training ? 0.5 + 0.5 * share : share, `${name}: chip ${c + 1}, ${age}`);
        context.log({ stage: name, chip: c, age, accuracy });
      }
      context.partial(withThis());
    }
    under.mount();
    found.cases = withThis().cases;
  }
  return found;
}

/** Weights that a case begins with: of those of another case what a network in floating point has. Throws `ConfigError`. */
function startOf({ name, from }: Case, networks: Readonly<Record<string, State>>): State {
  const { floating } = networks;
  if (from === undefined) return floating;
  const state = networks[networkName(from)];
  if (!state) throw new ConfigError(`${name} begins with the weights of ${from}, which is not before it`);
  return Object.fromEntries(Object.keys(floating).map((key) => [key, state[key]]));
}

/** Weights whose output bounds are one: the median of those of matrices, or that of the tile where they have none. */
function boundsOf(state: State, kind: AwareOptions["outputBound"], tile: Tile): State {
  if (kind !== "shared" || state["tiles.outputBound"]) return state;
  const isBound = (key: string) => key.endsWith(".outputBound");
  const bounds = Object.entries(state).flatMap(([key, { data }]) => (isBound(key) ? [data[0]] : []));
  bounds.sort((a, b) => a - b);
  const middle = [bounds[(bounds.length - 1) >> 1], bounds[bounds.length >> 1]];
  const bound = bounds.length > 0 ? (middle[0] + middle[1]) / 2 : tile.outputBound;
  return {
    ...Object.fromEntries(Object.entries(state).filter(([key]) => !isBound(key))),
    "tiles.outputBound": { shape: [1], data: Float32Array.of(bound) },
  };
}

/** Layers of the same names that leave nothing out: ranges of inputs are those of looks. */
function withoutDropout(layers: readonly Layer[]): Layer[] {
  return layers.map((layer) => {
    if (layer.kind === "dropout") return { ...layer, rate: 0 };
    if (layer.kind === "residual")
      return { ...layer, body: withoutDropout(layer.body), shortcut: withoutDropout(layer.shortcut) };
    return layer.kind === "concatenation"
      ? { ...layer, branches: layer.branches.map(withoutDropout) }
      : layer;
  });
}

/**
 * Lets input ranges, and output bounds that are learnt, follow some batches and then learn from as many more, twice; weights and running means of
 * normalisation stay. Rasch et al. 2023 do so with weights that were not trained for chips: 500 batches, then 1000 of descent.
 */
async function findRanges(
  network: Sequential,
  task: Task,
  o: { readonly batch: number; readonly batches: number; readonly signal: AbortSignal },
): Promise<void> {
  const means = Object.entries(network.weights()).filter(([name]) => /\.(mean|variance)$/.test(name));
  const size = task.inputs.reduce((a, b) => a * b, 1);
  const { inputs, labels, scale = 1 } = task.train;
  const count = inputs.length / size;
  const rows = labels.length / count;
  const batch = Math.min(o.batch, count);
  network.optimizer = sgd({ learningRate: 0.01, momentum: 0.9 });
  for (let k = 0; k < 3 * o.batches && !o.signal.aborted; k++) {
    const from = count > batch ? (k * batch) % (count - batch) : 0;
    const own = Float32Array.from(inputs.subarray(from * size, (from + batch) * size), (x) => x * scale);
    network.forward(own, { purpose: "training" });
    if (k < o.batches) continue;
    network.judge({ labels: Array.prototype.slice.call(labels, from * rows, (from + batch) * rows) });
    network.backward();
    for (const { name, gradient } of network.parameters)
      if (!/\.(range|outputBound)$/.test(name)) gradient.data.fill(0);
    network.step();
    if (k % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  network.optimizer = undefined;
  network.setWeights(Object.fromEntries(means), { some: true });
  network.forget();
}

/** An estimate of a share as what is missing to 1, in percent. */
const errorOf = ({ mean, standardError, interval95: [low, high], n }: Estimate): Estimate => ({
  mean: 100 * (1 - mean),
  standardError: 100 * standardError,
  interval95: [100 * (1 - high), 100 * (1 - low)],
  n,
});

/** Curves of test errors against age. */
export function errorFigure({ cases, floating }: Found, title: string): Figure {
  return linePlot({
    title,
    xLog: true,
    xTitle: "time after programming (s)",
    yTitle: "test error (%)",
    series: Object.fromEntries(
      cases.map(({ name, ages, accuracy }) => [
        name,
        { x: ages.slice(0, accuracy.length).map((age) => seconds(age)), y: accuracy.map(errorOf) },
      ]),
    ),
    levels: floating === undefined ? [] : [{ at: 100 * (1 - floating), label: "floating point" }],
  });
}

/**
 * Errors and normalised accuracies of all cases. `recovered`: the part of what the case `direct` loses at an age that another
 * does not.
 */
export function tableOf({ cases, floating, losses }: Found, o: { chance: number; direct?: string }) {
  if (floating === undefined) return { losses: { floating: [...losses] } };
  const base = cases.find(({ name }) => name === o.direct);
  const rows = cases.flatMap(({ name, ages, accuracy }) =>
    accuracy.map((one, k) => {
      const at = base?.ages.indexOf(ages[k]) ?? -1;
      const lost = base && at >= 0 && base.name !== name ? floating - base.accuracy[at].mean : 0;
      return {
        case: name,
        age: ages[k],
        error: errorOf(one),
        normalised: 100 * normalised(one.mean, floating, o.chance),
        recovered: lost > 0 ? 100 * (1 - (floating - one.mean) / lost) : undefined,
      };
    }),
  );
  return {
    floatingError: 100 * (1 - floating),
    tilesError: Object.fromEntries(
      cases.flatMap(({ name, tiles }) => (tiles === undefined ? [] : [[name, 100 * (1 - tiles)]])),
    ),
    chips: rows,
    losses: {
      floating: [...losses],
      ...Object.fromEntries(
        cases.filter((one) => one.losses.length > 0).map((one) => [one.name, [...one.losses]]),
      ),
    },
  };
}

/** What the metrics of `tableOf` are. */
export const tableMetrics = {
  floatingError: "test error in floating point (%)",
  tilesError: "test error on tiles without errors of devices (%)",
  chips:
    "test error on chips (%), normalised accuracy (%, 100 in floating point, 0 by guessing), and the part of what weights in floating point lose on chips that is not lost (%)",
  losses: "mean loss of each epoch",
} as const;
