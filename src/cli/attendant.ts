/**
 * Follows work in a thread from its first word to the exit code: its folder, its progress, and the signals that end it
 * early.
 */

import * as path from "node:path";
import * as v8 from "node:v8";
import { Worker } from "node:worker_threads";
import { ConfigError } from "../math/errors.ts";
import { durationText } from "../report/html.ts";
import { metricRows } from "../report/metrics.ts";
import { defaultRunFolder, provenance, type ReportFrame, RunFolder } from "../report/results.ts";
import { extension } from "./catalogue.ts";
import { type ExitCode, exitCodeOf, exitCodes, type Fault, faultOf, faultText, shortPath } from "./exit.ts";
import { ProgressDisplay, type ProgressMode } from "./progress.ts";
import { metricLines } from "./summary.ts";
import type { FromWorker, Introduction, Outcome, Task, ToWorker } from "./thread.ts";

/** What is to be done, and how it is told. */
export interface Assignment<T extends Task> {
  /** The file of src/cli that does it, without its extension. */
  readonly worker: "worker" | "fitter";
  readonly task: Omit<T, "abort">;
  /** What it is called in messages and, where it is no experiment, in the report. */
  readonly kind: "experiment" | "fit";
  /** Whose syntax may be at fault. */
  readonly file?: string;
  readonly quick: boolean;
  readonly threads?: number;
  readonly out?: string;
  readonly force: boolean;
  readonly json: boolean;
  readonly progress: ProgressMode;
  /** What the bar says in place of the name. */
  readonly title?: string;
  /** Nothing on stdout: the caller tells what came out. */
  readonly quiet?: boolean;
}

/** After the first Ctrl-C, work has this long to hand back what it has, ms. */
const graceTime = 10_000;

/** After its result, a worker's last output is waited for this long, ms. */
const drainTime = 300;

/** A Ctrl-C may come twice, from the terminal and through npm: within this time it is one, ms. */
const echoTime = 400;

/** Results are written on the way for at most this share of the time. */
const writingShare = 0.1;

/** Has the work done in a thread; returns the exit code. Throws before it has begun. */
export async function attend<T extends Task>(assignment: Assignment<T>): Promise<ExitCode> {
  const abort = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL(`${assignment.worker}${extension}`, import.meta.url), {
    workerData: { ...assignment.task, abort },
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
    new Attendant(worker, abort, assignment, resolve, reject);
  });
}

/** Follows one run from the worker's first word to its exit code. */
class Attendant {
  readonly #worker: Worker;
  readonly #abort: Int32Array;
  readonly #assignment: Omit<Assignment<Task>, "task">;
  readonly #resolve: (code: ExitCode) => void;
  readonly #reject: (error: unknown) => void;
  readonly #interrupt = () => this.#onInterrupt();
  #introduction: Introduction | undefined;
  #folder: RunFolder | undefined;
  #display: ProgressDisplay | undefined;
  #partial: Outcome | undefined;
  #nextWrite = 0; // of performance.now, ms
  #lastLogged = Number.NEGATIVE_INFINITY;
  #interrupted = false;
  #interruptedAt = Number.NEGATIVE_INFINITY; // of performance.now, ms
  #ended: (() => void) | undefined; // what is left to do once the worker is silent
  #over = false;
  #grace: ReturnType<typeof setTimeout> | undefined;

  constructor(
    worker: Worker,
    abort: Int32Array,
    assignment: Omit<Assignment<Task>, "task">,
    resolve: (code: ExitCode) => void,
    reject: (error: unknown) => void,
  ) {
    this.#worker = worker;
    this.#abort = abort;
    this.#assignment = assignment;
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
    const { out, force, quick, threads, progress } = this.#assignment;
    const folder = path.normalize(out ?? defaultRunFolder(name, seed, new Date()));
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
    this.#display = new ProgressDisplay(this.#assignment.title ?? name, progress, process.stderr);
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
  #onPartial(result: Outcome): void {
    this.#partial = result;
    this.#folder?.metrics(result);
    const start = performance.now();
    if (start < this.#nextWrite) return;
    this.#folder?.files(result.files ?? {});
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
    const text = faultText(fault, this.#assignment.file);
    this.#folder?.event("error", { ...fault });
    if (this.#folder === undefined) this.#leave(() => this.#reject(new StartError(fault, text)));
    else if (this.#interrupted) this.#finish("interrupted", this.#partial, seconds);
    else this.#finish("failed", this.#partial, seconds, fault, text);
  }

  #onExit(): void {
    const message = `the ${this.#assignment.kind} ended its thread without a result`;
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
    Atomics.store(this.#abort, 0, 1);
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
    result: Outcome | undefined,
    seconds: number = this.#begun.folder.seconds,
    fault?: Fault,
    text?: string,
  ): void {
    if (this.#over) return;
    const { introduction, folder } = this.#begun;
    this.#display?.close();
    const { name, question, source, seed, parameters, defaults, parameterMeanings } = introduction;
    const { kind, quick, json, quiet } = this.#assignment;
    const metricMeanings = { ...introduction.metricMeanings, ...result?.meanings };
    const frame: ReportFrame = {
      ...(kind === "experiment" ? {} : { kind }),
      experiment: introduction.title ?? name,
      question,
      source,
      seed,
      quick,
      parameters,
      defaults,
      parameterMeanings,
      metricMeanings,
      ...(result?.omitted === undefined ? {} : { omitted: result.omitted }),
      ...(result?.texts === undefined ? {} : { texts: result.texts }),
      ...(text === undefined ? {} : { error: text }),
    };
    folder.files(result?.files ?? {});
    const report = folder.finish(status, result, frame, seconds);
    if (fault === undefined) {
      const metrics = result?.metrics ?? {};
      const summary = {
        [kind]: name,
        seed,
        ...(result?.json ?? { metrics }),
        runFolder: folder.path,
        seconds,
      };
      const lines = result?.lines ?? metricLines(metricRows(metrics, metricMeanings));
      const { command, file } = result?.next ?? {};
      const next = file === undefined ? [] : [`next    ${command}${path.join(folder.path, file)}`];
      if (json && !quiet) process.stdout.write(`${JSON.stringify(summary)}\n`);
      else if (!quiet)
        process.stdout.write(
          summaryText(status, introduction, seconds, lines, [`report  ${report}`, ...next]),
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

/** Work could not be started: its own error, told already in words. */
export class StartError extends Error {
  override readonly name = "StartError";
  readonly fault: Fault;

  constructor(fault: Fault, message: string) {
    super(message);
    this.fault = fault;
  }
}

/** The end of a run in a few lines: what, how long, what came out, where the report is. */
function summaryText(
  status: string,
  { name, title = name, seed }: Introduction,
  seconds: number,
  lines: readonly string[],
  end: readonly string[],
): string {
  const head = [title, `seed ${seed}`, durationText(seconds), ...(status === "done" ? [] : [status])].join(
    " · ",
  );
  return [head, "", ...lines, ...(lines.length > 0 ? [""] : []), ...end, ""].join("\n");
}
