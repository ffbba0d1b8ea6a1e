/** Fits in a thread of its own. */

import { workerData } from "node:worker_threads";
import { type FitTask, fitWork } from "./fitting.ts";
import { work } from "./thread.ts";

const task = workerData as FitTask;

await work(task, () => fitWork(task));
