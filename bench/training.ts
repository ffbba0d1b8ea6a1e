/**
 * Training steps against PyTorch's CPU: forward, loss, backward and step of one batch. On one thread in CPU seconds; on more in wall
 * seconds of the fastest step. Both programs in turn, several rounds, medians.
 *
 *     node bench/training.ts [--rounds 5] [--cases "ResNet,batch 1"] [--fused] [--threads N] [--python PATH]
 *
 * PyTorch: `python3 -m venv bench/peers/build/torch && bench/peers/build/torch/bin/pip install torch`.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { analognetKws } from "../models/analognet.ts";
import { pcmInference } from "../models/pcm-inference.ts";
import { resnet } from "../models/resnet.ts";
import {
  dense,
  type Layer,
  lstm,
  onlineNetwork,
  onTiles,
  relu,
  sequential,
  sgd,
  sigmoid,
  tile,
} from "../src/index.ts";
import { compileKernels } from "../src/tensor/kernels.ts";
import { Rows } from "../src/tensor/rows.ts";
import { takeTable } from "../src/tensor/table.ts";
import { describeMachine } from "./machine.ts";
import { fastest, timed } from "./timed.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    cases: { type: "string", default: "" }, // those whose name contains one of the texts
    fused: { type: "boolean", default: false },
    threads: { type: "string", default: "1" },
    python: { type: "string", default: "bench/peers/build/torch/bin/python" },
  },
});
const { fused } = values;
const threads = Number(values.threads);
const clock = threads > 1 ? fastest : timed;

interface Network {
  readonly layers: readonly Layer[];
  readonly inputs: readonly number[];
  readonly batch: number;
  readonly classes: number;
  readonly rows?: number; // labels of an example
  readonly noise?: boolean;
}

/** Seconds of a step, and bytes of the network's memory. */
async function step({ layers, inputs, batch, classes, rows = 1, noise }: Network) {
  const under = noise
    ? onTiles({
        tile: tile({ preset: "ideal", device: pcmInference }),
        noise: "constant",
        noiseScale: 0.1,
        rangeBatches: 0,
        learnRange: false,
      })
    : undefined;
  const network = await sequential(layers, {
    inputs,
    batch,
    seed: 1,
    fused,
    threads,
    memory: 3,
    matrices: under?.matrices,
  });
  network.optimizer = sgd({ learningRate: 1e-3, momentum: 0.9 });
  const size = inputs.reduce((a, b) => a * b, 1);
  const x = Float32Array.from({ length: batch * size }, (_, k) => Math.sin(12.9898 * k));
  const labels = Int32Array.from({ length: batch * rows }, (_, k) => k % classes);
  const seconds = clock(() => {
    network.forward(x, { purpose: "training" });
    network.judge({ labels });
    network.backward();
    network.step();
  });
  network.close();
  return { seconds, bytes: network.bytes };
}

async function online() {
  const network = await onlineNetwork([dense(784, 250), sigmoid(), dense(250, 10), sigmoid()], { seed: 1 });
  const x = Float32Array.from({ length: 784 }, (_, k) => Math.abs(Math.sin(12.9898 * k))); // none is 0
  let k = 0;
  return { seconds: clock(() => network.learn(x, k++ % 10, { learningRate: 1e-3 })), bytes: undefined };
}

async function product() {
  const size = 1024;
  const kernels = await compileKernels(2 ** 26, { fused, threads });
  const rows = new Rows(kernels, [size], size);
  const [x, y] = [0, 1].map(() => takeTable(kernels.heap, [size], size));
  const w = kernels.heap.take(size * size);
  rows.load(x);
  const seconds = clock(() => {
    rows.pack(w);
    rows.forward(y, size);
  });
  kernels.close();
  return { seconds, bytes: undefined };
}

interface Case {
  readonly name: string;
  readonly peer: string;
  readonly ours: () => Promise<{ seconds: number; bytes: number | undefined }>;
  /** Floating-point operations, where a rate is told. */
  readonly work?: number;
}

