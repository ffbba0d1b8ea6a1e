/**
 * The text of a device as a fit reads it: fixed parameters and derived names put in, draws as names, the constants of
 * a device as functions of their draws.
 *
 * Knows nothing of probabilities.
 */
import { hasDraw, inline } from "../language/algebra.ts";
import type { CheckedModel, Statement, Variable } from "../language/checked.ts";
import { type Expression, name, namesIn, number, type Operator, substitute } from "../language/expression.ts";
import { print } from "../language/print.ts";
import { odeStep, outcome } from "../language/pulse.ts";
import { ConfigError } from "../math/errors.ts";
import { drawName, drawsIn, isDraw, simplify, withoutDraws } from "./moments.ts";

/** Names of a row's inputs in expressions; pulse arguments keep their own names. */
export const rowInputs = {
  value: "#value",
  agePulse: "#age at pulse",
  ageRead: "#age at read",
  /** In a sweep: the voltage at the terminals since the row before, V, and for how long, s. */
  voltage: "#voltage",
  duration: "#duration",
} as const;

export interface TextOptions {
  /** Parameters that stay names; others are put in as numbers. */
  readonly free: ReadonlySet<string>;
  /** Arguments given by rows. */
  readonly arguments: ReadonlySet<string>;
  /** Pulses that occur. */
  readonly pulses: readonly string[];
  /** "read": the first read of a sequence says where its state begins; "fabricated": the text's `initial` does. */
  readonly start: "read" | "fabricated";
  /** Devices differ from each other; false where only one was measured. */
  readonly spread: boolean;
  /** A voltage is swept and the current read; there are no pulses. */
  readonly sweep: boolean;
  /** Times were measured; without them every read comes right after its pulse. */
  readonly timed: boolean;
}

/**
 * The variable that a sequence which begins with a read begins with: the first that a read depends on and that is not
 * constant. Throws `ConfigError` where there is none.
 */
export function observedVariable(model: CheckedModel): Variable {
  const inlined = inline(model);
  const seen = new Set(
    [inlined(model.read as Expression), inlined(model.drift ?? number(0))].flatMap((each) => [
      ...namesIn(each),
    ]),
  );
  const found = model.variables.find((each) => !each.constant && seen.has(each.name));
  if (found) return found;
  throw new ConfigError(`a read of ${model.name} depends on no stored variable: there is nothing to fit`);
}

/** What a statement computes with: its value, and the voltage and step of an application. */
const textsOf = ({ value, application }: Statement): Expression[] =>
  application ? [value, application.voltage, application.dt] : [value];

/** Operators whose value jumps. */
const jumps: ReadonlySet<Operator> = new Set<Operator>([
  "<",
  "<=",
  ">",
  ">=",
  "==",
  "!=",
  "floor",
  "ceil",
  "round",
  "sign",
  "int",
  "mod",
]);

type Circumstances = Omit<TextOptions, "free">;

/** Parameters that something measured depends on. */
export function usedParameters(model: CheckedModel, circumstances: Circumstances): Set<string> {
  const free = new Set(model.parameters.map(({ name }) => name));
  const text = new DeviceText(model, { ...circumstances, free });
  return text.names;
}

/** Whether pulses or reads of the measurement hold a draw. */
export function hasNoise(model: CheckedModel, circumstances: Circumstances): boolean {
  return new DeviceText(model, { ...circumstances, free: new Set() }).isNoisy;
}

/**
 * Whether a parameter only scales draws: "devices" where it says how devices differ (it does nothing where every
 * constant has its mean), "cycles" where it says how pulses or reads of one device do.
 */
export function spreadOf(model: CheckedModel, parameter: string): "devices" | "cycles" | undefined {
  const inlined = inline({ parameters: [], derived: model.derived });
  const scalesDraws = (texts: readonly Expression[]): boolean | undefined => {
    const using = texts.map(inlined).filter((each) => namesIn(each).has(parameter));
    if (using.length === 0) return undefined;
    return using.every((each) => !namesIn(simplify(drawsAtMean(each))).has(parameter));
  };
  const initial = (constant: boolean) =>
    model.variables
      .filter((each) => (each.constant ?? false) === constant)
      .map(({ name }) => model.initial[name]);
  const constants = scalesDraws(initial(true));
  const others = scalesDraws([
    ...Object.values(model.handlers).flatMap((statements) => statements.flatMap(textsOf)),
    ...(model.current ? [model.current] : []),
    ...(model.drift ? [model.drift] : []),
    model.read as Expression,
    ...initial(false),
  ]);
  if (constants && others === undefined) return "devices";
  return others && constants !== false ? "cycles" : undefined;
}

