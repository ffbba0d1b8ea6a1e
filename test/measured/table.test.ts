/** Tables of measurements to numbers: kinds, units, forms of CSV and JSON, streams. Faults are in table-faults.test.ts. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { quantity } from "../../src/math/units.ts";
import type { Measurement } from "../../src/measured/measurement.ts";
import { measurementOf, readTable } from "../../src/measured/table.ts";

const file = "data.csv";
const read = (text: string, metadata: Record<string, string> = {}) => readTable(text, { file, metadata });

/** A measurement with its typed arrays as plain ones. */
function plain({ sequences, ...rest }: Measurement) {
  const list = (array: Float64Array | Int16Array | undefined) => (array ? Array.from(array) : undefined);
  return {
    ...rest,
    sequences: sequences.map(({ device, cycle, pulse, time, arguments: given, voltage, values }) => ({
      ...{ device, cycle, pulse: list(pulse), time: list(time), given: given.map(list) },
      ...{ voltage: list(voltage), values: list(values) },
    })),
  };
}

describe("kinds", () => {
  test("a pulse train: running numbers count the pulses the metadata name, and begin a new cycle when they fall", () => {
    const { kind, measurement } = read("# pulse: set\npulse,G_uS\n0,1\n1,2\n2,3\n2,3.5\n5,6\n1,1.5\n2,2\n");
    expect(kind).toBe("pulse train");
    const [first, second] = plain(measurement).sequences;
    expect(measurement.pulses).toEqual(["set"]);
    expect(first).toMatchObject({ device: "1", cycle: 1, pulse: [-1, 0, 0, -1, 0, 0, 0] });
    expect(first.values).toEqual([1e-6, 2e-6, 3e-6, 3.5e-6, Number.NaN, Number.NaN, 6e-6]); // 3 and 4 were not read
    expect(second).toMatchObject({ cycle: 2, pulse: [0, 0], values: [1.5e-6, 2e-6] });
  });

  test("unread pulses between two running numbers lie evenly in time", () => {
    const { measurement } = read("# pulse: set\npulse,t_ms,G_uS\n1,10,1\n4,70,2\n");
    const [{ time, pulse }] = plain(measurement).sequences;
    expect(pulse).toEqual([0, 0, 0, 0]);
    for (const [k, t] of [0.01, 0.03, 0.05, 0.07].entries()) expect(time?.[k]).toBeCloseTo(t, 15);
  });

  test("ramps: named pulses, a dash or nothing for a read alone, an empty cell after a pulse without a read", () => {
    const { kind, measurement } = read("cycle,pulse,R_kohm\n7,-,100\n7,up,50\n7,down,\n7,,80\n7,read,90\n");
    expect([kind, measurement.pulses]).toEqual(["pulse ramps", ["up", "down"]]);
    const [{ cycle, pulse, values }] = plain(measurement).sequences;
    expect([cycle, pulse]).toEqual([7, [-1, 0, 1, -1, -1]]);
    expect(values).toEqual([1 / 1e5, 1 / 5e4, Number.NaN, 1 / 8e4, 1 / 9e4]);
  });

  test("arguments of pulses, named by their stems; NaN in an empty cell and where no pulse was given", () => {
    const text = "pulse,amplitude_V,width_ns,V_WL_V,G_uS\n,,,,1\nset,1.5,100,2,2\nset,,50,2,3\n";
    const { arguments: names, sequences } = plain(read(text).measurement);
    expect(names).toEqual(["amplitude", "width", "V_WL"]);
    expect(sequences[0].given).toEqual([
      [Number.NaN, 1.5, Number.NaN],
      [Number.NaN, 1e-7, 5e-8],
      [Number.NaN, 2, 2],
    ]);
  });

  test("a column of pulses is not needed where every row is one and the metadata name it", () => {
    const { kind, measurement } = read("# pulse: set\nG_uS,width_ns\n1,10\n2,20\n");
    expect([kind, plain(measurement).sequences[0].pulse]).toEqual(["pulse train", [0, 0]]);
  });

  test("reads: of two devices whose rows alternate, each in its own order, devices in order of appearance", () => {
    const { kind, measurement } = read("device,t_s,G_uS\nB,1,10\nA,1,20\nB,2,11\nA,3,21\nB,2,12\n");
    expect([kind, measurement.quantity]).toEqual(["reads", "conductance"]);
    expect(plain(measurement).sequences).toMatchObject([
      { device: "B", time: [1, 2, 2], values: [10e-6, 11e-6, 12e-6], pulse: [-1, -1, -1] },
      { device: "A", time: [1, 3], values: [20e-6, 21e-6] },
    ]);
  });

  test("times of a clock count from the first row of each sequence", () => {
    const { measurement } = read("# time: clock\ncycle,t_s,G_uS\n1,-5,1\n1,-4,2\n2,100,3\n2,100.5,4\n");
    expect(plain(measurement).sequences.map(({ time }) => time)).toEqual([
      [0, 1],
      [0, 0.5],
    ]);
  });

  test("a current is a read where the voltage stays within a fifth, and a sweep where it does not", () => {
    const reads = read("t_s,V_mV,I_uA\n0,128,1\n1,120,1.5\n");
    expect([reads.kind, reads.measurement.quantity]).toEqual(["reads", "conductance"]);
    expect(plain(reads.measurement).sequences[0]).toMatchObject({
      values: [1e-6 / 0.128, 1.5e-6 / 0.12],
      voltage: undefined,
    });
    const sweep = read("t_s,V_mV,I_uA\n0,100,1\n1,0,-0.125\n2,-70,-1.4\n");
    expect([sweep.kind, sweep.measurement.quantity]).toEqual(["sweep", "current"]);
    expect(plain(sweep.measurement).sequences[0]).toMatchObject({
      voltage: [0.1, 0, -0.07],
      values: [1e-6, -1.25e-7, -1.4e-6],
    });
    expect(read("# kind: sweep\nV_mV,I_uA\n100,1\n101,2\n").kind).toBe("sweep");
    expect(read("V_mV,I_uA\n100,1\n50,2\n", { kind: "reads" }).kind).toBe("reads");
  });

  test("a current with pulses is a read, at the voltage of its row or of the metadata", () => {
    const own = read("pulse,V_mV,I_uA\nset,100,1\nset,200,1\n").measurement;
    expect(plain(own).sequences[0].values).toEqual([1e-6 / 0.1, 1e-6 / 0.2]);
    const one = read("# read_voltage: 200 mV\npulse,I_uA\nset,1\nset,2\n").measurement;
    expect(plain(one).sequences[0].values).toEqual([1e-6 / 0.2, 2e-6 / 0.2]);
  });

  test("transitions: each row is a read, a pulse with its arguments and a read", () => {
    const text =
      "device,pulse,width_ns,R_before_kohm,R_after_kohm\nA,set,100,200,20\nB,reset,50,10,100\nA,set,200,20,10\n";
    const { kind, measurement } = read(text);
    expect([kind, measurement.pulses, measurement.arguments]).toEqual([
      "transitions",
      ["set", "reset"],
      ["width"],
    ]);
    expect(plain(measurement).sequences).toMatchObject([
      { device: "A", cycle: 1, pulse: [-1, 0], given: [[Number.NaN, 1e-7]], values: [1 / 2e5, 1 / 2e4] },
      { device: "A", cycle: 2, pulse: [-1, 0], given: [[Number.NaN, 2e-7]], values: [1 / 2e4, 1 / 1e4] },
      { device: "B", cycle: 1, pulse: [-1, 1], given: [[Number.NaN, 5e-8]], values: [1 / 1e4, 1 / 1e5] },
    ]);
  });

  test("STDP points: 1 S before, a pulse pair with the delay, 1 S and the change after; or what is given", () => {
    const { kind, measurement } = read("dt_ms,change_percent\n10,50\n-20,-25\n");
    expect([kind, measurement.pulses, measurement.arguments]).toEqual(["STDP points", ["pair"], ["delay"]]);
    expect(plain(measurement).sequences).toMatchObject([
      { cycle: 1, pulse: [-1, 0], given: [[Number.NaN, 0.01]], values: [1, 1.5], time: undefined },
      { cycle: 2, pulse: [-1, 0], given: [[Number.NaN, -0.02]], values: [1, 0.75] },
    ]);
    const scaled = read("# G_rel: 10 uS\ndt_ms,change_1\n10,0.5\n-20,0\n").measurement;
    expect(plain(scaled).sequences.map(({ values }) => values)).toEqual([
      [1e-5, 1e-5 * 1.5],
      [1e-5, 1e-5],
    ]);
    const absolute = read("dt_us,G_before_uS,G_after_uS,amplitude_V\n5,4,6,1\n-5,4,3,1\n").measurement;
    expect(absolute.arguments).toEqual(["delay", "amplitude"]);
    expect(plain(absolute).sequences[1]).toMatchObject({
      given: [
        [Number.NaN, -5e-6],
        [Number.NaN, 1],
      ],
      values: [4e-6, 3e-6],
    });
  });

  test("relative conductances are in units of what the metadata say; the caller's metadata go first", () => {
    const text = "# G_rel: 1 uS\n# device: mine\nG_rel\n0.5\n2\n";
    expect(plain(read(text).measurement).sequences).toMatchObject([{ device: "mine", values: [5e-7, 2e-6] }]);
    expect(plain(read(text, { G_rel: "1 mS" }).measurement).sequences[0].values).toEqual([5e-4, 2e-3]);
  });
});

