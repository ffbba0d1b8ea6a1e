import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { mfcc } from "../../src/encode/mfcc.ts";

interface Case {
  readonly sound: "chirp" | "pulses";
  readonly rate: number;
  readonly window: number;
  readonly hop: number;
  readonly bands: number;
  readonly lowest: number;
  readonly highest: number;
  readonly coefficients: number;
  readonly every: number;
  readonly frames: number;
  readonly rows: Readonly<Record<"1" | "2", readonly (readonly number[])[]>>;
}

const { cases } = JSON.parse(readFileSync(new URL("../golden/mfcc.json", import.meta.url), "utf8")) as {
  cases: readonly Case[];
};

function noise(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647 - 0.5;
}

/** The sounds of test/golden/mfcc.py. */
const sounds = {
  chirp(rate: number) {
    const next = noise(1);
    return Float64Array.from({ length: rate }, (_, n) => {
      const t = n / rate;
      return 0.5 * Math.sin(2 * Math.PI * (100 * t + ((0.4 * rate) / 2) * t * t)) + 0.01 * next();
    });
  },
  pulses(rate: number) {
    const next = noise(2);
    return Float64Array.from({ length: rate }, (_, n) => {
      const t = n / rate;
      const on = Math.sin(2 * Math.PI * 3 * t) > 0 ? 1 : 0;
      const tones = 0.2 * Math.sin(2 * Math.PI * 440 * t) + 0.1 * Math.sin(2 * Math.PI * 1210 * t);
      return on * tones + 0.001 * next();
    });
  },
};

/** Largest difference from the golden rows. */
function difference(c: Case, power: 1 | 2, coefficients = mfccOf(c, power)): number {
  let largest = 0;
  c.rows[power].forEach((row, r) => {
    row.forEach((value, k) => {
      const own = coefficients[r * c.every * c.coefficients + k];
      largest = Math.max(largest, Math.abs(own - value));
    });
  });
  return largest;
}

function frontEnd(c: Case, power: 1 | 2) {
  const { rate, bands, coefficients } = c;
  return mfcc({
    sampleRate: rate,
    window: `${c.window / rate} s`,
    hop: `${c.hop / rate} s`,
    lowest: `${c.lowest} Hz`,
    highest: `${c.highest} Hz`,
    bands,
    coefficients,
    power,
  });
}

function mfccOf(c: Case, power: 1 | 2): Float32Array {
  return frontEnd(c, power).transform(sounds[c.sound](c.rate));
}

describe.each(cases)("$sound at $rate Hz", (c) => {
  // Coefficients are below 64 here, of float32 with an error of 2^-19; TensorFlow takes the sound as float32, too
  test("squares summed: SciPy's within the rounding of the result", () => {
    expect(difference(c, 2)).toBeLessThan(4e-6);
  });
  test("magnitudes summed: TensorFlow's operators within 1e-4", () => {
    expect(difference(c, 1)).toBeLessThan(1e-4);
  });
  test("control: a window 0.5 % shorter, or one band more, is told apart", () => {
    const shorter = { ...c, window: Math.round(c.window * 0.995) };
    expect(difference(c, 2, mfccOf(shorter, 2))).toBeGreaterThan(1e-3);
    expect(difference(c, 2, mfccOf({ ...c, bands: c.bands + 1 }, 2))).toBeGreaterThan(1e-3);
  });
});

test("one second of 16 kHz gives 49 frames of 10 coefficients", () => {
  const front = mfcc();
  expect([front.samples, ...front.shape]).toEqual([16000, 49, 10]);
});

test("silence and sounds that end early are finite: the end is that of silence", () => {
  const front = mfcc();
  const silence = front.transform(new Float32Array(0));
  expect(Math.abs(silence[0] - Math.sqrt(2 / 40) * 40 * Math.log(1e-12))).toBeLessThan(1e-4);
  const half = front.transform(sounds.chirp(16000).subarray(0, 8000));
  expect(half.subarray(25 * 10)).toEqual(silence.subarray(25 * 10)); // frame 25 begins at 8000
  expect(half[24 * 10]).toBeGreaterThan(silence[0] + 1);
});

test("whole numbers with their scale are the same sound; a place may be given", () => {
  const front = mfcc();
  const whole = Int16Array.from(sounds.chirp(16000), (x) => Math.round(x * 32768));
  const into = new Float32Array(490);
  const same = front.transform(Float64Array.from(whole, (x) => x / 32768));
  expect(front.transform(whole, into, 1 / 32768)).toBe(into);
  expect(into).toEqual(same);
});

test("what cannot be is refused", () => {
  const refused = [
    () => mfcc({ window: "2 s" }),
    () => mfcc({ highest: "9 kHz" }),
    () => mfcc({ coefficients: 41 }),
    () => mfcc({ hop: "10 us" }),
    () => mfcc({ bands: 200 }),
    () => mfcc().transform(new Float32Array(16001)),
    () => mfcc().transform(new Float32Array(9), new Float32Array(480)),
  ];
  const messages = refused.map((call) => {
    try {
      call();
      return "no error";
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`;
    }
  });
  expect(messages).toMatchInlineSnapshot(`
    [
      "ConfigError: a window of 32000 samples does not fit into a sound of 16000",
      "ConfigError: triangles lie between 0 and half the sampling rate, 8000 Hz, not from 20 to 9000 Hz",
      "ConfigError: coefficients is a whole number from 1 to 40, not 41",
      "ConfigError: hop is 10 us, less than two samples at 16000 Hz",
      "ConfigError: triangle 5 of 200 holds no line of a spectrum of 1024 points: take fewer, or a longer window",
      "ConfigError: the front end is for sounds of 16000 samples, not of 16001",
      "ConfigError: 49 x 10 coefficients do not fit into 480 numbers",
    ]
  `);
});
