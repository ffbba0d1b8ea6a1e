/**
 * What a series of reads shows of a device that nobody writes: drift, wandering, noise.
 *
 * Fitted to 467 s of one RRAM cell (datasets/devices, docs/fitting.md).
 */
import { device } from "../src/index.ts";

const source =
  "fitted here to reads of one RRAM cell, Levy 2021, github.com/akashlevy/NI-RRAM-Python, ret1.csv";

/** A conductance that falls as a power of time, and white noise of reads. */
export const driftingRead = device({
  name: "drift and white read noise",
  source,
  equations: "G : S",
  initial: { G: "Gset" },
  on: { set: "G = Gset" },
  drift: "G * (max(age, t0) / t0)^(-nu)",
  read: "Gd + readSd * randn()",
  parameters: { Gset: "95 uS", t0: "1 s", nu: 0.0076, readSd: "1.41 uS" },
});

/**
 * A conductance that relaxes to `Gend` with time constant `tau` and is pushed by `wanderSd` from read to read; hum, an
 * oscillation that turns by `turn` (radians) between reads and keeps a part `kept` of itself; white noise. A read is
 * written `tick` (`--set pulse=tick`), as only pulses change what a device stores. Hum comes from the mains
 * and not from the device: mains of 60 Hz look like 4.4 Hz where 21.4 reads are taken a second.
 */
export const wanderingRead = device({
  name: "wandering level, hum and white read noise",
  source,
  equations: `
    G   : S
    hum : S
    ahead : S    # the hum a quarter of a turn later
    was : S
  `,
  initial: { G: "Gend", hum: "0 S", ahead: "0 S", was: "0 S" },
  on: {
    tick: `
      G = Gd + wanderSd * randn()
      was = hum
      hum = kept * (cos(turn) * was - sin(turn) * ahead) + humSd * randn()
      ahead = kept * (sin(turn) * was + cos(turn) * ahead) + humSd * randn()
    `,
  },
  drift: "Gend + (G - Gend) * exp(-age / tau)",
  read: "Gd + hum + readSd * randn()",
  parameters: {
    Gend: "92.9 uS",
    tau: "8.8 s",
    wanderSd: "0.1 uS",
    humSd: "0.17 uS",
    kept: 0.95,
    turn: 1.32,
    readSd: "1.08 uS",
  },
});
