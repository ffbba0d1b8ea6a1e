import { describe, expect, test } from "vitest";
import type { Audio } from "../../src/encode/audio.ts";
import type { Drive } from "../../src/encode/cochlea.ts";
import { cochlea, densityFor, ganglionSpikes, hairCellDrive } from "../../src/encode/cochlea.ts";
import { hairCell, meanDrive } from "../../src/encode/haircell.ts";
import { timesOf } from "../../src/engine/raster.ts";

/** A tone at 16 kHz; level in dB, 0 is amplitude 1. */
function tone(frequency: number, level: number, seconds = 0.25): Audio {
  const amplitude = 10 ** (level / 20);
  const sample = (_: unknown, k: number) => amplitude * Math.sin((2 * Math.PI * frequency * k) / 16000);
  return { sampleRate: 16000, channels: [Float64Array.from({ length: 16000 * seconds }, sample)] };
}

const silence = tone(100, -400);

/** A drive that is constant in each channel. */
function constant(values: number[], seconds = 1): Drive {
  return {
    sampleRate: 20000,
    dt: 1e-4,
    exponent: 0.3,
    frequencies: Float64Array.from(values, (_, k) => 100 * (k + 1)),
    channels: values.map((value) => new Float64Array(20000 * seconds).fill(value)),
  };
}

describe("hair cell", () => {
  test("meanDrive is Gamma((p+1)/2) / (2 sqrt(pi) Gamma(p/2+1)): 1/pi at p = 1, 1/2 at p = 0, 1/4 at p = 2", () => {
    expect(meanDrive(0, 1)).toBeCloseTo(1 / Math.PI, 14);
    expect(meanDrive(0, 1e-12)).toBeCloseTo(0.5, 11);
    expect(meanDrive(0, 2)).toBeCloseTo(0.25, 14);
  });

  test("the mean drive of a tone is meanDrive of its level, to 1 %", () => {
    for (const level of [-60, -20, 0]) {
      const drive = hairCell(tone(437, level, 1).channels[0], 16000);
      const late = drive.subarray(1000);
      const mean = late.reduce((sum, x) => sum + x, 0) / late.length;
      expect(Math.abs(mean / meanDrive(level) - 1), `${level} dB`).toBeLessThan(0.01);
    }
  });

  test("the low-pass takes phase locking away as 1 / sqrt(1 + (f / 1 kHz)^2): to 24 % at 4 kHz", () => {
    const sampleRate = 400_000;
    const synchrony = (frequency: number): number => {
      const phase = (k: number) => (2 * Math.PI * frequency * k) / sampleRate;
      const drive = hairCell(
        Float64Array.from({ length: 8000 }, (_, k) => Math.sin(phase(k))),
        sampleRate,
      );
      let sum = 0;
      let re = 0;
      let im = 0;
      for (let k = 4000; k < 8000; k++) {
        sum += drive[k];
        re += drive[k] * Math.cos(phase(k));
        im += drive[k] * Math.sin(phase(k));
      }
      return Math.hypot(re, im) / sum;
    };
    const expected = Math.sqrt((1 + 0.2 ** 2) / (1 + 4 ** 2));
    expect(Math.abs(synchrony(4000) / synchrony(200) / expected - 1)).toBeLessThan(0.01);
  });

  test("adaptation of 0.5 halves a steady drive and leaves its onset", () => {
    const step = hairCell(new Float64Array(16000).fill(1), 16000, { adaptation: 0.5 });
    expect(step[16]).toBeGreaterThan(0.97);
    expect(step[15999]).toBeCloseTo(0.5, 3);
  });
});

describe("ganglion cells", () => {
  test("fire at 1 / (deadTime + 1 / (100 density (drive - threshold))), to a spike", () => {
    const drives = [0.1, 0.3, 0.5];
    const theta = meanDrive(-60);
    for (const density of [0.5, 1, 3]) {
      const spikes = ganglionSpikes(constant(drives), { streams: 3, thresholds: [-60], density });
      drives.forEach((drive, cell) => {
        const expected = drive > theta ? 1 / (0.002 + 1 / (100 * density * (drive - theta))) : 0;
        const rate = timesOf(spikes, cell).length;
        expect(Math.abs(rate - expected), `drive ${drive}, density ${density}`).toBeLessThanOrEqual(
          1 + 0.02 * expected,
        );
      });
    }
  });

  test("never fire twice in a tick, nor within the dead time", () => {
    const spikes = ganglionSpikes(constant([1e4]), { streams: 1, thresholds: [-60], deadTime: "1 ms" });
    const times = timesOf(spikes, 0);
    for (let k = 1; k < times.length; k++) expect(times[k] - times[k - 1]).toBeGreaterThan(0.00099);
    expect(times.length).toBeGreaterThan(900);
    const fast = timesOf(
      ganglionSpikes(constant([1e6]), { streams: 1, thresholds: [-60], deadTime: "0 s" }),
      0,
    );
    expect(new Set(fast.map((t) => Math.round(t / 1e-4))).size).toBe(fast.length);
  });

  test("mismatch spreads rates log-normally by address: other cells do not change when streams are added", () => {
    const options = { thresholds: [-200], mismatch: 0.2, seed: 3, density: 10 };
    const drive = constant(Array(600).fill(0.2), 0.5);
    const spikes = ganglionSpikes(drive, { ...options, streams: 600, deadTime: "0 s" });
    const logs = Array.from({ length: 600 }, (_, cell) => Math.log(timesOf(spikes, cell).length));
    const mean = logs.reduce((sum, x) => sum + x, 0) / 600;
    const sd = Math.sqrt(logs.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 599);
    // The sd of 600 normals lies within 0.2 (1 ± 4.9 / sqrt(1200)) but for 1e-6; a mismatch of 0.15 would not.
    expect(Math.abs(sd - 0.2)).toBeLessThan((0.2 * 4.9) / Math.sqrt(1200));
    expect(() => ganglionSpikes(drive, { mismatch: 0.2 })).toThrow(
      "mismatch needs a seed: which chip is it?",
    );
  });

  test("streams are spread over all channels and all sub-units", () => {
    // Sub-units of different thresholds fire at different rates under one drive: four rates show four sub-units.
    const drive = constant(Array(64).fill(0.5));
    const spikes = ganglionSpikes(drive, { density: 5 });
    const counts = Array.from({ length: 132 }, (_, cell) => timesOf(spikes, cell).length);
    const kinds = [...new Set(counts)];
    expect(spikes.size).toBe(132);
    expect(kinds.length).toBe(4);
    for (const kind of kinds)
      expect(counts.filter((count) => count === kind).length).toBeGreaterThanOrEqual(32);
    expect(() => ganglionSpikes(drive, { streams: 257 })).toThrow(
      "64 channels of 4 sub-units have no 257 streams",
    );
  });
});

