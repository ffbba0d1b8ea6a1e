/**
 * What lies in a run folder, as it is read back: which run it is, how it ended, its figures. The other side of
 * report/results.ts, for pages that are made of runs.
 */

import * as fs from "node:fs";
import * as path from "node:path";
import type { ParameterValue } from "../report/experiment.ts";
import { parameterText } from "../report/html.ts";
import type { FoundFigure } from "../report/page.ts";
import { machineText, type RunConfig } from "../report/results.ts";

export interface Held {
  readonly status: string;
  readonly config: RunConfig;
  readonly program: string;
  readonly machine: string;
  readonly started: string;
  readonly process?: number;
}

/** What the run folder says about itself; undefined where there is no run. */
export function heldIn(place: string): Held | undefined {
  const read = (file: string) => fs.readFileSync(path.join(place, file), "utf8");
  try {
    const about = JSON.parse(read("provenance.json")) as Record<string, unknown>;
    const config = JSON.parse(read("config.json")) as RunConfig;
    if (typeof config.parameters !== "object" || config.parameters === null) return undefined;
    return {
      status: read("STATUS").trim(),
      config,
      program: programText(about),
      machine: machineText(about),
      started: String(about.started ?? ""),
      ...(typeof about.process === "number" ? { process: about.process } : {}),
    };
  } catch {
    return undefined;
  }
}

/** "memspike 0.1.0, revision 1a2b3c4d5e, with uncommitted changes". */
export function programText(about: Readonly<Record<string, unknown>>): string {
  const { memspike, commit, uncommittedChanges } = about;
  const revision = typeof commit === "string" ? `, revision ${commit.slice(0, 10)}` : "";
  return `memspike ${memspike}${revision}${uncommittedChanges === true ? ", with uncommitted changes" : ""}`;
}

/** The last word of a run's log. */
export function endOf(place: string): { seconds?: number; error?: string } {
  try {
    const lines = fs.readFileSync(path.join(place, "events.ndjson"), "utf8").trimEnd().split("\n");
    const { seconds, error } = JSON.parse(lines[lines.length - 1]) as { seconds?: number; error?: unknown };
    return { seconds, ...(typeof error === "string" ? { error } : {}) };
  } catch {
    return {};
  }
}

export function figuresIn(place: string, out: string): FoundFigure[] {
  const own = path.join(place, "figures");
  if (!fs.existsSync(own)) return [];
  return fs
    .readdirSync(own)
    .filter((file) => file.endsWith(".svg"))
    .sort()
    .map((file) => {
      const svg = fs.readFileSync(path.join(own, file), "utf8");
      const name = file.slice(0, -".svg".length);
      const inside = (element: string) =>
        plain(new RegExp(`<${element}>([^<]*)</${element}>`).exec(svg)?.[1] ?? "");
      const seen = path.relative(out, path.join(own, file)).split(path.sep).join("/");
      return { name, title: inside("title") || name, caption: inside("desc"), svg, file: seen };
    });
}

/** Text of XML without its escapes. */
function plain(text: string): string {
  const signs: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
  return text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => signs[name]);
}

export function isAlive(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === "EPERM";
  }
}

/** In what two runs differ, in words; "" where they are the same. */
export function difference(there: RunConfig, config: RunConfig): string {
  if (there.experiment !== config.experiment) return `experiment ${there.experiment}`;
  if (there.seed !== config.seed) return `seed ${there.seed}`;
  return differingKeys(there.parameters, config.parameters)
    .map((key) => `${key}=${key in there.parameters ? parameterText(there.parameters[key]) : "?"}`)
    .join(", ");
}

export type Settings = Readonly<Record<string, ParameterValue>>;

export const differingKeys = (a: Settings, b: Settings): string[] =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])].filter(
    (key) => JSON.stringify(a[key]) !== JSON.stringify(b[key]),
  );
