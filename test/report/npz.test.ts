import { unzipSync } from "fflate";
import { expect, test } from "vitest";
import { npy, npz, readNpy, readNpz, type Shaped } from "../../src/report/npz.ts";

const arrays = {
  float64: { data: Float64Array.of(0, -1.5, Math.PI, Number.NaN, 1e300, -0), shape: [2, 3] },
  float32: { data: Float32Array.of(1.5, -2), shape: [2, 1] },
  uint32: { data: Uint32Array.of(0, 2 ** 32 - 1, 7), shape: [3] },
  int32: { data: Int32Array.of(-(2 ** 31), 2 ** 31 - 1), shape: [1, 1, 2] },
  uint8: { data: Uint8Array.of(255), shape: [] },
  empty: { data: new Float64Array(0), shape: [0, 4] },
};

/** Bytes as text, one character each. */
function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

test("arrays of every type come back from a .npz bit for bit, with their shape", () => {
  const back = readNpz(npz(arrays));
  expect(Object.keys(back)).toEqual(Object.keys(arrays));
  for (const [name, { data, shape }] of Object.entries(arrays) as [string, Shaped][]) {
    expect(back[name].shape).toEqual(shape);
    expect(back[name].data.constructor).toBe(data.constructor);
    expect(new Uint8Array(back[name].data.buffer)).toEqual(new Uint8Array(data.buffer));
  }
});

test("a bare typed array has one dimension; a view is written alone, without what surrounds it", () => {
  const whole = Float64Array.of(1, 2, 3, 4);
  expect(readNpy(npy(whole.subarray(1, 3)))).toEqual({ data: Float64Array.of(2, 3), shape: [2] });
});

test("a .npz is an ordinary zip: another reader finds header and data where NumPy's format has them", () => {
  const file = unzipSync(npz({ w: arrays.float64 }))["w.npy"];
  const header = latin1(file.subarray(0, 128));
  expect(header.slice(1, 6)).toBe("NUMPY");
  expect(header.slice(10).trimEnd()).toMatchInlineSnapshot(
    `"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }"`,
  );
  expect(file.length - 8 * 6).toBe(128); // data begin at a multiple of 64
  expect(new DataView(file.buffer, file.byteOffset).getFloat64(128 + 16, true)).toBe(Math.PI);
});

test("the same arrays give the same bytes", () => {
  expect(npz(arrays)).toEqual(npz(structuredClone(arrays)));
});

test("a file of NumPy is read", () => {
  // NumPy 2.4.6, 2026-11-23: np.savez_compressed(f, a=np.arange(6, dtype=np.int32).reshape(2, 3),
  //   b=np.float64(3.5), c=np.arange(3, dtype=np.uint8))
  const file =
    "UEsDBC0AAAAIAAAAIQBQtE2E//////////8FABQAYS5ucHkBABAAmAAAAAAAAABVAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TaaKuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6CsaaOgq1CmQDLgYgYARiJiBmBmIWIGYFYgBQSwMELQAAAAgAAAAhAD0+41v//////////wUAFABiLm5weQEAEACIAAAAAAAAAEcAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbpNmoa6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkamjoKtQoUAS4GMOBxAABQSwMELQAAAAgAAAAhAEjqZuz//////////wUAFABjLm5weQEAEACDAAAAAAAAAEcAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgXlNqqK6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaxjqaOgq1ChQALgZGJgBQSwECLQMtAAAACAAAACEAULRNhFUAAACYAAAABQAAAAAAAAAAAAAAgAEAAAAAYS5ucHlQSwECLQMtAAAACAAAACEAPT7jW0cAAACIAAAABQAAAAAAAAAAAAAAgAGMAAAAYi5ucHlQSwECLQMtAAAACAAAACEASOpm7EcAAACDAAAABQAAAAAAAAAAAAAAgAEKAQAAYy5ucHlQSwUGAAAAAAMAAwCZAAAAiAEAAAAA";
  expect(readNpz(Uint8Array.from(atob(file), (c) => c.charCodeAt(0)))).toEqual({
    a: { data: Int32Array.of(0, 1, 2, 3, 4, 5), shape: [2, 3] },
    b: { data: Float64Array.of(3.5), shape: [] },
    c: { data: Uint8Array.of(0, 1, 2), shape: [3] },
  });
});

test("damaged and foreign files are refused with a reason", () => {
  const good = npy(Float64Array.of(1, 2));
  const other = (from: string, to: string) => {
    const text = latin1(good).replace(from, to);
    return Uint8Array.from(text, (c) => c.charCodeAt(0));
  };
  const message = (bytes: Uint8Array) => {
    try {
      readNpy(bytes, "w");
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`;
    }
  };
  expect([
    message(good.subarray(0, good.length - 1)),
    message(good.subarray(0, 40)),
    message(Uint8Array.of(1, 2, 3)),
    message(other("<f8", ">f8")),
    message(other("False", "True ")),
    message(other("(2,)", "(3,)")),
  ]).toMatchInlineSnapshot(`
    [
      "DataError: w.npy: shape [2] of <f8 takes 16 bytes; the file has 15",
      "DataError: w.npy: the file ends at byte 40, within its header",
      "DataError: w.npy: this is not a .npy file",
      "DataError: w.npy: element type >f8 is not one of <f8, <f4, <u4, <i4, |u1",
      "DataError: w.npy: the array is in Fortran order; save it in C order",
      "DataError: w.npy: shape [3] of <f8 takes 24 bytes; the file has 16",
    ]
  `);
  expect(() => readNpz(Uint8Array.of(80, 75, 3, 4))).toThrowErrorMatchingInlineSnapshot(
    `[DataError: this is not a readable .npz file: invalid zip data]`,
  );
  expect(() => npy({ data: Float64Array.of(1), shape: [2] })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: an array of shape [2] holds 2 values, not 1]`,
  );
});
