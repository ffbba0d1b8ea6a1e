import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import type { Server } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { datasetList, getDataset, spokenLetters, verifyDataset } from "../../datasets/index.ts";
import type { DataFile } from "../../datasets/store.ts";
import { fetchFile, findFile, obtainFile, verifyFile } from "../../datasets/store.ts";

const content = Buffer.from("spikes ".repeat(30_000));
const sha256 = createHash("sha256").update(content).digest("hex");

let server: Server;
let address: string;
let folder: string;
const saved = { data: process.env["MEMSPIKE_DATA"], cache: process.env["XDG_CACHE_HOME"] };

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === "/whole") response.end(content);
    else if (request.url === "/other") response.end(Buffer.from("SPIKES ".repeat(30_000)));
    else if (request.url === "/short") response.end(content.subarray(0, 1000));
    else if (request.url === "/long") response.end(Buffer.concat([content, content]));
    else if (request.url === "/slow") response.write(content.subarray(0, 1000));
    else {
      response.statusCode = 404;
      response.end("no");
    }
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "memspike-"));
  mkdirSync(join(folder, "data"));
  process.env["MEMSPIKE_DATA"] = join(folder, "data");
  process.env["XDG_CACHE_HOME"] = join(folder, "cache");
});

afterEach(() => {
  rmSync(folder, { recursive: true });
  for (const [name, value] of [
    ["MEMSPIKE_DATA", saved.data],
    ["XDG_CACHE_HOME", saved.cache],
  ] as const)
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
});

function file(where: string): DataFile {
  return { path: "set/file.bin", bytes: content.length, sha256, address: `${address}/${where}` };
}

describe("fetching", () => {
  test("a file lands in the cache, whole, and is told of on the way", async () => {
    const fractions: number[] = [];
    const path = await obtainFile(file("whole"), { progress: (fraction) => fractions.push(fraction) });
    expect(path).toBe(join(folder, "cache", "memspike", "set", "file.bin"));
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(fractions.at(-1)).toBe(1);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(readdirSync(join(folder, "cache", "memspike", "set"))).toEqual(["file.bin"]);
  });

  test.each([
    [
      "other",
      `its SHA-256 is ${createHash("sha256").update("SPIKES ".repeat(30_000)).digest("hex")}, ${sha256} is expected`,
    ],
    ["short", "it ends after 1000 of 210000 bytes"],
    ["long", "it is longer than the 210000 bytes expected"],
    ["nothing", "the server answers 404 Not Found"],
  ])("%s: one DataError, and nothing is kept", async (where, reason) => {
    await expect(obtainFile(file(where))).rejects.toMatchObject({
      name: "DataError",
      message: `set/file.bin: cannot be fetched from ${address}/${where}: ${reason}`,
    });
    const kept = join(folder, "cache", "memspike", "set");
    expect(existsSync(kept) ? readdirSync(kept) : []).toEqual([]);
  });

  test("a server that is not there is an error with its address", async () => {
    const away = { ...file("whole"), address: "http://127.0.0.1:1/" };
    await expect(obtainFile(away)).rejects.toThrow(
      /^set\/file\.bin: cannot be fetched from http:\/\/127\.0\.0\.1:1\/: /,
    );
  });

  test("an abort stops it and leaves nothing", async () => {
    const controller = new AbortController();
    const path = join(folder, "cache", "x");
    const fetched = fetchFile(file("slow"), path, {
      signal: controller.signal,
      progress: () => controller.abort(),
    });
    await expect(fetched).rejects.toMatchObject({ name: "AbortError" });
    expect(readdirSync(join(folder, "cache"))).toEqual([]);
  });
});

