/**
 * What a page does: runs the networks and posts the outcomes back.
 */
import { cubaOutcome, normadOutcome, type Outcome, stdpOutcome } from "./networks.ts";

export interface PageReport {
  readonly evalIsBlocked: boolean;
  readonly isolated: boolean;
  readonly outcomes: Readonly<Record<string, Outcome>>;
  readonly error?: string;
}

function evalIsBlocked(): boolean {
  try {
    return new Function("return 1")() !== 1;
  } catch {
    return true;
  }
}

async function report(): Promise<PageReport> {
  const isolated = globalThis.crossOriginIsolated;
  const common = { evalIsBlocked: evalIsBlocked(), isolated };
  const outcomes: Record<string, Outcome> = {};
  try {
    for (const precision of ["float64", "float32"] as const) {
      outcomes[`CUBA ${precision}`] = await cubaOutcome(precision);
      if (isolated) outcomes[`CUBA ${precision} 2 threads`] = await cubaOutcome(precision, 2);
      else {
        outcomes[`STDP ${precision}`] = await stdpOutcome(precision);
        outcomes[`NormAD on PCM ${precision}`] = await normadOutcome(precision);
      }
    }
    return { ...common, outcomes };
  } catch (error) {
    return { ...common, outcomes, error: error instanceof Error ? `${error.stack}` : String(error) };
  }
}

await fetch("/result", { method: "POST", body: JSON.stringify(await report()) });
