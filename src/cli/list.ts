/** `memspike list`: which experiments and models there are. */

import { addressOf, loadExperiment, names } from "./catalogue.ts";
import { type ExitCode, exitCodes, faultOf, faultText } from "./exit.ts";
import { modelsIn } from "./show.ts";

interface Entry {
  readonly name: string;
  readonly about: string;
  readonly error?: string;
}

/** Prints names with a line about each. What does not load is listed with its error, and the exit code is 1. */
export async function list(options: { json: boolean }): Promise<ExitCode> {
  const experiments = await entries(
    "experiments",
    async (address) => (await loadExperiment(address)).question,
  );
  const models = await entries("models", async (address, name) => {
    const found = await modelsIn(address, name);
    if (found.length > 0) return found.map(({ id }) => id.slice(name.length + 1)).join(", ");
    const exported = Object.entries((await import(address)) as Record<string, unknown>);
    return exported.map(([each, value]) => (typeof value === "function" ? `${each}()` : each)).join(", ");
  });
  if (options.json) process.stdout.write(`${JSON.stringify({ experiments, models }, null, 2)}\n`);
  else {
    const width = Math.max(...[...experiments, ...models].map(({ name }) => name.length), 0);
    const lines = (all: readonly Entry[]) =>
      all.map(
        ({ name, about, error }) => `  ${name.padEnd(width)}  ${error ? `does not load: ${error}` : about}`,
      );
    const text = [
      "Experiments (memspike run <name>)",
      ...(experiments.length > 0 ? lines(experiments) : ["  none"]),
      "",
      "Models (memspike show <name>)",
      ...(models.length > 0 ? lines(models) : ["  none"]),
      "",
    ];
    process.stdout.write(text.join("\n"));
  }
  return [...experiments, ...models].some(({ error }) => error !== undefined)
    ? exitCodes.failed
    : exitCodes.done;
}

async function entries(
  folder: "experiments" | "models",
  about: (address: string, name: string) => Promise<string>,
): Promise<Entry[]> {
  const all: Entry[] = [];
  for (const name of names(folder)) {
    try {
      all.push({ name, about: await about(addressOf(folder, name), name) });
    } catch (error) {
      all.push({ name, about: "", error: faultText(faultOf(error)).split("\n")[0] });
    }
  }
  return all;
}
