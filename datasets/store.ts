/**
 * Where data files are: in the folder that MEMSPIKE_DATA names, else in the cache, else at their canonical address.
 *
 * The cache is $XDG_CACHE_HOME/memspike, or ~/.cache/memspike. A fetched file is written beside its place, checked
 * (length and SHA-256) and renamed: what is in the cache is whole, and a failure leaves nothing behind. Files found
 * are not checked on the way; `verifyDataset` does that.
 */

import { createHash, randomUUID } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { DataError } from "../src/math/errors.ts";

export interface DataFile {
  readonly path: string; // below the data folder, with forward slashes
  readonly bytes: number;
  readonly sha256: string;
  readonly address?: string; // where exactly these bytes are to be had
}

export interface FetchOptions {
  /** Told of the part fetched (0 to 1) and what it is. */
  progress?: (fraction: number, message?: string) => void;
  signal?: AbortSignal;
}

/** Folder of fetched files. */
export function cacheFolder(): string {
  return join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "memspike");
}

/** Folders that are searched, first to last. Throws `DataError` when MEMSPIKE_DATA names no folder. */
export function dataFolders(): string[] {
  const own = process.env["MEMSPIKE_DATA"];
  if (!own) return [cacheFolder()];
  if (!statSync(own, { throwIfNoEntry: false })?.isDirectory())
    throw new DataError(`MEMSPIKE_DATA names ${own}, which is not a folder`);
  return [own, cacheFolder()];
}

/** Path of a data file (or of a folder) if it is here. */
export function findFile(path: string): string | undefined {
  return dataFolders()
    .map((folder) => join(folder, path))
    .find((candidate) => existsSync(candidate));
}

/** Path of a data file, fetched into the cache if it is not here. Throws `DataError`. */
export async function obtainFile(file: DataFile, options: FetchOptions = {}): Promise<string> {
  const here = findFile(file.path);
  if (here !== undefined) return here;
  if (file.address === undefined)
    throw new DataError(
      `${file.path}: not found in ${dataFolders().join(" or ")}, and there is no address to fetch this very file from; \`memspike data list\` tells its origin`,
    );
  const path = join(cacheFolder(), file.path);
  await fetchFile(file, path, options);
  return path;
}

/** Content of a data file, fetched if it is not here, and where it lies. Throws `DataError`. */
export async function readDataFile(
  file: DataFile,
  options: FetchOptions = {},
): Promise<{ bytes: Uint8Array; path: string }> {
  const path = await obtainFile(file, options);
  return { bytes: await readFile(path), path };
}

/** Fetches a file from its address to `path`, which appears only when it is whole. Throws `DataError`. */
export async function fetchFile(
  file: DataFile,
  path: string,
  { progress, signal }: FetchOptions = {},
): Promise<void> {
  const fail = (reason: string, cause?: unknown): DataError =>
    new DataError(`${file.path}: cannot be fetched from ${file.address}: ${reason}`, { cause });
  signal?.throwIfAborted();
  let response: Response;
  try {
    response = await fetch(file.address as string, { signal });
  } catch (cause) {
    signal?.throwIfAborted();
    const inner = (cause as Error).cause;
    throw fail(inner instanceof Error && inner.message ? inner.message : (cause as Error).message, cause);
  }
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    throw fail(`the server answers ${response.status} ${response.statusText}`.trimEnd());
  }

  await mkdir(dirname(path), { recursive: true });
  const partial = `${path}.${randomUUID()}.partial`;
  try {
    const hash = createHash("sha256");
    const target = await open(partial, "wx");
    let received = 0;
    try {
      for await (const chunk of response.body) {
        received += chunk.length;
        if (received > file.bytes) throw fail(`it is longer than the ${file.bytes} bytes expected`);
        hash.update(chunk);
        await target.write(chunk);
        progress?.(received / file.bytes, file.path);
      }
    } finally {
      await target.close();
    }
    if (received !== file.bytes) throw fail(`it ends after ${received} of ${file.bytes} bytes`);
    const found = hash.digest("hex");
    if (found !== file.sha256) throw fail(`its SHA-256 is ${found}, ${file.sha256} is expected`);
    await rename(partial, path);
  } catch (cause) {
    await rm(partial, { force: true });
    signal?.throwIfAborted();
    throw cause instanceof DataError ? cause : fail((cause as Error).message, cause);
  }
}

/** Compares a file that is here with its length and SHA-256. Throws `DataError` when it is missing or differs. */
export async function verifyFile(file: DataFile): Promise<string> {
  const path = findFile(file.path);
  if (path === undefined) throw new DataError(`${file.path}: not found in ${dataFolders().join(" or ")}`);
  const bytes = await readFile(path);
  if (bytes.length !== file.bytes)
    throw new DataError(`${path}: it has ${bytes.length} bytes, ${file.bytes} are expected`);
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found !== file.sha256)
    throw new DataError(`${path}: its SHA-256 is ${found}, ${file.sha256} is expected`);
  return path;
}

/** Path of a file that ships with the program, `path` below datasets/: beside this file, or in the package above dist. */
export function shippedFile(path: string): string {
  const candidates = [`./${path}`, `../../datasets/${path}`].map((p) =>
    fileURLToPath(new URL(p, import.meta.url)),
  );
  const found = candidates.find((candidate) => existsSync(candidate));
  if (found === undefined)
    throw new DataError(`${path}: it ships with memspike, but is not at ${candidates.join(" nor ")}`);
  return found;
}
