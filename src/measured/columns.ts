/**
 * What the columns of a table of measurements mean: `G_uS` is a conductance in microsiemens, `width_ns`
 * the argument `width` of a pulse.
 *
 * The unit is the part of a name after its last underscore. Knows nothing of cells.
 */

import { ConfigError } from "../math/errors.ts";
import { nearest } from "../math/nearest.ts";
import { formatDimension, sameDimension, unitDimension } from "../math/units.ts";
import type { Metadata } from "./metadata.ts";

/** Columns without a unit. */
const plainColumns = ["device", "cycle", "pulse"] as const;

/** Quantities with a meaning of their own, the dimension they must have, and units offered for it. */
const quantities = {
  G: { words: "a conductance", units: ["uS", "S", "mS", "nS", "pS"] },
  R: { words: "a resistance", units: ["ohm", "kohm", "Mohm", "Gohm"] },
  I: { words: "a current", units: ["uA", "A", "mA", "nA", "pA"] },
  V: { words: "a voltage", units: ["V", "mV", "uV"] },
  t: { words: "a time", units: ["s", "ms", "us", "ns", "min", "h"] },
  dt: { words: "a time", units: ["ms", "s", "us", "ns"] },
  change: { words: "a relative change", units: ["percent", "1"] },
  G_before: { words: "a conductance", units: ["uS", "S", "mS", "nS", "pS"] },
  G_after: { words: "a conductance", units: ["uS", "S", "mS", "nS", "pS"] },
  R_before: { words: "a resistance", units: ["ohm", "kohm", "Mohm", "Gohm"] },
  R_after: { words: "a resistance", units: ["ohm", "kohm", "Mohm", "Gohm"] },
} as const;

export type Quantity = keyof typeof quantities;
export type Role = (typeof plainColumns)[number] | Quantity | "argument";

/** Names people write for a quantity we call otherwise. */
const otherNames: Readonly<Record<string, Quantity>> = {
  time: "t",
  conductance: "G",
  resistance: "R",
  current: "I",
  delta_t: "dt",
};

export interface Column {
  readonly name: string; // "G_uS"
  readonly index: number;
  readonly role: Role;
  readonly stem: string; // "G"
  readonly relative: boolean; // in units of what the metadata G_rel says
  readonly factor: number; // SI = cell * factor / divisor; one of them is 1, so there is one rounding
  readonly divisor: number;
}

function isQuantity(stem: string): stem is Quantity {
  return Object.hasOwn(quantities, stem);
}

/** What a column is, by its name; text tells why it is none. */
export function columnOf(name: string, index: number): Column | string {
  const plain = plainColumns.find((each) => each === name);
  if (plain) return { name, index, role: plain, stem: name, relative: false, factor: 1, divisor: 1 };
  if (name === "") return "the column has no name";
  const bracketed = /^(.*?)\s*[([](.*)[)\]]$/.exec(name);
  if (bracketed) return `"${name}" is no column${offer(bracketed[1], bracketed[2])}`;
  const cut = name.lastIndexOf("_");
  const [stem, unit] = cut < 0 ? [name, ""] : [name.slice(0, cut), name.slice(cut + 1)];
  if (isQuantity(name)) return `${name} has no unit; write ${exampleOf(name)}`;
  if (unit === "") {
    const known = [...plainColumns, ...Object.keys(quantities), ...Object.keys(otherNames)];
    const found = nearest(name, known);
    const hint = found === undefined ? "" : `; did you mean ${exampleOf(otherNames[found] ?? found)}?`;
    return `"${name}" has no unit, which is the part after the last underscore, as in width_ns${hint}`;
  }
  const renamed = otherQuantity(stem, unit);
  if (renamed) return `"${name}" is no column; did you mean ${renamed}_${unit}?`;
  if (isQuantity(stem)) return quantityColumn(name, index, stem, unit);
  if (!/^[A-Za-z]\w*$/.test(stem))
    return `"${stem}" cannot name an argument of a pulse: a letter, then letters, digits, _`;
  const size = sizeOf(unit);
  if (typeof size === "string") {
    const near = plainColumns.find((each) => name.toLowerCase().startsWith(each));
    return `"${name}" is no column${near ? `; did you mean ${near}?` : `: ${size}`}`;
  }
  return { name, index, role: "argument", stem, relative: false, ...scaleOf(size.factor) };
}

