/** `memspike data`: the data sets, which are told about by `datasets/index`. */

import { didYouMean } from "../math/nearest.ts";
import { addressOf } from "./catalogue.ts";
import { type ExitCode, exitCodes, UsageError } from "./exit.ts";
import { ProgressDisplay } from "./progress.ts";

/** What `datasets/index` exports; it lies beside src, which never imports it by name. */
interface Datasets {
  datasetList(): readonly DatasetEntry[];
  getDataset(
    name: string,
    options: { progress?: (fraction: number, message?: string) => void },
  ): Promise<unknown>;
  verifyDataset(name: string): Promise<unknown>;
}

interface DatasetEntry {
  readonly name: string;
  readonly description: string;
  readonly licence: string;
  readonly address: string;
  readonly bytes: number;
  readonly files: readonly { readonly path: string; readonly address?: string }[];
  readonly expects?: string; // what is looked for, of a set of the user's own
  readonly where?: string; // when it is here
}

async function datasets(): Promise<Datasets> {
  return (await import(addressOf("datasets", "index"))) as Datasets;
}

function expectDataset({ datasetList }: Datasets, name: string): void {
  const known = datasetList().map((entry) => entry.name);
  if (known.includes(name)) return;
  throw new UsageError(
    `there is no data set ${name}${didYouMean(name, known) || `; there are ${known.join(", ")}`}`,
  );
}

/** Prints every data set with what is known of it. */
export async function dataList(options: { json: boolean }): Promise<ExitCode> {
  const entries = (await datasets()).datasetList();
  if (options.json) process.stdout.write(`${JSON.stringify(entries, null, 2)}\n`);
  else
    for (const entry of entries) {
      const { name, description, licence, address, bytes } = entry;
      const lines = [
        name,
        `  ${description}`,
        `  ${entry.expects === undefined ? `${(bytes / 1e6).toFixed(1)} MB, ` : ""}${licence}`,
        `  from  ${address}`,
        `  here  ${hereOrHow(entry)}`,
      ];
      process.stdout.write(`${lines.join("\n")}\n\n`);
    }
  return exitCodes.done;
}

/** Where a data set is, or how it comes here. */
function hereOrHow({ name, files, expects, where }: DatasetEntry): string {
  if (where !== undefined) return where;
  if (expects !== undefined) return `no, and not to be fetched; expects ${expects}`;
  if (files.every((file) => file.address !== undefined)) return `no; memspike data get ${name}`;
  return `no, and not to be fetched as it is; expects ${files.map((file) => file.path).join(", ")}`;
}

/** Fetches a data set; its loader checks the checksum. */
export async function dataGet(name: string): Promise<ExitCode> {
  const all = await datasets();
  expectDataset(all, name);
  const display = new ProgressDisplay(name, "auto", process.stderr);
  try {
    await all.getDataset(name, { progress: (fraction, message) => display.update(fraction, message) });
  } finally {
    display.close();
  }
  process.stdout.write(`${name} is here\n`);
  return exitCodes.done;
}

/** Compares one data set, or all that are here, with their checksums. */
export async function dataVerify(name: string | undefined): Promise<ExitCode> {
  const all = await datasets();
  if (name !== undefined) expectDataset(all, name);
  const here = all.datasetList().filter(({ where, expects }) => where !== undefined && expects === undefined);
  const chosen = name === undefined ? here.map((entry) => entry.name) : [name];
  for (const each of chosen) {
    await all.verifyDataset(each);
    process.stdout.write(`${each} is whole\n`);
  }
  if (chosen.length === 0) process.stdout.write("no data set is here; see memspike data list\n");
  return exitCodes.done;
}
