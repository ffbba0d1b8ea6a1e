/** `memspike fit`: a device model, or several, fitted to measurements, into a folder with a device file and a report. */

import type { FitOptions } from "../fit/fit.ts";
import { expectFreeFolder } from "../report/results.ts";
import { attend } from "./attendant.ts";
import { type ExitCode, UsageError } from "./exit.ts";
import type { FitTask } from "./fitting.ts";
import type { ProgressMode } from "./progress.ts";

/** Options as they are written on the command line. */
export interface FitFlags {
  readonly model: string; // "softBounds,linearStep"
  readonly free: readonly string[]; // "a,b"
  readonly fix: readonly string[]; // "c=0.1,d=2 mS"
  readonly bounds: readonly string[]; // "gamma=-5:5"
  readonly metadata: Readonly<Record<string, string>>;
  readonly start?: FitOptions["start"];
  readonly intervals?: FitOptions["intervals"];
  readonly replicates?: number;
  readonly loss?: FitOptions["loss"];
  readonly residual?: boolean;
  readonly starts?: number;
  readonly posterior?: number;
  readonly seed: string | number;
  readonly out?: string;
  readonly force: boolean;
  readonly json: boolean;
  readonly progress: ProgressMode;
}

/** Fits; returns the exit code. Throws before the fit has begun. */
export async function fitData(data: string, flags: FitFlags): Promise<ExitCode> {
  const { seed, posterior, metadata, out, force, json, progress } = flags;
  const models = listOf(flags.model);
  if (models.length === 0) throw new UsageError("--model names a device; see memspike device list");
  const twice = models.find((name, k) => models.indexOf(name) < k);
  if (twice !== undefined) throw new UsageError(`--model names ${twice} twice`);
  if (out !== undefined) expectFreeFolder(out, force);
  const free = flags.free.flatMap(listOf);
  const { start, intervals, replicates, loss, residual, starts } = flags;
  return await attend<FitTask>({
    worker: "fitter",
    kind: "fit",
    quick: false,
    force,
    json,
    progress,
    ...(out === undefined ? {} : { out }),
    task: {
      data,
      metadata,
      models,
      seed,
      ...(posterior === undefined ? {} : { posterior }),
      options: {
        ...(free.length > 0 ? { free } : {}),
        fix: valuesOf(flags.fix),
        bounds: boundsOf(flags.bounds),
        ...(start === undefined ? {} : { start }),
        ...(intervals === undefined ? {} : { intervals }),
        ...(replicates === undefined ? {} : { replicates }),
        ...(loss === undefined ? {} : { loss }),
        ...(residual === undefined ? {} : { residual }),
        ...(starts === undefined ? {} : { starts }),
      },
    },
  });
}

const listOf = (words: string): string[] =>
  words
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");

/** "c=0.1,d=2 mS" as names and texts. Throws `UsageError`, also on a name that comes twice. */
function pairsOf(option: string, words: readonly string[], form: string): [name: string, value: string][] {
  const pairs = words.flatMap(listOf).map((pair): [string, string] => {
    const cut = pair.indexOf("=");
    if (cut < 1 || cut === pair.length - 1)
      throw new UsageError(`${option} takes ${form}, not ${JSON.stringify(pair)}`);
    return [pair.slice(0, cut).trim(), pair.slice(cut + 1).trim()];
  });
  const twice = pairs.find(([name], k) => pairs.findIndex(([other]) => other === name) < k);
  if (twice) throw new UsageError(`${option} gives ${twice[0]} twice`);
  return pairs;
}

/** Values as a model takes them: text of a plain number is that number. */
function numberOrText(text: string): string | number {
  return text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

function valuesOf(words: readonly string[]): Record<string, string | number> {
  return Object.fromEntries(
    pairsOf("--fix", words, "parameter=value").map(([name, text]) => [name, numberOrText(text)]),
  );
}

/** "gamma=-5:5"; a side that is empty is open, also for a parameter that would stay positive by itself. */
function boundsOf(words: readonly string[]): Record<string, [low: string | number, high: string | number]> {
  return Object.fromEntries(
    pairsOf("--bounds", words, "parameter=low:high").map(([name, text]) => {
      const sides = text.split(":").map((side) => side.trim());
      if (sides.length !== 2)
        throw new UsageError(`--bounds takes parameter=low:high, not ${JSON.stringify(`${name}=${text}`)}`);
      const [low, high] = sides;
      return [
        name,
        [
          low === "" ? Number.NEGATIVE_INFINITY : numberOrText(low),
          high === "" ? Number.POSITIVE_INFINITY : numberOrText(high),
        ],
      ];
    }),
  );
}
