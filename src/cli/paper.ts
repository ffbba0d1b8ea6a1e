/**
 * `memspike paper`: a paper's figures beside ours, on one page.
 *
 * The experiments that a paper names run one after the other, each in its own run folder inside the paper's. A run that is
 * there already, done with the same parameters, seed and program, is taken over, so a command that was interrupted
 * goes on where it was. What each folder holds is all the page is made of: it can be made again without running.
 */

import * as fs from "node:fs";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { ConfigError } from "../math/errors.ts";
import { didYouMean } from "../math/nearest.ts";
import { type Experiment, type ParameterValue, resolveParameters } from "../report/experiment.ts";
import { durationText, parameterText } from "../report/html.ts";
import {
  type FoundRun,
  oursText,
  type PaperReport,
  paperHtml,
  paperMarkdown,
  paperRecord,
  paperReport,
  tally,
} from "../report/page.ts";
import { checkPaper, isPaper, type Metrics, type Paper, verdictText } from "../report/paper.ts";
import { defaultRunFolder, FolderError, provenance, type RunConfig, writeWhole } from "../report/results.ts";
import { attend } from "./attendant.ts";
import { addressOf, loadExperiment, names } from "./catalogue.ts";
import { type ExitCode, exitCodeOf, exitCodes, faultOf, faultText, UsageError } from "./exit.ts";
import {
  difference,
  differingKeys,
  endOf,
  figuresIn,
  heldIn,
  isAlive,
  programText,
  type Settings,
} from "./held.ts";
import type { ProgressMode } from "./progress.ts";
import { aligned, columnWidths } from "./summary.ts";
import type { WorkerTask } from "./worker.ts";

export interface PaperOptions {
  readonly full: boolean;
  readonly seed: string | number;
  readonly only: readonly string[]; // runs; none for all
  readonly from?: readonly string[]; // folders
  readonly out?: string;
  readonly force: boolean;
  readonly json: boolean;
  readonly progress: ProgressMode;
}

const folder = "experiments/papers";

/** Prints the papers there are, with how long they take. */
export async function paperList(options: { json: boolean }): Promise<ExitCode> {
  const papers = await Promise.all(names(folder).map(paperNamed));
  const about = papers.map((paper) => {
    const runs = Object.values(paper.runs);
    const sum = (form: "quick" | "full") => runs.reduce((total, { seconds }) => total + seconds[form], 0);
    const { name, title, authors, source } = paper;
    const criteria = paper.claims.filter(({ criterion }) => criterion).length;
    const counts = { figures: paper.claims.length, criteria, runs: runs.length };
    return { name, title, authors, source, ...counts, seconds: { quick: sum("quick"), full: sum("full") } };
  });
  if (options.json) process.stdout.write(`${JSON.stringify(about, null, 2)}\n`);
  else {
    const rows = about.map(({ name, title, figures, criteria, seconds: { quick, full } }) => [
      name,
      title,
      `${figures} figures, ${criteria} criteria`,
      `quick ${aboutText(quick)}, full ${aboutText(full)}`,
    ]);
    const lines = rows.map((row) => `  ${aligned(row, columnWidths(rows))}`);
    process.stdout.write(["Papers (memspike paper <name>)", ...lines, ""].join("\n"));
  }
  return exitCodes.done;
}

/** Seconds to one digit or so: they are another machine's. */
const aboutText = (seconds: number): string =>
  seconds < 100 ? `${Math.ceil(seconds / 5) * 5} s` : `${Math.ceil(seconds / 60)} min`;

/** Makes the page of a paper, from runs of now or of before; returns the exit code. */
export async function paper(name: string, options: PaperOptions): Promise<ExitCode> {
  const of = await paperNamed(name);
  const unknown = options.only.find((run) => !Object.hasOwn(of.runs, run));
  if (unknown !== undefined) {
    const known = Object.keys(of.runs);
    throw new UsageError(
      `paper ${name} has no run ${unknown}${didYouMean(unknown, known) || `; there are ${known.join(", ")}`}`,
    );
  }
  if (options.from === undefined) return await runPaper(of, options);
  if (options.only.length > 0) throw new UsageError("--only is for runs, and --from runs nothing");
  const out = path.normalize(options.out ?? defaultRunFolder(`paper-${name}`, "from", new Date()));
  const found = await foundIn(of, options.from, out);
  takeFolder(out, { paper: name, from: options.from.map((each) => path.normalize(each)) }, options.force);
  tell(writePage(of, found, out), out, options.json);
  return exitCodes.done;
}