describe("forms", () => {
  const expected = plain(read("device,t_s,G_uS\nA,1,10\nA,2,20.5\n").measurement);
  test.each([
    ["semicolons", "device;t_s;G_uS\nA;1;10\nA;2;20.5\n"],
    ["tabs and CRLF", "device\tt_s\tG_uS\r\nA\t1\t10\r\nA\t2\t20.5\r\n"],
    [
      "a byte order mark, comments and empty lines",
      "\uFEFF# mine\n\ndevice,t_s,G_uS\n# half\nA,1,10\n\nA,2,20.5",
    ],
    ["quoted cells and spaces", '"device" , "t_s", "G_uS"\n "A", "1" ,10 \n"A",2,"20.5"\n'],
    ["other order and units", "G_S,device,t_ms\n1e-5,A,1e3\n20.5e-6,A,+2000.\n"],
    ["JSON records", '[{"device":"A","t_s":1,"G_uS":10},{"G_uS":"20.5","device":"A","t_s":2}]'],
    ["JSON columns", ' {"note": "x", "columns": {"device":["A","A"],"t_s":[1,2],"G_uS":[10,20.5]}}'],
  ])("%s", (_, text) => {
    expect(plain(read(text).measurement)).toEqual(expected);
  });

  test("quotes hold separators and doubled quotes", () => {
    const { measurement } = read('device,G_uS\n"a, ""b"" #1",1\n"a, ""b"" #1",2\n');
    expect(plain(measurement).sequences).toMatchObject([{ device: 'a, "b" #1', values: [1e-6, 2e-6] }]);
  });

  test("metadata are told; lines of one text key are joined; other comments are comments", () => {
    const { metadata, rows, columns } = read(
      "# source: one\n# source: two\n# so far: x\nG_uS\n1\n2\n# note: end\n",
    );
    expect({ metadata, rows, columns }).toEqual({
      metadata: { source: "one\ntwo", note: "end" },
      rows: 2,
      columns: ["G_uS"],
    });
  });
});

