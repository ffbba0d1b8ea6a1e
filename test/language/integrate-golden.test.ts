/**
 * Steps against Brian2: single cells of test/golden/semantics, stepped by the plain evaluator.
 *
 * Script, version and date stand in each file. Brian2's own two targets agree to 1.4e-14 of the largest value
 * of a trace; asked for here is 1e-12.
 */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { inline } from "../../src/language/algebra.ts";
import { integrate } from "../../src/language/integrate.ts";
import { type NeuronDefinition, neuron } from "../../src/language/model.ts";
import { quantity } from "../../src/math/units.ts";
import { evaluator, type Values } from "./stepping.ts";

interface Population {
  readonly kind: string;
  readonly size: number;
  readonly model: Omit<NeuronDefinition, "name" | "source">;
  readonly initial: Readonly<Record<string, readonly number[]>>;
}

interface Golden {
  readonly name: string;
  readonly rule: string;
  readonly dt: string;
  readonly ticks: number;
  readonly network: Readonly<Record<string, Population>>;
  readonly expected: {
    readonly traces: Readonly<Record<string, Readonly<Record<string, readonly (readonly number[])[]>>>>;
    readonly every: number;
  };
}

const folder = new URL("../golden/semantics/", import.meta.url);
const files = readdirSync(folder).map(
  (file) => JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Golden,
);
const uncoupled = files.filter(({ network }) =>
  Object.values(network).every(({ kind, model }) => kind === "neurons" && !model.refractory),
);

/** Brian2's `heun` averages only the factors of noise: without noise it is forward Euler, which ours is not. */
const asBrian: Readonly<Record<string, "euler">> = { heun: "euler" };

/** One cell: integrate, threshold, reset, as the program orders a tick; values before every tick. */
function trace(population: Population, cell: number, dt: number, ticks: number): Values[] {
  const method = asBrian[`${population.model.method}`] ?? population.model.method;
  const { checked } = neuron({ name: "cell", source: "test", ...population.model, method });
  const inlined = inline(checked, { dt });
  const { next } = integrate(checked, { dt });
  const advanced = evaluator([...next.values()]);
  const fires = checked.threshold && evaluator([inlined(checked.threshold)]);
  const resets = checked.reset.map(({ target, value }) => ({ target, of: evaluator([inlined(value)]) }));
  const values: Values = { i: cell };
  for (const { name } of checked.variables) values[name] = population.initial[name]?.[cell] ?? 0;
  const seen: Values[] = [{ ...values }];
  for (let tick = 0; tick < ticks; tick++) {
    values.t = tick * dt;
    const later = advanced(values);
    [...next.keys()].forEach((name, k) => {
      values[name] = later[k];
    });
    if (fires?.(values)[0]) for (const { target, of } of resets) [values[target]] = of(values);
    seen.push({ ...values });
  }
  return seen;
}

describe("single cells move as Brian2's", () => {
  test("there are files to compare with, of every method they have", () => {
    const methods = uncoupled.flatMap(({ network }) =>
      Object.values(network).map(({ model }) => model.method),
    );
    expect(new Set(methods)).toEqual(
      expect.objectContaining(new Set(["exact", "euler", "heun", "rk2", "rk4"])),
    );
  });

  for (const { name, rule, dt, ticks, network, expected } of uncoupled) {
    test(`${name}: ${rule}`, () => {
      const step = quantity(dt, "s");
      for (const [part, variables] of Object.entries(expected.traces)) {
        for (let cell = 0; cell < network[part].size; cell++) {
          const ours = trace(network[part], cell, step, ticks);
          for (const [variable, cells] of Object.entries(variables)) {
            const theirs = cells[cell];
            const largest = Math.max(...theirs.map(Math.abs));
            theirs.forEach((value, k) => {
              const difference = Math.abs(ours[k * expected.every][variable] - value);
              expect(difference, `${part} ${cell} ${variable} at ${k * expected.every}`).toBeLessThanOrEqual(
                1e-12 * largest,
              );
            });
          }
        }
      }
    });
  }
});
