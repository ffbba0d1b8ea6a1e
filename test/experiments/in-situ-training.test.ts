/** Every rule on two devices, on the digits that ship. Criteria chosen beforehand. */
import { expect, test } from "vitest";
import experiment from "../../experiments/in-situ-training.ts";
import { type Estimate, runExperiment } from "../../src/index.ts";

/** Guessing names 10 % of a hundred digits, and more than 28 once in a million times. */
const chance = 28;

interface Row {
  readonly rule: string;
  readonly device: string;
  readonly accuracy: Estimate;
  readonly pulses: number;
}

test("quick: what learns from 100 digits names others, better than chance, by pulses that are counted", async () => {
  const { metrics, figures } = await runExperiment(experiment, { quick: true });
  const table = metrics["table"] as unknown as Row[];
  const row = (rule: string, device: string) =>
    table.find((each) => each.rule === rule && each.device === device) as Row;
  expect(row("floating point", "floating point").accuracy.mean).toBeGreaterThan(60);
  for (const rule of ["pulsed", "gathered", "transfer"])
    expect(row(rule, "ecRam").accuracy.mean).toBeGreaterThan(55);
  expect(row("gathered", "reRamArrayOM").accuracy.mean).toBeGreaterThan(50);
  expect(table.filter(({ accuracy }) => accuracy.mean > chance).length).toBeGreaterThanOrEqual(7);
  // an array of 44 rough steps has no use for many: gathering gives fewer of them
  expect(row("gathered", "reRamArrayOM").pulses).toBeLessThan(row("pulsed", "reRamArrayOM").pulses);
  expect(row("floating point", "floating point").pulses).toBe(0);
  expect(Object.keys(figures ?? {})).toEqual(["accuracy", "ecRam", "reRamArrayOM"]);
});

test("unknown rules and devices are refused", async () => {
  const run = (set: Readonly<Record<string, string>>) =>
    runExperiment(experiment, { quick: true, set: { epochs: "1", ...set } });
  await expect(run({ rules: "pulse" })).rejects.toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: there is no rule pulse; there are pulsed, gathered, transfer, buffered, chopped, dynamic]`,
  );
  await expect(run({ devices: "ecram" })).rejects.toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: there is no device ecram; there are capacitor, ecRam, ecRamMO, gokmenVlasov, idealized, reRamArrayHfO2, reRamArrayOM, reRamES, reRamSB]`,
  );
});
