/**
 * Deep networks as shapes, for mapping on crossbars and its cost: matrices and how often each is used, no weights.
 *
 * The eleven networks of the table of Rasch et al. 2023, and keyword and person detection for one array. Where the
 * length of a sequence is not published it is a parameter, whose default gives the published reuse of tiles.
 */
import { layersShape, type MatrixShape, type NetworkShape, networkShape } from "../src/index.ts";
import { analognetVww as analognetVwwLayers, analognetVwwShape, analognetVwwStages } from "./analognet.ts";

const rasch = "Rasch et al. 2023, Nat. Commun. 14:5282, doi:10.1038/s41467-023-40770-4";
const zhou = "Zhou et al. 2021, arXiv:2111.06503";
const banbury = "Banbury et al. 2021, Proc. MLSys 3, arXiv:2010.11267";

/** Height and width of an image. */
type Size = readonly [number, number];

interface Convolution {
  readonly name: string;
  readonly size: Size; // of its input
  readonly channels: number;
  readonly outputs: number;
  readonly kernel: Size;
  readonly stride?: number; // default 1
  readonly groups?: number;
  readonly analog?: boolean;
}

/** Size after a stride, with as much padding as keeps the size at stride 1. */
const strided = ([height, width]: Size, stride: number): Size => [
  Math.ceil(height / stride),
  Math.ceil(width / stride),
];

/** A convolution with padding. */
function convolution({
  name,
  size,
  channels,
  outputs,
  kernel,
  stride = 1,
  ...rest
}: Convolution): MatrixShape {
  const [height, width] = strided(size, stride);
  const inputs = kernel[0] * kernel[1] * channels;
  return { name, kind: "convolution", inputs, outputs, kernel, positions: height * width, ...rest };
}

function dense(name: string, inputs: number, outputs: number, positions = 1, analog = true): MatrixShape {
  return { name, kind: "dense", inputs, outputs, positions, analog };
}

/** The matrices of an LSTM: from its inputs and from its own last outputs, each to its four gates. */
function lstm(name: string, inputs: number, hidden: number, positions: number): MatrixShape[] {
  const gates = { kind: "recurrent", outputs: 4 * hidden, positions } as const;
  return [
    { name: `${name} input`, inputs, ...gates },
    { name: `${name} hidden`, inputs: hidden, ...gates },
  ];
}

/** LSTM layers that read a sequence in both directions. */
function bidirectional(layers: number, inputs: number, hidden: number, positions: number): MatrixShape[] {
  return Array.from({ length: layers }, (_, k) =>
    ["forward", "backward"].flatMap((direction) =>
      lstm(`layer ${k + 1} ${direction}`, k === 0 ? inputs : 2 * hidden, hidden, positions),
    ),
  ).flat();
}

const square = (size: number): Size => [size, size];

/** Stages of blocks of two 3 x 3 convolutions, 1 x 1 where channels or size change; all have a stride of 2 but the first. */
function basicBlocks(options: {
  readonly size: number;
  readonly channels: number;
  readonly stages: readonly number[];
  readonly blocks: number;
}): MatrixShape[] {
  let { size, channels } = options;
  const all: MatrixShape[] = [];
  for (const [s, outputs] of options.stages.entries())
    for (let b = 0; b < options.blocks; b++) {
      const name = `stage ${s + 1} block ${b + 1}`;
      const stride = s > 0 && b === 0 ? 2 : 1;
      const entry = { size: square(size), channels, outputs, stride };
      all.push(convolution({ ...entry, name: `${name} conv 1`, kernel: [3, 3] }));
      size /= stride;
      const second = { size: square(size), channels: outputs, outputs, kernel: [3, 3] } as const;
      all.push(convolution({ ...second, name: `${name} conv 2` }));
      if (channels !== outputs) all.push(convolution({ ...entry, name: `${name} shortcut`, kernel: [1, 1] }));
      channels = outputs;
    }
  return all;
}

/** The first layer of networks for ImageNet: 224 x 224 x 3 to 112 x 112 x 64; digital in the paper. */
const stem = convolution({
  name: "stem",
  size: [224, 224],
  channels: 3,
  outputs: 64,
  kernel: [7, 7],
  stride: 2,
  analog: false,
});

/** Stages of blocks 1 x 1, 3 x 3, 1 x 1, with the stride on the middle one, as in torchvision. */
function bottlenecks(widths: readonly number[]): MatrixShape[] {
  let [size, channels] = [56, 64]; // after the stem and its pooling
  const all: MatrixShape[] = [];
  for (const [s, width] of widths.entries())
    for (let b = 0; b < [3, 4, 6, 3][s]; b++) {
      const name = `stage ${s + 1} block ${b + 1}`;
      const stride = s > 0 && b === 0 ? 2 : 1;
      const outputs = 256 * 2 ** s;
      const entry = { size: square(size), channels };
      const middle = { size: square(size), channels: width, outputs: width, stride };
      all.push(convolution({ ...entry, name: `${name} reduce`, outputs: width, kernel: [1, 1] }));
      all.push(convolution({ ...middle, name: `${name} conv`, kernel: [3, 3] }));
      if (b === 0)
        all.push(convolution({ ...entry, name: `${name} shortcut`, outputs, stride, kernel: [1, 1] }));
      size /= stride;
      const last = { size: square(size), channels: width, outputs, kernel: [1, 1] } as const;
      all.push(convolution({ ...last, name: `${name} expand` }));
      channels = outputs;
    }
  return all;
}

