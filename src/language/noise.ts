/**
 * White noise in a right side: dx/dt = drift + sum over k of factor[k] * xi_k.
 *
 * Knows only the shape of expressions; a right side that is not linear in its noise has no such form.
 */
import { apply, type Expression, namesIn, number } from "./expression.ts";
import { isNoise } from "./scope.ts";

export interface Split {
  readonly drift: Expression | undefined; // undefined: 0
  readonly factors: ReadonlyMap<string, Expression>; // by noise name, in order of appearance
}

/** A term in which noise is not linear. Internal to this folder. */
export class NonlinearNoise extends Error {
  override readonly name = "NonlinearNoise";
  readonly term: Expression;

  constructor(term: Expression) {
    super("noise must enter linearly");
    this.term = term;
  }
}

const noisy = (root: Expression): boolean => [...namesIn(root)].some(isNoise);

function sum(
  a: Expression | undefined,
  b: Expression | undefined,
  operator: "+" | "-",
): Expression | undefined {
  if (b === undefined) return a;
  if (a === undefined) return operator === "+" ? b : apply("negate", b);
  return apply(operator, a, b);
}

/** `root` without noise, and the factor of each noise. Throws `NonlinearNoise`. */
export function splitNoise(root: Expression): Split {
  if (!noisy(root)) return { drift: root, factors: new Map() };
  if (root.kind === "name") return { drift: undefined, factors: new Map([[root.name, number(1)]]) };
  if (root.kind !== "apply") throw new NonlinearNoise(root);
  const { operator, args } = root;
  const each = (split: Split, change: (term: Expression) => Expression): Split => ({
    drift: split.drift && change(split.drift),
    factors: new Map([...split.factors].map(([name, factor]) => [name, change(factor)])),
  });
  const isOne = (term: Expression): boolean => term.kind === "number" && term.value === 1;
  switch (operator) {
    case "negate":
      return each(splitNoise(args[0]), (term) => apply("negate", term));
    case "+":
    case "-": {
      const [a, b] = args.map(splitNoise);
      const factors = new Map(a.factors);
      for (const [name, factor] of b.factors) factors.set(name, sum(factors.get(name), factor, operator)!);
      return { drift: sum(a.drift, b.drift, operator), factors };
    }
    case "*": {
      const [a, b] = args;
      if (noisy(a) && noisy(b)) throw new NonlinearNoise(root);
      if (noisy(a)) return each(splitNoise(a), (term) => (isOne(term) ? b : apply("*", term, b)));
      return each(splitNoise(b), (term) => (isOne(term) ? a : apply("*", a, term)));
    }
    case "/":
      if (noisy(args[1])) throw new NonlinearNoise(root);
      return each(splitNoise(args[0]), (term) => apply("/", term, args[1]));
    case "select": {
      const [condition, ...branches] = args;
      if (noisy(condition)) throw new NonlinearNoise(root);
      const [a, b] = branches.map(splitNoise);
      const choose = (x: Expression | undefined, y: Expression | undefined): Expression | undefined =>
        x || y ? apply("select", condition, x ?? number(0), y ?? number(0)) : undefined;
      const names = new Set([...a.factors.keys(), ...b.factors.keys()]);
      return {
        drift: choose(a.drift, b.drift),
        factors: new Map([...names].map((name) => [name, choose(a.factors.get(name), b.factors.get(name))!])),
      };
    }
    default:
      throw new NonlinearNoise(root);
  }
}