function quantityColumn(name: string, index: number, stem: Quantity, unit: string): Column | string {
  const { words, units } = quantities[stem];
  const column = { name, index, role: stem, stem };
  if (unit === "rel" && stem.startsWith("G")) return { ...column, relative: true, factor: 1, divisor: 1 };
  if (stem === "change" && unit === "percent") return { ...column, relative: false, factor: 1, divisor: 100 };
  const size = sizeOf(unit);
  if (typeof size === "string") return `"${name}" is no column: ${size}`;
  const { dimension } = unitDimension(units.at(-1) as string);
  if (!sameDimension(size.dimension, dimension)) {
    const found = nearest(unit, units) ?? units[0];
    return `"${name}" is no column: ${stem} is ${words}, ${unit} has the dimension of ${formatDimension(size.dimension)}; did you mean ${stem}_${found}?`;
  }
  return { ...column, relative: false, ...scaleOf(size.factor) };
}

/** Dimension and size of a unit, or why there is no such unit. */
function sizeOf(unit: string): ReturnType<typeof unitDimension> | string {
  try {
    return unitDimension(unit);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.replace(/^".*?" is not a unit: /su, "");
  }
}

function scaleOf(factor: number): { factor: number; divisor: number } {
  const divisor = Math.round(1 / factor);
  return factor < 1 && Math.abs(divisor * factor - 1) < 1e-12
    ? { factor: 1, divisor }
    : { factor, divisor: 1 };
}

/** The quantity meant by a stem in other letters or words, when the unit fits it. */
function otherQuantity(stem: string, unit: string): Quantity | undefined {
  if (isQuantity(stem)) return undefined;
  const words = otherNames[stem.toLowerCase()];
  const letters = (Object.keys(quantities) as Quantity[]).find((q) => q.toLowerCase() === stem.toLowerCase());
  const found = words ?? letters;
  if (found === undefined) return undefined;
  return typeof quantityColumn(`${found}_${unit}`, 0, found, unit) === "string" ? undefined : found;
}

/** `; did you mean G_uS?` for a name and a unit written otherwise, such as "G (uS)". */
function offer(stem: string, unit: string): string {
  const found = otherNames[stem.toLowerCase()] ?? stem.trim().replaceAll(/\W+/g, "_");
  return `; did you mean ${found}_${unit.trim() || "unit"}?`;
}

function exampleOf(stem: string): string {
  return isQuantity(stem) ? `${stem}_${quantities[stem].units[0]}` : stem;
}

/** SI value of a cell. */
export function toSI({ factor, divisor }: Column, cell: number): number {
  return (cell * factor) / divisor;
}

/** What the columns of a table are together. */
export interface Layout {
  readonly columns: readonly Column[];
  readonly form: "values" | "transitions" | "STDP points";
  readonly device: Column | undefined;
  readonly cycle: Column | undefined;
  readonly pulse: Column | undefined;
  readonly time: Column | undefined;
  /** G, R or I; in transitions G_before or R_before; of STDP points change, unless G_before or R_before. */
  readonly value: Column;
  readonly after: Column | undefined;
  readonly voltage: Column | undefined;
  readonly delay: Column | undefined;
  readonly arguments: readonly Column[];
}

