/**
 * Where a fit begins to look: the model's own parameters, brought to the size of the data, and points around.
 *
 * Conductances of a model and of data may differ by orders of magnitude. By dimensional analysis a device of another
 * size has all its conductances multiplied by one factor and everything per conductance divided by it.
 */
import type { CheckedModel, Parameter } from "../language/checked.ts";
import { normalQuantile } from "../math/normal.ts";
import { type Key, randomKey, uniform } from "../math/random.ts";
import { powerDimension, sameDimension, unitDimension } from "../math/units.ts";
import type { Measurement } from "../measured/measurement.ts";

const siemens = unitDimension("S").dimension;
/** Begins the largest conductance of a device off the largest value, where a bound would explain that one read only. */
const room = 1.05;
const powers = [1, 2, 0.5, -1, -2, -0.5];

/** The power of conductance in a parameter's dimension; 0 where it has another dimension. */
function powerOfConductance({ dimension }: Pick<Parameter, "dimension">): number {
  return powers.find((power) => sameDimension(dimension, powerDimension(siemens, power))) ?? 0;
}

/** Parameters of a model, SI, as of a device whose largest conductance is a little above that of the data. */
export function startValues(
  { parameters }: CheckedModel,
  measurement: Measurement,
  fixed: ReadonlySet<string>,
): Map<string, number> {
  const largest = Math.max(
    ...parameters.filter((each) => powerOfConductance(each) === 1).map(({ value }) => Math.abs(value)),
  );
  const factor =
    measurement.quantity === "conductance" && largest > 0 ? (room * largestValue(measurement)) / largest : 1;
  return new Map(
    parameters.map((each) => [
      each.name,
      fixed.has(each.name) ? each.value : each.value * factor ** powerOfConductance(each),
    ]),
  );
}

/** The size of a parameter of this dimension, SI, by the data alone: its power of conductance times their largest value. */
export function sizeOf(parameter: Pick<Parameter, "dimension">, measurement: Measurement): number {
  const power = powerOfConductance(parameter);
  return measurement.quantity === "conductance" && power !== 0 ? largestValue(measurement) ** power : 1;
}

function largestValue({ sequences }: Measurement): number {
  let largest = 0;
  for (const { values } of sequences) for (const value of values) if (value > largest) largest = value;
  return largest;
}

/** Points around `start`, itself first: normal steps of a half, one and two natural units; [point][coordinate]. */
export function startsAround(start: Float64Array, count: number, seed: string | number): Float64Array[] {
  const key = randomKey(seed, "starts");
  return [
    start,
    ...Array.from({ length: count - 1 }, (_, p) =>
      start.map((u, k) => u + [0.5, 1, 2][p % 3] * normal(key, k, p)),
    ),
  ];
}

const normal = (key: Key, k: number, p: number): number => normalQuantile(uniform(key, k, p, 0));
