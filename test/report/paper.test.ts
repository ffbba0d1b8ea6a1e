/** Papers beside runs: what a path picks, how a figure is judged, what a page tells. */
import { describe, expect, test } from "vitest";
import {
  type FoundRun,
  paperHtml,
  paperMarkdown,
  paperRecord,
  paperReport,
  tally,
} from "../../src/report/page.ts";
import {
  type Claim,
  checkPaper,
  judge,
  measuredAt,
  metricAt,
  type Paper,
  verdictText,
} from "../../src/report/paper.ts";

const metrics = {
  count: 12,
  words: "none",
  each: [0.8, 0.9, 1],
  nothing: [],
  alone: { mean: 0.5, standardError: null, interval95: [null, null], n: 1 } as never, // as JSON has it
  cases: [
    { study: "a", case: "one", recall: { mean: 0.9, standardError: 0.01, interval95: [0.86, 0.94], n: 4 } },
    { study: "b", case: "one", at: 10, recall: 0.7 },
  ],
} as const;

describe("a path", () => {
  test("goes through records and picks entries of lists by their values", () => {
    expect(metricAt(metrics, "count")).toBe(12);
    expect(metricAt(metrics, ["cases", { study: "b", at: 10 }, "recall"])).toBe(0.7);
    expect(metricAt(metrics, ["cases", { study: "a" }, "case"])).toBe("one");
  });
  test("that leads nowhere is undefined, also by a property that every object has", () => {
    for (const path of ["toString", ["cases", { study: "c" }, "recall"], ["count", "x"]])
      expect(metricAt(metrics, path as string)).toBeUndefined();
  });
  test("to a list of numbers is replicates: mean and Student's interval", () => {
    const found = measuredAt(metrics, "each", 100);
    expect(found?.mean).toBeCloseTo(90, 12);
    expect(found?.n).toBe(3);
    // t 4.302652729749464 of 2 degrees, standard error 10 / sqrt 3
    expect((found?.interval95[1] as number) - 90).toBeCloseTo((4.302652729749464 * 10) / Math.sqrt(3), 8);
  });
  test("to null, as JSON writes what is not a number, is not known; words and empty lists are no measurement", () => {
    expect(measuredAt(metrics, "alone")).toEqual({
      mean: 0.5,
      standardError: Number.NaN,
      interval95: [Number.NaN, Number.NaN],
      n: 1,
    });
    for (const path of ["words", "nothing", "cases"]) expect(measuredAt(metrics, path)).toBeUndefined();
  });
});

const claim = (more: Partial<Claim>): Claim => ({
  quantity: "recall",
  run: "r",
  metric: ["cases", { study: "a" }, "recall"],
  unit: "%",
  ...more,
});

describe("a criterion", () => {
  const verdict = (criterion: Claim["criterion"], more: Partial<Claim> = {}) => {
    const judged = judge(claim({ criterion, ...more }), metrics);
    return [judged.criterion, verdictText(judged)];
  };
  test("is met by the mean; whether the interval agrees is said", () => {
    expect(verdict({ atLeast: 85 })).toEqual(["at least 85 %", "met"]);
    expect(verdict({ atLeast: 88 })).toEqual(["at least 88 %", "met; the interval reaches beyond"]);
    expect(verdict({ atMost: 95 })).toEqual(["at most 95 %", "met"]);
    expect(verdict({ from: 80, to: 95 })).toEqual(["80 to 95 %", "met"]);
  });
  test("is missed by so many points from the nearer bound, or within the interval", () => {
    expect(verdict({ atLeast: 95.5 })).toEqual(["at least 95.5 %", "missed by 5.5 points"]);
    expect(verdict({ atMost: 87 })).toEqual(["at most 87 %", "missed by 3 points, within the interval"]);
    expect(verdict({ from: 10, to: 80 })).toEqual(["10 to 80 %", "missed by 10 points"]);
    expect(verdict({ atLeast: 15 }, { metric: "count", unit: "" })).toEqual(["at least 15", "missed by 3"]);
  });
  test("compares with another metric of the run", () => {
    const other = { metric: ["cases", { study: "b" }, "recall"], name: "b" } as const;
    expect(verdict({ moreThan: other })).toEqual(["more than b, 70 %", "met"]);
    expect(verdict({ near: other, within: 5 })).toEqual([
      "within 5 points of b, 70 %",
      "missed by 15 points",
    ]);
    expect(verdict({ notBelow: other, by: 3 })).toEqual(["at most 3 points below b, 70 %", "met"]);
  });
  test("without a run, a metric or the other metric is not measured; another task is not judged", () => {
    expect(verdictText(judge(claim({ criterion: { atLeast: 1 } }), undefined))).toBe("not measured");
    expect(verdict({ atLeast: 1 }, { metric: "words" })).toEqual(["at least 1 %", "not measured"]);
    expect(verdict({ moreThan: { metric: "no", name: "c" } })).toEqual(["more than c", "not measured"]);
    const other = judge(claim({ criterion: { atLeast: 95 } }), metrics, "ten digits");
    expect([other.verdict, verdictText(other), other.text]).toEqual([
      "open",
      "not judged",
      "90.0 ± 4.0 (n = 4)",
    ]);
  });
  test("that is not there gives no verdict; words are told as they are", () => {
    const none = judge(claim({ metric: "words", unit: "" }), metrics);
    expect([none.verdict, verdictText(none), none.text]).toEqual(["none", "", "none"]);
  });
});

