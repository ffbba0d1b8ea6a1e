/**
 * Toom and Cook's matrices for filters of 3 taps, and the code that multiplies vectors by them.
 *
 * Polynomials are multiplied at points: m outputs of 3 taps take m + 2 products, one at each of m + 1 points and one at infinity. Turned
 * round, y = At [ (G w) . (Bt d) ] filters m + 2 inputs d by 3 taps w (Winograd 1980, Arithmetic Complexity of Computations; Lavin & Gray
 * 2016, arXiv:1509.09308, section 4).
 */
import {
  br_if,
  type Code,
  FunctionBuilder,
  f32,
  f32x4,
  get,
  i32,
  iff,
  loop,
  set,
  tee,
  v128,
} from "../wasm/assembler.ts";
import { locals } from "./loops.ts";

/** Taps along a side. */
export const tapCount = 3;

/** Numbers from one place of the transformed tiles to the next: not a power of two, which would put all on the same lines of a cache. */
export const placeNumbers = 16384 + 16;
export const pitch = 4 * placeNumbers;

export type Matrix = readonly (readonly number[])[];
export const transposed = (a: Matrix): Matrix => a[0].map((_, j) => a.map((row) => row[j]));

/** A, B and G: [place][output], [place][input] and [place][tap], in the order of Bt d, A dY and G w. */
interface Matrices {
  readonly inputs: Matrix;
  readonly outputs: Matrix;
  readonly taps: Matrix;
}

/** Those of filters of so many taps, of these points and infinity. */
export function matricesOf(points: readonly number[], taps: number): Matrices {
  const m = points.length + 2 - taps;
  /** Coefficients of the product of (x - p), lowest first. */
  const polynomial = (roots: readonly number[]): number[] => {
    let sum = [1];
    for (const p of roots) sum = [0, ...sum].map((c, k) => c - p * (sum[k] ?? 0));
    return sum;
  };
  const powers = (p: number, count: number) => Array.from({ length: count }, (_, k) => p ** k);
  const others = points.map((p) => points.filter((q) => q !== p));
  const scales = points.map((p, k) => others[k].reduce((product, q) => product * (p - q), 1));
  return {
    inputs: tidy([...others.map((roots) => [...polynomial(roots), 0]), polynomial(points)]),
    outputs: tidy([...points.map((p) => powers(p, m)), unit(m, m - 1)]),
    taps: [...points.map((p, k) => powers(p, taps).map((power) => power / scales[k])), unit(taps, taps - 1)],
  };
}

/** A row that is 1 at `at`. */
const unit = (count: number, at: number): number[] =>
  Array.from({ length: count }, (_, k) => (k === at ? 1 : 0));

/** Numbers as kernels hold them, and rounding of powers of roots undone: 2.0000000000000004 is 2. */
const tidy = (matrix: Matrix): Matrix =>
  matrix.map((row) =>
    row.map((x) => {
      const near = Math.round(4 * x) / 4;
      return Math.abs(x - near) < 1e-12 ? near : Math.fround(x);
    }),
  );

/** Places of tiles of one side, and how far it is from tile to tile. */
export interface Side {
  readonly matrix: Matrix; // [place][pixel]
  readonly step: number;
}

/** Filters of three taps along a side of a tile. */
export interface Filter {
  readonly stride: number;
  /** Outputs of a tile. */
  readonly outputs: number;
  readonly places: number;
  readonly taps: Matrix;
  /** From inputs to outputs, and from derivatives by outputs to those by inputs, with the taps the other way round. */
  readonly forward: { readonly from: Side; readonly to: Side };
  readonly back: { readonly from: Side; readonly to: Side };
}

/** Of stride 1. */
function filterBy(points: readonly number[]): Filter {
  const { inputs, outputs, taps } = matricesOf(points, tapCount);
  const step = outputs[0].length;
  const way = { from: { matrix: inputs, step }, to: { matrix: outputs, step } };
  return { stride: 1, outputs: step, places: inputs.length, taps, forward: way, back: way };
}

