/** Products of tiles against aihwkit's: golden/tiles_aihwkit.json, made by the script beside it. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { pcmInference } from "../../models/pcm-inference.ts";
import { program } from "../../src/analog/chip.ts";
import { type TileOptions, tile } from "../../src/analog/tile.ts";
import { TiledMatrix } from "../../src/analog/tiles.ts";
import { normalQuantile } from "../../src/math/normal.ts";
import { mean, variance } from "../../src/math/statistics.ts";
import { compileKernels } from "../../src/tensor/kernels.ts";
import { takeTable } from "../../src/tensor/table.ts";

type Settings = Readonly<Record<string, number | string>>;
interface Golden {
  readonly passes: number;
  readonly weights: number[][];
  readonly inputs: number[][];
  readonly devices: number;
  readonly goals: number[];
  readonly programmed: {
    readonly age: number;
    readonly significances?: number[];
    readonly mean: number[];
    readonly variance: number[];
  }[];
  readonly forward: {
    readonly name: string;
    readonly preset: string;
    readonly settings: Settings;
    readonly made?: { readonly asymmetry: number[][] };
    readonly outputs: number[][];
  }[];
  readonly noisy: {
    readonly name: string;
    readonly settings: Settings;
    readonly mean: number[];
    readonly variance: number[];
  }[];
}
const golden: Golden = JSON.parse(
  readFileSync(new URL("../golden/tiles_aihwkit.json", import.meta.url), "utf8"),
);
const [outputs, inputs] = [golden.weights.length, golden.weights[0].length];

const presets = {
  IOParameters: "defaultIO",
  PresetIOParameters: "presetIO",
  StandardIOParameters: "standardIO",
} as const;
const managements = {
  NONE: "none",
  ABS_MAX: "abs-max",
  AVERAGE_ABS_MAX: "average abs-max",
  ABS_MAX_NP_SUM: "abs-max sum",
  ITERATIVE: "iterative",
  ITERATIVE_WORST_CASE: "worst case",
} as const;

/** Our options for aihwkit's settings. */
function optionsOf(preset: string, settings: Settings): TileOptions {
  const made: Record<string, unknown> = { preset: presets[preset as keyof typeof presets], outputNoise: 0 };
  const bits = (resolution: number) => (resolution < 0 ? "none" : Math.round(Math.log2(1 / resolution + 2)));
  const ways: Readonly<Record<string, (value: never) => Record<string, unknown>>> = {
    inp_res: (r: number) => ({ dacBits: bits(r) }),
    out_res: (r: number) => ({ adcBits: bits(r) }),
    out_bound: (outputBound: number) => ({ outputBound }),
    out_noise: (outputNoise: number) => ({ outputNoise }),
    inp_noise: (inputNoise: number) => ({ inputNoise }),
    w_noise: (weightNoise: number) => ({ weightNoise }),
    w_noise_type: (type: string) => ({ weightNoiseKind: type === "PCM_READ" ? "root" : "constant" }),
    ir_drop: (irDrop: number) => ({ irDrop }),
    ir_drop_g_ratio: (wireConductance: number) => ({ wireConductance }),
    noise_management: (kind: keyof typeof managements) => ({ noiseManagement: managements[kind] ?? "none" }),
    bound_management: (kind: keyof typeof managements) => ({ boundManagement: managements[kind] }),
    nm_thres: (inputRange: number) => ({ inputRange }),
    out_nonlinearity: (n: number) => ({ curvature: n / (settings["out_bound"] as number), unitSlopeAt: 0 }),
    slope_calibration: (at: number) => ({ unitSlopeAt: at * (settings["out_bound"] as number) }),
    w_read_asymmetry_dtod: (polaritySpread: number) => ({ polaritySpread }),
    mv_type: () => ({}),
  };
  for (const [name, value] of Object.entries(settings)) Object.assign(made, ways[name](value as never));
  return made as TileOptions;
}

const shared = compileKernels(2 ** 24);

/** Ready to multiply so many vectors. */
async function ready(options: TileOptions, examples: number) {
  const kernels = await shared;
  const matrix = new TiledMatrix(kernels, {
    tile: tile(options),
    outputs,
    inputs: [inputs],
    examples,
    seed: 1,
  });
  const x = takeTable(kernels.heap, [inputs], examples);
  const y = takeTable(kernels.heap, [outputs], examples);
  const load = () => matrix.load(0, { weights: golden.weights.flat(), scale: new Array(outputs).fill(1) });
  load();
  const rows = (list: readonly (readonly number[])[], first = 0) => {
    list.forEach((row, r) => {
      x.data.set(row, r * x.width);
    });
    matrix.forward(x, y, list.length, { first });
    return list.map((_, r) => Array.from(y.data.subarray(r * y.width, r * y.width + outputs)));
  };
  return { matrix, load, rows };
}

