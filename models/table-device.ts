/** A device whose steps are interpolated in a table of measured points. */
import { ConfigError, device } from "../src/index.ts";
import { numbered, piecewiseLinear } from "./piecewise.ts";

export interface StepTable {
  readonly name?: string;
  readonly source?: string;
  /** Of all numbers here, such as "uS". */
  readonly unit: string;
  /** Conductances, rising: the bounds of the device are the first and the last. */
  readonly G: readonly number[];
  /** Mean rise of a pulse `up` at each conductance. */
  readonly up: readonly number[];
  /** Mean fall of a pulse `down` at each conductance, positive. */
  readonly down: readonly number[];
  /** Spread of a step from pulse to pulse, a fraction. Default 0. */
  readonly pulseSd?: number;
  /** Spread of the step from device to device, a fraction. Default 0. */
  readonly stepSd?: number;
}

/**
 * Steps of a table, linear between its points. The points become parameters G0, G1, …, up0, up1, … and down0, down1, …
 * Devices start at G0, where a pulse `reset` takes them back. Throws `ConfigError` for fewer than two points, lists of
 * unequal length, or conductances that do not rise.
 */
export function tableDevice({ name = "table of steps", source = "definition", unit, ...table }: StepTable) {
  const { G, up, down, pulseSd = 0, stepSd = 0 } = table;
  const count = G.length;
  if (count < 2 || up.length !== count || down.length !== count)
    throw new ConfigError(
      `a table of steps has two points or more, as many up and down as G, not ${count}, ${up.length} and ${down.length}`,
    );
  const wrong = G.findIndex((value, k) => !(value > (k === 0 ? Number.NEGATIVE_INFINITY : G[k - 1])));
  if (wrong >= 0) throw new ConfigError(`conductances of a table rise; G[${wrong}] is ${G[wrong]} ${unit}`);
  const quantities = (values: readonly number[]) => values.map((value) => `${value} ${unit}`);
  const step = (direction: "up" | "down") =>
    piecewiseLinear(
      G.map((_, k) => `${direction}${k}`),
      (k) => `(G - G${k}) / (G${k + 1} - G${k})`,
    );
  const parameters: Record<string, string | number> = {
    pulseSd,
    stepSd,
    ...numbered("G", quantities(G)),
    ...numbered("up", quantities(up)),
    ...numbered("down", quantities(down)),
  };
  return device({
    name,
    source,
    equations: `
      G    : S
      gain : 1 (constant)
      rise = gain * (${step("up")})   : S
      fall = gain * (${step("down")}) : S
    `,
    initial: { G: "G0", gain: "max(0, 1 + stepSd * randn())" },
    on: {
      up: `G = clip(G + rise * (1 + pulseSd * randn()), G0, G${count - 1})`,
      down: `G = clip(G - fall * (1 + pulseSd * randn()), G0, G${count - 1})`,
      reset: "G = G0",
    },
    read: "G",
    parameters,
  });
}
