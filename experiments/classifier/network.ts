/**
 * A layer of taught cells, one a class, behind whatever makes spikes of an example. Of normad-mnist.ts, spoken-digits.ts and
 * nmnist-events.ts.
 *
 * The cell of the right class is taught to fire regularly, the others to be silent; they inhibit each other. The answer is
 * the class whose cell comes nearest to what it would have been taught.
 */
import { lif } from "../../models/lif.ts";
import { coolingNormad } from "../../models/normad.ts";
import { doubleExponentialSynapse } from "../../models/synapses.ts";
import {
  allToAll,
  type Cells,
  compile,
  type differentialPair,
  every,
  type Network,
  neurons,
  quantity,
  type Raster,
  seconds,
  spikeSource,
  spikes,
  synapses,
  type Time,
  timesOf,
  vanRossumDistance,
} from "../../src/index.ts";

/** What is in front of the taught cells. */
export interface Front {
  readonly parts: Network;
  readonly features: Cells; // those that the taught cells see
  readonly input: string; // name of the spike source that is given the example
}

export type Trains = readonly ArrayLike<number>[]; // [cell][spike], s

export interface Example {
  readonly spikes: Trains;
  readonly label: number;
}

/** Examples, made when they are asked for. */
export interface Examples {
  readonly size: number;
  readonly at: (k: number) => Example;
}

export interface Teaching {
  readonly classes: number;
  readonly dt: Time;
  readonly duration: Time; // of an example
  readonly batch: number; // examples of one run, whose changes are written at its end
  readonly pause: Time; // after each of them, where there are several
  readonly desired: { readonly from: Time; readonly to: Time; readonly period: Time };
  readonly inhibition: string; // weight between taught cells
  readonly hold?: Time; // they are held back until then
  readonly eta: string; // of the first example
  readonly etaEnd: string; // of the last; between them it falls exponentially
  readonly examples: number; // shown in training, all epochs together
  readonly storage?: ReturnType<typeof differentialPair>; // plain numbers without
}

export type Classifier = Awaited<ReturnType<typeof classifier>>;

// strong against the few nA that a taught cell gets, and over within two time constants of the current
const holdingWeight = "-20 nA";
const holdingPeriod = "5 ms";

/** Spikes every `period` from `from` on, before `to`, s. */
function regular(from: Time, to: Time, period: Time): number[] {
  const [start, end, step] = [seconds(from), seconds(to), seconds(period)];
  return Array.from(
    { length: Math.max(0, Math.ceil((end - start) / step - 1e-9)) },
    (_, k) => start + k * step,
  );
}

/** The network, its weights 0 or as fabrication leaves them. */
export async function classifier(front: Front, teaching: Teaching, seed: string) {
  const { classes, dt, batch, inhibition, hold = "0 ms", eta, etaEnd, examples, storage } = teaching;
  const interval = seconds(teaching.duration) + (batch > 1 ? seconds(teaching.pause) : 0);
  const duration: Time = `${batch * interval} s`;
  const output = neurons(classes, lif, { v: "El" });
  const teacher = spikeSource(classes);
  const fall = Math.log(quantity(eta, "A") / quantity(etaEnd, "A"));
  const updates = Math.max(1, examples / batch - 1);
  const rule = coolingNormad.with({ eta, cooling: fall === 0 ? 1e30 : updates / fall });
  const plastic = synapses(front.features, output, rule, {
    connect: allToAll(),
    weight: storage,
    events: { teacher, update: every(duration) },
  });
  const lateral = synapses(output, output, doubleExponentialSynapse, {
    connect: allToAll({ self: false }),
    initial: { w: inhibition },
  });
  const gate = spikeSource(1);
  const barrier = synapses(gate, output, doubleExponentialSynapse, {
    connect: allToAll(),
    initial: { w: holdingWeight },
  });
  const holding = [regular("0 ms", hold, holdingPeriod)];
  const network: Network = { ...front.parts, output, teacher, plastic, lateral, gate, barrier };
  const simulation = await compile(network, { dt, seed, precision: "float32", threads: 1 });
  const { from, to, period } = teaching.desired;
  const desired = regular(from, to, period);
  const silent: number[] = [];
  const record = { answer: spikes(output) };

  /** Spikes of the taught cells at each of up to `batch` examples, from the beginning of the example. */
  const show = (given: readonly Example[], learn: boolean): Raster[] => {
    const taught = given.map(({ label }) =>
      Array.from({ length: classes }, (_, k) => (learn && k === label ? desired : silent)),
    );
    const { answer } = simulation.run({
      duration,
      restart: true,
      inputs: {
        [front.input]: inTurn(
          given.map((each) => each.spikes),
          interval,
        ),
        teacher: inTurn(taught, interval),
        gate: inTurn(
          given.map(() => holding),
          interval,
        ),
      },
      frozen: learn ? [] : ["plastic"],
      record,
    });
    return given.map((_, k) => part(answer, k * interval, interval));
  };
  return { simulation, show, desired, classes, batch };
}

/** Spikes of several examples, one after the other: [cell][spike], s. */
function inTurn(examples: readonly (readonly ArrayLike<number>[])[], interval: number): ArrayLike<number>[] {
  if (examples.length === 1) return [...examples[0]];
  return examples[0].map((_, cell) =>
    examples.flatMap((each, k) => Array.from(each[cell], (t) => t + k * interval)),
  );
}

/** A stretch of a raster, from its beginning. */
function part({ t, i, size }: Raster, from: number, length: number): Raster {
  const inside = (_: number, k: number) => t[k] >= from - timeRounding && t[k] < from + length - timeRounding;
  return {
    t: t.filter(inside).map((time) => Math.max(0, time - from)),
    i: i.filter((cell, k) => inside(cell, k)),
    size,
    duration: length,
  };
}

const timeRounding = 1e-9; // s

/** The class whose cell is nearest to the train that it is taught, and the one that fires most; -1 where no cell fires. */
export function answers(
  raster: Raster,
  { desired, classes }: Classifier,
): { readonly nearest: number; readonly most: number } {
  if (raster.t.length === 0) return { nearest: -1, most: -1 };
  let [nearest, most] = [0, 0];
  let [least, greatest] = [Number.POSITIVE_INFINITY, 0];
  for (let k = 0; k < classes; k++) {
    const own = timesOf(raster, k);
    const distance = vanRossumDistance(own, desired, "5 ms");
    if (distance < least) [least, nearest] = [distance, k];
    if (own.length > greatest) [greatest, most] = [own.length, k];
  }
  return { nearest, most };
}
