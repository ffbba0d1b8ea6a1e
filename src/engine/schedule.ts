/**
 * The order of a tick, and threads in step.
 *
 * A tick: integrate, test thresholds and run tick handlers of every population; then deliver what arrives
 * in this tick (projections in the network's order: all `pre` handlers, then `post` and named events, then
 * clocks); then the resets that could not be done in passing. Each thread owns a range of every
 * population's cells and delivers only onto them; spikes lie in rings of ticks that all threads read. They meet once a
 * tick if anything arrives without delay, else once per shortest delay.
 */
import {
  block,
  br,
  br_if,
  type Code,
  call,
  drop,
  FunctionBuilder,
  get,
  i32,
  i64,
  iff,
  loop,
  type ModuleBuilder,
  notify,
  set,
  tee,
  wait32,
} from "../wasm/assembler.ts";

/** Fixed cells at the foot of memory. Each on its own cache line. */
export const cells = {
  barrierCount: 64,
  barrierSense: 128,
  sleepers: 192,
  generation: 256, // bumped by the main thread for each command
  command: 320, // firstTick, ticks, kind (0 run, 1 end)
  deviceTime: 384, // f64: s that devices have waited besides simulated time
} as const;

/** Spikes of one population: a ring of spike indices per thread and a table of ticks. */
export interface Ring {
  readonly list: number; // u32, ring of thread 0
  readonly listStride: number; // bytes between threads
  readonly listBytes: number; // of one thread's ring
  readonly start: number; // i32 [thread][slot]: byte offset of the tick's list
  readonly count: number; // i32 [thread][slot]
  readonly tableStride: number; // bytes between threads
  readonly writer: number; // i32 [thread], 64 bytes apart: where the next list goes
  readonly threads: number; // how many lists a tick has (1 for sources)
}

export interface ScheduledPopulation {
  readonly update: number; // function index
  readonly ring?: Ring;
  /** Byte offset of i32 [thread + 1]: the cells of each thread. */
  readonly bounds: number;
  readonly largestPartition: number; // cells
  readonly reset?: number; // function index of a reset after delivery
}

/** Traces: the update function, and over which elements each thread runs it. */
export interface ScheduledTrace {
  readonly update: number;
  readonly range:
    | { readonly kind: "all"; readonly size: number }
    | { readonly kind: "bounds"; readonly bounds: number };
  readonly stride: number; // bytes between the copies of threads
}

/** One use of a handler in the tick. */
export interface ScheduledEvent {
  readonly event: number; // function index
  readonly runsFrozen: boolean; // whether it runs while the projection is frozen
  readonly frozen?: number; // used instead while frozen
  readonly frozenFlag: number; // i32
  readonly bounds: number; // of the postsynaptic population
  readonly from:
    | {
        readonly kind: "ring";
        readonly ring: Ring;
        readonly delays: readonly number[]; // ticks, by class
        readonly ownOnly: boolean; // only the lists of this thread (post events)
      }
    | {
        readonly kind: "clock";
        readonly period: number;
        readonly offset: number;
        readonly count: number;
        readonly classes: number;
      };
}

/** Uses of handlers in a tick, in the order they are delivered. */
export interface EventPlans {
  readonly pre: ScheduledEvent[];
  readonly post: ScheduledEvent[];
  readonly clocks: ScheduledEvent[];
}

export interface Schedule {
  readonly populations: readonly ScheduledPopulation[];
  readonly traces: readonly ScheduledTrace[];
  readonly events: readonly ScheduledEvent[];
  readonly slots: number; // ring slots, a power of two
  readonly threads: number;
  /** Ticks between meetings; 0: every tick, before delivery. */
  readonly meeting: number;
  /** Main thread may block (not in a page). */
  readonly mainMayBlock: boolean;
}

const spinLimit = 100_000; // some 50 us: longer than threads of one tick are apart, shorter than it takes to notice others

/** Adds `run` (exported) and `serve` (exported, for workers) to the module. */
export function emitSchedule(module: ModuleBuilder, schedule: Schedule): void {
  const barrier = schedule.threads > 1 ? module.add(emitBarrier(schedule)) : -1;
  const tick = module.add(emitTick(schedule, barrier));
  const run = module.add(emitRun(schedule, tick, barrier));
  if (schedule.threads > 1) module.add(emitServe(run));
}

