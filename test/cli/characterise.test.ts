import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, expect, test } from "vitest";
import { pcm } from "../../models/pcm.ts";
import { deviceNamed } from "../../src/cli/library.ts";
import { deviceFile } from "../../src/device/file.ts";

const program = path.resolve("src/cli/memspike.ts");
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "memspike-show-"));
afterAll(() => fs.rmSync(scratch, { recursive: true, force: true }));

function memspike(...args: string[]): string {
  return execFileSync(process.execPath, [program, ...args], { encoding: "utf8", cwd: scratch });
}

function failing(...args: string[]): [number | null, string, string] {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    encoding: "utf8",
    cwd: scratch,
  });
  return [status, stdout, stderr];
}

const few = ["--quick", "--devices", "20"];

test("device show tells the equations, parameters, units and source, what was measured, and where the report is", () => {
  const out = path.join(scratch, "pcm");
  const text = memspike("device", "show", "pcm", ...few, "--set", "Gmax=12 uS", "--out", out);
  expect(text).toMatch(/^device pcm\.pcm$/m);
  expect(text).toMatch(/^ {2}source: Nandakumar et al\. 2018/m);
  expect(text).toMatch(/^ {4}G \* \(max\(age, T0\) \/ T0\)\^\(-nu\)$/m);
  expect(text).toMatch(/^ {4}Gmax +12 +uS$/m);
  expect(text).toMatch(/^ {4}driftExponent +0\.04 ± 0 \(n = 20\) +nu of G ~ t\^-nu/m);
  expect(text).toMatch(/^ {4}loop +the model does not say its current$/m);
  expect(text.trimEnd().endsWith(`report  ${path.join(out, "report.html")}`)).toBe(true);
  expect(fs.readdirSync(out).sort()).toEqual([
    "STATUS",
    "config.json",
    "events.ndjson",
    "figures",
    "metrics.json",
    "provenance.json",
    "report.html",
  ]);
  const report = fs.readFileSync(path.join(out, "report.html"), "utf8");
  expect(report).toContain("memspike device");
  expect(report).toContain("Model as written");
  expect(report).toContain("default 20 uS");
  expect(fs.readdirSync(path.join(out, "figures"))).toContain("pulses.svg");
});

test("--json is one object with metrics, their meanings, and what was left out", () => {
  const args = [
    "device",
    "show",
    "constant-step",
    "--seed",
    "7",
    ...few,
    "--json",
    "--force",
    "--out",
    "json",
  ];
  const printed = memspike(...args);
  const told = JSON.parse(printed);
  expect(printed.trim().split("\n")).toHaveLength(1);
  expect(told).toMatchObject({
    device: "constant-step.idealDevice",
    name: "ideal device",
    seed: 7,
    parameters: { step: "0.8 uS" },
    pulses: ["set", "reset"],
    metrics: { pulses: 30, responding: 1 },
    meanings: { stepUp: "step of one pulse up at half of the range (uS)" },
    omitted: { readNoise: "a read of this device has no noise" },
    figures: ["pulses", "steps", "levels"],
    runFolder: "json",
  });
  const again = JSON.parse(memspike(...args));
  expect(again.metrics).toEqual(told.metrics);
});

test("a device file is shown as what it says, with what its fit found", () => {
  const file = path.join(scratch, "mine.json");
  const fitted = {
    data: "ramps.csv",
    rows: 800,
    devices: 4,
    logLikelihood: 1234.5,
    free: ["m1", "c1"],
    covariance: [
      [1e-4, 0],
      [0, 1e-16],
    ],
    intervals95: { m1: [-0.104, -0.064], c1: [8.6e-7, 9e-7] },
  } as const;
  fs.writeFileSync(file, deviceFile(pcm.with({ m1: -0.1 }), fitted));
  const text = memspike("device", "show", file, ...few, "--out", path.join(scratch, "mine"));
  expect(text).toMatch(/^ {4}m1 +-0\.1$/m);
  expect(text).toMatch(/fitted to ramps\.csv: 800 reads of 4 devices/);
  expect(text).toMatch(/^ {4}m1 {2}−0\.104 to −0\.064$/m);
});

test("device list tells every device of models/ with its pulses and source", () => {
  const devices = JSON.parse(memspike("device", "list", "--json")) as {
    id: string;
    pulses: string[];
    source: string;
  }[];
  expect(devices.find(({ id }) => id === "pcm.pcm")).toMatchObject({
    name: "PCM, accumulation",
    pulses: ["set", "reset"],
    source: "Nandakumar et al. 2018, J. Appl. Phys. 124:152135, doi:10.1063/1.5042408",
  });
  for (const { id, pulses, source } of devices) {
    expect(pulses.length, id).toBeGreaterThan(0);
    expect(source, id).toMatch(/\S/);
  }
  const text = memspike("device", "list");
  for (const { id, source } of devices) {
    expect(text).toContain(id);
    expect(text).toContain(source);
  }
});

test("unknown devices, parameters and settings are refused in a line that offers the nearest", async () => {
  await expect(deviceNamed("pcn")).rejects.toThrowErrorMatchingInlineSnapshot(
    `[UsageError: there is no device pcn; did you mean pcm?]`,
  );
  await expect(deviceNamed("memorylesPcm")).rejects.toThrowErrorMatchingInlineSnapshot(
    `[UsageError: there is no device memorylesPcm; did you mean memorylessPcm?]`,
  );
  await expect(deviceNamed("step-devices")).rejects.toThrowErrorMatchingInlineSnapshot(
    `[UsageError: step-devices has several devices: step-devices.constantStep, step-devices.exponentialStep, step-devices.leakyStep, step-devices.linearStep, step-devices.powerStep, step-devices.softBounds, step-devices.softBoundsReference]`,
  );
  await expect(deviceNamed("nothing.json")).rejects.toThrowErrorMatchingInlineSnapshot(
    `[UsageError: there is no file nothing.json]`,
  );
  expect((await deviceNamed("memorylessPcm")).id).toBe("pcm.memorylessPcm");
  expect((await deviceNamed("pcm.pcm")).id).toBe("pcm.pcm");
  const refused = (...args: string[]) => failing("device", "show", "pcm", ...args, ...few, "--out", "none");
  expect(refused("--set", "Gmx=1 uS")).toMatchInlineSnapshot(`
    [
      3,
      "",
      "PCM, accumulation, parameters: there is no parameter Gmx
        Gmx: "1 uS"
        ^^^
      did you mean Gmax?
    ",
    ]
  `);
  expect(refused("--set", "Gmax")).toMatchInlineSnapshot(`
    [
      2,
      "",
      "--set takes key=value, not "Gmax"
    ",
    ]
  `);
  expect(fs.existsSync(path.join(scratch, "none"))).toBe(false);
});
