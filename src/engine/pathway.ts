/**
 * Synapses in memory: rows, delays, columns and the shares of threads.
 *
 * Within a row synapses are ordered by delay, then by target, so that every delay of a row and every
 * thread's part of it is a stretch of memory. Plain numbers in, plain arrays out.
 */
import type { Rows } from "./connect.ts";

export interface Pathway {
  readonly size: number; // synapses
  /** Distinct delays, ticks, ascending: the classes. */
  readonly delays: readonly number[];
  /** [thread + 1][pre * classes]: first synapse of a segment onto the thread's cells; the last row holds the ends. */
  readonly starts: Uint32Array;
  readonly segments: number; // pre * classes
  readonly targets: Uint32Array; // [synapse], cell of the whole postsynaptic population
  /** No segment has two synapses onto the same cell. */
  readonly distinct: boolean;
  /** Synapse k was synapse `order[k]` of `rows` (absent: the same). */
  readonly order?: Uint32Array;
}

/**
 * @param preCells cells of the whole presynaptic population; row r of `rows` is cell `preStart + r`
 * @param delays ticks: one for all, or one for each synapse of `rows`
 * @param bounds first cell of each thread's share of the postsynaptic population, and the end
 */
export function pathway(
  rows: Rows,
  options: {
    readonly preCells: number;
    readonly preStart: number;
    readonly postStart: number;
    readonly delays: number | Uint32Array;
    readonly bounds: readonly number[];
  },
): Pathway {
  const { preCells, preStart, postStart, bounds } = options;
  const size = rows.targets.length;
  const rowCount = rows.rows.length - 1;
  const classDelays =
    typeof options.delays === "number"
      ? [options.delays]
      : [...new Set(options.delays)].sort((a, b) => a - b);
  if (classDelays.length === 0) classDelays.push(0);
  const classes = classDelays.length;
  const targets = new Uint32Array(size);
  let order: Uint32Array | undefined;
  const threads = bounds.length - 1;
  const segments = preCells * classes;
  const starts = new Uint32Array((threads + 1) * segments);
  if (classes === 1 || typeof options.delays === "number") {
    for (let k = 0; k < size; k++) targets[k] = rows.targets[k] + postStart;
  } else {
    const { delays } = options;
    order = new Uint32Array(size);
    for (let r = 0; r < rowCount; r++) {
      const row = order.subarray(rows.rows[r], rows.rows[r + 1]);
      for (let k = 0; k < row.length; k++) row[k] = rows.rows[r] + k;
      row.sort((a, b) => delays[a] - delays[b] || a - b);
    }
    for (let k = 0; k < size; k++) targets[k] = rows.targets[order[k]] + postStart;
  }
  const classOf = new Map(classDelays.map((d, c) => [d, c]));
  const end = threads * segments;
  let distinct = true;
  for (let cell = 0; cell < preCells; cell++) {
    const r = cell - preStart;
    const from = r < 0 ? 0 : rows.rows[Math.min(r, rowCount)];
    const to = r < 0 ? 0 : rows.rows[Math.min(r + 1, rowCount)];
    let k = from;
    for (let c = 0; c < classes; c++) {
      const segment = cell * classes + c;
      let stop = to;
      if (order) {
        stop = k;
        const delays = options.delays as Uint32Array;
        while (stop < to && classOf.get(delays[order[stop]]) === c) stop++;
      }
      for (let thread = 0; thread < threads; thread++)
        starts[thread * segments + segment] = lowerBound(targets, k, stop, bounds[thread]);
      starts[end + segment] = stop;
      for (let m = k + 1; m < stop; m++) if (targets[m] === targets[m - 1]) distinct = false;
      k = stop;
    }
  }
  return { size, delays: classDelays, starts, segments, targets, distinct, order };
}

/** First k in [from, to) with targets[k] >= cell; `targets` ascends there. */
function lowerBound(targets: Uint32Array, from: number, to: number, cell: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (targets[middle] < cell) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Presynaptic cell of every synapse, from the segments of `path`. */
export function sources(path: Pathway): Uint32Array {
  const pre = new Uint32Array(path.size);
  const { starts, segments } = path;
  // thread 0 owns from cell 0 on, so its row of `starts` begins every segment; the last row ends them
  const ends = starts.subarray(starts.length - segments);
  for (let s = 0; s < segments; s++) pre.fill(Math.floor(s / path.delays.length), starts[s], ends[s]);
  return pre;
}

/** The synapses of every postsynaptic cell, in order of their presynaptic cell. */
export function columns(
  path: Pathway,
  postCells: number,
): { starts: Uint32Array; synapse: Uint32Array; pre: Uint32Array } {
  const from = sources(path);
  const starts = new Uint32Array(postCells + 1);
  for (const target of path.targets) starts[target + 1]++;
  for (let j = 0; j < postCells; j++) starts[j + 1] += starts[j];
  const next = starts.slice(0, postCells);
  const synapse = new Uint32Array(path.size);
  const pre = new Uint32Array(path.size);
  for (let k = 0; k < path.size; k++) {
    const place = next[path.targets[k]]++;
    synapse[place] = k;
    pre[place] = from[k];
  }
  return { starts, synapse, pre };
}
