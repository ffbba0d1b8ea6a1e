/**
 * The text of a device as a filter: how what is known of its state changes with a pulse and with a read.
 *
 * What is known is a normal distribution: means and covariances of the stored variables that draws have touched and
 * of the draws behind a device's constants (z, standard normal before anything is read). A pulse carries it on to
 * first order in the state, with the moments that its draws give it, also where they multiply the state; a read updates it and gives the
 * likelihood of what was read. After a pulse that ends in clip, max or min of something random the value is between
 * the bounds or on one (bounds.ts), and a read weighs these cases. They become one normal again, but for values on a
 * bound that differs from device to device: these are a second normal, with a weight, until the device leaves it.
 * With linear text all is exact (Kalman 1960); otherwise it is an assumed-density filter (Maybeck 1982, Stochastic
 * Models, vol. 2, ch. 12; rectified moments: Harva & Kaban 2007). Plain expressions: kernel.ts compiles them.
 */
import { differentiate, minus, product, quotient, sum } from "../language/algebra.ts";
import type { CheckedModel } from "../language/checked.ts";
import { apply, type Expression, name, namesIn, number, substitute } from "../language/expression.ts";
import { type Bound, type Case, casesOf, farWithin, type Side, unbounded } from "./bounds.ts";
import {
  atLeast,
  type Belief,
  congruent,
  drawsIn,
  isDraw,
  type Loss,
  leastWeight,
  logDensity,
  losses,
  mixed,
  observed,
  type Part,
  scattered,
  simplify,
  symmetric,
  tiny,
  weightOf,
  withoutDraws,
} from "./moments.ts";
import { DeviceText, observedVariable, rowInputs, type TextOptions } from "./text.ts";

/** New values of cells, all from their old ones, from parameters and from the inputs of a row. */
export type Step = ReadonlyMap<string, Expression>;

/** Cells every filter has: the log-likelihood so far, and of the last read what was expected and its spread. */
export const resultCells = { logLikelihood: "#log", expected: "#expected", spread: "#spread" } as const;

export interface Filter {
  readonly cells: readonly string[];
  /** A device nothing is known of. */
  readonly device: Step;
  /** A fresh start of the device at hand: what is known of its constants stays. */
  readonly start: Step;
  /** By pulse name; "" is no pulse, only time. `read`: the value at the row is read after it. */
  readonly steps: { readonly [pulse: string]: { readonly silent: Branch; readonly read: Branch } };
}

/** A step, and a cheaper one that is the same to 11 digits where a condition holds. */
export interface Branch {
  readonly step: Step;
  readonly shortcut?: { readonly when: Expression; readonly step: Step };
}

export interface FilterOptions extends TextOptions {
  readonly loss: Loss;
  /** Standard deviation that every read has at least, in its unit: how finely it was written down. */
  readonly resolution: number;
  /** A further noise of reads, a parameter's name. */
  readonly residual?: string;
}

const mean = (state: string) => `mean ${state}`;
const covariance = (a: number, b: number) => `covariance ${Math.max(a, b)} ${Math.min(a, b)}`;
const weight = "weight";

/**
 * Where a value within bounds is. What is believed is kept apart for values on a bound that differs from device to
 * device: of a device that has been there it is known, of others that it is further away.
 */
type Place = "between" | Side;

/** The cell of a place. */
const at = (place: Place, cell: string) => (place === "between" ? cell : `${cell} ${place}`);

/** The filter of a device's text. Throws `ConfigError` where the text is beyond it, naming the term. */
export function filterOf(model: CheckedModel, options: FilterOptions): Filter {
  return new Builder(model, options).filter();
}

/** What is believed of uncertain states, and values that are certain. */
interface Knowledge extends Belief {
  readonly certain: ReadonlyMap<string, Expression>;
}

/** What a read says: what is known after it, how far it was off what was expected, and with what variance. */
interface Read {
  readonly after: Knowledge;
  readonly expected: Expression;
  readonly error: Expression;
  readonly variance: Expression;
}

/** Something that may have happened, and where values are then. */
interface Placed extends Part {
  readonly place: Place;
}

