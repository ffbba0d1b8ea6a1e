/**
 * Who projects to whom: connection patterns, and the rows they become.
 *
 * A pattern is plain data; `connect` turns it into compressed rows, the targets of each presynaptic cell
 * in ascending order. Randomness is addressed by row (by column for in-degrees): the targets of cell i
 * depend on the key and on i, never on other cells. Two doubles come from one Philox block with the
 * counter (row, draw / 2, 0, 0). Knows nothing of weights, delays or models.
 */
import { ConfigError } from "../math/errors.ts";
import { type Key, philox } from "../math/random.ts";
import { type Pairs, resized } from "./pairs.ts";

export { type Pairs, pairs, pairsFromTable } from "./pairs.ts";

/** Whether a cell may project to itself, and whether a pair of cells may be connected more than once. */
export interface DegreeOptions {
  readonly self?: boolean; // default true
  readonly multapses?: boolean; // default true
}

interface Degree {
  readonly k: number;
  readonly self: boolean;
  readonly multapses: boolean;
}

export type Pattern =
  | { readonly kind: "allToAll"; readonly self: boolean }
  | { readonly kind: "oneToOne" }
  | { readonly kind: "pairwiseBernoulli"; readonly p: number; readonly self: boolean }
  | ({ readonly kind: "fixedIndegree" } & Degree)
  | ({ readonly kind: "fixedOutdegree" } & Degree)
  | Pairs;

/** A connected projection: the targets of presynaptic cell i are `targets[rows[i]]` to `targets[rows[i + 1] - 1]`. */
export interface Rows {
  readonly rows: Uint32Array; // [preSize + 1]
  readonly targets: Uint32Array; // [synapse], ascending within a row
  /** Explicit pairs only: synapse k came from pair `order[k]`. Equal pairs keep their order. */
  readonly order?: Uint32Array; // [synapse]
  /** Every row holds every column once. */
  readonly dense: boolean;
}

/** Every pre to every post cell. */
export function allToAll(options: { self?: boolean } = {}): Pattern {
  return Object.freeze({ kind: "allToAll", self: options.self ?? true });
}

/** Cell i to cell i, of populations of equal size. */
export function oneToOne(): Pattern {
  return Object.freeze({ kind: "oneToOne" });
}

/** Each pair of cells with probability `p`, independently. Throws when p is no probability. */
export function pairwiseBernoulli(p: number, options: { self?: boolean } = {}): Pattern {
  if (!(p >= 0 && p <= 1))
    throw new ConfigError(`pairwiseBernoulli: a probability lies between 0 and 1, not ${p}`);
  return Object.freeze({ kind: "pairwiseBernoulli", p, self: options.self ?? true });
}

/** Every post cell receives from exactly `k` pre cells, drawn uniformly. Throws when k is no count. */
export function fixedIndegree(k: number, options: DegreeOptions = {}): Pattern {
  return Object.freeze({ kind: "fixedIndegree", ...degree("fixedIndegree", k, options) });
}

/** Every pre cell projects to exactly `k` post cells, drawn uniformly. Throws when k is no count. */
export function fixedOutdegree(k: number, options: DegreeOptions = {}): Pattern {
  return Object.freeze({ kind: "fixedOutdegree", ...degree("fixedOutdegree", k, options) });
}

function degree(pattern: string, k: number, { self = true, multapses = true }: DegreeOptions): Degree {
  if (!(Number.isInteger(k) && k >= 0)) throw new ConfigError(`${pattern}: a degree is a count, not ${k}`);
  return { k, self, multapses };
}

/**
 * The rows of a pattern between `preSize` and `postSize` cells.
 *
 * `own` tells which column is row 0's own cell, so that `self: false` leaves out the pairs (i, own + i): 0 for
 * a population onto itself, a - b from slice(a, …) onto slice(b, …) of one population, false for two
 * populations. Cost O(synapses + cells). Throws `ConfigError` when the pattern does not fit the sizes.
 */
export function connect(
  pattern: Pattern,
  preSize: number,
  postSize: number,
  key: Key,
  own: number | false = 0,
): Rows {
  switch (pattern.kind) {
    case "allToAll":
      return complete(preSize, postSize, pattern.self ? false : own);
    case "oneToOne":
      return diagonal(preSize, postSize);
    case "pairwiseBernoulli":
      return bernoulli(pattern.p, preSize, postSize, new Draws(key), pattern.self ? false : own);
    case "fixedOutdegree":
      return outdegree(pattern, preSize, postSize, new Draws(key), own);
    case "fixedIndegree": {
      // the rows of the transposed matrix, where `own` changes its sign
      const columns = outdegree(pattern, postSize, preSize, new Draws(key), own === false ? false : -own);
      return transposed(columns.targets, pattern.k, preSize, postSize);
    }
    case "pairs":
      return explicit(pattern, preSize, postSize);
  }
}

