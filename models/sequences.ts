/** Networks for sequences: language models of long short-term memory and of attention, and a classifier of attention. */
import {
  attention,
  dense,
  dropout,
  embedding,
  gelu,
  globalAveragePool,
  type Layer,
  layerNorm,
  lstm,
  positions,
  residual,
} from "../src/index.ts";

/**
 * The next symbol after each of [time, 1], from all before it in a stream: an embedding, layers of LSTM cells whose states go on
 * from batch to batch, and a dense layer (Zaremba et al. 2014, arXiv:1409.2329, "medium": two layers of 650, dropout 0.5).
 */
export function lstmLanguageModel(o: {
  readonly symbols: number;
  readonly layers?: number;
  readonly units?: number;
  readonly dropout?: number;
}): Layer[] {
  const { symbols, layers = 2, units = 650, dropout: rate = 0.5 } = o;
  const left = rate > 0 ? [dropout(rate)] : [];
  return [
    embedding(symbols, units),
    ...left,
    ...Array.from({ length: layers }, () => [lstm(units, { stateful: true }), ...left]).flat(),
    dense(units, symbols),
  ];
}

interface Blocks {
  readonly layers?: number;
  readonly features?: number;
  readonly heads?: number;
  readonly dropout?: number;
}

const blockDefaults = { layers: 2, features: 64, heads: 4, dropout: 0 } as const;

/** Attention and two dense layers, each beside a shortcut and behind a normalisation (Xiong et al. 2020, ICML, arXiv:2002.04745). */
function blocks(o: Required<Blocks>, causal: boolean): Layer[] {
  const { layers, features, heads, dropout: rate } = o;
  const left = rate > 0 ? [dropout(rate)] : [];
  return Array.from({ length: layers }, () => [
    residual([layerNorm(), attention({ heads, causal }), ...left]),
    residual([layerNorm(), dense(features, 4 * features), gelu(), dense(4 * features, features), ...left]),
  ]).flat();
}

/** The next symbol after each of [time, 1], from those before it (Radford et al. 2019, "Language models are unsupervised multitask learners"). */
export function transformerLanguageModel(o: Blocks & { readonly symbols: number }): Layer[] {
  const own = { ...blockDefaults, ...o };
  const { features, symbols } = own;
  return [
    embedding(symbols, features),
    positions(),
    ...blocks(own, true),
    layerNorm(),
    dense(features, symbols),
  ];
}

/** The class of a sequence [time, inputs], whose times see each other (encoder of Vaswani et al. 2017, arXiv:1706.03762). */
export function transformerClassifier(
  o: Blocks & { readonly inputs: number; readonly classes: number },
): Layer[] {
  const own = { ...blockDefaults, ...o };
  const { features, inputs, classes } = own;
  return [
    dense(inputs, features),
    positions(),
    ...blocks(own, false),
    layerNorm(),
    globalAveragePool(),
    dense(features, classes),
  ];
}
