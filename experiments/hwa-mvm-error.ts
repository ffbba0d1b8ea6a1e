/**
 * How far products of a matrix on crossbar tiles are from exact ones, effect by effect.
 *
 * The error is that of outputs of vectors, mean of their lengths over that of exact outputs: |y - y~| / |y|. One
 * 512 x 512 matrix and its devices are a replicate; tiles and devices are the program's own, at the age a case says.
 */
import {
  barPlot,
  type Chip,
  ConfigError,
  device,
  estimate,
  experiment,
  type Figure,
  fabricate,
  linePlot,
  program,
  type Result,
  seconds,
  type TileProducts,
  type Time,
  tile,
  tileProducts,
} from "../src/index.ts";
import { type Case, cases, groups } from "./hwa-mvm-error/cases.ts";

/** Normal weights and uniform inputs, as variables of devices that do nothing else. */
const drawn = device({
  name: "numbers drawn once",
  equations: `
    G : S
    w : 1
    x : 1
  `,
  source: "Rasch et al. 2023, Nat. Commun. 14:5282, standard MVM error",
  initial: { G: "0 S", w: "0.246 * randn()", x: "2 * rand() - 1" },
  on: { set: "G = G" },
  read: "G",
});

/** Matrices of one replicate, and what has been made of them. */
interface Replicate {
  readonly number: number;
  readonly seed: string;
  readonly weights: Float32Array; // [output][input]
  readonly x: Float32Array; // [vector][input]
  readonly chips: Map<string, Promise<Chip>>;
  readonly exact: Map<string, Float64Array>;
}

async function replicate(number: number, size: number, vectors: number, seed: string): Promise<Replicate> {
  const numbers = await fabricate(size * Math.max(size, vectors), drawn, { seed });
  return {
    number,
    seed,
    weights: Float32Array.from(numbers.get("w").subarray(0, size * size)),
    x: Float32Array.from(numbers.get("x").subarray(0, vectors * size)),
    chips: new Map(),
    exact: new Map(),
  };
}

/** Half to even. */
function rounded(z: number): number {
  const below = Math.floor(z);
  return z - below === 0.5 ? 2 * Math.round(below / 2) : Math.round(z);
}

const clipped = (w: number): number => Math.min(1, Math.max(-1, w));

/** Exact outputs, [vector][output]. */
function products(weights: Float32Array, x: Float32Array, size: number): Float64Array {
  const y = new Float64Array(x.length);
  for (let from = 0; from < x.length; from += size)
    for (let i = 0; i < size; i++) {
      let sum = 0;
      for (let j = 0; j < size; j++) sum += weights[i * size + j] * x[from + j];
      y[from + i] = sum;
    }
  return y;
}

/** Mean length of vectors of `size` numbers, or of their differences. */
function meanLength(a: ArrayLike<number>, size: number, b?: ArrayLike<number>): number {
  let lengths = 0;
  for (let from = 0; from < a.length; from += size) {
    let squares = 0;
    for (let k = from; k < from + size; k++) squares += (a[k] - (b ? b[k] : 0)) ** 2;
    lengths += Math.sqrt(squares);
  }
  return lengths / (a.length / size);
}

/** Tiles for products, made once for each kind. */
type Tiles = Map<string, Promise<TileProducts>>;

/** Error of one case on one replicate, %. */
async function errorOf(one: Case, on: Replicate, size: number, tiles: Tiles) {
  const { clipped: clips = true, weightBits, testReads = "ideal", age, look } = one;
  const made = tile({ rows: size, columns: size, ...one.tile });
  const { device: cells, ...periphery } = made;
  const asked = clips ? on.weights.map(clipped) : on.weights;
  const kind = `${clips}`;
  if (!on.exact.has(kind)) on.exact.set(kind, products(asked, on.x, size));
  const exact = on.exact.get(kind) as Float64Array;
  const { pair, devices, significances, columnScale, stuckReset, stuckSet, stuckRandom } = made;
  // what is written does not know what reads it, but for test vectors that tiles read
  const writing = [
    cells ? JSON.stringify([cells.checked.name, cells.checked.parameters]) : "exact",
    ...[
      pair,
      devices,
      significances,
      columnScale,
      made.inputRange,
      stuckReset,
      stuckSet,
      stuckRandom,
      kind,
      testReads,
    ],
    testReads === "tile" || made.irDropKind === "exact" ? JSON.stringify(periphery) : "",
  ].join(" ");
  const tileKind = JSON.stringify(periphery);
  if (!tiles.has(tileKind))
    tiles.set(tileKind, tileProducts(made, { outputs: size, inputs: size, rows: 100, seed: "tiles" }));
  const multiplier = (await tiles.get(tileKind)) as TileProducts;
  if (cells) {
    const matrices = { w: { weights: asked, outputs: size, inputs: size } };
    if (!on.chips.has(writing)) on.chips.set(writing, program(matrices, made, { seed: on.seed, testReads }));
    const chip = (await on.chips.get(writing)) as Chip;
    multiplier.load(chip.at(age, look).matrices["w"]);
  } else {
    const steps = weightBits === undefined ? 0 : 2 ** (weightBits - 1) - 1;
    const weights = steps === 0 ? asked : asked.map((w) => rounded(w * steps) / steps);
    const scale = new Float64Array(size).fill(1);
    const part = { from: 0, to: size, weights, conductances: undefined, scale, inputRange: made.inputRange };
    multiplier.load({ outputs: size, inputs: size, taps: 1, offset: new Float64Array(size), parts: [part] });
  }
  return (
    (100 * meanLength(multiplier.multiply(on.x, { stream: on.number }), size, exact)) /
    meanLength(exact, size)
  );
}

