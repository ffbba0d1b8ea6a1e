/** Measurements and device files for the tests of `memspike fit`, written into a folder. */
import * as fs from "node:fs";
import * as path from "node:path";
import { normalQuantile } from "../../src/math/normal.ts";
import { randomKey, uniform } from "../../src/math/random.ts";

/** Goes towards 20 uS by a tenth of what is missing: 0.2 uS of noise a pulse, 0.1 uS a read. */
const saturating = {
  memspike: "device",
  version: 1,
  name: "saturating",
  source: "test",
  equations: "G : S",
  initial: { G: "Gstart" },
  on: { set: "G += rate * (Gtop - G) + pulseSd * randn()" },
  read: "G + readSd * randn()",
  parameters: { Gstart: "1 uS", rate: 0.1, Gtop: "20 uS", pulseSd: "0.2 uS", readSd: "0.1 uS" },
};

const files: Readonly<Record<string, typeof saturating | Readonly<Record<string, unknown>>>> = {
  saturating,
  straight: {
    ...saturating,
    name: "equal steps",
    on: { set: "G += step + pulseSd * randn()" },
    parameters: { Gstart: "1 uS", step: "1 uS", pulseSd: "0.2 uS", readSd: "0.1 uS" },
  },
  // the data know the product of a and b only
  double: {
    ...saturating,
    name: "double",
    on: { set: "G += a * b * (Gtop - G) + pulseSd * randn()" },
    parameters: { Gstart: "1 uS", a: 0.3, b: 0.3, Gtop: "20 uS", pulseSd: "0.2 uS", readSd: "0.1 uS" },
  },
  // noise that is a multiple of a step that may be 0 has no upper end
  relative: {
    ...saturating,
    name: "relative",
    on: { set: "G += step * (1 + pulseSd * randn())" },
    parameters: { Gstart: "1 uS", step: "0.01 uS", pulseSd: 10, readSd: "0.1 uS" },
  },
};

/** Writes saturating.json and others, ramps.csv (five of forty pulses of `saturating`) and still.csv (of steps far below their noise). */
export function writeRamps(folder: string): void {
  for (const [name, content] of Object.entries(files))
    fs.writeFileSync(path.join(folder, `${name}.json`), JSON.stringify(content));
  fs.writeFileSync(
    path.join(folder, "ramps.csv"),
    ramps("ramps", (G) => 0.1 * (20 - G)),
  );
  fs.writeFileSync(
    path.join(folder, "still.csv"),
    ramps("still", () => 0.03, 10),
  );
}

function ramps(name: string, step: (G: number) => number, start = 1): string {
  const key = randomKey("table", name);
  const normal = (k: number, stream: number) => normalQuantile(uniform(key, stream, k, 0));
  const lines = ["# source: test", "cycle,pulse,G_uS"];
  for (let cycle = 0; cycle < 5; cycle++) {
    let G = start;
    for (let row = 0; row <= 40; row++) {
      const k = 41 * cycle + row;
      if (row > 0) G += step(G) + 0.2 * normal(k, 0);
      lines.push(`${cycle},${row > 0 ? "set" : ""},${(G + 0.1 * normal(k, 1)).toFixed(5)}`);
    }
  }
  return `${lines.join("\n")}\n`;
}
