import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type FitFlags, fitData } from "../../src/cli/fit.ts";
import { type FitTask, fitWork } from "../../src/cli/fitting.ts";
import type { Outcome } from "../../src/cli/thread.ts";
import { readDevice } from "../../src/device/file.ts";
import { writeRamps } from "./ramps.ts";

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "memspike-fitting-"));
beforeAll(() => writeRamps(scratch));
afterAll(() => fs.rmSync(scratch, { recursive: true, force: true }));
const here = (name: string) => path.join(scratch, name);

interface FitRecord {
  readonly models: readonly (Readonly<Record<string, number>> & {
    readonly name: string;
    readonly start: string;
    readonly parameters: readonly { readonly name: string; readonly unit: string; readonly value: number }[];
    readonly held: readonly Readonly<Record<string, unknown>>[];
    readonly posterior?: unknown;
  })[];
  readonly refused: Readonly<Record<string, string>>;
}

type Asked = Partial<Omit<FitTask, "models">> & { readonly models: readonly string[] };

/** What the worker does, in this thread. */
async function fitted({ models, ...more }: Asked, context: Partial<{ signal: AbortSignal }> = {}) {
  const { run, introduction } = await fitWork({
    data: here("ramps.csv"),
    metadata: {},
    seed: 1,
    abort: new Int32Array(1),
    ...more,
    models: models.map((name) => (fs.existsSync(here(`${name}.json`)) ? here(`${name}.json`) : name)),
    options: { starts: 8, ...more.options },
  });
  const partial: Outcome[] = [];
  const told: [number, string | undefined][] = [];
  const outcome = await run({
    signal: new AbortController().signal,
    ...context,
    progress: (...each) => told.push([each[0], each[1]]),
    log: () => {},
    partial: (each) => partial.push(each),
  });
  return { outcome, partial, told, introduction, record: outcome.json as unknown as FitRecord };
}

test("several models are compared, each with its device; one that cannot be fitted is refused beside them", async () => {
  const { outcome, record, told, partial } = await fitted({
    models: ["straight", "saturating", "softBounds"],
  });
  const [best, other] = record.models;
  expect(record.models.map(({ name }) => path.basename(name))).toEqual(["saturating.json", "straight.json"]);
  expect(record.refused).toEqual({
    softBounds: "soft bounds has no pulse set, which the data give; it has up, down, reset",
  });
  expect(outcome.omitted).toEqual(record.refused);
  expect(best.difference).toBe(0);
  expect(other.difference).toBeCloseTo(other.aicc - best.aicc, 6);
  expect(other.difference).toBeGreaterThan(100); // equal steps are far off
  expect(best.fitted).toBe(4);
  expect(Object.keys(outcome.files ?? {})).toEqual([
    "fit.json",
    "device.json",
    "device-straight.json",
    "device-saturating.json",
  ]);
  const { files = {}, lines = [] } = outcome;
  expect(files["device.json"]).toBe(files["device-saturating.json"]);
  expect(readDevice(files["device-straight.json"]).model.checked.name).toBe("equal steps");
  expect(lines.join("\n")).toMatch(/refused +because\n +softBounds +soft bounds has no pulse set, /);
  for (const [fraction] of told) expect(fraction >= 0 && fraction <= 1).toBe(true);
  expect(told.at(-1)?.[0]).toBe(1);
  expect(Object.keys(partial[0].figures ?? {})).toEqual(["data"]); // before anything is fitted
});

test("when no model can be fitted, all reasons are told", async () => {
  await expect(fitted({ models: ["pcm", "driftingRead"], data: "crosssim-ramps" })).rejects.toThrow(
    "pcm: PCM, accumulation has no pulse down, which the data give; it has set, reset\ndriftingRead: drift and",
  );
});

test("a posterior leaves at most 1000 samples in the device file; one without an end is left out, the fit stays", async () => {
  const drawn = await fitted({ models: ["saturating"], posterior: 2100 });
  const { fitted: found } = readDevice(drawn.outcome.files?.["device.json"] as string);
  expect(found?.samples?.length).toBeGreaterThan(600);
  expect(found?.samples?.length).toBeLessThanOrEqual(1000);
  expect(drawn.record.models[0].posterior).toMatchObject({ draws: 2112 });
  expect(drawn.outcome.lines?.join("\n")).toMatch(
    /posterior: 2112 draws, worth \d+ independent ones or more, R-hat 1/,
  );
  expect(Object.keys(drawn.outcome.figures ?? {})).toContain("posterior");
  const open = await fitted({ models: ["relative"], data: here("still.csv"), posterior: 4000 });
  expect(open.record.refused).toEqual({
    [`posterior of ${here("relative.json")}`]:
      "it has no end along step and pulseSd: give --bounds, or --fix one of them",
  });
  expect(readDevice(open.outcome.files?.["device.json"] as string).fitted).toMatchObject({ rows: 200 });
  expect(open.record.models[0].posterior).toBeUndefined();
});

