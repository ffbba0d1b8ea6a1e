/**
 * A network being built: checks that its parts fit, lays out and emits populations.
 *
 * The module and the layout grow part by part; wiring.ts adds projections, build.ts finishes.
 */
import type { Expression } from "../language/expression.ts";
import { checkConnection } from "../language/model.ts";
import { ConfigError } from "../math/errors.ts";
import { randomKey } from "../math/random.ts";
import { ModuleBuilder } from "../wasm/assembler.ts";
import { realBytes } from "../wasm/emit.ts";
import type { BuildOptions, BuiltPopulation, Connections, Initialiser } from "./built.ts";
import { calledFunctions } from "./called.ts";
import { initialValues } from "./initial.ts";
import { Layout, offsets, padded, padding } from "./layout.ts";
import { checkCells, checkRates, checkSynapses } from "./limits.ts";
import {
  type Cells,
  type Network,
  type Population,
  type Projection,
  parentOf,
  type Source,
} from "./network.ts";
import { type ElementMemory, type EmitContext, emitReset, emitUpdate } from "./population.ts";
import { type ProjectionProgram, populationProgram, projectionProgram } from "./program.ts";
import type { EventPlans, Ring, ScheduledPopulation, ScheduledTrace } from "./schedule.ts";
import { needsOneThread, touchedVariables } from "./sharing.ts";

const largest = (bounds: readonly number[]): number =>
  Math.max(...bounds.slice(1).map((b, k) => b - bounds[k]));

/** One build: the module and the layout grow part by part. */
export class Builder {
  readonly options: BuildOptions;
  readonly network: Network;
  readonly layout = new Layout();
  readonly module = new ModuleBuilder();
  readonly projectionParts: [string, Projection][];
  readonly programs: ReadonlyMap<string, ProjectionProgram>;
  readonly populations = new Map<string, BuiltPopulation>();
  readonly connections = new Map<string, Connections>();
  readonly initialisers: Initialiser[] = [];
  readonly scheduled: ScheduledPopulation[] = [];
  readonly traces: ScheduledTrace[] = [];
  readonly events: EventPlans = { pre: [], post: [], clocks: [] };
  readonly oneThreadBecause: string | undefined;
  readonly threads: number;
  readonly bytes: number; // of a real
  readonly #nameOf = new Map<object, string>();
  readonly #called = calledFunctions(this.module);

  constructor(network: Network, options: BuildOptions) {
    const { dt } = options;
    if (!(dt > 0 && Number.isFinite(dt))) throw new ConfigError(`dt must be a positive time, not ${dt} s`);
    this.options = options;
    this.network = network;
    this.bytes = realBytes(options.precision);
    for (const [name, part] of Object.entries(network)) {
      const twin = this.#nameOf.get(part);
      if (twin !== undefined) throw new ConfigError(`${name} and ${twin} are the same part of the network`);
      this.#nameOf.set(part, name);
    }
    this.projectionParts = Object.entries(network).filter(
      (entry): entry is [string, Projection] => entry[1].kind === "projection",
    );
    for (const [name, part] of Object.entries(network))
      if (part.kind === "population") {
        checkCells(part.model.checked);
        checkRates(name, part, dt);
      }
    const modelOf = (cells: Cells, user: string) => {
      this.nameOfCells(cells, user);
      const { parent } = parentOf(cells);
      return parent.kind === "population" ? parent.model.checked : undefined;
    };
    const programs = new Map<string, ProjectionProgram>();
    for (const [name, part] of this.projectionParts) {
      for (const [event, from] of Object.entries(part.events))
        if (from.kind !== "clock") modelOf(from, `the event "${event}" of ${name}`);
      const cells = { pre: modelOf(part.pre, name), post: modelOf(part.post, name) };
      checkConnection(part.model.checked, cells.pre, cells.post);
      const program = projectionProgram(part, dt);
      checkSynapses(name, program, cells);
      programs.set(name, program);
    }
    this.programs = programs;
    this.oneThreadBecause = needsOneThread(this.projectionParts, this.programs);
    this.threads = this.oneThreadBecause ? 1 : options.threads;
  }

  nameOfCells(cells: Cells, user: string): string {
    const { parent } = parentOf(cells);
    const name = this.#nameOf.get(parent);
    if (name === undefined)
      throw new ConfigError(
        `${user} uses a ${parent.kind === "source" ? "spike source" : "population"} of ${parent.size} cells that is not in the network; add it to the record`,
      );
    return name;
  }

  populationOf(cells: Cells, user: string): BuiltPopulation {
    return this.populations.get(this.nameOfCells(cells, user)) as BuiltPopulation;
  }

