/**
 * A paper as plain data: what it says, which experiments ask the same, and how what they find is judged.
 *
 * A claim names a metric of a run and, where there is one, a criterion chosen beforehand. Knows nothing of files and
 * runs nothing: `cli/paper.ts` does.
 */

import { ConfigError } from "../math/errors.ts";
import { didYouMean } from "../math/nearest.ts";
import { type Estimate, estimate, isEstimate } from "./estimate.ts";
import type { Metric, ParameterValue } from "./experiment.ts";
import { estimateText, metricText } from "./metrics.ts";
import { numberText } from "./ticks.ts";

type Settings = Readonly<Record<string, ParameterValue>>;

/** A run of an experiment that a paper asks for. */
export interface PaperRun {
  readonly experiment: string;
  /** What it is for, in a line. */
  readonly about: string;
  /** Parameters that make it this run, in the quick and in the full form. */
  readonly set?: Settings;
  /** Sizes of the quick form, beside the experiment's own quick parameters. */
  readonly quick?: Settings;
  /** What the quick form does where that is another task: its numbers are told, not judged. */
  readonly quickTask?: string;
  /** Sizes of the full form, beside the experiment's defaults. */
  readonly full?: Settings;
  /** About how long they take, s of one core. */
  readonly seconds: { readonly quick: number; readonly full: number };
  /** Names of stand-ins on which every number of the run rests. */
  readonly standIns?: readonly string[];
  /** Figures of the run that the page shows, in this order; default: all. */
  readonly figures?: readonly string[];
}

/** A name of a metric; or names, and records that pick from a list the entry that has those values. */
export type MetricPath = string | readonly (string | Readonly<Record<string, string | number>>)[];

/** Another metric of the same run, and what it is called. */
interface Other {
  readonly metric: MetricPath;
  readonly name: string;
}

export type Criterion =
  | { readonly atLeast: number }
  | { readonly atMost: number }
  | { readonly from: number; readonly to: number }
  | { readonly moreThan: Other }
  | { readonly notBelow: Other; readonly by: number } // by more than that
  | { readonly near: Other; readonly within: number };

/** A figure of the paper, or of its specification, and ours. Numbers of criteria are in the claim's unit. */
export interface Claim {
  readonly quantity: string;
  /** As the paper has it; left out where it tells none. */
  readonly theirs?: string;
  /** Where theirs is from: a mark of the paper. */
  readonly mark?: string;
  readonly run: string;
  readonly metric: MetricPath;
  readonly unit?: string;
  /** What the metric is multiplied by to be in this unit; default 100 for "%", else 1. */
  readonly times?: number;
  readonly criterion?: Criterion;
  /** Where the number rests on others than its run does. */
  readonly standIns?: readonly string[];
}

/** Something in place of what is not known. */
export interface StandIn {
  readonly what: string;
  readonly value: string;
  readonly why: string;
}

export interface Paper {
  readonly name: string; // lower case, digits and hyphens, as the file
  readonly title: string;
  readonly authors: string;
  readonly source: string;
  /** How much of the paper is known here. */
  readonly known: string;
  /** What the marks of sources mean. */
  readonly marks: Readonly<Record<string, string>>;
  readonly standIns: Readonly<Record<string, StandIn>>;
  readonly runs: Readonly<Record<string, PaperRun>>;
  readonly claims: readonly Claim[];
  /** What is not reproduced, and why. */
  readonly missing: readonly { readonly what: string; readonly why: string }[];
}

/** Whether a value, e.g. what a module exports as `paper`, can be one. */
export function isPaper(value: unknown): value is Paper {
  if (typeof value !== "object" || value === null) return false;
  const { name, runs, claims, marks, standIns } = value as Partial<Paper>;
  return typeof name === "string" && Array.isArray(claims) && [runs, marks, standIns].every(Boolean);
}

