/**
 * Networks on devices beside their twins in floating point: same start, same examples in the same order, same steps.
 *
 * What is learnt, and how well, the experiment says (`Task`); here are seeds, variants, programming, ageing, energy, and how
 * all of it is told.
 */
import {
  type Context,
  type DeviceMatrix,
  deviceMatrices,
  devicesOf,
  type Estimate,
  estimate,
  type Figure,
  histogramPlot,
  linePlot,
  type Matrices,
  quantity,
  type Result,
  type Sequential,
} from "../../src/index.ts";
import { type Energy, energyOf, workOf } from "./energy.ts";
import { changed, type DeviceSetting, hardwareOf } from "./hardware.ts";

export interface Task {
  /** A network, in floating point unless told by what to multiply. */
  readonly build: (seed: string, matrices?: Matrices) => Promise<Sequential>;
  /** All passes over the examples, fewer when interrupted. */
  readonly learn: (network: Sequential, o: LearnOptions) => Promise<unknown>;
  /** How good it is on what it has not seen. */
  readonly score: (network: Sequential) => Promise<Estimate>;
  /** In a pass. */
  readonly examples: number;
  readonly better: "more" | "less";
  readonly scoreTitle: string;
}

export interface LearnOptions {
  readonly seed: string;
  readonly signal: AbortSignal;
  /** How far the passes are, 0 to 1. */
  readonly progress: (fraction: number) => void;
  readonly onEpoch: () => Promise<void>;
}

export interface Epoch {
  readonly score: Estimate;
  readonly updates: number; // pulses for an example
  readonly refreshed: number; // pairs for 100 examples
}

/** A network on devices and its twin in floating point. */
export interface Pair {
  readonly curve: readonly Epoch[];
  readonly twin: readonly Epoch[];
  /** None of a network that was interrupted. */
  readonly retention: readonly {
    readonly age: number;
    readonly plain: Estimate;
    readonly scaled: Estimate;
  }[];
  readonly weights: number;
  /** By the names of matrices. */
  readonly conductances: Readonly<Record<string, Float64Array>>;
}

interface Trained extends Pair {
  readonly energy: Energy;
}

export interface Row<T extends Pair> {
  readonly variant: string;
  readonly trained: readonly T[];
}

export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, x) => sum + x, 0) / values.length;
export const last = (curve: readonly Epoch[]): Estimate => curve[curve.length - 1].score;
/** Over networks where there are several, else over the tests of the one. */
const overall = (values: readonly Estimate[]): Estimate =>
  values.length === 1 ? values[0] : estimate(values.map(({ mean }) => mean));

const countsOf = (matrices: readonly DeviceMatrix[]) => ({
  updates: matrices.reduce((sum, { use }) => sum + use.updates, 0),
  refreshed: matrices.reduce((sum, { use }) => sum + use.refreshed, 0),
});

/** Epochs of one network: those that ended. */
async function teach(
  task: Task,
  network: Sequential,
  o: { readonly seed: string; readonly context: Context; readonly progress: (fraction: number) => void },
): Promise<Epoch[]> {
  const matrices = devicesOf(network);
  const curve: Epoch[] = [];
  let before = countsOf(matrices);
  await task.learn(network, {
    seed: o.seed,
    signal: o.context.signal,
    progress: o.progress,
    onEpoch: async () => {
      const after = countsOf(matrices);
      curve.push({
        score: await task.score(network),
        updates: (after.updates - before.updates) / task.examples,
        refreshed: (100 * (after.refreshed - before.refreshed)) / task.examples,
      });
      before = after;
    },
  });
  return curve;
}

/** Scores at ages since the last example, without and with a factor for each matrix: its summed reads at first over now. */
async function retentionOf(task: Task, network: Sequential, ages: readonly string[]) {
  const matrices = devicesOf(network);
  const sums = () => matrices.map((matrix) => matrix.conductances().reduce((sum, G) => sum + G, 0));
  const points: { age: number; plain: Estimate; scaled: Estimate }[] = [];
  let [now, first] = [0, [] as number[]];
  for (const age of ages.map((text) => quantity(text, "s")).sort((a, b) => a - b)) {
    network.wait(`${age - now} s`);
    now = age;
    const plain = await task.score(network);
    const current = sums();
    if (first.length === 0) first = current;
    for (const [k, matrix] of matrices.entries()) matrix.scaleWeights(first[k] / current[k]);
    points.push({ age, plain, scaled: await task.score(network) });
    for (const matrix of matrices) matrix.scaleWeights(1);
  }
  return points;
}

