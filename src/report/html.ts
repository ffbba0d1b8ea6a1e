/**
 * The report of a run: one HTML file that needs nothing else, no network, no server.
 *
 * Plotly's source is handed in, since where it lies is known to the caller only. Everything of the run is escaped;
 * figures travel as JSON.
 */

import type { Metric, ParameterValue } from "./experiment.ts";
import type { Figure } from "./figures.ts";
import { escapeXml } from "./frame.ts";
import { type MetricRow, metricRows } from "./metrics.ts";
import { plotly } from "./plotly.ts";

/** What a report tells. */
export interface Report {
  readonly kind?: string; // of what is reported; default "experiment"
  readonly experiment: string;
  readonly question: string;
  readonly source: string;
  readonly status: string;
  readonly seed: string | number;
  readonly quick: boolean;
  readonly started: string; // ISO 8601
  readonly seconds: number;
  readonly machine: string;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
  readonly defaults: Readonly<Record<string, ParameterValue>>;
  readonly parameterMeanings: Readonly<Record<string, string | undefined>>;
  readonly metrics: Readonly<Record<string, Metric | undefined>>;
  readonly metricMeanings: Readonly<Record<string, string>>;
  readonly figures: Readonly<Record<string, Figure>>;
  readonly provenance: Readonly<Record<string, unknown>>;
  readonly error?: string;
  /** What is left out of the report, with the reason. */
  readonly omitted?: Readonly<Record<string, string>>;
  /** Text shown as it is written, under a title: equations. */
  readonly texts?: Readonly<Record<string, string>>;
}

