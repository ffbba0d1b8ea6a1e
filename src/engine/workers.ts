/**
 * Threads: workers that run their share of every tick on the shared memory.
 *
 * Node's worker_threads and the browser's Worker behind one port. A worker sleeps in WebAssembly until the main
 * thread bumps the generation; it never talks to JavaScript again.
 */
import { cells } from "./schedule.ts";

export interface Team {
  /** Starts a command in all workers; the caller then runs its own share. */
  start(firstTick: number, ticks: number): void;
  /** Ends the workers. */
  close(): void;
}

interface NodeWorker {
  on(event: "message" | "error", listener: (value: never) => void): void;
  postMessage(value: unknown): void;
  unref(): void;
  terminate(): Promise<unknown>;
}

type NodeThreads = { readonly Worker: new (url: URL) => NodeWorker };

/** Node's module, without importing it: the core runs in a page too. */
function nodeThreads(): NodeThreads | undefined {
  const host = (globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } }).process;
  return host?.getBuiltinModule?.("node:worker_threads") as NodeThreads | undefined;
}

/** Logical processors; 1 where unknown. */
export function processors(): number {
  const count = (globalThis as { navigator?: { hardwareConcurrency?: number } }).navigator
    ?.hardwareConcurrency;
  return count && count > 0 ? count : 1;
}

/** Whether threads can be had: shared memory, and workers. */
export function threadsAvailable(): boolean {
  if (typeof SharedArrayBuffer === "undefined") return false;
  if (nodeThreads()) return true;
  return (
    typeof Worker !== "undefined" &&
    (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === true
  );
}

/** A worker that has said it is ready: what ends it. */
export type Ready = Promise<() => void>;

/** Starts a worker of Node; undefined in a page. An idle one does not keep the process alive. */
export function startNodeWorker(url: URL, message: unknown): Ready | undefined {
  const threads = nodeThreads();
  return (
    threads &&
    new Promise((resolve, reject) => {
      const worker = new threads.Worker(url);
      worker.on("message", () => {
        worker.unref();
        resolve(() => void worker.terminate());
      });
      worker.on("error", reject);
      worker.postMessage(message);
    })
  );
}

/** Tells a page's worker what it needs. */
export function startPageWorker(worker: Worker, message: unknown): Ready {
  return new Promise((resolve, reject) => {
    worker.onmessage = () => resolve(() => worker.terminate());
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(message);
  });
}

/** Whether this file is TypeScript as it was written, and so are the workers beside it. */
export const fromSource = import.meta.url.endsWith(".ts");

/** Starts `count` workers on a module and its memory; resolves when all are ready. */
export async function startTeam(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  count: number,
): Promise<Team> {
  const words = new Int32Array(memory.buffer);
  const closers = await Promise.all(
    Array.from({ length: count }, (_, k): Ready => {
      const message = { module, memory, thread: k + 1 };
      // both addresses are written out, and the browser's in place: that is how bundlers find a worker
      const url = fromSource
        ? new URL("./worker.ts", import.meta.url)
        : new URL("./worker.js", import.meta.url);
      return (
        startNodeWorker(url, message) ??
        startPageWorker(
          fromSource
            ? new Worker(new URL("./worker.ts", import.meta.url), { type: "module" })
            : new Worker(new URL("./worker.js", import.meta.url), { type: "module" }),
          message,
        )
      );
    }),
  );
  const command = (firstTick: number, ticks: number, kind: number) => {
    words[cells.command >> 2] = firstTick;
    words[(cells.command >> 2) + 1] = ticks;
    words[(cells.command >> 2) + 2] = kind;
    Atomics.add(words, cells.generation >> 2, 1);
    Atomics.notify(words, cells.generation >> 2);
  };
  return {
    start: (firstTick, ticks) => command(firstTick, ticks, 0),
    close() {
      command(0, 0, 1);
      for (const close of closers) close();
    },
  };
}
