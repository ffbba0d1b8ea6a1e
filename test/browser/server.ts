/**
 * Serves the repository's TypeScript to a page as plain modules, under a strict content-security policy.
 *
 * Types are stripped, nothing is bundled but the two libraries that the core imports by name. `isolated`
 * adds the headers that give a page shared memory. Listens on 127.0.0.1 only.
 */
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { stripTypeScriptTypes } from "node:module";
import { join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const root = fileURLToPath(new URL("../../", import.meta.url));
/** Nothing but the repository's own files; WebAssembly, but neither `eval` nor `new Function`. */
export const policy =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'";

const bundles = new Map<string, Promise<string>>();

/** A dependency as one module. */
function bundle(name: string): Promise<string> {
  const known = bundles.get(name);
  if (known) return known;
  const made = (async () => {
    const build = await rolldown({
      input: fileURLToPath(import.meta.resolve(name)),
      platform: "browser",
      logLevel: "silent",
    });
    const { output } = await build.generate({ format: "esm" });
    await build.close();
    return output[0].code;
  })();
  bundles.set(name, made);
  return made;
}

/** Imports by name become paths on this server: import maps would need a script in the page. The text "from" is none. */
const named = /((?<!")\bfrom\s*|\bimport\s*\(?\s*)"([^"./][^"]*)"/g;

async function moduleAt(path: string): Promise<string> {
  if (path.startsWith("/package/")) return bundle(path.slice("/package/".length));
  const file = normalize(join(root, path));
  if (!/^(src|models|test\/browser)\//.test(file.slice(root.length)))
    throw new Error(`${path} is not served`);
  const text = stripTypeScriptTypes(await readFile(file, "utf8"), { mode: "strip" });
  return text.replace(named, (_, before: string, name: string) => `${before}"/package/${name}"`);
}

export interface Site {
  /** "http://127.0.0.1:port" */
  readonly origin: string;
  /** What the page posted to /result. */
  result(): Promise<unknown>;
  close(): Promise<void>;
}

/** A page that runs the module `entry` (a path in the repository). */
export async function serve(entry: string, options: { readonly isolated: boolean }): Promise<Site> {
  let settle: (value: unknown) => void = () => {};
  const result = new Promise<unknown>((resolve) => {
    settle = resolve;
  });
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname } = new URL(request.url ?? "/", "http://page");
    response.setHeader("Content-Security-Policy", policy);
    response.setHeader("Cross-Origin-Resource-Policy", "same-origin");
    if (options.isolated) {
      response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
      response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    }
    if (pathname === "/") {
      response.setHeader("Content-Type", "text/html");
      response.end(`<!doctype html><title>memspike</title><script type="module" src="/${entry}"></script>`);
    } else if (pathname === "/result" && request.method === "POST") {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      settle(JSON.parse(Buffer.concat(chunks).toString("utf8")));
      response.end();
    } else {
      const text = await moduleAt(pathname);
      response.setHeader("Content-Type", "text/javascript");
      response.end(text);
    }
  };
  const server: Server = createServer((request, response) => {
    answer(request, response).catch((error) => {
      response.statusCode = 404;
      response.end(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    origin: `http://127.0.0.1:${address.port}`,
    result: () => result,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
