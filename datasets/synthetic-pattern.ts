/**
 * The learning task of Nandakumar et al. 2020 (Sci. Rep. 10, doi:10.1038/s41598-020-64878-5) without any recording:
 * moving formants drawn at random in place of spoken letters, for runs that need no ears and no data.
 *
 * 132 streams, 168 cells, 1250 ms as theirs. All else is a choice of ours, drawn anew for each seed: a letter is four
 * ridges over the streams, whose centres move from one stream to another while they swell and fade.
 */

import { imageTarget } from "../src/encode/target.ts";
import { type Pattern, poissonTrains } from "../src/index.ts";
import { randomKey, uniform } from "../src/math/random.ts";
import { letterBitmap } from "./letter-bitmaps.ts";

export interface SyntheticPatternOptions {
  /** Seed of the formants, the input and the desired trains. */
  seed: string | number;
  /** Letters A to Z, whose images are drawn; default I, B, M. */
  letters?: readonly string[];
}

/** What `spokenLetterPattern` gives, but for the sound. */
export type SyntheticPattern = Pick<Pattern, "input" | "desired" | "images" | "windows">;

const streams = 132;
const meanRate = 10; // Hz, over all streams and the whole pattern
const windowLength = 0.3; // s
const windowStart = 0.1; // s
const windowDistance = 0.4; // s, from one beginning to the next
const formants = 4;

/**
 * The task as spike trains: `input` (132 streams, Poisson with a dead time of 2 ms), `desired` (168 cells, Poisson, 20 Hz in
 * the letter's window), the images and their windows. As long as its letters ask: 1250 ms for three. Takes about 0.3 s.
 */
export function syntheticPattern({
  seed,
  letters = ["I", "B", "M"],
}: SyntheticPatternOptions): SyntheticPattern {
  const images = letters.map(letterBitmap);
  const starts = letters.map((_, k) => windowStart + k * windowDistance);
  const milliseconds = Math.round(1000 * (windowStart + letters.length * windowDistance - 0.05));
  const duration = `${milliseconds} ms` as const;
  const key = randomKey(seed, "formants");
  const draw = (letter: number, formant: number, which: number) => uniform(key, letter, formant, which);
  const ridges = letters.map((_, letter) =>
    Array.from({ length: formants }, (_, formant) => ({
      from: streams * draw(letter, formant, 0),
      to: streams * draw(letter, formant, 1),
      width: 6 + 6 * draw(letter, formant, 2), // streams, standard deviation
      height: 0.5 + draw(letter, formant, 3),
    })),
  );
  /** Unscaled rate of a stream at a part (0 to 1) of a letter's window. */
  const shape = (letter: number, stream: number, part: number): number => {
    let sum = 0;
    for (const { from, to, width, height } of ridges[letter]) {
      const away = (stream - from - (to - from) * part) / width;
      sum += height * Math.exp((-away * away) / 2);
    }
    return sum * Math.sin(Math.PI * part);
  };

  // the mean of the shapes over streams and pattern, by the midpoint rule over the windows
  const parts = 300;
  let sum = 0;
  for (let letter = 0; letter < letters.length; letter++)
    for (let stream = 0; stream < streams; stream++)
      for (let part = 0; part < parts; part++) sum += shape(letter, stream, (part + 0.5) / parts);
  const mean = (sum / (streams * parts)) * (windowLength / (milliseconds / 1000));
  const at = (stream: number, time: number): number => {
    const letter = Math.floor((time - windowStart) / windowDistance);
    const part = (time - starts[letter]) / windowLength;
    return part >= 0 && part < 1 ? (meanRate / mean) * shape(letter, stream, part) : 0;
  };
  const input = poissonTrains({ size: streams, at }, { duration, seed: `${seed}/input`, deadTime: "2 ms" });
  const inMilliseconds = (time: number) => `${Math.round(1000 * time)} ms` as const;
  const length = inMilliseconds(windowLength);
  const desired = imageTarget(
    images.map((image, k) => ({ image, start: inMilliseconds(starts[k]), duration: length })),
    { seed, duration },
  );
  const windows = starts.map((start) => {
    const window: [number, number] = [start, start + windowLength];
    return { sound: window, image: window };
  });
  return { input, desired, images, windows };
}
