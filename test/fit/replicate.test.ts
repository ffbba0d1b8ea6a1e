import { expect, test } from "vitest";
import { constantStep } from "../../models/step-devices.ts";
import { simulated } from "./measured.ts";

test("replicated devices begin where their own constants say, in every cycle", async () => {
  const model = constantStep.with({ resetDeviceSd: "2 uS" }); // each device rests at a conductance of its own
  const [{ sequences }] = await simulated({ devices: 4, cycles: 3, pulses: ["", "reset"] }, model, 1);
  const rests = new Map(sequences.map(({ device, values }) => [device, values[0]]));
  expect(new Set(rests.values()).size).toBe(4);
  for (const { device, values } of sequences) expect([...values]).toEqual(Array(2).fill(rests.get(device)));
});
