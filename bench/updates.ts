/**
 * Learning by pulses against aihwkit's CPU tile, in CPU seconds on one thread: updates of a 512 x 512 array by trains, and
 * training steps of a perceptron by mixed precision. Every program in turn, several rounds, medians.
 *
 *     node bench/updates.ts [--rounds 5] [--cases "EcRam,batch 1"] [--python PATH]
 *
 * aihwkit: `python3 -m venv bench/peers/build/aihwkit && bench/peers/build/aihwkit/bin/pip install aihwkit`.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import * as presets from "../models/step-presets.ts";
import { crosspointBytes, crosspoints } from "../src/analog/crosspoints.ts";
import { TrainWriter, trainsOf } from "../src/analog/pulsed.ts";
import { dense, inSituMatrices, type Model, referenceDevice, sequential, sgd, tanh } from "../src/index.ts";
import { uniform } from "../src/math/random.ts";
import { Heap } from "../src/tensor/heap.ts";
import { describeMachine } from "./machine.ts";
import { timed } from "./timed.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    cases: { type: "string", default: "" }, // those whose name contains one of the texts
    python: { type: "string", default: "bench/peers/build/aihwkit/bin/python" },
  },
});

const size = 512;
/** aihwkit's name, its granularity, and a rate at which the largest product takes a full train of 31. */
const devices: Readonly<Record<string, readonly [Model<"device">, step: number]>> = {
  Idealized: [presets.idealized, 0.0002],
  GokmenVlasov: [presets.gokmenVlasov, 0.0016],
  EcRam: [presets.ecRam, 0.002],
  ReRamSB: [presets.reRamSB, 0.002],
  ReRamES: [presets.reRamES, 0.00199144],
  Capacitor: [presets.capacitor, 0.005],
};
const full = 33;

const storageOf = (name: string) => {
  const [device, step] = devices[name];
  return referenceDevice(device, {
    weightPerConductance: "0.1 1/uS",
    step: `${10 * step} uS`,
    reference: "40 uS",
  });
};

async function update(name: string, signs: string, rate: number): Promise<number> {
  const options = { rows: size, columns: size, storage: storageOf(name), seed: "1" };
  const heap = new Heap(crosspointBytes(options) + TrainWriter.bytes(options));
  const writer = new TrainWriter(await crosspoints(heap, options), trainsOf(), "1");
  const drawn = (stream: number, low: number) =>
    Float32Array.from({ length: size }, (_, k) => low + (1 - low) * uniform([1, 1], stream, k, 0));
  const [x, d] = [drawn(0, signs === "both" ? -1 : 0), drawn(1, -1)];
  let turn = 1;
  return timed(() => {
    turn = -turn; // back and forth, so that weights stay within their bounds
    writer.update(d, x, turn * rate);
  }, 0.3);
}

async function step(name: string): Promise<number> {
  const network = await sequential([dense(784, 250), tanh(), dense(250, 10)], {
    inputs: [784],
    batch: 1,
    seed: 1,
    matrices: inSituMatrices({ weights: storageOf(name), rule: { kind: "gathered" }, converters: {} }),
    memory: 0.25,
  });
  network.optimizer = sgd({ learningRate: 0.05 });
  // a fifth of the inputs is not 0, as with digits
  const images = Array.from({ length: 64 }, (_, image) =>
    Float32Array.from({ length: 784 }, (_, k) =>
      uniform([2, 2], image, k, 0) < 0.2 ? uniform([2, 2], image, k, 1) : 0,
    ),
  );
  let k = 0;
  return timed(() => {
    k = (k + 1) % 64;
    network.forward(images[k], { purpose: "training" });
    network.judge({ labels: [k % 10] });
    network.backward();
    network.step();
  }, 0.3);
}

/** CPU seconds of aihwkit for cases, in its words. */
function peer(words: readonly string[]): readonly number[] | undefined {
  if (!existsSync(values.python)) return undefined;
  const script = fileURLToPath(new URL("peers/updates.py", import.meta.url));
  const { stdout, stderr, status } = spawnSync(values.python, [script, ...words], {
    encoding: "utf8",
    env: { ...process.env, OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1", MKL_NUM_THREADS: "1" },
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout.trim().split("\n").at(-1) as string).seconds;
}

interface Case {
  readonly name: string;
  readonly ours: () => Promise<number>;
  readonly theirs: string; // as bench/peers/updates.py reads it
}

const all: Case[] = [
  ...Object.entries(devices).flatMap(([name, [, own]]) =>
    [
      { what: "31 slots, both signs", signs: "both", rate: full * own },
      { what: "31 slots, x >= 0", signs: "one", rate: full * own },
      { what: "rate 0.01, x >= 0", signs: "one", rate: 0.01 },
    ].map(({ what, signs, rate }) => ({
      name: `update, ${name}, ${what}`,
      ours: () => update(name, signs, rate),
      theirs: `update,${name},${signs},${rate}`,
    })),
  ),
  ...["EcRam", "ReRamSB"].map((name) => ({
    name: `784-250-10, batch 1, mixed precision, ${name}`,
    ours: () => step(name),
    theirs: `step,${name}`,
  })),
];

const wanted = values.cases.split(",");
const cases = all.filter(({ name }) => wanted.some((text) => name.includes(text)));
const samples = cases.map(() => ({ ours: [] as number[], theirs: [] as number[] }));
const loads: number[] = [];
for (let round = 0; round < Number(values.rounds); round++) {
  loads.push(loadavg()[0]);
  for (const [k, { ours }] of cases.entries()) samples[k].ours.push(await ours());
  loads.push(loadavg()[0]);
  for (const [k, seconds] of (peer(cases.map(({ theirs }) => theirs)) ?? []).entries())
    samples[k].theirs.push(seconds);
}

const median = (x: readonly number[]) => [...x].sort((a, b) => a - b)[Math.floor(x.length / 2)];
const range = (x: readonly number[]) =>
  `${(1e3 * median(x)).toFixed(2)} (${(1e3 * Math.min(...x)).toFixed(2)} – ${(1e3 * Math.max(...x)).toFixed(2)})`;
console.log(
  `${describeMachine()}, CPU time on one thread, ${values.rounds} rounds, load ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}\n`,
);
console.log("| case | memspike ms | aihwkit ms | ours is faster by |\n| --- | --- | --- | --- |");
for (const [k, { name }] of cases.entries()) {
  const { ours, theirs } = samples[k];
  const ratio = theirs.length > 0 ? (median(theirs) / median(ours)).toFixed(1) : "";
  console.log(`| ${name} | ${range(ours)} | ${theirs.length > 0 ? range(theirs) : ""} | ${ratio} |`);
}
