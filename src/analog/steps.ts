/**
 * Devices at the crossings of rows and columns, many pulses at a time: machine code for one model's text.
 *
 * Where a network writes hundreds of thousands of pulses in one step, devices are float32 and four columns go side by
 * side. What a pulse does is the model's text (language/pulse.ts); its draws are taken from rows of numbers drawn in bulk:
 * pulse p of row r at update u is number p of (key, stream of r, u), pulses counted along the row's hits. A variable
 * that a pulse assigns and no pulse looks at, such as the error of a write, is drawn once, for the last. Knows nothing of
 * weights' signs and of what asks for pulses.
 */
import { invariants } from "../engine/devices.ts";
import type { Expression } from "../language/expression.ts";
import { ConfigError } from "../math/errors.ts";
import type { Key } from "../math/random.ts";
import type { Block, Heap } from "../tensor/heap.ts";
import { each, locals } from "../tensor/loops.ts";
import { paddedColumns } from "../tensor/matvec.ts";
import {
  br_if,
  type Code,
  call,
  FunctionBuilder,
  f32,
  f32x4,
  get,
  i32,
  i32x4,
  iff,
  loop,
  type ModuleBuilder,
  set,
  v128,
} from "../wasm/assembler.ts";
import { Emitter, Prologue } from "../wasm/emit.ts";
import { Graph, type Node } from "../wasm/graph.ts";
import { Lowering } from "../wasm/lower.ts";
import { type Distribution, type Draw, distributions, type Plan, type Pulse, type Slots } from "./plan.ts";
import type { HitMemory } from "./trains.ts";

/** Where the devices of an array lie: [row][padded column], each row beginning at a multiple of 16 bytes. */
export interface StepMemory {
  readonly variables: Readonly<Record<string, Block>>;
  readonly writtenAt?: Block; // s, where there is drift
  readonly reading: Block; // what a cell counts, without noise
  readonly variance?: Block; // of a read of it
  readonly draws: { readonly each: number; readonly last: number }; // byte offsets of rows of numbers
  readonly stride: { readonly each: number; readonly last: number }; // bytes from one slot's row to the next's
}

const rowOf = (numbers: number): number => Math.ceil(numbers / 16) * 16 + 16;
const total = ({ normal, uniform }: Slots): number => normal + uniform;

/** Room for an array whose cells get at most `most` pulses in an update. */
export function layOutSteps(
  heap: Heap,
  plan: Plan,
  o: { readonly rows: number; readonly columns: number; readonly most: number },
): StepMemory {
  const width = paddedColumns(o.columns);
  const matrix = () => heap.take(o.rows * width);
  const numbers = { each: rowOf(width * o.most), last: rowOf(width) };
  return {
    variables: Object.fromEntries(plan.model.variables.map(({ name }) => [name, matrix()])),
    writtenAt: plan.drift && matrix(),
    reading: matrix(),
    variance: plan.sd && matrix(),
    draws: {
      each: heap.take(numbers.each * total(plan.slots.each) + 4).at,
      last: heap.take(numbers.last * total(plan.slots.last) + 4).at,
    },
    stride: { each: 4 * numbers.each, last: 4 * numbers.last },
  };
}

/** Bytes that `layOutSteps` takes, at most. */
export function stepBytes(
  plan: Plan,
  o: { readonly rows: number; readonly columns: number; readonly most: number },
): number {
  const width = paddedColumns(o.columns);
  const matrices = plan.model.variables.length + 3;
  const numbers = rowOf(width * o.most) * total(plan.slots.each) + rowOf(width) * total(plan.slots.last);
  return 4 * (matrices * (o.rows * width + 32) + numbers) + 1024;
}

/** How a conductance becomes what a cell counts: factor (G - reference). */
export interface Counting {
  readonly factor: number;
  readonly reference: number;
}