/** What is known after variables have taken new values, but for their bounds. */
interface Carried {
  readonly knowledge: Knowledge;
  readonly bound?: Bound;
}

class Builder {
  readonly #text: DeviceText;
  readonly #options: FilterOptions;
  /** Uncertain variables, then the draws behind constants. */
  readonly #states: readonly string[];
  readonly #certain: readonly string[];
  readonly #observed: string | undefined;
  /** Those whose beliefs are kept apart, "between" first. */
  readonly #places = new Set<Place>(["between"]);

  constructor(model: CheckedModel, options: FilterOptions) {
    this.#text = new DeviceText(model, options);
    this.#options = options;
    this.#observed = options.start === "read" ? observedVariable(model).name : undefined;
    const uncertain = this.#text.uncertain(this.#observed);
    this.#states = [...uncertain, ...this.#text.draws];
    this.#certain = this.#text.stored.filter((each) => !uncertain.has(each));
  }

  filter(): Filter {
    const values = this.#values();
    const carried: [string, Carried][] = [
      ["", this.#carried(this.#options.sweep ? this.#text.sweep(values) : new Map())],
      ...this.#options.pulses.map((pulse): [string, Carried] => [
        pulse,
        this.#carried(this.#text.pulse(pulse, values)),
      ]),
    ];
    const begun = this.#begun();
    for (const { bound } of [begun, ...carried.map(([, each]) => each)])
      for (const { side, slopes } of bound?.ends ?? []) if (!slopes.every(isZero)) this.#places.add(side);
    const steps = carried.map(([pulse, each]) => [pulse, this.#step(each)] as const);
    return {
      cells: this.#cells(),
      device: this.#device(),
      start: this.#start(begun),
      steps: Object.fromEntries(steps),
    };
  }

  #cells(): string[] {
    const own = this.#places.size > 1 ? [...this.#stateCells(), weight] : this.#stateCells();
    const states = [...this.#places].flatMap((place) => own.map((cell) => at(place, cell)));
    return [...states, ...this.#certain, ...Object.values(resultCells)];
  }

  #stateCells(): string[] {
    const triangle = this.#states.flatMap((_, a) =>
      Array.from({ length: a + 1 }, (_, b) => covariance(a, b)),
    );
    return [...this.#states.map(mean), ...triangle];
  }

  /** Of a device nothing is known but how devices are spread. */
  #device(): Step {
    const belief = {
      means: this.#states.map(() => number(0)),
      covariances: this.#states.map((state, a) =>
        this.#states.map((_, b) => number(a === b && isDraw(state) ? 1 : 0)),
      ),
    };
    return this.#joined([{ place: "between", weight: number(1), belief }]);
  }

  /** Values of all variables at the means. */
  #values(): Map<string, Expression> {
    const values = new Map<string, Expression>();
    for (const state of this.#states) if (!isDraw(state)) values.set(state, name(mean(state)));
    for (const variable of this.#certain) values.set(variable, name(variable));
    for (const [constant, value] of this.#constants()) values.set(constant, value);
    return values;
  }

  /** Constants of the device at the means of their draws. */
  #constants(): Map<string, Expression> {
    const draws = new Map(this.#states.map((state) => [state, name(mean(state))]));
    return new Map([...this.#text.constants].map(([each, value]) => [each, substitute(value, draws)]));
  }

  /** What happens when variables take new values. */
  #step(carried: Carried): { silent: Branch; read: Branch } {
    const { knowledge, bound } = carried;
    const silent = changed(this.#known(knowledge));
    const free = this.#read(knowledge); // were there no bounds
    const log = logDensity(free.error, free.variance, this.#options.loss);
    const read = changed(
      new Map([...this.#known(free.after), ...results(free.expected, free.variance, log)]),
    );
    const apart = this.#places.size > 1;
    if (!bound && !apart) return { silent: { step: silent }, read: { step: read } };
    const before = bound ? [farWithin(knowledge, bound)] : [];
    const after = bound ? [farWithin(free.after, bound)] : [];
    const alone = apart ? [apply(">", name(weight), number(1 - 1e-12))] : [];
    const all = (conditions: readonly Expression[]) => conditions.reduce((a, b) => apply("and", a, b));
    const reset = apart
      ? [...this.#places].map((place) => [at(place, weight), number(place === "between" ? 1 : 0)] as const)
      : [];
    return {
      silent: {
        step: changed(new Map([...this.#joined(this.#parts(carried)), ...knowledge.certain])),
        shortcut: { when: all([...alone, ...before]), step: new Map([...silent, ...reset]) },
      },
      read: {
        step: this.#readParts(carried, free),
        shortcut: { when: all([...alone, ...before, ...after]), step: new Map([...read, ...reset]) },
      },
    };
  }

  /** What may have happened, wherever values were. Without bounds they stay where they were. */
  #parts({ knowledge, bound }: Carried): Placed[] {
    const cases = casesOf(knowledge, bound);
    return this.#everywhere((here, place) =>
      cases.map((each) => this.#part(each, here, bound ? "between" : place)),
    );
  }

  /** `of` at each place: with a function that puts in the cells of the place. */
  #everywhere<T>(of: (here: (value: Expression) => Expression, place: Place) => readonly T[]): T[] {
    return [...this.#places].flatMap((place) => {
      const cells = place === "between" ? [] : [...this.#stateCells(), weight];
      const names = new Map(cells.map((cell) => [cell, name(at(place, cell))]));
      const done = new Map<Expression, Expression>();
      return of((value) => substitute(value, names, done), place);
    });
  }

  /** A case as part of all: on a bound that is kept apart, else `otherwise`. */
  #part(
    { side, probability, belief }: Case,
    here: (value: Expression) => Expression,
    otherwise: Place,
  ): Placed {
    const before = this.#places.size > 1 ? product(name(weight), probability) : probability;
    return {
      place: side && this.#places.has(side) ? side : otherwise,
      weight: atLeast(here(before), tiny),
      belief: {
        means: belief.means.map(here),
        covariances: belief.covariances.map((row) => row.map(here)),
      },
    };
  }

  /** Cells of what may have happened: one belief for each place. */
  #joined(parts: readonly Placed[]): Map<string, Expression> {
    const total = weightOf(parts);
    const cells = new Map<string, Expression>();
    for (const place of this.#places) {
      const own = parts.filter((part) => part.place === place);
      const known = this.#known(mixed(own.length > 0 ? own : parts));
      for (const [cell, value] of known) cells.set(at(place, cell), value);
      if (this.#places.size > 1) cells.set(at(place, weight), quotient(weightOf(own), total));
    }
    return cells;
  }

  /** What is known after variables have taken new values. */
  #carried(assigned: ReadonlyMap<string, Expression>): Carried {
    const n = this.#states.length;
    let bounded: Omit<Bound, "means"> | undefined;
    const next = this.#states.map((state, k): Expression => {
      const value = assigned.get(state);
      if (!value) return name(mean(state));
      const { core, ends } = unbounded(value, (each) => this.#moves(each));
      if (bounded !== undefined || ends.length === 0) return value;
      const own = ends.map(({ side, at }) => ({ side, at: simplify(at) }));
      bounded = { state: k, ends: own.map((end) => ({ ...end, slopes: this.#gradient(end.at) })) };
      return core;
    });
    const { means, off } = scattered(next);
    const before = this.#covariances();
    const along = (values: readonly Expression[]) =>
      congruent(
        values.map((each) => this.#gradient(each)),
        before,
      );
    const carried = along(means);
    const noise = off.map(({ weight, values }) => ({
      weight: number(weight),
      values,
      change: along(values),
    }));
    const covariances = carried.map((row, a) =>
      row.map((value, b) =>
        noise.reduce((total, { weight, values, change }) => {
          const added = b > a ? number(0) : sum(product(values[a], values[b]), change[a][b]);
          return sum(total, product(weight, added));
        }, value),
      ),
    );
    const certain = new Map(
      this.#certain.map((each) => [each, simplify(assigned.get(each) ?? name(each))] as const),
    );
    const knowledge = { means, covariances: symmetric(covariances, n), certain };
    return bounded ? { knowledge, bound: { ...bounded, means } } : { knowledge };
  }

  /** Whether a value moves by itself: with a draw or a variable. Constants of the device do not. */
  #moves(value: Expression): boolean {
    const names = namesIn(value);
    return (
      drawsIn(value).length > 0 || this.#states.some((state) => !isDraw(state) && names.has(mean(state)))
    );
  }

  #covariances(): Expression[][] {
    return this.#states.map((_, a) => this.#states.map((_, b) => name(covariance(a, b))));
  }

  /** Derivatives with respect to the means. */
  #gradient(value: Expression): Expression[] {
    const names = namesIn(value);
    return this.#states.map((state) =>
      names.has(mean(state)) ? simplify(differentiate(value, mean(state))) : number(0),
    );
  }

  /** Cells of what is known. */
  #known({ means, covariances, certain = none }: Belief & Partial<Knowledge>): Map<string, Expression> {
    const cells = new Map<string, Expression>(certain);
    this.#states.forEach((state, a) => {
      cells.set(mean(state), means[a]);
      for (let b = 0; b <= a; b++) cells.set(covariance(a, b), covariances[a][b]);
    });
    return cells;
  }

  /** A linear look at the state: what is expected, its slopes, and the variance of noise. */
  #look({ means, certain }: Knowledge): {
    expected: Expression;
    slopes: Expression[];
    noise: Expression;
    /** Whether slopes hang on the state. */
    isCurved: boolean;
  } {
    // a read at its own bound, such as max(0, ...), counts as if it were not cut off
    const { core: read } = unbounded(this.#text.read(this.#values()), (each) => this.#moves(each));
    const { means: expected, off } = scattered([read]);
    const [quiet] = expected;
    const { resolution, residual } = this.#options;
    const rest = sum(
      number(resolution ** 2),
      residual === undefined ? number(0) : product(name(residual), name(residual)),
    );
    const noise = off.reduce(
      (total, { weight, values: [value] }) => sum(total, product(number(weight), product(value, value))),
      rest,
    );
    const slopes = this.#gradient(quiet);
    const values = new Map<string, Expression>(certain);
    this.#states.forEach((state, k) => {
      values.set(mean(state), means[k]);
    });
    const here = (value: Expression) => simplify(substitute(value, values));
    return {
      expected: here(quiet),
      slopes: slopes.map(here),
      noise: here(noise),
      isCurved: slopes.some((slope) => this.#states.some((state) => namesIn(slope).has(mean(state)))),
    };
  }

  /** A curved read is looked at from where it puts the state, in three steps (Bell & Cathey 1993, IEEE Trans. Autom. Control 38:294). */
  #read(before: Knowledge): Read {
    const first = this.#look(before);
    let look = first;
    let { means } = before;
    for (let step = 0; ; step++) {
      const { expected, slopes, noise } = look;
      const carried = slopes.reduce((total, slope, k) => {
        const off = means[k] === before.means[k] ? number(0) : sum(before.means[k], minus(means[k]));
        return sum(total, product(slope, off));
      }, expected);
      const error = sum(name(rowInputs.value), minus(carried));
      const { belief, variance } = observed(before, slopes, noise, error, this.#options.loss);
      if (!first.isCurved || step === 3)
        return { after: { ...belief, certain: before.certain }, expected: first.expected, error, variance };
      means = belief.means;
      look = this.#look({ ...before, means });
    }
  }

  /** A read of what may have happened: parts weighed by how well they explain it. */
  #readParts(carried: Carried, free: Read): Step {
    const { bound, knowledge } = carried;
    const { certain } = knowledge;
    const { exponent, constant } = losses[this.#options.loss];
    const [, ...ends] = casesOf(knowledge, bound);
    const [between] = casesOf(free.after, bound);
    const cases = [
      { ...between, error: free.error, variance: free.variance },
      ...ends.map(({ side, probability, belief }) => {
        const { after, error, variance } = this.#read({ ...belief, certain });
        return { side, probability, belief: after, error, variance };
      }),
    ];
    const parts = this.#everywhere((here, place) =>
      cases.map((each) => ({
        ...this.#part(each, here, bound ? "between" : place),
        exponent: here(exponent(each.error, each.variance)),
        variance: here(each.variance),
      })),
    );
    const largest = parts.map((part) => part.exponent).reduce((a, b) => apply("max", a, b));
    const explained = parts.map((part) => ({
      ...part,
      weight: atLeast(
        product(
          quotient(part.weight, apply("sqrt", part.variance)),
          apply("exp", sum(part.exponent, minus(largest))),
        ),
        leastWeight,
      ),
    }));
    const log = sum(sum(largest, apply("log", weightOf(explained))), number(constant));
    const { expected, variance } = this.#read({ ...mixed(this.#parts(carried)), certain });
    return changed(new Map([...this.#joined(explained), ...certain, ...results(expected, variance, log)]));
  }

  /** Mutable variables as the text begins them; the one that is observed without noise of its own. */
  #begun(): Carried {
    const assigned = this.#text.initial(this.#constants());
    const own = this.#observed && assigned.get(this.#observed);
    if (this.#observed && own) assigned.set(this.#observed, withoutDraws(own));
    const { knowledge, bound } = this.#carried(assigned);
    const isBound = bound && this.#states[bound.state] !== this.#observed;
    return isBound ? { knowledge, bound } : { knowledge };
  }

  /** Where a sequence begins: the variable that is observed as the row's value says. */
  #start({ knowledge, bound }: Carried): Step {
    const { certain } = knowledge;
    const cases = casesOf(knowledge, bound);
    const c = this.#states.indexOf(this.#observed ?? "");
    const parts = this.#everywhere((here) =>
      cases.map(({ belief, ...rest }) => {
        const begun = c < 0 ? belief : this.#pinned({ ...belief, certain }, c);
        return this.#part({ ...rest, belief: begun }, here, "between");
      }),
    );
    return changed(new Map([...this.#joined(parts), ...certain]));
  }

  /** Nothing known of state c but the row's read: Newton's steps to the mean, then the limit of a wide prior. */
  #pinned(known: Knowledge, c: number): Knowledge {
    const value = name(rowInputs.value);
    let { means } = known;
    let look = this.#look(known);
    const steps = look.isCurved ? 8 : 1;
    for (let k = 0; k < steps; k++) {
      const better = sum(means[c], quotient(sum(value, minus(look.expected)), look.slopes[c]));
      means = means.map((each, a) => (a === c ? better : each));
      look = this.#look({ ...known, means });
    }
    const others = look.slopes.map((slope, k) => (k === c ? number(0) : slope));
    const cross = known.covariances.map((row) =>
      others.reduce((total, slope, k) => sum(total, product(slope, row[k])), number(0) as Expression),
    );
    const around = others.reduce(
      (total, slope, k) => sum(total, product(slope, cross[k])),
      look.noise as Expression,
    );
    const slope = look.slopes[c];
    const covariances = known.covariances.map((row, a) =>
      row.map((each, b) => {
        if (a === c && b === c) return quotient(around, product(slope, slope));
        if (a === c || b === c) return minus(quotient(cross[a === c ? b : a], slope));
        return each;
      }),
    );
    return { means, covariances, certain: known.certain };
  }
}

const none: ReadonlyMap<string, Expression> = new Map();
const isZero = (value: Expression) => value.kind === "number" && value.value === 0;

function results(expected: Expression, variance: Expression, log: Expression): [string, Expression][] {
  return [
    [resultCells.logLikelihood, sum(name(resultCells.logLikelihood), log)],
    [resultCells.expected, expected],
    [resultCells.spread, apply("sqrt", variance)],
  ];
}

/** A step without cells that stay. */
const changed = (cells: ReadonlyMap<string, Expression>): Map<string, Expression> =>
  new Map([...cells].filter(([cell, value]) => !(value.kind === "name" && value.name === cell)));
