import { spawnSync } from "node:child_process";
import * as path from "node:path";
import { expect, test } from "vitest";
import { networkNamed, sizeFrom } from "../../src/cli/network.ts";

const program = path.resolve("src/cli/memspike.ts");

function memspike(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: "utf8" });
  return { status, stdout, stderr };
}

test("map prints weights, tiles, use, mvms and reuse as one JSON object", () => {
  const { status, stdout } = memspike("map", "resnet32", "--json");
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ weights: 361_712, tiles: 34, use: 361_712 / (34 * 512 * 512) });
  expect(JSON.parse(stdout)).toMatchObject({ mvms: 14_785, reuse: 14_785 / 34 });
});

test("map tells in words what it counts; with --layers each matrix", () => {
  const { stdout } = memspike("map", "lstm-ptb", "--length", "35", "--tile", "256x128", "--layers");
  expect(stdout).toMatch(/^ {2}tiles +\d+ {2}of 256 x 128$/m);
  expect(stdout).toMatch(/^ {2}layer 1 hidden +650 +2,600 +35 +1,690,000 +63 +81\.9 % +2,205$/m);
});

test("an unknown network, a length where there is no sequence and a wrong tile are wrong command lines", async () => {
  const { status, stderr } = memspike("map", "resnet-32");
  expect([status, stderr]).toEqual([2, "there is no network resnet-32; did you mean resnet32?\n"]);
  await expect(networkNamed("resnet32", { length: 3 })).rejects.toThrow(
    "a sample of resnet32 is no sequence but image of 32 x 32 x 3",
  );
  expect(() => sizeFrom("512")).toThrow("--tile 512: rows x columns is expected, such as 512x512");
});