interface Compiled {
  readonly plan: Plan;
  readonly memory: StepMemory;
  readonly hits: HitMemory;
  readonly counting: Counting;
  readonly key: Key;
}

interface Tools {
  readonly graph: Graph;
  readonly prologue: Prologue;
  readonly emitter: Emitter;
  readonly age: Node;
  lower(expression: Expression, slot?: (draw: Draw) => Node): Node;
}

/** Tools of a function whose variables and age are in locals. */
function toolsOf(
  fn: FunctionBuilder,
  { plan }: Compiled,
  state: Readonly<Record<string, number>>,
  age: number,
  loadDraw: (kind: "each" | "last", slot: number) => Code,
): Tools {
  const graph = new Graph("float32");
  const prologue = new Prologue(fn);
  const emitter = new Emitter({
    fn,
    prologue,
    precision: "float32",
    input: (node) => {
      const name = node.name as string;
      if (name === "age") return get(age);
      const [kind, slot] = name.split(" ");
      if (slot !== undefined) return loadDraw(kind as "each" | "last", Number(slot));
      if (!Object.hasOwn(state, name))
        throw new ConfigError(`${plan.model.name}: ${name} is not known where trains cross`);
      return get(state[name]);
    },
  });
  const lower: Tools["lower"] = (expression, slot) => {
    const lowering: Lowering = new Lowering(graph, {
      name: (name) =>
        name === "Gd" && plan.drift
          ? lowering.lowerReal(plan.drift)
          : graph.input(name === "age" ? "age" : name),
      random: slot,
    });
    return lowering.lowerReal(expression);
  };
  return { graph, prologue, emitter, age: graph.input("age"), lower };
}

/** The weight of a cell and the variance of a read of it. */
function lookNodes({ graph, lower }: Tools, { plan, counting }: Compiled): Node[] {
  const factor = graph.constant(counting.factor);
  const weight = graph.mul(graph.sub(lower(plan.quiet), graph.constant(counting.reference)), factor);
  if (!plan.sd) return [weight];
  const sd = graph.mul(lower(plan.sd), factor);
  return [weight, graph.mul(sd, sd)];
}

/** Locals for the variables that are needed. */
const statesOf = (fn: FunctionBuilder, { model, used }: Plan): Record<string, number> =>
  Object.fromEntries(
    model.variables.filter(({ name }) => used.has(name)).map(({ name }) => [name, fn.local("v128")]),
  );

const plus = (a: Code, b: Code): Code => i32.add(a, b);

/**
 * Adds and exports `name`(row, at, hits, tick, now): the pulses that the list of hits asks for, of row `row` whose cells
 * begin `at` bytes into every array; then what these cells count.
 */
