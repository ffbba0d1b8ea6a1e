/**
 * Attention: each time of a sequence takes a mean over all times, weighed by how its query fits their keys.
 *
 *     P = softmax(q k^T / sqrt(d)),  y = W_o (P v) + b_o,  head by head     (Vaswani et al. 2017, eq. 1)
 *
 * q, k, v and y are products with weights, which may sit on crossbars; those of q, k, P and v with each other are plain.
 */
import { ConfigError } from "../math/errors.ts";
import type { Block } from "../tensor/heap.ts";
import type { Kernels } from "../tensor/kernels.ts";
import { paddedColumns } from "../tensor/matvec.ts";
import { panelColumns, panelNumbers, takePlan } from "../tensor/product.ts";
import { Rows } from "../tensor/rows.ts";
import { clearFilling, formatShape, type Shape, type Table, takeTable } from "../tensor/table.ts";
import type { Layer } from "./layers.ts";
import type { MatrixUnit } from "./matrix.ts";
import type { Memory, Parameter, Pass } from "./parameter.ts";
import type { Site, Stage } from "./stage.ts";

const roles = ["query", "key", "value", "output"] as const;
type Role = (typeof roles)[number];

/** A product of two arrays of one head: C += A B, B packed first. */
interface HeadProduct {
  readonly plan: number;
  /** What `pack` is told between its matrix and its target: bytes from column to column and step to step, steps, columns. */
  readonly pack: readonly [number, number, number, number];
}

export class AttentionStage implements Stage {
  readonly outputs: Shape;
  readonly parameters: readonly Parameter[];
  readonly memories: readonly Memory[];
  readonly #kernels: Kernels;
  readonly #layer: Extract<Layer, { kind: "attention" }>;
  readonly #size: number; // features of a head
  readonly #units: Record<Role, MatrixUnit>;
  readonly #values: Record<Role, Table>; // query, key and value, and what the output is made of
  readonly #slopes: Record<Role, Table>; // derivatives by these
  readonly #shares: Table; // P, [example][head][time][time]
  readonly #shareSlopes: Table;
  readonly #rows: readonly [Block, Block]; // a number for each row of P
  readonly #panels: Block;
  readonly #products: Record<"compare" | "mix" | "mixBack", HeadProduct>;
  readonly #y: Table;
  readonly #parts: readonly [Table, Table] | undefined; // derivatives by x, and what is added to them
  #x: Table | undefined;

  /** Throws `ConfigError` for inputs that are no sequence, and heads that do not share the features evenly. */
  constructor(site: Site, layer: Extract<Layer, { kind: "attention" }>) {
    const { inputs, examples, kernels } = site;
    const { heap } = kernels;
    if (inputs.length !== 2)
      throw new ConfigError(`its inputs are sequences [time, features], not ${formatShape(inputs)}`);
    const [times, features] = inputs;
    const { heads } = layer;
    if (!(Number.isInteger(heads) && heads >= 1 && features % heads === 0))
      throw new ConfigError(`${features} features are not shared evenly by ${heads} heads`);
    this.#kernels = kernels;
    this.#layer = layer;
    this.#size = features / heads;
    this.outputs = inputs;
    const each = <T>(of: (role: Role) => T): Record<Role, T> => ({
      query: of("query"),
      key: of("key"),
      value: of("value"),
      output: of("output"),
    });
    this.#units = each((role) =>
      site.matrices({
        kernels,
        products: new Rows(kernels, inputs, features),
        table: inputs,
        outputs: features,
        bias: role !== "key", // it would add the same to all scores of a query
        path: `${site.path}.${role}`,
        seed: `${site.seed}/${role}`,
        examples,
      }),
    );
    this.parameters = roles.flatMap((role) => this.#units[role].parameters);
    this.memories = roles.flatMap((role) => this.#units[role].memories ?? []);
    const take = () => takeTable(heap, inputs, examples);
    this.#values = each(take);
    this.#slopes = each(take);
    this.#y = take();
    this.#parts = site.needsBackward ? [take(), take()] : undefined;
    this.#shares = takeTable(heap, [heads, times, times], examples);
    this.#shareSlopes = takeTable(heap, [heads, times, times], examples);
    const rows = examples * heads * times;
    this.#rows = [heap.take(rows), heap.take(rows)];
    const [d, wide, room] = [this.#size, paddedColumns(features), paddedColumns(times)];
    this.#panels = heap.take(Math.max(panelNumbers(d, room), panelNumbers(times, paddedColumns(d))));
    // columns of packed panels past their end are 0: what lies behind a head's features stays what it was
    const mix = (a: { readonly row: number; readonly step: number }): HeadProduct => ({
      plan: takePlan(heap, {
        m: times,
        n: paddedColumns(d),
        steps: times,
        a,
        b: { panel: panelColumns * times, step: panelColumns },
        c: { row: wide },
      }),
      pack: [4, 4 * wide, times, d],
    });
    this.#products = {
      compare: {
        plan: takePlan(heap, {
          m: times,
          n: room,
          steps: d,
          a: { row: wide, step: 1 },
          b: { panel: panelColumns * d, step: panelColumns },
          c: { row: room },
        }),
        pack: [4 * wide, 4, d, times],
      },
      mix: mix({ row: room, step: 1 }),
      mixBack: mix({ row: 1, step: room }),
    };
  }

  /**
   * For each head of each example c = a b^T ("compare": of rows of features), c = a b ("mix": of shares and rows of
   * features), or c = a^T b ("mixBack").
   */
  #multiply(kind: "compare" | "mix" | "mixBack", a: Table, b: Table, c: Table, count: number): void {
    const { plan, pack } = this.#products[kind];
    const kernels = this.#kernels;
    const panels = this.#panels.at;
    const pitch = 4 * panelColumns * pack[2];
    const { heads } = this.#layer;
    const place = (table: Table, example: number, head: number): number => {
      const perHead = table.shape.length === 3 ? table.shape[1] * table.width : this.#size;
      return table.at + 4 * (example * table.positions * table.width + head * perHead);
    };
    c.data.fill(0, 0, count * c.positions * c.width);
    for (let example = 0; example < count; example++)
      for (let head = 0; head < heads; head++) {
        kernels.pack(place(b, example, head), ...pack, panels, pitch);
        kernels.multiply(plan, place(a, example, head), panels, place(c, example, head), 1);
      }
  }

