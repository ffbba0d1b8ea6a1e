/** Layers of layers: in a row, beside a shortcut, side by side. */
import { ConfigError } from "../math/errors.ts";
import type { Kernels } from "../tensor/kernels.ts";
import { featuresOf, formatShape, type Shape, type Table, takeTable } from "../tensor/table.ts";
import type { Layer } from "./layers.ts";
import type { Memory, Parameter, Pass } from "./parameter.ts";
import { type Site, type Stage, takeTurns } from "./stage.ts";

/** One stage after the other; none: what comes in goes out. */
export class RowOfStages implements Stage {
  readonly outputs: Shape;
  readonly parameters: readonly Parameter[];
  readonly memories: readonly Memory[];
  readonly stages: readonly Stage[];
  readonly keeps: boolean;
  /** The first stage that learns; nothing before it needs derivatives. */
  readonly #first: number;
  #tables: Table[] = [];

  constructor(inputs: Shape, stages: readonly Stage[], needsBackward: boolean) {
    this.stages = stages;
    this.outputs = stages.length > 0 ? stages[stages.length - 1].outputs : inputs;
    this.parameters = stages.flatMap((stage) => stage.parameters);
    this.memories = stages.flatMap((stage) => stage.memories ?? []);
    this.keeps = stages.at(-1)?.keeps ?? false;
    const learner = stages.findIndex((stage) => stage.parameters.length > 0);
    this.#first = needsBackward ? -1 : learner < 0 ? stages.length : learner;
  }

  forward(x: Table, pass: Pass, beside?: Table): Table {
    this.#tables = [x];
    return this.stages.reduce((table, stage, k) => {
      const y = stage.forward(table, pass, k === this.stages.length - 1 ? beside : undefined);
      this.#tables.push(y);
      return y;
    }, x);
  }

  /** The first stage whose outputs in the last `forward` are not all finite; -1: its inputs; undefined: none. */
  firstFault(count: number): number | undefined {
    const isFaulty = ({ data, positions, width }: Table) =>
      data.subarray(0, count * positions * width).some((value) => !Number.isFinite(value));
    const place = this.#tables.findIndex(isFaulty);
    return place < 0 ? undefined : place - 1;
  }

  backward(dy: Table, pass: Pass, wanted: boolean): Table {
    let table = dy;
    const last = wanted ? 0 : Math.max(0, this.#first);
    for (let k = this.stages.length - 1; k >= last; k--)
      table = this.stages[k].backward(table, pass, wanted || k > last);
    return table;
  }

  forget(purpose?: Pass["purpose"]): void {
    for (const stage of this.stages) stage.forget?.(purpose);
  }
}

/** body(x) + shortcut(x) (He et al. 2016, arXiv:1512.03385), or what is above 0 of it. */
export class ResidualStage implements Stage {
  readonly outputs: Shape;
  readonly parameters: readonly Parameter[];
  readonly memories: readonly Memory[];
  readonly #kernels: Kernels;
  readonly #isRectified: boolean;
  readonly #body: Stage;
  readonly #shortcut: Stage;
  readonly #normed: boolean; // by the last stage of the body
  readonly #ownY: Table;
  readonly #dy: Table;
  readonly #dxBeside: (dy: Table) => Table;
  #y: Table;

  constructor(site: Site, layer: Extract<Layer, { kind: "residual" }>, isRectified = false) {
    const { heap } = site.kernels;
    const [body, shortcut] = (["body", "shortcut"] as const).map((part) =>
      site.build(layer[part], {
        ...site,
        path: `${site.path}.${part}`,
        seed: `${site.seed}/${part}`,
      }),
    );
    if (formatShape(body.outputs) !== formatShape(shortcut.outputs))
      throw new ConfigError(
        `its body makes ${formatShape(body.outputs)}, its shortcut ${formatShape(shortcut.outputs)}`,
      );
    this.#body = body;
    this.#shortcut = shortcut;
    this.outputs = body.outputs;
    this.parameters = [...body.parameters, ...shortcut.parameters];
    this.memories = [...(body.memories ?? []), ...(shortcut.memories ?? [])];
    this.#kernels = site.kernels;
    this.#isRectified = isRectified;
    this.#normed = isRectified && layer.body.at(-1)?.kind === "batchNorm";
    this.#ownY = takeTable(heap, this.outputs, this.#normed ? 0 : site.examples);
    this.#y = this.#ownY;
    this.#dy = takeTable(heap, this.outputs, body.keeps ? 0 : site.examples);
    this.#dxBeside = takeTurns(site);
  }

