/**
 * The folder a run leaves behind.
 *
 * Every file but the event log is written under a temporary name and then renamed, STATUS last, so a kill at any
 * instant leaves only whole files, and a STATUS that is not ahead of them. Events are appended as they happen.
 */

import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { createRequire } from "node:module";
import * as os from "node:os";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { encodeSafetensors } from "../deep/safetensors.ts";
import type { Raster } from "../engine/raster.ts";
import type { ParameterValue, Result } from "./experiment.ts";
import { type Report, reportHtml } from "./html.ts";
import { npz, type Shaped, type TypedArray } from "./npz.ts";
import { svg } from "./svg.ts";

export type RunStatus = "running" | "done" | "failed" | "interrupted";

/** What a run was asked for, completely: with the same program it gives the same numbers. */
export interface RunConfig {
  readonly experiment: string;
  readonly seed: string | number;
  readonly quick: boolean;
  readonly threads?: number; // when they were asked for
  readonly parameters: Readonly<Record<string, ParameterValue>>;
}

/** What a report tells beyond the run's own results. */
export type ReportFrame = Omit<
  Report,
  "metrics" | "figures" | "status" | "seconds" | "provenance" | "started" | "machine"
>;

const ownFiles = [
  "STATUS",
  "config.json",
  "provenance.json",
  "events.ndjson",
  "metrics.json",
  "spikes.npz",
  "arrays.npz",
  "report.html",
];

/** Files that some runs leave: what a fit found, and devices. */
const furtherFile = /^(?:fit|device|device-[\w.-]+)\.json$/;

/**
 * Makes the folder of a run without `--out`: `runs/<experiment>-<seed>-<UTC time>` in `parent`, numbered when that exists.
 * Programs that start in the same second get different ones.
 */
export function defaultRunFolder(experiment: string, seed: string | number, now: Date, parent = "."): string {
  const time = now.toISOString().replace(/[-:]|\.\d+/g, "");
  const safeSeed = String(seed)
    .replace(/[^A-Za-z0-9._-]+/g, "_")
    .slice(0, 40);
  const base = path.join(parent, "runs", `${experiment}-${safeSeed}-${time}`);
  fs.mkdirSync(path.dirname(base), { recursive: true });
  for (let k = 1; ; k++) {
    const folder = k === 1 ? base : `${base}-${k}`;
    try {
      fs.mkdirSync(folder); // by one program only
      return folder;
    } catch (error) {
      if ((error as { code?: string }).code !== "EEXIST") throw error;
    }
  }
}

/** The run folder cannot be used: it holds something else. */
export class FolderError extends Error {
  override readonly name = "FolderError";
}

/** Throws `FolderError` unless `folder` is free: missing, empty, or to be overwritten by force. */
export function expectFreeFolder(folder: string, force: boolean): void {
  const about = fs.statSync(folder, { throwIfNoEntry: false });
  if (about === undefined) return;
  if (!about.isDirectory()) throw new FolderError(`${folder} is not a folder`);
  const files = fs.readdirSync(folder);
  if (files.length === 0) return;
  if (!files.includes("STATUS") && !files.includes("config.json"))
    throw new FolderError(`${folder} holds files that are no run; choose another --out`);
  if (force) return;
  throw new FolderError(
    `${folder} already holds ${describeRun(folder)}; choose another --out, or add --force`,
  );
}

function describeRun(folder: string): string {
  try {
    const config = JSON.parse(fs.readFileSync(path.join(folder, "config.json"), "utf8")) as RunConfig;
    const status = fs.readFileSync(path.join(folder, "STATUS"), "utf8").trim();
    return `a run of ${config.experiment} with seed ${config.seed} (${status})`;
  } catch {
    return "a run";
  }
}

/** One run on disk, from `running` to its end. */
export class RunFolder {
  readonly path: string;
  readonly config: RunConfig;
  readonly provenance: Readonly<Record<string, unknown>>;
  readonly #start: number; // of performance.now, ms
  readonly #events: number; // file descriptor
  #closed = false;

  /**
   * Takes a folder for a run and marks it running. Throws `FolderError` when it holds another run, unless
   * `force`; then that run's files, and only those, are removed first.
   */
  constructor(
    folder: string,
    config: RunConfig,
    provenance: Readonly<Record<string, unknown>>,
    options: { force?: boolean } = {},
  ) {
    expectFreeFolder(folder, options.force ?? false);
    fs.mkdirSync(folder, { recursive: true });
    for (const file of fs.readdirSync(folder))
      if (ownFiles.includes(file) || furtherFile.test(file))
        fs.rmSync(path.join(folder, file), { force: true });
    for (const own of ["figures", "networks"])
      fs.rmSync(path.join(folder, own), { recursive: true, force: true });
    this.path = folder;
    this.config = config;
    this.provenance = provenance;
    this.#start = performance.now();
    this.#json("config.json", config);
    this.#json("provenance.json", provenance);
    this.#events = fs.openSync(path.join(folder, "events.ndjson"), "a");
    this.event("start", { experiment: config.experiment, seed: config.seed });
    this.#status("running");
  }

