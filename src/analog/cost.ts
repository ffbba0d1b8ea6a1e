/**
 * Time and energy of a network on AON-CiM: one crossbar of phase-change memory that holds all layers and computes them in turn.
 *
 * For each position of a layer its rows get pulses as long as their inputs, and its columns are read by as many converters as
 * there are, a group of columns after the other. What is digital, leakage and the sensor are not counted.
 * Source: Zhou et al. 2021, arXiv:2111.06503 (preprint), and 2022, IEEE Micro 42(6):76 (journal). Organisation and pulse as
 * there; the three energies are fitted to the nine efficiencies of each, which they give within 1 % and 1.1 %.
 */
import { ConfigError } from "../math/errors.ts";
import { didYouMean } from "../math/nearest.ts";
import { type ArraySize, piecesOf } from "./mapping.ts";
import { analogMatrices, type MatrixShape, type NetworkShape, weightsOf } from "./shapes.ts";

/** The array, and its columns that are converted at once. */
export const aonCimArray = { rows: 1024, columns: 512, converters: 128 } as const;

/** Energies, J. */
interface Energies {
  /** Driver and cells of a row, in each unit of a pulse. */
  readonly rowUnit: number;
  /** A conversion of a column, and each unit of its pulse. */
  readonly column: number;
  readonly columnUnit: number;
}

/** Fits to the efficiencies of the preprint and of the journal's version of the paper. */
const energySets = {
  preprint: { rowUnit: 0.1223e-12, column: 10.42e-12, columnUnit: 0.1322e-12 },
  journal: { rowUnit: 0.1199e-12, column: 10.54e-12, columnUnit: 0.1478e-12 },
} as const satisfies Record<string, Energies>;

export interface CostOptions {
  /** Of inputs and outputs, 4 to 8; those published are 8, 6 and 4. */
  readonly bits: number;
  /** Whose efficiencies the energies are fitted to; default the preprint's. */
  readonly energies?: keyof typeof energySets;
}

/** What the array does for one sample. */
export interface Cost {
  readonly bits: number;
  /** One cycle: all rows of a layer, and up to 128 of its columns, s. */
  readonly cycle: number;
  readonly cycles: number;
  /** s */
  readonly latency: number;
  readonly inferencesPerSecond: number;
  /** Two for each weight and position: a product and a sum. */
  readonly operations: number;
  readonly tops: number;
  /** J */
  readonly energy: number;
  readonly topsPerWatt: number;
  /** When samples follow each other without a pause, W. */
  readonly power: number;
}

/** The work of one sample on the array: what time and energy depend on. */
export interface ArrayWork {
  readonly cycles: number;
  /** Rows that get a pulse, over all cycles. */
  readonly rows: number;
  /** Columns that are converted. */
  readonly columns: number;
  readonly operations: number;
}

/**
 * Cycles, rows and columns of one matrix for one sample. A matrix larger than the array is cut like one on tiles: parts above
 * each other take cycles of their own, and their sums are added digitally.
 */
export function workOf(matrix: MatrixShape, array: ArraySize = aonCimArray): ArrayWork {
  let [cycles, rows, columns] = [0, 0, 0];
  for (const piece of piecesOf(matrix, array)) {
    const groups = Math.ceil(piece.columns / aonCimArray.converters);
    cycles += groups;
    rows += groups * piece.rows;
    columns += piece.columns;
  }
  const { positions } = matrix;
  return {
    cycles: positions * cycles,
    rows: positions * rows,
    columns: positions * columns,
    operations: 2 * positions * weightsOf(matrix),
  };
}

/** The work of several matrices in turn. */
export function networkWork(network: NetworkShape): ArrayWork {
  const works = analogMatrices(network).map((matrix) => workOf(matrix));
  if (works.length === 0) throw new ConfigError(`network ${network.name} has no matrix on crossbars`);
  const sum = (key: keyof ArrayWork) => works.reduce((total, work) => total + work[key], 0);
  return { cycles: sum("cycles"), rows: sum("rows"), columns: sum("columns"), operations: sum("operations") };
}

/** Time and energy of that work. Throws `ConfigError` on bits or energies that there are not. */
export function costOf(work: ArrayWork, { bits, energies = "preprint" }: CostOptions): Cost {
  if (!Number.isInteger(bits) || bits < 4 || bits > 8)
    throw new ConfigError(`bits are 4 to 8, not ${bits}: energies are known for 4, 6 and 8`);
  if (!Object.hasOwn(energySets, energies)) {
    const hint = didYouMean(energies, Object.keys(energySets));
    throw new ConfigError(`energies are those of the preprint or the journal, not ${energies}${hint}`);
  }
  const { rowUnit, column, columnUnit } = energySets[energies];
  const units = 2 ** (bits - 1) - 1; // of 1 ns, the longest pulse
  const cycle = (units + 3) * 1e-9;
  const { cycles, rows, columns, operations } = work;
  const latency = cycles * cycle;
  const energy = rows * units * rowUnit + columns * (column + units * columnUnit);
  return {
    bits,
    cycle,
    cycles,
    latency,
    inferencesPerSecond: 1 / latency,
    operations,
    tops: operations / latency / 1e12,
    energy,
    topsPerWatt: operations / energy / 1e12,
    power: energy / latency,
  };
}

/** Time and energy of a network on AON-CiM, for one sample. */
export function networkCost(network: NetworkShape, options: CostOptions): Cost {
  return costOf(networkWork(network), options);
}
