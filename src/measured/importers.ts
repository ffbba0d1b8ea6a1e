/**
 * Published measurements in the form their authors chose, to the format of docs/device-data.md: text to text.
 *
 * An importer takes one form and refuses every other. It says in `# note:` lines what it did, and invents nothing: what
 * a file does not tell (a resistor, a time) is an option.
 */

import { ConfigError, DataError } from "../math/errors.ts";
import { didYouMean } from "../math/nearest.ts";
import { quantity } from "../math/units.ts";
import { linesOf, type RawFile, rawRows, shortNumber } from "./raw.ts";

export type { RawFile } from "./raw.ts";

export interface Importer {
  readonly name: string;
  /** What its files look like. */
  readonly form: string;
  /** Where such files come from. */
  readonly source: string;
  /** Options, with what they mean. */
  readonly options: Readonly<Record<string, string>>;
  readonly convert: (files: readonly RawFile[], options: Readonly<Record<string, string>>) => string;
}

/** A file in the documented format, from raw files. Throws `ConfigError` or `DataError`. */
export function importData(
  format: string,
  files: readonly RawFile[],
  options: Readonly<Record<string, string>> = {},
): string {
  const importer = importers.find(({ name }) => name === format);
  const names = importers.map(({ name }) => name);
  if (importer === undefined)
    throw new ConfigError(
      `there is no importer ${format}${didYouMean(format, names) || `; there are ${names.join(", ")}`}`,
    );
  for (const key of Object.keys(options)) {
    const known = Object.keys(importer.options);
    if (!known.includes(key))
      throw new ConfigError(
        `${format} has no option ${key}${didYouMean(key, known) || `; it has ${known.join(", ") || "none"}`}`,
      );
  }
  if (files.length === 0) throw new ConfigError(`${format} needs a file: ${importer.form}`);
  return importer.convert(files, options);
}

/** Text in the format: what is said of it, names of columns, rows. */
function written(
  said: readonly (readonly [key: string, value: string])[],
  columns: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const lines = [
    ...said.map(([key, value]) => `# ${key}: ${value}`),
    columns.join(","),
    ...rows.map((row) => row.join(",")),
  ];
  return `${lines.join("\n")}\n`;
}

function namesOf(files: readonly RawFile[]): string {
  return files.map(({ name }) => name.replace(/^.*[\\/]/, "")).join(", ");
}

/** Which of two words is in the name of a file, or what the option says. */
function polarityOf(
  file: RawFile,
  option: string | undefined,
  words: Readonly<Record<string, string>>,
): string {
  if (option !== undefined) return option;
  const name = file.name.replace(/^.*[\\/]/, "").toLowerCase();
  const found = Object.keys(words).find((word) => name.includes(word));
  if (found !== undefined) return words[found];
  throw new ConfigError(
    `${file.name}: its name does not tell which pulse was given; say --set pulse=NAME, one of ${[...new Set(Object.values(words))].join(", ")}`,
  );
}

const crosssim: Importer = {
  name: "crosssim-ramps",
  form: "set.csv and reset.csv: a header rmp1,rmp2,…, each column the currents (A) of one ramp, one read after each pulse",
  source: "CrossSim, examples/lookup_table_generation",
  options: {
    read_voltage: "voltage of the reads, default 0.1 V",
    pulse: "name of the pulse, when the file's name has neither set nor reset",
  },
  convert(files, { read_voltage = "0.1 V", pulse }) {
    quantity(read_voltage, "V");
    const ramps = files.map((file) => {
      const [header] = linesOf(file);
      if (!/^rmp\d+(,rmp\d+)*$/.test(header.trim()))
        throw new DataError("a header rmp1,rmp2,… is expected: one column for each ramp", {
          place: { file: file.name, line: 1 },
        });
      const width = header.split(",").length;
      const rows = rawRows(file, { width, cells: "currents of ramps", header: 1, gaps: true });
      return {
        name: polarityOf(file, pulse, { reset: "down", set: "up" }),
        columns: columnsOf(rows, width, file),
      };
    });
    ramps.sort((a, b) => a.name.localeCompare(b.name)); // ramps down come first: CrossSim's files begin with one
    const rows: (string | number)[][] = [];
    let cycle = 0;
    for (let ramp = 0; ramp < Math.max(...ramps.map(({ columns }) => columns.length)); ramp++)
      for (const { name, columns } of ramps) {
        if (ramp >= columns.length) continue;
        cycle++;
        for (const current of columns[ramp]) rows.push([cycle, name, current]);
      }
    const said = [
      ["source", `CrossSim lookup tables, ${namesOf(files)}`],
      ["note", "each ramp is a cycle, in the order measured: a ramp down, then a ramp up, and so on"],
      ["read_voltage", read_voltage],
    ] as const;
    return written(said, ["cycle", "pulse", "I_A"], rows);
  },
};

