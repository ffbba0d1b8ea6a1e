/** Convolutions whose channels see only those of their own group: one convolution for each group, side by side. */
import { ConfigError } from "../math/errors.ts";
import type { Kernels } from "../tensor/kernels.ts";
import { featuresOf, type Shape, type Table, takeTable } from "../tensor/table.ts";
import type { Layer } from "./layers.ts";
import type { Memory, Parameter, Pass } from "./parameter.ts";
import type { Site, Stage } from "./stage.ts";
import { checkWindow, convolutionStage } from "./weighted.ts";

/** A group, with its channels of all tables. */
interface Group {
  readonly stage: Stage;
  readonly x: Table;
  readonly dy: Table;
}

export class GroupedStage implements Stage {
  readonly outputs: Shape;
  readonly parameters: readonly Parameter[];
  readonly memories: readonly Memory[];
  readonly #kernels: Kernels;
  readonly #groups: readonly Group[];
  readonly #y: Table;
  readonly #dx: Table | undefined;

  /** Throws `ConfigError` for channels and outputs that groups do not share evenly. */
  constructor(site: Site, layer: Extract<Layer, { kind: "conv2d" }>) {
    const { inputs, examples, kernels, path, seed } = site;
    const { heap } = kernels;
    const { groups = 1, outputs } = layer;
    checkWindow(layer, inputs);
    const [height, width, channels] = inputs;
    if (!(Number.isInteger(groups) && groups >= 1 && channels % groups === 0 && outputs % groups === 0))
      throw new ConfigError(
        `${groups} groups do not share ${channels} channels and ${outputs} outputs evenly`,
      );
    const shape = [height, width, channels / groups];
    this.#kernels = kernels;
    this.#groups = Array.from({ length: groups }, (_, k) => {
      const own = { ...site, inputs: shape, path: `${path}.group${k}`, seed: `${seed}/group${k}` };
      const stage = convolutionStage({ ...layer, groups: 1, outputs: outputs / groups }, own);
      return {
        stage,
        x: takeTable(heap, shape, examples),
        dy: takeTable(heap, stage.outputs, examples),
      };
    });
    const stages = this.#groups.map(({ stage }) => stage);
    this.outputs = [...stages[0].outputs.slice(0, 2), outputs];
    this.parameters = stages.flatMap(({ parameters }) => parameters);
    this.memories = stages.flatMap(({ memories }) => memories ?? []);
    this.#y = takeTable(heap, this.outputs, examples);
    this.#dx = site.needsBackward ? takeTable(heap, inputs, examples) : undefined;
  }

  /** Copies the features of group k of a table into a table of their own, or from there. */
  #exchange(whole: Table, part: Table, k: number, count: number, kind: "cut" | "join"): void {
    const features = featuresOf(part.shape);
    const inWhole = [whole.at + 4 * k * features, 4 * whole.width] as const;
    const inPart = [part.at, 4 * part.width] as const;
    const [from, to] = kind === "cut" ? [inWhole, inPart] : [inPart, inWhole];
    this.#kernels.copyStrided(count * part.positions, features, ...from, ...to);
  }

  forward(x: Table, pass: Pass): Table {
    for (const [k, group] of this.#groups.entries()) {
      this.#exchange(x, group.x, k, pass.count, "cut");
      this.#exchange(this.#y, group.stage.forward(group.x, pass), k, pass.count, "join");
    }
    return this.#y;
  }

  backward(dy: Table, pass: Pass, wanted: boolean): Table {
    for (const [k, group] of this.#groups.entries()) {
      this.#exchange(dy, group.dy, k, pass.count, "cut");
      const part = group.stage.backward(group.dy, pass, wanted);
      if (wanted && this.#dx) this.#exchange(this.#dx, part, k, pass.count, "join");
    }
    return wanted && this.#dx ? this.#dx : dy;
  }
}