/** ResNet-32 for CIFAR-10: 361,722 parameters with the ten biases of its last layer. */
const resnet32 = networkShape({
  name: "ResNet-32",
  source: `${rasch}; stages of 16, 28 and 56 channels: Joshi et al. 2020, Nat. Commun. 11:2473`,
  sample: "image of 32 x 32 x 3 (CIFAR-10)",
  matrices: [
    convolution({ name: "stem", size: [32, 32], channels: 3, outputs: 16, kernel: [3, 3] }),
    ...basicBlocks({ size: 32, channels: 16, stages: [16, 28, 56], blocks: 5 }),
    dense("classes", 56, 10),
  ],
});

const wrn16 = networkShape({
  name: "WideResNet-16-8",
  source: rasch,
  sample: "image of 32 x 32 x 3 (CIFAR-100)",
  matrices: [
    convolution({ name: "stem", size: [32, 32], channels: 3, outputs: 16, kernel: [3, 3] }),
    ...basicBlocks({ size: 32, channels: 16, stages: [128, 256, 512], blocks: 2 }),
    dense("classes", 512, 100),
  ],
});

const imagenet = "image of 224 x 224 x 3 (ImageNet)";
const torchvision = `${rasch}; layers as in torchvision`;

const resnet18 = networkShape({
  name: "ResNet-18",
  source: torchvision,
  sample: imagenet,
  matrices: [
    stem,
    ...basicBlocks({ size: 56, channels: 64, stages: [64, 128, 256, 512], blocks: 2 }),
    dense("classes", 512, 1000, 1, false),
  ],
});

const resnet50 = networkShape({
  name: "ResNet-50",
  source: torchvision,
  sample: imagenet,
  matrices: [stem, ...bottlenecks([64, 128, 256, 512]), dense("classes", 2048, 1000, 1, false)],
});

const wrn50 = networkShape({
  name: "WideResNet-50-2",
  source: torchvision,
  sample: imagenet,
  matrices: [stem, ...bottlenecks([128, 256, 512, 1024]), dense("classes", 2048, 1000, 1, false)],
});

/** Every layer of a block sees all before it: 32 channels more with each; between blocks half of them, at half the size. */
function denseBlocks(): MatrixShape[] {
  let [size, channels] = [56, 64];
  const all: MatrixShape[] = [];
  for (const [b, layers] of [6, 12, 24, 16].entries()) {
    for (let l = 0; l < layers; l++) {
      const name = `block ${b + 1} layer ${l + 1}`;
      const at = { size: square(size) };
      all.push(convolution({ ...at, name: `${name} reduce`, channels, outputs: 128, kernel: [1, 1] }));
      all.push(convolution({ ...at, name: `${name} conv`, channels: 128, outputs: 32, kernel: [3, 3] }));
      channels += 32;
    }
    if (b === 3) break;
    const half = { channels, outputs: channels / 2, kernel: [1, 1] } as const;
    all.push(convolution({ ...half, name: `transition ${b + 1}`, size: square(size) })); // pooled after it
    [size, channels] = [size / 2, channels / 2];
  }
  return all;
}

const densenet121 = networkShape({
  name: "DenseNet-121",
  source: torchvision,
  sample: imagenet,
  matrices: [stem, ...denseBlocks(), dense("classes", 1024, 1000, 1, false)],
});

/** Linear layers of an encoder block of 768 features, each used `positions` times. */
function encoderBlock(name: string, positions: number): MatrixShape[] {
  return [
    ...["query", "key", "value", "output"].map((part) => dense(`${name} ${part}`, 768, 768, positions)),
    dense(`${name} widen`, 768, 3072, positions),
    dense(`${name} narrow`, 3072, 768, positions),
  ];
}

const pooledClasses = [dense("pooler", 768, 768), dense("classes", 768, 2)];

const bertBase = (tokens = 128): NetworkShape =>
  networkShape({
    name: "BERT-base",
    source: rasch,
    sample: `text of ${tokens} tokens (GLUE)`,
    steps: { count: tokens, unit: "tokens" },
    matrices: [
      ...Array.from({ length: 12 }, (_, k) => encoderBlock(`block ${k + 1}`, tokens)).flat(),
      ...pooledClasses,
    ],
  });

/** One block, used twelve times. */
const albertBase = (tokens = 128): NetworkShape =>
  networkShape({
    name: "ALBERT-base",
    source: rasch,
    sample: `text of ${tokens} tokens (GLUE)`,
    steps: { count: tokens, unit: "tokens" },
    matrices: [
      dense("embedding map", 128, 768, tokens),
      ...encoderBlock("block", 12 * tokens),
      ...pooledClasses,
    ],
  });

