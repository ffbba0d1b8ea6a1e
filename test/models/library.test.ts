import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { library } from "../../models/library.ts";

test("the library holds every device of models/ by file and export, and by export where it is the only one", async () => {
  const found: string[] = [];
  for (const file of readdirSync("models").map((name) => name.replace(/\.ts$/, ""))) {
    const exported = (await import(`../../models/${file}.ts`)) as Record<string, { kind?: string }>;
    for (const [name, value] of Object.entries(exported))
      if (value?.kind === "device") {
        found.push(`${file}.${name}`);
        expect(library[`${file}.${name}`], `models/library.ts lacks ${file}.${name}`).toBe(value);
        if (Object.hasOwn(library, name) && library[name] !== value)
          expect(found.some((other) => other.endsWith(`.${name}`))).toBe(true);
      }
  }
  const short = found.map((name) => name.split(".")[1]);
  const unique = short.filter((name) => short.indexOf(name) === short.lastIndexOf(name));
  expect(Object.keys(library).sort()).toEqual([...found, ...unique].sort());
  expect(found.length).toBeGreaterThan(10);
});
