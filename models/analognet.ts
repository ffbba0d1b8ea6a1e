/** Networks whose layers sit side by side on one large crossbar. */
import { batchNorm, conv2d, dense, globalAveragePool, type Layer, relu } from "../src/index.ts";

/**
 * AnalogNet-KWS: keywords from 49 x 10 coefficients, [frame, coefficient, 1]. Each depthwise-separable block of MicroNet-KWS-S
 * (Banbury et al. 2021, MLSys) is one dense 3 x 3 convolution, its last block is left out: 300,720 weights (Zhou et al. 2021,
 * arXiv:2111.06503; the layer list follows from its figures of use, speed and operations).
 */
export function analognetKws(classes = 12): Layer[] {
  const block = (outputs: number, kernel: 3 | readonly [number, number], stride: number): Layer[] => [
    conv2d(outputs, { kernel, stride, bias: false }),
    batchNorm(),
    relu(),
  ];
  return [
    ...block(84, [10, 4], 1),
    ...block(112, 3, 2),
    ...block(84, 3, 1),
    ...block(84, 3, 1),
    ...block(84, 3, 1),
    globalAveragePool(),
    dense(84, classes),
  ];
}
