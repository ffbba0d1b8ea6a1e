/** Results of a benchmark run: medians, ratios, the agreement of rates, and the table of bench/README.md. */
import type { Case } from "./cases.ts";
import type { Sample } from "./machine.ts";

export interface Series {
  readonly case: string;
  readonly variant: string;
  readonly samples: readonly Sample[];
}

export interface Summary {
  readonly case: string;
  readonly variant: string;
  readonly median: number; // s
  readonly min: number; // s
  readonly max: number; // s
  readonly samples: number;
  readonly rate: number; // Hz
  readonly synapses: number;
  readonly bytesPerSynapse?: number;
  readonly program: string;
  /** Time of Brian2 over this time; of NEST with one thread. */
  readonly overBrian2?: number;
  readonly overNest?: number;
  readonly promised?: number;
}

const reference = "Brian2, 1 thread";

export function summarise(series: readonly Series[], cases: readonly Case[]): Summary[] {
  const medianOf = (name: string, variant: string): number | undefined => {
    const found = series.find((s) => s.case === name && s.variant === variant);
    return found && median(found.samples.map((s) => s.run_s));
  };
  return series.map(({ case: name, variant, samples }) => {
    const times = samples.map((s) => s.run_s);
    const middle = median(times);
    const over = (peer: string): number | undefined => {
      const time = medianOf(name, peer);
      return time === undefined ? undefined : time / middle;
    };
    return {
      case: name,
      variant,
      median: middle,
      min: Math.min(...times),
      max: Math.max(...times),
      samples: times.length,
      rate: median(samples.map((s) => s.rate_hz)),
      synapses: samples[0].synapses,
      bytesPerSynapse: samples[0].bytes_per_synapse,
      program: samples[0].peer ?? "memspike",
      overBrian2: variant === reference ? undefined : over(reference),
      overNest: variant.startsWith("NEST") ? undefined : over("NEST, 1 thread"),
      promised: cases.find((c) => c.name === name)?.promised[variant],
    };
  });
}

/** Variants whose mean rate is too far from the median of their case: not the same network. */
export function disagreements(summaries: readonly Summary[], cases: readonly Case[]): string[] {
  return summaries.flatMap(({ case: name, variant, rate }) => {
    const tolerance = cases.find((c) => c.name === name)?.rateTolerance ?? 0;
    const common = median(summaries.filter((s) => s.case === name).map((s) => s.rate));
    return Math.abs(rate / common - 1) <= tolerance
      ? []
      : [`${name}, ${variant}: ${rate.toFixed(2)} Hz, the others ${common.toFixed(2)} Hz`];
  });
}

/** Variants that are slower than promised. */
export function shortfalls(summaries: readonly Summary[]): string[] {
  return summaries.flatMap(({ case: name, variant, overBrian2, promised }) =>
    overBrian2 !== undefined && promised !== undefined && overBrian2 < promised
      ? [`${name}, ${variant}: ${overBrian2.toFixed(2)} times Brian2, promised ${promised}`]
      : [],
  );
}

export function markdown(summaries: readonly Summary[], cases: readonly Case[]): string {
  const lines: string[] = [];
  for (const one of cases) {
    const rows = summaries.filter((s) => s.case === one.name);
    if (rows.length === 0) continue;
    lines.push(
      `**${one.name}**: ${one.about}`,
      "",
      "| program | median s | min – max (n) | × Brian2 | × NEST | promised | rate Hz | B/synapse |",
      "| --- | --- | --- | --- | --- | --- | --- | --- |",
      ...rows.map((r) => {
        const name =
          r.program === "memspike" ? `memspike ${r.variant}` : r.variant.replace(/^\w+/u, r.program);
        return `| ${[
          name,
          r.median.toPrecision(3),
          `${r.min.toPrecision(3)} – ${r.max.toPrecision(3)} (${r.samples})`,
          ratio(r.overBrian2),
          ratio(r.overNest),
          r.promised ?? "",
          r.rate.toFixed(2),
          r.bytesPerSynapse?.toFixed(1) ?? "",
        ].join(" | ")} |`;
      }),
      "",
    );
  }
  return lines.join("\n");
}

const ratio = (value: number | undefined): string => (value === undefined ? "" : value.toPrecision(3));

/** `text` with what stands between the benchmark markers replaced. Throws when it has no markers. */
export function insertTable(text: string, table: string): string {
  const [start, end] = ["<!-- results -->", "<!-- end of results -->"];
  const from = text.indexOf(start);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`the text has no ${start} ... ${end}`);
  return `${text.slice(0, from + start.length)}\n${table.trim()}\n${text.slice(to)}`;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
