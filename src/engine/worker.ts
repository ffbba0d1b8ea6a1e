/**
 * The other end of workers.ts: instantiates the module it is sent and serves until told to end.
 */
interface Message {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly thread: number;
}

function serve({ module, memory, thread }: Message, ready: () => void): void {
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  ready();
  (instance.exports.serve as (thread: number) => void)(thread);
}

const host = (globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } }).process;
const port = (
  host?.getBuiltinModule?.("node:worker_threads") as
    | {
        parentPort: {
          once(event: "message", listener: (message: Message) => void): void;
          postMessage(value: unknown): void;
        };
      }
    | undefined
)?.parentPort;
if (port) port.once("message", (message) => serve(message, () => port.postMessage("ready")));
else
  globalThis.onmessage = (event: MessageEvent<Message>) =>
    serve(event.data, () => (globalThis.postMessage as (value: unknown) => void)("ready"));
