/** Published forms to the documented one: their shape in small, and, where the archives are, the real files. */
import * as fs from "node:fs";
import * as path from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { shippedData } from "../../datasets/device-data.ts";
import { readTar, type TarEntry } from "../../datasets/tar.ts";
import { importData, importers, type RawFile } from "../../src/measured/importers.ts";
import { devicesOf, readCount } from "../../src/measured/measurement.ts";
import { readTable } from "../../src/measured/table.ts";

const raw = (name: string, text: string): RawFile => ({ name, text });
const rowsOf = (text: string) => text.split("\n").filter((line) => !line.startsWith("#"));

test.each([
  [
    "crosssim-ramps",
    [
      raw("set.csv", "rmp1,rmp2\n1e-4,3e-4\n2e-4,\n"),
      raw("reset.csv", "rmp1,rmp2,rmp3\n5e-4,4e-4,3e-4\n,3e-4,\n"),
    ],
    {},
    "cycle,pulse,I_A 1,down,5e-4 2,up,1e-4 2,up,2e-4 3,down,4e-4 3,down,3e-4 4,up,3e-4 5,down,3e-4",
    "pulse ramps",
  ],
  [
    "gong2018",
    [raw("g.csv", "-1.2,1\n0.5,0.83333\n")],
    {},
    "cycle,pulse,G_rel 1,up,0.8 1,up,2.5 2,down,3 2,down,2.83333",
    "pulse ramps",
  ],
  [
    "rram-ni-reads",
    [raw("r.csv", "7,1600000000.5,1e4,1e-4,1.9e-5,0.01\n7,1600000001.75,2e4,5e-5,1e-5,0.005\n")],
    {},
    "device,t_s,G_uS 7,0.0000,100 7,1.2500,50",
    "reads",
  ],
  [
    "rram-ni-cycling",
    [raw("c.tsv", "7\t6e3\t5e5\t25.0\n")],
    {},
    "device,cycle,pulse,R_ohm 7,25,set,6e3 7,25,reset,5e5",
    "pulse ramps",
  ],
  [
    "rram-ni-sweep",
    [raw("s.tsv", "7\t-1e-6\t0.0\n7\t1e-6\t0.1\n")],
    {},
    "device,V_V,I_A 7,0.0,-1e-6 7,0.1,1e-6",
    "sweep",
  ],
  [
    "rram-ni-bake",
    [raw("pre.tsv", "7\t6e3\n8\t7e3\n"), raw("post.tsv", "8\t9e3\n7\t8e3\n")],
    { times: "1 s, 30 min" },
    "device,t_s,R_ohm 7,1,6e3 7,1800,8e3 8,1,7e3 8,1800,9e3",
    "reads",
  ],
  [
    "rram-radar-sweep",
    [
      raw("set-x.csv", "5.000\t100.000\t2.000\t1.500\t9000.000\t8000.000\n"),
      raw("reset-x.csv", "5.000\t200.000\t3.000\t4.000\t5000.000\t6000.500\n"),
    ],
    {},
    "device,pulse,width_ns,V_BL_V,V_SL_V,V_WL_V,R_before_ohm,R_after_ohm 5,set,100,2,,1.5,9000,8000 5,reset,200,,3,4,5000,6000.5",
    "transitions",
  ],
  [
    "rram-radar-cycling",
    [raw("c.csv", "5.000\t9e5\t5e3\t8e5\t6e3\n")],
    {},
    "device,cycle,pulse,R_ohm 5,1,reset,900000 5,1,set,5000 5,2,reset,800000 5,2,set,6000",
    "pulse ramps",
  ],
  [
    "rram-radar-reads",
    [raw("pre.csv", "5e3\n6e3\n"), raw("post.csv", "5.5e3\n7e3\n")],
    {},
    "device,R_ohm 1,5000 1,5500 2,6000 2,7000",
    "reads",
  ],
  [
    "sdc-scope",
    [raw("m.csv", "x-axis,1,2\nsecond,Volt,Volt\n-50E-03,+1E-03,+3E-03\n-49E-03,-2E-03,-9E-03\n-48E-03,,\n")],
    { resistor: "10 kohm", device: "W1" },
    "cycle,t_s,V_V,I_A 1,0,0.002,1e-7 1,0.001,-0.007,-2e-7",
    "sweep",
  ],
  [
    "stdp-points",
    [raw("p.csv", "6.1, 99.3\n-1.6, -10\n")],
    {},
    "dt_ms,change_percent 6.1,99.3 -1.6,-10",
    "STDP points",
  ],
] as const)(
  "%s: a small file of that form becomes the documented one",
  (format, files, options, rows, kind) => {
    const text = importData(format, files, options);
    expect(rowsOf(text).join(" ").trimEnd()).toBe(rows);
    expect(readTable(text, { file: "made.csv" }).kind).toBe(kind);
  },
);

test("every importer is in the table above", () => {
  expect(importers.map(({ name }) => name)).toHaveLength(11);
});