/** The report as a whole HTML document; `plotlySource` is the text of plotly.min.js. */
export function reportHtml(report: Report, plotlySource: string): string {
  const rows = metricRows(report.metrics, report.metricMeanings);
  const figures = Object.entries(report.figures);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="memspike">
<title>${escapeXml(report.experiment)} · seed ${escapeXml(String(report.seed))} · memspike</title>
<style>${style}</style>
</head>
<body>
<header>
<p class="kicker">memspike ${escapeXml(report.kind ?? "experiment")}</p>
<h1>${escapeXml(report.experiment)}${badge(report.status)}${report.quick ? badge("quick run") : ""}</h1>
<p class="question">${escapeXml(report.question)}</p>
<p class="source">${escapeXml(report.source)}</p>
<dl class="facts">${facts(report)}</dl>
${report.error ? `<p class="error">${escapeXml(report.error)}</p>` : ""}
</header>
<main>
${metricsSection(rows)}
${figures.length > 0 ? `<section><h2>Figures</h2>${figures.map(figureSection).join("\n")}</section>` : ""}
${omittedSection(report.omitted ?? {})}
${textsSection(report.texts ?? {})}
${parametersSection(report)}
${provenanceSection(report.provenance)}
</main>
<script type="application/json" id="figures">${inlineJson(drawnFigures(report.figures))}</script>
${figures.length > 0 ? `<script>${inlineScript(plotlySource)}</script>\n<script>${draw}</script>` : ""}
</body>
</html>
`;
}

/** A word beside a title. */
export function badge(words: string): string {
  const kind = words === "done" ? "good" : words === "failed" ? "bad" : "";
  return ` <span class="badge ${kind}">${escapeXml(words)}</span>`;
}

function facts(report: Report): string {
  const items: [string, string][] = [
    ["seed", String(report.seed)],
    ["date", report.started.replace("T", " ").replace(/(\.\d+)?Z$/, " UTC")],
    ["duration", durationText(report.seconds)],
    ["machine", report.machine],
  ];
  return items.map(([name, value]) => `<div><dt>${name}</dt><dd>${escapeXml(value)}</dd></div>`).join("");
}

/** "4.2 s", "3 min 20 s", "2 h 5 min". */
export function durationText(seconds: number): string {
  if (seconds < 99.95) return `${seconds.toFixed(seconds < 9.995 ? 2 : 1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function metricsSection(rows: readonly MetricRow[]): string {
  if (rows.length === 0) return "";
  const lines = rows
    .filter(({ table }) => table === undefined)
    .map(
      ({ name, description, unit, value }) =>
        `<tr><th scope="row"><code>${escapeXml(name)}</code></th><td class="value">${escapeXml(value)}${unit ? ` <span class="unit">${escapeXml(unit)}</span>` : ""}</td><td class="meaning">${escapeXml(description)}</td></tr>`,
    );
  const tables = rows.flatMap(({ name, description, unit, table }) => {
    if (table === undefined) return [];
    const head = table.columns.map((column) => `<th scope="col">${escapeXml(column)}</th>`).join("");
    const body = table.rows.map(
      (row) => `<tr>${row.map((value) => `<td class="value">${escapeXml(value)}</td>`).join("")}</tr>`,
    );
    const meaning = [description, unit && `(${unit})`].filter(Boolean).join(" ");
    return `<h3><code>${escapeXml(name)}</code> <span class="meaning">${escapeXml(meaning)}</span></h3><div class="wide"><table class="list">${head ? `<thead><tr>${head}</tr></thead>` : ""}<tbody>${body.join("")}</tbody></table></div>`;
  });
  const main =
    lines.length > 0 ? `<div class="wide"><table><tbody>${lines.join("")}</tbody></table></div>` : "";
  const uncertain = rows.some(({ value }) => value.includes("±"))
    ? `<p class="note">± is half the 95 % interval of the mean.</p>`
    : "";
  return `<section><h2>Metrics</h2>${main}${uncertain}${tables.join("")}</section>`;
}

function figureSection([name, figure]: [string, Figure]): string {
  const caption = figure.caption ? `<figcaption>${escapeXml(figure.caption)}</figcaption>` : "";
  return `<figure><h3>${escapeXml(figure.title ?? name)}</h3><div class="plot" data-figure="${escapeXml(name)}"><noscript>Without scripts, see figures/${escapeXml(name)}.svg.</noscript></div>${caption}</figure>`;
}

function omittedSection(omitted: Readonly<Record<string, string>>): string {
  const lines = Object.entries(omitted).map(
    ([name, why]) =>
      `<tr><th scope="row"><code>${escapeXml(name)}</code></th><td>${escapeXml(why)}</td></tr>`,
  );
  if (lines.length === 0) return "";
  return `<section><h2>Left out</h2><div class="wide"><table><tbody>${lines.join("")}</tbody></table></div></section>`;
}

function textsSection(texts: Readonly<Record<string, string>>): string {
  return Object.entries(texts)
    .map(([title, text]) => `<section><h2>${escapeXml(title)}</h2><pre>${escapeXml(text)}</pre></section>`)
    .join("\n");
}

function parametersSection({ parameters, defaults, parameterMeanings }: Report): string {
  const names = Object.keys(parameters);
  if (names.length === 0) return "";
  const lines = names.map((name) => {
    const changed = JSON.stringify(parameters[name]) !== JSON.stringify(defaults[name]);
    const meaning = [
      parameterMeanings[name] ?? "",
      changed ? `default ${parameterText(defaults[name])}` : "",
    ];
    return `<tr${changed ? ` class="changed"` : ""}><th scope="row"><code>${escapeXml(name)}</code></th><td class="value">${escapeXml(parameterText(parameters[name]))}</td><td class="meaning">${escapeXml(meaning.filter(Boolean).join("; "))}</td></tr>`;
  });
  return `<section><h2>Parameters</h2><div class="wide"><table><tbody>${lines.join("")}</tbody></table></div></section>`;
}

/** A parameter as it would be set on the command line. */
export function parameterText(value: ParameterValue): string {
  return Array.isArray(value) ? value.join(", ") : String(value);
}

function provenanceSection(provenance: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(provenance).map(([name, value]) => {
    const words = typeof value === "string" ? value : JSON.stringify(value);
    return `<tr><th scope="row">${escapeXml(name)}</th><td>${escapeXml(words ?? "")}</td></tr>`;
  });
  return `<section><details><summary>Provenance</summary><div class="wide"><table class="provenance"><tbody>${lines.join("")}</tbody></table></div></details></section>`;
}

function drawnFigures(figures: Readonly<Record<string, Figure>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(figures).map(([name, figure]) => [name, plotly(figure)]));
}

/** JSON inside a script element: nothing in it can end the element. */
function inlineJson(value: unknown): string {
  return JSON.stringify(value).replace(/</g, "\\u003c");
}

/**
 * A program inside a script element. Only `</script` ends one, and after `<!--` even that can be hidden. In JavaScript
 * both stand in strings, templates or regular expressions only, where `\/` and `\x3c` say the same.
 */
export function inlineScript(source: string): string {
  return source.replace(/<\/(script)/gi, "<\\/$1").replace(/<!--/g, "\\x3c!--");
}

const draw = `
const figures = JSON.parse(document.getElementById("figures").textContent);
for (const element of document.querySelectorAll("[data-figure]")) {
  const name = element.dataset.figure;
  const { data, layout } = figures[name];
  Plotly.newPlot(element, data, layout, {
    responsive: true,
    displaylogo: false,
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
    toImageButtonOptions: { format: "svg", filename: name },
  });
}
`;

/** How a page looks. */
export const style = `
:root { color-scheme: light; --text: #1c2733; --quiet: #5a6875; --line: #dfe4e9; --soft: #f6f8fa; --accent: #0072b2; }
* { box-sizing: border-box; }
body { margin: 0; color: var(--text); background: #fff; font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
header, main { max-width: 1020px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 40px; }
.kicker { margin: 0; color: var(--accent); font-size: 12px; font-weight: 600; letter-spacing: .08em; text-transform: uppercase; }
h1 { margin: 2px 0 6px; font-size: 30px; line-height: 1.2; letter-spacing: -.01em; }
.badge { display: inline-block; padding: 3px 9px; border-radius: 99px; background: #fdf1dc; color: #7a4b00; font-size: 12px; line-height: 1.3; font-weight: 600; letter-spacing: 0; vertical-align: 6px; }
.badge.good { background: #e3f4ee; color: #00604a; }
.badge.bad { background: #fbe6dd; color: #963f00; }
.question { margin: 0; font-size: 18px; max-width: 46em; }
.source, .note { margin: 6px 0 0; color: var(--quiet); font-size: 14px; }
.error { padding: 12px 16px; border-left: 3px solid #d55e00; background: #fdf3ee; white-space: pre-wrap; font: 13px/1.5 ui-monospace, Menlo, Consolas, monospace; overflow-x: auto; }
pre { margin: 0; padding: 12px 16px; background: var(--soft); border-radius: 8px; font: 13px/1.55 ui-monospace, Menlo, Consolas, monospace; overflow-x: auto; }
.facts { display: flex; flex-wrap: wrap; gap: 10px 32px; margin: 20px 0 0; padding: 14px 0; border-top: 1px solid var(--line); border-bottom: 1px solid var(--line); }
.facts dt { color: var(--quiet); font-size: 12px; }
.facts dd { margin: 0; }
section { margin: 36px 0; }
h2 { margin: 0 0 12px; font-size: 20px; }
h3 { margin: 20px 0 8px; font-size: 15px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: 7px 16px 7px 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: baseline; font-weight: 400; }
thead th { color: var(--quiet); font-size: 13px; }
code { font: 13.5px/1.4 ui-monospace, Menlo, Consolas, monospace; }
.value { font-variant-numeric: tabular-nums; white-space: nowrap; }
table:not(.list) > tbody > tr > th { width: 13em; }
.list { width: auto; }
.list th, .list td { padding-right: 40px; }
.unit, .meaning { color: var(--quiet); }
td.meaning { width: 55%; font-size: 14px; }
h3 .meaning { font-weight: 400; font-size: 14px; margin-left: 6px; }
.changed .value { font-weight: 600; }
figure { margin: 0 0 28px; padding: 4px 18px 14px; border: 1px solid var(--line); border-radius: 8px; break-inside: avoid; }
figure h3 { margin: 12px 0 4px; }
figcaption { color: var(--quiet); font-size: 14px; max-width: 60em; }
.plot { width: 100%; min-height: 180px; }
summary { cursor: pointer; font-size: 20px; font-weight: 600; }
details table { margin-top: 10px; }
.provenance td, .provenance th { font-size: 13.5px; word-break: break-word; }
@media (max-width: 640px) {
  header, main { padding-left: 14px; padding-right: 14px; }
  header { padding-top: 24px; }
  figure { padding: 2px 8px 10px; }
  table:not(.list) > tbody > tr > th, td.meaning { width: auto; }
}
@media print { figure { border: 0; padding: 0; } .modebar { display: none; } }
`.trim();
