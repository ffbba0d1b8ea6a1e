import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { loadDevice } from "../../datasets/devices.ts";
import { pcm } from "../../models/pcm.ts";
import { ConfigError, DataError, deviceFile } from "../../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "memspike-devices-"));
afterAll(() => rmSync(folder, { recursive: true }));
const library = { pcm, "pcm.pcm": pcm };

test("a name is a device of the library, a path that ends in .json a device file", async () => {
  expect(await loadDevice("pcm", library)).toEqual({ model: pcm });
  const path = join(folder, "mine.JSON");
  writeFileSync(path, deviceFile(pcm.with({ c1: "1 uS" })));
  expect((await loadDevice(path, library)).model.definition.parameters?.c1).toBe("1 uS");
});

test("an unknown name, a missing file and a faulty one are told apart, the file with its place", async () => {
  const broken = join(folder, "broken.json");
  writeFileSync(broken, '{\n  "memspike": "neuron" }');
  const errors = [];
  for (const name of ["pmc", "vteam", "toString", "missing.json", broken, folder.concat(".json")])
    errors.push(await loadDevice(name, library).then(String, (error: Error) => error));
  expect(errors.map((error) => (error as Error).message.replaceAll(folder, "DIR"))).toMatchInlineSnapshot(`
    [
      "there is no device pmc (the path of a file ends in .json); did you mean pcm?",
      "there is no device vteam (the path of a file ends in .json); there are pcm, pcm.pcm",
      "there is no device toString (the path of a file ends in .json); there are pcm, pcm.pcm",
      "missing.json: there is no such file",
      "DIR/broken.json:2:15: memspike: a device file says "device" here",
      "DIR.json: there is no such file",
    ]
  `);
  expect(errors[0]).toBeInstanceOf(ConfigError);
  expect(errors[3]).toBeInstanceOf(DataError);
});
