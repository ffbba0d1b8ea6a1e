/** Layers of layers: in a row, beside a shortcut, side by side. */
import { ConfigError } from "../math/errors.ts";
import type { Kernels } from "./kernels.ts";
import type { Layer } from "./layers.ts";
import type { Memory, Parameter, Pass } from "./parameter.ts";
import type { Site, Stage } from "./stage.ts";
import { featuresOf, formatShape, type Shape, type Table, takeTable } from "./table.ts";

/** One stage after the other; none: what comes in goes out. */
export class RowOfStages implements Stage {
  readonly outputs: Shape;
  readonly parameters: readonly Parameter[];
  readonly memories: readonly Memory[];
  readonly stages: readonly Stage[];
  /** The first stage that learns; nothing before it needs derivatives. */
  readonly #first: number;
  #tables: Table[] = [];

  constructor(inputs: Shape, stages: readonly Stage[], needsBackward: boolean) {
    this.stages = stages;
    this.outputs = stages.length > 0 ? stages[stages.length - 1].outputs : inputs;
    this.parameters = stages.flatMap((stage) => stage.parameters);
    this.memories = stages.flatMap((stage) => stage.memories ?? []);
    const learner = stages.findIndex((stage) => stage.parameters.length > 0);
    this.#first = needsBackward ? -1 : learner < 0 ? stages.length : learner;
  }

  forward(x: Table, pass: Pass): Table {
    this.#tables = [x];
    return this.stages.reduce((table, stage) => {
      const y = stage.forward(table, pass);
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

const copy = ({ data }: Table, to: Table, rows: number): void => {
  to.data.set(data.subarray(0, rows * to.width));
};

/** body(x) + shortcut(x) (He et al. 2016, arXiv:1512.03385). */
export class ResidualStage implements Stage {
  readonly outputs: Shape;
  readonly parameters: readonly Parameter[];
  readonly memories: readonly Memory[];
  readonly #kernels: Kernels;
  readonly #body: Stage;
  readonly #shortcut: Stage;
  readonly #y: Table;
  readonly #dy: Table;
  readonly #dx: Table;

  constructor(site: Site, layer: Extract<Layer, { kind: "residual" }>) {
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
    this.#y = takeTable(heap, this.outputs, site.examples);
    this.#dy = takeTable(heap, this.outputs, site.examples);
    this.#dx = takeTable(heap, site.inputs, site.examples);
  }

  forward(x: Table, pass: Pass): Table {
    const a = this.#body.forward(x, pass);
    const b = this.#shortcut.forward(x, pass);
    this.#kernels.add(pass.count * a.positions * a.width, a.at, b.at, this.#y.at);
    return this.#y;
  }

  backward(dy: Table, pass: Pass, wanted: boolean): Table {
    copy(dy, this.#dy, pass.count * dy.positions); // either branch may overwrite what it is given
    const a = this.#body.backward(dy, pass, wanted);
    const b = this.#shortcut.backward(this.#dy, pass, wanted);
    if (!wanted) return dy;
    this.#kernels.add(pass.count * a.positions * a.width, a.at, b.at, this.#dx.at);
    return this.#dx;
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
