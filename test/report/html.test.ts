import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { runInNewContext } from "node:vm";
import chromiumPackage from "@sparticuz/chromium";
import { chromium } from "playwright-core";
import { afterAll, expect, test } from "vitest";
import { raster } from "../../src/engine/raster.ts";
import { cornerPlot } from "../../src/report/corner.ts";
import { estimate } from "../../src/report/estimate.ts";
import {
  barPlot,
  histogramPlot,
  imagePlot,
  linePlot,
  panelPlot,
  rasterPlot,
} from "../../src/report/figures.ts";
import { durationText, inlineScript, type Report, reportHtml } from "../../src/report/html.ts";
import { plotlySource } from "../../src/report/results.ts";

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "memspike-report-"));
afterAll(() => fs.rmSync(scratch, { recursive: true, force: true }));

const attack = `</script><script>window.broken = 1</script><img src=x onerror="window.broken = 2">`;
const many = {
  t: Float64Array.from({ length: 6000 }, (_, k) => k / 6000),
  i: Uint32Array.from({ length: 6000 }, (_, k) => k % 50),
};
const report: Report = {
  experiment: "letters",
  question: `Does ${attack} stay text?`,
  source: attack,
  status: "done",
  seed: attack,
  quick: true,
  started: "2026-03-04T05:06:07.089Z",
  seconds: 201,
  machine: attack,
  parameters: { label: attack, size: 3 },
  defaults: { label: "plain", size: 3 },
  parameterMeanings: { size: attack },
  metrics: { recall: estimate([0.9, 0.92]), word: attack, list: [{ time: 1, scaled: 0.5 }] },
  metricMeanings: { recall: "recall within 25 ms" },
  figures: {
    raster: rasterPlot(
      { ...many, size: 50, duration: 1 },
      { desired: raster({ t: [0.5], i: [3] }, 50, 1), title: attack },
    ),
    line: linePlot({ series: { [attack]: [1, 2, 3] }, xTitle: attack, yTitle: "y", caption: attack }),
    histogram: histogramPlot([1, 2, 2], { xTitle: "x" }),
    image: imagePlot([{ rows: 1, columns: 2, values: [1, 2], title: attack }], { valueTitle: "Hz" }),
    bar: barPlot({ categories: [attack, "b"], series: { a: [1, 2] }, yTitle: "y" }),
    panels: panelPlot([
      linePlot({
        series: { [attack]: { y: [1, 2], bars: true, band: [{ low: [0, 1], high: [2, 3] }] } },
        title: attack,
        xTitle: "x",
        yTitle: attack,
        levels: [{ at: 1, label: attack }],
      }),
      histogramPlot([1, 2, 2], { xTitle: attack, marks: [{ at: 1, label: attack }] }),
    ]),
    corner: cornerPlot(
      [
        [1, 2],
        [2, 3],
        [3, 5],
      ],
      [attack, "b"],
      { truth: [1, 2] },
    ),
  },
  provenance: { commandLine: attack },
};

test("a script inside the page cannot end it", () => {
  const source =
    '["</script>", "<!--<script>", `</SCRIPT >`, 1 < 2, /<!-- <\\/script/.test("<!-- </script")]';
  const inlined = inlineScript(source);
  expect(inlined).not.toMatch(/<\/script|<!--/i);
  expect(runInNewContext(inlined)).toEqual(runInNewContext(source));
});

test("seconds in words", () => {
  expect([0.0421, 9.99, 12.34, 99.96, 3599.7, 7260].map(durationText)).toMatchInlineSnapshot(`
    [
      "0.04 s",
      "9.99 s",
      "12.3 s",
      "1 min 40 s",
      "1 h 0 min",
      "2 h 1 min",
    ]
  `);
});

test("the report is one file that draws every figure in a browser, offline, without an error or a word run as code", async () => {
  const file = path.join(scratch, "report.html");
  fs.writeFileSync(file, reportHtml(report, plotlySource()));
  const browser = await chromium.launch({
    executablePath: await chromiumPackage.executablePath(),
    args: chromiumPackage.args,
    headless: true,
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1000, height: 800 } });
    const faults: string[] = [];
    const requests: string[] = [];
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(pathToFileURL(file).href);
    await page.waitForFunction(() => document.querySelectorAll(".plot .main-svg").length >= 5);
    const seen = await page.evaluate(() => ({
      drawn: [...document.querySelectorAll<HTMLElement>(".plot")].map((plot) => [
        plot.dataset.figure,
        plot.querySelectorAll(".main-svg").length > 0,
        plot.getBoundingClientRect().height > 150,
      ]),
      wide: document.documentElement.scrollWidth <= window.innerWidth,
      broken: (window as { broken?: number }).broken,
      images: document.querySelectorAll("img").length,
      question: document.querySelector(".question")?.textContent,
    }));
    expect(seen.drawn).toEqual(Object.keys(report.figures).map((name) => [name, true, true]));
    expect(seen).toMatchObject({ broken: undefined, images: 0, wide: true, question: report.question });
    expect(faults).toEqual([]);
    expect(requests.filter((url) => /^(https?|wss?):/.test(url))).toEqual([]);
    await page.setViewportSize({ width: 380, height: 700 });
    await page.waitForFunction(() => document.documentElement.scrollWidth <= window.innerWidth);
  } finally {
    await browser.close();
  }
});
