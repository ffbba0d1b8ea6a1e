/**
 * The benchmarks: `npm run bench` measures our own cases, `npm run bench -- --peers` alternates them with Brian2 and
 * NEST in one run.
 *
 * Every round runs every variant of every case once, each in a fresh process on a machine that is waited for to be
 * quiet. A sample during which other processes used over a tenth of the cores is repeated, twice at most.
 * With peers, the results go to results/<date>.json and into the table of README.md; without, to the screen.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { brian2Build, brian2Folder, cases, type Variant, variantsOf } from "./cases.ts";
import { describeMachine, quiet, type Sample, sample } from "./machine.ts";
import { disagreements, insertTable, markdown, type Series, shortfalls, summarise } from "./table.ts";

const usage = `npm run bench -- [options]
  --peers            also run Brian2 and NEST where they are installed (see bench/README.md)
  --rounds n         samples of each variant (5)
  --cases a,b        ${cases.map((c) => c.name).join(", ")} (all)
  --variants a;b     those whose name contains one of the texts, such as "float32, 1" (all; Brian2 stays)
  --wait s           longest wait for a quiet machine before a sample (30)
  --json file        where the samples go (with --peers: bench/results/<date>.json)
  --no-table         leave bench/README.md as it is`;

const { values } = parseArgs({
  options: {
    peers: { type: "boolean", default: false },
    rounds: { type: "string", default: "5" },
    cases: { type: "string" },
    variants: { type: "string" },
    wait: { type: "string", default: "30" },
    json: { type: "string" },
    "no-table": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(usage);
  process.exit(0);
}
const rounds = Number(values.rounds);
const wait = Number(values.wait);
if (!(Number.isInteger(rounds) && rounds > 0) || !(wait >= 0))
  stop("--rounds is a count, --wait a number of seconds");
const names = values.cases?.split(",") ?? cases.map((c) => c.name);
for (const name of names)
  if (!cases.some((c) => c.name === name))
    stop(`there is no case ${name}; there are ${cases.map((c) => c.name).join(", ")}`);
const chosen = cases.filter((c) => names.includes(c.name));

if (values.peers)
  for (const one of chosen) {
    if (existsSync(join(brian2Folder(one), "program.json"))) continue;
    console.log(`${one.name}: compiling the Brian2 program`);
    const [command, ...rest] = brian2Build(one);
    const built = spawnSync(command, rest, { encoding: "utf8" });
    if (built.status !== 0)
      stop(`Brian2 could not be built (Debian: python3-brian g++ make)\n${built.stderr?.slice(-500)}`);
  }

const wanted = (variant: Variant): boolean =>
  values.variants === undefined ||
  variant.name.startsWith("Brian2") ||
  values.variants.split(";").some((text) => variant.name.includes(text));
const series: (Series & { variant: string; samples: Sample[]; limit: number; command: readonly string[] })[] =
  chosen.flatMap((one) =>
    variantsOf(one, values.peers)
      .filter(wanted)
      .map(({ name, command, limit }) => ({ case: one.name, variant: name, samples: [], limit, command })),
  );

const date = new Date().toISOString();
const json =
  values.json ??
  (values.peers ? join(import.meta.dirname, "results", `${date.slice(0, 10)}.json`) : undefined);
const failed = new Set<object>();
for (let round = 1; round <= rounds; round++)
  for (const one of series) {
    if (failed.has(one) || one.samples.length >= one.limit) continue;
    for (let attempt = 0; attempt < 3; attempt++) {
      await quiet(wait);
      const result = await sample(one.command).catch((error: Error) => {
        console.error(`${one.case}  ${one.variant}: ${error.message}`);
        failed.add(one);
      });
      if (!result) break;
      console.log(
        `round ${round}  ${one.case}  ${one.variant}: ${result.run_s.toFixed(3)} s, ${result.rate_hz.toFixed(2)} Hz` +
          (result.others > 0.1 ? `, others used ${Math.round(100 * result.others)} % of the machine` : ""),
      );
      if (result.others <= 0.1 || attempt === 2) {
        one.samples.push(result);
        break;
      }
    }
    if (json) save(json);
  }

const measured = series.filter((s) => s.samples.length > 0);
const summaries = summarise(measured, chosen);
const table = markdown(summaries, chosen);
console.log(`\n${table}`);
for (const line of shortfalls(summaries)) console.log(`slower than promised: ${line}`);
const wrong = disagreements(summaries, chosen);
for (const line of wrong) console.log(`rates disagree: ${line}`);
if (values.peers && !values["no-table"]) {
  const readme = join(import.meta.dirname, "README.md");
  const head = `${date.slice(0, 10)}, ${describeMachine()}, ${rounds} round${rounds === 1 ? "" : "s"}, every variant in turn.`;
  writeFileSync(readme, insertTable(readFileSync(readme, "utf8"), `${head}\n\n${table}`));
}
process.exitCode = wrong.length + failed.size > 0 ? 1 : 0;

function save(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const sampled = series.filter((s) => s.samples.length > 0);
  const results = {
    date,
    machine: describeMachine(),
    rounds,
    series: sampled.map(({ case: name, variant, samples }) => ({ case: name, variant, samples })),
    summary: summarise(sampled, chosen),
  };
  writeFileSync(path, `${JSON.stringify(results, undefined, 1)}\n`);
}

function stop(message: string): never {
  console.error(`${message}\n\n${usage}`);
  process.exit(2);
}
