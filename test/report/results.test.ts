import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, expect, test } from "vitest";
import { raster } from "../../src/engine/raster.ts";
import { linePlot } from "../../src/report/figures.ts";
import { readNpz } from "../../src/report/npz.ts";
import {
  defaultRunFolder,
  provenance,
  type RunConfig,
  RunFolder,
  writeWhole,
} from "../../src/report/results.ts";

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "memspike-results-"));
afterAll(() => fs.rmSync(scratch, { recursive: true, force: true }));

const config: RunConfig = {
  experiment: "cuba",
  seed: 1,
  quick: false,
  threads: 1,
  parameters: { size: 4, tau: "5 ms" },
};
const frame = {
  experiment: "cuba",
  question: "?",
  source: "none",
  seed: 1,
  quick: false,
  parameters: config.parameters,
  defaults: config.parameters,
  parameterMeanings: {},
  metricMeanings: {},
};
const result = {
  metrics: { rate: 5.5 },
  figures: { rate: linePlot({ series: { a: [1, 2] }, xTitle: "", yTitle: "" }) },
  spikes: { cells: raster({ t: [0.25, 0.5], i: [3, 1] }, 4, 1) },
  arrays: { weights: { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] } },
};

function read(folder: string, file: string): string {
  return fs.readFileSync(path.join(folder, file), "utf8");
}

test("a finished run holds config, provenance, events, metrics, arrays, figures, report and STATUS", () => {
  const folder = path.join(scratch, "done");
  const run = new RunFolder(folder, config, provenance(["memspike", "run", "cuba"]));
  expect(read(folder, "STATUS")).toBe("running\n");
  run.event("log", { epoch: 1 });
  const report = run.finish("done", result, frame);
  expect(report).toBe(path.join(folder, "report.html"));
  expect(read(folder, "STATUS")).toBe("done\n");
  expect(JSON.parse(read(folder, "config.json"))).toEqual(config);
  expect(JSON.parse(read(folder, "metrics.json"))).toEqual({ rate: 5.5 });
  const events = read(folder, "events.ndjson")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(events.map(({ event }) => event)).toEqual(["start", "log", "end"]);
  expect(events[1]).toMatchObject({ epoch: 1 });
  const spikes = readNpz(fs.readFileSync(path.join(folder, "spikes.npz")));
  expect(spikes).toEqual({
    "cells.t": { data: Float64Array.of(0.25, 0.5), shape: [2] },
    "cells.i": { data: Uint32Array.of(3, 1), shape: [2] },
    "cells.size": { data: Uint32Array.of(4), shape: [] },
    "cells.duration": { data: Float64Array.of(1), shape: [] },
  });
  expect(readNpz(fs.readFileSync(path.join(folder, "arrays.npz"))).weights.shape).toEqual([2, 2]);
  expect(read(folder, "figures/rate.svg")).toMatch(/^<svg /);
  expect(read(folder, "report.html")).toContain("cuba");
  expect(fs.readdirSync(folder).filter((file) => file.endsWith(".part"))).toEqual([]);
});

test("provenance names version, commit, machine and command line", () => {
  const { version } = JSON.parse(fs.readFileSync("package.json", "utf8"));
  const told = provenance(["memspike", "run", "cuba", "--seed", "3"]);
  expect(told).toMatchObject({
    memspike: version,
    node: process.version,
    commandLine: "memspike run cuba --seed 3",
  });
  if (fs.existsSync(".git")) expect(told.commit).toMatch(/^[0-9a-f]{40,64}$/);
  expect(Math.abs(Date.parse(String(told.started)) - Date.now())).toBeLessThan(10_000);
});

test("a folder that holds a run is refused and left untouched; force replaces that run and nothing else", () => {
  const folder = path.join(scratch, "taken");
  new RunFolder(folder, config, {}).finish("done", result, frame);
  fs.writeFileSync(path.join(folder, "notes.txt"), "mine");
  const before = fs.readdirSync(folder).map((file) => [file, fs.statSync(path.join(folder, file)).mtimeMs]);
  expect(() => new RunFolder(folder, config, {})).toThrowError(
    `${folder} already holds a run of cuba with seed 1 (done); choose another --out, or add --force`,
  );
  expect(fs.readdirSync(folder).map((file) => [file, fs.statSync(path.join(folder, file)).mtimeMs])).toEqual(
    before,
  );
  new RunFolder(folder, { ...config, seed: 2 }, {}, { force: true });
  expect(fs.readdirSync(folder).sort()).toEqual([
    "STATUS",
    "config.json",
    "events.ndjson",
    "notes.txt",
    "provenance.json",
  ]);
  expect(read(folder, "notes.txt")).toBe("mine");
});

test("a folder of something else is refused even by force; an empty one is taken", () => {
  const folder = path.join(scratch, "photos");
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, "sea.jpg"), "");
  expect(() => new RunFolder(folder, config, {}, { force: true })).toThrowError(
    `${folder} holds files that are no run; choose another --out`,
  );
  expect(fs.readdirSync(folder)).toEqual(["sea.jpg"]);
  fs.rmSync(path.join(folder, "sea.jpg"));
  new RunFolder(folder, config, {}).end("interrupted");
  expect(read(folder, "STATUS")).toBe("interrupted\n");
});

test("the default folder tells experiment, seed and time, and is made for one run only", () => {
  const now = new Date("2026-03-04T05:06:07.089Z");
  const made = () => path.relative(scratch, defaultRunFolder("cuba", "a b/../c", now, scratch));
  const name = "runs/cuba-a_b_.._c-20260304T050607Z";
  expect([made(), made(), made()]).toEqual([name, `${name}-2`, `${name}-3`]);
  expect(fs.statSync(path.join(scratch, name)).isDirectory()).toBe(true);
});

test("a file is replaced whole or not at all", () => {
  const file = path.join(scratch, "whole.txt");
  writeWhole(file, "old");
  expect(() => writeWhole(file, undefined as unknown as string)).toThrow();
  expect(fs.readFileSync(file, "utf8")).toBe("old");
  writeWhole(file, "new");
  expect(fs.readFileSync(file, "utf8")).toBe("new");
});

test("a killed run leaves config, whole events and the last metrics; STATUS says running", async () => {
  const folder = path.join(scratch, "killed");
  const program = `
    import { RunFolder } from ${JSON.stringify(path.resolve("src/report/results.ts"))};
    const run = new RunFolder(${JSON.stringify(folder)}, ${JSON.stringify(config)}, {});
    for (let k = 0; ; k++) {
      run.event("log", { k, padding: "x".repeat(200) });
      run.result({ metrics: { k }, arrays: { big: new Float64Array(20000).fill(k) } });
      if (k === 3) process.stdout.write("going");
    }`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise((resolve) => child.stdout.once("data", resolve));
  await new Promise((resolve) => setTimeout(resolve, 60 + Math.random() * 20));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
  expect(read(folder, "STATUS")).toBe("running\n");
  expect(JSON.parse(read(folder, "config.json"))).toEqual(config);
  const lines = read(folder, "events.ndjson").split("\n");
  expect(lines.pop()).toBe(""); // the last line is whole
  const events = lines.map((line) => JSON.parse(line));
  const last = events.at(-1).k as number;
  expect(last).toBeGreaterThanOrEqual(3);
  const { k } = JSON.parse(read(folder, "metrics.json"));
  expect([last, last - 1]).toContain(k);
  const { big } = readNpz(fs.readFileSync(path.join(folder, "arrays.npz")));
  expect([k, k - 1]).toContain(big.data[0]);
  expect(big.data.every((value) => value === big.data[0])).toBe(true);
});