  forward(x: Table, pass: Pass): Table {
    const b = this.#shortcut.forward(x, pass);
    if (this.#normed) {
      this.#y = this.#body.forward(x, pass, b);
      return this.#y;
    }
    const a = this.#body.forward(x, pass);
    const { add, relu } = this.#kernels;
    const { at } = this.#y;
    const count = pass.count * a.positions * a.width;
    add(count, a.at, b.at, at);
    if (this.#isRectified) relu(count, at, at);
    return this.#y;
  }

  backward(dy: Table, pass: Pass, wanted: boolean): Table {
    const { add, reluBack } = this.#kernels;
    const count = pass.count * dy.positions * dy.width;
    if (this.#isRectified) reluBack(count, dy.at, this.#y.at, dy.at);
    let own = dy;
    if (!this.#body.keeps) {
      own = this.#dy; // either branch may overwrite what it is given
      own.data.set(dy.data.subarray(0, count));
    }
    const a = this.#body.backward(own, pass, wanted);
    const b = this.#shortcut.backward(dy, pass, wanted);
    if (!wanted) return dy;
    const dx = this.#dxBeside(dy);
    add(pass.count * a.positions * a.width, a.at, b.at, dx.at);
    return dx;
  }

  forget(purpose?: Pass["purpose"]): void {
    this.#body.forget?.(purpose);
    this.#shortcut.forget?.(purpose);
  }
}

/** Features of all branches side by side (Huang et al. 2017, arXiv:1608.06993). */
export class ConcatenationStage implements Stage {
  readonly outputs: Shape;
  readonly parameters: readonly Parameter[];
  readonly memories: readonly Memory[];
  readonly #branches: readonly Stage[];
  readonly #kernels: Kernels;
  readonly #y: Table;
  readonly #parts: readonly Table[];
  readonly #dx: Table;

  constructor(site: Site, layer: Extract<Layer, { kind: "concatenation" }>) {
    const { heap } = site.kernels;
    this.#branches = layer.branches.map((branch, k) =>
      site.build(branch, { ...site, path: `${site.path}.${k}`, seed: `${site.seed}/${k}` }),
    );
    const shapes = this.#branches.map(({ outputs }) => outputs);
    const places = (shape: Shape) => formatShape(shape.slice(0, -1));
    const odd = shapes.find((shape) => places(shape) !== places(shapes[0]));
    if (odd)
      throw new ConfigError(
        `its branches make ${formatShape(shapes[0])} and ${formatShape(odd)}: features alone may differ`,
      );
    this.outputs = [...shapes[0].slice(0, -1), shapes.reduce((sum, shape) => sum + featuresOf(shape), 0)];
    this.parameters = this.#branches.flatMap(({ parameters }) => parameters);
    this.memories = this.#branches.flatMap(({ memories }) => memories ?? []);
    this.#kernels = site.kernels;
    this.#y = takeTable(heap, this.outputs, site.examples);
    this.#parts = shapes.map((shape) => takeTable(heap, shape, site.examples));
    this.#dx = takeTable(heap, site.inputs, site.examples);
  }

  /** Copies features between the whole, from `start` on, and a part. */
  #exchange(part: Table, start: number, rows: number, kind: "join" | "cut", whole: Table): void {
    const { features } = part;
    for (let row = 0; row < rows; row++) {
      const at = row * whole.width + start;
      const own = row * part.width;
      if (kind === "join") whole.data.set(part.data.subarray(own, own + features), at);
      else part.data.set(whole.data.subarray(at, at + features), own);
    }
  }

  forward(x: Table, pass: Pass): Table {
    let start = 0;
    for (const branch of this.#branches) {
      const part = branch.forward(x, pass);
      this.#exchange(part, start, pass.count * part.positions, "join", this.#y);
      start += part.features;
    }
    return this.#y;
  }

  backward(dy: Table, pass: Pass, wanted: boolean): Table {
    const dx = this.#dx;
    const numbers = pass.count * dx.positions * dx.width;
    let start = 0;
    this.#branches.forEach((branch, k) => {
      const part = this.#parts[k];
      this.#exchange(part, start, pass.count * part.positions, "cut", dy);
      start += part.features;
      const own = branch.backward(part, pass, wanted);
      if (!wanted) return;
      if (k === 0) dx.data.set(own.data.subarray(0, numbers));
      else this.#kernels.add(numbers, dx.at, own.at, dx.at);
    });
    return wanted ? dx : dy;
  }

  forget(purpose?: Pass["purpose"]): void {
    for (const branch of this.#branches) branch.forget?.(purpose);
  }
}
