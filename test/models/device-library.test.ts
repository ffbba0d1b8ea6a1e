/** Every device of models/ is in the table of docs/device-library.md, and none breaks down in use. */
import * as fs from "node:fs";
import { describe, expect, test } from "vitest";
import { fabricate, type Model } from "../../src/index.ts";

const root = new URL("../../", import.meta.url);
const files = fs.readdirSync(new URL("models/", root)).map((file) => file.replace(/\.ts$/, ""));
const found = await Promise.all(
  files
    .filter((file) => file !== "library") // a list of the others
    .map(async (file) => {
      const exported = (await import(new URL(`models/${file}.ts`, root).href)) as Record<string, unknown>;
      return Object.entries(exported)
        .filter(([, value]) => (value as { kind?: unknown } | null)?.kind === "device")
        .map(([name, value]) => ({ file, name, model: value as Model<"device"> }));
    }),
);
const devices = found.flat();

interface Row {
  readonly names: readonly string[];
  readonly file: string;
  readonly pulses: string;
  readonly tests: readonly string[];
}
const rows: Row[] = fs
  .readFileSync(new URL("docs/device-library.md", root), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| `"))
  .map((line) => {
    const [, name, , , , pulses, tests] = line.split("|").map((cell) => cell.trim());
    const [titles, file] = name.split(" · ");
    const names = [...titles.matchAll(/`(\w+)/g)].map(([, each]) => each);
    return { names, file, pulses, tests: tests.split(", ") };
  });

describe("docs/device-library.md", () => {
  test("has a row for each of 39 devices, with its file and its pulses", () => {
    expect(devices.length).toBeGreaterThanOrEqual(39);
    for (const { file, name, model } of devices) {
      const row = rows.find((each) => each.file === file && each.names.includes(name));
      expect(row, `${file}.${name}`).toBeDefined();
      const pulses = row?.pulses.match(/[a-z]+/g);
      expect(pulses, name).toEqual(Object.keys(model.definition.on));
    }
  });

  test("names nothing that is not there, and tests that exist", async () => {
    for (const { file, names, tests } of rows) {
      const exported = (await import(new URL(`models/${file}.ts`, root).href)) as Record<string, unknown>;
      for (const name of names) expect(Object.keys(exported), file).toContain(name);
      for (const each of tests)
        expect(fs.existsSync(new URL(`test/${each}.test.ts`, root)), `test/${each}.test.ts`).toBe(true);
    }
  });
});

test.each(devices)(
  "$name of $file: conductances stay finite and positive through 60 pulses and a year",
  async ({ model }) => {
    const array = await fabricate(50, model, { seed: 1 });
    const pulses = Object.keys(model.definition.on);
    const seen = new Set<number>();
    for (let n = 0; n < 60; n++) {
      array.pulse(pulses[Math.floor(n / 10) % pulses.length]);
      const G = array.read({ noise: false });
      expect(G.every((value) => value >= 0 && value < 1)).toBe(true);
      seen.add(G[0]);
      expect(array.read().every(Number.isFinite)).toBe(true);
    }
    expect(seen.size).toBeGreaterThan(1); // alive
    array.wait("1 year");
    expect(array.read({ noise: false }).every((G) => G >= 0 && G < 1)).toBe(true);
  },
);
