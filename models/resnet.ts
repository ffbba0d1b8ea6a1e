/** Residual networks for small pictures. */
import { batchNorm, conv2d, dense, globalAveragePool, type Layer, relu, residual } from "../src/index.ts";

/** Two 3 x 3 convolutions beside a shortcut, a 1 x 1 convolution where sizes change (He et al. 2016, arXiv:1512.03385). */
function block(inputs: number, outputs: number, stride: number): readonly Layer[] {
  const body = [
    conv2d(outputs, { kernel: 3, stride, bias: false }),
    batchNorm(),
    relu(),
    conv2d(outputs, { kernel: 3, bias: false }),
    batchNorm(),
  ];
  const shortcut =
    inputs === outputs ? [] : [conv2d(outputs, { kernel: 1, stride, bias: false }), batchNorm()];
  return [residual(body, shortcut), relu()];
}

/**
 * 6 n + 2 layers for pictures [height, width, 3]: a 3 x 3 convolution, three stages of n blocks, of which the second and third
 * halve the picture, and a dense layer. With n = 5 and 16, 28, 56 channels ResNet-32 of Joshi et al. 2020, Nat. Commun.
 * 11:2473: 361,722 weights and biases, not counting scales and shifts of normalisation.
 */
export function resnet(
  o: {
    readonly n?: number;
    readonly channels?: readonly [number, number, number];
    readonly classes?: number;
  } = {},
): Layer[] {
  const { n = 5, channels = [16, 28, 56], classes = 10 } = o;
  const stages = channels.flatMap((outputs, s) =>
    Array.from({ length: n }, (_, k) =>
      block(k > 0 ? outputs : channels[Math.max(0, s - 1)], outputs, k === 0 && s > 0 ? 2 : 1),
    ).flat(),
  );
  return [
    conv2d(channels[0], { kernel: 3, bias: false }),
    batchNorm(),
    relu(),
    ...stages,
    globalAveragePool(),
    dense(channels[2], classes),
  ];
}
