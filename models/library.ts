/** All devices of this folder, by name. */

import type { Model } from "../src/index.ts";
import * as constantStep from "./constant-step.ts";
import * as cusio2w from "./cusio2w.ts";
import * as ionDrift from "./ion-drift.ts";
import * as noisyStep from "./noisy-step.ts";
import * as pcm from "./pcm.ts";
import * as pcmInference from "./pcm-inference.ts";
import * as readSeries from "./read-series.ts";
import * as reramInference from "./reram-inference.ts";
import * as reversalStep from "./reversal-step.ts";
import * as stanfordPku from "./stanford-pku.ts";
import * as stepDevices from "./step-devices.ts";
import * as stepPresets from "./step-presets.ts";
import * as vteam from "./vteam.ts";
import * as yakopcic from "./yakopcic.ts";

const files: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "constant-step": constantStep,
  cusio2w,
  "ion-drift": ionDrift,
  "noisy-step": noisyStep,
  pcm,
  "pcm-inference": pcmInference,
  "read-series": readSeries,
  "reram-inference": reramInference,
  "reversal-step": reversalStep,
  "stanford-pku": stanfordPku,
  "step-devices": stepDevices,
  "step-presets": stepPresets,
  vteam,
  yakopcic,
};

const isDevice = (value: unknown): value is Model<"device"> =>
  (value as { kind?: unknown } | null)?.kind === "device";

/** Devices by file and export, "step-presets.reRamSB", and by export alone where no other has its name, "reRamSB". */
export const library: Readonly<Record<string, Model<"device">>> = (() => {
  const all = Object.entries(files).flatMap(([file, exported]) =>
    Object.entries(exported).flatMap(([name, value]) =>
      isDevice(value) ? [{ file, name, model: value }] : [],
    ),
  );
  const alone = all.filter(({ name }) => all.filter((other) => other.name === name).length === 1);
  return Object.freeze(
    Object.fromEntries([
      ...alone.map(({ name, model }) => [name, model]),
      ...all.map(({ file, name, model }) => [`${file}.${name}`, model]),
    ]),
  );
})();
