/** Whole texts of what is wrong with tables: file, line, column, the cell, the reason, the nearest right name. */
import { describe, expect, test } from "vitest";
import { readTable } from "../../src/measured/table.ts";

/** What is told of a table that cannot be used. */
function fault(text: string): string {
  try {
    const { kind, rows } = readTable(text, { file: "data.csv" });
    return `${rows} rows of ${kind}`;
  } catch (error) {
    const { name, message } = error as Error;
    return `${name}\n${message}`;
  }
}

describe("cells", () => {
  test("a word", () => {
    expect(fault("t_s,G_uS\n1,2\n2, abc\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:3:4: column 2, G_uS: "abc" is not a number"
    `);
  });

  test("a decimal comma", () => {
    expect(fault("t_s;G_uS\n1;2,5\n2;3,5e-1\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:2:3: column 2, G_uS: "2,5" has a decimal comma; write 2.5
      data.csv:3:3: column 2, G_uS: "3,5e-1" has a decimal comma; write 3.5e-1"
    `);
  });

  test("a number with its unit", () => {
    expect(fault("t_s,G_uS\n1,2\n2,3 uS\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:3:3: column 2, G_uS: "3 uS" has a unit; units belong in the names of columns"
    `);
  });

  test("not a number, not finite", () => {
    expect(fault("t_s,G_uS\n1,2\n2,NaN\n3,-inf\n4,1e999\n5,OL\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:3:3: column 2, G_uS: "NaN" is not a number; leave the cell empty where nothing was read
      data.csv:4:3: column 2, G_uS: "-inf" is not finite; leave the cell empty where nothing was read
      data.csv:5:3: column 2, G_uS: "1e999" is not finite; leave the cell empty where nothing was read
      data.csv:6:3: column 2, G_uS: "OL" is not finite; leave the cell empty where nothing was read"
    `);
  });

  test("hexadecimal", () => {
    expect(fault("t_s,G_uS\n1,2\n2,0x10\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:3:3: column 2, G_uS: "0x10" is not a number"
    `);
  });

  test("empty", () => {
    expect(fault("t_s,G_uS\n1,2\n2,\n,4\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:3:3: column 2, G_uS: the cell is empty
      data.csv:4:1: column 1, t_s: the cell is empty"
    `);
  });

  test("a quoted cell that does not end", () => {
    expect(fault(`device,G_uS\nA,1\n"A,2\n`)).toMatchInlineSnapshot(`
      "DataError
      data.csv:3:1: a quoted cell does not end on its line"
    `);
  });

  test("the device or the cycle empty, a cycle that is no number", () => {
    expect(fault("device,cycle,G_uS\nA,1,1\n,1,2\nA,,3\nA,1.5,4\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:3:1: column 1, device: the cell is empty
      data.csv:4:3: column 2, cycle: the cell is empty
      data.csv:5:3: column 2, cycle: "1.5" is not the number of a cycle"
    `);
  });
});

describe("rows", () => {
  test("ragged", () => {
    expect(fault("t_s,G_uS\n1,2\n2\n3,4,5\n\n4,5\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:3:2: the row has 1 cell, the header 2
      data.csv:4:5: the row has 3 cells, the header 2; is a comma a decimal point, or part of a name to be quoted?"
    `);
  });

  test("a decimal comma among commas", () => {
    expect(fault("t_s,G_uS\n1,2,5\n2,3,5\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:2:5: the row has 3 cells, the header 2; is a comma a decimal point, or part of a name to be quoted?
      data.csv:3:5: the row has 3 cells, the header 2; is a comma a decimal point, or part of a name to be quoted?"
    `);
  });

  test("more faults than are told", () => {
    expect(fault(`t_s,G_uS\n${"1,x\n".repeat(30)}`)).toMatchInlineSnapshot(`
      "DataError
      data.csv:2:3: column 2, G_uS: "x" is not a number
      data.csv:3:3: column 2, G_uS: "x" is not a number
      data.csv:4:3: column 2, G_uS: "x" is not a number
      data.csv:5:3: column 2, G_uS: "x" is not a number
      data.csv:6:3: column 2, G_uS: "x" is not a number
      data.csv:7:3: column 2, G_uS: "x" is not a number
      data.csv:8:3: column 2, G_uS: "x" is not a number
      data.csv:9:3: column 2, G_uS: "x" is not a number
      data.csv:10:3: column 2, G_uS: "x" is not a number
      data.csv:11:3: column 2, G_uS: "x" is not a number
      data.csv:12:3: column 2, G_uS: "x" is not a number
      data.csv:13:3: column 2, G_uS: "x" is not a number
      data.csv:14:3: column 2, G_uS: "x" is not a number
      data.csv:15:3: column 2, G_uS: "x" is not a number
      data.csv:16:3: column 2, G_uS: "x" is not a number
      data.csv:17:3: column 2, G_uS: "x" is not a number
      data.csv:18:3: column 2, G_uS: "x" is not a number
      data.csv:19:3: column 2, G_uS: "x" is not a number
      data.csv:20:3: column 2, G_uS: "x" is not a number
      data.csv:21:3: column 2, G_uS: "x" is not a number
      and 10 more"
    `);
  });
});

describe("physics", () => {
  test("negative conductance", () => {
    expect(fault("t_s,G_uS\n1,2\n2,-0.3\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:3:3: column 2, G_uS: -0.3 is a negative conductance"
    `);
  });

  test("no resistance", () => {
    expect(fault("R_ohm\n100\n0\n-5\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:3:1: column 1, R_ohm: a resistance of 0 is no conductance
      data.csv:4:1: column 1, R_ohm: a resistance of -5 is no conductance"
    `);
  });

  test("a current against its voltage, and at none", () => {
    expect(fault("# read_voltage: -0.1 V\npulse,I_uA\nset,-2\nset,2\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:4:5: column 2, I_uA: a current of 2 against the voltage is a negative conductance"
    `);
  });

  test("a current against the voltage beside it", () => {
    expect(fault("V_V,I_uA\n0.1,2\n0.1,-2\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:3:5: column 2, I_uA: a current of -2 against the voltage is a negative conductance"
    `);
  });

  test("a read at 0 V", () => {
    expect(fault("# kind: reads\nV_V,I_uA\n0.1,2\n0,2\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:4:3: column 2, I_uA: at 0 V a current tells no conductance"
    `);
  });

  test("a change of less than all", () => {
    expect(fault("dt_ms,change_percent\n10,20\n-10,-120\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:3:5: column 2, change_percent: a change of -120 leaves a negative conductance"
    `);
  });
});

describe("time", () => {
  test("goes back within a sequence", () => {
    expect(fault("device,cycle,t_ms,G_uS\nA,1,5,2\nA,1,4.5,2\nB,1,1,2\nA,2,1,3\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:3:5: column 3, t_ms: time goes back within device A, cycle 1: 4.5 after 5"
    `);
  });

  test("is before the last write", () => {
    expect(fault("t_s,G_uS\n-1,2\n0,3\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:2:1: column 1, t_s: time -1 is before the last write, from which it counts; for times of a clock say "# time: clock" above the header"
    `);
  });
});

describe("pulses", () => {
  test("a name that is nearly one", () => {
    expect(fault("pulse,G_uS\nset,1\nSET,2\nrest,3\ndwon,4\nerase,5\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:3:1: column 1, pulse: there is no pulse SET; did you mean set?
      data.csv:4:1: column 1, pulse: there is no pulse rest; did you mean reset?
      data.csv:5:1: column 1, pulse: there is no pulse dwon; did you mean down?"
    `);
  });

  test("no name", () => {
    expect(fault("pulse,G_uS\nset,1\n1.2 V,2\n3,4\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:3:1: column 1, pulse: "1.2 V" cannot name a pulse: a letter, then letters, digits, _
      data.csv:4:1: column 1, pulse: "3" cannot name a pulse: a letter, then letters, digits, _"
    `);
  });

  test("numbers without a kind", () => {
    expect(fault("pulse,G_uS\n0,1\n1,2\n2,3\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:2:1: column 1, pulse: numbers count pulses, but of which kind? Say "# pulse: set" above the header"
    `);
  });

  test("numbers after names, numbers that fall within a cycle", () => {
    expect(
      fault("# pulse: set\ncycle,pulse,G_uS\n1,1,1\n1,3,2\n1,2,3\n1,x,3\n1,,3\n1,2.5,3\n"),
    ).toMatchInlineSnapshot(`
      "DataError
      data.csv:5:3: column 2, pulse: pulse 2 comes after pulse 3 of device 1, cycle 1
      data.csv:6:3: column 2, pulse: "x" is not a running number, as those above are
      data.csv:7:3: column 2, pulse: the cell is empty
      data.csv:8:3: column 2, pulse: "2.5" is not a running number, as those above are"
    `);
  });

  test("a number after rows without", () => {
    expect(fault("# pulse: set\npulse,G_uS\n-,1\n,2\n5,3\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:5:1: column 1, pulse: a running number follows rows without one; where no pulse was given yet it is 0"
    `);
  });

  test("a gap too wide", () => {
    expect(fault("# pulse: set\npulse,G_uS\n1,1\n20000,2\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:4:1: column 1, pulse: 19998 pulses without a read come before; at most 10000 are kept"
    `);
  });

  test("names, and a kind above", () => {
    expect(fault("# pulse: up\npulse,G_uS\nup,1\nup,2\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:3:1: column 1, pulse: this column names the pulses, so "pulse: up" cannot stand above the header"
    `);
  });

  test("no pulse between two reads", () => {
    expect(fault("pulse,R_before_ohm,R_after_ohm\nset,1,2\n,1,2\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:3:1: column 1, pulse: the pulse between the two reads is not named"
    `);
  });
});

describe("names of columns", () => {
  test("no unit", () => {
    expect(fault("t,G,width,devcie,cycle_no\n1,2,3,4,5\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:1:1: column 1: t has no unit; write t_s
      data.csv:1:3: column 2: G has no unit; write G_uS
      data.csv:1:5: column 3: "width" has no unit, which is the part after the last underscore, as in width_ns
      data.csv:1:11: column 4: "devcie" has no unit, which is the part after the last underscore, as in width_ns; did you mean device?
      data.csv:1:18: column 5: "cycle_no" is no column; did you mean cycle?"
    `);
  });

  test("no such unit", () => {
    expect(fault("t_sec,G_us,R_Ohms,width_nsec,pulse_number\n1,2,3,4,5\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:1:1: column 1: "t_sec" is no column: unknown unit sec; did you mean s?
      data.csv:1:7: column 2: "G_us" is no column: G is a conductance, us has the dimension of s; did you mean G_uS?
      data.csv:1:12: column 3: "R_Ohms" is no column: unknown unit Ohms; did you mean ohm?
      data.csv:1:19: column 4: "width_nsec" is no column: unknown unit nsec; did you mean ns?
      data.csv:1:30: column 5: "pulse_number" is no column; did you mean pulse?"
    `);
  });

  test("other words", () => {
    expect(fault("time_s,conductance_uS,g_nS,T_s\n1,2,3,4\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:1:1: column 1: "time_s" is no column; did you mean t_s?
      data.csv:1:8: column 2: "conductance_uS" is no column; did you mean G_uS?
      data.csv:1:23: column 3: "g_nS" is no column; did you mean G_nS?
      data.csv:1:28: column 4: "T_s" is no column; did you mean t_s?"
    `);
  });

  test("brackets", () => {
    expect(fault("Time (s),G [uS],Current(A)\n1,2,3\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:1:1: column 1: "Time (s)" is no column; did you mean t_s?
      data.csv:1:10: column 2: "G [uS]" is no column; did you mean G_uS?
      data.csv:1:17: column 3: "Current(A)" is no column; did you mean I_A?"
    `);
  });

  test("twice, and in two units", () => {
    expect(fault("t_s,G_uS,t_ms,G_uS\n1,2,3,4\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:1:10: column 3: t_ms and t_s are one quantity in two units; keep one of them
      data.csv:1:15: column 4: column G_uS is there twice"
    `);
  });

  test("conductance in two ways", () => {
    expect(fault("G_uS,R_ohm\n1,2\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:1:6: column 2: G_uS and R_ohm tell the conductance more than once; keep one of them"
    `);
  });

  test("empty", () => {
    expect(fault("t_s,,G_uS,\n1,2,3,4\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:1:5: column 2: the column has no name
      data.csv:1:11: column 4: the column has no name"
    `);
  });

  test("no values", () => {
    expect(fault("device,t_s\n1,2\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:1:1: column 1: there is no column of values: G_uS, R_ohm, I_uA with read_voltage, or dt_ms and change_percent"
    `);
  });

  test("a current without its voltage", () => {
    expect(fault("t_s,I_uA\n1,2\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:1:5: column 2: I_uA needs the voltage it was read at: a column V_V, or "# read_voltage: 0.1 V" above the header"
    `);
  });

  test("a voltage without a current", () => {
    expect(fault("pulse,V_V,G_uS\nset,2,1\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:1:7: column 2: V_V belongs beside a current such as I_uA; as an argument of a pulse it needs a longer name, such as amplitude_V"
    `);
  });

  test("relative to what", () => {
    expect(fault("t_s,G_rel\n1,2\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:1:5: column 2: G_rel needs to know what 1 stands for, as "# G_rel: 10 uS" above the header"
    `);
  });

  test("arguments without pulses", () => {
    expect(fault("t_s,G_uS,width_ns,temp_K,voltage_V\n1,2,3,4,5\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:1:10: column 3: width_ns is an argument of a pulse, but there is no column pulse
      data.csv:1:19: column 4: temp_K is an argument of a pulse, but there is no column pulse
      data.csv:1:26: column 5: voltage_V is an argument of a pulse, but there is no column pulse"
    `);
  });

  test("halves of pairs", () => {
    expect(fault("dt_ms,t_s,G_before_uS\n1,2,3\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:1:11: column 3: G_before_uS needs G_after beside it
      data.csv:1:7: column 2: dt_ms and t_s cannot stand in one table: each point stands alone
      data.csv:1:11: column 3: G_before_uS and t_s cannot stand in one table: each row stands alone"
    `);
  });

  test("change alone, delay alone", () => {
    expect(fault("change_percent,G_uS\n1,2\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:1:1: column 1: change_percent needs dt_ms beside it: STDP points
      data.csv:1:16: column 2: change_percent and G_uS cannot stand in one table: points have no reads of their own"
    `);
  });

  test("delay alone", () => {
    expect(fault("dt_ms,G_uS\n1,2\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:1:1: column 1: dt_ms needs change_percent, or G_before_uS and G_after_uS, beside it"
    `);
  });

  test("the delay twice", () => {
    expect(fault("dt_ms,change_percent,delay_ms\n1,2,3\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:1:22: column 3: dt_ms and delay_ms are one quantity, the delay of a pair; keep one of them"
    `);
  });

  test("pairs and pulses", () => {
    expect(fault("pulse,dt_ms,change_percent\nset,1,2\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:1:7: column 2: dt_ms and pulse cannot stand in one table: the pulse of each point is a pair"
    `);
  });

  test("none at all", () => {
    expect(fault("1,2.5\n2,3.5\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:1:1: numbers stand where names of columns are expected, such as t_s and G_uS; \`memspike device import\` reads raw files"
    `);
  });
});

describe("metadata", () => {
  test("a key that is nearly one", () => {
    expect(
      fault("# read_volage: 0.1 V\n# Pulse: set\n# remark: free\nt_s,I_uA\n1,2\n2,3\n"),
    ).toMatchInlineSnapshot(`
      "DataError
      data.csv:1:1: there is no key "read_volage"; did you mean read_voltage?
      data.csv:2:1: there is no key "Pulse"; did you mean pulse?
      data.csv:4:5: column 2: I_uA needs the voltage it was read at: a column V_V, or "# read_voltage: 0.1 V" above the header"
    `);
  });

  test("values that do not suit", () => {
    expect(
      fault("# read_voltage: 0.1 A\n# G_rel: 0 S\n# kind: swep\n# pulse: SET\n# time: now\nG_uS\n1\n2\n"),
    ).toMatchInlineSnapshot(`
      "DataError
      data.csv:1:1: read_voltage is a quantity in V, not 0.1 A
      data.csv:2:1: G_rel is a quantity in S, not 0 S
      data.csv:3:1: kind is sweep or reads, not "swep"; did you mean sweep?
      data.csv:4:1: there is no pulse SET; did you mean set?
      data.csv:5:1: time is clock or since write, not "now""
    `);
  });

  test("twice", () => {
    expect(fault("# pulse: set\n# pulse: up\nG_uS\n1\n2\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:2:1: "pulse" is there twice"
    `);
  });

  test("a read is no pulse", () => {
    expect(fault("# pulse: read\nG_uS\n1\n2\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:1:1: a read is no pulse"
    `);
  });

  test("below the header", () => {
    expect(fault("G_uS\n1\n# device: A\n2\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv:3:1: "device" must stand above the header"
    `);
  });

  test("a kind that the columns are not", () => {
    expect(fault("# kind: sweep\nt_s,G_uS\n1,2\n2,3\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv: "kind: sweep" is said, but the columns are those of reads"
    `);
  });
});

describe("whole tables", () => {
  test("empty", () => {
    expect(fault("")).toMatchInlineSnapshot(`
      "DataError
      data.csv: the file is empty"
    `);
  });

  test("blank", () => {
    expect(fault("\n  \n")).toMatchInlineSnapshot(`
      "DataError
      data.csv: the file is empty"
    `);
  });

  test("comments alone", () => {
    expect(fault("# nothing\n# here\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv: there is no line but comments"
    `);
  });

  test("no rows", () => {
    expect(fault("t_s,G_uS\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv: there are no rows below the header"
    `);
  });

  test("a single point", () => {
    expect(fault("t_s,G_uS\n1,2\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv: there is a single point; it takes two to tell anything of a device"
    `);
  });

  test("a single STDP point", () => {
    expect(fault("dt_ms,change_percent\n10,20\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv: there is a single point; it takes two to tell anything of a device"
    `);
  });

  test("constant data", () => {
    expect(fault("t_s,G_uS\n1,2\n2,2\n3,2\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv: all 3 values are the same: constant data tell nothing of a device"
    `);
  });

  test("nothing read", () => {
    expect(fault("pulse,G_uS\nset,\nset,\n")).toMatchInlineSnapshot(`
      "DataError
      data.csv: nothing was read: the column of values is empty"
    `);
  });

  test("UTF-16", () => {
    expect(fault("��t\u0000_\u0000s\u0000")).toMatchInlineSnapshot(`
      "DataError
      data.csv:1: this is not UTF-8 text; save it as CSV in UTF-8"
    `);
  });

  test("carriage returns alone", () => {
    expect(fault("t_s,G_uS\r1,2\r2,3\r")).toMatchInlineSnapshot(`
      "DataError
      data.csv:1: lines end with carriage returns alone; save the file with line feeds"
    `);
  });

  test("no lines", () => {
    expect(fault("x".repeat(1_000_001))).toMatchInlineSnapshot(`
      "DataError
      data.csv:1: the line has more than 1000000 characters; this is no table"
    `);
  });
});

describe("JSON", () => {
  test("broken", () => {
    expect(fault(`[\n  {"t_s": 1, "G_uS": 2},\n  {"t_s": 2 "G_uS": 2}\n]`)).toMatchInlineSnapshot(`
      "DataError
      data.csv:3:13: this is not JSON: Expected ',' or '}' after property value"
    `);
  });

  test("another shape", () => {
    expect(fault(`{"rows": []}`)).toMatchInlineSnapshot(`
      "DataError
      data.csv:1:1: an array of records, or an object with "columns", is expected"
    `);
  });

  test("a record that is none", () => {
    expect(fault(`[{"t_s": 1, "G_uS": 2},\n 5]`)).toMatchInlineSnapshot(`
      "DataError
      data.csv:2:2: 5 is not a record such as {"t_s": 1, "G_uS": 2}"
    `);
  });

  test("a cell of a record", () => {
    expect(
      fault(
        `[\n  {"t_s": 1, "G_uS": 2},\n  {"t_s": 2, "G_uS": [3]},\n  {"t_s": 3},\n  {"G_uS": 2, "t_s": true}\n]`,
      ),
    ).toMatchInlineSnapshot(`
      "DataError
      data.csv:3:22: column 2, G_uS: "[3]" is not a number
      data.csv:4:3: column 2, G_uS: the cell is empty
      data.csv:5:22: column 1, t_s: "true" is not a number"
    `);
  });

  test("a cell of a column", () => {
    expect(
      fault(
        `{\n  "note": "x, \\"y\\"",\n  "columns": {\n    "t_s": [1, 2, 3],\n    "G_uS": [4, -5, null]\n  }\n}`,
      ),
    ).toMatchInlineSnapshot(`
      "DataError
      data.csv:5:17: column 2, G_uS: -5 is a negative conductance
      data.csv:5:21: column 2, G_uS: the cell is empty"
    `);
  });

  test("columns of other lengths", () => {
    expect(fault(`{"columns": {"t_s": [1, 2, 3], "G_uS": [4],\n "R_ohm": 7}}`)).toMatchInlineSnapshot(`
      "DataError
      data.csv:1:40: column G_uS has 1 of 3 cells
      data.csv:2:11: column R_ohm has 0 of 3 cells"
    `);
  });

  test("names of columns and keys", () => {
    expect(fault(`{"pulse": "sett", "columns": {\n  "t_s": [1], "G": [2]}}`)).toMatchInlineSnapshot(`
      "DataError
      data.csv:1:11: there is no pulse sett; did you mean set?"
    `);
  });
});
