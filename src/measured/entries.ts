/**
 * What the rows of a table of measurements say: cells to pulses, times and conductances, every fault with its place.
 *
 * A row is either one pulse or none and one read or none, or (transitions, STDP points) a read, a pulse and a read.
 */

import { ConfigError, type Place } from "../math/errors.ts";
import { Faults, type RowSink } from "./cells.ts";
import { type Column, columnOf, type Layout, layoutOf, toSI } from "./columns.ts";
import { isMetadata, isText, type Metadata, pulseFault, withKey } from "./metadata.ts";
import { type OpenSequence, Rows } from "./rows.ts";

/** Unread pulses between two running numbers, at most: a slip of a finger must not fill the memory. */
const mostUnread = 10_000;

export class Entries implements RowSink {
  /** Names of pulses, in order of appearance. */
  readonly pulses: string[] = [];
  /** What the table says of itself; lines of one key joined. */
  readonly told: Record<string, string> = {};
  /** Rows below the header. */
  count = 0;
  /** Faults that count only if currents turn out to be reads, not a sweep. */
  readonly signFaults = new Faults();
  readonly #faults: Faults;
  readonly #preset: ReadonlySet<string>; // keys that the table cannot change
  #metadata: Metadata = {};
  #layout: Layout | undefined;
  #rows: Rows | undefined;

  #cells: readonly string[] = []; // of the row being read
  #place: (index: number) => Place = () => ({ file: "" });
  #given = new Float64Array(0); // its arguments

  readonly #pulseIndex = new Map<string, number>();
  #counted: boolean | undefined; // whether the column pulse holds running numbers; unknown until it holds something
  readonly #byName = new Map<string, number>(); // sequences
  #last = { device: "", cycle: "", sequence: -1 };
  readonly #cycles = new Map<string, number>(); // the current one of each device, where the table does not tell it

  constructor(faults: Faults, metadata: Readonly<Record<string, string>>) {
    this.#faults = faults;
    this.#preset = new Set(Object.keys(metadata));
    for (const [key, value] of Object.entries(metadata)) {
      const known = isMetadata(key);
      if (known !== true)
        throw new ConfigError(typeof known === "string" ? known : `there is no key "${key}"`);
      this.#metadata = withKey(this.#metadata, key, value);
      this.told[key] = value;
    }
  }

  get knowledge(): Metadata {
    return this.#metadata;
  }

  /** Known once the header is read. */
  get layout(): Layout | undefined {
    return this.#layout;
  }

  /** Known once the header is read. */
  get rows(): Rows | undefined {
    return this.#rows;
  }

  metadata(key: string, value: string, place: Place): void {
    const known = isMetadata(key);
    if (typeof known === "string") this.#faults.add(place, known);
    if (known !== true || this.#preset.has(key)) return;
    const again = key in this.told;
    if (!isText(key) && (again || this.#layout)) {
      this.#faults.add(place, again ? `"${key}" is there twice` : `"${key}" must stand above the header`);
      return;
    }
    this.told[key] = again ? `${this.told[key]}\n${value}` : value;
    try {
      this.#metadata = withKey(this.#metadata, key, value);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      this.#faults.add(place, error.message);
    }
  }

  header(names: readonly string[], place: (index: number) => Place): void {
    if (names.some((name) => name !== "" && Number.isFinite(Number(name)))) {
      const expected = "numbers stand where names of columns are expected, such as t_s and G_uS";
      this.#faults.add(place(0), `${expected}; \`memspike device import\` reads raw files`);
      this.#faults.throwAny();
    }
    const fault = (index: number, reason: string): void =>
      this.#faults.add(place(index), `column ${index + 1}: ${reason}`);
    const found = names.map((name, index) => columnOf(name, index));
    const columns = found.filter((column) => typeof column !== "string");
    for (const [index, column] of found.entries()) if (typeof column === "string") fault(index, column);
    const layout = columns.length < names.length ? undefined : layoutOf(columns, this.#metadata, fault);
    this.#faults.throwAny(); // rows cannot be understood without the header
    if (layout === undefined) return;
    this.#layout = layout;
    this.#given = new Float64Array((layout.delay ? 1 : 0) + layout.arguments.length).fill(Number.NaN);
    const pulsed = layout.pulse !== undefined || this.#metadata.pulse !== undefined;
    this.#rows = new Rows({
      time: layout.time !== undefined,
      voltage: layout.voltage !== undefined && !pulsed,
      arguments: this.#given.length,
    });
  }

  row(cells: readonly string[], place: (index: number) => Place): void {
    const { columns, delay, arguments: columnsGiven, form } = this.#layout as Layout;
    this.#cells = cells;
    this.#place = place;
    this.count++;
    if (cells.length !== columns.length) {
      const hint =
        cells.length > columns.length ? "; is a comma a decimal point, or part of a name to be quoted?" : "";
      const found = `the row has ${cells.length} cell${cells.length === 1 ? "" : "s"}, the header ${columns.length}`;
      this.#faults.add(place(Math.min(columns.length, cells.length)), found + hint);
      return;
    }
    for (let k = 0; k < columnsGiven.length; k++)
      this.#given[k + (delay ? 1 : 0)] = this.#number(columnsGiven[k]) ?? Number.NaN;
    if (form === "values") this.#single();
    else this.#pair();
  }

  #fault(column: Column, reason: string): void {
    this.#faults.add(this.#place(column.index), `column ${column.index + 1}, ${column.name}: ${reason}`);
  }