describe("cochlea", () => {
  test.each([200, 500, 1000, 2500, 6000])(
    "a tone of %i Hz drives the channel with that centre frequency most",
    (frequency) => {
      const drive = hairCellDrive(tone(frequency, -30));
      const sums = drive.channels.map((channel) => channel.subarray(2000).reduce((sum, x) => sum + x, 0));
      const best = drive.frequencies[sums.indexOf(Math.max(...sums))];
      const nearest = drive.frequencies.reduce((a, b) =>
        Math.abs(b - frequency) < Math.abs(a - frequency) ? b : a,
      );
      // Below 500 Hz the low-pass of the hair cell favours lower channels no more than one step.
      const steps = Math.abs(drive.frequencies.indexOf(best) - drive.frequencies.indexOf(nearest));
      expect(steps).toBeLessThanOrEqual(1);
    },
  );

  test("the spikes of a weak tone are confined to streams near its place", () => {
    const spikes = cochlea(tone(1000, -65), { density: 30 });
    const places = [...spikes.i];
    const best = 132 * (hairCellDrive(silence).frequencies.findIndex((f) => f > 1000) / 64);
    expect(places.length).toBeGreaterThan(50);
    expect(places.filter((cell) => Math.abs(cell - best) < 33).length / places.length).toBeGreaterThan(0.9);
  });

  test("the number of spikes grows with the level, in every step of 10 dB", () => {
    const counts = [-70, -60, -50, -40, -30, -20, -10, 0].map(
      (level) => cochlea(tone(800, level), { density: 10 }).t.length,
    );
    for (let k = 1; k < counts.length; k++) expect(counts[k]).toBeGreaterThan(counts[k - 1]);
  });

  test("silence gives no spike; the same sound gives the same spikes", () => {
    expect(cochlea(silence).t.length).toBe(0);
    const options = { mismatch: 0.2, seed: "chip" };
    expect(cochlea(tone(300, -20), options)).toEqual(cochlea(tone(300, -20), options));
    expect(cochlea(tone(300, -20), options).t).not.toEqual(
      cochlea(tone(300, -20), { ...options, seed: "other" }).t,
    );
  });

  test("spikes of a 200 Hz tone lock to its phase: vector strength above 0.7 in the channels around it", () => {
    const audio = tone(200, -10, 2);
    const drive = hairCellDrive(audio);
    const place = drive.frequencies.findIndex((f) => f > 200);
    const spikes = ganglionSpikes(drive, { thresholds: [-15], streams: 64 });
    const times = timesOf(spikes, place);
    const strength = Math.hypot(
      times.reduce((sum, t) => sum + Math.cos(2 * Math.PI * 200 * t), 0),
      times.reduce((sum, t) => sum + Math.sin(2 * Math.PI * 200 * t), 0),
    );
    expect(times.length).toBeGreaterThan(20);
    expect(strength / times.length).toBeGreaterThan(0.7);
  });

  test("densityFor reaches a mean rate to 2 % (330 spikes), and says when none can", () => {
    const drive = hairCellDrive(tone(600, -20));
    const density = densityFor(drive, "10 Hz");
    const spikes = ganglionSpikes(drive, { density });
    expect(spikes.t.length / spikes.size / spikes.duration).toBeGreaterThanOrEqual(10);
    expect(spikes.t.length / spikes.size / spikes.duration).toBeLessThan(10.2);
    expect(() => densityFor(hairCellDrive(silence), "10 Hz")).toThrow(
      "this sound cannot drive the cells to 10 Hz",
    );
  });

  test("a channel above the sound's Nyquist frequency, a dt that divides no second are refused", () => {
    expect(() => hairCellDrive(tone(100, 0), { highest: "9 kHz" })).toThrow(
      "a channel at 9000 Hz hears nothing: the sound ends at 8000 Hz",
    );
    expect(() => hairCellDrive(tone(100, 0), { dt: "0.3 ms" })).toThrow(
      "a second must be a whole number of ticks",
    );
  });
});
