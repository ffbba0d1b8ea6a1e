/**
 * How alike spike trains are, without a time scale to choose: ISI-distance, SPIKE-distance, SPIKE-synchronization.
 *
 * Kreuz, Haas, Morelli, Abarbanel & Politi 2007, J. Neurosci. Methods 165:151 (ISI); Kreuz, Chicharro, Houghton, Andrzejak
 * & Mormann 2013, J. Neurophysiol. 109:1457 (SPIKE); Kreuz, Mulansky & Bozanic 2015, J. Neurophysiol. 113:3432
 * (synchronization). What happens at the ends of a recording is as in PySpike (Mulansky & Kreuz 2016, SoftwareX 5:183):
 * before its first spike (after its last) a cell has the interval to the end, or its first (last) one if that is longer, and its spikes
 * there are as far from the other train's as its first (last) one is. A silent cell counts as one that fires at both ends.
 *
 * A pair costs time in proportion to its spikes.
 */

import type { Raster } from "../engine/raster.ts";
import { byCell, type Window, windowOf } from "./measures.ts";
import { type Pairwise, pairwise } from "./pairwise.ts";

/** What rounding may add to a difference of two times, s. */
const timeRounding = 1e-12;

/** One train cut at its spikes: from `cuts[k]` to `cuts[k + 1]` its interval is `isi[k]`. */
interface Course {
  readonly spikes: Float64Array; // those at the ends too for a silent cell
  readonly cuts: Float64Array; // [part + 1], from 0 to the duration
  readonly isi: Float64Array; // [part], s
  readonly lead: number; // 1 where the first part comes before the first spike
  readonly before: number; // where the spike before the first is taken to be, s
  readonly after: number; // likewise after the last
}

function courseOf(times: Float64Array, duration: number): Course {
  const spikes = times.length > 0 ? times : Float64Array.of(0, duration);
  const n = spikes.length;
  const [first, last] = [spikes[0], spikes[n - 1]];
  const lead = first > 0 ? 1 : 0;
  const cuts = [...(lead ? [0] : []), ...spikes, ...(last < duration ? [duration] : [])];
  const before = n > 1 ? Math.min(0, first - (spikes[1] - first)) : 0;
  const after = n > 1 ? Math.max(duration, last + (last - spikes[n - 2])) : duration;
  const isi = new Float64Array(cuts.length - 1);
  for (let k = 0; k < isi.length; k++) isi[k] = cuts[k + 1] - cuts[k];
  if (lead) isi[0] = first - before;
  if (last < duration) isi[isi.length - 1] = after - last;
  return { spikes, cuts: Float64Array.from(cuts), isi, lead, before, after };
}

/** Trains as courses; ends of the window, s. */
function prepared(raster: Raster, window: Window, of: string) {
  const { duration } = raster;
  const { from, to } = windowOf(raster, window, of);
  if (!(from >= 0 && to <= duration + timeRounding))
    throw new RangeError(`${of} from ${from} to ${to} s needs a raster of that time, not of ${duration} s`);
  const courses = byCell(raster).map((times) => courseOf(times, duration));
  return { from, to: Math.min(to, duration), courses };
}

/**
 * ISI-distance of all pairs of cells, 0 to 1: |Ia - Ib| / max(Ia, Ib) of the intervals that two cells are in at a time, averaged
 * over time (Kreuz et al. 2007). 0: the same intervals at any time.
 */
export function isiDistance(raster: Raster, window: Window = {}): Pairwise {
  const { courses, from, to } = prepared(raster, window, "an ISI-distance");
  return pairwise(raster.size, (i, j) => isiOfPair(courses[i], courses[j], from, to));
}

function isiOfPair(a: Course, b: Course, from: number, to: number): number {
  const { cuts: cutsA, isi: isiA } = a;
  const { cuts: cutsB, isi: isiB } = b;
  let p = partAt(a, from);
  let q = partAt(b, from);
  let sum = 0;
  for (let t = from; t < to; ) {
    const endA = cutsA[p + 1];
    const endB = cutsB[q + 1];
    const end = Math.min(endA, endB, to);
    const Ia = isiA[p];
    const Ib = isiB[q];
    sum += (end - t) * (Ia > Ib ? 1 - Ib / Ia : 1 - Ia / Ib);
    if (endA <= end) p++;
    if (endB <= end) q++;
    t = end;
  }
  return sum / (to - from);
}