describe("refusals", () => {
  const fault = (format: string, files: readonly RawFile[], options: Record<string, string> = {}) => {
    try {
      return importData(format, files, options);
    } catch (error) {
      return (error as Error).message;
    }
  };
  const four = [raw("x.tsv", "7\t6e3\t5e5\t25\n7\t6e3\t5e5\t26\n")];

  test("of files of another form, with the place", () => {
    expect(fault("rram-ni-reads", four)).toMatchInlineSnapshot(
      `"x.tsv:1: 4 columns, where 6 are expected: address, time, R, G, I, V; \`memspike device import\` alone tells the forms there are"`,
    );
    expect(fault("crosssim-ramps", [raw("iv.csv", "i,v\n1,2\n")])).toMatchInlineSnapshot(
      `"iv.csv:1: a header rmp1,rmp2,… is expected: one column for each ramp"`,
    );
    expect(fault("crosssim-ramps", [raw("set.csv", "rmp1,rmp2\n1,2\n,3\n4,5\n")])).toMatchInlineSnapshot(
      `"set.csv:4: column 1 goes on after an empty cell in line 3"`,
    );
    expect(fault("gong2018", [raw("g.csv", "up,down\n1,2\n")])).toMatchInlineSnapshot(`
      "g.csv:1:1: column 1: "up" is not a number; weights after pulses up and down are expected
      g.csv:1:4: column 2: "down" is not a number; weights after pulses up and down are expected"
    `);
    expect(
      fault("rram-ni-cycling", [raw("c.tsv", "7\t6e3\t5e5\t25\n8\t6e3\n9\tx\t5e5\t1\n")]),
    ).toMatchInlineSnapshot(`
      "c.tsv:2:1: 2 columns, where 4 are expected: address, R after SET, R after RESET, cycle
      c.tsv:3:3: column 2: "x" is not a number; address, R after SET, R after RESET, cycle are expected"
    `);
    expect(fault("rram-radar-cycling", [raw("c.csv", "5\t1\t2\n5\t1\n")])).toMatchInlineSnapshot(
      `"c.csv:2: an address and pairs of R are expected, here are 1 R"`,
    );
    expect(
      fault("rram-radar-reads", [raw("a.csv", "1\n2\n"), raw("b.csv", "1\n2\n3\n")]),
    ).toMatchInlineSnapshot(
      `"b.csv: it has 3 devices, a.csv has 2: these files do not tell of the same devices"`,
    );
    expect(
      fault("rram-ni-bake", [raw("a.tsv", "7\t1\n8\t2\n"), raw("b.tsv", "7\t1\n9\t2\n")]),
    ).toMatchInlineSnapshot(
      `"b.tsv: it has 2 devices, a.tsv has 2; device 8 is missing: these files do not tell of the same devices"`,
    );
    expect(fault("sdc-scope", [raw("m.csv", "t,a,b\n1,2,3\n")], { resistor: "1 ohm" })).toMatchInlineSnapshot(
      `"m.csv:1: two header lines "x-axis,1,2" and "second,Volt,Volt" are expected"`,
    );
    expect(fault("stdp-points", [raw("p.csv", "1, 99\n2, 50\n")])).toMatchInlineSnapshot(
      `"p.csv: all differences have one sign: these are no points of an STDP window"`,
    );
    expect(fault("stdp-points", [raw("p.csv", "\n")])).toMatchInlineSnapshot(
      `"p.csv: there are no rows; post minus pre (ms), change (%) are expected"`,
    );
  });

  test("of what the files do not tell and nobody says", () => {
    expect(fault("sdc-scope", [raw("m.csv", "")])).toMatchInlineSnapshot(
      `"the files tell the voltage across a resistor in series, not its value: say --set resistor='1 kohm'"`,
    );
    expect(fault("rram-radar-sweep", [raw("x.csv", "1\t2\t3\t4\t5\t6\n")])).toMatchInlineSnapshot(
      `"x.csv: its name does not tell which pulse was given; say --set pulse=NAME, one of reset, set"`,
    );
    expect(fault("gong2018", [raw("g.csv", "-1.2,1\n0.5,0.8\n")], { zero: "1" })).toMatchInlineSnapshot(
      `"zero=1 leaves the weight -1.2 without a positive conductance"`,
    );
    expect(
      fault("rram-ni-bake", [raw("a.tsv", "7\t1\n"), raw("b.tsv", "7\t1\n")], { times: "1 s" }),
    ).toMatchInlineSnapshot(
      `"times tells 1, but there are 2 files; one for each is expected, as "0 s, 30 min""`,
    );
    expect(fault("rram-ni-bake", [raw("a.tsv", "7\t1\n")])).toMatchInlineSnapshot(
      `"two files or more are expected, such as before and after a bake"`,
    );
  });

  test("of names that are none", () => {
    expect(fault("rram-ni-read", four)).toMatchInlineSnapshot(
      `"there is no importer rram-ni-read; did you mean rram-ni-reads?"`,
    );
    expect(fault("rram-ni-bake", four, { time: "1 s" })).toMatchInlineSnapshot(
      `"rram-ni-bake has no option time; did you mean times?"`,
    );
    expect(fault("rram-ni-sweep", four, { times: "1 s" })).toMatchInlineSnapshot(
      `"rram-ni-sweep has no option times; it has none"`,
    );
    expect(fault("rram-ni-sweep", [])).toMatchInlineSnapshot(
      `"rram-ni-sweep needs a file: three columns: address, I (A), V (V); as read_multivolt.tsv"`,
    );
  });
});

