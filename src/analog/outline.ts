/**
 * The matrices that layers hold, without building them: a network of this program as a shape, for mapping and cost.
 *
 * Names are those of the weights, "3.body.0". Rows of an embedding are looked up and channel-wise convolutions sit in no matrix here: the
 * latter are told as digital.
 */

import { type Layer, nameLayer } from "../deep/layers.ts";
import { borderOf } from "../deep/weighted.ts";
import { ConfigError } from "../math/errors.ts";
import { patchPositions } from "../tensor/patches.ts";
import { checkShape, featuresOf, formatShape, positionsOf, type Shape } from "../tensor/table.ts";
import { type MatrixShape, type NetworkShape, networkShape } from "./shapes.ts";

/**
 * The shape of a network of layers. `inputs`: of one example, as `sequential` takes them. Throws `ConfigError` naming the
 * layer that does not fit.
 */
export function layersShape(
  layers: readonly Layer[],
  o: { readonly inputs: Shape; readonly name?: string; readonly source?: string },
): NetworkShape {
  checkShape(o.inputs, "inputs");
  const matrices: MatrixShape[] = [];
  outlineRow(layers, o.inputs, "", matrices);
  return networkShape({
    name: o.name ?? "network",
    source: o.source ?? "layers of this program",
    sample: `example of ${o.inputs.join(" x ")}`,
    matrices,
  });
}

/** Outputs of layers in a row, whose matrices are added to `matrices`. */
function outlineRow(layers: readonly Layer[], inputs: Shape, path: string, matrices: MatrixShape[]): Shape {
  return layers.reduce((shape, layer, k) => {
    const own = `${path}${k}`;
    const outputs = outline(layer, shape, own, matrices);
    if (outputs.every((size) => Number.isInteger(size) && size >= 1)) return outputs;
    throw new ConfigError(`${nameLayer(layer, own)}: it does not fit inputs of ${formatShape(shape)}`);
  }, inputs);
}

function outline(layer: Layer, inputs: Shape, path: string, matrices: MatrixShape[]): Shape {
  const features = featuresOf(inputs);
  const positions = positionsOf(inputs);
  switch (layer.kind) {
    case "dense": {
      const { outputs } = layer;
      if (layer.inputs !== features)
        throw new ConfigError(`${nameLayer(layer, path)}: the layer before it has ${features} outputs`);
      matrices.push({ name: path, kind: "dense", inputs: features, outputs, positions });
      return [...inputs.slice(0, -1), outputs];
    }
    case "conv2d":
    case "depthwise": {
      if (inputs.length !== 3)
        throw new ConfigError(`${nameLayer(layer, path)}: its inputs are images, not ${formatShape(inputs)}`);
      const { kernel, stride } = layer;
      const image = [inputs[0], inputs[1], features] as const;
      const [height, width] = patchPositions({
        shape: image,
        kernel,
        stride,
        border: borderOf(layer, inputs),
      });
      const isDepthwise = layer.kind === "depthwise";
      const groups = isDepthwise ? features : (layer.groups ?? 1);
      const outputs = isDepthwise ? features : layer.outputs;
      matrices.push({
        name: path,
        kind: "convolution",
        inputs: kernel[0] * kernel[1] * features,
        outputs,
        kernel,
        ...(groups > 1 ? { groups } : {}),
        ...(isDepthwise ? { analog: false } : {}),
        positions: height * width,
      });
      return [height, width, outputs];
    }
    case "lstm":
    case "gru": {
      const { units, bidirectional } = layer;
      const gates = {
        kind: "recurrent",
        outputs: (layer.kind === "gru" ? 3 : 4) * units,
        positions,
      } as const;
      for (const own of bidirectional ? [path, `${path}.reverse`] : [path]) {
        matrices.push({ name: `${own}.input`, inputs: features, ...gates });
        matrices.push({ name: `${own}.hidden`, inputs: units, ...gates });
      }
      const outputs = bidirectional ? 2 * units : units;
      return layer.outputs === "last" ? [outputs] : [inputs[0], outputs];
    }
    case "attention":
      for (const role of ["query", "key", "value", "output"])
        matrices.push({
          name: `${path}.${role}`,
          kind: "dense",
          inputs: features,
          outputs: features,
          positions,
        });
      return inputs;
    case "embedding":
      return [inputs[0], layer.features];
    case "repeat":
      return [layer.times, ...inputs];
    case "flatten":
      return [positions * features];
    case "globalAveragePool":
      return [features];
    case "maxPool":
    case "averagePool":
      return [...[0, 1].map((k) => Math.floor((inputs[k] - layer.size[k]) / layer.stride[k]) + 1), features];
    case "residual": {
      const [body] = (["body", "shortcut"] as const).map((part) =>
        outlineRow(layer[part], inputs, `${path}.${part}.`, matrices),
      );
      return body;
    }
    case "concatenation": {
      const all = layer.branches.map((branch, k) => outlineRow(branch, inputs, `${path}.${k}.`, matrices));
      return [...all[0].slice(0, -1), all.reduce((sum, shape) => sum + featuresOf(shape), 0)];
    }
    default:
      return inputs;
  }
}
