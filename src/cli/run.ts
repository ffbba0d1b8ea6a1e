/**
 * `memspike run`: one experiment from its parameters to a run folder.
 *
 * The experiment works in a worker; here are its folder, its progress, and the signals that end it early.
 */

import * as path from "node:path";
import { fileURLToPath } from "node:url";
import * as v8 from "node:v8";
import { Worker } from "node:worker_threads";
import { ConfigError } from "../math/errors.ts";
import type { Result } from "../report/experiment.ts";
import { durationText } from "../report/html.ts";
import { type MetricRow, metricRows } from "../report/metrics.ts";
import { defaultRunFolder, provenance, type ReportFrame, RunFolder } from "../report/results.ts";
import { experimentAddress, extension } from "./catalogue.ts";
import {
  type ExitCode,
  exitCodeOf,
  exitCodes,
  type Fault,
  faultOf,
  faultText,
  shortPath,
  UsageError,
} from "./exit.ts";
import { ProgressDisplay, type ProgressMode } from "./progress.ts";
import { metricLines } from "./summary.ts";
import type { FromWorker, Introduction, ToWorker, WorkerTask } from "./worker.ts";

export interface RunOptions {
  readonly quick: boolean;
  readonly seed?: string | number;
  readonly set: readonly string[]; // "key=value"
  readonly out?: string;
  readonly force: boolean;
  readonly threads?: number;
  readonly json: boolean;
  readonly progress: ProgressMode;
}

/** After the first Ctrl-C, an experiment has this long to hand back what it has, ms. */
const graceTime = 10_000;

/** After its result, a worker's last output is waited for this long, ms. */
const drainTime = 300;

/** A Ctrl-C may come twice, from the terminal and through npm: within this time it is one, ms. */
const echoTime = 400;

/** A run's results are written on the way for at most this share of the time. */
const writingShare = 0.1;

/** Runs the experiment of that name or file; returns the exit code. Throws before a run has begun. */
export async function run(target: string, options: RunOptions): Promise<ExitCode> {
  const address = experimentAddress(target);
  const abort = new Int32Array(new SharedArrayBuffer(4));
  const task: WorkerTask = {
    address,
    quick: options.quick,
    set: settings(options.set),
    abort,
    ...(options.threads === undefined ? {} : { threads: options.threads }),
    ...(options.seed === undefined ? {} : { seed: options.seed }),
  };
  const worker = new Worker(new URL(`worker${extension}`, import.meta.url), {
    workerData: task,
    stdout: true,
    stderr: true,
    execArgv: [
      ...process.execArgv,
      "--disable-warning=ExperimentalWarning",
      "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON",
    ],
    resourceLimits: { maxOldGenerationSizeMb: Math.floor(v8.getHeapStatistics().heap_size_limit / 2 ** 20) },
  });
  return await new Promise<ExitCode>((resolve, reject) => {
    new Attendant(worker, task, options, resolve, reject);
  });
}

/** `key=value` pairs as a record. Throws `UsageError` on one without "=", or twice the same key. */
export function settings(pairs: readonly string[]): Record<string, string> {
  const record: Record<string, string> = {};
  for (const pair of pairs) {
    const split = pair.indexOf("=");
    if (split < 1) throw new UsageError(`--set takes key=value, not ${JSON.stringify(pair)}`);
    const key = pair.slice(0, split).trim();
    if (Object.hasOwn(record, key)) throw new UsageError(`--set gives ${key} twice`);
    record[key] = pair.slice(split + 1).trim();
  }
  return record;
}

/** Follows one run from the worker's first word to its exit code. */
class Attendant {
  readonly #worker: Worker;
  readonly #task: WorkerTask;
  readonly #options: RunOptions;
  readonly #resolve: (code: ExitCode) => void;
  readonly #reject: (error: unknown) => void;
  readonly #interrupt = () => this.#onInterrupt();
  #introduction: Introduction | undefined;
  #folder: RunFolder | undefined;
  #display: ProgressDisplay | undefined;
  #partial: Result | undefined;
  #nextWrite = 0; // of performance.now, ms
  #lastLogged = Number.NEGATIVE_INFINITY;
  #interrupted = false;
  #interruptedAt = Number.NEGATIVE_INFINITY; // of performance.now, ms
  #ended: (() => void) | undefined; // what is left to do once the worker is silent
  #over = false;
  #grace: ReturnType<typeof setTimeout> | undefined;

