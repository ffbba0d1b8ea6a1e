/**
 * What a handler computes: its statements as one graph, parted into what belongs to the event's cell and what to each
 * of its synapses.
 *
 * Statements see the values that earlier ones of the handler left. Knows nothing of memory or loops.
 */
import { type Expression, name as nameNode, namesIn } from "../language/expression.ts";
import { ConfigError } from "../math/errors.ts";
import type { Graph, Node, Precision } from "../wasm/graph.ts";
import { Lowering } from "../wasm/lower.ts";
import { seedDeferred, seedTraces, synapseStatements } from "./deferred.ts";
import { sparseDraw } from "./draws.ts";
import type { Assignment, ProjectionProgram } from "./program.ts";

/** Seen from a presynaptic cell (or a clock) synapses are a row, from a postsynaptic cell a column. */
export type Side = "row" | "column";

/** The last value a handler gives to a variable. */
export interface Outcome {
  readonly target: Assignment;
  readonly node: Node;
}

export interface Handler {
  /** Once an event. */
  readonly cell: readonly Outcome[];
  /** Once a synapse. */
  readonly synapse: readonly Outcome[];
  /** Arguments of `normalize`: the input "norm k" is the norm of the k-th over the presynaptic cells. */
  readonly norms: readonly Expression[];
}

/**
 * Whether a statement belongs to the event's cell (once an event) or to each synapse. Variables of connected
 * populations, v_pre and v_post, are written once a synapse, whichever cell the event came from.
 */
function isCellLevel({ scope }: Assignment, side: Side): boolean {
  return scope === "shared" || scope === (side === "row" ? "pre" : "post");
}

/** Where a variable lives, as an input's name. */
export function inputName(name: string, program: ProjectionProgram): string {
  if (program.synapse.variables.includes(name)) return `synapse ${name}`;
  if (program.pre.variables.includes(name)) return `pre ${name}`;
  if (program.post.variables.includes(name)) return `post ${name}`;
  if (program.shared.includes(name)) return `shared ${name}`;
  if (name.endsWith("_pre")) return `source ${name.slice(0, -4)}`;
  if (name.endsWith("_post")) return `target ${name.slice(0, -5)}`;
  return name;
}

export interface HandlerContext {
  readonly program: ProjectionProgram;
  readonly precision: Precision;
  /** Names, such as v_post, that synapses cannot write while the cell is refractory. */
  readonly guarded: ReadonlySet<string>;
}

/**
 * Lowers the statements of an event into `graph`. `waiting`: what a row does about deferred post events: "apply" them to
 * every synapse before the statements, "only" apply them, "leave" them as they are where there can be none;
 * undefined where none are deferred.
 */
export function lowerHandler(
  graph: Graph,
  { program, guarded }: HandlerContext,
  statements: readonly Assignment[],
  side: Side,
  waiting?: "apply" | "only" | "leave",
): Handler {
  const current = new Map<string, Node>();
  const norms: Expression[] = [];
  const targets = new Map<string, Assignment>();
  const booleans = new Set([...program.synapse.booleans, ...program.pre.booleans, ...program.post.booleans]);
  // draws of a statement about the event's cell belong to that cell, other draws to the synapse
  const lowering = (
    values: ReadonlyMap<string, Node> = current,
    block: "cell" | "element" = "element",
  ): Lowering =>
    new Lowering(graph, {
      name: (name) => {
        const node = values.get(name) ?? graph.input(inputName(name, program));
        return booleans.has(name) ? graph.node("ne", [node, graph.constant(0)]) : node;
      },
      random: (draw, args) => sparseDraw(graph, draw, args, { block }),
      normalize: (argument) => {
        const assigned = [...namesIn(argument)].find((name) => targets.has(name));
        if (assigned !== undefined)
          throw new ConfigError(
            `${program.model.name}: normalize() uses ${assigned}, which the same handler has assigned before; put it first`,
          );
        let index = norms.indexOf(argument);
        if (index < 0) index = norms.push(argument) - 1;
        const value = lowering().lowerReal(argument);
        const norm = graph.input(`norm ${index}`);
        return graph.select(
          graph.node("gt", [norm, graph.constant(0)]),
          graph.div(value, norm),
          graph.constant(0),
        );
      },
    });
  if (waiting !== undefined && side === "row") {
    if (waiting !== "leave") {
      seedDeferred(graph, program, current, (value, values) => lowering(values).lowerReal(value));
      for (const assignment of synapseStatements(program)) targets.set(assignment.target, assignment);
    } else seedTraces(graph, program, current);
    // all traces of a row are kept as they were at its last event, whether this one assigns them or not
    if (waiting !== "only")
      for (const name of program.lazyTraces.keys())
        targets.set(name, { target: name, value: nameNode(name), scope: "pre" });
  }
  for (const assignment of statements) {
    const block = isCellLevel(assignment, side) ? "cell" : "element";
    let node = lowering(current, block).lowerReal(assignment.value);
    const { target } = assignment;
    if (guarded.has(target)) {
      const before = current.get(target) ?? graph.input(inputName(target, program));
      const end = assignment.scope === "precell" ? "source" : "target";
      node = graph.select(graph.input(`not_refractory ${end}`, "mask"), node, before);
    }
    current.set(target, node);
    targets.set(target, assignment);
  }
  const all = [...targets].map(([name, target]) => ({ target, node: current.get(name) as Node }));
  return {
    cell: all.filter(({ target }) => isCellLevel(target, side)),
    synapse: all.filter(({ target }) => !isCellLevel(target, side)),
    norms,
  };
}

/** Nodes that `roots` are made of, themselves included. */
export function reachable(roots: readonly Node[]): Set<Node> {
  const found = new Set<Node>();
  const visit = (node: Node): void => {
    if (found.has(node)) return;
    found.add(node);
    node.args.forEach(visit);
  };
  roots.forEach(visit);
  return found;
}