/**
 * Of stride 2: outer taps see every second input, by minimal filtering with two taps, and the middle tap those between, one product for
 * each output. Backwards the outer taps make every second derivative, the middle tap those between.
 */
function halvingBy(points: readonly number[]): Filter {
  const even = matricesOf(points, 2);
  const m = even.outputs[0].length;
  const odd = Array.from({ length: m }, (_, k) => k);
  /** Numbers of a row at every second place. */
  const apart = (row: readonly number[], count: number) =>
    Array.from({ length: count }, (_, k) => (k % 2 === 0 ? row[k / 2] : 0));
  return {
    stride: 2,
    outputs: m,
    places: even.inputs.length + m,
    taps: [...even.taps.map(([first, last]) => [first, 0, last]), ...odd.map(() => [0, 1, 0])],
    forward: {
      from: {
        matrix: [
          ...even.inputs.map((row) => apart(row, 2 * m + 1)),
          ...odd.map((k) => unit(2 * m + 1, 2 * k + 1)),
        ],
        step: 2 * m,
      },
      to: { matrix: [...even.outputs, ...odd.map((k) => unit(m, k))], step: m },
    },
    back: {
      from: { matrix: [...even.inputs, ...odd.map((k) => unit(m + 1, k + 1))], step: m },
      to: {
        matrix: [...even.outputs.map((row) => apart(row, 2 * m)), ...odd.map((k) => unit(2 * m, 2 * k + 1))],
        step: 2 * m,
      },
    },
  };
}

/**
 * The filters that there are: of tiles of 4 and 5 outputs of stride 1, and of 5 outputs of stride 2. The points with roots had the smallest
 * rounding errors of those tried, half of those of 0, 1, -1, 2, -2.
 */
const roots = [0, Math.SQRT2, -Math.SQRT2, Math.SQRT1_2, -Math.SQRT1_2];
export const filters = {
  Four: filterBy(roots),
  Five: filterBy([0, 1, -1, 2, -2, 0.5]),
  Halving: halvingBy(roots),
} as const satisfies Readonly<Record<string, Filter>>;
export type Kind = keyof typeof filters;
export const kinds: readonly Kind[] = ["Four", "Five", "Halving"];

/** Terms of a sum: of value `of`. */
type Terms = readonly { readonly factor: number; readonly of: number }[];

const termsOf = (row: readonly number[], keep: (column: number) => boolean): Terms =>
  row.flatMap((factor, of) => (factor !== 0 && keep(of) ? [{ factor, of }] : []));

/** Rows (or columns) that come from points p and -p: equal but for signs of odd powers. */
function couples(rows: Matrix): readonly (readonly [number, number])[] {
  const found: [number, number][] = [];
  const taken = new Set<number>();
  rows.forEach((a, p) => {
    const q = rows.findIndex(
      (b, k) =>
        k > p &&
        !taken.has(k) &&
        !taken.has(p) &&
        a.every((x, j) => Math.abs(x) === Math.abs(b[j])) &&
        a.some((x, j) => x !== 0 && x === -b[j]) &&
        a.some((x, j) => x !== 0 && x === b[j]),
    );
    if (q < 0) return;
    taken.add(p).add(q);
    found.push([p, q]);
  });
  return found;
}

/** Code of y = M x on vectors: `values` hold x; what points p and -p have in common is added once. */
class Transform {
  readonly #fn: FunctionBuilder;
  readonly #constants = new Map<number, number>();

  constructor(fn: FunctionBuilder) {
    this.#fn = fn;
  }

  /** Sets constants; to be run first. */
  get prologue(): Code {
    return [...this.#constants].map(([value, local]) => set(local, f32x4.splat(f32.const(value))));
  }

  #constant(value: number): Code {
    let local = this.#constants.get(value);
    if (local === undefined) {
      local = this.#fn.local("v128");
      this.#constants.set(value, local);
    }
    return get(local);
  }

