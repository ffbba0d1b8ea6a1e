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
  expect(memspike("show", "hwa-wrn16")).toMatch(
    /^ {2}--set recipe=rasch2023\n {4}data {10}cifar100$[\s\S]*^ {4}remapEvery {4}2000$/m,
  );
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

const mine = `
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

const faulty = `
  import { neuron } from "memspike";
  const cell = neuron({ name: "cell", source: "me", equations: "dv/dt = (E - v) / tu : V",
    parameters: { E: "1 V", tau: "1 s" } });
  export default cell;`;

/** Runs the program in a new folder that holds these files and no data. */
function inFolder(files: Readonly<Record<string, string>>, args: readonly string[]) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "memspike-outside-"));
  try {
    for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), text);
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, MEMSPIKE_DATA: "", XDG_CACHE_HOME: folder },
    });
    return { status, stdout, stderr };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

test.each([undefined, "module", "commonjs"])(
  "a file outside the project imports memspike and its models by name and runs, without a warning (type %s)",
  (type) => {
    const files = { "mine.ts": mine, ...(type ? { "package.json": JSON.stringify({ type }) } : {}) };
    const args = ["run", "./mine.ts", "--json", "--set", "size=5", "--progress", "none"];
    const { status, stdout, stderr } = inFolder(files, args);
    expect([status, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout).metrics).toEqual({ size: 5, kind: "neuron", mean: 2 });
  },
);

test("a fault in a model of the user is told with the line that makes the model", () => {
  expect(inFolder({ "mine.ts": faulty }, ["run", "mine.ts"])).toMatchInlineSnapshot(`
    {
      "status": 3,
      "stderr": "cell: unknown name tu
        dv/dt = (E - v) / tu : V
                          ^^
      did you mean tau?
      at mine.ts:3:16
    ",
      "stdout": "",
    }
  `);
});

test("data that is not here is told without a line of the program", () => {
  const letters = ["run", "pcm-letters", "--quick", "--set", "voice=nobody", "--progress", "none"];
  const { status, stderr } = inFolder({}, letters);
  expect(status).toBe(3);
  expect(stderr).toContain("spoken-letters/spoken-letters-flac.tar.gz: not found in ");
  expect(stderr).not.toContain("store.ts");
});
