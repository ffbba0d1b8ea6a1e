/**
 * A definition to a checked model: every name resolved, every dimension agreed, or one clear error.
 *
 * All text is read first, so that streams of random numbers are counted in the order of the text and it is
 * known which parameters are used; then every piece is checked against the declared names.
 */
import { type Dimension, dimensionless, divideDimensions, unitDimension } from "../math/units.ts";
import type {
  CheckedModel,
  Derivative,
  Derived,
  ModelKind,
  Parameter,
  Scope,
  Statement,
  Variable,
} from "./checked.ts";
import { declareEquations, declareParameters, parameterSource, type Unread } from "./declare.ts";
import { checkMethod, checkShape, type Definition } from "./definition.ts";
import { checkDevice } from "./device.ts";
import { constantValue } from "./dimension.ts";
import {
  type Draft,
  type ReadApplied,
  type ReadAssignment,
  type ReadStatement,
  type ReadText,
  readDraft,
  usedNames,
} from "./draft.ts";
import type { Assignment, Equation } from "./equations.ts";
import { ModelError, type Source } from "./error.ts";
import { apply, type Expression, name as nameNode, namesIn, walk } from "./expression.ts";
import { NonlinearNoise, splitNoise } from "./noise.ts";
import type { Streams } from "./parse.ts";
import { odeStep } from "./pulse.ts";
import { describeOwner, isNoise, Names, type Owner, type Place } from "./scope.ts";
import { checkMeaning, checkNames, checkQuantity, type Setting, type Wanted } from "./term.ts";

const seconds: Dimension = unitDimension("s").dimension;
const siemens: Dimension = unitDimension("S").dimension;
const volts: Dimension = unitDimension("V").dimension;
const ampere: Dimension = unitDimension("A").dimension;
/** RK4 steps of an application where the model does not say. */
const defaultSteps = 16;

/** Checks a definition. Throws `ModelError` at the first fault. */
export function checkModel(kind: ModelKind, definition: Definition): CheckedModel {
  checkShape(kind, definition);
  return new Checker(kind, definition).model();
}

class Checker {
  readonly #kind: ModelKind;
  readonly #definition: Definition;
  readonly #parameters: readonly Parameter[];
  readonly #variables: readonly Variable[];
  readonly #unread: readonly Unread[];
  readonly #equations: readonly Equation[];
  readonly #names: Names;
  readonly #streams: Streams = { next: 0 };
  readonly #draft: Draft;
  readonly #used: ReadonlySet<string>;

  constructor(kind: ModelKind, definition: Definition) {
    this.#kind = kind;
    this.#definition = definition;
    const { name, equations = "", parameters = {} } = definition;
    const hasRefractory = definition.refractory !== undefined;
    this.#parameters = declareParameters(name, kind, parameters);
    const declared = declareEquations(
      this.#source("", equations),
      kind,
      this.#parameters,
      hasRefractory,
      definition.current !== undefined,
    );
    this.#variables = declared.variables;
    this.#unread = declared.derived;
    this.#equations = declared.equations;
    this.#draft = readDraft(kind, definition, declared.equations, this.#streams);
    this.#used = usedNames(this.#draft);
    this.#names = new Names({
      kind,
      variables: declared.variables,
      derived: declared.derived,
      parameters: this.#parameters,
      hasRefractory,
      hasDrift: definition.drift !== undefined,
      ...(declared.voltage ? { voltage: this.#derivedFrom("V") } : {}),
    });
  }

  #source(part: string, text: string): Source {
    return { model: this.#definition.name, part, text };
  }

  #setting(source: Source, place: Place, owner: Owner): Setting {
    return { source, place, owner, names: this.#names, parameters: this.#parameters, used: this.#used };
  }