  /** Seconds since the run began. */
  get seconds(): number {
    return (performance.now() - this.#start) / 1000;
  }

  /** Appends a line to the log: one write, so a kill leaves it whole or absent. */
  event(event: string, more: Readonly<Record<string, unknown>> = {}): void {
    if (this.#closed) return;
    const seconds = Math.round(this.seconds * 1000) / 1000;
    const line = JSON.stringify({ time: new Date().toISOString(), seconds, event, ...more });
    fs.writeSync(this.#events, `${line}\n`);
  }

  /** Writes the metrics alone: what a run has reached so far. */
  metrics(result: Result): void {
    this.#json("metrics.json", result.metrics);
  }

  /** Writes everything a run handed over: metrics, spikes, arrays, figures. */
  result(result: Result): void {
    const { spikes = {}, arrays = {}, figures = {}, networks = {} } = result;
    this.metrics(result);
    if (Object.keys(spikes).length > 0) this.#whole("spikes.npz", npz(spikeArrays(spikes)));
    if (Object.keys(arrays).length > 0) this.#whole("arrays.npz", npz(arrays));
    if (Object.keys(figures).length > 0) fs.mkdirSync(path.join(this.path, "figures"), { recursive: true });
    for (const [name, figure] of Object.entries(figures)) this.#whole(`figures/${name}.svg`, svg(figure));
    if (Object.keys(networks).length > 0) fs.mkdirSync(path.join(this.path, "networks"), { recursive: true });
    for (const [name, state] of Object.entries(networks))
      this.#whole(`networks/${name}.safetensors`, encodeSafetensors(state));
  }

  /** Writes texts under the names of further files. */
  files(texts: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(texts)) {
      if (!furtherFile.test(name)) throw new RangeError(`${name} is no file of a run`);
      this.#whole(name, text);
    }
  }

  /**
   * Ends the run: results, report, log, and last its STATUS. A run that failed or was interrupted hands in what it
   * had, or nothing; earlier files then stay. `seconds` is what the run itself took. Returns the path of the report.
   */
  finish(
    status: Exclude<RunStatus, "running">,
    result: Result | undefined,
    report: ReportFrame,
    seconds: number = this.seconds,
  ): string {
    if (result !== undefined) this.result(result);
    this.#whole(
      "report.html",
      reportHtml(
        {
          ...report,
          status,
          seconds,
          started: String(this.provenance.started ?? ""),
          machine: machineText(this.provenance),
          provenance: this.provenance,
          metrics: result?.metrics ?? {},
          figures: result?.figures ?? {},
        },
        plotlySource(),
      ),
    );
    this.end(status, { metrics: result?.metrics ?? {}, ...(report.error ? { error: report.error } : {}) });
    return path.join(this.path, "report.html");
  }

  /** Writes the last event and the STATUS: all that can be done when there is no time for more. */
  end(status: Exclude<RunStatus, "running">, more: Readonly<Record<string, unknown>> = {}): void {
    if (this.#closed) return;
    this.event("end", { status, ...more });
    fs.fsyncSync(this.#events);
    fs.closeSync(this.#events);
    this.#closed = true;
    this.#status(status);
  }

  #status(status: RunStatus): void {
    this.#whole("STATUS", `${status}\n`);
  }

  #json(name: string, value: unknown): void {
    this.#whole(name, `${JSON.stringify(value, null, 2)}\n`);
  }

  #whole(name: string, content: string | Uint8Array): void {
    writeWhole(path.join(this.path, name), content);
  }
}

/** Writes a file so that it is either whole or not there: temporary name, flush, rename. */
export function writeWhole(file: string, content: string | Uint8Array): void {
  const temporary = `${file}.${process.pid}.part`;
  const descriptor = fs.openSync(temporary, "w");
  try {
    fs.writeFileSync(descriptor, content);
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
  fs.renameSync(temporary, file);
}

/** Rasters as arrays: `<name>.t` in s, `<name>.i`, `<name>.size` in cells, `<name>.duration` in s. */
function spikeArrays(spikes: Readonly<Record<string, Raster>>): Record<string, TypedArray | Shaped> {
  const arrays: Record<string, TypedArray | Shaped> = {};
  for (const [name, { t, i, size, duration }] of Object.entries(spikes)) {
    arrays[`${name}.t`] = t;
    arrays[`${name}.i`] = i;
    arrays[`${name}.size`] = { data: Uint32Array.of(size), shape: [] };
    arrays[`${name}.duration`] = { data: Float64Array.of(duration), shape: [] };
  }
  return arrays;
}

/** Where this program lies: the nearest folder above with its package.json. */
export function packageRoot(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!fs.existsSync(path.join(folder, "package.json"))) folder = path.dirname(folder);
  return folder;
}

/** Which program ran where, as plain data. */
export function provenance(commandLine: readonly string[]): Record<string, unknown> {
  const root = packageRoot();
  const { version } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8")) as {
    version: string;
  };
  const cpus = os.cpus();
  return {
    memspike: version,
    ...gitState(root),
    node: process.version,
    cpu: cpus[0]?.model.trim() ?? "unknown",
    cores: os.availableParallelism(),
    memoryGiB: Math.round((os.totalmem() / 2 ** 30) * 10) / 10,
    platform: `${os.type()} ${os.release()} ${os.arch()}`,
    started: new Date().toISOString(),
    process: process.pid,
    commandLine: commandLine.join(" "),
  };
}

/** The commit of a checkout; nothing for an installed package, even inside somebody's repository. */
function gitState(root: string): { commit?: string; uncommittedChanges?: boolean } {
  if (!fs.existsSync(path.join(root, ".git"))) return {};
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", root, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: 5000,
    });
  try {
    const commit = git("rev-parse", "HEAD").trim();
    return { commit, uncommittedChanges: git("status", "--porcelain", "--untracked-files=no").trim() !== "" };
  } catch {
    return {};
  }
}

/** Where a run was, from its provenance. */
export function machineText({ cpu, cores, platform, node }: Readonly<Record<string, unknown>>): string {
  return `${cpu}, ${cores} cores, ${String(platform).split(" ")[0]}, Node ${node}`;
}

/** The text of plotly.min.js. */
export function plotlySource(): string {
  const require = createRequire(import.meta.url);
  const main = require.resolve("plotly.js-dist-min");
  return fs.readFileSync(main, "utf8");
}
