/**
 * Colours told apart by everybody: the eight of Okabe & Ito 2008 without the yellow, which is lost on white, and
 * scales of even steps in lightness.
 */

export const palette = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#4d4d4d"];

/** Spikes that should be, pale and wide, under those that are, dark and thin. */
export const desiredColour = "#f2b866";
export const producedColour = "#004a80";

/** Text, quiet text, lines of the frame, grid. */
export const ink = { text: "#1c2733", quiet: "#5a6875", frame: "#8b97a3", grid: "#e8ebee", shade: "#f1f4f7" };

export type Scale = "sequential" | "diverging";

const anchors: Record<Scale, readonly string[]> = {
  sequential: ["#f5f7f9", "#cfdeeb", "#94b9d8", "#4f8bbd", "#1f5d94", "#0a2f57"],
  diverging: ["#8a3800", "#d5762f", "#f1c9a5", "#f5f7f9", "#a9cbe5", "#3a83bd", "#0a3f73"],
};

/** The colour at position 0 to 1 of a scale, `#rrggbb`; outside the ends, the end. */
export function scaleColour(scale: Scale, position: number): string {
  const colours = anchors[scale];
  const x = Math.min(1, Math.max(0, position)) * (colours.length - 1);
  const k = Math.min(colours.length - 2, Math.floor(x));
  const low = channels(colours[k]);
  const high = channels(colours[k + 1]);
  return `#${low.map((c, j) => hex(Math.round(c + (high[j] - c) * (x - k)))).join("")}`;
}

/** The scale as Plotly takes it: [position, colour] pairs. */
export function colourStops(scale: Scale): [number, string][] {
  return anchors[scale].map((colour, k) => [k / (anchors[scale].length - 1), colour]);
}

/** `#rrggbb` with an opacity, for bands. */
export function faded(colour: string, opacity: number): string {
  return `rgba(${channels(colour).join(",")},${opacity})`;
}

function channels(colour: string): number[] {
  return [1, 3, 5].map((k) => Number.parseInt(colour.slice(k, k + 2), 16));
}

function hex(channel: number): string {
  return channel.toString(16).padStart(2, "0");
}