  model(): CheckedModel {
    const { name, source = "", method = "auto", arguments: given = [] } = this.#definition;
    const differential = this.#variables
      .filter((variable) => variable.differential)
      .map((variable) => variable.name);
    checkMethod(name, method, differential);
    const derived = this.#derived();
    const derivatives = this.#derivatives();
    const step = this.#kind === "device" ? odeStep({ derivatives, derived }) : new Map();
    const handlers = Object.entries(this.#draft.handlers).map(([event, statements]) => [
      event,
      statements.flatMap((read) => this.#statements(read, event, step)),
    ]);
    const checked: CheckedModel = {
      kind: this.#kind,
      name,
      source,
      variables: this.#variables,
      derived,
      parameters: this.#parameters,
      arguments: given,
      derivatives,
      method,
      threshold: this.#threshold(),
      reset: this.#draft.reset.flatMap((read) => this.#statements(read, "reset", step)),
      refractory: this.#refractory(),
      handlers: Object.fromEntries(handlers),
      initial: this.#initial(),
      drift: this.#look(this.#draft.drift, "drift"),
      read: this.#look(this.#draft.read, "read"),
      current: this.#look(this.#draft.current, "current"),
      streams: this.#streams.next,
    };
    this.#refuseUnusedParameters();
    if (this.#kind === "device") checkDevice(checked, this.#definition, this.#equations, this.#draft);
    return checked;
  }

  #derived(): Derived[] {
    const values = new Map(
      this.#unread.map((declared) => {
        const { equation, boolean, dimension } = declared;
        const value = this.#draft.equations.get(equation)!;
        const setting = this.#setting(equation.source, "equation", declared.scope);
        checkNames(value, setting);
        checkMeaning(value, setting, {
          meaning: boolean ? "truth" : dimension,
          left: `the unit`,
          span: equation.value,
        });
        return [declared.name, value] as const;
      }),
    );
    return this.#inOrder(values).map(({ equation: _, ...declared }) => ({
      ...declared,
      value: values.get(declared.name)!,
    }));
  }

  /** Derived names, each after those it uses. */
  #inOrder(values: ReadonlyMap<string, Expression>): Unread[] {
    const ordered = new Set<Unread>();
    const path: Unread[] = [];
    const place = (declared: Unread): void => {
      if (ordered.has(declared)) return;
      const again = path.indexOf(declared);
      if (again >= 0) {
        const cycle = [...path.slice(again), declared].map((each) => each.name);
        const { source, nameSpan } = path[again].equation;
        throw new ModelError(source, nameSpan, "a derived name depends on itself", cycle.join(" -> "));
      }
      path.push(declared);
      for (const used of namesIn(values.get(declared.name)!)) {
        const other = this.#unread.find((each) => each.name === used);
        if (other) place(other);
      }
      path.pop();
      ordered.add(declared);
    };
    for (const declared of this.#unread) place(declared);
    return [...ordered];
  }

  #derivatives(): Derivative[] {
    const shared = new Map<string, number>(); // streams of xi_name
    return this.#equations
      .filter((equation) => equation.form === "differential")
      .map((equation) => {
        const { dimension, scope } = this.#variables.find((variable) => variable.name === equation.name)!;
        const value = this.#draft.equations.get(equation)!;
        const setting = this.#setting(equation.source, "differential", scope);
        checkNames(value, setting);
        checkMeaning(value, setting, {
          meaning: divideDimensions(dimension, seconds),
          left: "the left side",
          span: equation.value,
        });
        const { drift, factors } = this.#split(value, equation.source);
        const stream = (source: string): number => {
          if (source === "xi") return this.#streams.next++;
          if (!shared.has(source)) shared.set(source, this.#streams.next++);
          return shared.get(source)!;
        };
        return {
          variable: equation.name,
          drift,
          noise: [...factors].map(([source, factor]) => ({ source, stream: stream(source), factor })),
          text: equation.source.text,
        };
      });
  }

  #split(value: Expression, source: Source): { drift: Expression; factors: ReadonlyMap<string, Expression> } {
    try {
      const { drift, factors } = splitNoise(value);
      return { drift: drift ?? { kind: "number", value: 0 }, factors };
    } catch (error) {
      if (!(error instanceof NonlinearNoise)) throw error;
      throw new ModelError(
        source,
        error.term.span ?? value.span,
        "noise must enter linearly",
        "write dx/dt = f + g * xi, with f and g free of noise",
      );
    }
  }

  #threshold(): Expression | undefined {
    const { threshold } = this.#draft;
    if (!threshold) return undefined;
    const setting = this.#setting(threshold.source, "threshold", "cell");
    checkNames(threshold.expression, setting);
    checkMeaning(threshold.expression, setting, { meaning: "truth", left: "a threshold", right: "it" });
    return threshold.expression;
  }

  #refractory(): Expression | undefined {
    const { refractory } = this.#draft;
    if (!refractory) return undefined;
    const { source, expression, dimension } = refractory;
    const wanted: Wanted = { meaning: seconds, left: "a refractory time", right: "this" };
    const setting = this.#setting(source, "threshold", "cell");
    if (dimension) checkQuantity(source, dimension, wanted);
    else {
      checkNames(expression, setting);
      checkMeaning(expression, setting, wanted);
    }
    if ((constantValue(expression) ?? 0) < 0)
      throw new ModelError(source, expression.span, "a refractory time is not negative");
    return expression;
  }

  #initial(): Record<string, Expression> {
    const checked: Record<string, Expression> = {};
    for (const [name, text] of Object.entries(this.#draft.initial)) {
      const variable = this.#variables.find((each) => each.name === name);
      if (!variable) {
        const near = this.#names.nearestVariable(name);
        throw new ModelError(
          text.source,
          undefined,
          `${name} is not a stored variable`,
          near ? `did you mean ${near}?` : "",
        );
      }
      checked[name] = checkInitial(text, variable, this.#setting(text.source, "initial", variable.scope));
      walk(text.expression, (node) => {
        if (node.kind !== "name" || Object.hasOwn(checked, node.name)) return;
        if (this.#variables.some((each) => each.name === node.name))
          throw new ModelError(
            text.source,
            node.span,
            `${node.name} has no value yet`,
            `give its initial value before that of ${name}`,
          );
      });
    }
    if (this.#kind === "device")
      for (const { name } of this.#variables)
        if (!Object.hasOwn(checked, name))
          throw new ModelError(
            this.#source("initial", ""),
            undefined,
            `the initial value of ${name} is missing`,
          );
    return checked;
  }

  /** How a device is looked at. */
  #look(text: ReadText | undefined, place: "drift" | "read" | "current"): Expression | undefined {
    if (!text) return undefined;
    const setting = this.#setting(text.source, place, "cell");
    const meaning = place === "current" ? ampere : siemens;
    checkNames(text.expression, setting);
    checkMeaning(text.expression, setting, { meaning, left: `a ${place}`, right: "this" });
    if (place === "drift")
      walk(text.expression, (node) => {
        if (node.kind === "random" && node.distribution !== "flicker")
          throw new ModelError(
            text.source,
            node.span,
            "drift is free of noise",
            "spread between devices goes into initial, read noise into read; flicker(...), a function of time, may stand here",
          );
      });
    return text.expression;
  }

  #statements(
    read: ReadStatement,
    event: string,
    step: ReadonlyMap<string, Expression>,
  ): readonly Statement[] {
    return "applied" in read ? this.#application(read, step) : [this.#statement(read, event)];
  }

  /** `apply(voltage, duration)`: one statement for each differential equation. */
  #application(
    { applied, voltage, duration }: ReadApplied,
    step: ReadonlyMap<string, Expression>,
  ): readonly Statement[] {
    const { source } = applied;
    const whole = { start: 0, end: source.text.length };
    if (this.#kind !== "device")
      throw new ModelError(source, whole, "apply belongs to pulses of devices", "write x = ... or x += ...");
    if (step.size === 0)
      throw new ModelError(
        source,
        whole,
        "there is nothing to integrate",
        "apply integrates the differential equations of a device, dx/dt = ... : unit",
      );
    const setting = this.#setting(source, "handler", "cell");
    for (const [expression, meaning, left] of [
      [voltage, volts, "a voltage"],
      [duration, seconds, "a duration"],
    ] as const) {
      checkNames(expression, setting);
      checkMeaning(expression, setting, { meaning, left, right: "this" });
    }
    const { steps = defaultSteps } = this.#definition;
    const dt = apply("/", duration, { kind: "number", value: steps });
    const application = { voltage, dt, steps };
    return [...step].map(([target, value]) => {
      return { target, value, scope: "cell", text: source.text, application };
    });
  }

  #statement({ assignment, value }: ReadAssignment, event: string): Statement {
    const { source, target, targetSpan, operator } = assignment;
    const { scope, meaning } = this.#target(assignment, event);
    const setting = this.#setting(source, "handler", scope);
    checkNames(value, setting);
    const scales = operator === "*=" || operator === "/=";
    if (meaning === "truth" && operator !== "=")
      throw new ModelError(
        source,
        targetSpan,
        `${target} is a truth value`,
        "it can only be assigned with =",
      );
    if (scales) checkMeaning(value, setting, { meaning: dimensionless, left: `the factor in ${operator}` });
    else if (meaning === "open") checkMeaning(value, setting);
    else checkMeaning(value, setting, { meaning, left: target });
    const before: Expression = { ...nameNode(target), span: targetSpan };
    const text = source.text;
    if (operator === "=") return { target, value, scope, text };
    const sum = apply(operator[0] as "+" | "-" | "*" | "/", before, value);
    if (scales) return { target, value: sum, scope, text };
    return { target, value: sum, term: operator === "+=" ? value : apply("negate", value), scope, text };
  }

  /** Whose the target of a statement is, and what may be assigned to it. */
  #target(
    { source, target, targetSpan }: Assignment,
    event: string,
  ): { scope: Scope | "precell" | "postcell"; meaning: Dimension | "truth" | "open" } {
    const wrong = (title: string, reason = ""): never => {
      throw new ModelError(source, targetSpan, title, reason);
    };
    const entry = this.#names.lookup(target, "handler");
    if (entry?.role === "parameter")
      wrong(
        `${target} is a parameter`,
        `parameters do not change; a variable is declared as ${target} : unit`,
      );
    if (entry?.role === "derived")
      wrong(`${target} is a derived name`, "its equation says what it is at any time");
    if (entry?.role === "given" || isNoise(target)) wrong(`${target} cannot be assigned`);
    if (!entry) return wrong(`${target} is not a variable`, this.#unknownTarget(target));
    if (entry.role === "cell") return { scope: entry.owner as "precell" | "postcell", meaning: "open" };
    const variable = this.#variables.find((each) => each.name === target)!;
    if (variable.constant) wrong(`${target} is constant`, "its equation carries the flag constant");
    const other = event === "pre" ? "post" : event === "post" ? "pre" : undefined;
    if (this.#kind === "synapse" && variable.scope === other)
      wrong(
        `the ${event} handler cannot assign ${target}`,
        `${target} is ${describeOwner(other)}, and the handler runs for spikes of ${event}synaptic cells`,
      );
    return { scope: variable.scope, meaning: variable.boolean ? "truth" : variable.dimension };
  }

  #unknownTarget(target: string): string {
    const near = this.#names.nearestVariable(target);
    const guess = near === undefined ? "" : `did you mean ${near}?`;
    if (this.#kind === "synapse")
      return `whose ${target}? ${target}_pre or ${target}_post${guess && `; or ${guess}`}`;
    return guess || `a variable is declared in the equations, as ${target} : unit`;
  }

  /** Derived names that depend on a name. */
  #derivedFrom(name: string): Set<string> {
    const found = new Set<string>();
    for (let before = -1; found.size > before; ) {
      before = found.size;
      for (const declared of this.#unread) {
        const used = namesIn(this.#draft.equations.get(declared.equation)!);
        if (used.has(name) || [...found].some((each) => used.has(each))) found.add(declared.name);
      }
    }
    return found;
  }

  #refuseUnusedParameters(): void {
    for (const { name } of this.#parameters) {
      if (this.#used.has(name)) continue;
      const source = parameterSource(this.#definition.name, name, this.#definition.parameters![name]);
      throw new ModelError(source, { start: 0, end: name.length }, `the parameter ${name} is never used`);
    }
  }
}

/** An initial value, checked against its variable. Throws `ModelError`. */
export function checkInitial(
  { source, expression, dimension }: ReadText,
  variable: Variable,
  setting: Setting,
): Expression {
  const wanted: Wanted = {
    meaning: variable.boolean ? "truth" : variable.dimension,
    left: variable.name,
    right: "this",
  };
  if (dimension) {
    checkQuantity(source, dimension, wanted);
    return expression;
  }
  checkNames(expression, setting);
  walk(expression, (node) => {
    if (node.kind !== "name") return;
    if (node.name === variable.name || setting.names.lookup(node.name, "initial")?.role === "derived")
      throw new ModelError(
        source,
        node.span,
        `the initial value of ${variable.name} cannot use ${node.name}`,
        "it may use parameters, other stored variables, indices and random draws",
      );
  });
  checkMeaning(expression, setting, wanted);
  return expression;
}
