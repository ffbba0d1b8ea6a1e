/** The papers there are: their runs can be run, their metrics, figures and stand-ins exist. */
import * as fs from "node:fs";
import { describe, expect, test } from "vitest";
import { isExperiment, resolveParameters } from "../../src/report/experiment.ts";
import { checkPaper, isPaper, type MetricPath } from "../../src/report/paper.ts";

const folder = new URL("../../experiments/papers/", import.meta.url);
const names = fs.readdirSync(folder).map((file) => file.replace(/\.ts$/, ""));
const reproduction = fs.readFileSync(new URL("../../docs/reproduction.md", import.meta.url), "utf8");

test("there are papers", () => {
  expect(names).toEqual(expect.arrayContaining(["cusio2w", "mixed-precision", "pcm-snn"]));
});

describe.each(names)("paper %s", async (name) => {
  const { paper } = (await import(new URL(`${name}.ts`, folder).href)) as { paper: unknown };
  if (!isPaper(paper)) throw new Error(`${name} exports no paper`);

  test("agrees with itself; every run, stand-in and mark is used", () => {
    expect(paper.name).toBe(name);
    checkPaper(paper);
    const used = new Set(Object.values(paper.runs).flatMap(({ standIns = [] }) => standIns));
    expect(Object.keys(paper.standIns).filter((each) => !used.has(each))).toEqual([]);
    const marks = new Set(paper.claims.map(({ mark }) => mark));
    expect(Object.keys(paper.marks).filter((mark) => !marks.has(mark))).toEqual([]);
  });

  test("asks its experiments for parameters they have, and for metrics they tell", async () => {
    for (const { experiment: of, set, quick, full } of Object.values(paper.runs)) {
      const { default: experiment } = await import(new URL(`../${of}.ts`, folder).href);
      if (!isExperiment(experiment)) throw new Error(`there is no experiment ${of}`);
      resolveParameters(experiment, { quick: true, set: { ...set, ...quick } });
      resolveParameters(experiment, { set: { ...set, ...full } });
      const head = (path: MetricPath) => (typeof path === "string" ? path : path[0]) as string;
      for (const { run, metric } of paper.claims)
        if (paper.runs[run].experiment === of)
          expect(Object.keys(experiment.metrics ?? {})).toContain(head(metric));
    }
  });

  test("has its stand-ins and what could not be reproduced in docs/reproduction.md", () => {
    for (const { what } of Object.values(paper.standIns)) expect(reproduction).toContain(what);
    for (const { what } of paper.missing) expect(reproduction).toContain(what);
  });
});
