/** From layers to stages. */
import { ConfigError } from "../math/errors.ts";
import { didYouMean } from "../math/nearest.ts";
import { AttentionStage } from "./attention.ts";
import { ConcatenationStage, ResidualStage, RowOfStages } from "./branches.ts";
import { DepthwiseStage } from "./depthwise.ts";
import { EmbeddingStage, PositionsStage } from "./embedding.ts";
import { GroupedStage } from "./grouped.ts";
import { type Layer, layerKinds, nameLayer } from "./layers.ts";
import { BatchNormStage, LayerNormStage } from "./norm.ts";
import { DoneStage, DropoutStage, FlattenStage, PointwiseStage } from "./pointwise.ts";
import { PoolStage } from "./pool.ts";
import { RecurrentStage } from "./recurrent.ts";
import { RepeatStage, SpikingStage } from "./spiking.ts";
import type { Site, Stage } from "./stage.ts";
import { convolutionStage, denseStage } from "./weighted.ts";

/** Stages of layers in a row; some do a rectifier that follows as well. Throws `ConfigError` naming the layer that does not fit. */
export function buildRow(layers: readonly Layer[], site: Site): RowOfStages {
  const stages: Stage[] = [];
  let inputs = site.inputs;
  let needsBackward = site.needsBackward;
  for (const [k, layer] of layers.entries()) {
    const path = site.path ? `${site.path}.${k}` : String(k);
    const own: Site = { ...site, inputs, needsBackward, path, seed: `${site.seed}/${k}` };
    const stage = isRectified(layers[k - 1], layer)
      ? new DoneStage(own)
      : named(layer, path, () => stageOf(layer, own, isRectified(layer, layers[k + 1])));
    stages.push(stage);
    inputs = stage.outputs;
    needsBackward ||= stage.parameters.length > 0;
  }
  return new RowOfStages(site.inputs, stages, site.needsBackward);
}

/** Whether a layer does what the next one is for. */
const isRectified = (layer: Layer | undefined, next: Layer | undefined): boolean =>
  next?.kind === "relu" && (layer?.kind === "batchNorm" || layer?.kind === "residual");

/** Errors of layers inside a layer name the inner one already. */
function named<T>(layer: Layer, path: string, build: () => T): T {
  try {
    return build();
  } catch (error) {
    if (!(error instanceof ConfigError) || error.message.startsWith("layer ")) throw error;
    throw new ConfigError(`${nameLayer(layer, path)}: ${error.message}`);
  }
}

function stageOf(layer: Layer, site: Site, isRectified: boolean): Stage {
  switch (layer.kind) {
    case "dense":
      return denseStage(layer, site);
    case "conv2d":
      return (layer.groups ?? 1) === 1 ? convolutionStage(layer, site) : new GroupedStage(site, layer);
    case "depthwise":
      return new DepthwiseStage(site, layer);
    case "sigmoid":
    case "tanh":
    case "relu":
    case "gelu":
      return new PointwiseStage(site, layer.kind);
    case "dropout":
      if (!(layer.rate >= 0 && layer.rate < 1))
        throw new ConfigError(`its rate is from 0 to below 1, not ${layer.rate}`);
      return new DropoutStage(site, layer.rate);
    case "flatten":
      return new FlattenStage(site);
    case "maxPool":
    case "averagePool":
    case "globalAveragePool":
      return new PoolStage(site, layer);
    case "batchNorm":
      return new BatchNormStage(site, layer, isRectified);
    case "layerNorm":
      return new LayerNormStage(site, layer);
    case "embedding":
      return new EmbeddingStage(site, layer);
    case "positions":
      return new PositionsStage(site);
    case "lstm":
    case "gru":
      return new RecurrentStage(site, layer);
    case "repeat":
      return new RepeatStage(site, layer);
    case "spiking":
      return new SpikingStage(site, layer);
    case "attention":
      return new AttentionStage(site, layer);
    case "residual":
      return new ResidualStage(site, layer, isRectified);
    case "concatenation":
      return new ConcatenationStage(site, layer);
    default: {
      const { kind } = layer as { readonly kind: unknown };
      throw new ConfigError(`there is no layer ${kind}${didYouMean(String(kind), layerKinds)}`);
    }
  }
}
