/**
 * Compiling and running networks: the two ways in.
 */
import { ConfigError } from "../math/errors.ts";
import { seconds, type Time } from "../math/units.ts";
import type { Precision } from "../wasm/graph.ts";
import { build } from "./build.ts";
import type { Built } from "./built.ts";
import type { Network } from "./network.ts";
import type { Recorded, Recorder } from "./record.ts";
import { type RunOptions, Simulation } from "./simulation.ts";
import { processors, startTeam, threadsAvailable } from "./workers.ts";

export interface CompileOptions {
  readonly dt: Time;
  /** Text or number; every random draw follows from it. */
  readonly seed: string | number;
  /** Default "float64"; "float32" halves the memory and doubles the lanes. */
  readonly precision?: Precision;
  /** Threads at most (default: one for networks below 10,000 cells, else the processors, at most 8). The bits do not depend on it. */
  readonly threads?: number;
}

/** Cells from which more than one thread pays (measured: bench/README.md). */
const manyCells = 10_000;

/**
 * Compiles a network to machine code with its memory filled, ready to run again and again.
 * Throws `ConfigError` or `ModelError` where the parts do not fit.
 */
export async function compile<const N extends Network>(
  network: N,
  options: CompileOptions,
): Promise<Simulation<N>> {
  const { precision = "float64" } = options;
  if (precision !== "float64" && precision !== "float32")
    throw new ConfigError(`precision is "float64" or "float32", not ${JSON.stringify(precision)}`);
  const asked = options.threads;
  if (asked !== undefined && !(Number.isInteger(asked) && asked >= 1 && asked <= 64))
    throw new ConfigError(`threads must be a whole number from 1 to 64, not ${asked}`);
  let size = 0;
  for (const part of Object.values(network)) if (part.kind === "population") size += part.size;
  const wanted = asked ?? (size >= manyCells ? Math.min(processors(), mostThreads) : 1);
  const available = threadsAvailable();
  const built = build(network, {
    dt: seconds(options.dt, "dt"),
    seed: options.seed,
    precision,
    threads: available ? wanted : 1,
    mainMayBlock: !("document" in globalThis),
  });
  const pages = built.layout.pages;
  if (pages > mostPages) throw tooLarge(built.layout);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: built.threads > 1 });
  const module = await WebAssembly.compile(built.bytes);
  const instance = await WebAssembly.instantiate(module, { env: { memory } });
  const team = built.threads > 1 ? await startTeam(module, memory, built.threads - 1) : undefined;
  const alone =
    wanted > 1 && !available
      ? "there is no shared memory here: a page needs the headers COOP and COEP"
      : built.oneThreadBecause;
  return new Simulation(network, { ...built, oneThreadBecause: alone }, memory, instance, team);
}

/** Threads a network takes when none are asked for: more have not been measured. */
const mostThreads = 8;

const mostPages = 65536; // 4 GiB, what 32-bit addresses reach

function tooLarge({ bytes, shares }: Built["layout"]): ConfigError {
  const gigabytes = (n: number) => `${(n / 1e9).toPrecision(3)} GB`;
  const largest = Object.entries(shares)
    .filter(([, n]) => n > bytes / 100)
    .sort((a, b) => b[1] - a[1])
    .slice(0, 3)
    .map(([label, n]) => `${label} ${gigabytes(n)}`);
  return new ConfigError(
    `the network needs ${gigabytes(bytes)}, more than the 4.29 GB of one WebAssembly memory: ${largest.join(", ")}`,
  );
}

export interface SimulateOptions<R extends Readonly<Record<string, Recorder>>>
  extends CompileOptions,
    RunOptions<R> {
  readonly signal?: AbortSignal;
  /** Called now and then with the fraction done. */
  readonly progress?: (fraction: number) => void;
}

/** Compiles a network, runs it once and gives back what was recorded. Lets other work in between every 50 ms. */
export async function simulate<const N extends Network, const R extends Readonly<Record<string, Recorder>>>(
  network: N,
  options: SimulateOptions<R>,
): Promise<Recorded<R>> {
  const simulation = await compile(network, options);
  try {
    const steps = simulation.steps(options);
    let last = performance.now();
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
      if (performance.now() - last > 50) {
        options.progress?.(step.value);
        await new Promise((resolve) => setTimeout(resolve, 0));
        options.signal?.throwIfAborted();
        last = performance.now();
      }
    }
  } finally {
    simulation.close();
  }
}