/** Columns that end at their first empty cell. */
function columnsOf(rows: readonly (readonly string[])[], width: number, file: RawFile): string[][] {
  return Array.from({ length: width }, (_, k) => {
    const cells = rows.map((row) => row[k]);
    const end = cells.indexOf("");
    const after = end < 0 ? -1 : cells.findIndex((cell, row) => row > end && cell !== "");
    if (after >= 0)
      throw new DataError(`column ${k + 1} goes on after an empty cell in line ${end + 2}`, {
        place: { file: file.name, line: after + 2 },
      });
    return end < 0 ? cells : cells.slice(0, end);
  });
}

const gong: Importer = {
  name: "gong2018",
  form: "two columns of numbers: weight after each pulse up, and after each pulse down, about -1 to 1",
  source: "IBM aihwkit, examples/csv/gong_et_al.csv; Gong et al. 2018, Nat. Commun. 9:2102",
  options: {
    zero: "added to every weight, so that conductances are positive, default 2",
    one: "conductance that a difference of 1 in weight stands for, default 5 uS",
  },
  convert(files, { zero = "2", one = "5 uS" }) {
    const added = Number(zero);
    if (zero.trim() === "" || !Number.isFinite(added))
      throw new ConfigError(`zero is a number, not "${zero}"`);
    quantity(one, "S");
    const file = onlyFile(files, "gong2018");
    const rows = rawRows(file, { width: 2, cells: "weights after pulses up and down" });
    const lowest = rows.flat().reduce((least, cell) => Math.min(least, Number(cell)), 0);
    if (lowest + added <= 0)
      throw new ConfigError(`zero=${zero} leaves the weight ${lowest} without a positive conductance`);
    const shifted = (cell: string): string => String(Number((Number(cell) + added).toFixed(6)));
    const said = [
      ["source", `Gong et al. 2018, Nat. Commun. 9:2102, by way of aihwkit, ${namesOf(files)}`],
      [
        "note",
        `G_rel = weight + ${zero}; the weights are normalised, their scale in siemens is not told, so what 1 stands for is chosen`,
      ],
      [
        "note",
        "the ramp up is cycle 1, the ramp down cycle 2; whether one follows the other without a break is not told",
      ],
      ["G_rel", one],
    ] as const;
    const ramp = (cycle: number, name: string, column: number) =>
      rows.map((row) => [cycle, name, shifted(row[column])]);
    return written(said, ["cycle", "pulse", "G_rel"], [...ramp(1, "up", 0), ...ramp(2, "down", 1)]);
  },
};

function onlyFile(files: readonly RawFile[], format: string): RawFile {
  if (files.length > 1) throw new ConfigError(`${format} reads one file, not ${files.length}`);
  return files[0];
}

const nickel = "RRAM 1T1R cells, github.com/akashlevy/NI-RRAM-Python, data/";