describe("finding", () => {
  test("MEMSPIKE_DATA comes before the cache, and what is there is not fetched", async () => {
    const cached = await obtainFile(file("whole"));
    expect(findFile("set/file.bin")).toBe(cached);
    mkdirSync(join(folder, "data", "set"));
    writeFileSync(join(folder, "data", "set", "file.bin"), "mine");
    expect(await obtainFile(file("nothing"))).toBe(join(folder, "data", "set", "file.bin"));
  });

  test("a file of another length or content does not verify", async () => {
    mkdirSync(join(folder, "data", "set"));
    const path = join(folder, "data", "set", "file.bin");
    await expect(verifyFile(file("whole"))).rejects.toThrow("set/file.bin: not found in ");
    writeFileSync(path, "mine");
    await expect(verifyFile(file("whole"))).rejects.toThrow(`${path}: it has 4 bytes, 210000 are expected`);
    writeFileSync(path, "SPIKES ".repeat(30_000));
    await expect(verifyFile(file("whole"))).rejects.toThrow(`${path}: its SHA-256 is `);
    writeFileSync(path, content);
    await expect(verifyFile(file("whole"))).resolves.toBe(path);
  });

  test("MEMSPIKE_DATA that names no folder is an error", async () => {
    process.env["MEMSPIKE_DATA"] = join(folder, "nowhere");
    await expect(obtainFile(file("whole"))).rejects.toThrow(
      `MEMSPIKE_DATA names ${folder}/nowhere, which is not a folder`,
    );
  });
});

describe("data sets", () => {
  test("are listed with licence, size and origin; none is here in an empty folder", () => {
    const list = datasetList();
    expect(list.map(({ name }) => name)).toEqual([
      ...["mnist", "spoken-letters", "fsdd", "nmnist"],
      ...["cifar10", "visual-wake-words", "speech-commands", "penn-treebank", "war-and-peace", "shakespeare"],
    ]);
    for (const set of list) {
      expect(set.where).toBeUndefined();
      expect(set.bytes).toBe(set.files.reduce((sum, each) => sum + each.bytes, 0));
      expect(set.licence.length).toBeGreaterThan(3);
      expect(set.address).toMatch(/^https?:/);
      for (const each of set.files) expect(each.sha256).toMatch(/^[0-9a-f]{64}$/);
    }
  });

  test("an unknown name gets the nearest one; a set that cannot be fetched says what to do", async () => {
    await expect(getDataset("mnst")).rejects.toThrow("there is no data set mnst; did you mean mnist?");
    await expect(verifyDataset("fsd")).rejects.toThrow("there is no data set fsd; did you mean fsdd?");
    await expect(getDataset("fsdd")).rejects.toThrow(
      "fsdd: fsdd/fsdd-8khz-flac.tar.gz cannot be fetched, because the origin " +
        `(https://github.com/Jakobovski/free-spoken-digit-dataset) has it in another form; put it into ${folder}/data`,
    );
  });

  test("a voice of one's own is a folder of WAV and FLAC files", async () => {
    const own = join(folder, "data", "spoken-letters", "me");
    mkdirSync(own, { recursive: true });
    const shipped = new URL("../../datasets/spoken-letters/i.flac", import.meta.url);
    copyFileSync(shipped, join(own, "x.flac"));
    const [mine] = await spokenLetters({ voice: "me", letters: ["X"] });
    const [theirs] = await spokenLetters({ letters: ["I"] });
    expect([mine.voice, mine.letter]).toEqual(["me", "x"]);
    expect(mine.audio).toEqual(theirs.audio);
    await expect(spokenLetters({ voice: "me", letters: ["X", "B"] })).rejects.toThrow(
      `${own}: it holds no b.flac and no b.wav`,
    );
    writeFileSync(join(own, "b.wav"), "no sound");
    await expect(spokenLetters({ voice: "me", letters: ["B"] })).rejects.toThrow(
      `${own}/b.wav: byte 0: neither WAV ("RIFF") nor FLAC ("fLaC"), the file starts with "no s"`,
    );
  });

  test("the shipped letters need no folder; others say where they were looked for", async () => {
    expect((await spokenLetters()).map(({ letter }) => letter)).toEqual(["i", "b", "m"]);
    await expect(spokenLetters({ letters: ["A"] })).rejects.toThrow(
      `spoken-letters/spoken-letters-flac.tar.gz: not found in ${folder}/data or ${folder}/cache/memspike`,
    );
  });
});
