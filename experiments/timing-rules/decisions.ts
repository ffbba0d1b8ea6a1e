/**
 * The task of timing-rules.ts as decisions: in which letters a cell fires, whenever it does. All rules are judged by it; the
 * tempotron, which learns nothing else, is taught it letter by letter. Of timing-rules.ts.
 */
import type { SyntheticPattern } from "../../datasets/synthetic-pattern.ts";
import { tempotron, tempotronCell } from "../../models/tempotron.ts";
import {
  allToAll,
  compile,
  type differentialPair,
  every,
  neurons,
  quantity,
  type Raster,
  raster,
  spikeSource,
  spikes,
  synapses,
  type Time,
} from "../../src/index.ts";

/** Where the stretch of each letter begins and ends, s: from its window to the next one's. */
function stretches({ windows, desired }: SyntheticPattern): (readonly [number, number])[] {
  const starts = windows.map(({ image: [from] }) => from);
  return starts.map((from, k) => [from, starts[k + 1] ?? desired.duration] as const);
}

/** Whether each cell fires in each stretch: [letter][cell]. */
function firing({ t, i, size }: Raster, of: readonly (readonly [number, number])[]): boolean[][] {
  return of.map(([from, to]) => {
    const fires = new Array<boolean>(size).fill(false);
    for (const [k, time] of t.entries()) if (time >= from && time < to) fires[i[k]] = true;
    return fires;
  });
}

/** Part of the letters and cells that agree. */
function agreeing(found: readonly (readonly boolean[])[], wanted: readonly (readonly boolean[])[]): number {
  let [right, all] = [0, 0];
  for (const [k, cells] of wanted.entries())
    for (const [j, yes] of cells.entries()) {
      all++;
      if (found[k][j] === yes) right++;
    }
  return right / all;
}

/** Part of (letter, cell) in which the cell fires if, and only if, it should. */
export function decisions(actual: Raster, pattern: SyntheticPattern): number {
  const of = stretches(pattern);
  return agreeing(firing(actual, of), firing(pattern.desired, of));
}

/** Weights of the tempotron on devices: 1 mV, its threshold, stands where the other rules have 10 nA. */
export const potentials = { perConductance: "30 uV/uS", range: "1 mV" } as const;

/** Rates by storage: those that a search with one pattern and 30 epochs found for ideal weights and PCM, taken for all. */
export const decisionRates: Readonly<Record<string, string>> = {
  ideal: "0.01 mV",
  PCM: "0.01 mV",
  "PCM, kept": "0.01 mV",
  "Cu/SiO2/W-like": "0.01 mV",
  "Cu/SiO2/W-like, kept": "0.01 mV",
};

/** What the tempotron has come to. */
export interface Decided {
  readonly curve: readonly number[]; // right decisions by epoch, before the change of each letter
  readonly right: number; // after training
  readonly pulsesPerDevice: number | undefined;
}

/**
 * Shows the letters one by one, `epochs` times; weights change after each letter. Devices drift for the rest of `interval`
 * between epochs. Fewer epochs when `stopped` says so.
 */
export async function decide(
  pattern: SyntheticPattern,
  options: {
    readonly storage: ReturnType<typeof differentialPair> | undefined;
    readonly eta: number; // V
    readonly epochs: number;
    readonly interval: Time;
    readonly seed: string;
    readonly stopped: () => boolean;
  },
): Promise<Decided> {
  const { storage, eta, epochs, interval, seed, stopped } = options;
  const of = stretches(pattern);
  const wanted = firing(pattern.desired, of);
  const length = Math.max(...of.map(([from, to]) => to - from));
  const duration: Time = `${Math.round(1000 * length)} ms`;
  const { input, desired } = pattern;
  const letters = of.map(([from, to], k) => {
    const own = Array.from(input.t.keys()).filter((s) => input.t[s] >= from && input.t[s] < to);
    return {
      input: raster(
        { t: own.map((s) => input.t[s] - from), i: own.map((s) => input.i[s]) },
        input.size,
        length,
      ),
      teacher: wanted[k].map((yes) => (yes ? [1e-3] : [])),
    };
  });
  const [stimulus, teacher] = [spikeSource(input.size), spikeSource(desired.size)];
  const output = neurons(desired.size, tempotronCell);
  const plastic = synapses(stimulus, output, tempotron.with({ eta: `${eta} V` }), {
    connect: allToAll(),
    weight: storage,
    // devices differ from the beginning on
    initial: storage ? {} : { w: "V0 * eta * randn()" },
    events: { teacher, update: every(duration) },
  });
  const simulation = await compile({ stimulus, teacher, output, plastic }, { dt: "0.1 ms", seed });
  const show = (frozen: "plastic"[]) =>
    letters.map((letter) => {
      const { fired } = simulation.run({
        duration,
        restart: true,
        inputs: { stimulus: letter.input, teacher: letter.teacher },
        record: { fired: spikes(output) },
        frozen,
      });
      return firing(fired, [[0, length]])[0];
    });
  const idle: Time = `${Math.max(0, quantity(interval, "s") - letters.length * length)} s`;
  const curve: number[] = [];
  for (let epoch = 0; epoch < epochs && !stopped(); epoch++) {
    curve.push(agreeing(show([]), wanted));
    simulation.wait(idle);
    if (epoch % 10 === 9) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  const pulses = storage && Object.values(simulation.deviceUse("plastic").pulses).reduce((a, b) => a + b, 0);
  return {
    curve,
    right: agreeing(show(["plastic"]), wanted),
    pulsesPerDevice: pulses && pulses / simulation.conductances("plastic").length,
  };
}