const reads: Importer = {
  name: "rram-ni-reads",
  form: "six columns: address, time (s, a clock), R (ohm), G (S), I (A), V (V); as ret1.csv",
  source: nickel,
  options: {},
  convert(files) {
    const rows = rawRows(onlyFile(files, "rram-ni-reads"), { width: 6, cells: "address, time, R, G, I, V" });
    const start = new Map<string, number>();
    const result = rows.map(([address, clock, , G]) => {
      const first = start.get(address) ?? Number(clock);
      start.set(address, first);
      return [address, (Number(clock) - first).toFixed(4), Number((1e6 * Number(G)).toPrecision(7))];
    });
    const said = [
      ["source", `RRAM 1T1R, NI-RRAM-Python, ${namesOf(files)}`],
      [
        "note",
        "t counts from the first read, to 0.1 ms; when the cell was written is not told; G to 7 digits",
      ],
      [
        "note",
        "G is the column G; the column V is the drop across 560 ohm in series, not the voltage at the cell",
      ],
    ] as const;
    return written(said, ["device", "t_s", "G_uS"], result);
  },
};

const cycling: Importer = {
  name: "rram-ni-cycling",
  form: "four columns: address, R after SET, R after RESET (ohm), number of cycles; as 100cyc.tsv, 1us_endurance.tsv",
  source: nickel,
  options: {},
  convert(files) {
    const rows = rawRows(onlyFile(files, "rram-ni-cycling"), {
      width: 4,
      cells: "address, R after SET, R after RESET, cycle",
    });
    const result = rows.flatMap(([address, low, high, cycle]) => [
      [address, shortNumber(cycle), "set", low],
      [address, shortNumber(cycle), "reset", high],
    ]);
    const said = [
      ["source", `RRAM 1T1R, NI-RRAM-Python, ${namesOf(files)}`],
      ["note", "a cycle is a SET and a RESET pulse; cycles between those read are left out"],
    ] as const;
    return written(said, ["device", "cycle", "pulse", "R_ohm"], result);
  },
};

const sweep: Importer = {
  name: "rram-ni-sweep",
  form: "three columns: address, I (A), V (V); as read_multivolt.tsv",
  source: nickel,
  options: {},
  convert(files) {
    const rows = rawRows(onlyFile(files, "rram-ni-sweep"), { width: 3, cells: "address, I, V" });
    const said = [
      ["source", `RRAM 1T1R, NI-RRAM-Python, ${namesOf(files)}`],
      ["kind", "sweep"],
    ] as const;
    return written(
      said,
      ["device", "V_V", "I_A"],
      rows.map(([address, I, V]) => [address, V, I]),
    );
  },
};

/** Times of reads of the same devices, as an option: "0 s, 30 min". */
function timesOf(option: string | undefined, count: number): number[] | undefined {
  if (option === undefined) return undefined;
  const times = option.split(",").map((each) => quantity(each, "s"));
  if (times.length !== count)
    throw new ConfigError(
      `times tells ${times.length}, but there are ${count} files; one for each is expected, as "0 s, 30 min"`,
    );
  return times;
}

/** Reads of the same devices, a file after another. Throws unless all files have the devices of the first. */
function readsOfDevices(
  tables: readonly (readonly (readonly [device: string, R: string])[])[],
  files: readonly RawFile[],
  times: readonly number[] | undefined,
): (string | number)[][] {
  if (files.length < 2)
    throw new ConfigError("two files or more are expected, such as before and after a bake");
  const others = tables.map((table) => new Map(table));
  for (const [k, table] of others.entries()) {
    const missing = tables[0].find(([device]) => !table.has(device));
    if (missing || table.size !== others[0].size)
      throw new DataError(
        `it has ${table.size} devices, ${files[0].name} has ${others[0].size}${missing ? `; device ${missing[0]} is missing` : ""}: these files do not tell of the same devices`,
        { place: { file: files[k].name } },
      );
  }
  return tables[0].flatMap(([device]) =>
    others.map((table, k) => [device, ...(times ? [times[k]] : []), table.get(device) as string]),
  );
}

const timesOption = "times of the files since the write, one for each; left out, there is no column t";

const bake: Importer = {
  name: "rram-ni-bake",
  form: "two files or more of two columns: address, R (ohm); as prebake.tsv and postbake.tsv",
  source: nickel,
  options: { times: timesOption },
  convert(files, { times }) {
    const seconds = timesOf(times, files.length);
    const tables = files.map((file) =>
      rawRows(file, { width: 2, cells: "address, R" }).map(([address, R]) => [address, R] as const),
    );
    const rows = readsOfDevices(tables, files, seconds);
    const said = [
      ["source", `RRAM 1T1R, NI-RRAM-Python, ${namesOf(files)}`],
      ["note", "each device is read once for each file, in this order; a bake between them was hot"],
    ] as const;
    return written(said, ["device", ...(seconds ? ["t_s"] : []), "R_ohm"], rows);
  },
};