export function addPulses(
  module: ModuleBuilder,
  name: string,
  compiled: Compiled,
  fill: Readonly<Record<Distribution, number>>,
): void {
  const { plan, memory, hits, key } = compiled;
  const parameters = ["row", "at", "hits", "tick", "now"] as const;
  const fn = new FunctionBuilder({ parameters: ["i32", "i32", "i32", "i32", "f32"], exportName: name });
  const v = locals(fn, parameters, {
    hit: "i32",
    hit16: "i32",
    n: "i32",
    value: "v128",
    before: "v128", // when cells were last written
    counts: "v128",
    left: "v128",
    mask: "v128",
    age: "v128",
  });
  const state = statesOf(fn, plan);
  const cells = [0, 1, 2, 3].map(() => fn.local("i32")); // where they are in every array
  const from = [0, 1, 2, 3].map(() => fn.local("i32")); // where the numbers of a lane's next pulse lie
  const lastFrom = [0, 1, 2, 3].map(() => fn.local("i32"));
  const gather = (addresses: readonly number[], offset: number): Code =>
    addresses
      .slice(1)
      .reduce<Code>(
        (value, address, k) => v128.load32_lane(get(address), offset, value, k + 1),
        v128.load32_zero(get(addresses[0]), offset),
      );
  const tools = toolsOf(fn, compiled, state, v.age, (kind, slot) =>
    gather(kind === "each" ? from : lastFrom, memory.draws[kind] + slot * memory.stride[kind]),
  );
  const { prologue, emitter, lower, graph } = tools;
  const slots = (kind: "each" | "last"): ((draw: Draw) => Node) => {
    const found = new Map<number, Node>();
    const used = { normal: 0, uniform: 0 };
    return (draw) => {
      const distribution = draw.distribution as Distribution;
      let node = found.get(draw.stream);
      if (!node) {
        const first = distribution === "normal" ? 0 : plan.slots[kind].normal;
        node = graph.input(`${kind} ${first + used[distribution]++}`);
        found.set(draw.stream, node);
      }
      return node;
    };
  };
  const moving = new Set<Node>([
    ...plan.model.variables
      .filter(({ name }) => Object.values(plan.pulses).some((pulse) => pulse.each.has(name)))
      .map((variable) => graph.input(variable.name)),
    ...Array.from({ length: total(plan.slots.each) }, (_, k) => graph.input(`each ${k}`)),
    graph.input("age"),
  ]);
  const zero = v128.const(0, 0, 0, 0);
  const keep = (index: number, value: Code): Code =>
    set(index, v128.bitselect(value, get(index), get(v.mask)));
  const train = (pulse: Pulse, counts: Code): Code => {
    const nodesOf = (values: Pulse["each"]) => {
      const slot = slots("each");
      return [...values].map(([variable, value]) => ({ variable, node: lower(value, slot) }));
    };
    const next = nodesOf(pulse.each);
    const first = pulse.first && nodesOf(pulse.first);
    const outside = emitter.fork();
    const head = outside.define(
      invariants(
        [...next, ...(first ?? [])].map(({ node }) => node),
        moving,
      ),
    );
    const one = (nodes: typeof next): Code => {
      const inside = outside.fork();
      return [
        set(v.mask, i32x4.gt_s(get(v.left), i32x4.splat(get(v.n)))),
        inside.define(nodes.map(({ node }) => node)),
        nodes.map(({ variable, node }) => keep(state[variable], inside.value(node))),
        from.map((index) => set(index, plus(get(index), i32.const(4)))),
        set(v.n, plus(get(v.n), i32.const(1))),
      ];
    };
    const another = v128.any_true(i32x4.gt_s(get(v.left), i32x4.splat(get(v.n))));
    const lastSlot = slots("last");
    const after = [...pulse.last].map(([variable, value]) => ({ variable, node: lower(value, lastSlot) }));
    const end = emitter.fork();
    return [
      set(v.left, counts),
      iff(v128.any_true(get(v.left)), [
        head,
        set(v.n, i32.const(0)),
        from.map((index, k) => set(index, i32.load(get(v.hit16), hits.starts + 4 * k))),
        first
          ? [one(first), keep(v.age, zero), iff(another, loop(one(next), br_if(0, another)))]
          : loop(one(next), br_if(0, another)),
        after.length === 0
          ? []
          : [
              set(v.mask, i32x4.gt_s(get(v.left), zero)),
              end.define(after.map(({ node }) => node)),
              after.map(({ variable, node }) => keep(state[variable], end.value(node))),
            ],
      ]),
    ];
  };
  const { up, down } = plan.pulses;
  const looked = lookNodes(tools, compiled);
  const looking = emitter.fork();
  const array = (block: Block, value: Code): Code => [
    set(v.value, value),
    cells.map((cell, k) => v128.store32_lane(get(cell), block.at, get(v.value), k)),
  ];
  const assigned = plan.model.variables.filter(({ name }) =>
    Object.values(plan.pulses).some((pulse) => pulse.each.has(name) || pulse.last.has(name)),
  );
  const fillAll = (kind: "each" | "last", count: Code): Code =>
    distributions.flatMap((distribution) =>
      Array.from({ length: plan.slots[kind][distribution] }, (_, k) => {
        const slot = (distribution === "normal" ? 0 : plan.slots[kind].normal) + k;
        const perRow = total(plan.slots.each) + total(plan.slots.last);
        const own = slot + (kind === "last" ? total(plan.slots.each) : 0);
        return call(
          fill[distribution],
          i32.const(memory.draws[kind] + slot * memory.stride[kind]),
          count,
          i32.const(key[0]),
          i32.const(key[1]),
          plus(i32.mul(get(v.row), i32.const(perRow)), i32.const(own)),
          get(v.tick),
          f32.const(1),
        );
      }),
    );
  const trains = [
    up ? train(up, i32x4.max_s(get(v.counts), zero)) : [],
    down ? train(down, i32x4.max_s(i32x4.sub(zero, get(v.counts)), zero)) : [],
  ];
  const written = plan.drift && memory.writtenAt;
  const touched = v128.or(
    up ? i32x4.gt_s(get(v.counts), zero) : zero,
    down ? i32x4.gt_s(zero, get(v.counts)) : zero,
  );
  const body = each(
    v.hit,
    { below: get(v.hits) },
    set(v.hit16, i32.shl(get(v.hit), i32.const(4))),
    cells.map((cell, k) => set(cell, plus(get(v.at), i32.load(get(v.hit16), hits.places + 4 * k)))),
    set(v.counts, v128.load(get(v.hit16), hits.counts)),
    total(plan.slots.last) > 0
      ? lastFrom.map((index, k) => set(index, i32.load(get(v.hit16), hits.ranks + 4 * k)))
      : [],
    Object.entries(state).map(([variable, index]) =>
      set(index, gather(cells, memory.variables[variable].at)),
    ),
    written
      ? [
          set(v.before, gather(cells, written.at)),
          set(v.age, f32x4.sub(f32x4.splat(get(v.now)), get(v.before))),
        ]
      : [],
    trains,
    assigned.map((variable) => array(memory.variables[variable.name], get(state[variable.name]))),
    written ? array(written, v128.bitselect(f32x4.splat(get(v.now)), get(v.before), touched)) : [],
    looking.define(looked),
    array(memory.reading, looking.value(looked[0])),
    memory.variance ? array(memory.variance, looking.value(looked[1])) : [],
  );
  fn.body = [
    prologue.code,
    fillAll("each", i32.load(i32.const(0), hits.total)),
    fillAll("last", i32.load(i32.const(0), hits.active)),
    body,
  ];
  module.add(fn);
}

