/** Spike trains of golden/measures.json as rasters, with what PySpike and elephant say of them. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readTar } from "../../datasets/tar.ts";
import { gunzip } from "../../datasets/unpack.ts";
import { type Raster, raster } from "../../src/engine/raster.ts";

export interface Kreuz {
  readonly isi: readonly number[]; // pairs i < j by row
  readonly spike: readonly number[];
  readonly synchronization: readonly number[];
  readonly isiMean: number;
  readonly spikeMean: number;
  readonly synchronizationMean: number;
}

export interface Case {
  readonly name: string;
  readonly tick: number; // s
  readonly duration: number; // ticks, as all that follow
  readonly window: readonly [number, number];
  readonly trains?: readonly (readonly number[])[];
  readonly file?: string;
  readonly group: string;
  readonly time: string;
  readonly offset: number;
  readonly pyspike: Kreuz;
  readonly pyspikeWindow: Kreuz;
  readonly elephant: {
    readonly bin: number;
    readonly tau?: number;
    readonly CV: number;
    readonly CV2: number;
    readonly LV: number;
    readonly LvR: number;
    readonly correlations: readonly number[];
    readonly correlogram: readonly number[];
    readonly lags: readonly number[];
    readonly psth: readonly number[];
    readonly vanRossum?: readonly number[];
    readonly victorPurpura?: readonly number[];
  };
}

const golden = new URL("../golden/measures.json", import.meta.url);
const archive = join(process.env["MEMSPIKE_DATA"] ?? "", "spike-trains/spike-trains.tar.gz");

/** Those whose spikes are here: in the file, or in the folder that MEMSPIKE_DATA names. */
export const cases = (JSON.parse(readFileSync(golden, "utf8")) as { cases: Case[] }).cases.filter(
  ({ trains }) => trains !== undefined || existsSync(archive),
);

export function rasterOf({ trains, tick, duration, ...of }: Case): Raster {
  const times = trains ?? recorded(of.file ?? "", of, tick);
  const t = times.flat().map((k) => k * tick);
  const i = times.flatMap((own, cell) => own.map(() => cell));
  return raster({ t, i }, times.length, duration * tick);
}

/** Whole ticks of one file of the archive, by group: [group][spike]. */
function recorded(
  file: string,
  of: { group: string; time: string; offset: number },
  tick: number,
): number[][] {
  const entries = readTar(gunzip(readFileSync(archive), archive), archive);
  const entry = entries.find(({ name }) => name === `spike-trains/${file}`);
  if (!entry) throw new Error(`${archive} holds no ${file}`);
  const [header, ...rows] = new TextDecoder().decode(entry.bytes).trim().split(/\r?\n/);
  const columns = header.split(",");
  const [group, time] = [columns.indexOf(of.group), columns.indexOf(of.time)];
  const unit = of.time.includes("_ms") ? 1e-3 : 1;
  const groups = new Map<string, Set<number>>();
  for (const row of rows) {
    const cells = row.split(",");
    const own = groups.get(cells[group]) ?? new Set();
    groups.set(cells[group], own.add(Math.round((Number(cells[time]) * unit) / tick) + of.offset));
  }
  return Array.from(groups.values(), (own) => [...own].sort((a, b) => a - b));
}

/** Entries above the diagonal by row; of more than 12 cells every 37th, as in the golden file. */
export function upper(matrix: ArrayLike<number>): number[] {
  const size = Math.sqrt(matrix.length);
  const all: number[] = [];
  for (let i = 0; i < size; i++) for (let j = i + 1; j < size; j++) all.push(matrix[i * size + j]);
  return size <= 12 ? all : all.filter((_, k) => k % 37 === 0);
}

/** Largest difference, over the largest value or 1. */
export function departure(ours: ArrayLike<number>, theirs: ArrayLike<number>): number {
  if (ours.length !== theirs.length) return Number.POSITIVE_INFINITY;
  let largest = 1;
  let difference = 0;
  for (let k = 0; k < ours.length; k++) {
    largest = Math.max(largest, Math.abs(theirs[k]));
    const away = Math.abs(ours[k] - theirs[k]);
    difference = Math.max(difference, Number.isNaN(away) ? Number.POSITIVE_INFINITY : away);
  }
  return difference / largest;
}