const radar =
  "RRAM 1T1R arrays, github.com/akashlevy/RRAM-RADAR-Tuning, exptdata/; doi 10.1109/TED.2021.3097975";

const pulses: Importer = {
  name: "rram-radar-sweep",
  form: "six columns: address, width (ns), V_BL or V_SL (V), V_WL (V), R before and R after (ohm); as sweeps/data/set-sweep-*.csv",
  source: radar,
  options: { pulse: "set or reset, when the file's name does not tell" },
  convert(files, { pulse }) {
    if (pulse !== undefined && pulse !== "set" && pulse !== "reset")
      throw new ConfigError(`pulse is set or reset, not ${pulse}`);
    const cells = "address, width, V_BL or V_SL, V_WL, R before, R after";
    const tables = files.map((file) => ({
      name: polarityOf(file, pulse, { reset: "reset", set: "set", fppv: "set" }),
      rows: rawRows(file, { width: 6, cells }),
    }));
    const [hasSet, hasReset] = ["set", "reset"].map((name) => tables.some((table) => table.name === name));
    const rows = tables.flatMap(({ name, rows }) =>
      rows.map(([address, width, V, gate, before, after]) => [
        ...[shortNumber(address), name, shortNumber(width)],
        ...(hasSet ? [name === "set" ? shortNumber(V) : ""] : []),
        ...(hasReset ? [name === "reset" ? shortNumber(V) : ""] : []),
        ...[shortNumber(gate), shortNumber(before), shortNumber(after)],
      ]),
    );
    const said = [
      ["source", `RRAM 1T1R arrays, RADAR, ${namesOf(files)}`],
      [
        "note",
        "each row stands alone: whether the device was set or reset since the row before depends on the sweep",
      ],
    ] as const;
    const voltages = [...(hasSet ? ["V_BL_V"] : []), ...(hasReset ? ["V_SL_V"] : []), "V_WL_V"];
    return written(said, ["device", "pulse", "width_ns", ...voltages, "R_before_ohm", "R_after_ohm"], rows);
  },
};

const endurance: Importer = {
  name: "rram-radar-cycling",
  form: "rows of an address, then R (ohm) after RESET and after SET in turn; as misc/cycling/data/cycling-*.csv",
  source: radar,
  options: {},
  convert(files) {
    const file = onlyFile(files, "rram-radar-cycling");
    const table = rawRows(file, { cells: "an address, then R after RESET and after SET in turn" });
    const rows = table.flatMap(([address, ...resistances], line) => {
      if (resistances.length === 0 || resistances.length % 2 === 1)
        throw new DataError(`an address and pairs of R are expected, here are ${resistances.length} R`, {
          place: { file: file.name, line: line + 1 },
        });
      return resistances.map((R, k) => [
        shortNumber(address),
        1 + Math.floor(k / 2),
        k % 2 === 0 ? "reset" : "set",
        shortNumber(R),
      ]);
    });
    const said = [
      ["source", `RRAM 1T1R arrays, RADAR, ${namesOf(files)}`],
      ["note", "a cycle is a RESET and then a SET pulse"],
    ] as const;
    return written(said, ["device", "cycle", "pulse", "R_ohm"], rows);
  },
};

const relaxation: Importer = {
  name: "rram-radar-reads",
  form: "two files or more of one column: R (ohm), a line for each cell; as retention/data/relaxation-prebake.csv and -postbake.csv",
  source: radar,
  options: { times: timesOption },
  convert(files, { times }) {
    const seconds = timesOf(times, files.length);
    const tables = files.map((file) =>
      rawRows(file, { width: 1, cells: "R" }).map(([R], line) => [String(line + 1), shortNumber(R)] as const),
    );
    const rows = readsOfDevices(tables, files, seconds);
    const said = [
      ["source", `RRAM 1T1R arrays, RADAR, ${namesOf(files)}`],
      [
        "note",
        "devices are named by their line; each is read once for each file; a bake between them was hot",
      ],
    ] as const;
    return written(said, ["device", ...(seconds ? ["t_s"] : []), "R_ohm"], rows);
  },
};

