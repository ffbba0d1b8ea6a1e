/**
 * The text of a device as a filter: how what is known of its state changes with a pulse and with a read.
 *
 * What is known is a normal distribution: means and covariances of the stored variables that draws have touched and
 * of the draws behind a device's constants (z, standard normal before anything is read). A pulse carries it on to
 * first order in the state and to second order where a draw multiplies the state; a read updates it and gives the
 * likelihood of what was read. A pulse that ends in clip, max or min of something random leaves a normal with its
 * tails heaped on the bounds: its moments are exact, and a read of it weighs three cases, below, between, above.
 * With linear text all is exact (Kalman 1960); otherwise it is an assumed-density filter (Maybeck 1982, Stochastic
 * Models, vol. 2, ch. 12; rectified moments: Harva & Kaban 2007). Plain expressions: kernel.ts compiles them.
 */
import { differentiate, minus, product, quotient, sum } from "../language/algebra.ts";
import type { CheckedModel } from "../language/checked.ts";
import { apply, type Expression, name, namesIn, number, substitute } from "../language/expression.ts";
import {
  atLeast,
  type Belief,
  type Bounds,
  congruent,
  drawsIn,
  isDraw,
  type Loss,
  losses,
  mixed,
  observed,
  pinned,
  restricted,
  simplify,
  spread,
  symmetric,
  tiny,
  unbounded,
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

/** The filter of a device's text. Throws `ConfigError` where the text is beyond it, naming the term. */
export function filterOf(model: CheckedModel, options: FilterOptions): Filter {
  return new Builder(model, options).filter();
}

/** What is believed of uncertain states, and values that are certain. */
interface Knowledge extends Belief {
  readonly certain: ReadonlyMap<string, Expression>;
}

/** A state kept within bounds after a pulse. */
interface Bound extends Bounds {
  readonly state: number;
}

/** One of two bounds, to first order in the states. */
interface End {
  /** Its slopes, and those of how far a value is beyond it. */
  readonly hanging: readonly Expression[];
  readonly slopes: readonly Expression[];
  /** Where it is expected, and how far a value beyond it. */
  readonly at: (belief: Belief) => Expression;
  readonly beyond: (belief: Belief) => Expression;
}

class Builder {
  readonly #text: DeviceText;
  readonly #options: FilterOptions;
  /** Uncertain variables, then the draws behind constants. */
  readonly #states: readonly string[];
  readonly #certain: readonly string[];
  readonly #observed: string | undefined;

  constructor(model: CheckedModel, options: FilterOptions) {
    this.#text = new DeviceText(model, options);
    this.#options = options;
    this.#observed = options.start === "read" ? observedVariable(model).name : undefined;
    const uncertain = this.#text.uncertain(this.#observed);
    this.#states = [...uncertain, ...this.#text.draws];
    this.#certain = this.#text.stored.filter((each) => !uncertain.has(each));
  }

  filter(): Filter {
    const { pulses } = this.#options;
    const steps: Record<string, { silent: Branch; read: Branch }> = {
      "": this.#step(this.#options.sweep ? this.#text.sweep(this.#values()) : new Map()),
    };
    for (const pulse of pulses) {
      steps[pulse] = this.#step(this.#text.pulse(pulse, this.#values()));
    }
    const cells = [
      ...this.#states.map(mean),
      ...this.#states.flatMap((_, a) => Array.from({ length: a + 1 }, (_, b) => covariance(a, b))),
      ...this.#certain,
      ...Object.values(resultCells),
    ];
    const zero: [string, Expression][] = this.#states.flatMap((state, a): [string, Expression][] => [
      [mean(state), number(0)],
      ...Array.from({ length: a + 1 }, (_, b): [string, Expression] => [
        covariance(a, b),
        number(a === b && isDraw(state) ? 1 : 0),
      ]),
    ]);
    return { cells, device: new Map(zero), start: this.#start(), steps };
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

  // ---- steps --------------------------------------------------------------------------------------

  /** What happens when variables take new values. */
  #step(assigned: ReadonlyMap<string, Expression>): { silent: Branch; read: Branch } {
    const { knowledge, bound } = this.#carried(assigned);
    const plain = { silent: this.#cells(knowledge), read: this.#readPlain(knowledge) };
    if (!bound) return { silent: { step: plain.silent }, read: { step: plain.read } };
    const away = this.#far(knowledge, bound);
    return {
      silent: {
        step: this.#cells(this.#rectified(knowledge, bound)),
        shortcut: { when: away, step: plain.silent },
      },
      read: this.#readBounded(knowledge, bound, { away, step: plain.read }),
    };
  }

  /** What is known after variables have taken new values. */
  #carried(assigned: ReadonlyMap<string, Expression>): { knowledge: Knowledge; bound?: Bound } {
    const n = this.#states.length;
    let bound: Bound | undefined;
    const next = this.#states.map((state, k): Expression => {
      const value = assigned.get(state);
      if (!value) return name(mean(state));
      const { core, low, high } = unbounded(value);
      if (bound !== undefined || (!low && !high) || drawsIn(core).length === 0) return value;
      bound = {
        state: k,
        ...(low ? { low: simplify(withoutDraws(low)) } : {}),
        ...(high ? { high: simplify(withoutDraws(high)) } : {}),
      };
      return core;
    });
    const means = next.map((value) => simplify(withoutDraws(value)));
    const jacobian = next.map((value) => this.#gradient(simplify(withoutDraws(value))));
    const carried = congruent(jacobian, this.#covariances());
    const streams = [...new Set(next.flatMap(drawsIn))];
    const noise = streams.map((stream) => {
      const slope = next.map((value) => simplify(withoutDraws(differentiate(value, stream))));
      return {
        slope,
        change: congruent(
          slope.map((each) => this.#gradient(each)),
          this.#covariances(),
        ),
      };
    });
    const covariances = carried.map((row, a) =>
      row.map((value, b) =>
        b > a
          ? number(0)
          : noise.reduce(
              (total, { slope, change }) => sum(sum(total, product(slope[a], slope[b])), change[a][b]),
              value,
            ),
      ),
    );
    const certain = new Map(
      this.#certain.map((each) => [each, simplify(assigned.get(each) ?? name(each))] as const),
    );
    return { knowledge: { means, covariances: symmetric(covariances, n), certain }, bound };
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

  /** Cells of a step that reads nothing. */
  #cells({ means, covariances, certain }: Knowledge): Map<string, Expression> {
    const cells = new Map<string, Expression>(certain);
    this.#states.forEach((state, a) => {
      cells.set(mean(state), means[a]);
      for (let b = 0; b <= a; b++) cells.set(covariance(a, b), covariances[a][b]);
    });
    return changed(cells);
  }

  /** The ends of a value within bounds, which are written for the means of `written`. */
  #ends({ state, low, high }: Bound, written: Belief): End[] {
    return (
      [
        [low, -1],
        [high, 1],
      ] as const
    ).flatMap(([bound, sign]) => {
      if (!bound) return [];
      const hanging = this.#gradient(bound); // it may hang on the constants of the device
      const at = ({ means }: Belief) =>
        hanging.reduce((total, slope, k) => {
          const off = means[k] === written.means[k] ? number(0) : sum(means[k], minus(written.means[k]));
          return sum(total, product(slope, off));
        }, bound);
      const slopes = hanging.map((each, k) =>
        product(number(sign), sum(number(k === state ? 1 : 0), minus(each))),
      );
      const beyond = (belief: Belief) => product(number(sign), sum(belief.means[state], minus(at(belief))));
      return [{ hanging, slopes, at, beyond }];
    });
  }

  /** Whether what is believed lies so far within bounds that its tails beyond weigh less than 2e-12: 7 deviations. */
  #far(belief: Belief, bound: Bound, written = belief): Expression {
    return this.#ends(bound, written)
      .map(({ slopes, beyond }) => {
        const along = congruent([slopes], belief.covariances)[0][0];
        return apply(">", minus(beyond(belief)), product(number(7), spread(along)));
      })
      .reduce((a, b) => apply("and", a, b));
  }

  /**
   * A value within bounds as what it may be: between them, on the lower or on the upper one. Each case has its
   * probability and what is believed then; `unseen` is what is believed before bounds.
   */
  #cases(unseen: Belief, bound: Bound, written = unseen): { probability: Expression; belief: Belief }[] {
    const ends = this.#ends(bound, written);
    let between = { probability: number(1) as Expression, belief: unseen };
    for (const { slopes, beyond } of ends) {
      const within = minus(beyond(between.belief));
      const { belief, probability } = restricted(between.belief, slopes.map(minus), within);
      between = { belief, probability: product(between.probability, probability) };
    }
    return [
      between,
      ...ends.map(({ hanging, at, beyond, slopes }) => {
        const { belief, probability } = restricted(unseen, slopes, beyond(unseen));
        return { probability, belief: pinned(belief, bound.state, at(belief), hanging) };
      }),
    ];
  }

  /** What is believed of a value within bounds. */
  #rectified(unseen: Knowledge, bound: Bound): Knowledge {
    const cases = this.#cases(unseen, bound);
    const total = cases.map(({ probability }) => probability).reduce(sum);
    const parts = cases.map(({ probability, belief }) => ({ weight: quotient(probability, total), belief }));
    return { ...mixed(parts), certain: unseen.certain };
  }

  /** A linear look at the state: what is expected, its slopes, and the variance of noise. */
  #look({ means, certain }: Knowledge): {
    expected: Expression;
    slopes: Expression[];
    noise: Expression;
    /** Whether the slope along a state is free of that state. */
    affine: (state: number) => boolean;
  } {
    const read = this.#text.read(this.#values());
    const quiet = simplify(withoutDraws(read));
    const { resolution, residual } = this.#options;
    const rest = sum(
      number(resolution ** 2),
      residual === undefined ? number(0) : product(name(residual), name(residual)),
    );
    const noise = drawsIn(read).reduce((total, stream) => {
      const slope = simplify(withoutDraws(differentiate(read, stream)));
      return sum(total, product(slope, slope));
    }, rest);
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
      affine: (state) => !namesIn(slopes[state]).has(mean(this.#states[state])),
    };
  }

  /** A read: what is believed after it, how far off it was, and with what variance. */
  #read(before: Knowledge) {
    const { expected, slopes, noise } = this.#look(before);
    const error = sum(name(rowInputs.value), minus(expected));
    const { belief, variance } = observed(before, slopes, noise, error, this.#options.loss);
    return { after: { ...belief, certain: before.certain }, expected, error, variance };
  }

  #readPlain(before: Knowledge): Step {
    const { after, expected, error, variance } = this.#read(before);
    const { exponent, constant } = losses[this.#options.loss];
    return changed(
      new Map([
        ...this.#cells(after),
        ...results(expected, variance, sum(exponent(error, variance), scale(variance, constant))),
      ]),
    );
  }

  /** A read of a value within bounds: the cases weighed by how well they explain it. */
  #readBounded(
    unseen: Knowledge,
    bound: Bound,
    plain: { readonly away: Expression; readonly step: Step },
  ): Branch {
    const { certain } = unseen;
    const { exponent, constant } = losses[this.#options.loss];
    const free = this.#read(unseen); // were there no bounds
    const [, ...ends] = this.#cases(unseen, bound);
    const [between] = this.#cases(free.after, bound, unseen);
    const cases = [
      { ...between, variance: free.variance, error: free.error },
      ...ends.map(({ probability, belief }) => {
        const { after, variance, error } = this.#read({ ...belief, certain });
        return { probability, belief: after as Belief, variance, error };
      }),
    ];
    const exponents = cases.map(({ error, variance }) => exponent(error, variance));
    const largest = exponents.reduce((a, b) => apply("max", a, b));
    const terms = cases.map(({ probability, variance }, k) =>
      product(
        quotient(atLeast(probability, tiny), apply("sqrt", variance)),
        apply("exp", sum(exponents[k], minus(largest))),
      ),
    );
    const total = terms.reduce(sum);
    const log = sum(sum(largest, apply("log", total)), number(constant));
    const after = mixed(cases.map(({ belief }, k) => ({ weight: quotient(terms[k], total), belief })));
    const { expected, variance } = this.#read(this.#rectified(unseen, bound));
    const away = this.#far(free.after, bound, unseen);
    return {
      step: changed(new Map([...this.#cells({ ...after, certain }), ...results(expected, variance, log)])),
      shortcut: { when: apply("and", plain.away, away), step: plain.step },
    };
  }

  // ---- beginnings -----------------------------------------------------------------------------------

  /** Mutable variables as the text begins them; the one that is observed as the row's value says. */
  #start(): Step {
    const assigned = this.#text.initial(this.#constants());
    const own = this.#observed && assigned.get(this.#observed);
    if (this.#observed && own) assigned.set(this.#observed, withoutDraws(own));
    const { knowledge, bound } = this.#carried(assigned);
    const known = bound ? this.#rectified(knowledge, bound) : knowledge;
    if (!this.#observed) return this.#cells(known);
    const c = this.#states.indexOf(this.#observed);
    return this.#cells(this.#pinned(known, c));
  }

  /** Nothing known of state c but the row's read: Newton's steps to the mean, then the limit of a wide prior. */
  #pinned(known: Knowledge, c: number): Knowledge {
    const value = name(rowInputs.value);
    let { means } = known;
    let look = this.#look(known);
    const steps = look.affine(c) ? 1 : 8;
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

const scale = (variance: Expression, constant: number) =>
  sum(product(number(-0.5), apply("log", variance)), number(constant));

// ---- cells -----------------------------------------------------------------------------------------

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

/** A step without the cells of a result that nobody asks for. */
export const without = (step: Step, cells: ReadonlySet<string>): Step =>
  new Map([...step].filter(([cell]) => !cells.has(cell)));

/** A step with the derivatives of its cells along tangents of cells and parameters: `tangent(cell)` of each. */
export function withTangents(
  step: Step,
  tangents: ReadonlyMap<string, Expression>,
  tangent: (cell: string) => string,
): Step {
  const done = new Map<Expression, Expression>();
  const all = new Map(step);
  for (const [cell, value] of step) all.set(tangent(cell), differentiate(value, tangents, done));
  return all;
}