/** Throws `ConfigError` where a paper names a run, a mark or a stand-in that it does not have. */
export function checkPaper(paper: Paper): void {
  const known = (what: string, name: string, of: object) => {
    if (Object.hasOwn(of, name)) return;
    const names = Object.keys(of);
    throw new ConfigError(
      `paper ${paper.name} has no ${what} ${name}${didYouMean(name, names) || `; there are ${names.join(", ")}`}`,
    );
  };
  for (const { run, mark, theirs, quantity, standIns = [] } of paper.claims) {
    known("run", run, paper.runs);
    for (const standIn of standIns) known("stand-in", standIn, paper.standIns);
    if (mark !== undefined) known("mark", mark, paper.marks);
    if ((theirs === undefined) !== (mark === undefined))
      throw new ConfigError(`paper ${paper.name}: ${quantity} has a figure without a mark, or a mark alone`);
  }
  for (const [name, run] of Object.entries(paper.runs)) {
    if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name))
      throw new ConfigError(`paper ${paper.name}: run ${name} is not lower-case words joined by hyphens`);
    for (const standIn of run.standIns ?? []) known("stand-in", standIn, paper.standIns);
  }
}

/** Metrics as they come from a file: what was not a number is null there. */
export type Metrics = Readonly<Record<string, Metric | undefined>>;

/** The metric at a path; undefined where there is none. */
export function metricAt(metrics: Metrics, path: MetricPath): Metric | undefined {
  let at: unknown = metrics;
  for (const step of typeof path === "string" ? [path] : path) {
    if (typeof at !== "object" || at === null) return undefined;
    if (typeof step === "string") at = Object.hasOwn(at, step) ? (at as Metrics)[step] : undefined;
    else
      at = Array.isArray(at)
        ? at.find((entry) => Object.entries(step).every(([key, value]) => entry?.[key] === value))
        : undefined;
  }
  return at as Metric | undefined;
}

/** A measured value with its interval, NaN where it is not known; a list of numbers is replicates. */
export function measuredAt(metrics: Metrics, path: MetricPath, times = 1): Estimate | undefined {
  const found = metricAt(metrics, path);
  if (typeof found === "number") return scaled({ ...estimate([found]), n: Number.NaN }, times);
  if (Array.isArray(found))
    return found.length > 0 && found.every((each) => typeof each === "number")
      ? scaled(estimate(found), times)
      : undefined;
  if (!isEstimate(found)) return undefined;
  const number = (value: number | null) => value ?? Number.NaN; // JSON has no NaN
  const [low, high] = found.interval95;
  const { mean, standardError, n } = found;
  return scaled(
    {
      mean: number(mean),
      standardError: number(standardError),
      interval95: [number(low), number(high)],
      n: number(n),
    },
    times,
  );
}

const scaled = ({ mean, standardError, interval95: [low, high], n }: Estimate, times: number): Estimate => ({
  mean: times * mean,
  standardError: times * standardError,
  interval95: [times * low, times * high],
  n,
});

/** A claim beside what a run has found. */
export interface Judged {
  readonly claim: Claim;
  readonly ours: Estimate | undefined;
  /** Ours as a text, without its unit; "–" where there is none. */
  readonly text: string;
  readonly criterion: string; // "" for none
  readonly verdict: "met" | "missed" | "open" | "none"; // open: not measured, or another task; none: no criterion
  /** How far ours is from the criterion, in the unit of the claim; 0 where it is met. */
  readonly missedBy: number;
  /** What was done in place of the task that is judged. */
  readonly instead: string | undefined;
  /** Whether the whole interval agrees with the verdict; undefined without an interval. */
  readonly sure: boolean | undefined;
}

/**
 * Compares a claim with the metrics of its run; undefined metrics: the run is not there. What was done `instead` of the
 * claim's task is not judged.
 */
