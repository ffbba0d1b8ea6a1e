/**
 * Measurements of devices that ship with the program, in the format of docs/device-data.md.
 *
 * Origins, licences and changes are told in devices/NOTICE and at the head of each file; what is to be known before a
 * fit stands in docs/device-data.md. Each was made by `memspike device import` from the file of its authors.
 */

import { readFile } from "node:fs/promises";
import { DataError } from "../src/math/errors.ts";
import { didYouMean } from "../src/math/nearest.ts";
import type { Measurement } from "../src/measured/measurement.ts";
import { measurementOf } from "../src/measured/table.ts";
import { shippedFile } from "./store.ts";
import { gunzip } from "./unpack.ts";

export interface ShippedData {
  readonly name: string;
  readonly description: string;
  readonly licence: string;
  readonly file: string; // below datasets/
}

export const shippedDeviceData: readonly ShippedData[] = [
  {
    name: "crosssim-ramps",
    description: "40 ramps down and 39 up of one analog device, 13,417 pulses, each read once (Sandia)",
    licence: "BSD-3-Clause",
    file: "devices/crosssim-ramps.csv.gz",
  },
  {
    name: "gong-updown",
    description: "1,000 pulses up and 1,000 down of an analog RRAM, each read once (Gong et al. 2018)",
    licence: "MIT",
    file: "devices/gong-updown.csv",
  },
  {
    name: "rram-read-series",
    description: "10,000 reads of one RRAM cell in 467 s (Levy 2021)",
    licence: "MIT",
    file: "devices/rram-read-series.csv.gz",
  },
];

/** Path of a shipped data set; undefined when there is none of that name. */
export function shippedData(name: string): string | undefined {
  const found = shippedDeviceData.find((set) => set.name === name);
  return found === undefined ? undefined : shippedFile(found.file);
}

/** A shipped data set. Throws `DataError` when there is none of that name. */
export async function deviceData(name: string): Promise<Measurement> {
  const path = shippedData(name);
  if (path === undefined) {
    const names = shippedDeviceData.map((set) => set.name);
    throw new DataError(
      `there is no device data ${name}${didYouMean(name, names) || `; there are ${names.join(", ")}`}`,
    );
  }
  const bytes = await readFile(path);
  const plain = path.endsWith(".gz") ? gunzip(bytes, path) : bytes;
  return measurementOf(new TextDecoder().decode(plain), { file: name });
}
