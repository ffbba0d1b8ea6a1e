/**
 * What README.md, CONTRIBUTING.md and docs/ print is true: their programs run and say what is printed below them, their
 * commands work, their links lead somewhere.
 *
 * A `ts` block whose first line is `// name.ts` is a file that later commands find; any other is run as it is. A `text`
 * block after a program or a command is what it writes, but for times and dates. Commands run in an empty
 * folder; runs get `--quick`, pcm-letters two epochs, and a fit whose output is not printed one start. What installs, tests or fetches is looked up, not run.
 */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { datasetList } from "../datasets/index.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const documents = [
  "README.md",
  "CONTRIBUTING.md",
  ...fs
    .readdirSync(path.join(root, "docs"))
    .filter((file) => file.endsWith(".md"))
    .map((file) => `docs/${file}`),
];
const read = (file: string) => fs.readFileSync(path.join(root, file), "utf8");
const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };

interface Block {
  readonly place: string; // file:line
  readonly language: string;
  readonly text: string;
  /** What the next block says is written. */
  readonly output?: string;
}

/** The fenced blocks of a document. */
function blocks(file: string): Block[] {
  const found: { language: string; text: string; line: number; end: number }[] = [];
  const lines = read(file).split("\n");
  for (let start = 0; start < lines.length; start++) {
    const fence = /^```(\S+)$/.exec(lines[start]);
    if (!fence) continue;
    const end = lines.indexOf("```", start + 1);
    if (end < 0) throw new Error(`${file}:${start + 1}: the block does not end`);
    const text = `${lines.slice(start + 1, end).join("\n")}\n`;
    found.push({ language: fence[1], text, line: start + 1, end });
    start = end;
  }
  return found.map(({ language, text, line, end }, k) => {
    const next = found[k + 1];
    const follows = next?.language === "text" && next.line === end + 3; // one empty line between
    return { place: `${file}:${line}`, language, text, ...(follows ? { output: next.text } : {}) };
  });
}

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "memspike-readme-"));
afterAll(() => fs.rmSync(scratch, { recursive: true, force: true }));

/** Lets a program without an experiment import memspike by name, as the command line does. */
const loader = path.join(scratch, "loader.ts");
const resolver = pathToFileURL(path.join(root, "src/cli/resolve.ts")).href;
fs.writeFileSync(loader, `import { resolveOwnName } from "${resolver}";\nresolveOwnName();\n`);

/** What is compiled once serves all programs and commands. */
const compiled = path.join(scratch, "compiled");

