/**
 * Runs one experiment in a thread of its own, so that the main thread stays free for signals, the terminal and files
 * however long a computation does not return.
 */

import { fileURLToPath } from "node:url";
import { parentPort, workerData } from "node:worker_threads";
import type { Raster } from "../engine/raster.ts";
import type { ParameterValue, Result } from "../report/experiment.ts";
import { resolveParameters, runExperiment } from "../report/experiment.ts";
import type { Shaped, TypedArray } from "../report/npz.ts";
import { loadExperiment } from "./catalogue.ts";
import { type Fault, faultOf } from "./exit.ts";
import { resolveOwnName } from "./resolve.ts";

/** What the worker is started with. */
export interface WorkerTask {
  readonly address: string;
  readonly seed?: string | number;
  readonly quick: boolean;
  readonly set: Readonly<Record<string, string>>;
  readonly threads?: number;
  readonly abort: Int32Array; // [1], shared; 1 when the run should end soon
}

/** What an experiment says about itself, as plain data. */
export interface Introduction {
  readonly name: string;
  readonly question: string;
  readonly source: string;
  readonly file: string;
  readonly seed: string | number;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
  readonly defaults: Readonly<Record<string, ParameterValue>>;
  readonly parameterMeanings: Readonly<Record<string, string | undefined>>;
  readonly metricMeanings: Readonly<Record<string, string>>;
}

export type FromWorker =
  | { readonly type: "ready"; readonly introduction: Introduction }
  | { readonly type: "progress"; readonly fraction: number; readonly message?: string }
  | { readonly type: "log"; readonly event: Readonly<Record<string, unknown>> }
  | { readonly type: "partial" | "result"; readonly result: Result }
  | { readonly type: "error"; readonly fault: Fault };

export type ToWorker = "go" | "abort";

/** Progress is passed on at most this often, ms. */
const progressInterval = 50;

/** Loads and introduces the experiment, waits for "go", runs it; every message goes to the main thread. */
async function work(task: WorkerTask): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error("worker.ts runs in a worker thread only");
  const post = (message: FromWorker) => port.postMessage(message);
  Error.stackTraceLimit = 100; // down to the line of the user, below the checks of a model
  const controller = new AbortController();
  const go = new Promise<void>((resolve) => {
    port.on("message", (message: ToWorker) => {
      if (message === "abort") controller.abort();
      resolve();
    });
  });
  try {
    resolveOwnName();
    const experiment = await loadExperiment(task.address);
    const { quick, set, threads } = task;
    const seed = task.seed ?? experiment.seed ?? 1;
    post({
      type: "ready",
      introduction: {
        name: experiment.name,
        question: experiment.question,
        source: experiment.source,
        file: fileURLToPath(task.address),
        seed,
        parameters: resolveParameters(experiment, { quick, set }),
        defaults: experiment.parameters,
        parameterMeanings: experiment.describe ?? {},
        metricMeanings: experiment.metrics ?? {},
      },
    });
    await go;
    let lastProgress = Number.NEGATIVE_INFINITY;
    const result = await runExperiment(experiment, {
      seed,
      quick,
      set,
      threads,
      signal: promptSignal(controller, task.abort),
      progress(fraction, message) {
        if (Atomics.load(task.abort, 0) === 1) controller.abort();
        const now = performance.now();
        if (now - lastProgress < progressInterval && fraction < 1) return;
        lastProgress = now;
        post({ type: "progress", fraction, ...(message === undefined ? {} : { message }) });
      },
      log: (event) => post({ type: "log", event }),
      partial: (partial) => post({ type: "partial", result: compact(partial) }),
    });
    post({ type: "result", result: compact(result) });
  } catch (error) {
    post({ type: "error", fault: faultOf(error) });
  } finally {
    port.close();
  }
}

/**
 * The controller's signal, told by shared memory too: a computation that never waits gets no messages, but it sees
 * `signal.aborted`.
 */
function promptSignal(controller: AbortController, abort: Int32Array): AbortSignal {
  const { signal } = controller;
  let aborted = false;
  const look = () => {
    if (!aborted && Atomics.load(abort, 0) === 1) controller.abort();
    return aborted;
  };
  signal.addEventListener("abort", () => {
    aborted = true;
  });
  Object.defineProperty(signal, "aborted", { get: look });
  Object.defineProperty(signal, "throwIfAborted", {
    value() {
      if (look()) throw signal.reason;
    },
  });
  return signal;
}

/** A result whose arrays own their memory: a view would carry all of the memory it looks at. */
function compact(result: Result): Result {
  const { spikes, arrays } = result;
  const tight = <T extends TypedArray>(data: T): T => {
    const shared = typeof SharedArrayBuffer !== "undefined" && data.buffer instanceof SharedArrayBuffer;
    return !shared && data.byteLength === data.buffer.byteLength ? data : (data.slice() as T);
  };
  const raster = ({ t, i, size, duration }: Raster): Raster => ({ t: tight(t), i: tight(i), size, duration });
  const shaped = (array: TypedArray | Shaped): TypedArray | Shaped =>
    ArrayBuffer.isView(array) ? tight(array) : { data: tight(array.data), shape: array.shape };
  return {
    ...result,
    ...(spikes ? { spikes: mapValues(spikes, raster) } : {}),
    ...(arrays ? { arrays: mapValues(arrays, shaped) } : {}),
  };
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, of: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, of(value)]));
}

await work(workerData as WorkerTask);
