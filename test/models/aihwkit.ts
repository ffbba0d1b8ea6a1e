/** Samples against quantiles of aihwkit: golden/devices_aihwkit.json, made by the script beside it. */
import { readFileSync } from "node:fs";

interface Golden {
  readonly levels: readonly number[];
  readonly training: Readonly<Record<string, Training>>;
  readonly inference: Readonly<Record<string, Inference>>;
}

/** Weights; one weight unit is 10 uS in models/step-presets.ts. */
export interface Training {
  /** Before a pulse, after one up, after one down; no spreads, float32. */
  readonly steps: readonly [readonly number[], readonly number[], readonly number[]];
  readonly parameters: Readonly<Record<string, readonly number[]>>;
  readonly pulses: readonly {
    readonly direction: 1 | -1;
    readonly count: number;
    readonly weights: readonly number[];
  }[];
}

/** uS, s. */
export interface Inference {
  readonly rows: readonly {
    readonly target: number;
    readonly programmed: readonly number[];
    readonly at: readonly { readonly time: number; readonly quantiles: readonly number[] }[];
  }[];
}

export const golden = JSON.parse(
  readFileSync(new URL("../golden/devices_aihwkit.json", import.meta.url), "utf8"),
) as Golden;

const goldenSize = 1e6;
/** Normal quantile of 1 - 1e-6 / 120: a false alarm in one of 60 comparisons comes once in a million. */
const limit = 5.77;

/**
 * Largest distance between a sample's distribution and golden quantiles in units of its limit: above 1 they differ. Both
 * are samples, so the share p below a quantile has the variance p (1 - p) (1/n + 1/N). A quantile with devices piled up on
 * it, at a bound, may lie anywhere within their share.
 */
export function departure(sample: ArrayLike<number>, quantiles: readonly number[]): number {
  const n = sample.length;
  return Math.max(
    ...quantiles.map((quantile, k) => {
      const p = golden.levels[k];
      const rounding = 1e-6 * Math.max(Math.abs(quantile), 1e-3); // float32, seven digits
      let below = 0;
      let notAbove = 0;
      for (let i = 0; i < n; i++) {
        if (sample[i] < quantile - rounding) below++;
        if (sample[i] <= quantile + rounding) notAbove++;
      }
      const outside = Math.max(below / n - p, p - notAbove / n, 0);
      return outside / (limit * Math.sqrt(p * (1 - p) * (1 / n + 1 / goldenSize)));
    }),
  );
}
