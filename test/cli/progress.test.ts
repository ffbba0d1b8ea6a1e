import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ProgressDisplay, type Terminal } from "../../src/cli/progress.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function terminal(isTTY: boolean, columns = 200): Terminal & { text: string } {
  return {
    text: "",
    isTTY,
    columns,
    write(words) {
      this.text += words;
    },
  };
}

test("a log gets a line at once, one every five seconds, and one at the end", () => {
  const log = terminal(false);
  const display = new ProgressDisplay("cuba", "auto", log);
  for (let k = 1; k <= 100; k++) {
    vi.advanceTimersByTime(200);
    display.update(k / 100, `epoch ${k}`);
  }
  display.update(1);
  display.close();
  expect(log.text).toMatchInlineSnapshot(`
    "cuba    1 %  epoch 1
    cuba   26 %  15 s left  epoch 26
    cuba   52 %  10 s left  epoch 52
    cuba   77 %  5 s left  epoch 77
    cuba  100 %  epoch 100
    "
  `);
});

/** What was written, with the steering of the cursor in words. */
function shown(text: string): string {
  return text.replaceAll("\r\u001b[K", "<redraw>");
}

test("a terminal gets one line that is redrawn, cut to its width, and removed at the end", () => {
  const screen = terminal(true, 61);
  const display = new ProgressDisplay("cuba", "auto", screen);
  display.update(0.5, "a message that is far too long");
  display.note("aside");
  display.close();
  expect(shown(screen.text)).toMatchInlineSnapshot(`
    "<redraw>cuba  ████████████░░░░░░░░░░░░   50 %  a message that is far<redraw>aside
    <redraw>cuba  ████████████░░░░░░░░░░░░   50 %  a message that is far<redraw>"
  `);
  const narrow = terminal(true, 30);
  const small = new ProgressDisplay("cuba", "auto", narrow);
  small.update(0.5, "a message that is far too long");
  small.close();
  expect(shown(narrow.text)).toMatchInlineSnapshot(`"<redraw>cuba   50 %  a message that i<redraw>"`);
});

test("time left is the time so far at the same pace; progress never goes back", () => {
  const log = terminal(false);
  const display = new ProgressDisplay("cuba", "json", log);
  vi.advanceTimersByTime(30_000);
  display.update(0.25);
  display.update(0.2);
  display.update(Number.NaN);
  display.close();
  const lines = log.text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.map(({ fraction, secondsLeft }) => [fraction, Math.round(secondsLeft)])).toEqual([
    [0.25, 90],
    [0.25, 90],
    [0.25, 90],
  ]);
});

test("between two words of progress the time left runs down", () => {
  const screen = terminal(true);
  const display = new ProgressDisplay("cuba", "auto", screen);
  vi.advanceTimersByTime(30_000);
  display.update(0.25);
  vi.advanceTimersByTime(60_000);
  display.close();
  expect(screen.text).toContain("89 s left");
  expect(screen.text.lastIndexOf("30 s left")).toBeGreaterThan(screen.text.lastIndexOf("40 s left"));
  expect(screen.text).not.toContain(" 29 s left");
});