test.each(golden.forward)("$name: outputs are aihwkit's to the rounding of float32", async (one) => {
  const { matrix, load, rows } = await ready(optionsOf(one.preset, one.settings), golden.inputs.length);
  if (one.made) {
    const [part] = matrix.parts;
    const own = part.made.asymmetry as Float32Array;
    one.made.asymmetry.forEach((row, i) => {
      own.set(
        row.map((a) => a - 1),
        i * part.width,
      );
    });
    load();
  }
  const found = rows(golden.inputs);
  const off = one.outputs.flatMap((row, r) => row.map((y, i) => Math.abs(y - found[r][i])));
  // sums of 11 products below 1.5 and a few more operations on outputs below 6
  expect(Math.max(...off)).toBeLessThan(24 * 6 * 2 ** -24);
  expect(one.outputs.flat().some((y) => y !== 0)).toBe(true);
});

test.each(golden.noisy)(
  "$name: means and variances are aihwkit's at a false alarm of 1e-6",
  async ({ name, settings, ...theirs }) => {
    const { passes } = golden;
    const together = 500;
    const { rows } = await ready(optionsOf("IOParameters", settings), together);
    const values: number[][] = Array.from({ length: outputs }, () => []);
    const batch = Array.from({ length: together }, () => golden.inputs[0]);
    for (let from = 0; from < passes; from += together)
      for (const row of rows(batch, from))
        row.forEach((y, i) => {
          values[i].push(y);
        });
    const z = normalQuantile(1 - 0.5e-6 / (2 * outputs));
    values.forEach((all, i) => {
      const both = Math.sqrt((variance(all) + theirs.variance[i]) / passes);
      expect(Math.abs(mean(all) - theirs.mean[i]), `mean ${i}`).toBeLessThan(z * both);
      // log of a sample variance of normal numbers has standard deviation sqrt(2 / n)
      const ratio = Math.log(variance(all) / theirs.variance[i]);
      expect(Math.abs(ratio), `variance ${i}`).toBeLessThan(z * Math.sqrt(4 / passes));
      expect(Math.abs(ratio + Math.log(1.15)), "control: 15 % more variance").toBeGreaterThan(
        z * Math.sqrt(4 / passes),
      );
    });
  },
);

describe("weights on pairs of PCM devices, both with errors, have aihwkit's means and variances at a false alarm of 1e-6", () => {
  const { goals, devices } = golden;
  const weights = Array.from({ length: goals.length * devices }, (_, k) => goals[Math.floor(k / devices)]);
  const w = { weights, outputs: goals.length, inputs: devices };
  const chipOf = (significances: number[]) => {
    const options = { columnScale: "none", pair: "both", rows: devices } as const;
    return program({ w }, tile({ device: pcmInference, ...options, significances }), { seed: 1 });
  };
  const plain = chipOf([1]);

  test.each(golden.programmed)(
    "$age s after programming, significances $significances",
    async ({ age, significances, ...theirs }) => {
      const chip = await (significances ? chipOf(significances) : plain);
      const look = chip.at(`${age} s`, { readNoise: age > 0, driftCompensation: "none" });
      const found = look.matrices["w"].parts[0].weights;
      const z = normalQuantile(1 - 0.5e-6 / (2 * goals.length));
      for (const [i, goal] of goals.entries()) {
        const own = found.subarray(i * devices, (i + 1) * devices);
        const [middle, spread] = [mean(own), variance(own)];
        const both = Math.sqrt((spread + theirs.variance[i]) / devices);
        expect(Math.abs(middle - theirs.mean[i]), `mean of ${goal}`).toBeLessThan(z * both);
        // variance of a sample variance: (kurtosis - 1) variance^2 / n
        const fourth = own.reduce((sum, one) => sum + (one - middle) ** 4, 0) / devices / spread ** 2;
        const ratio = Math.log(spread / theirs.variance[i]);
        const room = z * Math.sqrt((2 * (fourth - 1)) / devices);
        expect(Math.abs(ratio), `variance of ${goal}`).toBeLessThan(room);
        expect(Math.abs(ratio + Math.log(1.25)), "control: 25 % more variance").toBeGreaterThan(room);
      }
    },
  );
});
