/** What `memspike fit` does, apart from threads: data and models in; tables, figures and device files out. */

import { predictiveCheck } from "../fit/check.ts";
import { type Fit, type FitOptions, fit } from "../fit/fit.ts";
import { type Posterior, posterior } from "../fit/posterior.ts";
import { ConfigError, DataError, NumericError } from "../math/errors.ts";
import { didYouMean } from "../math/nearest.ts";
import { readCount } from "../measured/measurement.ts";
import type { Table } from "../measured/table.ts";
import type { ParameterValue } from "../report/experiment.ts";
import { type Account, bestOf, dataOutcome, outcomeOf, wordOf } from "./account.ts";
import { loadTable } from "./device.ts";
import { deviceNamed, type NamedDevice } from "./library.ts";
import type { Outcome, Task, Work, WorkContext } from "./thread.ts";
import type { FittedModel } from "./told.ts";

/** What the worker is started with. */
export interface FitTask extends Task {
  readonly data: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly models: readonly string[];
  readonly options: Omit<FitOptions, "seed" | "signal" | "progress">;
  /** Draws of the posterior; none without. */
  readonly posterior?: number;
  readonly seed: string | number;
}

/** A device, by the name it was asked for. */
interface Asked {
  readonly name: string;
  readonly device: NamedDevice;
}

/** Reads the data and the models. Throws `UsageError`, `DataError` or `ConfigError` on what is wrong with either. */
export async function fitWork(task: FitTask): Promise<Work> {
  const table = await loadTable(task.data, task.metadata);
  const models: Asked[] = [];
  for (const name of task.models) models.push({ name, device: await deviceNamed(name) });
  expectKnownNames(models, task.options);
  for (const asked of models) asked.device.model.with(ownOptions(asked, task.options).fix ?? {}); // units
  const { options, posterior: draws, metadata } = task;
  const { free, fix = {}, bounds = {}, ...rest } = options;
  const parameters: Record<string, ParameterValue> = {
    data: task.data,
    model: [...task.models],
    ...Object.fromEntries(Object.entries(metadata).map(([key, value]) => [`set ${key}`, value])),
    ...(free ? { free: [...free] } : {}),
    ...Object.fromEntries(Object.entries(fix).map(([name, value]) => [`fix ${name}`, value])),
    ...Object.fromEntries(
      Object.entries(bounds).map(([name, [low, high]]) => [`bounds ${name}`, `${low} to ${high}`]),
    ),
    ...(rest as Record<string, ParameterValue>),
    ...(draws === undefined ? {} : { posterior: draws }),
  };
  const sources = models.map(({ device }) => device.model.checked.source);
  const { source, licence } = table.metadata;
  return {
    introduction: {
      name: `fit-${wordOf(task.data)}-${task.models.map(wordOf).join("-")}`.slice(0, 80),
      title: `${table.measurement.source} · ${task.models.join(", ")}`,
      question: `What was measured, as ${models.map(({ device }) => device.model.checked.name).join("; or as ")}`,
      source: [
        source && `data: ${source.replaceAll("\n", "; ")}`,
        licence && `licence of the data: ${licence}`,
        `model: ${sources.join("; ")}`,
      ]
        .filter(Boolean)
        .join(" · "),
      file: "",
      seed: task.seed,
      parameters,
      defaults: parameters,
      parameterMeanings: {},
      metricMeanings: {},
    },
    run: (context) => fitAll(task, table, models, context),
  };
}

/** Every name is a parameter of at least one of the models. */
function expectKnownNames(
  models: readonly Asked[],
  { free = [], fix = {}, bounds = {} }: FitTask["options"],
): void {
  const known = models.flatMap(({ device }) => device.model.checked.parameters.map(({ name }) => name));
  for (const name of [...free, ...Object.keys(fix), ...Object.keys(bounds)])
    if (!known.includes(name))
      throw new ConfigError(
        `${models.map(({ device }) => device.model.checked.name).join(", ")}: there is no parameter ${name}${didYouMean(name, known)}`,
      );
}

/** What concerns the parameters of one of several models. */
function ownOptions(
  { device }: Asked,
  { free, fix = {}, bounds = {}, ...rest }: FitTask["options"],
): FitTask["options"] {
  const names = device.model.checked.parameters.map(({ name }) => name);
  const own = <T>(record: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(record).filter(([name]) => names.includes(name)));
  return {
    ...rest,
    fix: own(fix),
    bounds: own(bounds),
    ...(free ? { free: free.filter((name) => names.includes(name)) } : {}),
  };
}

/** A refusal of one model leaves the others. */
function isRefusal(error: unknown): error is Error {
  return error instanceof ConfigError || error instanceof DataError || error instanceof NumericError;
}

/** A positive parameter whose 95 % interval spans more than this ratio has been walked away with. */
const endlessRatio = 1e9;

/** Parameters along which a flat prior leaves a posterior that cannot be normalised. */
function endless({ parameters }: Fit, { quantiles }: Posterior): string[] {
  return parameters
    .filter((_, k) => {
      const [low, , high] = quantiles[k];
      return !(low <= 0 || high < endlessRatio * low);
    })
    .map(({ name }) => name);
}

/** Values simulated for a check together: 160 MB. */
const checkValues = 2e7;

async function fitAll(
  task: FitTask,
  table: Table,
  models: readonly Asked[],
  { signal, progress, partial }: WorkContext,
): Promise<Outcome> {
  const { seed, posterior: draws } = task;
  const { measurement } = table;
  partial(dataOutcome(table));
  const fitted: FittedModel[] = [];
  const refused: Record<string, string> = {};
  const account = (): Account => ({ table, fitted: [...fitted], refused });
  const share = 0.9 / models.length;
  const searching = draws === undefined ? 1 : 0.4; // part of the time of one model
  for (const [k, asked] of models.entries()) {
    const { name } = asked;
    const advance = (part: number, message: string) =>
      progress(share * (k + part), models.length > 1 ? `${name}: ${message}` : message);
    try {
      const found = await fit(measurement, asked.device.model, {
        ...ownOptions(asked, task.options),
        seed,
        signal,
        progress: (fraction, message) => advance(searching * fraction, message),
      });
      fitted.push({ name, fit: found });
      if (draws === undefined) continue;
      partial(outcomeOf(account()));
      const sampled = posterior(found, {
        seed,
        draws,
        signal,
        progress: (fraction) => advance(searching + (1 - searching) * fraction, "posterior"),
      });
      const loose = endless(found, sampled);
      if (loose.length === 0) fitted[fitted.length - 1] = { name, fit: found, posterior: sampled };
      else
        refused[`posterior of ${name}`] =
          `it has no end along ${loose.join(" and ")}: give --bounds, or --fix one of them`;
    } catch (error) {
      if (models.length === 1 || !isRefusal(error)) throw error;
      refused[name] = error.message;
    } finally {
      if (fitted.length > 0) partial(outcomeOf(account()));
    }
  }
  if (fitted.length === 0)
    throw new DataError(
      Object.entries(refused)
        .map(([name, reason]) => `${name}: ${reason}`)
        .join("\n"),
    );
  const best = bestOf(fitted);
  const check = await predictiveCheck(best.fit, {
    seed,
    replicates: Math.min(100, Math.max(20, Math.floor(checkValues / readCount(measurement)))),
    ...(best.posterior ? { posterior: best.posterior } : {}),
    progress(fraction) {
      signal.throwIfAborted();
      progress(0.9 + 0.1 * fraction, "replicates");
    },
  });
  return outcomeOf({ ...account(), check });
}
