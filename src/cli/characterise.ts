/** `memspike device show` and `device list`: what a device is and does, and which there are. */

import type { Fitted } from "../device/file.ts";
import type { Model } from "../language/model.ts";
import { characterise } from "../report/characterise.ts";
import type { ParameterValue } from "../report/experiment.ts";
import { durationText } from "../report/html.ts";
import { metricRows } from "../report/metrics.ts";
import { defaultRunFolder, expectFreeFolder, provenance, RunFolder } from "../report/results.ts";
import { numberText } from "../report/ticks.ts";
import { type ExitCode, exitCodes } from "./exit.ts";
import { deviceNamed, library } from "./library.ts";
import { ProgressDisplay } from "./progress.ts";
import { settings } from "./run.ts";
import { modelText } from "./show.ts";
import { aligned, columnWidths, metricLines } from "./summary.ts";

export interface ShowOptions {
  readonly set: readonly string[]; // "parameter=value"
  readonly seed: string | number;
  readonly devices?: number;
  readonly quick: boolean;
  readonly out?: string;
  readonly force: boolean;
  readonly json: boolean;
}

/** Progress is shown when it takes longer than this, ms. */
const patience = 1000;

/** Characterises a device into a run folder, and tells what it is and does. */
export async function deviceShow(target: string, options: ShowOptions): Promise<ExitCode> {
  const { seed, quick } = options;
  const { id, model: original, fitted } = await deviceNamed(target);
  const set = parameterValues(settings(options.set));
  const model = Object.keys(set).length > 0 ? original.with(set) : original;
  if (options.out !== undefined) expectFreeFolder(options.out, options.force);
  const begun = performance.now();
  let display: ProgressDisplay | undefined;
  const found = await characterise(model, {
    seed,
    quick,
    ...(options.devices === undefined ? {} : { devices: options.devices }),
    progress(fraction, message) {
      if (performance.now() - begun < patience) return;
      display ??= new ProgressDisplay(id, "auto", process.stderr);
      display.update(fraction, message);
    },
  }).finally(() => display?.close());
  const seconds = (performance.now() - begun) / 1000;

  const experiment = `device-${id.replace(/\.json$/, "").replace(/[^A-Za-z0-9]+/g, "-")}`;
  const folder = new RunFolder(
    options.out ?? defaultRunFolder(experiment, seed, new Date()),
    { experiment, seed, quick, parameters: parametersOf(model) },
    provenance(process.argv),
    { force: options.force || options.out === undefined },
  );
  const { metrics, meanings, figures, omitted } = found;
  const report = folder.finish(
    "done",
    { metrics, figures },
    {
      kind: "device",
      experiment: id,
      question: model.checked.name,
      source: model.checked.source,
      seed,
      quick,
      parameters: parametersOf(model),
      defaults: parametersOf(original),
      parameterMeanings: {},
      metricMeanings: meanings,
      omitted,
      texts: { "Model as written": writtenText(model) },
    },
    seconds,
  );
  if (options.json) {
    const summary = {
      device: id,
      name: model.checked.name,
      source: model.checked.source,
      seed,
      parameters: parametersOf(model),
      pulses: Object.keys(model.checked.handlers),
      metrics,
      meanings,
      omitted,
      figures: Object.keys(figures),
      ...(fitted ? { fitted } : {}),
      runFolder: folder.path,
      seconds,
    };
    process.stdout.write(`${JSON.stringify(summary)}\n`);
    return exitCodes.done;
  }
  const left = Object.entries(omitted).map(([name, why]) => [name, why]);
  const text = [
    modelText({ id, kind: "device", definition: plainDefinition(model) }),
    ...(fitted ? fittedLines(fitted) : []),
    `  measured (seed ${seed}, ${durationText(seconds)})`,
    ...metricLines(metricRows(metrics, meanings)).map((line) => `  ${line}`),
    "",
    ...(left.length > 0
      ? ["  left out", ...left.map((row) => `    ${aligned(row, columnWidths(left))}`), ""]
      : []),
    `report  ${report}`,
    "",
  ];
  process.stdout.write(text.join("\n"));
  return exitCodes.done;
}

/** Prints the devices of models/: name, pulses, what they are, and where that comes from. */
export async function deviceList(options: { json: boolean }): Promise<ExitCode> {
  const devices = (await library()).map(({ id, model }) => ({
    id,
    name: model.checked.name,
    pulses: Object.keys(model.checked.handlers),
    parameters: model.checked.parameters.length,
    source: model.checked.source,
  }));
  if (options.json) {
    process.stdout.write(`${JSON.stringify(devices, null, 2)}\n`);
    return exitCodes.done;
  }
  const rows = devices.map(({ id, name, pulses }) => [id, name, pulses.join(", ")]);
  const widths = columnWidths(rows);
  const lines = rows.flatMap((row, k) => [`  ${aligned(row, widths)}`, `      ${devices[k].source}`]);
  process.stdout.write(
    ["Devices (memspike device show <name>): name, what it is, its pulses", ...lines, ""].join("\n"),
  );
  return exitCodes.done;
}

/** Settings as a model takes them: text of a plain number is that number. */
function parameterValues(set: Readonly<Record<string, string>>): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(set).map(([name, text]) => [
      name,
      text !== "" && Number.isFinite(Number(text)) ? Number(text) : text,
    ]),
  );
}

function parametersOf(model: Model<"device">): Record<string, ParameterValue> {
  return { ...model.definition.parameters };
}

function plainDefinition(model: Model<"device">): Readonly<Record<string, unknown>> {
  return { ...model.definition };
}

/** The texts of a model, for the report: everything but its name, source and parameters. */
export function writtenText(model: Model<"device">): string {
  const { parameters: _, ...definition } = plainDefinition(model);
  return modelText({ id: "", kind: "device", definition })
    .split("\n")
    .slice(3)
    .map((line) => line.replace(/^ {2}/, ""))
    .join("\n")
    .trim();
}

/** What a fit found, in the terminal. */
function fittedLines({ data, rows, devices, logLikelihood, free, intervals95 }: Fitted): string[] {
  const told = free.map((name) => {
    const [low, high] = intervals95[name] ?? [Number.NaN, Number.NaN];
    return [name, `${numberText(low)} to ${numberText(high)}`];
  });
  return [
    `  fitted to ${data}: ${rows} reads of ${devices} devices, log-likelihood ${numberText(logLikelihood)}; 95 % intervals (SI)`,
    ...told.map((row) => `    ${aligned(row, columnWidths(told))}`),
    "",
  ];
}
