/** `memspike run`: one experiment from its parameters to a run folder. The experiment works in a thread. */

import { fileURLToPath } from "node:url";
import { attend } from "./attendant.ts";
import { experimentAddress } from "./catalogue.ts";
import { type ExitCode, UsageError } from "./exit.ts";
import type { ProgressMode } from "./progress.ts";
import type { WorkerTask } from "./worker.ts";

export interface RunOptions {
  readonly quick: boolean;
  readonly seed?: string | number;
  readonly set: readonly string[]; // "key=value"
  readonly out?: string;
  readonly force: boolean;
  readonly threads?: number;
  readonly json: boolean;
  readonly progress: ProgressMode;
}

/** Runs the experiment of that name or file; returns the exit code. Throws before a run has begun. */
export async function run(target: string, options: RunOptions): Promise<ExitCode> {
  const address = experimentAddress(target);
  const { quick, threads, seed, set, ...rest } = options;
  const asked = threads === undefined ? {} : { threads };
  return await attend<WorkerTask>({
    ...rest,
    ...asked,
    quick,
    worker: "worker",
    kind: "experiment",
    file: fileURLToPath(address),
    task: { address, quick, set: settings(set), ...asked, ...(seed === undefined ? {} : { seed }) },
  });
}

/** `key=value` pairs as a record. Throws `UsageError` on one without "=", or twice the same key. */
export function settings(pairs: readonly string[]): Record<string, string> {
  const record: Record<string, string> = {};
  for (const pair of pairs) {
    const split = pair.indexOf("=");
    if (split < 1) throw new UsageError(`--set takes key=value, not ${JSON.stringify(pair)}`);
    const key = pair.slice(0, split).trim();
    if (Object.hasOwn(record, key)) throw new UsageError(`--set gives ${key} twice`);
    record[key] = pair.slice(split + 1).trim();
  }
  return record;
}