  constructor(
    worker: Worker,
    task: WorkerTask,
    options: RunOptions,
    resolve: (code: ExitCode) => void,
    reject: (error: unknown) => void,
  ) {
    this.#worker = worker;
    this.#task = task;
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
    worker.on("message", (message: FromWorker) => this.#guarded(() => this.#onMessage(message)));
    worker.on("error", (error) => this.#guarded(() => this.#onFault(faultOf(error))));
    worker.on("exit", () => this.#guarded(() => this.#onExit()));
    for (const stream of [worker.stdout, worker.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => this.#onOutput(text));
    process.on("SIGINT", this.#interrupt);
    process.on("SIGTERM", this.#interrupt);
  }

  /** What fails here, such as a full disk, ends the run as failed. */
  #guarded(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#display?.close();
      try {
        this.#folder?.end("failed", { error: faultOf(error) });
      } finally {
        this.#leave(() => this.#reject(error));
      }
    }
  }

  #onMessage(message: FromWorker): void {
    if (this.#over) return;
    const seconds = this.#folder?.seconds ?? 0;
    switch (message.type) {
      case "ready":
        this.#onReady(message.introduction);
        break;
      case "progress":
        this.#onProgress(message.fraction, message.message);
        break;
      case "log":
        this.#folder?.event("log", message.event);
        break;
      case "partial":
        this.#onPartial(message.result);
        break;
      case "result":
        this.#onEnd(() => this.#finish(this.#interrupted ? "interrupted" : "done", message.result, seconds));
        break;
      case "error":
        this.#onEnd(() => this.#onFault(message.fault, seconds));
        break;
    }
  }

  #onReady(introduction: Introduction): void {
    const { name, seed, parameters } = introduction;
    const { out, force } = this.#options;
    const folder = path.normalize(out ?? defaultRunFolder(name, seed, new Date()));
    const { quick, threads } = this.#task;
    const config = {
      experiment: name,
      seed,
      quick,
      parameters,
      ...(threads === undefined ? {} : { threads }),
    };
    this.#introduction = introduction;
    const command = ["memspike", ...process.argv.slice(2)];
    this.#folder = new RunFolder(
      folder,
      config,
      { ...provenance(command), file: shortPath(introduction.file) },
      { force },
    );
    this.#display = new ProgressDisplay(name, this.#options.progress, process.stderr);
    this.#tell(this.#interrupted ? "abort" : "go");
  }

  #onProgress(fraction: number, message: string | undefined): void {
    this.#display?.update(fraction, message);
    const now = performance.now();
    if (now - this.#lastLogged < 500 && fraction < 1) return;
    this.#lastLogged = now;
    this.#folder?.event("progress", { fraction, ...(message === undefined ? {} : { message }) });
  }

  /** Metrics are kept at once; the rest, which may be large, when writing it does not take much of the time. */
  #onPartial(result: Result): void {
    this.#partial = result;
    this.#folder?.metrics(result);
    const start = performance.now();
    if (start < this.#nextWrite) return;
    this.#folder?.result(result);
    const end = performance.now();
    this.#nextWrite = end + (end - start) / writingShare;
  }

  #onOutput(text: string): void {
    this.#folder?.event("output", { text });
    if (this.#display) this.#display.note(text);
    else process.stderr.write(text);
  }

  /** The worker has said its last word; what it printed before is still on its way. */
  #onEnd(then: () => void): void {
    this.#ended = then;
    setTimeout(() => this.#guarded(then), drainTime).unref();
  }

  #onFault(fault: Fault, seconds?: number): void {
    if (this.#over) return;
    const text = faultText(fault, fileURLToPath(this.#task.address));
    this.#folder?.event("error", { ...fault });
    if (this.#folder === undefined) this.#leave(() => this.#reject(new StartError(fault, text)));
    else if (this.#interrupted) this.#finish("interrupted", this.#partial, seconds);
    else this.#finish("failed", this.#partial, seconds, fault, text);
  }

  #onExit(): void {
    const message = "the experiment ended its thread without a result";
    if (this.#ended) this.#ended();
    else this.#onFault({ name: "Error", message, stack: "" });
  }

  #onInterrupt(): void {
    const now = performance.now();
    if (this.#over || now - this.#interruptedAt < echoTime) return;
    this.#interruptedAt = now;
    if (this.#interrupted || this.#folder === undefined) {
      this.#display?.close();
      this.#folder?.end("interrupted", { metrics: this.#partial?.metrics ?? {} });
      process.exit(exitCodes.interrupted);
    }
    this.#interrupted = true;
    this.#folder.event("interrupt");
    this.#display?.note("interrupted: waiting for the results so far (once more to stop at once)");
    Atomics.store(this.#task.abort, 0, 1);
    this.#tell("abort");
    this.#grace = setTimeout(
      () => this.#guarded(() => this.#finish("interrupted", this.#partial)),
      graceTime,
    );
  }

  #tell(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  /** Writes the end of the run, and tells it. */
  #finish(
    status: "done" | "failed" | "interrupted",
    result: Result | undefined,
    seconds: number = this.#begun.folder.seconds,
    fault?: Fault,
    text?: string,
  ): void {
    if (this.#over) return;
    const { introduction, folder } = this.#begun;
    this.#display?.close();
    const { name, question, source, seed, parameters, defaults, parameterMeanings, metricMeanings } =
      introduction;
    const frame: ReportFrame = {
      experiment: name,
      question,
      source,
      seed,
      quick: this.#task.quick,
      parameters,
      defaults,
      parameterMeanings,
      metricMeanings,
      ...(text === undefined ? {} : { error: text }),
    };
    const report = folder.finish(status, result, frame, seconds);
    if (fault === undefined) {
      const metrics = result?.metrics ?? {};
      const summary = { experiment: name, seed, metrics, runFolder: folder.path, seconds };
      if (this.#options.json) process.stdout.write(`${JSON.stringify(summary)}\n`);
      else
        process.stdout.write(
          summaryText(status, introduction, seconds, metricRows(metrics, metricMeanings), report),
        );
    } else process.stderr.write(`${text}\nthe run so far is in ${folder.path}\n`);
    const code = fault
      ? exitCodeOf(fault)
      : status === "interrupted"
        ? exitCodes.interrupted
        : exitCodes.done;
    this.#leave(() => this.#resolve(code));
  }

  get #begun(): { introduction: Introduction; folder: RunFolder } {
    if (this.#introduction && this.#folder) return { introduction: this.#introduction, folder: this.#folder };
    throw new ConfigError("the run ended before it began");
  }

  #leave(then: () => void): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#grace);
    this.#display?.close();
    process.off("SIGINT", this.#interrupt);
    process.off("SIGTERM", this.#interrupt);
    void this.#worker.terminate().then(then, then);
  }
}

/** An experiment could not be started: its own error, told already in words. */
export class StartError extends Error {
  override readonly name = "StartError";
  readonly fault: Fault;

  constructor(fault: Fault, message: string) {
    super(message);
    this.fault = fault;
  }
}

/** The end of a run in a few lines: what, how long, the metrics, where the report is. */
function summaryText(
  status: string,
  { name, seed }: Introduction,
  seconds: number,
  rows: readonly MetricRow[],
  report: string,
): string {
  const head = [name, `seed ${seed}`, durationText(seconds), ...(status === "done" ? [] : [status])].join(
    " · ",
  );
  const lines = metricLines(rows);
  return [head, "", ...lines, ...(lines.length > 0 ? [""] : []), `report  ${report}`, ""].join("\n");
}
