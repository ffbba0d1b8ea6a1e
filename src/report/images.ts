/** Images as SVG: each colour one path, and the scale of colours beside them. */

import type { ImageFigure } from "./figures.ts";
import { type Drawing, header, round, text, width } from "./frame.ts";
import { ink, scaleColour } from "./palette.ts";
import { linearTicks } from "./ticks.ts";

/** Images in rows with one colour scale beside them. */
export function drawImages(figure: ImageFigure): Drawing {
  const { images, across, range } = figure;
  const margin = 14;
  const gap = 16;
  const barRoom = 92; // colour scale with its labels
  const head = header(figure.title ?? "", [], margin);
  const slot = (width - 2 * margin - barRoom - gap * (across - 1)) / across;
  const tallest = Math.max(...images.map(({ rows, columns }) => rows / columns), 0);
  const pixelRoom = Math.min(slot, 260 / tallest);
  const titled = images.some(({ title }) => title !== "") ? 20 : 0;
  const panel = Math.ceil(pixelRoom * tallest) + titled + gap;
  const rows = Math.ceil(images.length / across);
  const parts = [head.text];
  for (const [k, image] of images.entries()) {
    const x = margin + (k % across) * (pixelRoom + gap);
    const y = head.height + Math.floor(k / across) * panel;
    const pixel = Math.min(pixelRoom / image.columns, (pixelRoom * tallest) / image.rows);
    if (titled) parts.push(text(image.title, x + (pixel * image.columns) / 2, y + 14, { anchor: "middle" }));
    parts.push(
      `<g transform="translate(${round(x)} ${round(y + titled)}) scale(${Math.round(pixel * 1e4) / 1e4})" shape-rendering="crispEdges">`,
      pixels(image, range, figure.scale),
      "</g>",
      `<rect x="${round(x)}" y="${round(y + titled)}" width="${round(pixel * image.columns)}" height="${round(pixel * image.rows)}" fill="none" stroke="${ink.frame}" stroke-width=".75"/>`,
    );
  }
  const height = head.height + rows * panel;
  const barX = margin + Math.min(across, images.length) * (pixelRoom + gap) + 8;
  parts.push(
    colourBar(figure, barX, head.height + titled, Math.min(220, height - head.height - titled - gap)),
  );
  return { content: parts.join(""), height };
}

/** An image as one path per colour, in units of a pixel; equal neighbours in a row are one rectangle. */
export function pixels(
  image: ImageFigure["images"][number],
  [low, high]: readonly [number, number],
  scale: ImageFigure["scale"],
): string {
  const paths = new Map<string, string[]>();
  for (let r = 0; r < image.rows; r++) {
    let start = 0;
    const colourAt = (c: number) => {
      const value = image.values[r * image.columns + c];
      if (value === null) return "none";
      return scaleColour(scale, Math.round(((value - low) / (high - low)) * 128) / 128);
    };
    for (let c = 1; c <= image.columns; c++) {
      const colour = colourAt(start);
      if (c < image.columns && colourAt(c) === colour) continue;
      const path = paths.get(colour) ?? [];
      path.push(`M${start} ${r}h${c - start}v1h-${c - start}z`);
      paths.set(colour, path);
      start = c;
    }
  }
  return [...paths].map(([colour, path]) => `<path d="${path.join("")}" fill="${colour}"/>`).join("");
}

function colourBar({ range, scale, valueTitle }: ImageFigure, x: number, y: number, height: number): string {
  const steps = 48;
  const bars = Array.from({ length: steps }, (_, k) => {
    const top = y + ((steps - 1 - k) * height) / steps;
    return `<rect x="${round(x)}" y="${round(top)}" width="12" height="${round(height / steps + 0.6)}" fill="${scaleColour(scale, k / (steps - 1))}"/>`;
  });
  const ticks = linearTicks(range[0], range[1], Math.max(2, Math.floor(height / 40)));
  const labels = ticks.at.map((value, k) => {
    const at = y + height * (1 - (value - range[0]) / (range[1] - range[0]));
    return `<path d="M${round(x + 12)} ${round(at)}h4" stroke="${ink.frame}"/>${text(ticks.labels[k], x + 20, at + 4)}`;
  });
  const title = text(valueTitle, x + 64, y + height / 2, { anchor: "middle", quiet: true, tilt: -90 });
  return `${bars.join("")}${labels.join("")}${title}`;
}