/** Adds and exports `name`(bytes, now): what cells count now, of the first so many bytes of every array. */
export function addLook(module: ModuleBuilder, name: string, compiled: Compiled): void {
  const { plan, memory } = compiled;
  const fn = new FunctionBuilder({ parameters: ["i32", "f32"], exportName: name });
  const v = locals(fn, ["bytes", "now"] as const, { cell: "i32", age: "v128" });
  const state = statesOf(fn, plan);
  const tools = toolsOf(fn, compiled, state, v.age, () => {
    throw new Error("a look draws nothing");
  });
  const looked = lookNodes(tools, compiled);
  const { emitter, prologue } = tools;
  const body = each(
    v.cell,
    { below: get(v.bytes), step: 16 },
    Object.entries(state).map(([variable, index]) =>
      set(index, v128.load(get(v.cell), memory.variables[variable].at)),
    ),
    plan.drift && memory.writtenAt
      ? set(v.age, f32x4.sub(f32x4.splat(get(v.now)), v128.load(get(v.cell), memory.writtenAt.at)))
      : [],
    emitter.define(looked),
    v128.store(get(v.cell), memory.reading.at, emitter.value(looked[0])),
    memory.variance ? v128.store(get(v.cell), memory.variance.at, emitter.value(looked[1])) : [],
  );
  fn.body = [prologue.code, body];
  module.add(fn);
}