const curves = {
  "a factor for the tile": {},
  "a factor for each column": { driftCompensation: "column" },
  "no compensation": { driftCompensation: "none" },
} as const;

export default experiment({
  name: "hwa-mvm-error",
  question: "How far are products on crossbar tiles from exact ones, and what of the tile is to blame?",
  source: "Rasch et al. 2023, Nat. Commun. 14:5282, doi:10.1038/s41467-023-40770-4",
  parameters: {
    groups: [...groups] as string[],
    size: 512,
    vectors: 200,
    replicates: 5,
    ages: ["0 s", "1 min", "1 h", "1 day", "2592000 s", "31536000 s"],
  },
  quick: { vectors: 50, replicates: 1 },
  describe: {
    groups: `any of: ${groups.join(", ")}`,
    size: "inputs and outputs of the tile",
    vectors: "inputs for each replicate",
    replicates: "matrices, each with its own devices and noise",
    ages: "times after programming, for the figure",
  },
  metrics: {
    errors:
      "of each case: error of products, its 95 % interval over replicates, and what is published or calculated from published equations (%)",
    curve: "error by age, with a factor for the tile, for each column, and without (%)",
  },

  async run({ groups: wanted, size, vectors, replicates, ages }, context): Promise<Result> {
    for (const name of wanted)
      if (!(groups as readonly string[]).includes(name))
        throw new ConfigError(`there is no group ${name}; there are ${groups.join(", ")}`);
    const asked = cases.filter(({ group }) => wanted.includes(group));
    const tiles: Tiles = new Map();
    const found = asked.map((): number[] => []);
    const drawnCurves = Object.entries(curves).map(([name, look]) => ({
      name,
      look,
      errors: ages.map((): number[] => []),
    }));
    const steps = asked.length + ages.length * drawnCurves.length;
    const told = (): Result => summary(asked, found, ages, drawnCurves);
    for (let r = 0; r < replicates && !context.signal.aborted; r++) {
      const on = await replicate(r, size, vectors, `${context.seed}/${r}`);
      let done = 0;
      const progress = (what: string) => context.progress((r + done++ / steps) / replicates, what);
      for (const [k, one] of asked.entries()) {
        if (context.signal.aborted) break;
        progress(one.name);
        found[k].push(await errorOf(one, on, size, tiles));
      }
      const standard = cases.find(
        ({ group, published }) => group === "standard" && published === 13.3,
      ) as Case;
      for (const { look, errors } of drawnCurves)
        for (const [k, age] of ages.entries()) {
          if (context.signal.aborted) break;
          progress(`${age} after programming`);
          errors[k].push(await errorOf({ ...standard, age, look }, on, size, tiles));
        }
      context.partial(told());
    }
    return told();
  },
});

interface Curve {
  readonly name: string;
  readonly errors: readonly (readonly number[])[]; // [age][replicate]
}

function summary(
  asked: readonly Case[],
  found: readonly (readonly number[])[],
  ages: readonly Time[],
  all: readonly Curve[],
): Result {
  const rows = asked.flatMap(({ group, name, published }, k) =>
    found[k].length > 0 ? [{ group, name, published, error: estimate(found[k]) }] : [],
  );
  const times = ages.filter((_, k) => all.every(({ errors }) => errors[k].length > 0));
  const series = all.map(({ name, errors }) => ({ name, y: times.map((_, k) => estimate(errors[k])) }));
  const figures: Record<string, Figure> = {};
  const positive = times.map((age, k) => ({ x: seconds(age), k })).filter(({ x }) => x > 0);
  if (positive.length > 1)
    figures["drift"] = linePlot({
      title: "Error of products by age",
      caption: "Normal weights on PCM, uniform inputs; sums over conductances compensate drift.",
      x: positive.map(({ x }) => x),
      series: Object.fromEntries(series.map(({ name, y }) => [name, positive.map(({ k }) => y[k])])),
      xTitle: "time after programming (s)",
      yTitle: "error (%)",
      xLog: true,
      yRange: [0, 60],
    });
  const levels = rows.filter(({ group, published }) => group === "levels" && published !== undefined);
  if (levels.length > 0)
    figures["levels"] = barPlot({
      title: "Error of products an hour after programming, one effect raised",
      categories: levels.map(({ name }) => name),
      series: {
        here: levels.map(({ error }) => error),
        published: levels.map(({ published = Number.NaN }) => published),
      },
      yTitle: "error (%)",
    });
  return {
    metrics: {
      errors: rows,
      curve: times.map((age, k) => ({
        age: seconds(age),
        ...Object.fromEntries(series.map(({ name, y }) => [name, y[k]])),
      })),
    },
    figures,
  };
}