/** barrier(thread): returns when all threads have come. Spins, then sleeps. */
function emitBarrier({ threads, mainMayBlock }: Schedule): FunctionBuilder {
  const fn = new FunctionBuilder({ parameters: ["i32"] });
  const sense = fn.local("i32");
  const spins = fn.local("i32");
  const zero = i32.const(0);
  const sleep: Code = [
    drop(i32.atomic_rmw_add(zero, cells.sleepers, i32.const(1))),
    drop(wait32(zero, cells.barrierSense, get(sense), i64.const(-1n))),
    drop(i32.atomic_rmw_add(zero, cells.sleepers, i32.const(-1))),
  ];
  fn.body = [
    set(sense, i32.atomic_load(zero, cells.barrierSense)),
    iff(
      i32.eq(i32.atomic_rmw_add(zero, cells.barrierCount, i32.const(1)), i32.const(threads - 1)),
      [
        i32.atomic_store(zero, cells.barrierCount, zero),
        drop(i32.atomic_rmw_add(zero, cells.barrierSense, i32.const(1))),
        iff(i32.atomic_load(zero, cells.sleepers), drop(notify(zero, cells.barrierSense, i32.const(-1)))),
      ],
      block(
        loop(
          br_if(1, i32.ne(i32.atomic_load(zero, cells.barrierSense), get(sense))),
          br_if(0, i32.lt_u(tee(spins, i32.add(get(spins), i32.const(1))), i32.const(spinLimit))),
          mainMayBlock ? sleep : iff(get(0), sleep),
          br(0),
        ),
      ),
    ),
  ];
  return fn;
}

/** tick(tick, thread). */
function emitTick(schedule: Schedule, barrier: number): FunctionBuilder {
  const fn = new FunctionBuilder({ parameters: ["i32", "i32"] });
  const [tick, thread] = [0, 1];
  const slot = fn.local("i32");
  const list = fn.local("i32");
  const count = fn.local("i32");
  const other = fn.local("i32");
  const threadWord = i32.shl(get(thread), i32.const(2));
  const lo = (bounds: number): Code => i32.load(threadWord, bounds);
  const hi = (bounds: number): Code => i32.load(threadWord, bounds + 4);
  const slotByte = (delay: number): Code =>
    i32.shl(i32.and(i32.sub(get(tick), i32.const(delay)), i32.const(schedule.slots - 1)), i32.const(2));
  const tableAt = (ring: Ring, which: Code): Code =>
    i32.add(get(slot), i32.mul(which, i32.const(ring.tableStride)));

  const updates = schedule.populations.map((population): Code => {
    const { ring, bounds, update } = population;
    const step = (out: Code): Code => call(update, lo(bounds), hi(bounds), out, get(tick), i32.const(0));
    if (!ring) return drop(step(i32.const(0)));
    const writer = i32.shl(get(thread), i32.const(6));
    const first = i32.add(i32.const(ring.list), i32.mul(get(thread), i32.const(ring.listStride)));
    return [
      set(list, i32.load(writer, ring.writer)),
      iff(
        i32.gt_u(
          i32.add(get(list), i32.const(4 * population.largestPartition)),
          i32.add(first, i32.const(ring.listBytes)),
        ),
        set(list, first),
      ),
      set(count, step(get(list))),
      set(slot, slotByte(0)),
      i32.store(tableAt(ring, get(thread)), ring.start, get(list)),
      i32.store(tableAt(ring, get(thread)), ring.count, get(count)),
      i32.store(writer, ring.writer, i32.add(get(list), i32.shl(get(count), i32.const(2)))),
    ];
  });
  const traces = schedule.traces.map(({ update, range, stride }): Code => {
    const [from, to] =
      range.kind === "all" ? [i32.const(0), i32.const(range.size)] : [lo(range.bounds), hi(range.bounds)];
    return drop(call(update, from, to, i32.const(0), get(tick), i32.mul(get(thread), i32.const(stride))));
  });

  const events = schedule.events.map((event): Code => {
    const use = (listCode: Code, countCode: Code, delayClass: number): Code => {
      const args = [
        listCode,
        countCode,
        i32.const(delayClass),
        get(tick),
        get(thread),
        lo(event.bounds),
        hi(event.bounds),
      ];
      const moving = call(event.event, ...args);
      const still = event.frozen === undefined ? moving : call(event.frozen, ...args);
      if (event.runsFrozen && event.frozen === undefined) return moving;
      return iff(i32.load(i32.const(0), event.frozenFlag), event.runsFrozen ? still : [], moving);
    };
    const { from } = event;
    if (from.kind === "clock") {
      const since = i32.sub(i32.add(get(tick), i32.const(1)), i32.const(from.offset));
      return iff(
        i32.and(i32.ge_s(since, i32.const(0)), i32.eqz(i32.rem_s(since, i32.const(from.period)))),
        Array.from({ length: from.classes }, (_, c) => use(i32.const(0), i32.const(from.count), c)),
      );
    }
    const { ring } = from;
    return from.delays.map((delay, delayClass): Code => {
      const one = (which: Code): Code => [
        set(count, i32.load(tableAt(ring, which), ring.count)),
        iff(get(count), use(i32.load(tableAt(ring, which), ring.start), get(count), delayClass)),
      ];
      if (ring.threads === 1) return [set(slot, slotByte(delay)), one(i32.const(0))];
      if (from.ownOnly) return [set(slot, slotByte(delay)), one(get(thread))];
      return [
        set(slot, slotByte(delay)),
        set(other, i32.const(0)),
        loop(
          one(get(other)),
          br_if(0, i32.lt_u(tee(other, i32.add(get(other), i32.const(1))), i32.const(ring.threads))),
        ),
      ];
    });
  });

  const resets = schedule.populations.map(({ reset, ring }): Code => {
    if (reset === undefined || !ring) return [];
    return [
      set(slot, slotByte(0)),
      call(
        reset,
        i32.load(tableAt(ring, get(thread)), ring.start),
        i32.load(tableAt(ring, get(thread)), ring.count),
        get(tick),
      ),
    ];
  });
  const meet = schedule.threads > 1 && schedule.meeting === 0 ? call(barrier, get(thread)) : [];
  fn.body = [updates, traces, meet, events, resets];
  return fn;
}

