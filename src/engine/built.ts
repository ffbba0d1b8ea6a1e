/**
 * What a network becomes: the module's bytes and where everything lies.
 */
import type { Expression } from "../language/expression.ts";
import type { Precision } from "../wasm/graph.ts";
import type { DeferredMemory } from "./deferred.ts";
import type { InitialValues } from "./initial.ts";
import type { Layout } from "./layout.ts";
import type { Population, Projection, Source } from "./network.ts";
import type { columns, Pathway } from "./pathway.ts";
import type { ElementMemory } from "./population.ts";
import type { PopulationProgram, ProjectionProgram } from "./program.ts";
import type { ProjectionMemory } from "./projection.ts";
import type { Ring } from "./schedule.ts";
import type { BuiltStorage } from "./storage.ts";

export interface BuildOptions {
  readonly dt: number; // s
  readonly seed: string | number;
  readonly precision: Precision;
  readonly threads: number; // at most; one where the network needs it
  readonly mainMayBlock: boolean;
}

export interface BuiltPopulation {
  readonly name: string;
  readonly part: Population | Source;
  readonly size: number;
  readonly program?: PopulationProgram;
  readonly memory?: ElementMemory;
  readonly ring: Ring;
  readonly bounds: readonly number[]; // first cell of each thread, and the end
  readonly boundsOffset: number;
  readonly initial?: InitialValues;
  /** Refractory time, s, where it differs between cells. */
  readonly refractory?: Expression;
}

export interface BuiltProjection {
  readonly name: string;
  readonly part: Projection;
  readonly program: ProjectionProgram;
  readonly memory: ProjectionMemory;
  readonly path: Omit<Pathway, "targets">;
  /** Synapse k of memory is synapse `order[k]` of the explicit pairs (absent: the same). */
  readonly order?: Uint32Array;
  readonly pre: BuiltPopulation;
  readonly post: BuiltPopulation;
  readonly frozenFlag: number;
  readonly initial: InitialValues;
  readonly storage?: BuiltStorage;
  /** Post events that wait, when they do. */
  readonly deferred?: DeferredMemory;
}

/** Who is connected to whom: as large as the synapses themselves, so it is let go once it is in memory. */
export interface Connections {
  readonly targets: Uint32Array; // as in Pathway
  readonly columns?: ReturnType<typeof columns>;
}

/** An exported function that fills one variable at the start: over elements [0, places), or over all rows or columns. */
export type Initialiser =
  | { readonly kind: "elements"; readonly exportName: string; readonly places: number }
  | {
      readonly kind: "synapses";
      readonly exportName: string;
      readonly cells: number; // of the side that the function walks
      readonly classes: number;
    };

export interface Built {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly layout: Layout;
  readonly threads: number;
  /** Why there are fewer threads than asked for. */
  readonly oneThreadBecause?: string;
  readonly slots: number;
  /** Ticks a call of the machine code runs at most: recorders are drained between calls. */
  readonly chunk: number;
  readonly populations: ReadonlyMap<string, BuiltPopulation>;
  readonly projections: ReadonlyMap<string, BuiltProjection>;
  /** By projection; `fillMemory` takes them out. */
  readonly connections: Map<string, Connections>;
  readonly initialisers: readonly Initialiser[];
  readonly precision: Precision;
  readonly dt: number;
}
