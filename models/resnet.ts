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

/**
 * 6 n + 4 layers for pictures [height, width, 3], wide instead of deep: a 3 x 3 convolution to 16 channels, three stages of n blocks
 * of `widen` times 16, 32 and 64 channels, of which the second and third halve the picture, and a dense layer. Blocks normalise
 * and rectify before they multiply (Zagoruyko & Komodakis 2016, arXiv:1605.07146). With n = 2 and widen = 8 WideResNet-16-8 of
 * Rasch et al. 2023, Nat. Commun. 14:5282, for CIFAR-100: 11,000,240 weights in matrices.
 */
export function wideResnet(
  o: { readonly widen?: number; readonly n?: number; readonly classes?: number } = {},
): Layer[] {
  const { widen = 8, n = 2, classes = 100 } = o;
  const channels = [16, 16 * widen, 32 * widen, 64 * widen];
  const stages = [1, 2, 3].flatMap((s) =>
    Array.from({ length: n }, (_, k) =>
      wideBlock(k > 0 ? channels[s] : channels[s - 1], channels[s], k === 0 && s > 1 ? 2 : 1),
    ).flat(),
  );
  return [
    conv2d(channels[0], { kernel: 3, bias: false }),
    ...stages,
    batchNorm(),
    relu(),
    globalAveragePool(),
    dense(channels[3], classes),
  ];
}

/** Where channels change, body and shortcut get the same normalised and rectified inputs. */
function wideBlock(inputs: number, outputs: number, stride: number): readonly Layer[] {
  const first = [batchNorm(), relu()];
  const body = [
    conv2d(outputs, { kernel: 3, stride, bias: false }),
    batchNorm(),
    relu(),
    conv2d(outputs, { kernel: 3, bias: false }),
  ];
  return inputs === outputs && stride === 1
    ? [residual([...first, ...body])]
    : [...first, residual(body, [conv2d(outputs, { kernel: 1, stride, bias: false })])];
}
