/**
 * The machine under the measurement: its name, whether it is quiet, and what others used of it meanwhile.
 *
 * Reads /proc; where there is none (not Linux) every machine counts as quiet.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { cpus, setPriority, totalmem } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

const ticksPerSecond = 100; // USER_HZ of Linux, the unit of /proc/stat

export function describeMachine(): string {
  const cores = cpus();
  return `${cores.length} x ${cores[0].model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`;
}

interface Use {
  readonly busy: number; // s of all cores
  readonly total: number; // s of all cores
  readonly children: number; // s of processes that this one has waited for
}

function use(): Use | undefined {
  if (!existsSync("/proc/stat")) return undefined;
  const cpu = readFileSync("/proc/stat", "utf8").split("\n")[0].split(/\s+/).slice(1, 9).map(Number);
  const total = cpu.reduce((a, b) => a + b, 0);
  const own = readFileSync("/proc/self/stat", "utf8").split(") ")[1].split(" ").map(Number);
  return {
    busy: (total - cpu[3] - cpu[4]) / ticksPerSecond,
    total: total / ticksPerSecond,
    children: (own[13] + own[14]) / ticksPerSecond,
  };
}

/** Waits until other processes use less than 6 % of the cores, at most `limit` seconds. */
export async function quiet(limit: number): Promise<void> {
  for (const end = Date.now() + 1000 * limit; Date.now() < end; ) {
    const before = use();
    await sleep(300);
    const after = use();
    if (!before || !after || after.busy - before.busy < 0.06 * (after.total - before.total)) return;
  }
}

export interface Sample {
  readonly run_s: number;
  readonly rate_hz: number;
  readonly spikes: number;
  readonly synapses: number;
  readonly build_s: number;
  readonly peer?: string;
  readonly bytes_per_synapse?: number;
  /** Share of all cores that other processes used while the sample ran. */
  readonly others: number;
  readonly [more: string]: unknown;
}

/** Runs one sample process with as much priority as it is allowed. Throws with its last words when it fails. */
export async function sample(command: readonly string[]): Promise<Sample> {
  const before = use();
  const child = spawn(command[0], command.slice(1), { stdio: ["ignore", "pipe", "pipe"] });
  try {
    if (child.pid !== undefined) setPriority(child.pid, -20);
  } catch {
    // only root may raise priority; a sample at the usual one is as valid on a quiet machine
  }
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), ended(child)]);
  const after = use();
  const line = out.split("\n").findLast((l) => l.startsWith("{"));
  if (!line) throw new Error(`${command.join(" ")}\n${err.slice(-2000)}\nended without a result`);
  const others =
    before && after
      ? (after.busy - before.busy - (after.children - before.children)) / (after.total - before.total)
      : 0;
  return { ...(JSON.parse(line) as Sample), others: Math.max(0, Math.round(1000 * others) / 1000) };
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  let whole = "";
  for await (const chunk of stream) whole += chunk;
  return whole;
}

const ended = (child: ReturnType<typeof spawn>): Promise<void> =>
  new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => resolve());
  });
