import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import { readDevice } from "../../src/device/file.ts";
import { writeRamps } from "./ramps.ts";

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "memspike-fit-"));
beforeAll(() => writeRamps(scratch));
afterAll(() => fs.rmSync(scratch, { recursive: true, force: true }));

const program = path.resolve("src/cli/memspike.ts");
const inScratch = (...parts: string[]) => path.join(scratch, ...parts);
const read = (...parts: string[]) => fs.readFileSync(inScratch(...parts), "utf8");

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `memspike fit` on the ramps in the scratch folder; `during` sees its stderr as it comes. */
function fit(
  args: readonly string[],
  during: (stderr: string, kill: (signal: NodeJS.Signals) => void) => void = () => {},
) {
  const child = spawn(process.execPath, [program, "fit", "ramps.csv", ...args], {
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

describe.concurrent("memspike fit", () => {
  test("fits a file to a device file and tells what it found; the folder holds a device, a record and a report", async ({
    expect,
  }) => {
    fs.mkdirSync(inScratch("one"));
    for (const [name, text] of Object.entries({
      STATUS: "done\n",
      "device-old.json": "{}",
      "mine.json": "{}",
    }))
      fs.writeFileSync(inScratch("one", name), text);
    const args = ["--model", "saturating.json", "--out", "one", "--force", "--progress", "none"];
    const { code, stdout, stderr } = await fit(args);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout.replace(/\d+\.\d+ s$/m, "T s")).toMatchInlineSnapshot(`
      "ramps.csv · saturating.json · seed 1 · T s

        ramps.csv: pulse train, 205 reads of 1 device in 5 sequences, 953.3 nS to 20.34 uS, pulses set 200
        saturating.json: saturating

        parameter  value            95 % interval
        rate       0.0981 ± 0.0028  0.0927 to 0.1038
        Gtop       19.95 ± 0.19     19.57 to 20.34    uS
        pulseSd    0.192 ± 0.021    0.156 to 0.238    uS
        readSd     0.140 ± 0.020    0.106 to 0.185    uS

        nothing measured depends on it: Gstart

        log-likelihood 2747.948 of 200 reads, AIC −5487.896, BIC −5474.7027
        4 of 4 searches ended at this maximum

        residuals                                   where the model holds
        mean                            −0.0012     0 ± 0.1
        standard deviation              1.003       1 ± 0.1
        correlation of successive ones  5.4 × 10⁻⁵  0 ± 0.1
        within 1.96                     0.95        0.95 ± 0.03
        largest                         2.87

        data against 100 replicates      data      95 % of replicates    at or above
        largest value                    20.34 uS  19.94 uS to 20.84 uS  0.56
        smallest value                   953.3 nS  953.3 nS to 953.3 nS  1
        mean of last values              19.85 uS  19.34 uS to 20.11 uS  0.19
        spread of last values            456.4 nS  167.2 nS to 717.1 nS  0.38
        mean step                        470 nS    457.4 nS to 476.5 nS  0.19
        spread of steps                  564.6 nS  545.2 nS to 589.5 nS  0.57
        correlation of successive steps  0.616     0.541 to 0.658        0.4

      report  one/report.html
      next    memspike run pcm-letters --set device=one/device.json
      "
    `);
    expect(read("one", "STATUS")).toBe("done\n");
    const { model: fitted, fitted: found } = readDevice(read("one", "device.json"), "device.json");
    expect(fitted.checked.source).toBe("test; parameters fitted to ramps.csv");
    expect(found).toMatchObject({ data: "ramps.csv", rows: 200, devices: 1 });
    expect(found?.free).toEqual(["rate", "Gtop", "pulseSd", "readSd"]);
    for (const [k, name] of (found?.free ?? []).entries()) {
      const value = fitted.checked.parameters.find((each) => each.name === name)?.value as number;
      const truth = { rate: 0.1, Gtop: 20e-6, pulseSd: 0.2e-6, readSd: 0.1e-6 }[name] as number;
      const error = Math.sqrt(found?.covariance[k][k] as number);
      expect(Math.abs(value - truth) / error, name).toBeLessThan(5); // a false alarm in 1e6
    }
    expect(JSON.parse(read("one", "fit.json")).models[0].parameters[1]).toMatchObject({
      name: "Gtop",
      unit: "uS",
      value: expect.closeTo(20, 0),
    });
    const figures = ["data.svg", "predictions.svg", "residuals.svg", "steps.svg"];
    expect(fs.readdirSync(inScratch("one", "figures")).sort()).toEqual(figures);
    expect(read("one", "report.html")).toContain("Model as written");
    const files = fs.readdirSync(inScratch("one")); // of the run before, its own files are gone
    expect(files).toContain("mine.json");
    expect(files).not.toContain("device-old.json");
  });

  test("--json is one object; quantities with spaces are quoted by the shell only", async ({ expect }) => {
    const { code, stdout, stderr } = await fit([
      ...[
        "--model",
        "saturating.json,straight.json",
        "--fix",
        "readSd=0.1 uS",
        "--bounds",
        "rate=:,Gtop=10 uS:",
      ],
      ...["--starts", "4", "--json", "--seed", "word", "--progress", "plain"],
    ]);
    expect(code).toBe(0);
    const told = JSON.parse(stdout);
    expect(told).toMatchObject({ fit: "fit-ramps-saturating-straight", seed: "word", data: "ramps.csv" });
    expect(told.runFolder).toMatch(/^runs\/fit-ramps-saturating-straight-word-\d{8}T\d{6}Z$/);
    expect(stderr).toContain("100 %");
    expect(JSON.parse(read(told.runFolder, "config.json")).parameters).toEqual({
      data: "ramps.csv",
      model: ["saturating.json", "straight.json"],
      "fix readSd": "0.1 uS",
      "bounds rate": "-Infinity to Infinity",
      "bounds Gtop": "10 uS to Infinity",
      starts: 4,
    });
  });

  test("wrong words end with 2, what cannot be fitted with 3 and a failed run, which is then refused", async ({
    expect,
  }) => {
    const args = ["--model", "double.json", "--out", "double", "--progress", "none"];
    const { code, stdout, stderr } = await fit(args);
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toBe(
      "the data cannot tell a and b apart; hold one of them, for instance by fixing a, or measure what depends on it\nthe run so far is in double\n",
    );
    expect(read("double", "STATUS")).toBe("failed\n");
    expect(fs.readdirSync(inScratch("double", "figures"))).toEqual(["data.svg"]);
    const [again, draws] = await Promise.all([
      fit(args),
      fit(["--model", "saturating.json", "--posterior", "10"]),
    ]);
    expect([again.code, draws.code]).toEqual([2, 2]);
    expect(again.stderr).toContain("(failed); choose another --out, or add --force");
    expect(draws.stderr).toContain("'10' is invalid. It is a whole number from 100 on.");
  });

  test("Ctrl-C ends with 130 and what there is: the fit, while its posterior is drawn", async ({
    expect,
  }) => {
    let sent = false;
    const { code, stdout } = await fit(
      ["--model", "saturating.json", "--posterior", "10000000", "--out", "stopped", "--progress", "json"],
      (stderr, kill) => {
        if (sent || !stderr.includes('"posterior"')) return;
        sent = true;
        kill("SIGINT");
      },
    );
    expect(code).toBe(130);
    expect(stdout).toContain("interrupted");
    expect(read("stopped", "STATUS")).toBe("interrupted\n");
    expect(readDevice(read("stopped", "device.json")).fitted?.rows).toBe(200);
    expect(read("stopped", "report.html")).toContain("interrupted");
  });
});
