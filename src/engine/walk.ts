/**
 * Loops over the synapses of one cell: along a row, sparse or dense, and along a column.
 *
 * A walk sets the locals `k` and `other` of access.ts and runs the given code at every synapse, in order of memory. Knows
 * nothing of what that code does.
 */
import {
  block,
  br_if,
  type Code,
  type FunctionBuilder,
  get,
  i32,
  iff,
  loop,
  set,
  tee,
} from "../wasm/assembler.ts";
import { type Access, type ProjectionMemory, parameters } from "./access.ts";

export interface Walk {
  readonly fn: FunctionBuilder;
  readonly access: Access;
  readonly memory: ProjectionMemory;
}

/** Bounds of this thread's part of the row, of one delay: sets `k` and a new local, the end. */
function rowBounds({ fn, access, memory }: Walk): { readonly end: number; readonly code: Code } {
  const end = fn.local("i32");
  const segment = i32.add(i32.mul(get(access.cell), i32.const(memory.classes)), get(parameters.delayClass));
  const place = i32.add(
    i32.mul(get(parameters.thread), i32.const(memory.startsStride)),
    i32.shl(segment, i32.const(2)),
  );
  const bound = (thread: number): Code =>
    i32.shl(i32.load(place, memory.starts + thread * memory.startsStride), i32.const(2));
  return { end, code: [set(access.k, bound(0)), set(end, bound(1))] };
}

/** `body` while at least `count` synapses of a row are left; `k` moves on within it. */
function whileLeft(k: number, end: number, count: number, body: Code): Code {
  const left = i32.sub(get(end), get(k));
  return block(
    br_if(0, i32.lt_s(left, i32.const(4 * count))),
    loop(body, br_if(0, i32.ge_s(left, i32.const(4 * count)))),
  );
}

/**
 * A row whose targets may be any: `one` at every synapse, `unroll` at a time; or `many` for as many neighbours side by side
 * as there are `others`, and `one` at each of the rest.
 */
export function sparseRow(
  walk: Walk,
  one: () => Code,
  o: { readonly unroll: number; readonly many?: () => Code },
): Code {
  const { k, other, others } = walk.access;
  const { end, code } = rowBounds(walk);
  const target = (local: number, neighbour: number): Code =>
    set(local, i32.load(get(k), walk.memory.targets + 4 * neighbour));
  const step = (): Code => [target(other, 0), one(), set(k, i32.add(get(k), i32.const(4)))];
  const several = Array.from({ length: o.unroll }, step);
  const together = (many: () => Code): Code => [
    others.map(target),
    many(),
    set(k, i32.add(get(k), i32.const(4 * others.length))),
  ];
  return [
    code,
    o.many ? whileLeft(k, end, others.length, together(o.many)) : [],
    o.unroll > 1 ? whileLeft(k, end, o.unroll, several) : [],
    whileLeft(k, end, 1, step()),
  ];
}

/**
 * A row onto all cells in their order: `many` for `lanes` neighbours side by side, as long as there are so many, then `one`
 * at each of the rest. Where `alone` is true for the neighbours at hand it is `one` at each of them too.
 */
export function denseRow(
  walk: Walk,
  one: () => Code,
  o: { readonly many: () => Code; readonly lanes: number; readonly unroll: number; readonly alone?: Code },
): Code {
  const { k, other, bytes } = walk.access;
  const { end, code } = rowBounds(walk);
  const advance = (count: number): Code => [
    set(k, i32.add(get(k), i32.const(4 * count))),
    set(other, i32.add(get(other), i32.const(bytes * count))),
  ];
  const single: Code = [one(), advance(1)];
  const together = (): Code => [o.many(), advance(o.lanes)];
  const first = set(other, i32.load(get(k), walk.memory.targets));
  if (o.alone === undefined) {
    const several = Array.from({ length: o.unroll }, together);
    return [
      code,
      first,
      o.unroll > 1 ? whileLeft(k, end, o.lanes * o.unroll, several) : [],
      whileLeft(k, end, o.lanes, together()),
      whileLeft(k, end, 1, single),
    ];
  }
  const stop = walk.fn.local("i32");
  const eachAlone: Code = [
    set(stop, i32.add(get(k), i32.const(4 * o.lanes))),
    loop(single, br_if(0, i32.lt_u(get(k), get(stop)))),
  ];
  return [
    code,
    first,
    whileLeft(k, end, o.lanes, iff(o.alone, eachAlone, together())),
    whileLeft(k, end, 1, single),
  ];
}

/** The synapses of a postsynaptic cell, in order of their presynaptic cells. */
export function column(walk: Walk, one: () => Code): Code {
  return walk.memory.dense ? denseColumn(walk, one) : sparseColumn(walk, one);
}

function denseColumn({ access, memory }: Walk, one: () => Code): Code {
  const { k, other, cell, bytes } = access;
  const columns = memory.postStop - memory.postStart;
  return [
    set(other, i32.const(memory.preStart * bytes)),
    set(k, i32.shl(i32.sub(get(cell), i32.const(memory.postStart)), i32.const(2))),
    loop(
      one(),
      set(k, i32.add(get(k), i32.const(4 * columns))),
      br_if(
        0,
        i32.lt_u(tee(other, i32.add(get(other), i32.const(bytes))), i32.const(memory.preStop * bytes)),
      ),
    ),
  ];
}

function sparseColumn({ fn, access, memory }: Walk, one: () => Code): Code {
  const { k, other, cell } = access;
  const { starts, synapse, pre } = memory.column as NonNullable<ProjectionMemory["column"]>;
  const c = fn.local("i32");
  const end = fn.local("i32");
  const word = i32.shl(get(cell), i32.const(2));
  return [
    set(c, i32.shl(i32.load(word, starts), i32.const(2))),
    set(end, i32.shl(i32.load(word, starts + 4), i32.const(2))),
    block(
      br_if(0, i32.ge_u(get(c), get(end))),
      loop(
        set(k, i32.shl(i32.load(get(c), synapse), i32.const(2))),
        set(other, access.scale(i32.load(get(c), pre))),
        one(),
        br_if(0, i32.lt_u(tee(c, i32.add(get(c), i32.const(4))), get(end))),
      ),
    ),
  ];
}