const oscilloscope: Importer = {
  name: "sdc-scope",
  form: "oscilloscope files with two header lines x-axis,1,2 and second,Volt,Volt: time, voltage across a resistor in series, voltage across both",
  source:
    "SDC memristors, github.com/sdpenguin/memristor-state-characterisation; Hajto et al., arXiv:2505.15757",
  options: {
    resistor: "the resistor in series, such as 1 kohm; needed, the files do not tell it",
    device: "name of the device, default 1",
  },
  convert(files, { resistor, device = "1" }) {
    if (resistor === undefined)
      throw new ConfigError(
        "the files tell the voltage across a resistor in series, not its value: say --set resistor='1 kohm'",
      );
    const ohms = quantity(resistor, "ohm");
    if (ohms <= 0) throw new ConfigError(`resistor is a positive resistance, not ${resistor}`);
    const notes: [string, string][] = [];
    const rows = files.flatMap((file, k) => {
      const [first, second = ""] = linesOf(file);
      if (!/^x-axis,1,2$/.test(first.trim()) || !/^second,volt,volt$/i.test(second.trim()))
        throw new DataError('two header lines "x-axis,1,2" and "second,Volt,Volt" are expected', {
          place: { file: file.name, line: 1 },
        });
      const samples = rawRows(file, {
        width: 3,
        cells: "time, voltage across the resistor, voltage across both",
        header: 2,
        gaps: true,
      });
      const gap = samples.findIndex((row) => row.includes(""));
      const end = gap < 0 ? samples.length : gap;
      if (samples.slice(end).some((row) => row[1] !== "" || row[2] !== "" || row[0] === ""))
        throw new DataError("a sample is missing between others", {
          place: { file: file.name, line: end + 3 },
        });
      if (gap >= 0)
        notes.push([
          "note",
          `${namesOf([file])} ends with ${samples.length - end} times without samples, left out`,
        ]);
      const start = Number(samples[0][0]);
      return samples
        .slice(0, end)
        .map(([t, drop, total]) => [
          k + 1,
          Number((Number(t) - start).toPrecision(9)),
          Number((Number(total) - Number(drop)).toPrecision(9)),
          Number((Number(drop) / ohms).toPrecision(9)),
        ]);
    });
    const said: [string, string][] = [
      ["source", `SDC memristors, Hajto et al., arXiv:2505.15757, ${namesOf(files)}`],
      [
        "note",
        `t counts from the first sample; I = voltage across the resistor / ${resistor}; V = the rest; each file is a cycle`,
      ],
      ...notes,
      ["device", device],
      ["kind", "sweep"],
    ];
    return written(said, ["cycle", "t_s", "V_V", "I_A"], rows);
  },
};

const points: Importer = {
  name: "stdp-points",
  form: "two columns: post minus pre (ms), change (%), of both signs of the difference; as bi_poo_stdp_points.csv",
  source:
    "points read off figures, github.com/dspicher/STDP_Multicompartment; Bi & Poo 1998, J. Neurosci. 18:10464, fig. 7",
  options: {},
  convert(files) {
    const file = onlyFile(files, "stdp-points");
    const rows = rawRows(file, { width: 2, cells: "post minus pre (ms), change (%)" });
    const differences = rows.map(([dt]) => Number(dt));
    if (!differences.some((dt) => dt > 0) || !differences.some((dt) => dt < 0))
      throw new DataError("all differences have one sign: these are no points of an STDP window", {
        place: { file: file.name },
      });
    const said = [["source", `points of an STDP window, ${namesOf(files)}`]] as const;
    return written(said, ["dt_ms", "change_percent"], rows);
  },
};

export const importers: readonly Importer[] = [
  crosssim,
  gong,
  reads,
  cycling,
  sweep,
  bake,
  pulses,
  endurance,
  relaxation,
  oscilloscope,
  points,
];