/** A table of ramps: text of cells, units and how the file is written. */
const tables = fc.record({
  unit: fc.constantFrom("G_uS", "G_S", "G_nS", "R_ohm", "R_kohm", "R_Mohm"),
  timeUnit: fc.constantFrom("s", "ms", "us", "ns", "min"),
  separator: fc.constantFrom(",", ";", "\t"),
  end: fc.constantFrom("\n", "\r\n"),
  isQuoted: fc.boolean(),
  pieces: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }),
  rows: fc.array(
    fc.record({
      device: fc.constantFrom("A", "B", "chip 3/x"),
      cycle: fc.integer({ min: 0, max: 2 }),
      pulse: fc.constantFrom("", "set", "down"),
      step: fc.integer({ min: 0, max: 1000 }),
      mantissa: fc.integer({ min: 1, max: 999_999 }),
      exponent: fc.integer({ min: -9, max: 3 }),
      isRead: fc.boolean(),
      width: fc.option(fc.integer({ min: 1, max: 500 }), { nil: undefined }),
    }),
    { minLength: 3, maxLength: 40 },
  ),
});

describe("properties", () => {
  test("what is written is read, whatever the form, to two roundings of each cell", async () => {
    await fc.assert(
      fc.asyncProperty(tables, async ({ unit, timeUnit, separator, end, isQuoted, pieces, rows }) => {
        const cellsOf = (
          { device, cycle, pulse, mantissa, exponent, isRead, width }: (typeof rows)[number],
          time: number,
        ) => [
          ...[device, String(cycle), pulse, String(time)],
          isRead || pulse === "" ? `${mantissa}e${exponent}` : "",
          width === undefined ? "" : String(width),
        ];
        let time = 0;
        const body = rows.map((row) => cellsOf(row, (time += row.step)));
        const values = body.map((cells) => cells[4]).filter((cell) => cell !== "");
        fc.pre(new Set(values.map(Number)).size > 1);
        const names = ["device", "cycle", "pulse", `t_${timeUnit}`, unit, "width_ns"];
        const quoted = (cell: string) => (isQuoted ? `"${cell}"` : cell);
        const text = [names, ...body].map((cells) => cells.map(quoted).join(separator)).join(end) + end;

        const { measurement } = readTable(text, { file });
        const close = (found: number, cell: string, of: string) => {
          const exact = of === "ohm" ? 1 / quantity(cell) : quantity(cell);
          if (Math.abs(found - exact) > 2 ** -51 * exact) throw new Error(`${found} is not ${exact}`);
        };
        for (const { device, cycle, pulse, time, arguments: given, values } of measurement.sequences) {
          const own = body.filter((cells) => cells[0] === device && cells[1] === String(cycle));
          expect(own.length).toBe(values.length);
          own.forEach((cells, row) => {
            expect(pulse[row] < 0 ? "" : measurement.pulses[pulse[row]]).toBe(cells[2]);
            close(time?.[row] ?? Number.NaN, `${cells[3]} ${timeUnit}`, "s");
            if (cells[4] === "") expect(values[row]).toBeNaN();
            else close(values[row], `${cells[4]} ${unit.slice(2)}`, unit.startsWith("R") ? "ohm" : "S");
            if (cells[2] === "" || cells[5] === "") expect(given[0][row]).toBeNaN();
            else close(given[0][row], `${cells[5]} ns`, "s");
          });
        }
        expect(measurement.sequences.reduce((sum, { values }) => sum + values.length, 0)).toBe(body.length);

        async function* cut(whole: string) {
          for (let at = 0, k = 0; at < whole.length; k++) {
            const length = pieces[k % pieces.length];
            yield whole.slice(at, at + length);
            at += length;
          }
        }
        expect(await measurementOf(cut(text), { file })).toEqual(measurement);
        const columns = Object.fromEntries(names.map((name, k) => [name, body.map((cells) => cells[k])]));
        expect(measurementOf(JSON.stringify({ columns }), { file })).toEqual(measurement);
        const records = body.map((cells) => Object.fromEntries(names.map((name, k) => [name, cells[k]])));
        expect(await measurementOf(cut(JSON.stringify(records)), { file })).toEqual(measurement);
      }),
      { numRuns: 60 },
    );
  });
});
