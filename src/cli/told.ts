/** A fit in a terminal. */

import type { Check } from "../fit/check.ts";
import type { Ranked } from "../fit/compare.ts";
import type { Fit } from "../fit/fit.ts";
import type { Posterior } from "../fit/posterior.ts";
import { unitDimension } from "../math/units.ts";
import { quantityText } from "../measured/findings.ts";
import { devicesOf, readCount } from "../measured/measurement.ts";
import type { Table } from "../measured/table.ts";
import { withError } from "../report/metrics.ts";
import { residualSummary, residualsOf } from "../report/residuals.ts";
import { numberText } from "../report/ticks.ts";
import { aligned, columnWidths } from "./summary.ts";

/** A model by the name it was asked for, and what was found. */
export interface FittedModel {
  readonly name: string;
  readonly fit: Fit;
  readonly posterior?: Posterior;
}

/** Rows below a title, cells aligned. */
function table(title: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const widths = columnWidths([title, ...rows]);
  return ["", ...[title, ...rows].map((row) => `  ${aligned(row, widths)}`)];
}

/** What was measured. */
export function dataLine({ kind, measurement }: Table): string {
  const { sequences, pulses, quantity } = measurement;
  const unit = quantity === "current" ? "A" : "S";
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { values } of sequences)
    for (const value of values) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  const counts = pulses.map(
    (pulse, code) =>
      `${pulse} ${sequences.reduce((sum, each) => sum + each.pulse.reduce((n, k) => n + (k === code ? 1 : 0), 0), 0)}`,
  );
  const several = (count: number, noun: string) => `${numberText(count)} ${noun}${count === 1 ? "" : "s"}`;
  const of = `${several(readCount(measurement), "read")} of ${several(devicesOf(measurement).length, "device")}`;
  return [
    `  ${measurement.source}: ${kind}, ${of} in ${several(sequences.length, "sequence")}`,
    `${quantityText(low, unit)} to ${quantityText(high, unit)}`.replaceAll("-", "−"),
    ...(counts.length > 0 ? [`pulses ${counts.join(", ")}`] : []),
  ].join(", ");
}

/** The best model with its parameters, how well it does, and others beside it. */
export function fitLines(
  data: Table,
  { name, fit, posterior }: FittedModel,
  {
    comparison,
    refused,
    check,
  }: {
    readonly comparison: readonly Ranked[];
    readonly refused: Readonly<Record<string, string>>;
    readonly check?: Check;
  },
): string[] {
  const [own] = comparison;
  const { reads } = fit.search.likelihood;
  const { mean, sd, succession, within95, largest } = residualSummary(
    residualsOf(reads, fit.prediction),
    reads,
  );
  const expected = (about: number, deviation: number) => `${about} ± ${numberText(1.96 * deviation, 1)}`;
  const n = reads.length;
  const small = posterior?.diagnosis.reduce(
    (least, { effectiveSize }) => Math.min(least, effectiveSize),
    Number.POSITIVE_INFINITY,
  );
  const rHat = posterior?.diagnosis.reduce((most, each) => Math.max(most, each.rHat), 0);
  return [
    dataLine(data),
    `  ${name}: ${fit.model.checked.name}`,
    ...table(["parameter", "value", "95 % interval", ""], fit.parameters.map(parameterCells)),
    ...heldLines(fit),
    "",
    `  log-likelihood ${numberText(fit.logLikelihood, 8)} of ${numberText(fit.reads)} reads, AIC ${numberText(own.aic, 8)}, BIC ${numberText(own.bic, 8)}`,
    `  ${fit.agreeing} of ${fit.searches} searches ended at this maximum`,
    ...(posterior
      ? [
          `  posterior: ${numberText(posterior.draws)} draws, worth ${numberText(small ?? 0, 2)} independent ones or more, R-hat ${numberText(rHat ?? 0)} or less`,
        ]
      : []),
    ...table(
      ["residuals", "", "where the model holds"],
      [
        ["mean", numberText(mean, 2), expected(0, 1 / Math.sqrt(n))],
        ["standard deviation", numberText(sd, 4), expected(1, 1 / Math.sqrt(2 * n))],
        ["correlation of successive ones", numberText(succession, 2), expected(0, 1 / Math.sqrt(n))],
        ["within 1.96", numberText(within95, 4), expected(0.95, Math.sqrt((0.05 * 0.95) / n))],
        ["largest", numberText(largest, 3), ""],
      ],
    ),
    ...(check
      ? table(
          [`data against ${check.replicates} replicates`, "data", "95 % of replicates", "at or above"],
          checkCells(check, fit),
        )
      : []),
    ...(comparison.length > 1 ? table(...comparisonCells(comparison)) : []),
    ...table(["refused", "because"], Object.entries(refused)),
  ];
}

function parameterCells({
  name,
  unit,
  value,
  standardError,
  interval95,
}: Fit["parameters"][number]): string[] {
  const factor = unit === "" ? 1 : unitDimension(unit).factor;
  const [low, high] = interval95;
  return [name, ...withError(value / factor, standardError / factor, [low / factor, high / factor]), unit];
}

/** Parameters that were held, those that no question was about in a line for each reason. */
function heldLines({ held }: Fit): string[] {
  const value = ({ value, unit }: Fit["held"][number]) =>
    `${numberText(value / (unit === "" ? 1 : unitDimension(unit).factor))} ${unit}`.trim();
  const plain = ["nothing measured depends on it", "0 in the model, so not part of it"];
  const lines = plain.flatMap((reason) => {
    const names = held.filter((each) => each.reason === reason).map(({ name }) => name);
    return names.length > 0 ? [`  ${reason}: ${names.join(", ")}`] : [];
  });
  return [
    ...table(
      ["held", "", "because"],
      held
        .filter(({ reason }) => !plain.includes(reason))
        .map((each) => [each.name, value(each), each.reason]),
    ),
    ...(lines.length > 0 ? ["", ...lines] : []),
  ];
}

function checkCells({ statistics }: Check, { measurement }: Fit): string[][] {
  const unit = measurement.quantity === "current" ? "A" : "S";
  return statistics.map(({ name, observed, interval95: [low, high], p }) => {
    const text = (value: number) =>
      name.startsWith("correlation") ? numberText(value, 3) : quantityText(value, unit).replace("-", "−");
    return [name, text(observed), `${text(low)} to ${text(high)}`, numberText(p, 2)];
  });
}

function comparisonCells(comparison: readonly Ranked[]): [string[], string[][]] {
  const sampled = comparison.every(({ waic }) => waic !== undefined);
  const text = (value: number) => numberText(value, 8);
  return [
    [
      "model",
      "parameters",
      "log-likelihood",
      "AIC",
      "BIC",
      ...(sampled ? ["WAIC"] : []),
      "worse by",
      "weight",
    ],
    comparison.map(
      ({ name, parameters, logLikelihood, aic, bic, waic, difference, differenceError, weight }) => [
        name,
        String(parameters),
        text(logLikelihood),
        text(aic),
        text(bic),
        ...(sampled && waic ? [text(waic.value)] : []),
        differenceError === undefined || difference === 0
          ? numberText(difference, 3)
          : `${numberText(difference, 3)} ± ${numberText(differenceError, 2)}`,
        numberText(weight, 2),
      ],
    ),
  ];
}
