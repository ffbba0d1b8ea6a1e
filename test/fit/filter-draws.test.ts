/** Draws in texts: which a fit follows, how well, and which it refuses. */
import { expect, test } from "vitest";
import { library } from "../../models/library.ts";
import { DeviceText } from "../../src/fit/text.ts";
import { device, fit, type Model } from "../../src/index.ts";
import { limit } from "../device/distribution.ts";
import { simulated } from "./measured.ts";

/** What a fit says of a device's text, all pulses given; undefined where it is content. */
function refusal({ checked }: Model<"device">): string | undefined {
  const pulses = Object.keys(checked.handlers);
  const circumstances = { arguments: new Set<string>(), pulses, start: "fabricated", sweep: false } as const;
  try {
    const text = new DeviceText(checked, { ...circumstances, free: new Set(), spread: true, timed: true });
    const constants = new Map(text.constants);
    const values = new Map([...constants, ...text.initial(constants)]);
    for (const pulse of pulses) text.pulse(pulse, values);
    text.read(values);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

test("of the library a fit refuses devices that draw what is not normal, and tells the draw", () => {
  const refused = new Map<string, string>();
  for (const [name, model] of Object.entries(library)) {
    const reason = name.includes(".") ? refusal(model) : undefined;
    if (reason !== undefined) refused.set(name, reason);
  }
  expect(Object.fromEntries(refused)).toMatchInlineSnapshot(`
    {
      "cusio2w.cuSiO2WLevels": "Cu/SiO2/W-like, half quanta draws rand() in initial u; a fit follows randn() only",
    }
  `);
});

const walker = (up: string) =>
  device({
    name: "walker",
    source: "test",
    equations: "G : S",
    initial: { G: "G0" },
    on: { up },
    read: "G",
    parameters: { G0: "1 uS", step: "1 uS", sd: 0.4 },
  });

test("a log-normal spread of 0.4 of steps is told from its mean, which is 8 % above the median", async () => {
  const model = walker("G += step * exp(sd * randn())");
  const [measurement] = await simulated({ devices: 40, pulses: Array(40).fill("up") }, model, 1);
  const options = { free: ["step", "sd"], start: "fabricated", seed: 1, starts: 4 } as const;
  const { parameters } = await fit(measurement, model, options);
  const [step, sd] = parameters;
  expect(Math.abs(step.value - 1e-6)).toBeLessThan(limit * step.standardError);
  expect(Math.abs(sd.value - 0.4)).toBeLessThan(limit * sd.standardError);
  const mean = Math.exp(0.4 ** 2 / 2);
  expect(Math.abs(mean * step.value - 1e-6)).toBeGreaterThan(limit * step.standardError); // control
});

test("a draw that decides is refused", async () => {
  const model = walker("G += step * (sd * randn() > 0.1 ? 1 : 2)");
  const [measurement] = await simulated({ devices: 2, pulses: ["up", "up"] }, model, 1);
  await expect(
    fit(measurement, model, { start: "fabricated", seed: 1 }),
  ).rejects.toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: walker has a draw in sd * randn() > 0.1, in up, which jumps; a fit follows draws that change a value smoothly]`,
  );
});
