/** What is told of fits: the report, records for programs, device files. The lines for a terminal are in told.ts. */

import { deviceFile, type Fitted } from "../device/file.ts";
import type { Check } from "../fit/check.ts";
import { compare, type Ranked } from "../fit/compare.ts";
import { residual } from "../fit/fit.ts";
import { device } from "../language/model.ts";
import { unitDimension } from "../math/units.ts";
import { devicesOf, readCount } from "../measured/measurement.ts";
import type { Table } from "../measured/table.ts";
import { dataFigure, fitReport } from "../report/fitted.ts";
import { residualSummary, residualsOf } from "../report/residuals.ts";
import { writtenText } from "./characterise.ts";
import type { Outcome } from "./thread.ts";
import { dataLine, type FittedModel, fitLines } from "./told.ts";

/** Everything that has been found so far. */
export interface Account {
  readonly table: Table;
  /** In the order asked for; at least one. */
  readonly fitted: readonly FittedModel[];
  /** Models that could not be fitted, and why. */
  readonly refused: Readonly<Record<string, string>>;
  /** Of the best. */
  readonly check?: Check;
}

/** A word for the name of a file: of a path the file without its ending. */
export const wordOf = (target: string): string =>
  (target.split(/[\\/]/).at(-1) as string)
    .replace(/\.(csv|tsv|txt|json|gz)\b/g, "")
    .replace(/[^A-Za-z0-9]+/g, "-");

/** Models, best first: by the widely applicable criterion where all have a posterior, else by AICc. */
function ranked(fitted: readonly FittedModel[]): Ranked[] {
  const sampled = fitted.every(({ posterior }) => posterior !== undefined);
  return compare(
    fitted.map(({ name, fit, posterior }) => ({
      name,
      logLikelihood: fit.logLikelihood,
      parameters: fit.parameters.length,
      observations: fit.reads,
      ...(posterior && sampled ? { pointwise: posterior.pointwise } : {}),
    })),
    { by: sampled ? "waic" : "aicc" },
  );
}

export function bestOf(fitted: readonly FittedModel[]): FittedModel {
  const [{ name }] = ranked(fitted);
  return fitted.find((each) => each.name === name) as FittedModel;
}

/** What there is before any fit. */
export function dataOutcome(table: Table): Outcome {
  const { measurement } = table;
  return {
    metrics: { reads: readCount(measurement), devices: devicesOf(measurement).length },
    meanings: { reads: "reads of the data", devices: "devices they are from" },
    figures: { data: dataFigure(measurement) },
    lines: [dataLine(table), "  nothing is fitted yet"],
    json: { data: measurement.source, models: [] },
  };
}

/** Tables, figures and files of what has been found; figures and checks are those of the best model. */
export function outcomeOf({ table, fitted, refused, check }: Account): Outcome {
  const comparison = ranked(fitted);
  const best = bestOf(fitted);
  const { fit, posterior } = best;
  const record = {
    data: table.measurement.source,
    kind: table.kind,
    models: comparison.map((row) => ({
      ...modelRecord(fitted.find(({ name }) => name === row.name) as FittedModel),
      ...criteriaRecord(row),
    })),
    refused,
    ...(check ? { checks: { replicates: check.replicates, statistics: check.statistics } } : {}),
  };
  const { pulses } = fit.measurement;
  return {
    ...fitReport({ fit, comparison, ...(posterior ? { posterior } : {}), ...(check ? { check } : {}) }),
    omitted: refused,
    texts: { "Model as written": writtenText(fit.model) },
    files: {
      "fit.json": `${JSON.stringify(record, null, 2)}\n`,
      "device.json": fittedFile(best),
      ...(fitted.length > 1
        ? Object.fromEntries(fitted.map((each) => [`device-${wordOf(each.name)}.json`, fittedFile(each)]))
        : {}),
    },
    lines: fitLines(table, best, { comparison, refused, ...(check ? { check } : {}) }),
    next: {
      command: pulses.some((pulse) => pulse === "up" || pulse === "set")
        ? "memspike run pcm-letters --set device="
        : "memspike device show ",
      file: "device.json",
    },
    json: record,
  };
}

/** Numbers of a fit in the units of its model. */
function modelRecord({ name, fit, posterior }: FittedModel) {
  const { parameters, held, search } = fit;
  const perUnit = (unit: string) => (unit === "" ? 1 : 1 / unitDimension(unit).factor);
  return {
    name,
    model: fit.model.checked.name,
    source: fit.model.checked.source,
    start: fit.start,
    reads: fit.reads,
    devices: fit.devices,
    searches: fit.searches,
    agreeing: fit.agreeing,
    parameters: parameters.map(({ name, unit, value, standardError, interval95: [low, high] }) => ({
      name,
      unit,
      value: value * perUnit(unit),
      standardError: standardError * perUnit(unit),
      interval95: [low * perUnit(unit), high * perUnit(unit)],
    })),
    held: held.map(({ name, unit, value, reason }) => ({ name, unit, value: value * perUnit(unit), reason })),
    residuals: residualSummary(residualsOf(search.likelihood.reads, fit.prediction), search.likelihood.reads),
    ...(posterior
      ? {
          posterior: {
            draws: posterior.draws,
            acceptance: posterior.acceptance,
            quantiles: Object.fromEntries(
              parameters.map(({ name, unit }, k) => [
                name,
                posterior.quantiles[k].map((value) => value * perUnit(unit)),
              ]),
            ),
            diagnosis: posterior.diagnosis,
          },
        }
      : {}),
  };
}

function criteriaRecord({ name: _, parameters: count, waic, ...row }: Ranked) {
  if (!waic) return { fitted: count, ...row };
  const { pointwise: __, ...told } = waic;
  return { fitted: count, ...row, waic: told };
}

/** Samples of the posterior that a device file holds at most. */
const mostSamples = 1000;

/** The device file of a fit. A residual is noise of the measurement, not of the device, and stays out. */
export function fittedFile({ fit, posterior }: FittedModel): string {
  const { measurement, model, parameters, covariance } = fit;
  const own = parameters.map(({ name }, k) => ({ name, k })).filter(({ name }) => name !== residual);
  const finite = (end: number) => Math.min(Math.max(end, -Number.MAX_VALUE), Number.MAX_VALUE); // JSON knows no infinity
  const every = posterior ? Math.ceil(posterior.draws / mostSamples) : 1;
  const fitted: Fitted = {
    data: measurement.source,
    rows: fit.reads,
    devices: fit.devices,
    logLikelihood: fit.logLikelihood,
    free: own.map(({ name }) => name),
    covariance: own.map(({ k: row }) => own.map(({ k: column }) => covariance[row][column])),
    intervals95: Object.fromEntries(
      own.map(({ name, k }) => {
        const [low, high] = parameters[k].interval95;
        return [name, [finite(low), finite(high)]];
      }),
    ),
    ...(posterior
      ? {
          samples: Array.from({ length: Math.floor(posterior.draws / every) }, (_, draw) =>
            own.map(({ k }) => posterior.values[draw * every * parameters.length + k]),
          ),
        }
      : {}),
  };
  const { definition } = model;
  const source = `${definition.source}; parameters fitted to ${measurement.source}`;
  return deviceFile(device({ ...definition, source }), fitted);
}
