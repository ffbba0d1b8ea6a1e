/**
 * The CUBA network of the golden raster: who is connected to whom, and the initial voltages.
 *
 * One source for both simulators: the test builds the network in memory, Brian2 reads the same arrays
 * from the file that this program writes. Integer arithmetic and exactly rounded operations only, so
 * every machine makes the same bytes; `cuba.json` holds their SHA-256.
 *
 *     node test/golden/cuba-network.ts network.bin
 */

export interface CubaNetwork {
  readonly size: number; // cells
  readonly sizeE: number; // excitatory cells: the first ones
  readonly v: Float64Array; // [size], initial membrane potential, V, in [-60 mV, -50 mV)
  readonly pre: Uint32Array; // [synapse], ascending; cells below sizeE excite
  readonly post: Uint32Array; // [synapse], ascending within one pre; self-connections included
}

/** Every ordered pair of `size` cells is connected with probability `p`; 80 % of the cells excite. */
export function cubaNetwork(size = 4000, p = 0.02, seed = 2007): CubaNetwork {
  const draw = xoshiro128(seed);
  const v = Float64Array.from({ length: size }, () => -0.06 + (draw() / 2 ** 32) * 0.01);
  const below = Math.floor(p * 2 ** 32);
  const pre: number[] = [];
  const post: number[] = [];
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      if (draw() < below) {
        pre.push(i);
        post.push(j);
      }
    }
  }
  return { size, sizeE: Math.floor(size * 0.8), v, pre: Uint32Array.from(pre), post: Uint32Array.from(post) };
}

/**
 * The file form, little-endian: u32 size, sizeE, synapse count, 0; f64 v[size]; u32 pre[count]; u32 post[count].
 * The hash in `cuba.json` is the SHA-256 of these bytes.
 */
export function cubaNetworkBytes(network: CubaNetwork): Uint8Array {
  const { size, sizeE, v, pre, post } = network;
  const count = pre.length;
  const bytes = new Uint8Array(16 + 8 * size + 8 * count);
  const view = new DataView(bytes.buffer);
  [size, sizeE, count, 0].forEach((word, k) => {
    view.setUint32(4 * k, word, true);
  });
  for (let i = 0; i < size; i++) view.setFloat64(16 + 8 * i, v[i], true);
  const start = 16 + 8 * size;
  for (let k = 0; k < count; k++) {
    view.setUint32(start + 4 * k, pre[k], true);
    view.setUint32(start + 4 * (count + k), post[k], true);
  }
  return bytes;
}

/** Blackman & Vigna 2021, xoshiro128**: 32-bit words. The state is filled by splitmix32 from `seed`. */
function xoshiro128(seed: number): () => number {
  let z = seed | 0;
  const word = () => {
    z = (z + 0x9e3779b9) | 0;
    let x = z;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    return x ^ (x >>> 16);
  };
  let [a, b, c, d] = [word(), word(), word(), word()];
  return () => {
    const r = Math.imul(b, 5);
    const drawn = Math.imul((r << 7) | (r >>> 25), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return drawn;
  };
}

if (import.meta.main) {
  const { writeFileSync } = await import("node:fs");
  const { createHash } = await import("node:crypto");
  const path = process.argv[2];
  if (!path) throw new Error("which file? node test/golden/cuba-network.ts network.bin");
  const bytes = cubaNetworkBytes(cubaNetwork());
  writeFileSync(path, bytes);
  console.log(`${path}: ${bytes.length} bytes, SHA-256 ${createHash("sha256").update(bytes).digest("hex")}`);
}