const paper: Paper = {
  name: "p",
  title: "A <paper>",
  authors: "Somebody 2020",
  source: "J. 1:1",
  known: "The abstract.",
  marks: { P: "stated in the abstract" },
  standIns: { rate: { what: "learning rate", value: "1 | 2", why: "not known" } },
  runs: {
    r: { experiment: "cuba", about: "one", seconds: { quick: 1, full: 2 }, standIns: ["rate"] },
    s: {
      experiment: "cuba",
      about: "two",
      seconds: { quick: 1, full: 2 },
      quickTask: "quick: ten digits",
    },
  },
  claims: [
    claim({ theirs: "more than 85 %", mark: "P", criterion: { atLeast: 85 } }),
    claim({ criterion: { atLeast: 95 } }),
    claim({ quantity: "other", run: "s", criterion: { atLeast: 95 } }),
    claim({ quantity: "count", metric: "count", unit: "", standIns: [] }),
  ],
  missing: [{ what: "the chip", why: "nobody has it" }],
};
const svg = `<svg xmlns="http://www.w3.org/2000/svg"><title>é</title></svg>`;
const run = (more: Partial<FoundRun>): FoundRun => ({
  name: "r",
  status: "done",
  form: "quick",
  experiment: "cuba",
  command: "memspike run cuba --quick",
  metrics,
  figures: [{ name: "f", title: "A figure", caption: "of <it>", svg, file: "r/figures/a b.svg" }],
  ...more,
});

describe("a page", () => {
  const report = paperReport(paper, [
    run({}),
    run({ name: "s", status: "missing", metrics: undefined, figures: [] }),
  ]);
  test("counts criteria", () => {
    expect(tally(report.rows)).toBe("1 of 3 criteria met, 1 not judged");
    const full = paperReport(paper, [run({ form: "full" }), run({ name: "s", form: "full" })]);
    expect(tally(full.rows)).toBe("1 of 3 criteria met");
    const quick = paperReport(paper, [run({}), run({ name: "s" })]);
    expect(tally(quick.rows)).toBe("1 of 3 criteria met, 1 not judged");
  });
  test("labels every number that rests on a stand-in, also in Markdown and as data", () => {
    const markdown = paperMarkdown(report).split("\n");
    const rows = markdown.filter((line) => / \| [rs] \| /.test(line));
    expect(rows).toEqual([
      "| recall | more than 85 % [P] | 90.0 ± 4.0 % (n = 4) | at least 85 % | met | r | rate |",
      "| recall | – | 90.0 ± 4.0 % (n = 4) | at least 95 % | missed by 5 points | r | rate |",
      "| other | – | – | at least 95 % | not measured | s |  |",
      "| count | – | 12 |  |  | r |  |",
    ]);
    expect(markdown).toContain("| rate | learning rate | 1 \\| 2 | not known |");
    expect(markdown).toContain("![A figure](r/figures/a%20b.svg)");
    const { figures } = paperRecord(report) as { figures: { standIns: string[]; missedBy: number | null }[] };
    expect(figures.map(({ standIns }) => standIns)).toEqual([["rate"], ["rate"], [], []]);
    expect(figures.map(({ missedBy }) => missedBy)).toEqual([0, 5, null, null]);
    const html = paperHtml(report);
    expect(
      html.match(
        /class="ours">90\.0 ± 4\.0 % \(n = 4\)<\/span><div class="stands">stand-ins: <a class="stand" href="#stand-in-rate">rate/g,
      ),
    ).toHaveLength(2);
    expect(html).toContain(`</div></td><td>at least 85 %</td><td><span class="verdict good">met</span>`);
  });
  test("escapes what it tells, embeds its figures and needs nothing else", () => {
    const html = paperHtml(report);
    expect(html).toContain("A &lt;paper&gt;");
    expect(html).toContain("of &lt;it&gt;");
    const [, data] = /src="data:image\/svg\+xml;base64,([^"]+)"/.exec(html) as RegExpExecArray;
    expect(Buffer.from(data, "base64").toString("utf8")).toBe(svg);
    expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    expect(html).not.toContain("<script");
    for (const [, target] of html.matchAll(/href="#([^"]+)"/g)) expect(html).toContain(`id="${target}"`);
  });
});

test("a paper that names a run, mark or stand-in it does not have is refused", () => {
  const wrong = (more: Partial<Paper>) => () => checkPaper({ ...paper, ...more });
  expect(wrong({})).not.toThrow();
  expect(wrong({ claims: [claim({ run: "rr" })] })).toThrow("paper p has no run rr; did you mean r?");
  expect(wrong({ claims: [claim({ theirs: "1", mark: "Q" })] })).toThrow(
    "paper p has no mark Q; there are P",
  );
  expect(wrong({ claims: [claim({ theirs: "1" })] })).toThrow(
    "paper p: recall has a figure without a mark, or a mark alone",
  );
  const runs = { r: { ...paper.runs.r, standIns: ["rates"] }, s: paper.runs.s };
  expect(wrong({ runs })).toThrow("paper p has no stand-in rates; did you mean rate?");
});
