/** Networks whose layers sit side by side on one large crossbar. */
import { batchNorm, conv2d, dense, globalAveragePool, type Layer, relu, residual } from "../src/index.ts";

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

/**
 * Stages of the stand-in for AnalogNet-VWW, searched until weights, cycles, operations and three efficiencies came within 1 % of those
 * published. `widen`: outputs of a block's 3 x 3 convolution over the channels that come in.
 */
export const analognetVwwStages = [
  { blocks: 3, widen: 1, outputs: 36 },
  { blocks: 2, widen: 3, outputs: 28 },
  { blocks: 2, widen: 4, outputs: 52 },
  { blocks: 1, widen: 4, outputs: 132 },
] as const;

/** Of the images that the stand-in for AnalogNet-VWW sees: [height, width, grey]. */
export const analognetVwwShape = [100, 100, 1] as const;

/**
 * A stand-in for AnalogNet-VWW, which tells whether a person is in a picture: the layers of the published network are not known to
 * us, its weights (353.9 thousand), cycles and operations are (Zhou et al. 2021, arXiv:2111.06503). Inverted bottlenecks whose
 * widening and channel-wise convolutions are one (Tan & Le 2021, arXiv:2104.00298, "fused"): a 3 x 3 convolution that widens, a 1 x 1
 * that narrows without ReLU, and the inputs added where shapes agree (Sandler et al. 2018, arXiv:1801.04381). Sums are those of
 * `analognetVwwShape`; images of any other size or number of colours do.
 */
export function analognetVww(classes = 2): Layer[] {
  const channelsOfStem = 4;
  const block = (inputs: number, width: number, outputs: number, stride: number): Layer[] => {
    const body = [
      conv2d(width, { kernel: 3, stride, bias: false }),
      batchNorm(),
      relu(),
      conv2d(outputs, { kernel: 1, bias: false }),
      batchNorm(),
    ];
    return inputs === outputs && stride === 1 ? [residual(body)] : body;
  };
  let channels = channelsOfStem;
  const stages = analognetVwwStages.flatMap(({ blocks, widen, outputs }) =>
    Array.from({ length: blocks }, (_, k) => {
      const layers = block(channels, widen * channels, outputs, k === 0 ? 2 : 1);
      channels = outputs;
      return layers;
    }).flat(),
  );
  return [
    conv2d(channelsOfStem, { kernel: 3, stride: 2, bias: false }),
    batchNorm(),
    relu(),
    ...stages,
    globalAveragePool(),
    dense(channels, classes),
  ];
}
