/** Weights of networks that a run has left: `networks/<name>.safetensors` in its folder. */
import * as fs from "node:fs";
import { DataError, decodeSafetensors, type State } from "../src/index.ts";

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
