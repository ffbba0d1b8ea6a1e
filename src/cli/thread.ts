/**
 * Long work in a thread of its own, so that the main thread stays free for signals, the terminal and files however
 * long a computation does not return. This is the side of the worker; attendant.ts is the other one.
 */

import { parentPort } from "node:worker_threads";
import type { Raster } from "../engine/raster.ts";
import type { Context, ParameterValue, Result } from "../report/experiment.ts";
import type { Shaped, TypedArray } from "../report/npz.ts";
import { type Fault, faultOf } from "./exit.ts";

/** What every worker is started with. */
export interface Task {
  readonly abort: Int32Array; // [1], shared; 1 when the work should end soon
}

/** What the work says about itself, as plain data. */
export interface Introduction {
  readonly name: string;
  /** For people; default the name. */
  readonly title?: string;
  readonly question: string;
  readonly source: string;
  readonly file: string;
  readonly seed: string | number;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
  readonly defaults: Readonly<Record<string, ParameterValue>>;
  readonly parameterMeanings: Readonly<Record<string, string | undefined>>;
  readonly metricMeanings: Readonly<Record<string, string>>;
}

/** Results, and what is said of them where metrics do not say it. */
export interface Outcome extends Result {
  /** Further files of the run folder, texts by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** In place of the metrics on stdout. */
  readonly lines?: readonly string[];
  /** A command that takes one of the files, and this file: told with its path. */
  readonly next?: { readonly command: string; readonly file: string };
  /** In place of the metrics in JSON. */
  readonly json?: Readonly<Record<string, unknown>>;
  /** Meanings of metrics that only the result knows. */
  readonly meanings?: Readonly<Record<string, string>>;
  /** For the report: text by title, what was left out and why. */
  readonly texts?: Readonly<Record<string, string>>;
  readonly omitted?: Readonly<Record<string, string>>;
}

export type FromWorker =
  | { readonly type: "ready"; readonly introduction: Introduction }
  | { readonly type: "progress"; readonly fraction: number; readonly message?: string }
  | { readonly type: "log"; readonly event: Readonly<Record<string, unknown>> }
  | { readonly type: "partial" | "result"; readonly result: Outcome }
  | { readonly type: "error"; readonly fault: Fault };

export type ToWorker = "go" | "abort";

/** What work can be told and asked on the way. */
export interface WorkContext extends Pick<Context, "signal" | "progress" | "log"> {
  readonly partial: (result: Outcome) => void;
}

/** Work that has been checked and can begin. */
export interface Work {
  readonly introduction: Introduction;
  readonly run: (context: WorkContext) => Promise<Outcome>;
}

/** Progress is passed on at most this often, ms. */
const progressInterval = 50;

/** Prepares and introduces the work, waits for "go", does it; every message goes to the main thread. */
export async function work({ abort }: Task, prepare: () => Promise<Work>): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error("this runs in a worker thread only");
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
    const { introduction, run } = await prepare();
    post({ type: "ready", introduction });
    await go;
    let lastProgress = Number.NEGATIVE_INFINITY;
    const result = await run({
      signal: promptSignal(controller, abort),
      progress(fraction, message) {
        if (Atomics.load(abort, 0) === 1) controller.abort();
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
function compact(result: Outcome): Outcome {
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