  /** The sum of terms, those of equal size together. */
  sum(terms: Terms, value: (of: number) => Code): Code {
    if (terms.length === 0) return v128.const(0, 0, 0, 0);
    const bySize = new Map<number, Terms>();
    // a positive term first, plain ones before those with a factor
    const order = [...terms].sort(
      (a, b) =>
        Number(b.factor > 0) - Number(a.factor > 0) ||
        Number(Math.abs(a.factor) !== 1) - Number(Math.abs(b.factor) !== 1),
    );
    for (const term of order) {
      const size = Math.abs(term.factor);
      bySize.set(size, [...(bySize.get(size) ?? []), term]);
    }
    let total: Code | undefined;
    for (const [size, group] of bySize) {
      const sign = Math.sign(group[0].factor);
      let part: Code | undefined;
      for (const { factor, of } of group)
        part =
          part === undefined
            ? value(of)
            : factor * sign > 0
              ? f32x4.add(part, value(of))
              : f32x4.sub(part, value(of));
      const scaled = size === 1 ? (part as Code) : f32x4.mul(part as Code, this.#constant(size));
      if (total === undefined) total = sign > 0 ? scaled : f32x4.neg(scaled);
      else total = sign > 0 ? f32x4.add(total, scaled) : f32x4.sub(total, scaled);
    }
    return total as Code;
  }

  /** Rows of M are points. */
  byRows(matrix: Matrix, values: readonly number[], store: (row: number, value: Code) => Code): Code {
    const pairs = couples(matrix);
    const paired = new Set(pairs.flat());
    const of = (k: number) => get(values[k]);
    const [even, odd] = [this.#fn.local("v128"), this.#fn.local("v128")];
    return [
      matrix.map((row, r) =>
        paired.has(r)
          ? []
          : store(
              r,
              this.sum(
                termsOf(row, () => true),
                of,
              ),
            ),
      ),
      pairs.map(([p, q]) => [
        set(
          even,
          this.sum(
            termsOf(matrix[p], (j) => matrix[p][j] === matrix[q][j]),
            of,
          ),
        ),
        set(
          odd,
          this.sum(
            termsOf(matrix[p], (j) => matrix[p][j] !== matrix[q][j]),
            of,
          ),
        ),
        store(p, f32x4.add(get(even), get(odd))),
        store(q, f32x4.sub(get(even), get(odd))),
      ]),
    ];
  }

  /** Columns of M are points. */
  byColumns(matrix: Matrix, values: readonly number[], store: (row: number, value: Code) => Code): Code {
    const pairs = couples(transposed(matrix));
    const scratch = this.#fn.local("v128");
    // values of a couple become their sum and their difference
    const isSecond = new Set(pairs.map(([, q]) => q));
    const isFirst = new Map(pairs);
    const terms = (row: readonly number[]): Terms =>
      row.flatMap((factor, of) => {
        if (factor === 0 || isSecond.has(of)) return [];
        const q = isFirst.get(of);
        return [{ factor, of: q !== undefined && row[q] !== factor ? q : of }];
      });
    return [
      pairs.map(([p, q]) => [
        set(scratch, get(values[q])),
        set(values[q], f32x4.sub(get(values[p]), get(scratch))),
        set(values[p], f32x4.add(get(values[p]), get(scratch))),
      ]),
      matrix.map((row, r) =>
        store(
          r,
          this.sum(terms(row), (of) => get(values[of])),
        ),
      ),
    ];
  }
}

const plus = (a: Code, b: Code): Code => i32.add(a, b);

/** As many rounds as `count` says, at least one. */
const rounds = (count: number, ...body: Code[]): Code =>
  loop(body, br_if(0, tee(count, i32.sub(get(count), i32.const(1)))));

/**
 * A transform along lines. `in`: (columns, vectors, at, stride, line…) reads lines of the image, given one by one, and leaves places in
 * lines of the room, [vector][column] with so many bytes from vector to vector; `add` and `store` the other way, to lines that are
 * added to or written.
 */
export function down(matrix: Matrix, direction: "in" | "add" | "store"): FunctionBuilder {
  const lines = (direction === "in" ? matrix[0] : matrix).map((_, k) => `line${k}`);
  const names = ["columns", "vectors", "at", "stride", ...lines];
  const fn = new FunctionBuilder({ parameters: names.map(() => "i32" as const) });
  const v = locals(fn, names, { left: "i32", done: "i32", place: "i32" });
  const values = matrix[0].map(() => fn.local("v128"));
  const transform = new Transform(fn);
  const pixel = (k: number) => plus(get(v[`line${k}`]), get(v.done));
  const body =
    direction === "in"
      ? [
          values.map((value, k) => set(value, v128.load(pixel(k), 0))),
          transform.byRows(matrix, values, (r, value) => v128.store(get(v.place), r * pitch, value)),
        ]
      : [
          values.map((value, k) => set(value, v128.load(get(v.place), k * pitch))),
          transform.byColumns(matrix, values, (r, value) =>
            v128.store(pixel(r), 0, direction === "add" ? f32x4.add(v128.load(pixel(r), 0), value) : value),
          ),
        ];
  fn.body = iff(get(v.columns), [
    transform.prologue,
    rounds(
      v.columns,
      set(v.place, get(v.at)),
      set(v.left, get(v.vectors)),
      rounds(
        v.left,
        body,
        set(v.place, plus(get(v.place), get(v.stride))),
        set(v.done, plus(get(v.done), i32.const(16))),
      ),
      set(v.at, plus(get(v.at), i32.const(16))),
    ),
  ]);
  return fn;
}

/**
 * A transform across lines: (rows, tiles, vectors, at, stride, places). Of each row of places in lines of the room, as `down` has them,
 * and of each tile to (`in`) or from (`out`) `places`, [row][column][tile][vector]; tiles are so many columns apart.
 */
export function across(matrix: Matrix, tile: number, direction: "in" | "out"): FunctionBuilder {
  const names = ["rows", "tiles", "vectors", "at", "stride", "places"] as const;
  const fn = new FunctionBuilder({ parameters: names.map(() => "i32" as const) });
  const v = locals(fn, names, { tile: "i32", left: "i32", tileAt: "i32", column: "i32", place: "i32" });
  const placeCount = direction === "in" ? matrix.length : matrix[0].length;
  const values = matrix[0].map(() => fn.local("v128"));
  const transform = new Transform(fn);
  const body =
    direction === "in"
      ? [
          values.map((value, k) => set(value, v128.load(get(v.column), 16 * k))),
          transform.byRows(matrix, values, (r, value) => v128.store(get(v.place), r * pitch, value)),
        ]
      : [
          values.map((value, k) => set(value, v128.load(get(v.place), k * pitch))),
          transform.byColumns(matrix, values, (r, value) => v128.store(get(v.column), 16 * r, value)),
        ];
  fn.body = [
    transform.prologue,
    rounds(
      v.rows,
      set(v.tileAt, get(v.at)),
      set(v.place, get(v.places)),
      set(v.tile, get(v.tiles)),
      rounds(
        v.tile,
        set(v.column, get(v.tileAt)),
        set(v.left, get(v.vectors)),
        rounds(
          v.left,
          body,
          set(v.column, plus(get(v.column), get(v.stride))),
          set(v.place, plus(get(v.place), i32.const(16))),
        ),
        set(v.tileAt, plus(get(v.tileAt), i32.const(16 * tile))),
      ),
      set(v.at, plus(get(v.at), i32.const(pitch))),
      set(v.places, plus(get(v.places), i32.const(placeCount * pitch))),
    ),
  ];
  return fn;
}
