/**
 * The learning task of Nandakumar et al. 2020 (Sci. Rep. 10, doi:10.1038/s41598-020-64878-5) on real speech: spoken
 * letters, heard by a cochlea of 132 streams, are to make 168 cells draw the images of those letters.
 *
 * Theirs: spoken I, B, M, a silicon cochlea, 132 streams, 168 cells, 1250 ms. Ours: the recordings of
 * spoken-letters.ts, the model of src/encode/cochlea.ts, the bitmaps of letter-bitmaps.ts, and the layout in time of
 * src/encode/pattern.ts.
 */

import type { Pattern, SoundPatternOptions } from "../src/encode/pattern.ts";
import { soundPattern } from "../src/encode/pattern.ts";
import { letterBitmap } from "./letter-bitmaps.ts";
import { shippedVoice, spokenLetters } from "./spoken-letters.ts";
import type { FetchOptions } from "./store.ts";

export interface SpokenPatternOptions extends SoundPatternOptions, FetchOptions {
  /** Default "en_US_f_Allison", whose I, B and M ship with the program. */
  voice?: string;
  /** Letters A to Z, in the order in which they are spoken; default I, B, M. */
  letters?: readonly string[];
}

/**
 * The task as spike trains: `input` (132 streams by default), `desired` (168 cells), the images and their windows.
 * `seed` draws the desired trains only: the input of a voice is the same for all seeds. Takes about 0.4 s.
 */
export async function spokenLetterPattern(options: SpokenPatternOptions): Promise<Pattern> {
  const { voice = shippedVoice, letters = ["I", "B", "M"], progress, signal, ...pattern } = options;
  const recordings = await spokenLetters({ voice, letters }, { progress, signal });
  const sounds = recordings.map(({ audio, letter }) => ({ audio, image: letterBitmap(letter) }));
  return soundPattern(sounds, pattern);
}