test("options reach the fit", async () => {
  const { record, outcome, introduction } = await fitted({
    models: ["saturating"],
    metadata: { temperature: "300 K" },
    options: {
      starts: 4,
      free: ["rate", "Gtop"],
      fix: { readSd: "0.1 uS", pulseSd: "0.2 uS" },
      bounds: { rate: [0.01, 0.5] },
      intervals: "profile",
      start: "fabricated",
      residual: true,
    },
  });
  const [{ parameters, held, start, reads }] = record.models;
  expect(parameters.map(({ name }) => name)).toEqual(["rate", "Gtop", "residual"]);
  expect(held).toContainEqual({ name: "readSd", unit: "uS", value: expect.closeTo(0.1, 9), reason: "fixed" });
  expect([start, reads]).toEqual(["fabricated", 205]); // first reads count
  expect(Object.keys(outcome.figures ?? {})).toContain("profiles");
  // the residual is noise of the measurement, not of the device
  expect(readDevice(outcome.files?.["device.json"] as string).fitted?.free).toEqual(["rate", "Gtop"]);
  expect(introduction.parameters).toMatchObject({
    "set temperature": "300 K",
    "bounds rate": "0.01 to 0.5",
    intervals: "profile",
  });
});

test("an interval that is open has the largest number as its end in the device file", async () => {
  const { outcome, record } = await fitted({
    models: ["relative"],
    data: here("still.csv"),
    options: { starts: 8, intervals: "profile" },
  });
  const { fitted: found } = readDevice(outcome.files?.["device.json"] as string);
  expect(found?.intervals95.pulseSd[1]).toBe(Number.MAX_VALUE);
  expect(JSON.parse(JSON.stringify(record)).models[0].parameters[1].interval95[1]).toBe(null);
  expect(outcome.lines?.join("\n")).toMatch(/pulseSd .* to ∞/);
});

test("a fit that is aborted throws, and has handed over what there was", async () => {
  const controller = new AbortController();
  controller.abort();
  await expect(fitted({ models: ["saturating"] }, { signal: controller.signal })).rejects.toThrow("aborted");
});

const flags: FitFlags = {
  ...{ model: "saturating", free: [], fix: [], bounds: [], metadata: {}, seed: 1 },
  ...{ force: false, json: false, progress: "none" },
};

test.each([
  [{ model: " , " }, "--model names a device; see memspike device list"],
  [{ model: "pcm,pcm" }, "--model names pcm twice"],
  [{ fix: ["rate"] }, '--fix takes parameter=value, not "rate"'],
  [{ fix: ["rate=1", "Gtop=2 uS,rate=3"] }, "--fix gives rate twice"],
  [{ bounds: ["rate=1"] }, '--bounds takes parameter=low:high, not "rate=1"'],
  [{ bounds: ["rate="] }, '--bounds takes parameter=low:high, not "rate="'],
] as const)("%o is refused: %s", async (wrong, message) => {
  await expect(fitData("ramps.csv", { ...flags, ...wrong })).rejects.toThrow(
    expect.objectContaining({ name: "UsageError", message }),
  );
});

test.each([
  [{ models: ["softBound"] }, "there is no device softBound; did you mean softBounds?"],
  [
    { models: ["saturating"], data: "crossim-ramps" },
    "there is no file crossim-ramps; did you mean crosssim-ramps?",
  ],
  [
    { models: ["saturating", "straight"], options: { free: ["stap"] } },
    "saturating, equal steps: there is no parameter stap; did you mean step?",
  ],
  [
    { models: ["saturating"], options: { fix: { Gtop: "3 V" } } },
    'saturating, parameters: dimensions disagree\n    Gtop: "3 V"\n          ^^^^^\n  this is V, Gtop is S',
  ],
  [
    { models: ["double"] },
    "the data cannot tell a and b apart; hold one of them, for instance by fixing a, or measure what depends on it",
  ],
] as const)("%o is refused: %s", async (asked, message) => {
  await expect(fitted(asked)).rejects.toThrow(message);
});
