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

/** Starts `count` workers on a module and its memory; resolves when all are ready. */
export async function startTeam(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  count: number,
): Promise<Team> {
  // both addresses are written out, and the browser's in place: that is how bundlers find a worker
  const fromSource = import.meta.url.endsWith(".ts");
  const words = new Int32Array(memory.buffer);
  const threads = nodeThreads();
  const closers: (() => void)[] = [];
  await Promise.all(
    Array.from({ length: count }, (_, k) => {
      const message = { module, memory, thread: k + 1 };
      return new Promise<void>((resolve, reject) => {
        if (threads) {
          const worker = new threads.Worker(
            fromSource ? new URL("./worker.ts", import.meta.url) : new URL("./worker.js", import.meta.url),
          );
          worker.on("message", () => {
            worker.unref(); // an idle team does not keep the process alive
            resolve();
          });
          worker.on("error", reject);
          worker.postMessage(message);
          closers.push(() => void worker.terminate());
        } else {
          const worker = fromSource
            ? new Worker(new URL("./worker.ts", import.meta.url), { type: "module" })
            : new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
          worker.onmessage = () => resolve();
          worker.onerror = (event) => reject(new Error(event.message));
          worker.postMessage(message);
          closers.push(() => worker.terminate());
        }
      });
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