/** Networks of all variants and seeds, a seed's twin once; an interrupted run hands back what is whole. */
export async function compare(
  task: Task,
  o: {
    readonly setting: DeviceSetting;
    readonly variants: readonly string[];
    readonly replicates: number;
    readonly ages: readonly string[];
    readonly context: Context;
  },
): Promise<Result> {
  const { variants, replicates, context } = o;
  const settings = variants.map((variant) => ({ variant, setting: changed(o.setting, variant) }));
  const twins = new Map<string, readonly Epoch[]>();
  const rows: { variant: string; trained: Trained[] }[] = [];
  const all = variants.length * replicates + replicates;
  let done = 0;
  for (const { variant, setting } of settings) {
    const row = { variant, trained: [] as Trained[] };
    rows.push(row);
    for (let r = 0; r < replicates && !context.signal.aborted; r++) {
      const seed = `${context.seed}/${r}`;
      const network = await task.build(seed, deviceMatrices(hardwareOf(setting)));
      const pass = (what: string) => ({
        seed,
        context,
        progress: (fraction: number) => context.progress((done + fraction) / all, `${variant}: ${what}`),
      });
      const curveOfTwin =
        twins.get(seed) ?? (await twinOf(task, network, pass("the twin in floating point")));
      if (!twins.has(seed)) done++;
      twins.set(seed, curveOfTwin);
      const curve = await teach(task, network, pass("devices"));
      done++;
      const whole = Math.min(curve.length, curveOfTwin.length);
      if (whole === 0) break;
      const matrices = devicesOf(network);
      const trained: Trained = {
        curve: curve.slice(0, whole),
        twin: curveOfTwin.slice(0, whole),
        energy: energyOf(workOf(matrices, task.examples * curve.length)),
        weights: matrices.reduce((sum, { size: [rows, columns] }) => sum + rows * columns, 0),
        conductances: Object.fromEntries(
          matrices.map((matrix) => [matrix.name, matrix.conductances({ noise: false })]),
        ),
        retention:
          context.signal.aborted || variant === "no chi" ? [] : await retentionOf(task, network, o.ages),
      };
      row.trained.push(trained);
      context.log({ variant, seed, score: last(trained.curve).mean, floatingPoint: last(trained.twin).mean });
      context.partial(summary(task, rows));
    }
  }
  return summary(task, rows);
}

/** A network in floating point that begins where the one on devices does. */
async function twinOf(task: Task, network: Sequential, pass: Parameters<typeof teach>[2]): Promise<Epoch[]> {
  const twin = await task.build(pass.seed);
  twin.setWeights(network.weights());
  return teach(task, twin, pass);
}

/** Mean by epoch over networks, as far as all of them went. */
export function byEpoch(trained: readonly Pair[], value: (epoch: Epoch) => number): number[] {
  const epochs = Math.min(...trained.map(({ curve }) => curve.length));
  return Array.from({ length: epochs }, (_, e) => meanOf(trained.map(({ curve }) => value(curve[e]))));
}

/** Networks of a variant in numbers, in the unit of scores. */
export function rowOf({ variant, trained }: Row<Pair>, better: Task["better"]) {
  const sign = better === "more" ? 1 : -1;
  const aged = trained.map(({ retention }) => retention).filter(({ length }) => length > 0);
  return {
    variant,
    score: overall(trained.map((t) => last(t.curve))),
    floatingPoint: overall(trained.map((t) => last(t.twin))),
    gap: estimate(trained.map((t) => sign * (last(t.twin).mean - last(t.curve).mean))),
    networks: trained.length,
    pulses: meanOf(byEpoch(trained, (epoch) => epoch.updates)),
    refreshed: meanOf(byEpoch(trained, (epoch) => epoch.refreshed)),
    retention: (aged[0] ?? []).map(({ age }, k) => ({
      age,
      unscaled: overall(aged.map((points) => points[k].plain)),
      scaled: overall(aged.map((points) => points[k].scaled)),
    })),
  };
}

