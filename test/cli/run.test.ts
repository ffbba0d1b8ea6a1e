import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, describe, test } from "vitest";
import { readNpz } from "../../src/report/npz.ts";

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "memspike-cli-"));
afterAll(() => fs.rmSync(scratch, { recursive: true, force: true }));

const program = path.resolve("src/cli/memspike.ts");
const ticking = path.resolve("test/cli/fixtures/ticking.ts");
const blocked = path.resolve("test/cli/fixtures/blocked.ts");

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program in the scratch folder; `during` sees its stderr as it comes. */
function memspike(
  args: readonly string[],
  during: (stderr: string, kill: (signal: NodeJS.Signals) => void) => void = () => {},
) {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: scratch,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
    during(stderr, (signal) => child.kill(signal));
  });
  return new Promise<Ended>((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })));
}

/** Sends a signal once, when stderr first shows the words. */
function when(
  words: string,
  signal: NodeJS.Signals,
): (stderr: string, kill: (signal: NodeJS.Signals) => void) => void {
  let sent = false;
  return (stderr, kill) => {
    if (sent || !stderr.includes(words)) return;
    sent = true;
    kill(signal);
  };
}

function read(folder: string, file: string): string {
  return fs.readFileSync(path.join(scratch, folder, file), "utf8");
}

