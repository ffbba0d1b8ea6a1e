/** Recipes as the table of the paper has them, and as options that networks are trained with. */
import { expect, test } from "vitest";
import { networks } from "../../models/networks.ts";
import { type Recipe, recipeOptions, recipeRate, recipes } from "../../models/recipes.ts";
import { checkOptimizer, rateAt } from "../../src/deep/optimizer.ts";
import { onTiles, tile } from "../../src/index.ts";

const all: Readonly<Record<string, Recipe>> = recipes;

test("each of the eleven networks has a recipe; the two that were fine-tuned on GLUE have another", () => {
  const eleven = Object.keys(networks).filter((name) => !/^(analognet|micronet)/.test(name));
  expect(eleven.length).toBe(11);
  expect(Object.keys(recipes).sort()).toEqual([...eleven, "albert-base-glue", "bert-base-glue"].sort());
});

test("sums over the printed table", () => {
  // epochs, rates, batches, noises, momenta of the ten rows with single values, typed off the table apart from the recipes
  const rows = Object.entries(all).filter(([, { epochs }]) => typeof epochs === "number");
  const sum = (of: (recipe: Recipe) => number) => rows.reduce((total, [, recipe]) => total + of(recipe), 0);
  expect(rows.length).toBe(10);
  expect(sum(({ epochs }) => Number(epochs))).toBe(600 + 80 + 4 * 15 + 40 + 40 + 30 + 60);
  expect(sum(({ learningRate }) => Number(learningRate))).toBeCloseTo(
    7.5e-3 + 2e-2 + 4 * 4e-5 + 2e-3 + 2.5e-3 + 5e-3 + 1e-2,
    9,
  );
  expect(sum(({ batch }) => batch)).toBe(50 + 25 + 4 * 2 * 25 + 20 + 25 + 2 * 128 + 20);
  expect(sum(({ noise }) => Number(noise))).toBe(3 + 3 + 3 * 3 + 4 + 3 + 2 + 2 + 5);
  expect(sum(({ momentum }) => momentum)).toBeCloseTo(0.9 + 0.9 + 4 * 0.99 + 2 * 0.95 + 0.9 + 0.9, 9);
  expect(sum(({ weightDecay }) => weightDecay)).toBeCloseTo(1e-3 + 1e-3 + 4 * 1e-5 + 1e-5, 9);
  expect(sum(({ dropConnect }) => dropConnect)).toBeCloseTo(0.01 + 4 * 0.001 + 2 * 0.001 + 0.01, 9);
  expect(sum(({ clip = 0 }) => clip)).toBe(5 + 5 + 10 + 10);
  expect(sum(({ remapEvery = 0 }) => remapEvery)).toBe(500 + 2000 + 4 * 10_000 + 2500);
});

test("ten of them are options of tiles and of training; searched values are refused", () => {
  for (const [name, recipe] of Object.entries(all)) {
    if (Array.isArray(recipe.epochs) || Array.isArray(recipe.noise)) {
      expect(() => recipeOptions(recipe, 1000), name).toThrow("choose epochs, learningRate and noise first");
      continue;
    }
    const { tiles, training } = recipeOptions(recipe, 1000);
    onTiles({ ...tiles, tile: tile() });
    checkOptimizer(training.optimizer);
  }
  expect(recipeOptions(recipes["lstm-ptb"], 1000)).toMatchObject({
    tiles: { noise: "pcm", noiseScale: 5, rampSteps: 1000, dropConnect: 0.01, learnScale: true },
    training: { epochs: 60, batch: 20, optimizer: { kind: "sgd", momentum: 0.9, clip: 10 } },
  });
});

test("rates fall at the epochs of the recipe and rise before for as long as it holds them low", () => {
  const { training } = recipeOptions(recipes.wrn16, 50_000); // 2000 batches an epoch
  const rate = (epoch: number) => rateAt(training.optimizer.learningRate, epoch / 80);
  expect([0.125, 0.25, 37.9].map(rate).map((x) => x.toPrecision(3))).toEqual(["0.0100", "0.0200", "0.0200"]);
  expect(rate(38.1)).toBeCloseTo(0.002, 9);
  expect(rate(76.1)).toBeCloseTo(0.0002, 9);
  const long = recipeRate(0.025, recipes.resnet32.floating.schedule, { epochs: 600, steps: 1000 });
  expect(rateAt(long, 1 / 600)).toBeCloseTo(0.0125, 9);
  expect(rateAt(long, 501 / 600)).toBeCloseTo(0.00025, 9); // two steps, to a hundredth
});
