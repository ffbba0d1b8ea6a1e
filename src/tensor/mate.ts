/** The other end of crew.ts: makes the calls that are written on the board, until the thread is ended. */
import { board, headBytes, type Orders, slotBytes } from "./crew.ts";

/** Looks at the board before a thread goes to sleep: about 50 us. */
const looks = 5000;

function serve({ module, memory, board: buffer, names, thread }: Orders, ready: () => void): void {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const calls = names.map((name) => exports[name] as (...numbers: number[]) => unknown);
  const words = new Int32Array(buffer);
  const at = headBytes + thread * slotBytes;
  let turn = Atomics.load(words, board.turn);
  ready();
  for (;;) {
    for (let k = 0; k < looks && Atomics.load(words, board.turn) === turn; k++);
    Atomics.wait(words, board.turn, turn);
    turn = Atomics.load(words, board.turn);
    const index = words[at >> 2];
    if (index >= 0) calls[index](...new Float64Array(buffer, at + 8, words[(at >> 2) + 1]));
    Atomics.add(words, board.done, 1);
  }
}

const host = (globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } }).process;
const port = (
  host?.getBuiltinModule?.("node:worker_threads") as
    | {
        parentPort: {
          once(event: "message", listener: (message: Orders) => void): void;
          postMessage(value: unknown): void;
        } | null;
      }
    | undefined
)?.parentPort;
if (port) port.once("message", (orders) => serve(orders, () => port.postMessage("ready")));
else
  globalThis.onmessage = (event: MessageEvent<Orders>) =>
    serve(event.data, () => (globalThis.postMessage as (value: unknown) => void)("ready"));
