/**
 * Write pulses a second on one core: PCM accumulation against NumPy, and the exponential step against NumPy's and
 * aihwkit's tile of the same model. Every program in turn, several rounds, medians; means of the conductances must agree.
 *
 *     node bench/pulses.ts [--rounds 5] [--python PATH]
 *
 * aihwkit and NumPy: `python3 -m venv bench/peers/build/aihwkit && bench/peers/build/aihwkit/bin/pip install aihwkit`.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { pcm, pcmExponentialStep } from "../models/pcm.ts";
import { fabricate } from "../src/index.ts";
import { describeMachine } from "./machine.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    python: { type: "string", default: "bench/peers/build/aihwkit/bin/python" },
  },
});

const devices = 1_000_000;
const pulses = 20;

interface Sample {
  readonly rate: number; // pulses a second
  readonly mean: number; // of the conductances after all pulses, uS
}

async function ours(model: typeof pcm | typeof pcmExponentialStep): Promise<Sample> {
  const array = await fabricate(devices, model as typeof pcm, { seed: 1 });
  array.pulse("set"); // compiled and warm
  array.pulse("reset");
  const start = performance.now();
  for (let n = 0; n < pulses; n++) array.pulse("set");
  const seconds = (performance.now() - start) / 1000;
  const G = array.get("G");
  return { rate: (devices * pulses) / seconds, mean: (1e6 * G.reduce((a, b) => a + b, 0)) / devices };
}

function peer(program: string): Sample | undefined {
  if (!existsSync(values.python)) return undefined;
  const script = fileURLToPath(new URL("peers/pulses.py", import.meta.url));
  const { stdout, stderr, status } = spawnSync(values.python, [script, program, `${devices}`, `${pulses}`], {
    encoding: "utf8",
    env: { ...process.env, OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" },
  });
  if (status !== 0) throw new Error(`${program}: ${stderr}`);
  return JSON.parse(stdout.trim().split("\n").at(-1) as string);
}

const programs: Record<string, () => Promise<Sample | undefined>> = {
  "PCM accumulation, memspike": () => ours(pcm),
  "PCM accumulation, NumPy": async () => peer("numpy-pcm"),
  "exponential step, memspike": () => ours(pcmExponentialStep),
  "exponential step, NumPy": async () => peer("numpy-exponential"),
  "exponential step, aihwkit CPU tile": async () => peer("aihwkit-exponential"),
};

const samples = new Map<string, Sample[]>();
for (let round = 0; round < Number(values.rounds); round++)
  for (const [name, run] of Object.entries(programs)) {
    const sample = await run();
    if (sample) samples.set(name, [...(samples.get(name) ?? []), sample]);
  }

const median = (x: number[]) => x.sort((a, b) => a - b)[Math.floor(x.length / 2)];
const rate = (name: string) => median((samples.get(name) ?? []).map((each) => each.rate));
console.log(
  `${describeMachine()}, ${devices} devices, ${pulses} SET pulses each, one core, ${values.rounds} rounds\n`,
);
console.log(
  "| model, program | million pulses/s | ours is faster by | mean G, uS |\n| --- | --- | --- | --- |",
);
for (const [name, own] of samples) {
  const ratio = rate(`${name.split(",")[0]}, memspike`) / rate(name);
  const mean = own.reduce((sum, each) => sum + each.mean, 0) / own.length;
  console.log(`| ${name} | ${(rate(name) / 1e6).toFixed(2)} | ${ratio.toFixed(1)} | ${mean.toFixed(2)} |`);
}