/** The layout of a table with these columns; faults are told with the index of the column they concern. */
export function layoutOf(
  columns: readonly Column[],
  metadata: Metadata,
  fault: (index: number, reason: string) => void,
): Layout | undefined {
  let sound = true;
  const wrong = (index: number, reason: string): void => {
    sound = false;
    fault(index, reason);
  };
  const of = (role: Role): Column | undefined => columns.find((column) => column.role === role);
  const first = (...roles: Role[]): Column | undefined =>
    roles.map(of).find((column) => column !== undefined);
  const seen = new Map<string, Column>();
  for (const column of columns) {
    const earlier = seen.get(column.stem);
    if (earlier?.name === column.name) wrong(column.index, `column ${column.name} is there twice`);
    else if (earlier)
      wrong(
        column.index,
        `${column.name} and ${earlier.name} are one quantity in two units; keep one of them`,
      );
    seen.set(column.stem, column);
  }
  const both = (one: Column | undefined, other: Column | undefined, reason: string): void => {
    if (one && other) wrong(Math.max(one.index, other.index), `${one.name} and ${other.name} ${reason}`);
  };
  const measured = columns.filter(({ role }) => role === "G" || role === "R" || role === "I");
  if (measured.length > 1 && new Set(measured.map(({ stem }) => stem)).size > 1)
    wrong(
      measured[1].index,
      `${measured.map(({ name }) => name).join(" and ")} tell the conductance more than once; keep one of them`,
    );
  const before = first("G_before", "R_before");
  const after = before && of(before.role === "G_before" ? "G_after" : "R_after");
  const alone = [of("G_before") ?? of("G_after"), of("R_before") ?? of("R_after")].filter(
    (column) => column !== undefined,
  );
  for (const column of alone) {
    const partner = column.role.endsWith("_before")
      ? column.role.replace("_before", "_after")
      : column.role.replace("_after", "_before");
    if (!of(partner as Role)) wrong(column.index, `${column.name} needs ${partner} beside it`);
  }
  both(alone[0], alone[1], "tell the conductance more than once; keep one of them");
  both(
    alone[0],
    measured[0],
    "cannot stand in one table: a row is either one read, or one before and one after",
  );
  const [delay, change, time, voltage, pulse] = [of("dt"), of("change"), of("t"), of("V"), of("pulse")];
  if (change && !delay) wrong(change.index, `${change.name} needs dt_ms beside it: STDP points`);
  if (delay && !change && !before)
    wrong(delay.index, `${delay.name} needs change_percent, or G_before_uS and G_after_uS, beside it`);
  both(
    delay,
    columns.find(({ stem }) => stem === "delay"),
    "are one quantity, the delay of a pair; keep one of them",
  );
  both(change, before, "tell the change more than once; keep one of them");
  both(change, measured[0], "cannot stand in one table: points have no reads of their own");
  both(delay, pulse, "cannot stand in one table: the pulse of each point is a pair");
  both(delay, time, "cannot stand in one table: each point stands alone");
  both(before, time, "cannot stand in one table: each row stands alone");
  if (voltage && of("I") === undefined)
    wrong(
      voltage.index,
      `${voltage.name} belongs beside a current such as I_uA; as an argument of a pulse it needs a longer name, such as amplitude_V`,
    );
  const value = before ?? change ?? measured[0];
  if (value === undefined && alone.length === 0)
    wrong(
      0,
      `there is no column of values: ${exampleOf("G")}, ${exampleOf("R")}, ${exampleOf("I")} with read_voltage, or dt_ms and change_percent`,
    );
  for (const column of columns)
    if (column.relative && metadata.one === undefined)
      wrong(
        column.index,
        `${column.name} needs to know what 1 stands for, as "# G_rel: 10 uS" above the header`,
      );
  if (value?.role === "I" && !voltage && metadata.readVoltage === undefined)
    wrong(
      value.index,
      `${value.name} needs the voltage it was read at: a column V_V, or "# read_voltage: 0.1 V" above the header`,
    );
  const given = columns.filter(({ role }) => role === "argument");
  const pulsed = pulse !== undefined || metadata.pulse !== undefined || delay !== undefined;
  if (before && !pulsed)
    wrong(before.index, `${before.name} needs a column pulse, or "# pulse: set" above the header`);
  else if (!pulsed)
    for (const { index, name } of given)
      wrong(index, `${name} is an argument of a pulse, but there is no column pulse`);
  if (!sound || value === undefined) return undefined;
  const form = delay ? "STDP points" : before ? "transitions" : "values";
  return {
    ...{ columns, form, device: of("device"), cycle: of("cycle"), pulse, time, value, after, voltage, delay },
    arguments: given,
  };
}