/** The length is not published; 17 frames give the published reuse of 17. */
const speechLstm = (frames = 17): NetworkShape =>
  networkShape({
    name: "speech LSTM",
    source: rasch,
    sample: `${frames} frames of speech (SWB300)`,
    steps: { count: frames, unit: "frames" },
    matrices: [
      ...bidirectional(4, 140, 512, frames),
      dense("linear", 1024, 256, frames),
      dense("states", 256, 32_000, frames),
    ],
  });

/** The length is not published; 26 words give the published reuse of 26. */
const lstmPtb = (words = 26): NetworkShape =>
  networkShape({
    name: "LSTM for Penn Treebank",
    source: rasch,
    sample: `${words} words (Penn Treebank)`,
    steps: { count: words, unit: "words" },
    matrices: [
      ...lstm("layer 1", 650, 650, words),
      ...lstm("layer 2", 650, 650, words),
      dense("words", 650, 10_000, words),
    ],
  });

/**
 * Lengths are not published. With every matrix used once a frame, 790 frames give the published reuse of 790; letters are
 * fewer than frames, so those of the prediction network are counted too often here.
 */
const rnnT = (frames = 790): NetworkShape =>
  networkShape({
    name: "RNN-T",
    source: rasch,
    sample: `${frames} frames of speech (SWB)`,
    steps: { count: frames, unit: "frames" },
    matrices: [
      ...bidirectional(6, 340, 640, frames),
      dense("encoder", 1280, 256, frames),
      ...lstm("prediction", 10, 768, frames),
      dense("prediction", 768, 256, frames),
      dense("joint", 256, 46, frames),
    ],
  });

const keywords: Size = [49, 10];
const keywordSample = "1 s of speech as 49 x 10 MFCC (Speech Commands)";
const keywordStem = convolution({
  name: "conv 1",
  size: keywords,
  channels: 1,
  outputs: 84,
  kernel: [10, 4],
});

/** 300,720 weights for one array of 1024 x 512: 3 x 3 convolutions in place of depthwise-separable ones. */
const analognetKws = networkShape({
  name: "AnalogNet-KWS",
  source: `${zhou}; layers follow from its figures of use, speed and operations`,
  sample: keywordSample,
  matrices: [
    keywordStem,
    ...[
      { channels: 84, outputs: 112, size: keywords, stride: 2 },
      { channels: 112, outputs: 84, size: strided(keywords, 2) },
      { channels: 84, outputs: 84, size: strided(keywords, 2) },
      { channels: 84, outputs: 84, size: strided(keywords, 2) },
    ].map((layer, k) => convolution({ name: `conv ${k + 2}`, kernel: [3, 3], ...layer })),
    dense("classes", 84, 12),
  ],
});

/** The network that AnalogNet-KWS is made from: blocks of one 3 x 3 convolution in each channel and a 1 x 1 over all. */
const micronetKwsS = networkShape({
  name: "MicroNet-KWS-S",
  source: banbury,
  sample: keywordSample,
  matrices: [
    keywordStem,
    ...[84, 112, 84, 84, 84].flatMap((channels, k) => {
      const size = k === 0 ? keywords : strided(keywords, 2);
      const at = { size, channels, stride: k === 0 ? 2 : 1 };
      const outputs = [112, 84, 84, 84, 196][k];
      return [
        convolution({
          ...at,
          name: `depthwise ${k + 1}`,
          kernel: [3, 3],
          outputs: channels,
          groups: channels,
        }),
        convolution({
          name: `pointwise ${k + 1}`,
          size: strided(keywords, 2),
          channels,
          outputs,
          kernel: [1, 1],
        }),
      ];
    }),
    dense("classes", 196, 12),
  ],
});

const vwwNames = analognetVwwStages.flatMap(({ blocks }, s) =>
  Array.from({ length: 2 * blocks }, (_, k) => {
    const block = `stage ${s + 1} block ${(k >> 1) + 1}`;
    return `${block} ${k % 2 === 0 ? "widen" : "narrow"}`;
  }),
);

/** A stand-in: its layers are ours, see `analognetVww`. */
const analognetVww = networkShape({
  name: "stand-in for AnalogNet-VWW",
  source: `sums of layers as in ${zhou}; the layers are ours`,
  sample: "grey image of 100 x 100 (Visual Wake Words)",
  matrices: layersShape(analognetVwwLayers(), { inputs: analognetVwwShape }).matrices.map(
    (matrix, k, all) => ({
      ...matrix,
      name: k === 0 ? "stem" : k === all.length - 1 ? "classes" : vwwNames[k - 1],
    }),
  ),
});

/** The networks by name; those of a sequence take its length. */
export const networks: Readonly<Record<string, NetworkShape | ((length?: number) => NetworkShape)>> =
  Object.freeze({
    resnet32,
    wrn16,
    resnet18,
    resnet50,
    densenet121,
    wrn50,
    "bert-base": bertBase,
    "albert-base": albertBase,
    "speech-lstm": speechLstm,
    "lstm-ptb": lstmPtb,
    "rnn-t": rnnT,
    "analognet-kws": analognetKws,
    "analognet-vww": analognetVww,
    "micronet-kws-s": micronetKwsS,
  });
