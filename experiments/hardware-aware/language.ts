/** Texts as tasks for language models: the next word or character. */
import {
  type Corpus,
  pennTreebank,
  shakespeare,
  textBatches,
  warAndPeace,
  warAndPeaceSample,
} from "../../datasets/text.ts";
import { ConfigError, type Examples } from "../../src/index.ts";

const texts: Readonly<Record<string, () => Promise<Corpus>>> = {
  "ptb-words": () => pennTreebank("word"),
  "ptb-characters": () => pennTreebank("character"),
  "war-and-peace": warAndPeace,
  shakespeare,
  sample: warAndPeaceSample,
};

/** Which text, and how much of it. */
export interface TextOptions {
  readonly data: string;
  /** So many of the most frequent words are kept, the others are <unk>; 0 keeps all. */
  readonly vocabulary: number;
  /** Symbols to learn from and to test on, from the beginning of each part; 0 for all. */
  readonly learnt: number;
  readonly tested: number;
  /** Streams side by side, and symbols of each at once. */
  readonly batch: number;
  readonly time: number;
}

export interface TextTask {
  readonly train: Examples;
  readonly test: Examples;
  readonly symbols: number;
  /** Which text, what of it, and how it is divided. */
  readonly split: string;
}

/** Stretches of a text in the order in which streams are read: [batch][stream][time], each labelled with what follows. */
function streams(tokens: Uint16Array, o: { readonly batch: number; readonly time: number }): Examples {
  const all = [...textBatches(tokens, o)];
  const size = o.batch * o.time;
  const inputs = new Float32Array(all.length * size);
  const labels = new Int32Array(all.length * size);
  all.forEach((batch, k) => {
    inputs.set(batch.inputs, k * size);
    labels.set(batch.targets, k * size);
  });
  return { inputs, labels };
}

/**
 * A text to learn from and to test on. Throws `ConfigError` for one that there is not, `DataError` for one that is not here.
 * `others`: names of data that are no text.
 */
export async function textTask(o: TextOptions, others: readonly string[] = []): Promise<TextTask> {
  if (!Object.hasOwn(texts, o.data))
    throw new ConfigError(
      `data is ${[...Object.keys(texts), ...others].join(", ")}, not ${JSON.stringify(o.data)}`,
    );
  const { symbols, train, test, split } = await texts[o.data]();
  const kept = o.vocabulary > 0 ? Math.min(o.vocabulary, symbols.length) : symbols.length;
  const unknown = symbols.indexOf("<unk>");
  if (kept < symbols.length && !(unknown >= 0 && unknown < kept))
    throw new ConfigError(`${split}: there is no <unk> among the first ${kept} symbols for the others`);
  const part = (tokens: Uint16Array, count: number): Uint16Array =>
    tokens.slice(0, count > 0 ? count : tokens.length).map((token) => (token < kept ? token : unknown));
  const [learnt, tested] = [part(train, o.learnt), part(test, o.tested)];
  return {
    train: streams(learnt, o),
    test: streams(tested, o),
    symbols: kept,
    split: `${split}; ${kept} symbols, ${learnt.length} to learn from, ${tested.length} to test on`,
  };
}