  forward(x: Table, pass: Pass): Table {
    const { count } = pass;
    const { query, key, value, output } = this.#values;
    const units = this.#units;
    const kernels = this.#kernels;
    const shares = this.#shares;
    const [most, sum] = this.#rows;
    this.#x = x;
    for (const role of roles) units[role].prepare(pass);
    units.query.forward(x, query, count);
    units.key.forward(x, key, count);
    units.value.forward(x, value, count);
    kernels.scale(count * query.positions * query.width, query.at, query.at, 1 / Math.sqrt(this.#size));
    this.#multiply("compare", query, key, shares, count);
    const { width, features } = shares;
    const rows = count * shares.positions;
    if (this.#layer.causal)
      for (let row = 0; row < rows; row++)
        shares.data.fill(
          Number.NEGATIVE_INFINITY,
          row * width + (row % features) + 1,
          row * width + features,
        );
    kernels.largestRows(rows, width, features, shares.at, most.at);
    kernels.exponentialRows(rows, width, shares.at, shares.at, most.at);
    kernels.sumRows(rows, width, features, shares.at, sum.at);
    for (let row = 0; row < rows; row++) sum.data[row] = 1 / sum.data[row];
    kernels.scaleRows(rows, width, shares.at, shares.at, sum.at);
    clearFilling(shares, rows);
    this.#multiply("mix", shares, value, output, count);
    units.output.forward(output, this.#y, count);
    return this.#y;
  }

  backward(dy: Table, { count }: Pass, wanted: boolean): Table {
    const x = this.#x as Table;
    const units = this.#units;
    const kernels = this.#kernels;
    const values = this.#values;
    const slopes = this.#slopes;
    const [shares, shareSlopes] = [this.#shares, this.#shareSlopes];
    const { width, features } = shares;
    const rows = count * shares.positions;
    const [sum] = this.#rows;
    units.output.gradient(values.output, dy, count);
    units.output.backward(values.output, dy, slopes.output, count);
    this.#multiply("mixBack", shares, slopes.output, slopes.value, count);
    this.#multiply("compare", slopes.output, values.value, shareSlopes, count);
    kernels.dotRows(rows, width, features, shareSlopes.at, shares.at, sum.at);
    kernels.softmaxBack(rows, width, shareSlopes.at, shares.at, shareSlopes.at, sum.at);
    this.#multiply("mix", shareSlopes, values.key, slopes.query, count);
    this.#multiply("mixBack", shareSlopes, values.query, slopes.key, count);
    const numbers = count * x.positions * x.width;
    const { query } = slopes;
    kernels.scale(numbers, query.at, query.at, 1 / Math.sqrt(this.#size));
    for (const role of ["query", "key", "value"] as const) units[role].gradient(x, slopes[role], count);
    if (!wanted || !this.#parts) return dy;
    const [dx, part] = this.#parts;
    units.query.backward(x, query, dx, count);
    for (const role of ["key", "value"] as const) {
      units[role].backward(x, slopes[role], part, count);
      kernels.add(numbers, dx.at, part.at, dx.at);
    }
    return dx;
  }
}