/** Uniform doubles in (0, 1) of one row after the other: draw n of row r is half n mod 2 of block (r, n / 2, 0, 0). */
class Draws {
  readonly #key: Key;
  readonly #block = new Uint32Array(4);
  #row = 0;
  #drawn = 0;

  constructor(key: Key) {
    this.#key = key;
  }

  /** From now on the draws of `row`, from its first. */
  begin(row: number): void {
    this.#row = row;
    this.#drawn = 0;
  }

  next(): number {
    const half = this.#drawn & 1;
    const block = this.#block;
    if (half === 0) philox(this.#row, this.#drawn >>> 1, 0, 0, this.#key[0], this.#key[1], block);
    this.#drawn++;
    return (block[2 * half] * 2 ** 21 + (block[2 * half + 1] >>> 11) + 0.5) * 2 ** -53;
  }
}

/** The column that row `row` leaves out, or `none`, past every column. */
function holeOf(row: number, own: number | false, columns: number): number {
  const hole = own === false ? columns : row + own;
  return hole >= 0 ? hole : columns;
}

function complete(preSize: number, postSize: number, own: number | false): Rows {
  const rows = new Uint32Array(preSize + 1);
  for (let i = 0; i < preSize; i++)
    rows[i + 1] = room(rows[i] + postSize - (holeOf(i, own, postSize) < postSize ? 1 : 0));
  const targets = new Uint32Array(rows[preSize]);
  for (let i = 0, k = 0; i < preSize; i++) {
    const hole = holeOf(i, own, postSize);
    for (let j = 0; j < postSize; j++) if (j !== hole) targets[k++] = j;
  }
  return { rows, targets, dense: targets.length === preSize * postSize };
}

function diagonal(preSize: number, postSize: number): Rows {
  if (preSize !== postSize)
    throw new ConfigError(`oneToOne: ${preSize} pre and ${postSize} post cells; the sizes must be equal`);
  return {
    rows: Uint32Array.from({ length: preSize + 1 }, (_, i) => i),
    targets: Uint32Array.from({ length: preSize }, (_, i) => i),
    dense: preSize === 1,
  };
}

/** The gaps between the successes of a Bernoulli process are geometric: one draw a synapse, none a pair. */
function bernoulli(p: number, preSize: number, postSize: number, draws: Draws, own: number | false): Rows {
  if (p === 1) return complete(preSize, postSize, own);
  const rows = new Uint32Array(preSize + 1);
  const expected = preSize * postSize * p;
  let targets = new Uint32Array(room(Math.ceil(expected + 6 * Math.sqrt(expected) + 16)));
  let count = 0;
  const perGap = p === 0 ? 0 : 1 / Math.log1p(-p); // log(u) perGap is exponential; its floor is the geometric gap
  for (let i = 0; i < preSize && p > 0; i++) {
    const hole = holeOf(i, own, postSize);
    const slots = hole < postSize ? postSize - 1 : postSize; // slot j is column j, or j + 1 from the hole on
    draws.begin(i);
    for (let j = Math.floor(Math.log(draws.next()) * perGap); j < slots; ) {
      if (count === targets.length) targets = resized(targets, room(Math.ceil(1.1 * count) + 64));
      targets[count++] = j < hole ? j : j + 1;
      j += 1 + Math.floor(Math.log(draws.next()) * perGap);
    }
    rows[i + 1] = count;
  }
  return { rows, targets: resized(targets, count), dense: count === preSize * postSize };
}

function outdegree(
  { kind, k, self, multapses }: Degree & { kind: string },
  preSize: number,
  postSize: number,
  draws: Draws,
  own: number | false,
): Rows {
  const targets = new Uint32Array(room(preSize * k));
  const drawnBy = new Uint32Array(multapses ? 0 : postSize); // the last row that drew a slot, plus 1
  for (let i = 0; i < preSize; i++) {
    const hole = holeOf(i, self ? false : own, postSize);
    const slots = hole < postSize ? postSize - 1 : postSize;
    if (k > 0 && (slots === 0 || (!multapses && k > slots))) throw tooMany(kind, k, slots, i, self);
    draws.begin(i);
    const row = targets.subarray(i * k, (i + 1) * k);
    const draw = () => Math.min(slots - 1, Math.floor(draws.next() * slots)); // a draw rounds to 1 once in 2^53
    if (multapses) for (let n = 0; n < k; n++) row[n] = draw();
    else distinct(row, slots, draw, drawnBy, i + 1);
    for (let n = 0; n < k; n++) if (row[n] >= hole) row[n]++;
    row.sort();
  }
  const rows = Uint32Array.from({ length: preSize + 1 }, (_, i) => i * k);
  return { rows, targets, dense: !multapses && k === postSize };
}

/** Fills `row` with a uniform subset of the slots: draws until new, of the smaller of subset and complement. */
function distinct(
  row: Uint32Array,
  slots: number,
  draw: () => number,
  drawnBy: Uint32Array,
  mark: number,
): void {
  const leave = row.length > slots / 2;
  const wanted = leave ? slots - row.length : row.length;
  for (let n = 0; n < wanted; ) {
    const slot = draw();
    if (drawnBy[slot] === mark) continue;
    drawnBy[slot] = mark;
    if (!leave) row[n] = slot;
    n++;
  }
  if (leave) for (let slot = 0, n = 0; slot < slots; slot++) if (drawnBy[slot] !== mark) row[n++] = slot;
}

function tooMany(pattern: string, k: number, slots: number, i: number, self: boolean): ConfigError {
  const [from, to] = pattern === "fixedIndegree" ? ["post", "pre"] : ["pre", "post"];
  const others = self ? `${to} cells` : `${to} cells besides itself`;
  const remedy = slots > 0 ? "; multapses: true allows it" : "";
  return new ConfigError(
    `${pattern}: ${from} cell ${i} cannot be connected ${k} times to ${slots} ${others}${remedy}`,
  );
}

/** The rows of `preSize` cells, from the `k` sources of each of `postSize` columns; counting sort. */
function transposed(sources: Uint32Array, k: number, preSize: number, postSize: number): Rows {
  const rows = countsToRows(sources, preSize);
  const next = rows.slice();
  const targets = new Uint32Array(sources.length);
  for (let j = 0, s = 0; j < postSize; j++) for (let n = 0; n < k; n++) targets[next[sources[s++]]++] = j;
  let dense = sources.length === preSize * postSize;
  for (let j = 0, s = 0; dense && j < postSize; j++)
    for (let i = 0; dense && i < k; i++) dense = sources[s++] === i;
  return { rows, targets, dense };
}

/** Sorts pairs by post, then by pre: both counting sorts, stable. */
function explicit({ pre, post }: Pairs, preSize: number, postSize: number): Rows {
  for (let k = 0; k < pre.length; k++)
    if (pre[k] >= preSize || post[k] >= postSize)
      throw new ConfigError(
        `pairs: pair ${k} (${pre[k]}, ${post[k]}) lies outside ${preSize} pre and ${postSize} post cells`,
      );
  const nextPost = countsToRows(post, postSize);
  const byPost = new Uint32Array(pre.length); // pairs by post
  for (let k = 0; k < pre.length; k++) byPost[nextPost[post[k]]++] = k;
  const rows = countsToRows(pre, preSize);
  const next = rows.slice();
  const order = new Uint32Array(pre.length);
  const targets = new Uint32Array(pre.length);
  for (const k of byPost) {
    const synapse = next[pre[k]]++;
    order[synapse] = k;
    targets[synapse] = post[k];
  }
  const full = rows.every((start, i) => start === i * postSize);
  return { rows, targets, order, dense: full && targets.every((j, k) => j === k % postSize) };
}

/** Where each cell's row begins when `cells` names the cell of every synapse: [size + 1]. */
function countsToRows(cells: Uint32Array, size: number): Uint32Array {
  const rows = new Uint32Array(size + 1);
  for (let k = 0; k < cells.length; k++) rows[cells[k] + 1]++;
  for (let i = 0; i < size; i++) rows[i + 1] += rows[i];
  return rows;
}

/** `count`, if synapses can be numbered so far. */
function room(count: number): number {
  if (count > 0xffffffff)
    throw new ConfigError(`a projection holds at most 4294967295 synapses, not ${count}`);
  return count;
}