/** The part of a course that holds a time. */
function partAt({ cuts }: Course, time: number): number {
  let low = 0;
  let high = cuts.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (cuts[middle] <= time) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * SPIKE-distance of all pairs of cells, 0 to 1, averaged over time (Kreuz et al. 2013): with Sa(t) the distance of the
 * spikes around t from the nearest of the other train, linear between them,
 *
 *     S(t) = (Sa Ib + Sb Ia) / (2 <I>^2),  <I> = (Ia + Ib) / 2
 *
 * 0: the same trains.
 */
export function spikeDistance(raster: Raster, window: Window = {}): Pairwise {
  const { courses, from, to } = prepared(raster, window, "a SPIKE-distance");
  const most = Math.max(0, ...courses.map(({ spikes }) => spikes.length));
  const nearA = new Float64Array(most);
  const nearB = new Float64Array(most);
  return pairwise(raster.size, (i, j) => {
    nearest(courses[i], courses[j], nearA);
    nearest(courses[j], courses[i], nearB);
    return spikeOfPair(courses[i], nearA, courses[j], nearB, from, to);
  });
}

/** near[k]: from spike k of `a` to the nearest of `b`, those beyond the ends included. */
function nearest(a: Course, { spikes, before, after }: Course, near: Float64Array): void {
  let m = 0; // spikes of b before that of a
  for (let k = 0; k < a.spikes.length; k++) {
    const t = a.spikes[k];
    while (m < spikes.length && spikes[m] < t) m++;
    const past = m > 0 ? spikes[m - 1] : before;
    const next = m < spikes.length ? spikes[m] : after;
    near[k] = Math.min(t - past, next - t);
  }
}

function spikeOfPair(
  a: Course,
  nearA: Float64Array,
  b: Course,
  nearB: Float64Array,
  from: number,
  to: number,
): number {
  const { cuts: cutsA, isi: isiA } = a;
  const { cuts: cutsB, isi: isiB } = b;
  const lastA = a.spikes.length - 1;
  const lastB = b.spikes.length - 1;
  let p = partAt(a, from);
  let q = partAt(b, from);
  let sum = 0;
  for (let t = from; t < to; ) {
    const endA = cutsA[p + 1];
    const endB = cutsB[q + 1];
    const end = Math.min(endA, endB, to);
    const Ia = isiA[p];
    const Ib = isiB[q];
    const middle = (t + end) / 2; // a linear course has its mean there
    const Sa = between(nearA, p - a.lead, lastA, (middle - cutsA[p]) / Ia);
    const Sb = between(nearB, q - b.lead, lastB, (middle - cutsB[q]) / Ib);
    const both = Ia + Ib;
    sum += ((end - t) * 2 * (Sa * Ib + Sb * Ia)) / (both * both);
    if (endA <= end) p++;
    if (endB <= end) q++;
    t = end;
  }
  return sum / (to - from);
}

/** Distance from the other train, a share of the way from a spike to the next; before the first and after the last that of these. */
function between(near: Float64Array, spike: number, last: number, share: number): number {
  if (spike < 0) return near[0];
  return spike < last ? near[spike] + (near[spike + 1] - near[spike]) * share : near[last];
}

/**
 * SPIKE-synchronization of all pairs of cells, 0 to 1: the share of their spikes that coincide (Kreuz et al. 2015). Two
 * spikes do when they are nearer to each other than half of the shortest of the four intervals around them. The mean is that of all
 * spikes of all pairs; two silent cells have 1.
 */
export function spikeSynchronization(raster: Raster, window: Window = {}): Pairwise {
  const { from, to } = windowOf(raster, window, "a SPIKE-synchronization");
  const trains = byCell(raster);
  let coincident = 0;
  let all = 0;
  const { matrix } = pairwise(
    raster.size,
    (i, j) => {
      const pair = coincidences(trains[i], trains[j], raster.duration, from, to);
      coincident += pair.coincident;
      all += pair.all;
      return pair.all === 0 ? 1 : pair.coincident / pair.all;
    },
    () => 1,
  );
  return { mean: all === 0 ? 1 : coincident / all, matrix };
}

/** Spikes of two trains within a window, and those of them that coincide. */
function coincidences(
  a: Float64Array,
  b: Float64Array,
  duration: number,
  from: number,
  to: number,
): { coincident: number; all: number } {
  const inside = (t: number) => t >= from && t < to;
  let all = 0;
  for (const t of b) if (inside(t)) all++;
  let coincident = 0;
  let m = 0;
  for (let k = 0; k < a.length; k++) {
    const t = a[k];
    if (inside(t)) all++;
    while (m < b.length && b[m] < t) m++;
    // the nearest is before or after; it coincides with no other spike, since it is within half of an interval
    const near = m === b.length || (m > 0 && t - b[m - 1] < b[m] - t) ? m - 1 : m;
    if (near < 0) continue;
    const distance = Math.abs(t - b[near]);
    const shortest = Math.min(around(a, k, duration), around(b, near, duration));
    if (distance > timeRounding && !(distance < shortest / 2 - timeRounding)) continue;
    if (inside(t)) coincident++;
    if (inside(b[near])) coincident++;
  }
  return { coincident, all };
}

/** The shorter of the intervals before and after a spike; the duration where there is none. */
function around(times: Float64Array, k: number, duration: number): number {
  const past = k > 0 ? times[k] - times[k - 1] : duration;
  const next = k + 1 < times.length ? times[k + 1] - times[k] : duration;
  return Math.min(past, next);
}
