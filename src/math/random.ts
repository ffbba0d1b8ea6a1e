/**
 * Random numbers by address: a draw is a function of (key, stream, element, tick, draw).
 *
 * Philox4x32-10, a block cipher used as a generator: nothing is consumed, so batching, order, threads and
 * back end cannot change a number. This is the readable version; machine code makes the same bits. The
 * addressing of elements puts four blocks side by side in the lanes of a SIMD register.
 *
 * Source: Salmon, Moraes, Dror & Shaw 2011, Parallel random numbers: as easy as 1, 2, 3, SC '11,
 * doi:10.1145/2063384.2063405; known answers in test/math/random.test.ts.
 */
import seedrandom from "seedrandom";

/** What a seed becomes: the two words of a Philox key. */
export type Key = readonly [k0: number, k1: number];

/**
 * The key of a seed path: `randomKey(7, "chip", 3)`. Seed and path are joined by "/", so
 * `randomKey("7/chip/3")` is the same key.
 */
export function randomKey(seed: string | number, ...path: readonly (string | number)[]): Key {
  const generator = seedrandom([seed, ...path].join("/"));
  return [generator.int32() >>> 0, generator.int32() >>> 0];
}

// Multipliers and Weyl increments of the cipher (Salmon et al. 2011, table 2 and section 3.3).
const multiplier0 = 0xd2511f53;
const multiplier1 = 0xcd9e8d57;
const weyl0 = 0x9e3779b9;
const weyl1 = 0xbb67ae85;
const rounds = 10;

/** Upper 32 bits of the 64-bit product of two 32-bit words; the lower are `Math.imul`. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const low = aLow * bLow;
  const middle = aHigh * bLow + (low >>> 16); // below 2^32
  const other = aLow * bHigh + (middle & 0xffff); // below 2^32
  return (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(other / 65536)) >>> 0;
}

/** One block: four counter words and two key words to four random words, written to `out`. */
export function philox(
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  k0: number,
  k1: number,
  out: Uint32Array,
): void {
  for (let round = 0; round < rounds; round++) {
    const high0 = multiplyHigh(multiplier0, c0 >>> 0);
    const low0 = Math.imul(multiplier0, c0);
    const high1 = multiplyHigh(multiplier1, c2 >>> 0);
    const low1 = Math.imul(multiplier1, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + weyl0) | 0;
    k1 = (k1 + weyl1) | 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

const block = new Uint32Array(4); // scratch: filled and read within one call

/** A 32-bit word of the float32 scheme: sixteen elements share four blocks. */
function word32(key: Key, stream: number, element: number, tick: number, draw: number): number {
  philox(((element >>> 4) << 2) | (element & 3), tick, stream, draw, key[0], key[1], block);
  return block[(element >>> 2) & 3];
}

/** Uniform on (0, 1), the number of the float64 scheme: (52 bits + 1/2) 2^-52, exact. */
export function uniform(key: Key, stream: number, element: number, tick: number, draw = 0): number {
  philox(((element >>> 3) << 2) | (element & 3), tick, stream, draw, key[0], key[1], block);
  const half = (element >>> 2) & 1;
  const bits = block[2 * half] * 2 ** 20 + (block[2 * half + 1] >>> 12); // exact: below 2^52
  return (bits + 0.5) * 2 ** -52;
}

/** Uniform on (0, 1), the number of the float32 scheme: (23 bits + 1/2) 2^-23, exact in float32. */
export function uniform32(key: Key, stream: number, element: number, tick: number, draw = 0): number {
  return ((word32(key, stream, element, tick, draw) >>> 9) + 0.5) * 2 ** -23;
}
