import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { expect, test } from "vitest";
import { ownAddress } from "../../src/cli/resolve.ts";

const program = path.resolve("src/cli/memspike.ts");

function memspike(...args: string[]): string {
  return execFileSync(process.execPath, [program, ...args], { encoding: "utf8" });
}

function filesOf(folder: string): string[] {
  return fs
    .readdirSync(folder)
    .filter((file) => file.endsWith(".ts"))
    .map((file) => file.slice(0, -3))
    .sort();
}

test("list names every experiment with its question and every model file, and all of them load", () => {
  const { experiments, models } = JSON.parse(memspike("list", "--json"));
  expect(experiments.map(({ name }: { name: string }) => name)).toEqual(filesOf("experiments"));
  expect(models.map(({ name }: { name: string }) => name)).toEqual(filesOf("models"));
  for (const entry of [...experiments, ...models]) {
    expect(entry.error).toBeUndefined();
    expect(entry.about, entry.name).not.toBe("");
  }
});

test("show tells an experiment's parameters and a model's equations, parameters, units and source", () => {
  const shown = memspike("show", "cuba");
  expect(shown).toMatch(/^experiment cuba$/m);
  expect(shown).toMatch(/^ {4}sizeE {2,}3200/m);
  expect(shown).toMatch(/^neuron cuba\.cuba$/m);
  expect(shown).toMatch(/^ {2}source: Brette et al\. 2007/m);
  expect(shown).toMatch(/^ {4}dge\/dt = -ge \/ taue {2,}: V$/m);
  expect(shown).toMatch(/^ {4}taum {2}20 {3}ms$/m);
  const one = memspike("show", "cuba.excitatory");
  expect(one).toMatch(/^synapse cuba\.excitatory$/m);
  expect(one).toMatch(/^ {4}pre {2}ge_post \+= we$/m);
  expect(one).not.toContain("inhibitory");
  const { models } = JSON.parse(memspike("show", "cuba.excitatory", "--json"));
  expect(models).toMatchObject([
    { id: "cuba.excitatory", kind: "synapse", definition: { parameters: { we: "1.62 mV" } } },
  ]);
  const wrong = spawnSync(process.execPath, [program, "show", "cuba.exitatory"], { encoding: "utf8" });
  expect([wrong.status, wrong.stdout, wrong.stderr]).toEqual([
    2,
    "",
    "there is no experiment or model cuba.exitatory; did you mean cuba.excitatory?\n",
  ]);
});

test("data list tells every set; an unknown one is a wrong command line", () => {
  const entries = JSON.parse(memspike("data", "list", "--json"));
  expect(entries.map(({ name }: { name: string }) => name)).toContain("spoken-letters");
  const text = memspike("data", "list");
  for (const { name, licence } of entries) {
    expect(text).toContain(licence);
    expect(text.split("\n")).toContain(name);
  }
  const wrong = spawnSync(process.execPath, [program, "data", "verify", "spoken-leters"], {
    encoding: "utf8",
  });
  expect([wrong.status, wrong.stderr]).toEqual([
    2,
    "there is no data set spoken-leters; did you mean spoken-letters?\n",
  ]);
});

test("the program's own name is itself, its models and its data, and nothing else", () => {
  const here = (file: string) => new URL(`../../${file}`, import.meta.url).href;
  expect(ownAddress("memspike")).toBe(here("src/index.ts"));
  expect(ownAddress("memspike/models/cuba")).toBe(here("models/cuba.ts"));
  expect(ownAddress("memspike/datasets/index.js")).toBe(here("datasets/index.ts"));
  expect([
    ownAddress("memspike/src/cli/run"),
    ownAddress("memspikes"),
    ownAddress("memspike/models/../x"),
  ]).toEqual([undefined, undefined, undefined]);
});

test("a file outside the project imports memspike and its models by name and runs, without a warning", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "memspike-outside-"));
  try {
    const text = `
      import { estimate, experiment, type Result } from "memspike";
      import { cuba } from "memspike/models/cuba";
      export default experiment({
        name: "mine",
        question: "Does a file anywhere find the program?",
        source: "me",
        parameters: { size: 3 },
        run({ size }): Result {
          return { metrics: { size, kind: cuba.kind, mean: estimate([1, 2, 3]).mean } };
        },
      });`;
    fs.writeFileSync(path.join(folder, "mine.ts"), text);
    const ended = spawnSync(
      process.execPath,
      [program, "run", "./mine.ts", "--json", "--set", "size=5", "--progress", "none"],
      {
        cwd: folder,
        encoding: "utf8",
      },
    );
    expect([ended.status, ended.stderr]).toEqual([0, ""]);
    expect(JSON.parse(ended.stdout).metrics).toEqual({ size: 5, kind: "neuron", mean: 2 });
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
});
