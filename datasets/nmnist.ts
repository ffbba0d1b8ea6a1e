/**
 * N-MNIST: MNIST digits on a screen, seen by an event camera that makes three saccades. A selection of 1,000 + 100.
 *
 * Origin: Orchard, Jayawant, Cohen & Thakor 2015, Front. Neurosci. 9:437; https://www.garrickorchard.com/datasets/n-mnist;
 * samples 1 to 1000 of the training part and 60001 to 60100, the first 100 of the test part, as selected by
 * https://github.com/bamsumit/slayerPytorch (commit 01beeeb6). Licence: CC BY-SA 4.0. SHA-256 below.
 */

import { type Raster, raster } from "../src/engine/raster.ts";
import { DataError } from "../src/math/errors.ts";
import type { DataFile, FetchOptions } from "./store.ts";
import { readDataFile } from "./store.ts";
import { readTar } from "./tar.ts";
import { unbrotli } from "./unpack.ts";

export const eventDigitsFiles: readonly DataFile[] = [
  {
    path: "nmnist/nmnist-small.tar.br",
    bytes: 13699420,
    sha256: "590cd89ef9acb47869d3de922643ddc0bba289a716cfd27e339bb56f48cdf88f",
  },
];

/** Pixels of the camera's window, each way. */
export const eventPixels = 34;

export interface EventDigit {
  readonly digit: number; // 0 to 9
  readonly sample: number; // number in the full set, from 1
  readonly t: Float64Array; // [event], s, in the recording's order
  readonly x: Uint8Array; // [event], column, 0 to 33
  readonly y: Uint8Array; // [event], row, 0 to 33
  readonly on: Uint8Array; // [event], 1: brighter, 0: darker
}

/** The first `limit` recordings (default all) of the 1,000 for training or of the 100 for testing. Throws `DataError`. */
export async function eventDigits(
  part: "train" | "test",
  { limit = Number.POSITIVE_INFINITY, ...options }: FetchOptions & { limit?: number } = {},
): Promise<EventDigit[]> {
  const { bytes, path } = await readDataFile(eventDigitsFiles[0], options);
  const entries = new Map(readTar(unbrotli(bytes, path), path).map((entry) => [entry.name, entry.bytes]));
  const entry = (name: string): Uint8Array => {
    const found = entries.get(`nmnist-small/${name}`);
    if (!found) throw new DataError(`${path}: it holds no nmnist-small/${name}`);
    return found;
  };
  const list = part === "train" ? "train1K.txt" : "test100.txt";
  const lines = new TextDecoder().decode(entry(list)).trim().split(/\r?\n/).slice(1);
  return lines.slice(0, limit).map((line, k) => {
    const match = /^(\d+)\s+(\d)$/.exec(line.trim());
    if (!match)
      throw new DataError(
        `${path}: ${list}: line ${k + 2}: a sample and a class are expected, not "${line}"`,
      );
    const sample = Number(match[1]);
    const name = `${sample}.bs2`;
    return { digit: Number(match[2]), sample, ...decodeEvents(entry(name), `${path}: ${name}`) };
  });
}

/**
 * Events of five bytes: x, y, polarity (1 bit) and time (23 bits, microseconds, most significant first).
 * Throws `DataError` with byte offset and reason.
 */
export function decodeEvents(bytes: Uint8Array, source: string): Omit<EventDigit, "digit" | "sample"> {
  if (bytes.length % 5 !== 0)
    throw new DataError(
      `${source}: byte ${bytes.length - (bytes.length % 5)}: the last event has ${bytes.length % 5} of 5 bytes`,
    );
  const count = bytes.length / 5;
  const t = new Float64Array(count);
  const x = new Uint8Array(count);
  const y = new Uint8Array(count);
  const on = new Uint8Array(count);
  for (let k = 0; k < count; k++) {
    const at = 5 * k;
    x[k] = bytes[at];
    y[k] = bytes[at + 1];
    on[k] = bytes[at + 2] >> 7;
    t[k] = (((bytes[at + 2] & 0x7f) << 16) | (bytes[at + 3] << 8) | bytes[at + 4]) / 1e6;
    if (x[k] >= eventPixels || y[k] >= eventPixels)
      throw new DataError(
        `${source}: byte ${at}: an event at (${x[k]}, ${y[k]}), outside ${eventPixels} x ${eventPixels} pixels`,
      );
  }
  return { t, x, y, on };
}

/** Events as spikes of 2 x 34 x 34 cells, those of darkening first, each row by row. `duration` in s, beyond the last event. */
export function eventRaster(events: Pick<EventDigit, "t" | "x" | "y" | "on">, duration = 0.4): Raster {
  const { t, x, y, on } = events;
  const i = Uint32Array.from(t, (_, k) => (on[k] * eventPixels + y[k]) * eventPixels + x[k]);
  return raster({ t, i }, 2 * eventPixels * eventPixels, duration);
}
