/** `memspike show`: what an experiment or a model is made of, from the plain data it is. */

import { didYouMean } from "../math/nearest.ts";
import { type Experiment, unitOf } from "../report/experiment.ts";
import { parameterText } from "../report/html.ts";
import { describedUnit } from "../report/metrics.ts";
import { addressOf, loadExperiment, names } from "./catalogue.ts";
import { type ExitCode, exitCodes, UsageError } from "./exit.ts";

/** A model as plain data, with the name it is asked for by: file and export. */
export interface ShownModel {
  readonly id: string; // "cuba.excitatory"
  readonly kind: string;
  readonly definition: Readonly<Record<string, unknown>>;
}

const kinds = ["neuron", "synapse", "device"];

/** The models a file exports. */
export async function modelsIn(address: string, file: string): Promise<ShownModel[]> {
  const exported = (await import(address)) as Record<string, unknown>;
  return Object.entries(exported).flatMap(([name, value]) => {
    if (typeof value !== "object" || value === null) return [];
    const { kind, definition } = value as { kind?: unknown; definition?: unknown };
    if (typeof kind !== "string" || !kinds.includes(kind)) return [];
    const plain = typeof definition === "object" && definition !== null ? definition : value;
    return [{ id: `${file}.${name}`, kind, definition: plain as Record<string, unknown> }];
  });
}

/** Prints the experiment of that name, the models of the file of that name, or the one model named. */
export async function show(name: string, options: { json: boolean }): Promise<ExitCode> {
  const [file, own] = name.split(".", 2);
  const experiment =
    own === undefined && names("experiments").includes(name)
      ? await loadExperiment(addressOf("experiments", name))
      : undefined;
  const models = names("models").includes(file) ? await modelsIn(addressOf("models", file), file) : [];
  const shown = own === undefined ? models : models.filter(({ id }) => id === name);
  if (experiment === undefined && shown.length === 0) {
    if (own === undefined && names("models").includes(file))
      throw new UsageError(
        `${file} has no equations to show${file === "networks" ? "; see memspike map" : ""}`,
      );
    const known = [...names("experiments"), ...names("models"), ...models.map(({ id }) => id)];
    throw new UsageError(
      `there is no experiment or model ${name}${didYouMean(name, known) || "; see memspike list"}`,
    );
  }
  if (options.json) {
    const plain = { ...(experiment ? { experiment } : {}), models: shown };
    process.stdout.write(`${JSON.stringify(plain, null, 2)}\n`);
  } else
    process.stdout.write(
      [...(experiment ? [experimentText(experiment)] : []), ...shown.map(modelText)].join("\n"),
    );
  return exitCodes.done;
}

function experimentText({
  name,
  question,
  source,
  parameters,
  quick = {},
  recipes = {},
  describe = {},
  metrics = {},
  seed,
}: Experiment): string {
  const quickValue = (key: string) => (key in quick ? `quick ${parameterText(quick[key] as never)}` : "");
  const rows = Object.entries(parameters).map(([key, value]) => [
    key,
    parameterText(value),
    quickValue(key),
    describe[key] ?? "",
  ]);
  const measured = Object.entries(metrics).map(([key, words]) => {
    const { description, unit } = describedUnit(words);
    return [key, unit, description];
  });
  return [
    `experiment ${name}`,
    ...indented([question, `source: ${source}`, `default seed: ${seed ?? 1}`]),
    ...section("parameters", table(rows)),
    ...Object.entries(recipes).flatMap(([recipe, values]) =>
      section(
        `--set recipe=${recipe}`,
        table(Object.entries(values).map(([key, value]) => [key, parameterText(value as never)])),
      ),
    ),
    ...section("metrics", table(measured)),
    "",
  ].join("\n");
}

/** A model in words: what it is called, its texts as written, its parameters with their units. */
export function modelText({ id, kind, definition }: ShownModel): string {
  const { name, source, parameters, ...rest } = definition;
  const sections = Object.entries(rest).flatMap(([part, value]) => {
    if (typeof value === "string") return section(part, trimmed(value));
    if (typeof value === "number") return section(part, [String(value)]);
    if (Array.isArray(value)) return section(part, [value.join(", ")]);
    if (typeof value !== "object" || value === null) return [];
    return section(part, table(Object.entries(value).map(([key, text]) => [key, String(text)])));
  });
  const rows = Object.entries((parameters ?? {}) as Record<string, string | number>).map(([key, value]) => [
    key,
    ...(typeof value === "string" ? quantityColumns(value) : [String(value), ""]),
  ]);
  return [
    `${kind} ${id}`,
    ...indented([String(name), ...(source === undefined ? [] : [`source: ${source}`])]),
    ...sections,
    ...section("parameters", table(rows)),
    "",
  ].join("\n");
}

/** "5 ms" as its number and its unit. */
function quantityColumns(text: string): string[] {
  const unit = unitOf(text);
  return unit === undefined ? [text, ""] : [text.trim().slice(0, -unit.length).trim(), unit];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", `  ${title}`, ...indented(indented(lines))];
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

/** Columns as wide as their widest entry, but 36 at most; values of several lines go below each other. */
function table(rows: readonly (readonly string[])[]): string[] {
  const count = Math.max(...rows.map((row) => row.length), 0);
  const widths = Array.from({ length: count }, (_, k) =>
    Math.min(
      36,
      Math.max(...rows.map((row) => Math.max(...(row[k] ?? "").split("\n").map((line) => line.length)))),
    ),
  );
  return rows.flatMap((row) => {
    const cells = row.map((cell) => trimmed(cell));
    const height = Math.max(...cells.map((cell) => cell.length));
    return Array.from({ length: height }, (_, line) =>
      cells
        .map((cell, k) => (cell[line] ?? "").padEnd(widths[k]))
        .filter((_, k) => widths[k] > 0)
        .join("  ")
        .trimEnd(),
    );
  });
}

/** The lines of a text without the blank ones around it and without their common indentation. */
function trimmed(text: string): string[] {
  const lines = text.replace(/^\s*\n|\n\s*$/g, "").split("\n");
  const depths = lines
    .filter((line) => line.trim() !== "")
    .map((line) => line.length - line.trimStart().length);
  const depth = Math.min(...depths, 1000);
  return lines.map((line) => line.slice(depth).trimEnd());
}
