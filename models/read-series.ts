/**
 * What a series of reads shows of a device that nobody writes: drift, wandering, noise.
 *
 * Fitted to 467 s of one RRAM cell (datasets/devices, docs/fitting.md).
 */
import { device } from "../src/index.ts";

const source =
  "fitted here to reads of one RRAM cell, Levy 2021, github.com/akashlevy/NI-RRAM-Python, ret1.csv";

/** A conductance that falls as a power of time, and white noise of reads. What `set` does was not measured: stand-ins. */
export const driftingRead = device({
  name: "drift and white read noise",
  source,
  equations: "G : S",
  initial: { G: "Gset" },
  on: { set: "G = Gset * (1 + setSd * randn())" },
  drift: "G * (max(age, t0) / t0)^(-nu)",
  read: "Gd + readSd * randn()",
  parameters: { Gset: "95 uS", setSd: 0.05, t0: "1 s", nu: 0.0076, readSd: "1.41 uS" },
});

/**
 * A level that wanders slowly, relaxing to `Gend` with time constant `tau` and pushed by `slowSd` from read to read; on
 * top a fast one that keeps a part `fastKept` of itself and is pushed by `fastSd`; hum that turns by `turn` (radians)
 * between reads; white noise. Two levels are what a fit takes of 1/f noise, a sum of many.
 *
 * A read is written as a pulse `tick` (`--set pulse=tick`), as only pulses change what a device stores. The hum comes
 * from the mains, not from the device: 60 Hz look like 4.4 Hz where 21.4 reads are taken a second.
 */
export const wanderingRead = device({
  name: "wandering level, hum and white read noise",
  source,
  equations: `
    G     : S
    fast  : S
    hum   : S
    ahead : S    # the hum a quarter of a turn later
    was   : S
  `,
  initial: { G: "Gend", fast: "0 S", hum: "0 S", ahead: "0 S", was: "0 S" },
  on: {
    tick: `
      G = Gd + slowSd * randn()
      fast = fastKept * fast + fastSd * randn()
      was = hum
      hum = humKept * (cos(turn) * was - sin(turn) * ahead) + humSd * randn()
      ahead = humKept * (sin(turn) * was + cos(turn) * ahead) + humSd * randn()
    `,
  },
  drift: "Gend + (G - Gend) * exp(-age / tau)",
  read: "Gd + fast + hum + readSd * randn()",
  parameters: {
    Gend: "92.9 uS",
    tau: "24 s",
    slowSd: "0.058 uS",
    fastKept: 0.887,
    fastSd: "0.18 uS",
    humKept: 0.945,
    humSd: "0.176 uS",
    turn: 1.316,
    readSd: "1.06 uS",
  },
});