const data = process.env["MEMSPIKE_DATA"];
const folder = data === undefined ? "" : path.join(data, "devices");

const entriesOf = new Map<string, TarEntry[]>();

/** Files of an archive, or of a single packed file, whose paths end as told. */
function files(archive: string, ...names: string[]): RawFile[] {
  const text = (content: Uint8Array) => new TextDecoder().decode(content);
  const unpacked = () => {
    const packed = fs.readFileSync(path.join(folder, archive));
    return new Uint8Array(archive.endsWith(".br") ? brotliDecompressSync(packed) : gunzipSync(packed));
  };
  if (!archive.includes(".tar")) return [raw(archive.replace(".gz", ""), text(unpacked()))];
  const entries = entriesOf.get(archive) ?? readTar(unpacked(), archive);
  entriesOf.set(archive, entries);
  return names.map((name) => {
    const entry = entries.find((each) => each.name.endsWith(name));
    if (entry === undefined) throw new Error(`${archive} has no ${name}`);
    return raw(path.basename(entry.name), text(entry.bytes));
  });
}

describe.skipIf(data === undefined)("the real files", () => {
  test.each([
    [
      "crosssim-ramps",
      "crosssim-pulse-ramps.tar.gz",
      ["/set.csv", "/reset.csv"],
      {},
      "pulse ramps",
      13_417,
      1,
    ],
    ["gong2018", "gong2018-rram-updown.csv.gz", [], {}, "pulse ramps", 2000, 1],
    ["rram-ni-reads", "rram-ni-1t1r.tar.br", ["/ret1.csv"], {}, "reads", 10_000, 1],
    ["rram-ni-cycling", "rram-ni-1t1r.tar.br", ["/100cyc.tsv"], {}, "pulse ramps", 4096, 1024],
    ["rram-ni-cycling", "rram-ni-1t1r.tar.br", ["/1us_endurance.tsv"], {}, "pulse ramps", 20_100, 1],
    ["rram-ni-sweep", "rram-ni-1t1r.tar.br", ["/read_multivolt.tsv"], {}, "sweep", 36_864, 1024],
    ["rram-ni-bake", "rram-ni-1t1r.tar.br", ["/prebake.tsv", "/postbake.tsv"], {}, "reads", 2048, 1024],
    ["stdp-points", "stdp-biology.tar.gz", ["/bi_poo_stdp_points.csv"], {}, "STDP points", 90, 1],
    [
      "sdc-scope",
      "memristor-sdc.tar.br",
      ["/long_meas_4.csv", "triangle150m150m1ko1.csv"],
      { resistor: "10 kohm" },
      "sweep",
      23_993,
      1,
    ],
  ] as const)("%s reads %s %j", (format, archive, names, options, kind, reads, devices) => {
    const text = importData(format, files(archive, ...names), options);
    const table = readTable(text, { file: "made.csv" });
    expect([table.kind, readCount(table.measurement), devicesOf(table.measurement).length]).toEqual([
      kind,
      reads,
      devices,
    ]);
  });

  test("the RADAR forms read theirs", () => {
    const [sweep, cycling, before, after] = files(
      "rram-radar.tar.br",
      "/set-sweep-wl-0.02-5-31-20.csv",
      "/cycling-5-10-20.csv",
      "/relaxation-prebake.csv",
      "/relaxation-postbake.csv",
    );
    const counts = [
      importData("rram-radar-sweep", [sweep]),
      importData("rram-radar-cycling", [cycling]),
      importData("rram-radar-reads", [before, after], { times: "1 s, 30 min" }),
    ].map((text) => {
      const { kind, rows } = readTable(text, { file: "made.csv" });
      return [kind, rows];
    });
    expect(counts).toEqual([
      ["transitions", 222],
      ["pulse ramps", 6000],
      ["reads", 2048],
    ]);
  });

  test.each([
    ["crosssim-ramps", "crosssim-ramps", "crosssim-pulse-ramps.tar.gz", ["/set.csv", "/reset.csv"]],
    ["gong-updown", "gong2018", "gong2018-rram-updown.csv.gz", []],
    ["rram-read-series", "rram-ni-reads", "rram-ni-1t1r.tar.br", ["/ret1.csv"]],
  ] as const)("%s, as shipped, is what %s makes of %s", (name, format, archive, names) => {
    const place = shippedData(name) as string;
    const bytes = fs.readFileSync(place);
    const shipped = (place.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
    expect(rowsOf(shipped)).toEqual(rowsOf(importData(format, files(archive, ...names))));
  });
});
