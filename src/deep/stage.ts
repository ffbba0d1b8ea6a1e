/**
 * Layers with their buffers: what they all have in common.
 *
 * `forward` leaves outputs in a table of its own, valid until the next `forward`. `backward` takes the loss's derivative
 * by the outputs, which it may overwrite, adds derivatives by parameters to their gradients, and gives that by the inputs
 * of the last `forward`. All tables are made once.
 */

import type { Kernels } from "../tensor/kernels.ts";
import { type Shape, type Table, tableNumbers, tableOver, takeTable } from "../tensor/table.ts";
import type { Layer } from "./layers.ts";
import type { Matrices } from "./matrix.ts";
import type { Memory, Parameter, Pass } from "./parameter.ts";

export interface Stage {
  readonly outputs: Shape;
  readonly parameters: readonly Parameter[];
  readonly memories?: readonly Memory[];
  /** Whether `backward` leaves what it is given as it was, and gives something else. */
  readonly keeps?: boolean;
  /** With a table beside, for stages that can do both in one pass, outputs are max(outputs + beside, 0). */
  forward(x: Table, pass: Pass, beside?: Table): Table;
  /** Without `wanted` nobody asks for the result. */
  backward(dy: Table, pass: Pass, wanted: boolean): Table;
  /** Forgets what batches of a purpose, or all, have left for the next one. */
  forget?(purpose?: Pass["purpose"]): void;
}

/** What a layer is built with. */
export interface Site {
  readonly kernels: Kernels;
  /** Of its inputs, for one example. */
  readonly inputs: Shape;
  /** Most examples in a batch. */
  readonly examples: number;
  /** Where it is in the network, such as "3" or "3.body.0"; of `seed` its own random numbers are drawn. */
  readonly path: string;
  readonly seed: string;
  /** Whether something learns before it, so that derivatives by its inputs are wanted. */
  readonly needsBackward: boolean;
  /** Makes the products with its weights. */
  readonly matrices: Matrices;
  /** Builds layers inside it. */
  readonly build: (layers: readonly Layer[], site: Site) => Stage;
}

/**
 * A table for derivatives by the inputs of a stage: the one of two in which those by its outputs do not lie. Stages of the same
 * nesting share the two, so that what one stage leaves is still in caches when the next one reads it; but for rows that are
 * filled up, whose filling stays 0.
 */
export function takeTurns({ kernels: { heap }, inputs, examples, path }: Site): (dy: Table) => Table {
  const own = takeTable(heap, inputs, 0);
  if (own.features !== own.width) {
    const table = takeTable(heap, inputs, examples);
    return () => table;
  }
  const nesting = path.replace(/\d+/g, "");
  const [first, second] = ["even", "odd"].map((turn) =>
    tableOver(heap.share(`derivatives ${nesting} ${turn}`, examples * tableNumbers(inputs)), inputs),
  );
  return (dy) => (dy.at === first.at ? second : first);
}