export function judge(claim: Claim, metrics: Metrics | undefined, instead?: string): Judged {
  const times = claim.times ?? (claim.unit === "%" ? 100 : 1);
  const at = (path: MetricPath) => (metrics ? measuredAt(metrics, path, times) : undefined);
  const ours = at(claim.metric);
  const words = metrics && ours === undefined ? metricAt(metrics, claim.metric) : undefined;
  const common = {
    claim,
    instead,
    ours,
    text: ours ? oursText(ours) : words === undefined ? "–" : metricText(words),
  };
  const { criterion } = claim;
  if (criterion === undefined)
    return { ...common, criterion: "", verdict: "none", missedBy: 0, sure: undefined };
  const bounds = boundsOf(criterion, at);
  const text = criterionText(criterion, bounds, claim.unit ?? "");
  if (ours === undefined || Number.isNaN(ours.mean) || bounds === undefined || instead !== undefined)
    return { ...common, criterion: text, verdict: "open", missedBy: Number.NaN, sure: undefined };
  const beyond = (value: number) => Math.max(0, bounds.low - value, value - bounds.high);
  const missedBy = beyond(ours.mean);
  const [low, high] = ours.interval95;
  const spread = Number.isFinite(high - low);
  const sure = missedBy > 0 ? high < bounds.low || low > bounds.high : beyond(low) + beyond(high) === 0;
  return {
    ...common,
    criterion: text,
    verdict: missedBy > 0 ? "missed" : "met",
    missedBy,
    sure: spread ? sure : undefined,
  };
}

interface Bounds {
  readonly low: number;
  readonly high: number;
  readonly other?: Estimate;
}

function boundsOf(criterion: Criterion, at: (path: MetricPath) => Estimate | undefined): Bounds | undefined {
  if ("atLeast" in criterion) return { low: criterion.atLeast, high: Number.POSITIVE_INFINITY };
  if ("atMost" in criterion) return { low: Number.NEGATIVE_INFINITY, high: criterion.atMost };
  if ("from" in criterion) return { low: criterion.from, high: criterion.to };
  const other = at(otherOf(criterion).metric);
  if (other === undefined) return undefined;
  if ("moreThan" in criterion) return { low: other.mean, high: Number.POSITIVE_INFINITY, other };
  if ("notBelow" in criterion)
    return { low: other.mean - criterion.by, high: Number.POSITIVE_INFINITY, other };
  return { low: other.mean - criterion.within, high: other.mean + criterion.within, other };
}

function otherOf(
  criterion: Extract<Criterion, { moreThan: Other } | { notBelow: Other } | { near: Other }>,
): Other {
  if ("moreThan" in criterion) return criterion.moreThan;
  return "notBelow" in criterion ? criterion.notBelow : criterion.near;
}

function criterionText(criterion: Criterion, bounds: Bounds | undefined, unit: string): string {
  const told = (value: number) => `${numberText(value)}${unit && ` ${unit}`}`;
  if ("atLeast" in criterion) return `at least ${told(criterion.atLeast)}`;
  if ("atMost" in criterion) return `at most ${told(criterion.atMost)}`;
  if ("from" in criterion) return `${numberText(criterion.from)} to ${told(criterion.to)}`;
  const points = (value: number) => told(value).replace(/%$/, "points");
  const value = bounds?.other ? `, ${told(bounds.other.mean)}` : "";
  const { name } = otherOf(criterion);
  if ("moreThan" in criterion) return `more than ${name}${value}`;
  if ("notBelow" in criterion) return `at most ${points(criterion.by)} below ${name}${value}`;
  return `within ${points(criterion.within)} of ${name}${value}`;
}

/** "88.3 ± 2.1 (n = 5)"; a number that is no mean stands alone. */
function oursText(ours: Estimate): string {
  if (Number.isNaN(ours.n)) return numberText(ours.mean);
  return estimateText(ours);
}

/** The verdict in words: "met", "missed by 1.2 %, within the interval". */
export function verdictText({ verdict, missedBy, sure, claim, ours, instead }: Judged): string {
  if (verdict === "none") return "";
  if (verdict === "open") return ours && instead !== undefined ? "not judged" : "not measured";
  if (verdict === "met") return sure === false ? "met; the interval reaches beyond" : "met";
  const by = `missed by ${numberText(missedBy, 2)}${claim.unit ? ` ${claim.unit === "%" ? "points" : claim.unit}` : ""}`;
  return sure === false ? `${by}, within the interval` : by;
}
