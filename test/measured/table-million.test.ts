/** Long tables pass through without their text being kept. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { measurementOf } from "../../src/measured/table.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

test("300,000 rows: while they come and after, the heap grows by less than a twentieth of their text", async () => {
  const pieces = 300;
  const body = Array.from({ length: 1000 }, (_, k) => `,set,${(10 + Math.sin(k)).toFixed(6)},1${k % 10}\n`);
  let length = 0;
  let most = 0;
  async function* text() {
    yield "device,cycle,pulse,G_uS,width_ns\n";
    for (let piece = 0; piece < pieces; piece++) {
      const head = `cell with a long name ${piece % 10},${piece}`;
      const lines = body.map((line) => head + line).join("");
      length += lines.length;
      yield lines;
      if (piece % 60 === 59) {
        collect();
        most = Math.max(most, process.memoryUsage().heapUsed);
      }
    }
  }
  collect();
  const before = process.memoryUsage().heapUsed;
  const start = performance.now();
  const { sequences } = await measurementOf(text(), { file: "long.csv" });
  const took = performance.now() - start;
  collect();
  const after = process.memoryUsage().heapUsed;
  expect(sequences.length).toBe(pieces);
  expect(sequences.reduce((sum, { values }) => sum + values.length, 0)).toBe(3e5);
  expect(Math.max(most, after) - before).toBeLessThan(length / 20);
  expect(sequences[0].values.buffer.byteLength).toBeLessThanOrEqual(2 * 8 * 3e5); // arrays double
  console.info(
    `300,000 rows, ${(length / 1e6).toFixed(0)} MB of text, in ${took.toFixed(0)} ms; heap + ${((after - before) / 1e6).toFixed(1)} MB`,
  );
});