function events(folder: string): Record<string, unknown>[] {
  return read(folder, "events.ndjson")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

describe.concurrent("memspike run", () => {
  test("a run of a file fills its folder, tells metrics and report on stdout, progress on stderr", async ({
    expect,
  }) => {
    const { code, stdout, stderr } = await memspike(["run", ticking, "--out", "full", "--set", "gain=2.5"]);
    expect(code).toBe(0);
    expect(stdout.replace(/\d+\.\d+ s$/m, "0.00 s")).toMatchInlineSnapshot(`
      "ticking · seed 11 · 0.00 s

        total   10                     what it has counted
        seed    11
        rate    4                  Hz  spikes per second
        spread  2.0 ± 2.5 (n = 3)      counts of several runs
        none    –
        list
          step  value
          0     0
          1     2.5
          2     5
          3     7.5

      report  full/report.html
      "
    `);
    expect(stderr).toContain("100 %");
    expect(read("full", "STATUS")).toBe("done\n");
    expect(JSON.parse(read("full", "config.json"))).toMatchObject({
      experiment: "ticking",
      seed: 11,
      quick: false,
      parameters: { gain: 2.5, steps: 4, pause: "5 ms" },
    });
    expect(fs.readdirSync(path.join(scratch, "full/figures")).sort()).toEqual(["counted.svg", "raster.svg"]);
    const { counted } = readNpz(fs.readFileSync(path.join(scratch, "full/arrays.npz")));
    expect(counted).toEqual({ data: Float32Array.of(0, 1, 2, 3), shape: [1, 4] });
    expect(read("full", "report.html")).toContain("Does the command line keep what it is given?");
    expect(events("full").filter(({ event }) => event === "log")).toHaveLength(4);
  });

  test("--json prints one object and nothing else, whatever the experiment prints", async ({ expect }) => {
    const { code, stdout, stderr } = await memspike([
      "run",
      ticking,
      "--json",
      "--quick",
      "--seed",
      "7",
      "--set",
      "talk=true",
    ]);
    expect(code).toBe(0);
    const told = JSON.parse(stdout);
    expect(Object.keys(told)).toEqual(["experiment", "seed", "metrics", "runFolder", "seconds"]);
    expect(told).toMatchObject({
      experiment: "ticking",
      seed: 7,
      metrics: { total: 3, seed: 7, none: null },
    });
    expect(told.runFolder).toMatch(/^runs\/ticking-7-\d{8}T\d{6}Z$/);
    expect(stdout.trimEnd()).not.toContain("\n");
    expect(stderr).toContain("step 1 </script>");
    expect(
      events(told.runFolder).some(({ event, text }) => event === "output" && String(text).includes("step 1")),
    ).toBe(true);
  });

  test("progress as JSON is lines of JSON; none is silence; a seed may be a word", async ({ expect }) => {
    const json = await memspike([
      "run",
      ticking,
      "--out",
      "json",
      "--progress",
      "json",
      "--seed",
      "a word",
      "--set",
      "pause=60 ms",
    ]);
    const lines = json.stderr
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.at(-1)).toMatchObject({
      event: "progress",
      experiment: "ticking",
      fraction: 1,
      message: "step 4",
    });
    expect(JSON.parse(read("json", "config.json")).seed).toBe("a word");
    const none = await memspike(["run", ticking, "--out", "none", "--progress", "none"]);
    expect([none.code, none.stderr]).toEqual([0, ""]);
  });

  test.for([
    ["error", 1, "Error: the ticking stopped\n    at "],
    ["numeric", 4, "v of cell 3 is NaN at 0.1 s\n"],
    ["config", 3, "gain does not suit\n  at "],
    ["exit", 1, "Error: the experiment ended its thread without a result\n"],
  ] as const)(
    "an experiment that fails with %s ends with code %i, its partial results kept",
    async ([fault, code, message], { expect }) => {
      const folder = `fault-${fault}`;
      const ended = await memspike([
        "run",
        ticking,
        "--out",
        folder,
        "--set",
        `fault=${fault}`,
        "--json",
        "--progress",
        "none",
      ]);
      expect(ended).toMatchObject({ code, stdout: "" });
      expect(ended.stderr.startsWith(message)).toBe(true);
      expect(ended.stderr).toContain(`the run so far is in ${folder}`);
      if (fault === "config") expect(ended.stderr).toMatch(/ticking\.ts:\d+:\d+\n/);
      expect(read(folder, "STATUS")).toBe("failed\n");
      expect(JSON.parse(read(folder, "metrics.json")).total).toBe(1.5);
      expect(read(folder, "report.html")).toContain("failed");
      expect(events(folder).map(({ event }) => event)).toContain("error");
    },
  );

  test("a setting that is wrong ends with 3 before anything is written", async ({ expect }) => {
    const settings = ["gan=2", "gain=much", "pause=3 mV", "talk=perhaps"];
    const ended = await Promise.all(
      settings.map((setting) => memspike(["run", ticking, "--out", "never", "--set", setting])),
    );
    expect(ended.map(({ code, stdout }) => [code, stdout])).toEqual(settings.map(() => [3, ""]));
    expect(ended.map(({ stderr }) => stderr).join("")).toMatchInlineSnapshot(`
      "experiment ticking has no parameter gan; did you mean gain?
      parameter gain is a number, not "much"
      parameter pause is a quantity such as "5 ms": "3 mV" is V, s is expected
      parameter talk is true or false, not "perhaps"
      "
    `);
    expect(fs.existsSync(path.join(scratch, "never"))).toBe(false);
  });

  test("a wrong command line ends with 2", async ({ expect }) => {
    const wrong = [
      ["run", "tikking"],
      ["run", "./tikking.ts"],
      ["run", ticking, "--set", "gain"],
      ["run", ticking, "--set", "gain=1", "--set", "gain=2"],
      ["run", ticking, "--threads", "none"],
      ["run", ticking, "--progress", "loud"],
      ["rum"],
      ["show", "nothing-like-it"],
    ];
    const ended = await Promise.all(wrong.map((args) => memspike(args)));
    expect(ended.map(({ code, stdout }) => [code, stdout])).toEqual(wrong.map(() => [2, ""]));
    const said = ended.map(({ stderr }) => stderr.split("\n")[0].replace(/; there are .*/, ""));
    expect(said).toMatchInlineSnapshot(`
      [
        "there is no experiment tikking",
        "there is no file ./tikking.ts",
        "--set takes key=value, not "gain"",
        "--set gives gain twice",
        "error: option '--threads <n>' argument 'none' is invalid. It is a whole number from 1 on.",
        "error: option '--progress <mode>' argument 'loud' is invalid. Allowed choices are auto, plain, json, none.",
        "error: unknown command 'rum'",
        "there is no experiment or model nothing-like-it; see memspike list",
      ]
    `);
  });

  test("a file that is no program ends with 3 and file:line:column", async ({ expect }) => {
    const files: Record<string, string> = {
      "syntax.ts": "const a = 1;\nconst b: number = ;\n",
      "enum.ts": "enum Kind { a }\n",
      "plain.mjs": "export const a = 1;\nconst b = 1 +* 2;\n",
      "missing.ts": 'import "./nothing.ts";\n',
      "default.ts": "export default 3;\n",
    };
    for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(scratch, name), text);
    const ended = await Promise.all(Object.keys(files).map((name) => memspike(["run", `./${name}`])));
    expect(ended.map(({ code, stdout }) => [code, stdout])).toEqual(ended.map(() => [3, ""]));
    expect(ended.map(({ stderr }) => stderr.replaceAll(scratch, "")).join("")).toMatchInlineSnapshot(`
      "syntax.ts:2:19: Expression expected
      enum.ts:1:1: TypeScript enum is not supported in strip-only mode
      plain.mjs:2:14: Unexpected token '*'
      missing.ts: Cannot find module '/nothing.ts' imported from /missing.ts
      default.ts has a default export of another kind; write "export default experiment({ … })"
      "
    `);
  });

  test("a folder that holds a run is refused with 2 and left as it is, unless forced", async ({ expect }) => {
    await memspike(["run", ticking, "--out", "held", "--quick"]);
    const before = read("held", "events.ndjson");
    const refused = await memspike(["run", ticking, "--out", "held", "--progress", "none"]);
    expect(refused).toEqual({
      code: 2,
      stdout: "",
      stderr:
        "held already holds a run of ticking with seed 11 (done); choose another --out, or add --force\n",
    });
    expect(read("held", "events.ndjson")).toBe(before);
    expect((await memspike(["run", ticking, "--out", "held", "--force"])).code).toBe(0);
    expect(JSON.parse(read("held", "config.json")).quick).toBe(false);
  });

  test("Ctrl-C ends with 130, the results so far, and STATUS interrupted", async ({ expect }) => {
    const { code, stdout } = await memspike(
      ["run", ticking, "--out", "stopped", "--json", "--set", "steps=100000"],
      when("step", "SIGINT"),
    );
    expect(code).toBe(130);
    const { metrics } = JSON.parse(stdout);
    expect(metrics.total).toBeGreaterThanOrEqual(1.5);
    expect(read("stopped", "STATUS")).toBe("interrupted\n");
    expect(JSON.parse(read("stopped", "metrics.json"))).toEqual(metrics);
    expect(read("stopped", "report.html")).toContain("interrupted");
  });

  test("Ctrl-C reaches a computation that never waits, when it looks at the signal", async ({ expect }) => {
    const { code, stdout } = await memspike(
      ["run", blocked, "--out", "looking", "--json"],
      when("computing", "SIGINT"),
    );
    expect(code).toBe(130);
    expect(JSON.parse(stdout).metrics.aborted).toBe(true);
    expect(read("looking", "STATUS")).toBe("interrupted\n");
  });

  test("a second Ctrl-C ends at once; its echo through npm is none", async ({ expect }) => {
    const first = when("computing", "SIGINT");
    const echo = when("once more to stop at once", "SIGINT");
    let second: ReturnType<typeof setTimeout> | undefined;
    let toldAt = 0;
    const { code } = await memspike(
      ["run", blocked, "--out", "deaf", "--set", "looks=false"],
      (stderr, kill) => {
        first(stderr, kill);
        echo(stderr, kill);
        if (!stderr.includes("once more") || second) return;
        toldAt = performance.now();
        second = setTimeout(() => kill("SIGINT"), 700);
      },
    );
    expect(performance.now() - toldAt).toBeGreaterThan(650);
    expect(code).toBe(130);
    expect(read("deaf", "STATUS")).toBe("interrupted\n");
    expect(JSON.parse(read("deaf", "metrics.json"))).toEqual({ rounds: 0 });
  });

  test("a killed run leaves its config, events and partial metrics; STATUS says running", async ({
    expect,
  }) => {
    const { code } = await memspike(
      ["run", ticking, "--out", "killed", "--set", "steps=100000"],
      when("step", "SIGKILL"),
    );
    expect(code).toBe(null);
    expect(read("killed", "STATUS")).toBe("running\n");
    expect(JSON.parse(read("killed", "config.json")).parameters.steps).toBe(100_000);
    expect(events("killed")[0].event).toBe("start");
    expect(JSON.parse(read("killed", "metrics.json")).total).toBeGreaterThanOrEqual(1.5);
  });
});
