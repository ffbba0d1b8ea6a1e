/** `memspike device check` and `import`, as a person runs them. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { deviceData, shippedDeviceData } from "../../datasets/device-data.ts";
import { loadTable } from "../../src/cli/device.ts";
import { devicesOf, readCount } from "../../src/measured/measurement.ts";

const program = path.resolve("src/cli/memspike.ts");
let folder = "";
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "memspike-device-"));
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

function memspike(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, "device", ...args], {
    cwd: folder,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

function write(name: string, content: string | Uint8Array): string {
  fs.writeFileSync(path.join(folder, name), content);
  return name;
}

const ramps = [
  "# device: oxide",
  "# read_voltage: 0.1 V",
  "# note: made for this test",
  "cycle,pulse,t_ms,amplitude_V,I_uA",
  "1,,1,,1",
  "1,up,2,1.2,2",
  "1,up,3,1.3,2.5",
  "1,up,4,1.2,2.5",
  "1,up,5,1.2,2.5",
  "2,down,1,1.5,2",
  "2,down,2,1.5,",
  "2,down,4,1.5,1",
  "",
].join("\n");

test("check tells what was understood: kind, devices, ranges with units, pulses, arguments, findings", () => {
  expect(memspike("check", write("ramps.csv", ramps))).toMatchInlineSnapshot(`
    {
      "status": 0,
      "stderr": "",
      "stdout": "ramps.csv: pulse ramps
      rows          8
      devices       1 (oxide)
      sequences     2 of 3 to 5 rows
      reads         7, 10 uS to 25 uS
      pulses        up 4, down 3
      amplitude     1.2 to 1.5 V
      time          1 ms to 5 ms
      intervals     1 ms to 2 ms, median 1 ms
      device        oxide
      read_voltage  0.1 V
      note          made for this test
      findings
        device oxide: 3 of 7 values (43 %) are exactly the highest, 25 uS, up to 3 in a row: saturated or clipped
        1 of 7 pulses (14 %) are not followed by a read
    ",
    }
  `);
});

test("check reads gzip, and tells the same as plain data in JSON", () => {
  const { status, stdout, stderr } = memspike("check", write("ramps.csv.gz", gzipSync(ramps)), "--json");
  expect([status, stderr]).toEqual([0, ""]);
  expect(JSON.parse(stdout)).toMatchInlineSnapshot(`
    {
      "arguments": {
        "amplitude": {
          "greatest": 1.5,
          "least": 1.2,
          "unit": "V",
        },
      },
      "columns": [
        "cycle",
        "pulse",
        "t_ms",
        "amplitude_V",
        "I_uA",
      ],
      "devices": [
        "oxide",
      ],
      "file": "ramps.csv.gz",
      "findings": [
        {
          "count": 3,
          "kind": "clipped",
          "of": 7,
          "text": "device oxide: 3 of 7 values (43 %) are exactly the highest, 25 uS, up to 3 in a row: saturated or clipped",
        },
        {
          "count": 1,
          "kind": "unread pulses",
          "of": 7,
          "text": "1 of 7 pulses (14 %) are not followed by a read",
        },
      ],
      "interval": {
        "greatest": 0.002,
        "least": 0.001,
        "median": 0.001,
      },
      "kind": "pulse ramps",
      "metadata": {
        "device": "oxide",
        "note": "made for this test",
        "read_voltage": "0.1 V",
      },
      "pulses": {
        "down": 3,
        "up": 4,
      },
      "reads": 7,
      "rows": 8,
      "sequences": {
        "count": 2,
        "longest": 5,
        "shortest": 3,
      },
      "time": {
        "greatest": 0.005,
        "least": 0.001,
        "unit": "s",
      },
      "values": {
        "greatest": 0.000025,
        "least": 0.000009999999999999999,
        "unit": "S",
      },
    }
  `);
});

test("faults are told with their places and end with 3; in JSON they are a list", () => {
  const file = write("bad.csv", "t_s,G_uS\n1,2\n0.5,3\n1,x\n");
  expect(memspike("check", file)).toMatchInlineSnapshot(`
    {
      "status": 3,
      "stderr": "bad.csv:3:1: column 1, t_s: time goes back within device 1, cycle 1: 0.5 after 1
    bad.csv:4:3: column 2, G_uS: "x" is not a number
    ",
      "stdout": "",
    }
  `);
  const { status, stdout, stderr } = memspike("check", file, "--json");
  expect([status, stderr]).toEqual([3, ""]);
  expect(JSON.parse(stdout)).toMatchInlineSnapshot(`
    {
      "faults": [
        "bad.csv:3:1: column 1, t_s: time goes back within device 1, cycle 1: 0.5 after 1",
        "bad.csv:4:3: column 2, G_uS: "x" is not a number",
      ],
      "file": "bad.csv",
    }
  `);
});

test("what a table does not say can be set; a key that means nothing is refused", async () => {
  const file = write("current.csv", "t_s,I_uA\n1,2\n2,3\n");
  expect(memspike("check", file, "--set", "read_voltage=100 mV").stdout).toMatch(/reads +2, 20 uS to 30 uS/);
  const word = memspike("check", file, "--set", "read_voltage");
  expect([word.status, word.stderr]).toEqual([2, "--set read_voltage: key=value is expected\n"]);
  await expect(loadTable(path.join(folder, file), { readvoltage: "100 mV" })).rejects.toThrow(
    /^there is no key "readvoltage"; did you mean read_voltage\?$/,
  );
});

test("a damaged gzip file and a file that is not there are told as such", async () => {
  const whole = gzipSync(ramps.repeat(100));
  const cut = path.join(folder, write("cut.csv.gz", whole.subarray(0, whole.length - 20)));
  await expect(loadTable(cut)).rejects.toThrow(
    /cut.csv.gz: the gzip file is damaged: unexpected end of file$/,
  );
  const bad = path.join(folder, write("plain.csv.gz", ramps));
  await expect(loadTable(bad)).rejects.toThrow(
    /plain.csv.gz: the gzip file is damaged: incorrect header check$/,
  );
  await expect(loadTable("crosssim-ramp")).rejects.toThrow(
    /^there is no file crosssim-ramp; did you mean crosssim-ramps\?$/,
  );
  await expect(loadTable("zzz.csv")).rejects.toThrow(
    /^there is no file zzz.csv; data that ship with the program are crosssim-ramps, gong-updown, rram-read-series$/,
  );
});

test("import writes a table that check understands, to a file or to stdout; alone it tells the forms", async () => {
  const file = write("points.csv", "6.1, 99.3\n-1.6, -10\n");
  expect(memspike("import", "stdp-points", file, "--out", "made/stdp.csv")).toEqual({
    status: 0,
    stdout: "made/stdp.csv: STDP points, 2 rows; memspike device check made/stdp.csv tells more\n",
    stderr: "",
  });
  expect(memspike("check", "made/stdp.csv").stdout).toMatch(/reads +4, 0.9 to 1.993 of the state before/);
  const printed = memspike("import", "stdp-points", file).stdout;
  expect(printed).toBe(fs.readFileSync(path.join(folder, "made/stdp.csv"), "utf8"));
  const forms = memspike("import").stdout;
  expect(forms).toContain("sdc-scope\n");
  expect(forms).toContain("--set resistor=…");
  const none = memspike("import", "stdp-points", "none.csv");
  expect([none.status, none.stderr]).toEqual([2, "there is no file none.csv\n"]);
});

test("the shipped data are 13,417 pulses in 79 ramps, two ramps of 1,000, and 10,000 reads; together below 400 kB", async () => {
  const told = await Promise.all(
    shippedDeviceData.map(async ({ name }) => {
      const data = await deviceData(name);
      return [name, data.sequences.length, readCount(data), data.pulses.join("/"), devicesOf(data).length];
    }),
  );
  expect(told).toEqual([
    ["crosssim-ramps", 79, 13_417, "down/up", 1],
    ["gong-updown", 2, 2000, "up/down", 1],
    ["rram-read-series", 1, 10_000, "", 1],
  ]);
  const bytes = shippedDeviceData.map(({ file }) => fs.statSync(path.join("datasets", file)).size);
  expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThan(400_000);
  const notice = fs.readFileSync("datasets/devices/NOTICE", "utf8");
  for (const { file } of shippedDeviceData) expect(notice).toContain(path.basename(file));
  await expect(deviceData("gong")).rejects.toThrow("there is no device data gong; there are crosssim-ramps,");
});
