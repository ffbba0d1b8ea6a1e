import { expect, test } from "vitest";
import {
  activationSparsity,
  connectionSparsity,
  deviceEnergy,
  raster,
  synapticOperations,
} from "../../src/index.ts";

// cells 0, 1, 2 fire 3, 1 and 0 times in 10 ms
const spikes = raster({ t: [0.001, 0.002, 0.003, 0.009], i: [0, 0, 0, 1] }, 3, 0.01);

test("an addition for each spike and synapse it reaches; dense is every synapse at every tick", () => {
  expect(synapticOperations(spikes, { fanOut: 5, synapses: 15, dt: "1 ms" })).toEqual({
    effectiveMACs: 0,
    effectiveACs: 20,
    dense: 150,
  });
  expect(synapticOperations(spikes, { fanOut: [5, 2, 4], synapses: 15, dt: "0.1 ms" })).toEqual({
    effectiveMACs: 0,
    effectiveACs: 17,
    dense: 1500,
  });
});

test("sparsities: cells and ticks without a spike, weights that are zero", () => {
  expect(activationSparsity([spikes], "1 ms")).toBeCloseTo(1 - 4 / 30, 15);
  const silent = raster({ t: [], i: [] }, 7, 0.01);
  expect(activationSparsity([spikes, silent], "1 ms")).toBeCloseTo(1 - 4 / 100, 15);
  expect(connectionSparsity([0, 1, -1, -0])).toBe(0.5);
});

test("the energy of pulses and reads is counts times costs", () => {
  const use = { pulses: { set: 1000, reset: 10, up: 0 }, reads: 500 };
  const { total, of } = deviceEnergy(use, { set: "6.75 pJ", reset: "270 pJ", read: "0.2 fJ" });
  expect(of.set).toBeCloseTo(6.75e-9, 20);
  expect(of.reset).toBeCloseTo(2.7e-9, 20);
  expect(of.read).toBeCloseTo(1e-13, 24);
  expect(total).toBeCloseTo(9.4501e-9, 18);
  expect(Object.keys(of)).toEqual(["set", "reset", "read"]);
});

test("a pulse that was given and has no cost, or one that is no energy, is refused", () => {
  const use = { pulses: { set: 1 }, reads: 0 };
  expect(() => deviceEnergy(use, { sets: "1 pJ" })).toThrow(
    "the energy of set is not given; did you mean sets?",
  );
  expect(() => deviceEnergy(use, { set: "1 pW" })).toThrow('"1 pW" is W, J is expected');
});
