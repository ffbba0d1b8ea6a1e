/** Piecewise linear functions as text of the model language. */

/**
 * A function through `values` at nodes, constant beyond the first and the last. `fraction(k)` is the text of how far the
 * argument has come from node k to node k + 1; what lies outside 0 to 1 is cut off here.
 */
export function piecewiseLinear(values: readonly string[], fraction: (k: number) => string): string {
  const rises = values.slice(1).map((value, k) => `(${value} - ${values[k]}) * clip(${fraction(k)}, 0, 1)`);
  return [values[0], ...rises].join(" + ");
}

/** Parameters `name0`, `name1`, … with values. */
export function numbered<Value extends string | number>(
  name: string,
  values: readonly Value[],
): Record<string, Value> {
  return Object.fromEntries(values.map((value, k) => [`${name}${k}`, value]));
}
