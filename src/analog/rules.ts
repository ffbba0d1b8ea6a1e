/** Rules by which weights on devices learn in place, by name, with the arrays they need. */
import type { WeightStorage } from "../device/storage.ts";
import { ConfigError } from "../math/errors.ts";
import { didYouMean } from "../math/nearest.ts";
import type { Kernels } from "../tensor/kernels.ts";
import { type Crosspoints, crosspointBytes, crosspoints } from "./crosspoints.ts";
import { GatheredWeights, type GatherOptions } from "./gathered.ts";
import { PulsedWeights, type PulseTrainOptions, TrainWriter, type UpkeepOptions } from "./pulsed.ts";
import { type ConverterOptions, converterRead, exactRead, type Reader, readBytes } from "./reads.ts";
import { type TransferOptions, TransferWeights, transferKinds } from "./transfer.ts";
import type { Weights } from "./weights.ts";

/**
 * How weights learn: by trains of pulses ("pulsed", pulsed.ts), by changes gathered beside them and written by trains
 * ("gathered", gathered.ts), or by one of four transfers from a fast array to a slow one (transfer.ts).
 */
export type Rule =
  | ({ readonly kind: "pulsed" } & { readonly trains?: PulseTrainOptions })
  | ({ readonly kind: "gathered" } & GatherOptions)
  | TransferOptions;

export const ruleKinds = ["pulsed", "gathered", ...transferKinds] as const;

/** Throws `ConfigError` for a rule that there is not. */
export function checkRule({ kind }: { readonly kind: string }): void {
  if (!(ruleKinds as readonly string[]).includes(kind))
    throw new ConfigError(`there is no rule ${kind}${didYouMean(kind, ruleKinds)}`);
}

export interface RuleOptions {
  readonly rows: number;
  readonly columns: number;
  readonly storage: WeightStorage;
  readonly rule: Rule;
  /** Converters around products with the weights. Left out: products are exact but for the noise of reads. */
  readonly converters?: ConverterOptions;
  readonly seed: string;
  readonly upkeep?: UpkeepOptions;
}

/** Weights on devices with what is behind them. */
export interface DeviceWeights {
  readonly weights: Weights;
  /** The array of the weights; of a transfer the slow one, then the fast one. */
  readonly arrays: readonly Crosspoints[];
}

const arraysOf = ({ kind }: Rule): number => (kind === "pulsed" || kind === "gathered" ? 1 : 2);

/** Bytes of the heap that `ruleWeights` takes, at most. */
export function ruleBytes(o: Pick<RuleOptions, "rows" | "columns" | "storage" | "rule">): number {
  const own = { pulsed: TrainWriter.bytes(o), gathered: GatheredWeights.bytes(o) };
  const rest =
    o.rule.kind === "pulsed" || o.rule.kind === "gathered" ? own[o.rule.kind] : TransferWeights.bytes(o);
  return arraysOf(o.rule) * (crosspointBytes(o) + readBytes(o)) + rest;
}

/** Makes weights that learn by a rule. Throws `ConfigError`. */
export async function ruleWeights(kernels: Kernels, options: RuleOptions): Promise<DeviceWeights> {
  const { rows, columns, storage, rule, converters, seed, upkeep } = options;
  checkRule(rule);
  const array = (name: string) =>
    crosspoints(kernels.heap, { rows, columns, storage, seed: `${seed}/${name}` });
  const reader: Reader = converters ? converterRead(converters) : exactRead;
  if (rule.kind === "pulsed" || rule.kind === "gathered") {
    const cells = await array("array");
    const o = { read: reader(kernels, cells, seed), seed, upkeep };
    const weights =
      rule.kind === "pulsed"
        ? new PulsedWeights(cells, { ...o, trains: rule.trains })
        : new GatheredWeights(kernels, cells, { ...o, gather: rule });
    return { weights, arrays: [cells] };
  }
  const [slow, fast] = [await array("slow"), await array("fast")];
  // one column is read: neither scaled by the largest input nor again with less, as in aihwkit
  const transferReader = converters
    ? converterRead({ ...converters, scaled: false, bounded: false })
    : exactRead;
  const o = { transfer: rule, reader, transferReader, seed, upkeep };
  return { weights: new TransferWeights(kernels, { fast, slow }, o), arrays: [slow, fast] };
}
