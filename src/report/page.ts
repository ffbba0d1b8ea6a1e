/**
 * The page of a paper: its figures beside ours, what was run for them, and what could not be reproduced. As one HTML file
 * that needs nothing else, as Markdown, and as plain data.
 */

import type { ParameterValue } from "./experiment.ts";
import { escapeXml } from "./frame.ts";
import { badge, durationText, parameterText, style } from "./html.ts";
import { type Claim, type Judged, judge, type Metrics, type Paper, verdictText } from "./paper.ts";

/** What there is of one run of a paper. */
export interface FoundRun {
  readonly name: string; // in the paper
  readonly status: string; // done, interrupted, failed, running, or missing
  readonly form: "quick" | "full" | "other sizes";
  readonly experiment: string;
  readonly command: string; // that does it again
  readonly folder?: string;
  readonly seed?: string | number;
  readonly parameters?: Readonly<Record<string, ParameterValue>>; // that are not the defaults
  readonly seconds?: number;
  readonly program?: string; // version and revision
  readonly machine?: string;
  /** Of a run that is done. */
  readonly metrics?: Metrics;
  readonly figures?: readonly FoundFigure[];
  /** Why there is none. */
  readonly error?: string;
}

export interface FoundFigure {
  readonly name: string;
  readonly title: string;
  readonly caption: string;
  readonly svg: string;
  readonly file: string; // as seen from the page
}

/** A paper with what was found: rows in the order of its claims. */
export interface PaperReport {
  readonly paper: Paper;
  readonly quick: boolean; // whether any run was
  readonly runs: readonly FoundRun[];
  readonly rows: readonly Judged[];
}

export function paperReport(paper: Paper, runs: readonly FoundRun[]): PaperReport {
  const judged = (claim: Claim) => {
    const run = runs.find(({ name }) => name === claim.run);
    return judge(claim, run?.metrics, run?.form === "full" ? undefined : paper.runs[claim.run].quickTask);
  };
  return {
    paper,
    quick: runs.some(({ form, metrics }) => form === "quick" && metrics !== undefined),
    runs,
    rows: paper.claims.map(judged),
  };
}

/** How many criteria are met, missed and not measured. */
export function tally(rows: readonly Judged[]): string {
  const count = (verdict: Judged["verdict"]) => rows.filter((row) => row.verdict === verdict).length;
  const asked = rows.length - count("none");
  const open = count("open");
  return `${count("met")} of ${asked} criteria met${open > 0 ? `, ${open} not judged` : ""}`;
}

const standInsOf = (paper: Paper, { claim }: Judged): readonly string[] =>
  claim.standIns ?? paper.runs[claim.run].standIns ?? [];

/** Ours with its unit: "88.3 ± 2.1 % (n = 5)". */
export const oursText = ({ text, claim: { unit }, instead }: Judged): string => {
  if (text === "–") return text;
  const withUnit = unit ? text.replace(/(?= \(n = |$)/, ` ${unit}`) : text;
  return instead === undefined ? withUnit : `${withUnit}; ${instead}`;
};

/** What is said of a criterion in a quick run, whose sizes it is not made for. */
const quickNote =
  "Quick run: smaller sizes and fewer repetitions than the criteria are made for; --full has those.";

const intervalNote =
  "Ours: mean ± half of the 95 % interval (Student) over n independent repetitions, of one network over its tests.";

// ---- plain data --------------------------------------------------------------------------------

/** The report for a program. */
export function paperRecord({ paper, quick, runs, rows }: PaperReport): Record<string, unknown> {
  return {
    paper: paper.name,
    source: paper.source,
    quick,
    figures: rows.map((row) => {
      const { claim, ours, verdict, missedBy, criterion } = row;
      return {
        quantity: claim.quantity,
        theirs: claim.theirs ?? null,
        mark: claim.mark ?? null,
        ours: ours ? { mean: ours.mean, interval95: ours.interval95, n: ours.n } : null,
        text: oursText(row),
        unit: claim.unit ?? "",
        criterion,
        verdict,
        instead: row.instead ?? null,
        missedBy: verdict === "missed" || verdict === "met" ? missedBy : null,
        run: claim.run,
        standIns: standInsOf(paper, row),
      };
    }),
    runs: runs.map(({ metrics: _, figures = [], ...run }) => ({
      ...run,
      figures: figures.map(({ file }) => file),
    })),
    standIns: paper.standIns,
    missing: paper.missing,
  };
}

// ---- Markdown ----------------------------------------------------------------------------------

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}

const theirsText = ({ claim: { theirs, mark } }: Judged): string => (theirs ? `${theirs} [${mark}]` : "–");