/** run(firstTick, ticks, thread): exported. */
function emitRun(schedule: Schedule, tickFunction: number, barrier: number): FunctionBuilder {
  const fn = new FunctionBuilder({ parameters: ["i32", "i32", "i32"], exportName: "run" });
  const [tick, ticks, thread] = [0, 1, 2];
  const end = fn.local("i32");
  const many = schedule.threads > 1;
  const meet: Code =
    many && schedule.meeting > 0
      ? iff(
          i32.eqz(i32.rem_u(i32.add(get(tick), i32.const(1)), i32.const(schedule.meeting))),
          call(barrier, get(thread)),
        )
      : [];
  fn.body = [
    set(end, i32.add(get(tick), get(ticks))),
    block(
      br_if(0, i32.eqz(get(ticks))),
      loop(
        call(tickFunction, get(tick), get(thread)),
        meet,
        br_if(0, i32.lt_u(tee(tick, i32.add(get(tick), i32.const(1))), get(end))),
      ),
    ),
    many ? call(barrier, get(thread)) : [],
  ];
  return fn;
}

/** serve(thread): exported; a worker's life: waits for commands and runs its part of them. */
function emitServe(run: number): FunctionBuilder {
  const fn = new FunctionBuilder({ parameters: ["i32"], exportName: "serve" });
  const seen = fn.local("i32");
  const spins = fn.local("i32");
  const zero = i32.const(0);
  fn.body = loop(
    set(spins, zero),
    block(
      loop(
        br_if(1, i32.ne(i32.atomic_load(zero, cells.generation), get(seen))),
        br_if(0, i32.lt_u(tee(spins, i32.add(get(spins), i32.const(1))), i32.const(spinLimit))),
        drop(wait32(zero, cells.generation, get(seen), i64.const(-1n))),
        br(0),
      ),
    ),
    set(seen, i32.atomic_load(zero, cells.generation)),
    iff(i32.eqz(i32.load(zero, cells.command + 8)), [
      call(run, i32.load(zero, cells.command), i32.load(zero, cells.command + 4), get(0)),
      br(1),
    ]),
  );
  return fn;
}
