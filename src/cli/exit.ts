/** How the program ends: exit codes, and the one clear message of an error. */

import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { type Place, placeText } from "../math/errors.ts";

export const exitCodes = { done: 0, failed: 1, usage: 2, invalid: 3, numeric: 4, interrupted: 130 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The command line asks for something that does not exist or cannot be. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** An error as plain data, as it crosses from a worker. */
export interface Fault {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly code?: string;
}

export function faultOf(error: unknown): Fault {
  if (!(error instanceof Error)) return { name: "Error", message: String(error), stack: "" };
  const { code } = error as { code?: unknown };
  const more = typeof code === "string" ? { code } : {};
  return { name: error.name, message: error.message, stack: error.stack ?? "", ...more };
}

const invalid = ["ConfigError", "DataError", "ModelError", "QuantityError"];
const usage = ["UsageError", "FolderError"];

/** The exit code an error stands for, by its name: errors from a worker have lost their class. */
export function exitCodeOf(fault: Fault): ExitCode {
  if (usage.includes(fault.name)) return exitCodes.usage;
  if (invalid.includes(fault.name) || isLoadFault(fault)) return exitCodes.invalid;
  return fault.name === "NumericError" ? exitCodes.numeric : exitCodes.failed;
}

/** Whether a file could not be read as a program. */
function isLoadFault({ name, code }: Fault): boolean {
  return (
    name === "SyntaxError" || code === "ERR_MODULE_NOT_FOUND" || code === "ERR_PACKAGE_PATH_NOT_EXPORTED"
  );
}

/**
 * The message of an error, with `file:line:column` where the person who runs the program can mend it. An
 * unexpected error keeps the top of its stack.
 */
export function faultText(fault: Fault, file?: string): string {
  if (isLoadFault(fault)) {
    const place = placeOfSyntax(fault.stack) ?? (file === undefined ? undefined : checkedSyntax(file));
    const at = place ?? (file === undefined ? undefined : { file });
    const known = at === undefined ? "" : `${placeText({ ...at, file: shortPath(at.file) })}: `;
    return `${known}${fault.message}`;
  }
  if (invalid.includes(fault.name)) {
    const place = placeOfCaller(fault.stack);
    return place === undefined ? fault.message : `${fault.message}\n  at ${placeText(place)}`;
  }
  if (usage.includes(fault.name) || fault.name === "NumericError") return fault.message;
  const frames = fault.stack.split("\n").filter((line) => /^\s+at /.test(line));
  return [`${fault.name}: ${fault.message}`, ...frames.slice(0, 6)].join("\n");
}

/** Where a syntax error lies, from what V8 and Node write above its stack: `file:line`, the code, a caret. */
export function placeOfSyntax(stack: string): Place | undefined {
  const lines = stack.split("\n");
  const match = /^((?:file:\/\/)?\/?.+):(\d+)$/.exec(lines[0]);
  if (match === null) return undefined;
  const caret = lines.slice(1, 8).find((line) => /^\s*\^+\s*$/.test(line));
  const column = caret === undefined ? {} : { column: caret.indexOf("^") + 1 };
  return { file: plainPath(match[1]), line: Number(match[2]), ...column };
}

/** Some syntax errors come without a place; the checker of Node finds it. */
function checkedSyntax(file: string): Place | undefined {
  const { stderr } = spawnSync(process.execPath, ["--check", file], { encoding: "utf8", timeout: 5000 });
  return stderr ? placeOfSyntax(stderr) : undefined;
}

/** The innermost call outside this program's src and datasets: the line of the model or the experiment. */
function placeOfCaller(stack: string): Place | undefined {
  const src = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
  const own = [src, path.join(path.dirname(src), "datasets")].map((folder) => folder + path.sep);
  for (const line of stack.split("\n")) {
    const match = /^\s+at (?:.*\()?((?:file:\/\/\/|\/|[A-Z]:\\).*?):(\d+):(\d+)\)?$/.exec(
      line.replace("at async ", "at "),
    );
    if (match === null) continue;
    const file = plainPath(match[1]);
    if (own.some((folder) => file.startsWith(folder)) || file.includes(`${path.sep}node_modules${path.sep}`))
      continue;
    return { file: shortPath(file), line: Number(match[2]), column: Number(match[3]) };
  }
  return undefined;
}

function plainPath(file: string): string {
  return file.startsWith("file:") ? fileURLToPath(file) : file;
}

/** A path as seen from here, when that is shorter. */
export function shortPath(file: string): string {
  const relative = path.relative(process.cwd(), file);
  return relative !== "" && relative.length < file.length && fs.existsSync(file) ? relative : file;
}
