/**
 * Weights of networks: those that a run has left, `networks/<name>.safetensors` in its folder, and those that ship.
 *
 * Shipped: `analognet-kws`, AnalogNet-KWS in floating point and trained for 8 bits, learnt from the own training split of the test
 * set of Speech Commands v0.02 (P. Warden 2018, arXiv:1804.03209, CC BY 4.0), rounded to binary16.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { DataError, decodeSafetensors, type State } from "../src/index.ts";
import { shippedFile } from "./store.ts";

/** Names of weights that ship. */
export const shippedNetworks = ["analognet-kws-floating", "analognet-kws-8-bits"] as const;

/** The weights in a .safetensors file. Throws `DataError` naming the file. */
export async function readNetwork(file: string): Promise<State> {
  let bytes: Uint8Array;
  try {
    bytes = await fs.promises.readFile(file);
  } catch (error) {
    throw new DataError(`${file}: ${(error as Error).message}`);
  }
  try {
    return decodeSafetensors(bytes);
  } catch (error) {
    throw error instanceof DataError ? new DataError(`${file}: ${error.message}`) : error;
  }
}

/**
 * The networks of a run: of its folder all that it has left, by name, of a file one called `floating`. Throws `DataError` where there is
 * none.
 */
export async function readNetworks(place: string): Promise<Record<string, State>> {
  if (/\.safetensors$/i.test(place)) return { floating: await readNetwork(place) };
  const folder = path.join(place, "networks");
  let files: string[];
  try {
    files = await fs.promises.readdir(folder);
  } catch {
    throw new DataError(`${place}: neither a .safetensors file nor the folder of a run with networks`);
  }
  const own = files.filter((file) => file.endsWith(".safetensors")).sort();
  if (own.length === 0) throw new DataError(`${folder}: there are no networks`);
  const read = own.map(
    async (file) =>
      [file.slice(0, -".safetensors".length), await readNetwork(path.join(folder, file))] as const,
  );
  return Object.fromEntries(await Promise.all(read));
}

/** Weights that ship with the program. */
export const shippedNetwork = (name: (typeof shippedNetworks)[number]): Promise<State> =>
  readNetwork(shippedFile(`networks/${name}.safetensors`));