function summary(task: Task, all: readonly Row<Trained>[]): Result {
  const rows = all.filter(({ trained }) => trained.length > 0);
  if (rows.length === 0) return { metrics: {} };
  const table = rows.map((row) => rowOf(row, task.better));
  const [{ variant: _, ...head }] = table;
  const [first] = rows;
  const energies = first.trained.map(({ energy }) => energy);
  const energy = Object.fromEntries(
    Object.keys(energies[0]).map((name) => [name, meanOf(energies.map((one) => one[name as keyof Energy]))]),
  );
  return {
    metrics: {
      ...head,
      pulsesByEpoch: byEpoch(first.trained, (epoch) => epoch.updates),
      weights: first.trained[0].weights,
      energy,
      variants: table,
    },
    figures: figuresOf(rows, task.scoreTitle),
  };
}

/** Learning, programming, conductances and ageing; all but learning of the first variant. */
export function figuresOf(rows: readonly Row<Pair>[], scoreTitle: string): Record<string, Figure> {
  const [{ trained }] = rows;
  const curves = (own: readonly (readonly Epoch[])[]) => {
    const length = Math.min(...own.map((curve) => curve.length));
    return Array.from({ length }, (_, e) => overall(own.map((curve) => curve[e].score)));
  };
  const counted = (y: readonly Estimate[]) => ({ x: y.map((_, e) => e + 1), y });
  const pulses = byEpoch(trained, (epoch) => epoch.updates);
  const label = (variant: string) => (variant === "as set" ? "PCM pairs" : `PCM pairs, ${variant}`);
  const figures: Record<string, Figure> = {
    learning: linePlot({
      title: "What is learnt, by epoch",
      caption: "Mean over networks with 95 % interval, or of one over its tests.",
      series: {
        ...Object.fromEntries(
          rows.map((row) => [label(row.variant), counted(curves(row.trained.map((t) => t.curve)))]),
        ),
        "floating point": counted(curves(trained.map((t) => t.twin))),
      },
      xTitle: "epoch",
      yTitle: scoreTitle,
    }),
    pulses: linePlot({
      title: "Programming",
      x: pulses.map((_, e) => e + 1),
      series: {
        "pulses for an example": pulses,
        "pairs refreshed for 100 examples": byEpoch(trained, (epoch) => epoch.refreshed),
      },
      xTitle: "epoch",
      yTitle: "count",
    }),
    conductance: histogramPlot(
      Object.fromEntries(
        Object.entries(trained[0].conductances).map(([name, G]) => [
          name,
          Float64Array.from(G, (g) => g * 1e6),
        ]),
      ),
      {
        title: "Conductance of the devices after training",
        xTitle: "conductance (µS)",
        yTitle: "devices",
        yLog: true,
      },
    ),
  };
  const ageing = trained.map((t) => t.retention).filter(({ length }) => length > 0);
  if (ageing.length > 0)
    figures["retention"] = linePlot({
      title: "Inference after training",
      x: ageing[0].map(({ age }) => age),
      series: {
        "with a factor for each matrix": ageing[0].map((_, k) => overall(ageing.map((r) => r[k].scaled))),
        without: ageing[0].map((_, k) => overall(ageing.map((r) => r[k].plain))),
      },
      xTitle: "time after training (s)",
      yTitle: scoreTitle,
      xLog: true,
    });
  return figures;
}

/** What the metrics of such a comparison say. */
export const metricTexts = {
  score: "of the networks on devices after training; 95 % interval over networks or, of one, over its tests",
  floatingPoint: "the same of the twins in floating point",
  gap: "what the twins are better by; interval over pairs",
  networks: "pairs of networks (1)",
  pulses: "SET pulses by which weights learn, for an example, mean of all epochs (1)",
  pulsesByEpoch: "the same by epoch (1)",
  refreshed: "pairs refreshed for 100 examples (1)",
  retention: "score at times after training (s), without and with a factor for each matrix",
  weights: "weights, each of two devices (1)",
  energy:
    "of training one example: products, chi, activations, pulses, their total; a 32-bit digital design, and the ratio (J)",
  variants: "all variants: score, twin, gap, programming, retention",
};