/** The paper of that name. Throws `UsageError` when there is none. */
async function paperNamed(name: string): Promise<Paper> {
  const known = names(folder);
  if (!known.includes(name)) {
    const hint = didYouMean(name, known) || `; there are ${known.join(", ") || "none"}`;
    throw new UsageError(`there is no paper ${name}${hint}`);
  }
  const { paper } = (await import(addressOf(folder, name))) as { paper?: unknown };
  if (!isPaper(paper) || paper.name !== name)
    throw new ConfigError(`${folder}/${name} does not export the paper ${name} as paper`);
  checkPaper(paper);
  return paper;
}

// ---- runs --------------------------------------------------------------------------------------

/** A run as it is to be. */
interface Wanted {
  readonly name: string;
  readonly experiment: Experiment;
  readonly set: Readonly<Record<string, ParameterValue>>;
  readonly config: RunConfig;
}

async function wanted(of: Paper, name: string, quick: boolean, seed: string | number): Promise<Wanted> {
  const run = of.runs[name];
  if (!names("experiments").includes(run.experiment))
    throw new ConfigError(`paper ${of.name}: there is no experiment ${run.experiment}`);
  const experiment = await loadExperiment(addressOf("experiments", run.experiment));
  const set = { ...run.set, ...(quick ? run.quick : run.full) };
  const parameters = resolveParameters(experiment, { quick, set });
  return { name, experiment, set, config: { experiment: run.experiment, seed, quick, parameters } };
}

async function runPaper(of: Paper, options: PaperOptions): Promise<ExitCode> {
  const { full, seed, force, progress } = options;
  const word = String(seed).replace(/[^A-Za-z0-9._-]+/g, "_");
  const out = path.normalize(
    options.out ?? path.join("runs", `paper-${of.name}-${full ? "full" : "quick"}-${word}`),
  );
  const runs = Object.keys(of.runs).filter((run) => options.only.length === 0 || options.only.includes(run));
  const plans = await Promise.all(runs.map((run) => wanted(of, run, !full, seed)));
  const program = programText(provenance([]));
  takeFolder(out, { paper: of.name, full, seed }, force);
  const todo = plans.filter((plan) => !takenOver(path.join(out, plan.name), plan.config, { program, force }));
  const said = (text: string) => {
    if (progress === "auto" || progress === "plain") process.stderr.write(`${text}\n`);
  };
  const kept = plans.filter((plan) => !todo.includes(plan)).map((plan) => plan.name);
  if (kept.length > 0) said(`taken over: ${kept.join(", ")}`);

  let code: ExitCode = exitCodes.done;
  const errors = new Map<string, string>();
  for (const [k, { name, experiment, set }] of todo.entries()) {
    const address = addressOf("experiments", experiment.name);
    try {
      const ended = await attend<WorkerTask>({
        worker: "worker",
        kind: "experiment",
        file: fileURLToPath(address),
        task: { address, quick: !full, set, seed },
        ...{ quick: !full, out: path.join(out, name), force: true, json: false, progress },
        ...{ title: `${k + 1}/${todo.length} ${name}`, quiet: true },
      });
      if (ended !== exitCodes.done && code === exitCodes.done) code = ended;
      if (ended === exitCodes.interrupted) {
        code = ended;
        break;
      }
    } catch (error) {
      const fault = (error as { fault?: Parameters<typeof exitCodeOf>[0] }).fault ?? faultOf(error);
      errors.set(name, faultText(fault));
      if (progress !== "none") process.stderr.write(`${faultText(fault)}\n`);
      if (code === exitCodes.done) code = exitCodeOf(fault);
    }
  }
  const every = await Promise.all(
    Object.keys(of.runs).map(async (run) => {
      const plan = plans.find(({ name }) => name === run) ?? (await wanted(of, run, !full, seed));
      const found = readRun(plan, path.join(out, run), out, full ? "full" : "quick");
      const same = JSON.stringify(found.parameters) === JSON.stringify(changed(plan.config, plan.experiment));
      if (found.status !== "missing" && same) return found;
      return { ...missing(plan), ...(errors.has(run) ? { error: errors.get(run) as string } : {}) };
    }),
  );
  tell(writePage(of, every, out), out, options.json);
  return code;
}

