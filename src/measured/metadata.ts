/**
 * What is said of a whole table of measurements: `# key: value` above the header, or the same keys in JSON.
 */

import { ConfigError } from "../math/errors.ts";
import { didYouMean, editDistance, nearest } from "../math/nearest.ts";
import { parseQuantity, sameDimension, unitDimension } from "../math/units.ts";

/** What is known of a table beside its columns. */
export interface Metadata {
  readonly pulse?: string;
  readonly device?: string;
  readonly readVoltage?: number; // V
  readonly one?: number; // S, what 1 stands for in G_rel
  readonly kind?: "sweep" | "reads";
  readonly time?: "clock" | "since write";
}

const keys = [
  "pulse",
  "device",
  "read_voltage",
  "G_rel",
  "kind",
  "time",
  "temperature",
  "source",
  "licence",
  "note",
];
/** Free text, of any number of lines. */
const texts = ["temperature", "source", "licence", "note"];

/** Whether a key means something; a key near one that does is a fault, told as text; others are plain comments. */
export function isMetadata(key: string): boolean | string {
  if (keys.includes(key)) return true;
  const near = nearest(key, keys);
  const close = near !== undefined && Math.abs(near.length - key.length) <= 1 && near.length > 4;
  return close || (near !== undefined && near.toLowerCase() === key.toLowerCase())
    ? `there is no key "${key}"; did you mean ${near}?`
    : false;
}

/** Keys that may stand more than once, their lines joined. */
export function isText(key: string): boolean {
  return texts.includes(key);
}

/** The metadata with one more key; throws `ConfigError` with the reason when the value does not suit it. */
export function withKey(metadata: Metadata, key: string, value: string): Metadata {
  const positive = (unit: string): number => {
    const { value: size, dimension } = parseQuantity(value);
    if (!sameDimension(dimension, unitDimension(unit).dimension) || size === 0)
      throw new ConfigError(`${key} is a quantity in ${unit}, not ${value}`);
    return size;
  };
  const oneOf = <T extends string>(...words: T[]): T => {
    const found = words.find((word) => word === value);
    if (found === undefined)
      throw new ConfigError(`${key} is ${words.join(" or ")}, not "${value}"${didYouMean(value, words)}`);
    return found;
  };
  if (key === "pulse") {
    const reason = value === "read" ? "a read is no pulse" : pulseFault(value);
    if (reason) throw new ConfigError(reason);
    return { ...metadata, pulse: value };
  }
  if (key === "device") return { ...metadata, device: value };
  if (key === "read_voltage") return { ...metadata, readVoltage: positive("V") };
  if (key === "G_rel") return { ...metadata, one: positive("S") };
  if (key === "kind") return { ...metadata, kind: oneOf("sweep", "reads") };
  if (key === "time") return { ...metadata, time: oneOf("clock", "since write") };
  return metadata;
}

/** Names of pulses that devices of the program have. Others are free, but not one letter away from these. */
const commonPulses = ["set", "reset", "up", "down", "pair", "read"];

/** Why a word cannot name a pulse; undefined when it can. */
export function pulseFault(word: string): string | undefined {
  if (!/^[A-Za-z_]\w*$/.test(word)) return `"${word}" cannot name a pulse: a letter, then letters, digits, _`;
  if (commonPulses.includes(word)) return undefined;
  const lower = word.toLowerCase();
  const isNear = (name: string): boolean =>
    name === lower || (lower.length > 2 && !/\d/.test(lower) && editDistance(lower, name) <= 1);
  const near = commonPulses.find(isNear);
  return near === undefined ? undefined : `there is no pulse ${word}; did you mean ${near}?`;
}
