/**
 * Devices whose parameters are drawn from what a fit knows about them: its posterior.
 *
 * Once for a whole run, which tells how much an uncertain fit matters; or for every device by itself, as a new model
 * text. Knows nothing of how the posterior was found.
 */
import { device, type Model } from "../language/model.ts";
import { ConfigError } from "../math/errors.ts";
import type { Matrix } from "../math/matrix.ts";
import { normalQuantile } from "../math/normal.ts";
import { randomKey, uniform } from "../math/random.ts";
import { formatDimension } from "../math/units.ts";
import type { DeviceFile, Fitted } from "./file.ts";

/** Who has parameters of its own: all devices of a run the same ones, or every device its own. */
export type PosteriorOptions =
  | { readonly per: "run"; readonly seed: string | number }
  | { readonly per: "device" };

// Streams of the draws for a run.
const whichSample = 0;
const normals = 1;

/**
 * The device of a file with its free parameters drawn from their posterior. A draw on the wrong side of zero, by the
 * parameter's 95 % interval, becomes the end of the interval that is nearest to zero.
 *
 * `per: "run"`: one of the samples, or where there are none a multivariate normal number about the fitted values with
 * the fit's covariance; a function of the seed. `per: "device"`: every free parameter becomes a stored constant of the
 * device, mean_j + sum over k of L_jk z_k, with L the Cholesky factor of the covariance and z_k standard normal numbers
 * that the device keeps; then `mean` is the parameter `<name>_mean`, L_jk is `<name>_<k>`. Throws `ConfigError` when
 * the file has no posterior, `ModelError` when a free parameter stands where no variable may.
 */
export function sampledDevice({ model, fitted }: DeviceFile, options: PosteriorOptions): Model<"device"> {
  const { name } = model.checked;
  if (!fitted) throw new ConfigError(`${name} has no posterior to draw from: its file has no "fitted"`);
  return options.per === "run" ? drawn(model, fitted, options.seed) : spread(model, fitted);
}

function drawn(model: Model<"device">, fitted: Fitted, seed: string | number): Model<"device"> {
  const { free, samples, intervals95 } = fitted;
  const key = randomKey(seed, "posterior");
  const draw = (): readonly number[] => {
    if (samples) return samples[Math.floor(uniform(key, whichSample, 0, 0) * samples.length)];
    const z = free.map((_, k) => normalQuantile(uniform(key, normals, k, 0)));
    const factor = cholesky(fitted.covariance);
    return free.map(
      (each, j) => parameterOf(model, each).value + factor[j].reduce((sum, l, k) => sum + l * z[k], 0),
    );
  };
  const values = draw().map((value, j) => {
    const bound = nearestToZero(intervals95[free[j]]);
    return value * bound < 0 ? bound : value;
  });
  return model.with(Object.fromEntries(free.map((each, j) => [each, written(model, each, values[j])])));
}

function spread(model: Model<"device">, fitted: Fitted): Model<"device"> {
  const { free, intervals95, covariance } = fitted;
  const { definition, checked } = model;
  const factor = cholesky(covariance);
  const taken = new Set(
    [...checked.parameters, ...checked.variables, ...checked.derived].map(({ name }) => name),
  );
  const fresh = (wish: string): string => {
    let name = wish;
    while (taken.has(name)) name += "_";
    taken.add(name);
    return name;
  };
  const parameters: Record<string, string | number> = { ...definition.parameters };
  const equations: string[] = [];
  const initial: Record<string, string | number> = {};
  const normalsOf = free.map((_, k) => fresh(`posterior_${k}`));
  normalsOf.forEach((z, k) => {
    if (factor[k][k] === 0) return; // nobody depends on it
    equations.push(`${z} : 1 (constant)`);
    initial[z] = "randn()";
  });
  free.forEach((each, j) => {
    const { dimension } = parameterOf(model, each);
    const mean = fresh(`${each}_mean`);
    parameters[mean] = parameters[each];
    delete parameters[each];
    equations.push(`${each} : ${formatDimension(dimension)} (constant)`);
    const terms = [mean];
    normalsOf.forEach((z, k) => {
      if (factor[j][k] === 0) return;
      const weight = fresh(`${each}_${k}`);
      parameters[weight] = written(model, each, factor[j][k]);
      terms.push(`${weight} * ${z}`);
    });
    const sum = terms.join(" + ");
    const bound = nearestToZero(intervals95[each]);
    if (bound === 0) initial[each] = sum;
    else {
      const end = fresh(`${each}_end`);
      parameters[end] = written(model, each, bound);
      initial[each] = `${sum} ${bound > 0 ? ">" : "<"} 0 ? ${sum} : ${end}`;
    }
  });
  return device({
    ...definition,
    name: `${definition.name}, every device from the posterior`,
    equations: `${equations.join("\n")}\n${definition.equations}`,
    initial: { ...initial, ...definition.initial },
    parameters,
  });
}

/** The end of an interval that is nearest to zero; 0 when it holds zero. */
function nearestToZero([low, high]: readonly [number, number]): number {
  return low > 0 ? low : high < 0 ? high : 0;
}

/** The lower triangular L with L L' = a; a row of zeros where `a` has no variance of its own left. */
function cholesky(a: Matrix): number[][] {
  const factor = a.map((row) => row.map(() => 0));
  a.forEach((_, j) => {
    for (let k = 0; k <= j; k++) {
      let rest = a[j][k];
      for (let n = 0; n < k; n++) rest -= factor[j][n] * factor[k][n];
      if (k < j) factor[j][k] = factor[k][k] > 0 ? rest / factor[k][k] : 0;
      // what is left of a variance below 1e-12 of it is rounding
      else factor[j][j] = rest > 1e-12 * a[j][j] ? Math.sqrt(rest) : 0;
    }
  });
  return factor;
}

const parameterOf = (model: Model<"device">, name: string) =>
  model.checked.parameters.find((each) => each.name === name)!;

/** A value of the dimension of parameter `name`, as text. */
function written(model: Model<"device">, name: string, value: number): string | number {
  const unit = formatDimension(parameterOf(model, name).dimension);
  return unit === "1" ? value : `${value} ${unit}`;
}
