/**
 * Names of a model: what each means and to whom it belongs.
 *
 * A statement or equation runs once per owner of what it defines, so it may use only names that have one value
 * for such an owner. Knows nothing of text.
 */
import { nearest } from "../math/nearest.ts";
import { type Dimension, unitDimension } from "../math/units.ts";
import type { CheckedModel, Derived, ModelKind, Scope } from "./checked.ts";
import type { Meaning } from "./dimension.ts";
import { reservedWords } from "./parse.ts";

/** Who has a value of a name: as Scope, or a cell of the connected population. */
export type Owner = Scope | "precell" | "postcell";

export interface Entry {
  readonly meaning: Meaning;
  /** "anywhere": one value that everybody sees. */
  readonly owner: Owner | "anywhere";
  readonly role: "variable" | "derived" | "parameter" | "given" | "cell";
}

/** Where an expression stands, as far as it decides which given names exist. */
export type Place =
  | "equation"
  | "differential"
  | "handler"
  | "initial"
  | "drift"
  | "read"
  | "current"
  | "threshold";

const time: Dimension = unitDimension("s").dimension;
const conductance: Dimension = unitDimension("S").dimension;
const volt: Dimension = unitDimension("V").dimension;
const noise: Dimension = unitDimension("s^(-1/2)").dimension;
const dimensionless: Dimension = unitDimension("1").dimension;

/** `xi` or `xi_name`: white noise. */
export const isNoise = (name: string): boolean => /^xi(?:_\w+)?$/u.test(name) && cellOf(name) === undefined;

/** "ge_post" -> ge of the postsynaptic cell; undefined for other names. */
export function cellOf(
  name: string,
): { readonly variable: string; readonly side: "pre" | "post" } | undefined {
  const match = /^(?<variable>.+)_(?<side>pre|post)$/u.exec(name);
  return match ? { variable: match.groups!.variable, side: match.groups!.side as "pre" | "post" } : undefined;
}

/** Why a variable or parameter cannot be called `name`; undefined when it can. */
export function reservedReason(name: string, kind: ModelKind): string | undefined {
  const given: Readonly<Record<string, string>> = {
    t: "t is the time",
    dt: "dt is the tick",
    i: kind === "synapse" ? "i is the index of the presynaptic cell" : "i is the index of the cell",
    j: "j is the index of the postsynaptic cell",
    e: "e is Euler's number in mathematics; write exp(1) for it",
    not_refractory: "not_refractory says whether a cell may fire",
    ...(kind === "device"
      ? { age: "age is the time since the last write", Gd: "Gd is the drifted conductance" }
      : {}),
  };
  if (Object.hasOwn(given, name)) return given[name];
  if (name === "boolean" || reservedWords.has(name)) return `${name} is a word of the language`;
  if (isNoise(name)) return `${name} is white noise`;
  const cell = cellOf(name);
  if (cell) return `${name} means ${cell.variable} of a connected cell`;
  return undefined;
}

/** What a model declares, before or after its expressions have been checked. */
export type Declared = Pick<CheckedModel, "kind" | "variables" | "parameters"> & {
  readonly derived: readonly Omit<Derived, "value">[];
  readonly hasRefractory: boolean;
  readonly hasDrift: boolean;
  /** device: derived names that depend on the voltage V; absent where nothing does. */
  readonly voltage?: ReadonlySet<string>;
};

const underVoltage: ReadonlySet<Place> = new Set(["equation", "differential", "current"]);
const whereDrifted: ReadonlySet<Place> = new Set(["read", "current", "handler"]);
const ageless: ReadonlySet<Place> = new Set(["initial", "equation", "differential"]);

export class Names {
  readonly kind: ModelKind;
  readonly #entries = new Map<string, Entry>();
  readonly #declared: Declared;

  /** `cells` gives the meaning of variables of connected cells once they are known. */
  constructor(declared: Declared, cells: ReadonlyMap<string, Meaning> = new Map()) {
    this.kind = declared.kind;
    this.#declared = declared;
    for (const { name, boolean, dimension, scope } of declared.variables)
      this.#entries.set(name, { meaning: boolean ? "truth" : dimension, owner: scope, role: "variable" });
    for (const { name, boolean, dimension, scope } of declared.derived)
      this.#entries.set(name, { meaning: boolean ? "truth" : dimension, owner: scope, role: "derived" });
    for (const { name, dimension } of declared.parameters)
      this.#entries.set(name, { meaning: dimension, owner: "anywhere", role: "parameter" });
    for (const [name, meaning] of cells)
      this.#entries.set(name, {
        meaning,
        owner: cellOf(name)?.side === "pre" ? "precell" : "postcell",
        role: "cell",
      });
  }

  lookup(name: string, place: Place): Entry | undefined {
    if (this.needsVoltage(name) && !underVoltage.has(place)) return undefined;
    const own = this.#entries.get(name);
    if (own) return own;
    const side = this.kind === "synapse" ? cellOf(name)?.side : undefined;
    if (side) return { meaning: "open", owner: side === "pre" ? "precell" : "postcell", role: "cell" };
    return this.#given(name, place);
  }

  #given(name: string, place: Place): Entry | undefined {
    const given = (meaning: Meaning, owner: Entry["owner"]): Entry => ({ meaning, owner, role: "given" });
    if (name === "i") return given(dimensionless, this.kind === "synapse" ? "precell" : "cell");
    if (this.kind === "device") {
      if (name === "age" && !ageless.has(place)) return given(time, "cell");
      if (name === "Gd" && this.#declared.hasDrift && whereDrifted.has(place))
        return given(conductance, "cell");
      if (name === "V" && this.#declared.voltage) return given(volt, "cell");
      return undefined;
    }
    if (name === "j" && this.kind === "synapse") return given(dimensionless, "postcell");
    if (place === "initial") return undefined;
    if (name === "t" || name === "dt") return given(time, "anywhere");
    if (name === "not_refractory" && this.#declared.hasRefractory) return given("truth", "cell");
    if (place === "differential" && isNoise(name)) return given(noise, "anywhere");
    return undefined;
  }

  /** Whether `name` is the voltage at the terminals of a device or depends on it. */
  needsVoltage(name: string): boolean {
    const { voltage } = this.#declared;
    return voltage !== undefined && (voltage.has(name) || (name === "V" && !this.#entries.has(name)));
  }

  /** Names somebody may have meant at `place`. */
  candidates(place: Place): string[] {
    const given = ["t", "dt", "i", "j", "xi", "age", "Gd", "V", "not_refractory"];
    return [...this.#entries.keys(), ...given.filter((name) => this.lookup(name, place))];
  }

  /** The nearest stored variable. */
  nearestVariable(name: string): string | undefined {
    return nearest(
      name,
      this.#declared.variables.map((variable) => variable.name),
    );
  }
}

/** May a value owned by `owner` be computed from one owned by `used`? */
export function sees(owner: Owner, used: Owner | "anywhere"): boolean {
  if (used === "anywhere" || used === "shared" || used === owner) return true;
  if (owner === "synapse" || owner === "precell" || owner === "postcell") return true;
  if (owner === "pre") return used === "precell";
  if (owner === "post") return used === "postcell";
  return false;
}

const perOwner: Readonly<Record<Owner, string>> = {
  cell: "one per cell",
  synapse: "one per synapse",
  pre: "one per presynaptic cell",
  post: "one per postsynaptic cell",
  precell: "one per presynaptic cell",
  postcell: "one per postsynaptic cell",
  shared: "one for all",
};

/** "one per synapse". */
export const describeOwner = (owner: Owner): string => perOwner[owner];
