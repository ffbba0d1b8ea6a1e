/** Sound from the bytes of a file whose format its first four bytes tell. */

import { DataError } from "../math/errors.ts";
import type { Audio } from "./audio.ts";
import { decodeFlac } from "./flac.ts";
import { decodeWav } from "./wav.ts";

/** WAV or FLAC bytes to samples. Throws `DataError` (`source`, byte offset, reason) on damage and on other formats. */
export function decodeAudio(bytes: Uint8Array, source = "audio"): Audio {
  const magic = String.fromCharCode(...bytes.subarray(0, 4));
  if (magic === "fLaC") return decodeFlac(bytes, source);
  if (magic === "RIFF") return decodeWav(bytes, source);
  throw new DataError(
    `${source}: byte 0: neither WAV ("RIFF") nor FLAC ("fLaC"), the file starts with ${JSON.stringify(magic)}`,
  );
}