const pictures = { inputs: [32, 32, 3], classes: 10 };
const all: Case[] = [
  { name: "product of 1024 x 1024", peer: "product", ours: product, work: 2 * 1024 ** 3 },
  { name: "784-250-10, batch 1", peer: "mlp1", ours: online },
  {
    name: "784-250-10, batch 128",
    peer: "mlp128",
    ours: () =>
      step({ layers: [dense(784, 250), relu(), dense(250, 10)], inputs: [784], batch: 128, classes: 10 }),
  },
  {
    name: "LSTM 2 x 500, 100 times, batch 16",
    peer: "lstm",
    ours: () =>
      step({
        layers: [lstm(500), lstm(500), dense(500, 50)],
        inputs: [100, 50],
        batch: 16,
        classes: 50,
        rows: 100,
      }),
  },
  {
    name: "ResNet-20, batch 64",
    peer: "resnet20",
    ours: () => step({ layers: resnet({ n: 3, channels: [16, 32, 64] }), ...pictures, batch: 64 }),
  },
  {
    name: "AnalogNet-KWS, batch 100",
    peer: "kws",
    ours: () => step({ layers: analognetKws(), inputs: [49, 10, 1], batch: 100, classes: 12 }),
  },
  {
    name: "ResNet-32 with noise on weights, batch 128",
    peer: "resnet32-noise",
    ours: () => step({ layers: resnet(), ...pictures, batch: 128, noise: true }),
  },
  {
    name: "AnalogNet-KWS with noise on weights, batch 100",
    peer: "kws-noise",
    ours: () => step({ layers: analognetKws(), inputs: [49, 10, 1], batch: 100, classes: 12, noise: true }),
  },
];

function peer(name: string): number | undefined {
  if (!existsSync(values.python)) return undefined;
  const script = fileURLToPath(new URL("peers/training.py", import.meta.url));
  const { stdout, stderr, status } = spawnSync(values.python, [script, name, String(threads)], {
    encoding: "utf8",
    env: { ...process.env, OMP_NUM_THREADS: String(threads), MKL_NUM_THREADS: String(threads) },
  });
  if (status !== 0) throw new Error(`${name}: ${stderr}`);
  return JSON.parse(stdout.trim().split("\n").at(-1) as string).seconds;
}

const wanted = values.cases.split(",");
const cases = all.filter(({ name }) => wanted.some((text) => name.includes(text)));
const samples = cases.map(() => ({ ours: [] as number[], theirs: [] as number[], bytes: 0 }));
const loads: number[] = [];
for (let round = 0; round < Number(values.rounds); round++)
  for (const [k, one] of cases.entries()) {
    loads.push(loadavg()[0]);
    const { seconds, bytes = 0 } = await one.ours();
    samples[k].ours.push(seconds);
    samples[k].bytes = bytes;
    const theirs = peer(one.peer);
    if (theirs !== undefined) samples[k].theirs.push(theirs);
  }

const median = (list: readonly number[]) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const time = (seconds: number) =>
  seconds < 0.01 ? `${(1e3 * seconds).toPrecision(3)} ms` : `${(1e3 * seconds).toFixed(0)} ms`;
console.log(
  `${describeMachine()}; load ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}`,
);
console.log(
  `\n| ${threads > 1 ? `wall time of a step, ${threads} threads` : "CPU time of a step, one thread"}${fused ? ", fused" : ""} | memspike | PyTorch | PyTorch / memspike | memory |`,
);
console.log("|---|---|---|---|---|");
cases.forEach(({ name, work }, k) => {
  const { ours, theirs, bytes } = samples[k];
  const own = median(ours);
  const rate = work ? `, ${(work / own / 1e9).toFixed(0)} GFLOP/s` : "";
  const other = theirs.length > 0 ? median(theirs) : undefined;
  const cells = [
    `${time(own)}${rate}`,
    other === undefined ? "–" : time(other),
    other === undefined ? "–" : (other / own).toPrecision(2),
    bytes > 0 ? `${(bytes / 2 ** 20).toFixed(0)} MiB` : "–",
  ];
  console.log(`| ${name} | ${cells.join(" | ")} |`);
});
