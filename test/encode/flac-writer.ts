/**
 * Writes FLAC streams subframe by subframe, so that a test can have any of them.
 *
 * Checked once against an independent decoder: `flac -t` and `flac -d` 1.4.2 (Debian 12) accept its streams and give the
 * samples back, see flac.test.ts. Predictors are applied as the format says; nothing is optimised.
 */

export type Subframe =
  | { kind: "constant" }
  | { kind: "verbatim" }
  | { kind: "fixed"; order: number; rice: Rice }
  | { kind: "linear"; coefficients: number[]; precision: number; shift: number; rice: Rice };

/** How residuals are written: method 0 or 1, log2 of the number of partitions, and a parameter or raw width for each. */
export interface Rice {
  method: 0 | 1;
  partitionOrder: number;
  parameters: ({ rice: number } | { raw: number })[];
}

export interface FrameShape {
  subframes: Subframe[]; // one a channel
  layout?: number; // channel assignment code; default: independent channels
  wasted?: number[]; // bits, per channel; default none
}

class BitWriter {
  readonly bytes: number[] = [];
  #held = 0;
  #count = 0;
  unsigned(value: number, bits: number): void {
    for (let k = bits - 1; k >= 0; k--) this.bit(Math.floor(value / 2 ** k) % 2);
  }
  signed(value: number, bits: number): void {
    this.unsigned(value < 0 ? value + 2 ** bits : value, bits);
  }
  unary(zeros: number): void {
    for (let k = 0; k < zeros; k++) this.bit(0);
    this.bit(1);
  }
  bit(bit: number): void {
    this.#held = (this.#held << 1) | bit;
    if (++this.#count < 8) return;
    this.bytes.push(this.#held);
    this.#held = 0;
    this.#count = 0;
  }
  align(): void {
    while (this.#count > 0) this.bit(0);
  }
}

/** A stream of frames of equal size; samples[channel][k] are integers of `bits` bits. */
export function writeFlac(
  samples: number[][],
  { bits, sampleRate, blockSize }: { bits: number; sampleRate: number; blockSize: number },
  shapes: FrameShape[],
): Uint8Array {
  const out = new BitWriter();
  out.unsigned(0x664c6143, 32);
  out.unsigned(0x80, 8); // the last metadata block, STREAMINFO
  out.unsigned(34, 24);
  out.unsigned(Math.max(16, blockSize), 16);
  out.unsigned(Math.max(16, blockSize), 16);
  out.unsigned(0, 24);
  out.unsigned(0, 24);
  out.unsigned(sampleRate, 20);
  out.unsigned(samples.length - 1, 3);
  out.unsigned(bits - 1, 5);
  out.unsigned(samples[0].length, 36);
  for (let k = 0; k < 16; k++) out.unsigned(0, 8); // no MD5
  const bytes = [...out.bytes];
  shapes.forEach((shape, n) => {
    const block = samples.map((channel) => channel.slice(n * blockSize, (n + 1) * blockSize));
    for (const byte of frame(block, n, bits, shape)) bytes.push(byte);
  });
  return Uint8Array.from(bytes);
}

function frame(block: number[][], n: number, bits: number, shape: FrameShape): number[] {
  const out = new BitWriter();
  const layout = shape.layout ?? block.length - 1;
  out.unsigned(0b11111111111110, 14);
  out.unsigned(0, 2);
  out.unsigned(7, 4); // block size in 16 bits at the header's end
  out.unsigned(0, 4); // sample rate of the stream
  out.unsigned(layout, 4);
  out.unsigned(0, 3); // bits of the stream
  out.unsigned(0, 1);
  if (n < 128) out.unsigned(n, 8);
  else {
    out.unsigned(0xc0 | (n >> 6), 8);
    out.unsigned(0x80 | (n & 63), 8);
  }
  out.unsigned(block[0].length - 1, 16);
  out.unsigned(remainder(out.bytes, 0x07, 8), 8);
  channels(block, layout).forEach((channel, c) => {
    const side = (layout === 8 && c === 1) || (layout === 9 && c === 0) || (layout === 10 && c === 1);
    subframe(out, channel, bits + (side ? 1 : 0), shape.subframes[c], shape.wasted?.[c] ?? 0);
  });
  out.align();
  out.unsigned(remainder(out.bytes, 0x8005, 16), 16);
  return out.bytes;
}

function channels(block: number[][], layout: number): number[][] {
  if (layout < 8) return block;
  const [left, right] = block;
  const side = left.map((x, k) => x - right[k]);
  if (layout === 8) return [left, side];
  if (layout === 9) return [side, right];
  return [left.map((x, k) => Math.floor((x + right[k]) / 2)), side];
}

function subframe(out: BitWriter, samples: number[], bits: number, shape: Subframe, wasted: number): void {
  const x = samples.map((value) => value / 2 ** wasted);
  if (x.some((value) => !Number.isInteger(value))) throw new Error(`the low ${wasted} bits are not zero`);
  const depth = bits - wasted;
  const type =
    shape.kind === "constant"
      ? 0
      : shape.kind === "verbatim"
        ? 1
        : shape.kind === "fixed"
          ? 8 + shape.order
          : 31 + shape.coefficients.length;
  out.unsigned(type, 7);
  out.unsigned(wasted > 0 ? 1 : 0, 1);
  if (wasted > 0) out.unary(wasted - 1);
  if (shape.kind === "constant") out.signed(x[0], depth);
  else if (shape.kind === "verbatim") for (const value of x) out.signed(value, depth);
  else if (shape.kind === "fixed") {
    let e = x;
    for (let k = 0; k < shape.order; k++) e = e.map((value, j) => (j > 0 ? value - e[j - 1] : value));
    for (const value of x.slice(0, shape.order)) out.signed(value, depth);
    residual(out, e, shape.order, shape.rice);
  } else {
    const order = shape.coefficients.length;
    for (const value of x.slice(0, order)) out.signed(value, depth);
    out.unsigned(shape.precision - 1, 4);
    out.signed(shape.shift, 5);
    for (const value of shape.coefficients) out.signed(value, shape.precision);
    const e = x.map((value, k) => {
      if (k < order) return 0;
      const sum = shape.coefficients.reduce((total, a, j) => total + a * x[k - 1 - j], 0);
      return value - Math.floor(sum / 2 ** shape.shift);
    });
    residual(out, e, order, shape.rice);
  }
}

function residual(
  out: BitWriter,
  e: number[],
  order: number,
  { method, partitionOrder, parameters }: Rice,
): void {
  out.unsigned(method, 2);
  out.unsigned(partitionOrder, 4);
  const length = e.length / 2 ** partitionOrder;
  parameters.forEach((parameter, p) => {
    const part = e.slice(p === 0 ? order : p * length, (p + 1) * length);
    if ("raw" in parameter) {
      out.unsigned(method === 0 ? 15 : 31, method === 0 ? 4 : 5);
      out.unsigned(parameter.raw, 5);
      for (const value of part) if (parameter.raw > 0) out.signed(value, parameter.raw);
      return;
    }
    out.unsigned(parameter.rice, method === 0 ? 4 : 5);
    for (const value of part) {
      const folded = value >= 0 ? 2 * value : -2 * value - 1;
      out.unary(Math.floor(folded / 2 ** parameter.rice));
      out.unsigned(folded % 2 ** parameter.rice, parameter.rice);
    }
  });
}

/** CRC by long division, bit by bit: another way than the decoder's tables. */
function remainder(bytes: readonly number[], polynomial: number, width: number): number {
  let value = 0;
  for (const byte of bytes)
    for (let k = 7; k >= 0; k--) {
      const top = (value >> (width - 1)) & 1;
      value = (value << 1) & (2 ** width - 1);
      if (top !== ((byte >> k) & 1)) value ^= polynomial;
    }
  return value;
}
