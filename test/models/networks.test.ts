import { expect, test } from "vitest";
import { analognetKws, analognetVww, analognetVwwShape } from "../../models/analognet.ts";
import { networks } from "../../models/networks.ts";
import { resnet, wideResnet } from "../../models/resnet.ts";
import {
  layersShape,
  type MatrixShape,
  mapNetwork,
  type NetworkShape,
  networkCost,
  sequential,
} from "../../src/index.ts";

const shapeOf = (name: string, length?: number): NetworkShape => {
  const entry = networks[name];
  return typeof entry === "function" ? entry(length) : entry;
};

/**
 * Weights, tiles, MVMs and reuse on tiles of 512 x 512, and the use printed in Rasch et al. 2023, table of networks. MVMs
 * are printed truncated to thousands and those of sequences depend on lengths that are not: there, undefined.
 */
const published: Record<
  string,
  readonly [weights: number, tiles: number, mvms: number | undefined, reuse: number, use: number]
> = {
  resnet32: [361_712, 34, 14_785, 434.9, 4.1], // printed: 4.0
  wrn16: [11_000_240, 68, 19_457, 286.1, 61.7],
  resnet18: [11_157_504, 75, 39_984, 533.1, 56.8],
  resnet50: [23_445_504, 149, 74_186, 497.9, 60.0],
  densenet121: [6_860_800, 266, 142_835, 537.0, 9.8],
  wrn50: [66_756_608, 296, 101_234, 342.0, 86.0],
  "bert-base": [85_526_016, 486, 61_446, 126.4, 67.1],
  "albert-base": [7_767_552, 48, 61_702, 1285.5, 61.7],
  "speech-lstm": [29_999_104, 153, undefined, 17, 74.8],
  "lstm-ptb": [13_260_000, 88, undefined, 26, 57.5],
  "rnn-t": [57_095_680, 304, undefined, 790, 71.6],
};

test.each(Object.entries(published))(
  "%s takes the published tiles",
  (name, [weights, tiles, mvms, reuse, use]) => {
    const mapping = mapNetwork(shapeOf(name));
    expect([mapping.weights, mapping.tiles]).toEqual([weights, tiles]);
    expect(mapping.mvms).toBe(mvms ?? tiles * reuse);
    expect(Math.abs(mapping.reuse - reuse)).toBeLessThan(0.05);
    expect(Math.abs(100 * mapping.use - use)).toBeLessThan(0.051); // half of the last printed digit
  },
);

test("ResNet-32 has 361,722 parameters with the ten biases of its last layer; others lack the known digital ones", () => {
  expect(mapNetwork(shapeOf("resnet32")).weights + 10).toBe(361_722);
  const parameters = (name: string) =>
    shapeOf(name).matrices.reduce((sum, { inputs, outputs }) => sum + inputs * outputs, 0);
  expect(parameters("resnet50")).toBe(25_502_912); // torchvision: 25,557,032 with 53,120 of batch norm and 1,000 biases
  expect(parameters("densenet121")).toBe(7_894_208); // 7,978,856 with 83,648 of batch norm and 1,000 biases
  expect(mapNetwork(shapeOf("resnet50")).digital).toEqual(["stem", "classes"]);
});

test("a longer sequence uses the same tiles more often; the parts of BERT at one place do not grow", () => {
  const { tiles, reuse } = mapNetwork(shapeOf("lstm-ptb", 35));
  expect([tiles, reuse]).toEqual([88, 35]);
  expect(mapNetwork(shapeOf("bert-base", 64)).mvms).toBe(480 * 64 + 6);
});

test("AnalogNet-KWS has 300,720 weights, 991 places and 38,691,408 products of numbers", () => {
  const { matrices } = shapeOf("analognet-kws");
  expect(mapNetwork(shapeOf("analognet-kws")).weights).toBe(300_720);
  expect(matrices.reduce((sum, { positions }) => sum + positions, 0)).toBe(991);
  expect(matrices.reduce((sum, m) => sum + m.positions * m.inputs * m.outputs, 0)).toBe(38_691_408);
});

test("MicroNet-KWS-S has the 16.4 million operations of its paper to 2 %, a product and its sum being two", () => {
  const { matrices } = shapeOf("micronet-kws-s");
  const products = matrices.reduce((s, m) => s + (m.positions * m.inputs * m.outputs) / (m.groups ?? 1), 0);
  expect(Math.abs((2 * products) / 16.4e6 - 1)).toBeLessThan(0.02);
});

test("the stand-in for AnalogNet-VWW says so, and has its weights and products within 1 %", () => {
  const { matrices, name } = shapeOf("analognet-vww");
  expect(name).toMatch(/^stand-in/);
  const products = matrices.reduce((s, m) => s + m.positions * m.inputs * m.outputs, 0);
  expect(Math.abs(mapNetwork(shapeOf("analognet-vww")).weights / 353_900 - 1)).toBeLessThan(0.01); // 67.5 % of the array
  expect(Math.abs(products / 35.7e6 - 1)).toBeLessThan(0.01); // 0.076 TOPS at 1,063 a second
});

test("the stand-in for AnalogNet-VWW that is trained has the sums that were searched for it", async () => {
  const shape = layersShape(analognetVww(), { inputs: analognetVwwShape });
  const sum = (of: (m: MatrixShape) => number) => shape.matrices.reduce((total, m) => total + of(m), 0);
  expect(shape.matrices.length).toBe(18);
  expect(sum((m) => m.inputs * m.outputs)).toBe(355_052);
  expect(sum((m) => m.positions * m.inputs * m.outputs)).toBe(35_834_840);
  expect(networkCost(shape, { bits: 8, energies: "preprint" }).cycles).toBe(7236); // 1,063 a second at 130 ns
  expect(mapNetwork(shape).weights).toBe(mapNetwork(shapeOf("analognet-vww")).weights);
  // it learns: residual sums where shapes agree, any size and number of colours
  const kinds = analognetVww().map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === "residual").length).toBe(4);
  for (const inputs of [
    [20, 30, 1],
    [33, 17, 3],
  ]) {
    const network = await sequential(analognetVww(), { inputs, batch: 2, seed: 1 });
    expect(network.outputs).toEqual([2]);
    network.close();
  }
});

test.each([
  ["analognet-kws", analognetKws(), [49, 10, 1]],
  ["resnet32", resnet(), [32, 32, 3]],
  ["wrn16", wideResnet(), [32, 32, 3]],
] as const)("%s that is mapped is the one that is trained", (name, layers, inputs) => {
  const sizes = ({ matrices }: NetworkShape) =>
    matrices.map((m) => [m.inputs, m.outputs, m.positions].join(" ")).sort();
  expect(sizes(layersShape(layers, { inputs }))).toEqual(sizes(shapeOf(name)));
});
