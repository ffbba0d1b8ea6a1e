/** Devices by name: those of models/, and device files of the user. */

import * as fs from "node:fs";
import { type Fitted, readDevice } from "../device/file.ts";
import type { Model } from "../language/model.ts";
import { didYouMean } from "../math/nearest.ts";
import { addressOf, names } from "./catalogue.ts";
import { shortPath, UsageError } from "./exit.ts";

/** A device, with the name it is asked for by: file and export, or the path of its device file. */
export interface NamedDevice {
  readonly id: string; // "pcm.memorylessPcm", "mine.json"
  readonly model: Model<"device">;
  readonly fitted?: Fitted;
}

/** The devices that a file of models/ exports. */
export async function devicesIn(file: string): Promise<NamedDevice[]> {
  const exported = (await import(addressOf("models", file))) as Record<string, unknown>;
  return Object.entries(exported)
    .flatMap(([name, value]) => (isDevice(value) ? [{ id: `${file}.${name}`, model: value }] : []))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

function isDevice(value: unknown): value is Model<"device"> {
  const { kind, checked } = (value ?? {}) as { kind?: unknown; checked?: unknown };
  return kind === "device" && typeof checked === "object";
}

/** All devices of models/. */
export async function library(): Promise<NamedDevice[]> {
  return (await Promise.all(names("models").map(devicesIn))).flat();
}

/**
 * The device called `target`: a device file (a path, or a name that ends in .json), a file of models/ with one
 * device or one of its own name ("pcm"), a device in it ("pcm.memorylessPcm") or one whose own name is given to no
 * other ("memorylessPcm"). Throws `UsageError` when there is none or more than one, `DataError` on a fault of the file.
 */
export async function deviceNamed(target: string): Promise<NamedDevice> {
  if (/[\\/]|\.json$/.test(target)) {
    if (!fs.statSync(target, { throwIfNoEntry: false })?.isFile())
      throw new UsageError(`there is no file ${target}`);
    const file = shortPath(target);
    return { id: file, ...readDevice(fs.readFileSync(target, "utf8"), file) };
  }
  const [file] = target.split(".", 1);
  const own = names("models").includes(file) ? await devicesIn(file) : [];
  const named = own.filter(({ id }) => id === target || id === `${file}.${camelCase(file)}`);
  const best = named.find(({ id }) => id === target) ?? (target === file ? named[0] : undefined);
  if (best) return best;
  if (target === file && own.length === 1) return own[0];
  if (target === file && own.length > 1)
    throw new UsageError(`${file} has several devices: ${own.map(({ id }) => id).join(", ")}`);
  const all = await library();
  const found = all.filter(({ id }) => id.slice(id.indexOf(".") + 1) === target);
  if (found.length === 1) return found[0];
  if (found.length > 1)
    throw new UsageError(`there are several devices ${target}: ${found.map(({ id }) => id).join(", ")}`);
  const known = all.flatMap(({ id }) => [id, ...id.split(".")]);
  throw new UsageError(
    `there is no device ${target}${didYouMean(target, known) || "; see memspike device list"}`,
  );
}

function camelCase(file: string): string {
  return file.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
