import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { expect, test } from "vitest";
import { UsageError } from "../../src/cli/exit.ts";
import { networkNamed, onnxFile, sizeFrom, writeFigure } from "../../src/cli/network.ts";

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
  await expect(networkNamed("resnet-32")).rejects.toThrow(
    new UsageError("there is no network resnet-32; did you mean resnet32?"),
  );
  await expect(networkNamed("resnet32", { length: 3 })).rejects.toThrow(
    "a sample of resnet32 is no sequence but image of 32 x 32 x 3",
  );
  expect(() => sizeFrom("512")).toThrow("--tile 512: rows x columns is expected, such as 512x512");
});

test("cost prints time, energy and efficiency as one JSON object and draws where layers lie", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "memspike-cost-"));
  const figure = path.join(folder, "new/kws.svg");
  const { status, stdout } = memspike("cost", "analognet-kws", "--bits", "4", "--json", "--figure", figure);
  expect(status).toBe(0);
  const { topsPerWatt, tops, latency, energy, inferencesPerSecond, arrays } = JSON.parse(stdout);
  expect([topsPerWatt, tops].map((value) => value.toFixed(2))).toEqual(["57.29", "7.81"]);
  expect([latency * 1e6, energy * 1e6].map((value) => value.toFixed(2))).toEqual(["9.91", "1.35"]);
  expect([Math.round(inferencesPerSecond), arrays]).toEqual([100_908, 1]);
  expect(fs.readFileSync(figure, "utf8")).toMatch(/^<svg .*5 {2}conv 5, 756 x 84/s);
  fs.rmSync(folder, { recursive: true });
});

test("files of ONNX, digital matrices and figures: what is wrong is told", async () => {
  const file = "test/golden/onnx/cnn.onnx";
  const { matrices } = await networkNamed(file, { digital: "conv1,out" });
  expect(matrices.filter(({ analog }) => !analog).map(({ name }) => name)).toEqual(["conv1", "out"]);
  await expect(networkNamed(file, { digital: "conv" })).rejects.toThrow(
    "--digital conv: cnn has no such matrix; did you mean conv1?",
  );
  await expect(networkNamed("missing.onnx")).rejects.toThrow("there is no file missing.onnx");
  const numbers = onnxFile("test/golden/onnx/outside.onnx").tensors.get("fc.weight")?.numbers();
  expect(numbers).toHaveLength(12); // of outside.bin, beside it
  const figure = { kind: "bar", categories: [], series: [], yTitle: "" } as const;
  expect(() => writeFigure("a/b.png", figure)).toThrow("--figure a/b.png: figures are SVG; name it a/b.svg");
});
