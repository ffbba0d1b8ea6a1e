/** Runs one experiment in a thread of its own. */

import { fileURLToPath } from "node:url";
import { workerData } from "node:worker_threads";
import { type ParameterValue, resolveParameters, runExperiment } from "../report/experiment.ts";
import { loadExperiment } from "./catalogue.ts";
import { resolveOwnName } from "./resolve.ts";
import { type Task, work } from "./thread.ts";

/** What the worker is started with. */
export interface WorkerTask extends Task {
  readonly address: string;
  readonly seed?: string | number;
  readonly quick: boolean;
  readonly set: Readonly<Record<string, ParameterValue>>; // text is read by the type of the default
  readonly threads?: number;
}

const task = workerData as WorkerTask;

await work(task, async () => {
  resolveOwnName();
  const experiment = await loadExperiment(task.address);
  const { quick, set, threads } = task;
  const seed = task.seed ?? experiment.seed ?? 1;
  return {
    introduction: {
      name: experiment.name,
      question: experiment.question,
      source: experiment.source,
      file: fileURLToPath(task.address),
      seed,
      parameters: resolveParameters(experiment, { quick, set }),
      defaults: experiment.parameters,
      parameterMeanings: experiment.describe ?? {},
      metricMeanings: experiment.metrics ?? {},
    },
    run: (context) => runExperiment(experiment, { seed, quick, set, threads, ...context }),
  };
});
