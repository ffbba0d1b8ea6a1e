import { expect, expectTypeOf, test } from "vitest";
import type { Time } from "../../src/math/units.ts";
import {
  experiment,
  type QuantityText,
  type Result,
  resolveParameters,
  runExperiment,
  unitOf,
} from "../../src/report/experiment.ts";

const counting = experiment({
  name: "counting",
  question: "How many?",
  source: "none",
  parameters: {
    size: 3200,
    p: 0.02,
    duration: "1 s",
    current: "2 nA",
    model: "pcm",
    noisy: true,
    delays: ["1 ms"],
    sizes: [1, 2],
  },
  quick: { size: 10, duration: "100 ms" },
  seed: "default",
  async run({ size }, { seed, progress, partial }) {
    progress(0.5);
    partial({ metrics: { size: 0 } });
    return { metrics: { size, seed } };
  },
});

test("parameters keep the type of their defaults: a time is a Time, a number any number", () => {
  const resolved = resolveParameters(counting);
  expectTypeOf(resolved.size).toEqualTypeOf<number>();
  expectTypeOf(resolved.duration).toEqualTypeOf<Time>();
  expectTypeOf(resolved.current).toEqualTypeOf<QuantityText>();
  expectTypeOf(resolved.model).toEqualTypeOf<string>();
  expectTypeOf(resolved.noisy).toEqualTypeOf<boolean>();
  expectTypeOf(resolved.delays).toEqualTypeOf<readonly Time[]>();
  expect(resolved).toEqual(counting.parameters);
});

test("a quick run changes its parameters, and what is set overrides both", () => {
  expect(resolveParameters(counting, { quick: true })).toMatchObject({
    size: 10,
    duration: "100 ms",
    p: 0.02,
  });
  const set = {
    size: "12",
    duration: "2 min",
    noisy: "false",
    model: "ideal",
    delays: "1 ms, 2 ms",
    sizes: "[3]",
  };
  expect(resolveParameters(counting, { quick: true, set })).toEqual({
    size: 12,
    p: 0.02,
    duration: "2 min",
    current: "2 nA",
    model: "ideal",
    noisy: false,
    delays: ["1 ms", "2 ms"],
    sizes: [3],
  });
  expect(resolveParameters(counting, { set: { size: 5, noisy: false, sizes: [9] } })).toMatchObject({
    size: 5,
    sizes: [9],
  });
});

test("a recipe changes its parameters, and what is set beside it counts more", () => {
  const { kind: _, ...definition } = counting;
  const cooked = experiment({
    ...definition,
    parameters: { ...definition.parameters, recipe: "" },
    recipes: { long: { size: 50_000, duration: "1 h" } },
  });
  expect(resolveParameters(cooked)).toMatchObject({ size: 3200, recipe: "" });
  expect(resolveParameters(cooked, { quick: true, set: { duration: "2 h", recipe: "long" } })).toMatchObject({
    size: 50_000,
    duration: "2 h",
    recipe: "long",
    p: 0.02,
  });
  expect(() => resolveParameters(cooked, { set: { recipe: "lang" } })).toThrow(
    'experiment counting has no recipe "lang"; did you mean long?',
  );
  expect(() => experiment({ ...definition, recipes: { long: { size: 1 } } })).toThrow(
    'experiment counting has recipes but no parameter recipe, "" at first',
  );
  expect(() => experiment({ ...cooked, recipes: { long: { size: "many" as never } } })).toThrow(
    'parameter size is a number, not "many"',
  );
});

test("what cannot be set is refused with parameter, type and value", () => {
  const message = (set: Record<string, never>) => {
    try {
      resolveParameters(counting, { set });
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`;
    }
  };
  const wrong: Record<string, unknown>[] = [
    { sise: "3" },
    { zzzzzz: "3" },
    { size: "many" },
    { size: "" },
    { size: Number.NaN },
    { duration: "5 mV" },
    { duration: "5" },
    { duration: 5 },
    { current: "3 ms" },
    { noisy: "yes" },
    { delays: "1 ms, 2 V" },
    { sizes: "[1, " },
    { sizes: 4 },
    { model: 4 },
  ];
  expect(wrong.map((set) => message(set as Record<string, never>)).join("\n")).toMatchInlineSnapshot(`
    "ConfigError: experiment counting has no parameter sise; did you mean size?
    ConfigError: experiment counting has no parameter zzzzzz; its parameters are size, p, duration, current, model, noisy, delays, sizes
    ConfigError: parameter size is a number, not "many"
    ConfigError: parameter size is a number, not ""
    ConfigError: parameter size is a number, not NaN
    ConfigError: parameter duration is a quantity such as "1 s": "5 mV" is V, s is expected
    ConfigError: parameter duration is a quantity such as "1 s": "5" has no unit; s is expected, such as "1 s"
    ConfigError: parameter duration is a quantity such as "1 s", not 5
    ConfigError: parameter current is a quantity such as "2 nA": "3 ms" is s, A is expected
    ConfigError: parameter noisy is true or false, not "yes"
    ConfigError: parameter delays[1] is a quantity such as "1 ms": "2 V" is V, s is expected
    ConfigError: parameter sizes is not a list: Unexpected end of JSON input
    ConfigError: parameter sizes is a list, not 4
    ConfigError: parameter model is text, not 4"
  `);
});

test("an experiment that contradicts itself cannot be defined", () => {
  const base = { question: "", source: "", run: () => ({ metrics: {} }) };
  expect(() => experiment({ ...base, name: "Bad Name", parameters: {} })).toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: experiment name "Bad Name" is not lower-case words joined by hyphens]`,
  );
  expect(() =>
    experiment({ ...base, name: "bad", parameters: { size: 1 }, quick: { sice: 2 } as object }),
  ).toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: experiment bad has no parameter sice; did you mean size?]`,
  );
  expect(() =>
    experiment({ ...base, name: "bad", parameters: { delay: "1 ms" }, quick: { delay: "1 m" as "1 ms" } }),
  ).toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: parameter delay is a quantity such as "1 ms": "1 m" is m, s is expected]`,
  );
});

test("a run gets its seed, tells its progress and hands over partial results", async () => {
  const told: unknown[] = [];
  const result = await runExperiment(counting, {
    seed: 4,
    set: { size: "7" },
    progress: (fraction) => told.push(fraction),
    partial: (partial) => told.push(partial),
  });
  expect(result).toEqual({ metrics: { size: 7, seed: 4 } });
  expect(told).toEqual([0.5, { metrics: { size: 0 } }]);
  expect((await runExperiment(counting)).metrics.seed).toBe("default");
});

test("a result that cannot be kept is refused", async () => {
  const handing = (result: unknown) =>
    runExperiment(
      experiment({ name: "bad", question: "", source: "", parameters: {}, run: () => result as Result }),
    );
  await expect(handing(undefined)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: experiment bad handed back no { metrics, figures }]`,
  );
  await expect(handing({ metrics: { a: () => 1 } })).rejects.toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: experiment bad handed back no value for metrics.a]`,
  );
  await expect(handing({ metrics: {}, figures: { "../x": {} } })).rejects.toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: experiment bad handed back figures named "../x"; use letters, digits, point, _ and -]`,
  );
});

test("a quantity's unit is what stands behind its number; a word has none", () => {
  expect(["5 ms", "-1e-3 V/s", "1 kg*m^2", "pcm", "5", "3 letters", ""].map(unitOf)).toMatchInlineSnapshot(`
    [
      "ms",
      "V/s",
      "kg*m^2",
      undefined,
      undefined,
      undefined,
      undefined,
    ]
  `);
});