/** Runs Node in a folder; throws with what it wrote unless it ends well. */
function node(folder: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { NODE_OPTIONS: _, ...inherited } = process.env;
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: {
      ...inherited,
      MEMSPIKE_DATA: "",
      XDG_CACHE_HOME: path.join(folder, "cache"),
      NODE_COMPILE_CACHE: compiled,
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
  return new Promise<string>((resolve, reject) => {
    child.on("close", (code) =>
      code === 0 ? resolve(stdout) : reject(new Error(`exit code ${code}\n${stdout}${stderr}`)),
    );
  });
}

/** Output without what differs from run to run: seconds, the date in a folder's name. */
const timeless = (output: string) =>
  output.replace(/\d+(\.\d+)? s$/m, "T s").replace(/\d{8}T\d{6}Z/g, "DATE");

/** Words of a command, quotes taken off. */
const words = (command: string) =>
  (command.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? []).map((word) => word.replace(/['"]/g, ""));

/** A command of a document, as far as it can be tried here. Resolves to what it wrote, undefined when it was not run. */
async function command(line: string, folder: string, compared = false): Promise<string | undefined> {
  const all = words(line);
  const env: Record<string, string> = {};
  while (/^[A-Z_]+=/.test(all[0])) {
    const [name, value] = (all.shift() as string).split("=");
    env[name] = value.replace(/^~/, folder);
  }
  const [program, ...rest] = all;
  if (program !== "npm") throw new Error(`only npm's commands are known here, not ${program}`);
  const [verb, ...args] = rest.filter((word) => word !== "--silent");
  if (["ci", "install", "pack"].includes(verb)) return undefined;
  const script = verb === "run" ? (args.shift() as string) : verb;
  if (!(script in scripts)) throw new Error(`package.json has no script ${script}`);
  if (script !== "memspike") return undefined;
  if (args.shift() !== "--") throw new Error("npm hands on what comes after --");
  if (args[0] === "data" && args[1] === "get") {
    expect(datasetList().map(({ name }) => name)).toContain(args[2]);
    return undefined;
  }
  const run = args[0] === "run" ? args[1] : undefined;
  if (run !== undefined && !run.endsWith(".ts") && !args.includes("--quick")) args.push("--quick");
  if (run === "pcm-letters") args.push("--set", "epochs=2");
  if (args[0] === "fit" && !compared) args.push("--starts", "1");
  return await node(folder, [path.join(root, "src/cli/memspike.ts"), ...args], env);
}

for (const file of documents)
  describe.concurrent(file, () => {
    const folder = path.join(scratch, file.replace(/\W/g, "-"));
    fs.mkdirSync(path.join(folder, "sounds/spoken-letters/NAME"), { recursive: true });
    for (const letter of ["i", "b", "m"])
      fs.copyFileSync(
        path.join(root, `datasets/spoken-letters/${letter}.flac`),
        path.join(folder, `sounds/spoken-letters/NAME/${letter}.flac`),
      );
    fs.copyFileSync(path.join(root, "test/golden/onnx/cnn.onnx"), path.join(folder, "mine.onnx"));
    const all = blocks(file);
    const nameOf = ({ text }: Block) => /^\/\/ ([\w-]+\.ts)\n/.exec(text)?.[1];
    const programs = all.filter(({ language }) => language === "ts");
    for (const block of programs) {
      const name = nameOf(block);
      if (name !== undefined) fs.writeFileSync(path.join(folder, name), block.text);
      else
        test(`${block.place} runs`, async ({ expect }) => {
          const own = path.join(folder, `${block.place.replace(/\W/g, "-")}.ts`);
          fs.writeFileSync(own, block.text);
          const written = await node(folder, ["--import", pathToFileURL(loader).href, own]);
          if (block.output !== undefined) expect(written).toBe(block.output);
        });
    }
    for (const block of all.filter(({ language }) => language === "sh")) {
      const lines = block.text.split("\n").map((line) => line.replace(/\s+#.*$/, "").trim());
      for (const line of lines.filter((each) => each !== ""))
        test(`${block.place}: ${line}`, async ({ expect }) => {
          const written = await command(line, folder, block.output !== undefined);
          if (written !== undefined && block.output !== undefined)
            expect(timeless(written)).toBe(timeless(block.output));
        });
    }
    test("files that commands name are printed, and every block is of a known language", ({ expect }) => {
      const named = [...read(file).matchAll(/run \.\/([\w-]+\.ts)/g)].map(([, name]) => name);
      for (const name of named) expect(programs.map(nameOf)).toContain(name);
      for (const { language, place } of all) expect(["ts", "sh", "text"], place).toContain(language);
    });
    test("links lead to files and headings", ({ expect }) => {
      for (const [, target] of read(file).matchAll(/(?:\]\(|src=")([^)"\s]+)/g)) {
        if (/^https?:/.test(target)) continue;
        const [to, anchor] = target.split("#");
        const whole = to === "" ? file : path.posix.join(path.posix.dirname(file), to);
        expect(fs.existsSync(path.join(root, whole)), target).toBe(true);
        if (anchor === undefined) continue;
        const headings = [...read(whole).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
          heading
            .toLowerCase()
            .replace(/[^\w\- ]/g, "")
            .replace(/ /g, "-"),
        );
        expect(headings, target).toContain(anchor);
      }
    });
  });

test("control: an error in a program, a wrong command and another output are seen", async () => {
  await expect(node(scratch, ["--import", pathToFileURL(loader).href, "-e", "throw 1"])).rejects.toThrow();
  const own = path.join(scratch, "wrong.ts");
  fs.writeFileSync(own, 'import { nothing } from "memspike";\nconsole.log(nothing);\n');
  await expect(node(scratch, ["--import", pathToFileURL(loader).href, own])).rejects.toThrow("nothing");
  await expect(command("npm run memspike -- run cubaa", scratch)).rejects.toThrow("did you mean cuba?");
  await expect(command("npm run memspik -- list", scratch)).rejects.toThrow("no script memspik");
  expect(timeless("cuba · seed 1 · 0.11 s\n\n  rate  5")).not.toBe(
    timeless("cuba · seed 1 · 0.12 s\n\n  rate  6"),
  );
});