export function paperMarkdown(report: PaperReport): string {
  const { paper, quick, runs, rows } = report;
  const parts = [
    `# ${paper.title}`,
    `${paper.authors}. ${paper.source}`,
    paper.known,
    `${tally(rows)}.${quick ? ` ${quickNote}` : ""}`,
    table(
      ["quantity", "theirs", "ours", "criterion", "", "run", "stand-ins"],
      rows.map((row) => [
        row.claim.quantity,
        theirsText(row),
        oursText(row),
        row.criterion,
        verdictText(row),
        row.claim.run,
        standInsOf(paper, row).join(", "),
      ]),
    ),
    intervalNote,
    Object.entries(paper.marks)
      .map(([mark, meaning]) => `[${mark}] ${meaning}`)
      .join(". "),
    "## Not reproduced, and why",
    table(
      ["what", "why"],
      paper.missing.map(({ what, why }) => [what, why]),
    ),
    "## Stand-ins",
    table(
      ["name", "in place of", "value", "why"],
      Object.entries(paper.standIns).map(([name, { what, value, why }]) => [name, what, value, why]),
    ),
    "## Runs",
    ...runs.flatMap((run) => [
      `### ${run.name}`,
      paper.runs[run.name].about,
      ["", ...runLines(run).map(([name, value]) => `- ${name}: ${value}`)].join("\n").trim(),
      ...(run.figures ?? []).map(
        ({ title, caption, file }) => `![${title}](${encodeURI(file)})${caption ? `\n\n*${caption}*` : ""}`,
      ),
    ]),
  ];
  return `${parts.filter(Boolean).join("\n\n")}\n`;
}

/** What is told of a run. */
function runLines(run: FoundRun): [string, string][] {
  const { status, form, experiment, command, seed, parameters, seconds, program, machine, folder, error } =
    run;
  const settings = Object.entries(parameters ?? {}).map(([key, value]) => `${key} = ${parameterText(value)}`);
  const lines: [string, string | undefined][] = [
    ["experiment", `${experiment}, ${form}`],
    ["status", status === "done" ? undefined : status],
    ["because", error],
    ["parameters other than the defaults", settings.join("; ")],
    ["seed", seed === undefined ? undefined : String(seed)],
    ["took", seconds === undefined ? undefined : durationText(seconds)],
    ["machine", machine],
    ["program", program],
    ["folder", folder],
    ["again", command],
  ];
  return lines.filter((line): line is [string, string] => Boolean(line[1]));
}

// ---- HTML --------------------------------------------------------------------------------------

const e = escapeXml;

