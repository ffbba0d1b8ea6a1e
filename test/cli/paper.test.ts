/** `memspike paper` as it is used: interrupted, gone on with, made again from folders, asked wrongly. */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, expect, test } from "vitest";
import { type PaperOptions, paper } from "../../src/cli/paper.ts";

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "memspike-paper-"));
afterAll(() => fs.rmSync(scratch, { recursive: true, force: true }));

/** Runs the program; is interrupted when stderr first shows the words. */
function memspike(args: readonly string[], interruptAt?: string) {
  const child = spawn(process.execPath, [path.resolve("src/cli/memspike.ts"), ...args], {
    cwd: scratch,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr, sent] = ["", "", false];
  child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
    if (sent || interruptAt === undefined || !stderr.includes(interruptAt)) return;
    sent = true;
    child.kill("SIGINT");
  });
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) =>
    child.on("close", (code) => resolve({ code, stdout, stderr })),
  );
}

const options: PaperOptions = {
  full: false,
  seed: 1,
  only: [],
  force: false,
  json: false,
  progress: "none",
};
const at = (name: string) => path.join(scratch, name);

interface Told {
  figures: { quantity: string; run: string; verdict: string; ours: { mean: number } | null }[];
  runs: { name: string; status: string }[];
}
const told = (file: string): Told => JSON.parse(fs.readFileSync(at(file), "utf8"));
const statuses = ({ runs }: Told) => Object.fromEntries(runs.map(({ name, status }) => [name, status]));

test("Ctrl-C keeps what is complete, the same command takes it over, --from makes the page of it", async () => {
  const first = await memspike(
    ["paper", "pcm-snn", "--out", "p", "--only", "device", "--only", "letters"],
    "2/2 letters",
  );
  expect(first.code).toBe(130);
  const page = told("p/report.json");
  expect(statuses(page)).toMatchObject({ device: "done", letters: "interrupted", improve: "missing" });
  for (const { run, ours, verdict } of page.figures) {
    expect(ours !== null).toBe(run === "device");
    if (run !== "device") expect(["open", "none"]).toContain(verdict);
  }
  expect(page.figures.filter(({ verdict }) => verdict === "met")).toHaveLength(3);
  expect(fs.readFileSync(at("p/report.html"), "utf8")).toContain("Conductance by SET pulses");
  const events = () => fs.statSync(at("p/device/events.ndjson")).mtimeMs;
  const before = events();

  expect(await paper("pcm-snn", { ...options, out: at("p"), only: ["device"] })).toBe(0);
  expect(statuses(told("p/report.json"))).toMatchObject({ device: "done", letters: "interrupted" });
  expect(events()).toBe(before);

  expect(await paper("pcm-snn", { ...options, out: at("q"), from: [at("p")] })).toBe(0);
  const known = (all: Told) => all.figures.filter(({ ours }) => ours !== null);
  expect(known(told("q/report.json"))).toEqual(known(page));
  expect(fs.readFileSync(at("q/report.md"), "utf8")).toContain("](../p/device/figures/pulses.svg)");
});

test("what cannot be is said before anything runs", async () => {
  const asked = (name: string, more: Partial<PaperOptions> = {}) => paper(name, { ...options, ...more });
  await expect(asked("pcm-sn")).rejects.toThrow("there is no paper pcm-sn; did you mean pcm-snn?");
  await expect(asked("pcm-snn", { only: ["lettres"] })).rejects.toThrow(
    "paper pcm-snn has no run lettres; did you mean letters?",
  );
  await expect(asked("pcm-snn", { from: [at("nowhere")] })).rejects.toThrow("there is no folder");
  await expect(asked("pcm-snn", { from: [at("p")], only: ["device"] })).rejects.toThrow(
    "--only is for runs, and --from runs nothing",
  );
  await expect(asked("cusio2w", { from: [at("p")], out: at("r") })).rejects.toThrow(
    "no run of paper cusio2w is in",
  );
  await expect(asked("cusio2w", { from: [at("p/device")], out: at("r") })).rejects.toThrow(
    "is no run of paper cusio2w: the paper has no run of pcm-device",
  );
  await expect(asked("pcm-snn", { out: at("p"), full: true })).rejects.toThrow("holds another page");
  fs.mkdirSync(at("mine"));
  fs.writeFileSync(at("mine/thesis.txt"), "precious");
  await expect(asked("pcm-snn", { out: at("mine"), force: true })).rejects.toThrow(
    "holds files that are no page of a paper; choose another --out",
  );
  // a run that is done, but another, is not overwritten unasked
  const config = at("p/device/config.json");
  const held = JSON.parse(fs.readFileSync(config, "utf8"));
  fs.writeFileSync(config, JSON.stringify({ ...held, parameters: { ...held.parameters, pulses: 19 } }));
  await expect(asked("pcm-snn", { out: at("p"), only: ["device"] })).rejects.toThrow(
    "holds a run of pulses=19; --force runs it again",
  );
  await expect(asked("pcm-snn", { from: [at("p/device")], out: at("r") })).rejects.toThrow(
    "is no run of paper pcm-snn: its pulses=19 is none of the paper's",
  );
});
