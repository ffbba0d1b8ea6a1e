import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { divided, pennTreebank, textBatches, warAndPeaceSample } from "../../datasets/text.ts";

describe("Penn Treebank's format", () => {
  const folder = mkdtempSync(join(tmpdir(), "memspike-text-"));
  const before = [process.env["MEMSPIKE_DATA"], process.env["XDG_CACHE_HOME"]];
  beforeAll(() => {
    process.env["MEMSPIKE_DATA"] = folder;
    process.env["XDG_CACHE_HOME"] = join(folder, "cache");
  });
  afterAll(() => {
    for (const [k, name] of ["MEMSPIKE_DATA", "XDG_CACHE_HOME"].entries()) {
      if (before[k] === undefined) delete process.env[name];
      else process.env[name] = before[k];
    }
    rmSync(folder, { recursive: true });
  });

  test("where it is not, the error says so", async () => {
    const error = await pennTreebank("word").catch((e: Error) => e);
    expect(String(error).replaceAll(folder, "DATA")).toMatchInlineSnapshot(
      `"DataError: neither text/ptb.train.txt.gz nor text/ptb.train.txt is in DATA or DATA/cache/memspike; \`memspike data list\` tells its origin"`,
    );
  });

  test("words by frequency with <eos> at the ends of lines, unknown ones <unk>; characters by code; plain or packed", async () => {
    mkdirSync(join(folder, "text"));
    writeFileSync(join(folder, "text/ptb.train.txt.gz"), gzipSync(" b a <unk> a \n a c b \n"));
    writeFileSync(join(folder, "text/ptb.valid.txt"), " a d \n");
    writeFileSync(join(folder, "text/ptb.test.txt"), " c \n");
    const words = await pennTreebank("word");
    expect(words.symbols).toEqual(["a", "<eos>", "b", "<unk>", "c"]);
    expect(Array.from(words.train, (n) => words.symbols[n]).join(" ")).toBe("b a <unk> a <eos> a c b <eos>");
    expect(Array.from(words.valid, (n) => words.symbols[n]).join(" ")).toBe("a <unk> <eos>");
    expect(Array.from(words.test)).toEqual([4, 1]);

    const characters = await pennTreebank("character");
    expect(characters.symbols.join("")).toBe("\n <>abcknu<unk>"); // d is in the validation part only
    expect(Array.from(characters.train, (n) => characters.symbols[n]).join("")).toBe("b a <unk> a\na c b\n");
    expect(Array.from(characters.valid, (n) => characters.symbols[n]).join("")).toBe("a <unk>\n");
  });
});

test("the sample of War and Peace: 59,519 characters of 84 kinds and <unk> in parts of 80, 10 and 10 %", async () => {
  const { symbols, train, valid, test: tested, split } = await warAndPeaceSample();
  expect([symbols.length, train.length, valid.length, tested.length]).toEqual([85, 47615, 5952, 5952]);
  expect(Array.from(train.subarray(14, 54), (n) => symbols[n]).join("")).toBe(
    '\n\n\n\n\n\nCHAPTER I\n\n"Well, Prince, so Genoa',
  );
  expect(split).toMatch(/^the first 60 kB of War and Peace by character, 80 %/);
});

test("a text of one's own: line ends are one symbol, what is new in the test part is <unk>", () => {
  const { symbols, train, test: tested } = divided("ab\r\nab\r\nabéz", "mine"); // 10 characters: 8, 1, 1
  expect(symbols).toEqual(["\n", "a", "b", "<unk>"]);
  expect([train.length, tested[0]]).toEqual([8, 3]);
  expect(() => divided("short", "mine")).toThrow(
    "mine: 5 characters are no text to learn from and to test on",
  );
});

describe("batches of streams", () => {
  const tokens = Uint16Array.from({ length: 30 }, (_, k) => k);

  test("a row goes on where it ended; targets are the next symbols; the rest is left out", () => {
    const all = [...textBatches(tokens, { batch: 2, time: 4 })]; // streams of 14
    expect(all.map(({ first }) => first)).toEqual([true, false, false]);
    expect(all.map(({ inputs }) => Array.from(inputs))).toEqual([
      [0, 1, 2, 3, 14, 15, 16, 17],
      [4, 5, 6, 7, 18, 19, 20, 21],
      [8, 9, 10, 11, 22, 23, 24, 25],
    ]);
    for (const { inputs, targets } of all) expect(targets).toEqual(inputs.map((n) => n + 1));
  });

  test("one batch may take all but the last symbol, and not more", () => {
    expect([...textBatches(tokens, { batch: 1, time: 29 })].length).toBe(1);
    expect(() => [...textBatches(tokens, { batch: 1, time: 30 })]).toThrow(
      "30 symbols make 1 streams of 29, too short for 30 at once",
    );
    expect(() => [...textBatches(tokens, { batch: 0, time: 3 })]).toThrow(
      "batch is a positive whole number, not 0",
    );
  });
});