  context(...path: string[]): EmitContext {
    const { precision, dt, seed } = this.options;
    return {
      precision,
      dt,
      key: randomKey(seed, ...path),
      calls: this.#called,
    };
  }

  addPopulation(name: string, part: Population | Source, slots: number): void {
    const { layout, options, bytes, threads } = this;
    const places = padded(part.size);
    const bounds = Array.from({ length: threads + 1 }, (_, t) =>
      t === threads ? places : Math.floor(((places / 16) * t) / threads) * 16,
    );
    const common = {
      name,
      part,
      size: part.size,
      bounds,
      boundsOffset: layout.take(4 * (threads + 1), `${name} bookkeeping`),
    };
    if (part.kind === "source") {
      this.populations.set(name, { ...common, ring: this.#ring(name, [0, places], slots, 1) });
      return;
    }
    const program = populationProgram(part.model.checked, options.dt);
    const { refractory } = program;
    const ticks =
      refractory?.kind === "number" ? Math.floor(refractory.value / options.dt + 1e-3) : undefined;
    const perCell = ticks === undefined ? refractory : undefined;
    const label = `${name} variables`;
    const memory: ElementMemory = {
      size: part.size,
      variables: offsets(program.cells.variables, () => layout.take(places * bytes, label)),
      shared: offsets(program.shared, () => layout.take(padding * bytes, label)),
      until: refractory ? layout.take(places * 4, label) : undefined,
      refractoryTicks: perCell ? layout.take(places * 4, label) : undefined,
    };
    const element = { elements: program.cells, memory, context: this.context(name), shared: program.shared };
    const initial = initialValues(name, part.model, part.initial, { cell: part.size }, options.dt);
    for (const [variable, value] of initial.expressions)
      if (variable in memory.shared) this.#initialiseShared(element, variable, value);
      else
        this.addInitialiser(places, {
          ...element,
          elements: { ...program.cells, next: new Map([[variable, value]]) },
          refractory: false,
        });
    // what arrives in a tick must see the cells before their reset
    const touched = touchedVariables(part, this.projectionParts, this.programs);
    const late = program.reset.some(({ target, value }) => touched.all.has(target) || touched.readBy(value));
    const update = this.module.add(
      emitUpdate({
        ...element,
        threshold: program.threshold,
        tick: program.tick,
        refractory: refractory !== undefined,
        refractoryTicks: ticks,
        fusedReset: late ? [] : program.reset,
      }),
    );
    const ring = this.#ring(name, bounds, slots, Math.max(1, ticks ?? 1));
    this.scheduled.push({
      update,
      ring: program.threshold ? ring : undefined,
      bounds: common.boundsOffset,
      largestPartition: largest(bounds),
      reset:
        late && program.reset.length > 0
          ? this.module.add(emitReset({ ...element, reset: program.reset }))
          : undefined,
    });
    this.populations.set(name, { ...common, program, memory, ring, initial, refractory: perCell });
  }

  /** Rings long enough for `slots` ticks of cells that fire at most every `interval` ticks. */
  #ring(name: string, bounds: readonly number[], slots: number, interval: number): Ring {
    const lists = bounds.length - 1;
    const part = largest(bounds);
    const spikes = part * (Math.floor((slots - 1) / interval) + 1);
    const listBytes = 4 * (spikes + 2 * part);
    return {
      list: this.layout.take(listBytes * lists, `${name} spikes in flight`),
      listStride: listBytes,
      listBytes,
      start: this.layout.take(4 * slots * lists, `${name} bookkeeping`),
      count: this.layout.take(4 * slots * lists, `${name} bookkeeping`),
      tableStride: 4 * slots,
      writer: this.layout.take(64 * lists, `${name} bookkeeping`),
      threads: lists,
    };
  }

  /** A value for all: computed like that of a population of one cell. */
  #initialiseShared(
    element: Omit<Parameters<typeof emitUpdate>[0], "refractory">,
    variable: string,
    value: Expression,
  ): void {
    const { shared } = element.memory;
    this.addInitialiser(padding, {
      ...element,
      elements: {
        variables: [variable],
        booleans: new Set(),
        next: new Map([[variable, value]]),
        frozenWhileRefractory: new Set(),
      },
      memory: { size: 1, variables: shared, shared },
      refractory: false,
    });
  }

  addInitialiser(places: number, options: Parameters<typeof emitUpdate>[0]): void {
    const exportName = `initialise ${this.initialisers.length}`;
    this.module.add(emitUpdate(options, exportName));
    this.initialisers.push({ kind: "elements", exportName, places });
  }
}
