/** A float64 CUBA raster of 1 s equals Brian2's spike for spike: same connections, same initial voltages. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { cuba, excitatory, inhibitory } from "../../models/cuba.ts";
import { compile, neurons, pairs, type Raster, raster, spikes, synapses, trace } from "../../src/index.ts";
import { cubaNetwork, cubaNetworkBytes } from "./cuba-network.ts";

const golden = JSON.parse(readFileSync(new URL("cuba.json", import.meta.url), "utf8"));
const network = cubaNetwork();
const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Brian2's spikes, in order of tick and cell. */
function brian2(): { tick: number[]; cell: number[] } {
  const bytes = gunzipSync(readFileSync(new URL(golden.raster.file, import.meta.url)));
  expect(hash(bytes)).toBe(golden.raster.sha256);
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tick: number[] = [];
  const cell: number[] = [];
  for (let n = 0; n < golden.ticks; n++) {
    const count = words.getUint16(2 * n, true);
    for (let k = 0; k < count; k++) {
      cell.push(words.getUint16(2 * (golden.ticks + tick.length), true));
      tick.push(n);
    }
  }
  return { tick, cell };
}

interface Variation {
  readonly precision?: "float64" | "float32";
  readonly threads?: number;
  readonly El?: string;
}

/** Our run of the network from voltages `v`. */
async function run(v: Float64Array, { precision = "float64", threads = 1, El = "-49 mV" }: Variation = {}) {
  const cells = neurons(network.size, cuba.with({ El }), { v });
  const { sizeE } = network;
  const first = network.pre.findIndex((i) => i >= sizeE);
  const exc = synapses(cells.slice(0, sizeE), cells, excitatory, {
    connect: pairs(network.pre.subarray(0, first), network.post.subarray(0, first)),
  });
  const inh = synapses(cells.slice(sizeE), cells, inhibitory, {
    connect: pairs(
      network.pre.subarray(first).map((i) => i - sizeE),
      network.post.subarray(first),
    ),
  });
  const simulation = await compile({ cells, exc, inh }, { dt: "0.1 ms", seed: 1, precision, threads });
  expect(simulation.threads).toBe(threads);
  const at = golden.traces.cells;
  const recorded = simulation.run({
    duration: "1 s",
    record: {
      raster: spikes(cells),
      v: trace(cells, "v", { at, every: "1 ms" }),
      ge: trace(cells, "ge", { at, every: "1 ms" }),
      gi: trace(cells, "gi", { at, every: "1 ms" }),
    },
  });
  simulation.close();
  return recorded;
}

/** The first spike in which two rasters differ; undefined when they are equal. */
function firstDifference(ours: Raster, theirs: { tick: number[]; cell: number[] }): string | undefined {
  for (let k = 0; k < Math.max(ours.t.length, theirs.tick.length); k++) {
    const tick = Math.round(ours.t[k] / 1e-4);
    if (tick !== theirs.tick[k] || ours.i[k] !== theirs.cell[k])
      return `spike ${k}: ours tick ${tick}, cell ${ours.i[k]}; Brian2's tick ${theirs.tick[k]}, cell ${theirs.cell[k]}`;
  }
  return undefined;
}

test("the network generator makes the bytes that Brian2 read", () => {
  expect(network.pre.length).toBe(golden.network.synapses);
  expect(hash(cubaNetworkBytes(network))).toBe(golden.network.sha256);
});

test.each([1, 2])("all 22,947 spikes of 1 s equal Brian2's, %i thread(s)", async (threads) => {
  const recorded = await run(network.v, { threads });
  const theirs = brian2();
  expect(theirs.tick.length).toBe(golden.raster.spikes);
  expect(firstDifference(recorded.raster, theirs)).toBeUndefined();
});

test("membrane potential and currents follow Brian2's to 1e-13 V for 20 ms", async () => {
  const recorded = await run(network.v);
  for (const variable of ["v", "ge", "gi"] as const) {
    const { values, size } = recorded[variable];
    golden.traces[variable].forEach((theirs: number[], k: number) => {
      theirs.forEach((value, n) => {
        expect(Math.abs(values[n * size + k] - value)).toBeLessThan(1e-13);
      });
    });
  }
});

test("control: with all initial voltages 1 uV off, up and down in turn, the raster differs from Brian2's", async () => {
  const v = network.v.map((value, k) => value + (k % 2 ? 1e-6 : -1e-6));
  expect(firstDifference((await run(v)).raster, brian2())).toBeDefined();
});

test("float32 fires as often as float64; control: with a rest 0.1 mV higher it does not", async () => {
  // The network is chaotic: spikes are compared by their number, in 8 runs from rotated initial voltages. One run
  // has a standard deviation of 239 spikes (60 runs from random voltages); 4.9 standard deviations are a false
  // alarm of 1e-6.
  const mean = async (precision: "float64" | "float32", El?: string) => {
    let sum = 0;
    for (let k = 0; k < 8; k++) {
      const shift = 97 + 211 * k + (precision === "float32" ? 101 : 0);
      const v = network.v.map((_, i) => network.v[(i + shift) % network.size]);
      sum += (await run(v, { precision, El })).raster.t.length / 8;
    }
    return sum;
  };
  const tolerance = 4.9 * 239 * Math.sqrt(2 / 8);
  const double = await mean("float64");
  expect(Math.abs((await mean("float32")) - double)).toBeLessThan(tolerance);
  expect(Math.abs((await mean("float32", "-48.9 mV")) - double)).toBeGreaterThan(tolerance);
});

test("a raster made of Brian2's spikes has its mean rate", () => {
  const { tick, cell } = brian2();
  const theirs = raster({ t: tick.map((n) => n * 1e-4), i: cell }, network.size, 1);
  expect(theirs.t.length / network.size).toBe(golden.raster.meanRate);
});
