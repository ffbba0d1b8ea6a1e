/**
 * Poisson numbers whose mean is only known while running: one loop, in JavaScript and in machine code.
 *
 * Inversion by sequential search (Devroye 1986, Non-Uniform Random Variate Generation, X.3.3): the smallest k with
 * u <= P(N <= k). Cost O(mean). The distribution is that of the exact one to 1e-12; both versions work in
 * float64 at either precision and agree bit for bit.
 */
import {
  block,
  br,
  br_if,
  FunctionBuilder,
  f64,
  f64x2,
  get,
  i32,
  iff,
  loop,
  type ModuleBuilder,
  set,
} from "./assembler.ts";
import { Emitter, Prologue } from "./emit.ts";
import { exp } from "./exponential.ts";
import { hostFunction } from "./functions.ts";
import { Graph } from "./graph.ts";

/** Means from here on give NaN: e^-mean is no longer a normal number. */
export const poissonLimit = 708;
/** Past the mean, a term this small ends the search: the sum can no longer reach a u near 1. */
const negligible = 2 ** -60;

/** The Poisson number of `u` in (0, 1); NaN for a negative mean, one from 708 on, or NaN. */
export function poissonScalar(u: number, mean: number): number {
  if (!(mean < poissonLimit) || mean < 0) return Number.NaN;
  let term = hostFunction("exp")(-mean);
  let sum = term;
  let k = 0;
  while (u > sum) {
    if (!(mean > k) && !(term > negligible)) break;
    k += 1;
    term = (term * mean) / k;
    sum += term;
  }
  return k;
}

/** Adds `poissonScalar` to a module: (u: f64, mean: f64) -> f64. Returns its index. */
export function poissonFunction(module: ModuleBuilder): number {
  const fn = new FunctionBuilder({ parameters: ["f64", "f64"], result: "f64" });
  const [u, mean] = [0, 1];
  const term = fn.local("f64");
  const sum = fn.local("f64");
  const k = fn.local("f64");

  const graph = new Graph("float64");
  const start = exp(graph, graph.node("neg", [graph.input("mean")]));
  const prologue = new Prologue(fn);
  const emitter = new Emitter({
    fn,
    prologue,
    precision: "float64",
    input: () => f64x2.splat(get(mean)),
  });
  const defined = emitter.define([start]);

  const valid = i32.and(f64.lt(get(mean), f64.const(poissonLimit)), i32.eqz(f64.lt(get(mean), f64.const(0))));
  const more = i32.or(f64.gt(get(mean), get(k)), f64.gt(get(term), f64.const(negligible)));
  const search = block(
    loop(
      br_if(1, i32.eqz(f64.gt(get(u), get(sum)))),
      br_if(1, i32.eqz(more)),
      set(k, f64.add(get(k), f64.const(1))),
      set(term, f64.div(f64.mul(get(term), get(mean)), get(k))),
      set(sum, f64.add(get(sum), get(term))),
      br(0),
    ),
  );
  const body = [defined, set(term, f64x2.extract_lane(emitter.value(start), 0)), set(sum, get(term)), search];
  fn.body = [prologue.code, iff(valid, body, set(k, f64.const(Number.NaN))), get(k)];
  return module.add(fn);
}
