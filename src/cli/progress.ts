/**
 * How far a run is, on stderr: a bar on a terminal, lines in a log, JSON for a program.
 *
 * stdout is never touched. Time left is what the run has taken so far, extended at the same pace.
 */

import { durationText } from "../report/html.ts";

export const progressModes = ["auto", "plain", "json", "none"] as const;
export type ProgressMode = (typeof progressModes)[number];

/** Where progress is written: process.stderr, or a stand-in. */
export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Seconds between lines in a log. */
const lineInterval = 5;

/** The display of one run. */
export class ProgressDisplay {
  readonly #terminal: Terminal;
  readonly #mode: "bar" | Exclude<ProgressMode, "auto">;
  readonly #title: string;
  readonly #start = performance.now();
  #fraction = 0;
  #message = "";
  #updated = 0; // s from the start, when the fraction was told
  #lastLine = Number.NEGATIVE_INFINITY;
  #lastWritten = false;
  #barShown = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(title: string, mode: ProgressMode, terminal: Terminal) {
    this.#title = title;
    this.#terminal = terminal;
    this.#mode = mode === "auto" ? (terminal.isTTY ? "bar" : "plain") : mode;
    if (this.#mode === "bar") this.#timer = setInterval(() => this.#draw(), 500).unref();
  }

  /** The run has come this far, 0 to 1. */
  update(fraction: number, message?: string): void {
    this.#fraction = Math.min(1, Math.max(this.#fraction, Number.isFinite(fraction) ? fraction : 0));
    this.#message = message ?? this.#message;
    this.#updated = this.#elapsed;
    if (this.#mode === "bar") this.#draw();
    else if (this.#mode === "json") this.#writeJson();
    else if (this.#mode === "plain") this.#writeLine();
  }

  /** Writes lines past the bar. */
  note(text: string): void {
    this.#erase();
    this.#terminal.write(text.endsWith("\n") ? text : `${text}\n`);
    if (this.#mode === "bar" && this.#timer !== undefined) this.#draw();
  }

  /** Removes the bar for good. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#erase();
  }

  get #elapsed(): number {
    return (performance.now() - this.#start) / 1000;
  }

  /** Seconds to the end at the pace so far; undefined while there is too little to tell. */
  get #secondsLeft(): number | undefined {
    if (this.#fraction < 0.01 || this.#fraction === 1 || this.#elapsed < 0.5) return undefined;
    const then = (this.#updated * (1 - this.#fraction)) / this.#fraction;
    return Math.max(0, then - (this.#elapsed - this.#updated));
  }

  #words(): string {
    const left = this.#secondsLeft;
    const percent = `${String(Math.floor(100 * this.#fraction)).padStart(3)} %`;
    const time = left === undefined ? "" : `${left < 99 ? `${Math.ceil(left)} s` : durationText(left)} left`;
    return [percent, time, this.#message].filter(Boolean).join("  ");
  }

  #draw(): void {
    const columns = this.#terminal.columns || 80;
    const size = columns < 60 ? 0 : 24; // words before bar where there is no room for both
    const full = Math.round(size * this.#fraction);
    const bar = `${"█".repeat(full)}${"░".repeat(size - full)}`;
    const line = [this.#title, bar, this.#words()].filter(Boolean).join("  ");
    this.#terminal.write(`\r\u001b[K${line.slice(0, columns - 1)}`);
    this.#barShown = true;
  }

  #erase(): void {
    if (this.#barShown) this.#terminal.write("\r\u001b[K");
    this.#barShown = false;
  }

  #writeLine(): void {
    const last = this.#fraction === 1;
    if (this.#lastWritten || (!last && this.#elapsed - this.#lastLine < lineInterval)) return;
    this.#lastLine = this.#elapsed;
    this.#lastWritten = last;
    this.#terminal.write(`${this.#title}  ${this.#words()}\n`);
  }

  #writeJson(): void {
    const line = {
      event: "progress",
      experiment: this.#title,
      fraction: this.#fraction,
      message: this.#message,
      secondsLeft: this.#secondsLeft ?? null,
    };
    this.#terminal.write(`${JSON.stringify(line)}\n`);
  }
}