export function paperHtml(report: PaperReport): string {
  const { paper, quick, runs, rows } = report;
  const undone = runs.some(({ metrics }) => metrics === undefined);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="memspike">
<title>${e(paper.name)} · memspike</title>
<style>${style}
${own}</style>
</head>
<body>
<header>
<p class="kicker">memspike paper</p>
<h1>${e(paper.title)}${quick ? badge("quick run") : ""}${undone ? badge("incomplete") : ""}</h1>
<p class="question">${e(paper.authors)}</p>
<p class="source">${e(paper.source)}</p>
<p class="known">${e(paper.known)}</p>
</header>
<main>
<section><h2>Figures of the paper beside ours</h2>
<p class="tally">${e(tally(rows))}.${quick ? ` ${e(quickNote)}` : ""}</p>
<div class="wide"><table class="claims"><thead><tr><th>quantity</th><th>theirs</th><th>ours</th><th>criterion</th><th></th><th>run</th></tr></thead>
<tbody>${rows.map((row) => claimRow(paper, row)).join("\n")}</tbody></table></div>
<p class="note">${e(intervalNote)}</p>
<p class="note">${Object.entries(paper.marks)
    .map(([mark, meaning]) => `<span class="mark">${e(mark)}</span> ${e(meaning)}`)
    .join(". ")}.</p>
</section>
<section><h2>Not reproduced, and why</h2>
<div class="wide"><table class="two"><tbody>${paper.missing.map(({ what, why }) => `<tr><th scope="row">${e(what)}</th><td>${e(why)}</td></tr>`).join("")}</tbody></table></div></section>
<section id="stand-ins"><h2>Stand-ins</h2>
<p class="note">Values in place of what is not known. Every number of ours above names those on which it rests.</p>
<div class="wide"><table class="two"><thead><tr><th>name</th><th>in place of</th><th>value</th><th>why</th></tr></thead><tbody>${Object.entries(
    paper.standIns,
  )
    .map(
      ([name, { what, value, why }]) =>
        `<tr id="stand-in-${e(name)}"><th scope="row"><span class="stand">${e(name)}</span></th><td>${e(what)}</td><td>${e(value)}</td><td class="meaning">${e(why)}</td></tr>`,
    )
    .join("")}</tbody></table></div></section>
<section><h2>Runs</h2>${runs.map((run) => runSection(paper, run)).join("\n")}</section>
</main>
</body>
</html>
`;
}

const tags = (names: readonly string[]): string =>
  names.map((name) => `<a class="stand" href="#stand-in-${e(name)}">${e(name)}</a>`).join(" ");

function claimRow(paper: Paper, row: Judged): string {
  const { claim, verdict, sure } = row;
  const kind = verdict === "met" ? "good" : verdict === "missed" ? (sure === false ? "" : "bad") : "quiet";
  const words = verdictText(row);
  const own = standInsOf(paper, row);
  const theirs = claim.theirs ? `${e(claim.theirs)} <span class="mark">${e(claim.mark ?? "")}</span>` : "–";
  const instead =
    row.instead !== undefined && row.text !== "–" ? `<div class="stands">${e(row.instead)}</div>` : "";
  const standIns =
    own.length > 0 && row.text !== "–" ? `<div class="stands">stand-ins: ${tags(own)}</div>` : "";
  return `<tr><th scope="row">${e(claim.quantity)}</th><td>${theirs}</td><td><span class="ours">${e(oursText({ ...row, instead: undefined }))}</span>${instead}${standIns}</td><td>${e(row.criterion)}</td><td>${words ? `<span class="verdict ${kind}">${e(words)}</span>` : ""}</td><td><a href="#run-${e(claim.run)}">${e(claim.run)}</a></td></tr>`;
}

function runSection(paper: Paper, run: FoundRun): string {
  const { about, standIns = [] } = paper.runs[run.name];
  const label = standIns.length > 0 ? `<p class="stands">stand-ins: ${tags(standIns)}</p>` : "";
  const lines = runLines(run).map(([name, value]) => `<dt>${e(name)}</dt><dd>${e(value)}</dd>`);
  const figures = (run.figures ?? []).map(
    ({ title, caption, svg }) =>
      `<figure><img alt="${e(title)}" src="data:image/svg+xml;base64,${base64(svg)}">${caption ? `<figcaption>${e(caption)}</figcaption>` : ""}${label}</figure>`,
  );
  const status = run.status === "done" ? "" : badge(run.status);
  return `<article id="run-${e(run.name)}"><h3>${e(run.name)} <span class="meaning">${e(about)}</span>${status}</h3><details><summary>how it was run</summary><dl class="lines">${lines.join("")}</dl></details>${run.error ? `<p class="error">${e(run.error)}</p>` : ""}${figures.join("\n")}</article>`;
}

/** Text as base64 of its UTF-8, here and in a browser. */
function base64(text: string): string {
  const bytes = new TextEncoder().encode(text);
  let binary = "";
  for (let k = 0; k < bytes.length; k += 0x8000)
    binary += String.fromCharCode(...bytes.subarray(k, k + 0x8000));
  return btoa(binary);
}

const own = `
.known { margin: 14px 0 0; padding: 12px 16px; border-left: 3px solid var(--accent); background: var(--soft); max-width: 60em; }
.tally { font-size: 17px; font-weight: 600; margin: 0 0 10px; }
.claims td, .claims th { vertical-align: top; }
table.claims > tbody > tr > th, table.two > tbody > tr > th { width: auto; max-width: 22em; }
.ours { font-variant-numeric: tabular-nums; white-space: nowrap; font-weight: 600; }
.mark { display: inline-block; padding: 0 5px; border: 1px solid var(--line); border-radius: 4px; color: var(--quiet); font-size: 11.5px; }
.stand { padding: 0 5px; border-radius: 4px; background: #fdf1dc; color: #7a4b00; font-size: 11.5px; text-decoration: none; white-space: nowrap; }
.stands { margin: 2px 0 0; color: var(--quiet); font-size: 11.5px; }
.verdict { padding: 1px 8px; border-radius: 9px; background: #fdf1dc; color: #7a4b00; font-size: 12.5px; font-weight: 600; display: inline-block; }
.verdict.good { background: #e3f4ee; color: #00604a; }
.verdict.bad { background: #fbe6dd; color: #963f00; }
.verdict.quiet { background: var(--soft); color: var(--quiet); }
article { margin: 0 0 40px; }
article details { margin: 0 0 14px; }
article summary { font-size: 14px; font-weight: 400; color: var(--quiet); }
.lines { display: grid; grid-template-columns: max-content 1fr; gap: 2px 18px; font-size: 13.5px; }
.lines dt { color: var(--quiet); }
.lines dd { margin: 0; word-break: break-word; }
figure img { display: block; width: 100%; max-width: 760px; height: auto; margin: 8px auto; }
a { color: var(--accent); }
@media print { details { display: none; } }
`.trim();