/** Marks a folder as that of this page. Throws `FolderError` where it holds something else. */
function takeFolder(out: string, mark: Readonly<Record<string, unknown>>, force: boolean): void {
  const file = path.join(out, "paper.json");
  const about = fs.statSync(out, { throwIfNoEntry: false });
  if (about && !about.isDirectory()) throw new FolderError(`${out} is not a folder`);
  if (about && fs.readdirSync(out).length > 0) {
    if (!fs.existsSync(file))
      throw new FolderError(`${out} holds files that are no page of a paper; choose another --out`);
    const held = fs.readFileSync(file, "utf8");
    if (JSON.stringify(JSON.parse(held)) !== JSON.stringify(mark) && !force)
      throw new FolderError(
        `${out} holds another page, ${JSON.stringify(JSON.parse(held))}; choose another --out, or add --force`,
      );
  }
  fs.mkdirSync(out, { recursive: true });
  writeWhole(file, `${JSON.stringify(mark, null, 2)}\n`);
}

/**
 * Whether the run in a folder is the one that is wanted. Throws `FolderError` where it is done, but another, or is just
 * being done, unless `force`: what has taken long is not overwritten unasked.
 */
function takenOver(
  place: string,
  config: RunConfig,
  { program, force }: { program: string; force: boolean },
): boolean {
  const there = heldIn(place);
  if (there === undefined || force) return false;
  const { status, process: owner } = there;
  if (status === "running" && owner !== undefined && isAlive(owner))
    throw new FolderError(`process ${owner} is running ${place}; wait for it, or choose another --out`);
  if (status !== "done") return false;
  const other = difference(there.config, config);
  if (other === "" && there.program === program) return true;
  throw new FolderError(
    `${place} holds a run of ${other || `${there.program}; this is ${program}`}; --force runs it again, another --out keeps it, --from ${path.dirname(place)} makes the page of what is there`,
  );
}

const changed = ({ parameters }: RunConfig, experiment: Experiment): Settings =>
  Object.fromEntries(
    differingKeys(parameters, experiment.parameters)
      .filter((key) => key in parameters)
      .map((key) => [key, parameters[key]]),
  );

// ---- run folders -------------------------------------------------------------------------------

/** A run that is not there. */
function missing({ name, config, set, experiment }: Wanted): FoundRun {
  return {
    name,
    status: "missing",
    form: config.quick ? "quick" : "full",
    experiment: experiment.name,
    command: commandOf(config, set),
  };
}

/** The run in a folder, for the page in `out`. */
function readRun(plan: Wanted, place: string, out: string, form: FoundRun["form"]): FoundRun {
  const there = heldIn(place);
  if (there === undefined) return missing(plan);
  const { status, config, program, machine } = there;
  const parameters = changed(config, plan.experiment);
  const common = {
    ...{ name: plan.name, status, form, experiment: config.experiment, seed: config.seed, parameters },
    ...{ command: commandOf(config, form === "other sizes" ? parameters : plan.set) },
    ...{ folder: place, program, machine },
  };
  const { seconds, error } = endOf(place);
  const took = seconds === undefined ? {} : { seconds };
  if (status !== "done") return { ...common, ...took, ...(error === undefined ? {} : { error }) };
  const metrics = JSON.parse(fs.readFileSync(path.join(place, "metrics.json"), "utf8")) as Metrics;
  return { ...common, ...took, metrics, figures: figuresIn(place, out) };
}

