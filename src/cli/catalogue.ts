/**
 * What can be run and shown: the experiments and models beside this program, and files of the user.
 *
 * Names come from listing the folders `experiments` and `models` next to `src`, as .ts in a checkout and .js when
 * built; a file is imported only when something of it is asked for.
 */

import * as fs from "node:fs";
import * as path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ConfigError } from "../math/errors.ts";
import { didYouMean } from "../math/nearest.ts";
import { type Experiment, isExperiment } from "../report/experiment.ts";
import { shortPath, UsageError } from "./exit.ts";

/** The folder that holds src, models, experiments and datasets: the checkout, or dist. */
export const home = new URL("../../", import.meta.url);

/** ".ts" in a checkout, ".js" when built. */
export const extension = path.extname(fileURLToPath(import.meta.url));

/** Names of the files in a folder beside src, sorted. */
export function names(folder: "experiments" | "experiments/papers" | "models"): string[] {
  const place = new URL(`${folder}/`, home);
  if (!fs.existsSync(place)) return [];
  return fs
    .readdirSync(place)
    .filter((file) => file.endsWith(extension) && !file.endsWith(`.d${extension}`))
    .map((file) => file.slice(0, -extension.length))
    .sort();
}

/** The address of a file in a folder beside src. */
export function addressOf(
  folder: "experiments" | "experiments/papers" | "models" | "datasets",
  name: string,
): string {
  return new URL(`${folder}/${name}${extension}`, home).href;
}

/** The address of an experiment by name, or of a file of one. Throws `UsageError` when there is none. */
export function experimentAddress(target: string): string {
  if (/[\\/]|\.[cm]?[jt]s$/.test(target)) {
    const file = path.resolve(target);
    if (fs.statSync(file, { throwIfNoEntry: false })?.isFile()) return pathToFileURL(file).href;
    throw new UsageError(`there is no file ${target}`);
  }
  const known = names("experiments");
  if (known.includes(target)) return addressOf("experiments", target);
  const hint = didYouMean(target, known) || `; there are ${known.join(", ") || "none"}`;
  throw new UsageError(`there is no experiment ${target}${hint}`);
}

/** The experiment a module exports by default. Throws `ConfigError` when it does not. */
export async function loadExperiment(address: string): Promise<Experiment> {
  const loaded = (await import(address)) as { default?: unknown };
  if (isExperiment(loaded.default)) return loaded.default;
  const file = shortPath(fileURLToPath(address));
  const found = loaded.default === undefined ? "no default export" : "a default export of another kind";
  throw new ConfigError(`${file} has ${found}; write "export default experiment({ … })"`);
}
