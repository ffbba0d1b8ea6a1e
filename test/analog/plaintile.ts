/** Products of one tile as a reader would write them, in float64: the oracle of tests. */
import { stepsOf, type Tile } from "../../src/analog/tile.ts";

export const halfEven = (z: number): number => {
  const below = Math.floor(z);
  if (z - below !== 0.5) return Math.round(z);
  return below % 2 === 0 ? below : below + 1;
};

const clip = (z: number, bound: number): number => Math.min(Math.max(z, -bound), bound);

function convert(z: number, bits: number | "none", bound: number): { value: number; kept: boolean } {
  if (bits === "none") return { value: clip(z, bound), kept: Math.abs(z) <= bound };
  const most = stepsOf(bits);
  const k = halfEven((z * most) / bound);
  return { value: (clip(k, most) * bound) / most, kept: Math.abs(k) <= most };
}

/** What one product has been told besides numbers: normal draws by place, and how columns and devices were made. */
export interface Given {
  readonly tile: Tile;
  readonly weights: readonly (readonly number[])[]; // [output][input]
  readonly alpha: number;
  readonly zeta?: readonly number[];
  readonly asymmetry?: readonly (readonly number[])[];
  /** Normal number of a kind of noise, place (input or output) and attempt; 0 if left out. */
  readonly z?: (kind: "input" | "weight" | "output", place: number, attempt: number) => number;
  /** Running average before this vector. */
  readonly average?: number;
}

export interface Product {
  readonly y: number[];
  /** Outputs before the ADC, of the last attempt, and what they were multiplied by. */
  readonly before: number[];
  readonly range: number;
  readonly average: number | undefined;
}

function widened(x: readonly number[], tile: Tile): number {
  const { assumedWeight, outputBound, boundResolution, dacBits, inputBound } = tile;
  const largest = Math.max(...x.map(Math.abs));
  const sum = (sign: number) => x.reduce((s, v) => s + Math.max(0, sign * v), 0);
  const bound = outputBound === Number.POSITIVE_INFINITY ? 1 : outputBound;
  const wanted = (Math.max(sum(1), sum(-1)) * assumedWeight) / bound;
  const limit =
    dacBits === "none"
      ? Number.POSITIVE_INFINITY
      : (largest / (inputBound / stepsOf(dacBits))) * boundResolution;
  return Math.max(largest, Math.min(limit, wanted));
}

/** One vector through the tile, with scale 1 and without offset. */
export function product(x: readonly number[], given: Given): Product {
  const { tile, alpha } = given;
  const largest = Math.max(...x.map(Math.abs));
  let range = alpha;
  let average = given.average;
  if (tile.noiseManagement === "abs-max") range = largest;
  if (tile.noiseManagement === "abs-max sum") range = widened(x, tile);
  if (tile.noiseManagement === "average abs-max") {
    average = (average ?? largest) + tile.averageDecay * (largest - (average ?? largest));
    range = average;
  }
  if (range === 0 && tile.inputNoise > 0) range = 1;
  if (range === 0)
    return { y: given.weights.map(() => 0), before: given.weights.map(() => 0), range: 0, average };
  const step = tile.dacBits === "none" ? 0 : tile.inputBound / stepsOf(tile.dacBits);
  for (let attempt = 0, factor = 1; ; attempt++) {
    // in float32 as the kernel has it: the largest input of a vector, halved, lies on a tie
    const inverse = Math.fround(1 / Math.fround(range));
    const before = analog(
      x.map((v) => Math.fround(v * inverse)),
      given,
      attempt,
    );
    const out = before.map((v) => convert(v, tile.adcBits, tile.outputBound));
    const done =
      tile.boundManagement === "none" ||
      out.every(({ kept }) => kept) ||
      factor > tile.boundFactor ||
      (step > 0 && factor > tile.boundResolution / step);
    if (done) return { y: out.map(({ value }) => value * range), before, range, average };
    if (attempt === 0 && tile.boundManagement === "worst case" && tile.noiseManagement !== "abs-max sum")
      range = widened(x, tile);
    else {
      factor *= 2;
      range *= 2;
    }
  }
}

/** From relative inputs to what the ADC sees. */
function analog(x: readonly number[], given: Given, attempt: number): number[] {
  const { tile, weights, z = () => 0, zeta, asymmetry } = given;
  const n = x.length;
  const q = x.map(
    (v, j) => convert(v, tile.dacBits, tile.inputBound).value + tile.inputNoise * z("input", j, attempt),
  );
  const curve =
    zeta && (1 + (tile.unitSlopeAt * zeta.reduce((s, one) => s + Math.abs(one), 0)) / zeta.length) ** 2;
  return weights.map((exactRow, i) => {
    const row = tile.irDrop > 0 && tile.irDropKind === "exact" ? behindWires(exactRow, tile) : exactRow;
    let sum = 0;
    for (let j = 0; j < n; j++) sum += row[j] * q[j] * (1 + (q[j] < 0 ? (asymmetry?.[i][j] ?? 0) : 0));
    if (tile.irDrop > 0 && tile.irDropKind === "quadratic") {
      const a = (n / tile.wireConductance) * q.reduce((s, v, j) => s + Math.abs(row[j] * v), 0);
      const placed = q.reduce((s, v, j) => s + row[j] * v * (1 - (1 - j / n) ** 2), 0);
      sum -= tile.irDrop * (0.05 * a ** 3 - 0.2 * a ** 2 + 0.5 * a) * placed;
    }
    const root = tile.weightNoiseKind === "root";
    const spread =
      tile.weightNoise * Math.sqrt(q.reduce((s, v, j) => s + (root ? Math.abs(row[j]) : 1) * v * v, 0));
    const together = tile.weightNoise > 0 && !zeta;
    if (together) return sum + Math.hypot(spread, tile.outputNoise) * z("weight", i, attempt);
    sum += spread * z("weight", i, attempt);
    if (zeta && curve) sum = (curve * sum) / (1 + Math.abs(zeta[i] * sum));
    return sum + tile.outputNoise * z("output", i, attempt);
  });
}

/** Weights that a column with these wires acts as, each from the currents at unit inputs, by Kirchhoff's law as a full system. */
function behindWires(row: readonly number[], tile: Tile): number[] {
  const n = row.length;
  const wire = tile.wireConductance / tile.irDrop;
  return row.map((w, j) => {
    // (wire left + wire right + |w_k|) u_k - wire u_(k-1) - wire u_(k+1) = w_j where k = j: Thomas, from the far end
    const [c, d] = [new Float64Array(n), new Float64Array(n)];
    for (let k = n - 1; k >= 0; k--) {
      const diagonal = wire + (k < n - 1 ? wire : 0) + Math.abs(row[k]) - (k < n - 1 ? wire * c[k + 1] : 0);
      c[k] = wire / diagonal;
      d[k] = ((k === j ? w : 0) + (k < n - 1 ? wire * d[k + 1] : 0)) / diagonal;
    }
    return wire * d[0];
  });
}