function commandOf({ experiment, seed, quick }: RunConfig, set: Settings): string {
  const word = (text: string) => (/^[\w.,:=/+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
  const value = (of: ParameterValue) =>
    Array.isArray(of) && of.some((each) => String(each).includes(","))
      ? JSON.stringify(of)
      : parameterText(of);
  const pairs = Object.entries(set).map(([key, of]) => `--set ${word(`${key}=${value(of)}`)}`);
  return [
    "memspike run",
    experiment,
    ...(quick ? ["--quick"] : []),
    "--seed",
    word(String(seed)),
    ...pairs,
  ].join(" ");
}

/** The runs of a paper that lie in the folders, or in folders in them. */
async function foundIn(of: Paper, folders: readonly string[], out: string): Promise<FoundRun[]> {
  const plans = await Promise.all(
    Object.keys(of.runs).flatMap((run) => [wanted(of, run, false, 0), wanted(of, run, true, 0)]),
  );
  const best = new Map<string, { run: FoundRun; started: string }>();
  const rank = ({ form }: FoundRun) => ["quick", "other sizes", "full"].indexOf(form);
  const offer = (place: string, alone: boolean) => {
    const there = heldIn(place);
    if (there === undefined) return false;
    const { config, status, started } = there;
    const same = plans.filter(({ config: { experiment } }) => experiment === config.experiment);
    // a parameter that a run of an earlier program has not had is as it would be left out
    const parameters = { ...same[0]?.experiment.parameters, ...config.parameters };
    const asked = { ...config, parameters, seed: 0 };
    const exact = same.find((plan) => plan.config.quick === config.quick && !difference(asked, plan.config));
    const near = same.find((plan) => loose(of, plan, parameters).length === 0);
    const plan = exact ?? near;
    if (plan === undefined || status !== "done") {
      if (!alone) return true;
      if (plan !== undefined) throw new UsageError(`${place} is a run that is ${status}, not done`);
      const [closest] = same.map((each) => loose(of, each, parameters)).sort((a, b) => a.length - b.length);
      const why = closest
        ? `its ${closest.map((key) => `${key}=${parameterText(parameters[key] ?? "?")}`).join(", ")} is none of the paper's`
        : `the paper has no run of ${config.experiment}`;
      throw new UsageError(`${place} is no run of paper ${of.name}: ${why}`);
    }
    const run = readRun(plan, place, out, exact ? (plan.config.quick ? "quick" : "full") : "other sizes");
    const other = best.get(plan.name);
    const better =
      !other || rank(run) > rank(other.run) || (rank(run) === rank(other.run) && started > other.started);
    if (better) best.set(plan.name, { run, started });
    return true;
  };
  for (const each of folders) {
    if (!fs.statSync(each, { throwIfNoEntry: false })?.isDirectory())
      throw new UsageError(`there is no folder ${each}`);
    if (offer(each, true)) continue;
    const inside = fs.readdirSync(each).map((name) => path.join(each, name));
    if (inside.filter((place) => offer(place, false)).length === 0)
      throw new UsageError(`${each} holds no runs`);
  }
  if (best.size === 0) throw new UsageError(`no run of paper ${of.name} is in ${folders.join(", ")}`);
  return plans
    .filter(({ config }) => !config.quick)
    .map((plan) => best.get(plan.name)?.run ?? missing({ ...plan, config: { ...plan.config, seed: 1 } }));
}

/** Parameters in which a run differs from that of a paper, sizes aside. */
function loose(of: Paper, { name, experiment, config }: Wanted, parameters: Settings): string[] {
  const { set = {}, quick = {}, full = {} } = of.runs[name];
  const sizes = new Set(
    [experiment.quick ?? {}, quick, full].flatMap(Object.keys).filter((key) => !Object.hasOwn(set, key)),
  );
  return differingKeys(parameters, config.parameters).filter((key) => !sizes.has(key));
}

// ---- what is told ------------------------------------------------------------------------------

/** Writes report.html, report.md and report.json; figures in the order that the paper gives. */
function writePage(of: Paper, found: readonly FoundRun[], out: string): PaperReport {
  const runs = found.map((run) => {
    const wantedFigures = of.runs[run.name]?.figures;
    if (!wantedFigures || !run.figures) return run;
    const figures = wantedFigures.flatMap(
      (name) => run.figures?.filter((figure) => figure.name === name) ?? [],
    );
    return { ...run, figures };
  });
  const report = paperReport(of, runs);
  writeWhole(path.join(out, "report.md"), paperMarkdown(report));
  writeWhole(path.join(out, "report.json"), `${JSON.stringify(paperRecord(report), null, 2)}\n`);
  writeWhole(path.join(out, "report.html"), paperHtml(report));
  return report;
}

function tell(report: PaperReport, out: string, json: boolean): void {
  const page = path.join(out, "report.html");
  if (json) {
    process.stdout.write(`${JSON.stringify({ ...paperRecord(report), report: page })}\n`);
    return;
  }
  const { paper: of, runs, rows } = report;
  const forms = [...new Set(runs.map(({ form }) => form))];
  const cells = [
    ["quantity", "theirs", "ours", "criterion", ""],
    ...rows.map((row) => [
      row.claim.quantity,
      row.claim.theirs ? `${row.claim.theirs} ${row.claim.mark}` : "–",
      oursText(row),
      row.criterion,
      verdictText(row),
    ]),
  ];
  const seconds = runs.reduce((sum, run) => sum + (run.seconds ?? 0), 0);
  const undone = runs
    .filter(({ metrics }) => metrics === undefined)
    .map(({ name, status }) => `${name} (${status})`);
  process.stdout.write(
    [
      [of.name, forms.join(", "), durationText(seconds)].join(" · "),
      "",
      ...cells.map((row) => `  ${aligned(row, columnWidths(cells))}`),
      "",
      `${tally(rows)}; every figure rests on stand-ins, which the report names`,
      ...(undone.length > 0 ? [`not there: ${undone.join(", ")}`] : []),
      "",
      `report  ${page}`,
      "",
    ].join("\n"),
  );
}