  #text(column: Column): string {
    return this.#cells[column.index].trim();
  }

  /** SI value of a cell; undefined when it is empty, NaN when it is faulty. */
  #number(column: Column): number | undefined {
    const cell = this.#cells[column.index];
    const value = Number(cell);
    if (
      Number.isFinite(value) &&
      (value !== 0 || cell.trim() !== "") &&
      !(Number.isInteger(value) && /[xob]/i.test(cell))
    )
      return toSI(column, value);
    if (cell.trim() === "") return undefined;
    this.#fault(column, numberFault(cell.trim()));
    return Number.NaN;
  }

  #needed(column: Column): number {
    const value = this.#number(column);
    if (value === undefined) this.#fault(column, "the cell is empty");
    return value ?? Number.NaN;
  }

  /** A row that is one pulse, or none, and one read, or none. */
  #single(): void {
    const before = this.#faults.count;
    const { time: timeColumn, pulse: pulseColumn } = this.#layout as Layout;
    const rows = this.#rows as Rows;
    const time = timeColumn ? this.#needed(timeColumn) : 0;
    const { index, number } = this.#pulse();
    if (this.#faults.count > before) return;
    const id = this.#sequence(number);
    if (id === undefined) return;
    const open = rows.sequences[id];
    const since = number === undefined || open.rows === 0 ? 1 : number - open.number; // pulses since the row before
    const pulse = since === 0 ? -1 : index;
    const { value, voltage } = this.#read(pulse >= 0 || number !== undefined);
    if (pulseColumn && since < 0)
      this.#fault(pulseColumn, `pulse ${number} comes after pulse ${open.number} of ${nameOf(open)}`);
    if (pulseColumn && since > mostUnread)
      this.#fault(
        pulseColumn,
        `${since - 1} pulses without a read come before; at most ${mostUnread} are kept`,
      );
    if (timeColumn && open.rows > 0 && time < open.time) {
      const earlier = plainNumber(open.time / toSI(timeColumn, 1));
      this.#fault(
        timeColumn,
        `time goes back within ${nameOf(open)}: ${this.#text(timeColumn)} after ${earlier}`,
      );
    } else if (timeColumn && time < 0 && this.#metadata.time !== "clock")
      this.#fault(
        timeColumn,
        `time ${this.#text(timeColumn)} is before the last write, from which it counts; for times of a clock say "# time: clock" above the header`,
      );
    if (this.#faults.count > before) return;
    for (let k = 1; k < since; k++) {
      const between = open.time + ((time - open.time) * k) / since;
      rows.add(id, { pulse, time: between, voltage: Number.NaN, value: Number.NaN }, this.#given);
    }
    rows.add(id, { pulse, time, voltage, value }, this.#given);
    open.time = time;
    open.number = number ?? 0;
  }

  /** A row that is a read, a pulse and another read: a sequence of its own. */
  #pair(): void {
    const faults = this.#faults.count;
    const { delay, value, after, pulse: pulseColumn, cycle: cycleColumn } = this.#layout as Layout;
    const rows = this.#rows as Rows;
    if (delay) this.#given[0] = this.#needed(delay);
    const { index } = delay ? { index: this.#named(this.#metadata.pulse ?? "pair") } : this.#pulse();
    const pair = after ? [this.#conductance(value), this.#conductance(after)] : this.#changed(value);
    const device = this.#device();
    const running = (this.#cycles.get(device) ?? 0) + 1;
    const cycle = cycleColumn ? this.#cycle(cycleColumn) : running;
    if (pulseColumn && index < 0 && this.#faults.count === faults)
      this.#fault(pulseColumn, "the pulse between the two reads is not named");
    if (this.#faults.count > faults) return;
    const id = rows.open(device, cycle);
    this.#cycles.set(rows.sequences[id].device, running); // not `device`, which keeps a piece of text in memory
    const row = { time: 0, voltage: Number.NaN };
    rows.add(id, { ...row, pulse: -1, value: pair[0] }, this.#given);
    rows.add(id, { ...row, pulse: index, value: pair[1] }, this.#given);
  }

  /** Conductances before and after a relative change: what 1 stands for, and that changed. */
  #changed(column: Column): [before: number, after: number] {
    const change = this.#needed(column);
    const one = this.#metadata.one ?? 1;
    if (change < -1) this.#fault(column, `a change of ${this.#text(column)} leaves a negative conductance`);
    return [one, one * (1 + change)];
  }

  /** Which pulse a row gives, -1 for none, and its running number where the table counts them. */
  #pulse(): { index: number; number?: number } {
    const { pulse: column, form } = this.#layout as Layout;
    const { pulse: kind } = this.#metadata;
    if (!column) return { index: kind === undefined ? -1 : this.#named(kind) };
    const cell = this.#text(column);
    const isNone = cell === "" || cell === "-" || cell === "read";
    if (this.#counted === undefined && !isNone) {
      this.#counted = form === "values" && Number.isFinite(Number(cell));
      if (this.#counted && kind === undefined)
        this.#fault(column, 'numbers count pulses, but of which kind? Say "# pulse: set" above the header');
      else if (this.#counted && this.count > 1)
        this.#fault(
          column,
          "a running number follows rows without one; where no pulse was given yet it is 0",
        );
      else if (!this.#counted && kind !== undefined)
        this.#fault(
          column,
          `this column names the pulses, so "pulse: ${kind}" cannot stand above the header`,
        );
    }
    if (this.#counted) {
      const number = Number(cell);
      if (cell === "" || !Number.isInteger(number) || number < 0)
        this.#fault(
          column,
          cell === "" ? "the cell is empty" : `"${cell}" is not a running number, as those above are`,
        );
      return { index: number === 0 ? -1 : this.#named(kind ?? ""), number };
    }
    if (isNone) return { index: -1 };
    const known = this.#pulseIndex.get(cell);
    if (known !== undefined) return { index: known };
    const reason = pulseFault(cell);
    if (reason === undefined) return { index: this.#named(cell) };
    this.#fault(column, reason);
    return { index: -1 };
  }

  #named(pulse: string): number {
    const known = this.#pulseIndex.get(pulse);
    if (known !== undefined) return known;
    this.pulses.push(pulse);
    this.#pulseIndex.set(pulse, this.pulses.length - 1);
    return this.pulses.length - 1;
  }

  /** Conductance or, while it may be a sweep, current of a row; NaN where nothing was read. */
  #read(mayBeEmpty: boolean): { value: number; voltage: number } {
    const { value: column, voltage: voltageColumn } = this.#layout as Layout;
    const nothing = { value: Number.NaN, voltage: Number.NaN };
    if (mayBeEmpty && this.#text(column) === "") return nothing;
    if (column.role !== "I") return { ...nothing, value: this.#conductance(column) };
    const current = this.#needed(column);
    const voltage = voltageColumn ? this.#needed(voltageColumn) : (this.#metadata.readVoltage as number);
    const value = current / voltage;
    let reason: string | undefined;
    if (voltage === 0) reason = "at 0 V a current tells no conductance";
    else if (value < 0)
      reason = `a current of ${this.#text(column)} against the voltage is a negative conductance`;
    if ((this.#rows as Rows).isSweepable) {
      if (reason !== undefined)
        this.signFaults.add(
          this.#place(column.index),
          `column ${column.index + 1}, ${column.name}: ${reason}`,
        );
      return { value: current, voltage };
    }
    if (reason !== undefined) this.#fault(column, reason);
    return { ...nothing, value };
  }

  /** A cell of G or R as conductance, S. */
  #conductance(column: Column): number {
    const value = this.#needed(column);
    if (column.role.startsWith("R")) {
      if (value <= 0) this.#fault(column, `a resistance of ${this.#text(column)} is no conductance`);
      return 1 / value;
    }
    if (value < 0) this.#fault(column, `${this.#text(column)} is a negative conductance`);
    return column.relative ? value * (this.#metadata.one as number) : value;
  }

  #device(): string {
    const { device: column } = this.#layout as Layout;
    if (!column) return this.#metadata.device ?? "1";
    const name = this.#text(column);
    if (name === "") this.#fault(column, "the cell is empty");
    return name;
  }

  #cycle(column: Column): number {
    const cell = this.#text(column);
    const cycle = Number(cell);
    if (cell === "") this.#fault(column, "the cell is empty");
    else if (!Number.isInteger(cycle) || cycle < 0)
      this.#fault(column, `"${cell}" is not the number of a cycle`);
    return cycle;
  }

  /** The sequence a row belongs to: of its device and cycle, or a new one when its running number starts anew. */
  #sequence(number: number | undefined): number | undefined {
    const { device: deviceColumn, cycle: cycleColumn } = this.#layout as Layout;
    const rows = this.#rows as Rows;
    const cells = {
      device: deviceColumn ? this.#cells[deviceColumn.index] : "",
      cycle: cycleColumn ? this.#cells[cycleColumn.index] : "",
    };
    const restarts = (id: number): boolean =>
      cycleColumn === undefined && number !== undefined && number < rows.sequences[id].number;
    const { device, cycle, sequence } = this.#last;
    if (sequence >= 0 && cells.device === device && cells.cycle === cycle && !restarts(sequence))
      return sequence;
    const before = this.#faults.count;
    const name = this.#device();
    let told = cycleColumn ? this.#cycle(cycleColumn) : (this.#cycles.get(name) ?? 1);
    if (this.#faults.count > before) return undefined;
    const known = this.#byName.get(`${told} ${name}`);
    const isNew = known === undefined || restarts(known);
    const id = isNew ? rows.open(name, known === undefined ? told : ++told) : known;
    if (isNew) {
      const { device: kept } = rows.sequences[id]; // not `name`, which keeps a piece of text in memory
      this.#byName.set(`${told} ${kept}`, id);
      if (known !== undefined) this.#cycles.set(kept, told);
    }
    this.#last = { ...cells, sequence: id };
    return id;
  }
}

/** Why a cell that should hold a number does not. */
function numberFault(cell: string): string {
  const empty = "leave the cell empty where nothing was read";
  if (/^[+-]?\d*,\d+(?:[eE][+-]?\d+)?$/.test(cell))
    return `"${cell}" has a decimal comma; write ${cell.replace(",", ".")}`;
  if (/^[+-]?(?:nan|na|n\/a|null|none|-+)$/i.test(cell)) return `"${cell}" is not a number; ${empty}`;
  if (/^[+-]?(?:inf|infinity|ol|ovf|overflow|\d[\d.]*e\+?\d+)$/i.test(cell))
    return `"${cell}" is not finite; ${empty}`;
  if (/^[+-]?[\d.]+(?:[eE][+-]?\d+)?\s*[A-Za-zµμΩ%]+$/.test(cell))
    return `"${cell}" has a unit; units belong in the names of columns`;
  return `"${cell}" is not a number`;
}

function nameOf({ device, cycle }: OpenSequence): string {
  return `device ${device}, cycle ${cycle}`;
}

function plainNumber(value: number): string {
  return String(Number(value.toPrecision(12)));
}