function drawsAtMean(root: Expression): Expression {
  if (root.kind === "random") return number(root.distribution === "uniform" ? 0.5 : 0);
  return root.kind === "apply" ? { ...root, args: root.args.map(drawsAtMean) } : root;
}

export class DeviceText {
  readonly #model: CheckedModel;
  readonly #options: TextOptions;
  readonly #inlined: (root: Expression) => Expression;
  /** Stored variables that pulses may change. */
  readonly stored: readonly string[];
  /** Constants of a device in terms of its draws. */
  readonly constants: ReadonlyMap<string, Expression>;
  /** The draws behind the constants that the measurement depends on. */
  readonly draws: readonly string[];

  constructor(model: CheckedModel, options: TextOptions) {
    this.#model = model;
    this.#options = options;
    const fixed = model.parameters.filter(
      (each) => !options.free.has(each.name) && !options.arguments.has(each.name),
    );
    this.#inlined = inline({ parameters: fixed, derived: model.derived });
    this.stored = model.variables.filter(({ constant }) => !constant).map((variable) => variable.name);
    this.constants = this.#deviceConstants();
    const used = new Set(this.#used().flatMap((each) => [...namesIn(each)]));
    const behind = [...this.constants].filter(([each]) => used.has(each));
    this.draws = [...new Set(behind.flatMap(([, value]) => [...namesIn(value)].filter(isDraw)))];
  }

  /** Everything the measurement depends on but the constants themselves. */
  #used(): Expression[] {
    const { initial } = this.#model;
    return [...this.#happening(), ...this.stored.map((variable) => this.#inlined(initial[variable]))];
  }

  /** Pulses and reads of the measurement. */
  #happening(): Expression[] {
    const { drift, read, current } = this.#model;
    const { sweep } = this.#options;
    if (sweep && !current)
      throw new ConfigError(
        `${this.#model.name} does not say its current, which a sweep reads; write current: "V * G"`,
      );
    const pulses = this.#options.pulses.flatMap((pulse) => this.#handler(pulse).flatMap(textsOf));
    const driven = sweep ? [...odeStep(this.#model).values()] : [];
    const seen = (sweep ? current : read) as Expression;
    const all = [...pulses, ...driven, ...(drift ? [drift] : []), seen];
    return all.map((each) => this.#aged(this.#inlined(each), "age"));
  }

  #handler(pulse: string): readonly Statement[] {
    const { handlers, name } = this.#model;
    if (handlers[pulse]) return handlers[pulse];
    const known = Object.keys(handlers).join(", ");
    throw new ConfigError(`${name} has no pulse ${pulse}, which the data give; it has ${known}`);
  }

  /** Names that something measured depends on, constants looked through. */
  get names(): Set<string> {
    const names = new Set(this.#used().flatMap((each) => [...namesIn(each)]));
    for (const [constant, value] of this.constants)
      if (names.has(constant)) for (const each of namesIn(value)) names.add(each);
    return names;
  }

  /** Whether pulses or reads hold a draw. */
  get isNoisy(): boolean {
    return this.#happening().some(hasDraw);
  }

  /** With the age put in: 0 where no time was measured. */
  #aged(root: Expression, age: string): Expression {
    const known = this.#options.timed ? name(age) : number(0);
    return simplify(substitute(root, new Map([["age", known]])));
  }

  /** `root` without parameters and derived names, draws as names. */
  #read(root: Expression, part: string): Expression {
    const inlined = this.#inlined(root);
    const named = new Map<Expression, Expression>();
    const rename = (node: Expression): Expression => {
      const known = named.get(node);
      if (known) return known;
      let result = node;
      if (node.kind === "random") {
        if (node.distribution !== "normal")
          throw new ConfigError(
            `${this.#model.name} draws ${print(node)} in ${part}; a fit follows randn() only`,
          );
        result = name(drawName(node.stream));
      } else if (node.kind === "apply") {
        const args = node.args.map(rename);
        if (args.some((arg, k) => arg !== node.args[k])) result = { ...node, args };
        if (jumps.has(node.operator) && args.some((arg) => drawsIn(arg).length > 0))
          throw new ConfigError(
            `${this.#model.name} has a draw in ${print(node)}, in ${part}, which jumps; a fit follows draws that change a value smoothly`,
          );
      }
      named.set(node, result);
      return result;
    };
    return rename(inlined);
  }

  #deviceConstants(): Map<string, Expression> {
    const { model, spread } = { model: this.#model, spread: this.#options.spread };
    const constants = new Map<string, Expression>();
    const names = new Set(model.variables.filter((each) => each.constant).map((each) => each.name));
    for (const [constant, initial] of Object.entries(model.initial)) {
      if (!names.has(constant)) continue;
      const seen = substitute(this.#read(initial, `initial ${constant}`), constants); // of those written before
      constants.set(constant, simplify(spread ? seen : withoutDraws(seen)));
    }
    return constants;
  }

  /** Variables that a draw reaches, by a pulse of the data or from the beginning. */
  uncertain(observed: string | undefined): Set<string> {
    const { variables, initial, drift } = this.#model;
    const { pulses } = this.#options;
    const drifted = new Map(drift ? [["Gd", this.#inlined(drift)] as const] : []);
    const read = (root: Expression) => simplify(substitute(this.#inlined(root), drifted));
    const uncertain = new Set<string>(observed === undefined ? [] : [observed]);
    const moved = (value: Expression): boolean =>
      hasDraw(value) ||
      [...namesIn(value)].some(
        (each) =>
          uncertain.has(each) ||
          [...namesIn(this.constants.get(each) ?? number(0))].some((inner) => isDraw(inner)),
      );
    for (let count = -1; count < uncertain.size; ) {
      count = uncertain.size;
      for (const { name: variable, constant } of variables)
        if (!constant && moved(read(initial[variable]))) uncertain.add(variable);
      for (const pulse of pulses)
        for (const statement of this.#handler(pulse))
          if (textsOf(statement).some((each) => moved(read(each)))) uncertain.add(statement.target);
      if (this.#options.sweep)
        for (const [variable, value] of odeStep(this.#model)) if (moved(read(value))) uncertain.add(variable);
    }
    return uncertain;
  }

  /** Drifted conductance at an age; undefined for a model without drift. */
  #drifted(values: ReadonlyMap<string, Expression>, age: string): Expression | undefined {
    const { drift } = this.#model;
    if (!drift) return undefined;
    return substitute(this.#aged(this.#read(drift, "drift"), age), values);
  }

  /** A read of these values, draws as names; in a sweep of the current. */
  read(values: ReadonlyMap<string, Expression>): Expression {
    const drifted = this.#drifted(values, rowInputs.ageRead);
    const seen = new Map([...values, ["V", name(rowInputs.voltage)] as const]);
    if (drifted) seen.set("Gd", drifted);
    const part = this.#options.sweep ? "current" : "read";
    return substitute(this.#aged(this.#read(this.#model[part] as Expression, part), rowInputs.ageRead), seen);
  }

  /** New values of what a pulse assigns, draws as names. Throws `ConfigError`. */
  pulse(pulse: string, before: ReadonlyMap<string, Expression>): Map<string, Expression> {
    const drifted = this.#drifted(before, rowInputs.agePulse);
    const seen = drifted ? new Map([...before, ["Gd", drifted] as const]) : before;
    const read = (each: Expression) => this.#aged(this.#read(each, pulse), rowInputs.agePulse);
    const after = outcome(this.#model, pulse, read);
    return new Map([...after].map(([variable, value]) => [variable, substitute(value, seen)]));
  }

  /** New values after a row of a sweep: one RK4 step. */
  sweep(before: ReadonlyMap<string, Expression>): Map<string, Expression> {
    const seen = new Map([
      ...before,
      ["V", name(rowInputs.voltage)] as const,
      ["dt", name(rowInputs.duration)] as const,
    ]);
    return new Map(
      [...odeStep(this.#model)].map(([variable, value]) => [
        variable,
        substitute(this.#read(value, `d${variable}/dt`), seen),
      ]),
    );
  }

  /** What stored variables begin as, given the constants. */
  initial(constants: ReadonlyMap<string, Expression>): Map<string, Expression> {
    const values = new Map(constants);
    const assigned = new Map<string, Expression>();
    for (const [variable, initial] of Object.entries(this.#model.initial)) {
      if (constants.has(variable)) continue;
      const value = substitute(this.#read(initial, `initial ${variable}`), values);
      values.set(variable, value);
      assigned.set(variable, value);
    }
    return assigned;
  }
}
