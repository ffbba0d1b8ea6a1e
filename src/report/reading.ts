/** What reads add: their noise at each conductance, its distribution and its spectrum. */

import { welch } from "../math/fourier.ts";
import { line, mean } from "../math/statistics.ts";
import { estimate } from "./estimate.ts";
import { histogramPlot, linePlot } from "./figures.ts";
import { grouped, micro, type Part, quiet, restore, type Station, snapshot } from "./station.ts";

const fractions = [0, 0.25, 0.5, 0.75, 1];
/** Reads of a device at each level, a second apart. */
const repeats = 40;
const bins = 16;
/** Devices of the spectrum; reads of each, and values of a segment. */
const watched = 32;
const series = { full: { reads: 8192, segment: 2048 }, quick: { reads: 4096, segment: 1024 } };

/** Read noise is a read less the conductance without noise at that moment. Omitted where reads are exact. */
export async function reading(place: Station): Promise<Part> {
  const { array } = place;
  const levels: number[] = []; // S, [level and device]
  const noises: number[] = [];
  for (const fraction of fractions) {
    if (!place.bring(fraction)) continue;
    const squares = new Float64Array(array.size);
    let level = quiet(array);
    for (let n = 0; n < repeats; n++) {
      array.wait("1 s");
      level = quiet(array);
      const read = array.read();
      for (let k = 0; k < array.size; k++) squares[k] += (read[k] - level[k]) ** 2;
    }
    for (let k = 0; k < array.size; k++) {
      levels.push(level[k]);
      // the root of a mean of squares falls short of the sd by 1 / (4 n) of it (normal noise, to first order)
      noises.push(Math.sqrt(squares[k] / repeats) * (1 + 1 / (4 * repeats)));
    }
  }
  if (noises.every((noise) => noise === 0))
    return { figures: {}, metrics: {}, omitted: { readNoise: "a read of this device has no noise" } };
  const noiseLine = (part: "slope" | "offset") =>
    grouped(array.size, (from, to) => {
      const own = (k: number) => k % array.size >= from && k % array.size < to;
      return line(
        levels.filter((_, k) => own(k)),
        noises.filter((_, k) => own(k)),
      )[part];
    });
  const offset = noiseLine("offset");
  const binned = inBins(levels, noises);
  const spectrum = await spectrumOf(place);
  return {
    figures: {
      readNoise: linePlot({
        title: "Read noise against conductance",
        caption: `Standard deviation of a read, in ${bins} bins of devices at ${fractions.length} levels.`,
        x: binned.map(({ level }) => micro * level),
        series: { "": binned.map(({ level, noise }) => (100 * noise) / level) },
        xTitle: "conductance (uS)",
        yTitle: "standard deviation of a read (% of the conductance)",
        yLog: true,
      }),
      readHistogram: spectrum.histogram,
      readSpectrum: spectrum.figure,
    },
    metrics: {
      readNoise: spectrum.noise,
      readNoiseSlope: noiseLine("slope"),
      readNoiseOffset: offset && {
        ...offset,
        mean: micro * offset.mean,
        standardError: micro * offset.standardError,
        interval95: [micro * offset.interval95[0], micro * offset.interval95[1]],
      },
      readSpectrumSlope: spectrum.slope,
    },
  };
}

/** Means of level and noise in bins of as many values, the lowest first; levels of 0 left out. */
function inBins(levels: readonly number[], noises: readonly number[]): { level: number; noise: number }[] {
  const order = levels.map((_, k) => k).filter((k) => levels[k] > 0);
  order.sort((a, b) => levels[a] - levels[b]);
  const count = Math.min(bins, order.length);
  return Array.from({ length: count }, (_, bin) => {
    const own = order.slice((bin * order.length) / count, ((bin + 1) * order.length) / count);
    return { level: mean(own.map((k) => levels[k])), noise: mean(own.map((k) => noises[k])) };
  });
}

/** Noise of some devices at half of the range, in evenly spaced reads: distribution and spectrum. */
async function spectrumOf(place: Station) {
  const { reads, segment } = place.quick ? series.quick : series.full;
  const array = await place.few(Math.min(watched, place.array.size));
  const { size } = array;
  place.bring(0.5);
  restore(array, snapshot(place.array));
  const noise = Array.from({ length: size }, () => new Float64Array(reads));
  for (let n = 0; n < reads; n++) {
    array.wait("1 s");
    const level = quiet(array);
    const read = array.read();
    for (let k = 0; k < size; k++) noise[k][n] = level[k] > 0 ? read[k] / level[k] - 1 : 0;
  }
  const rms = noise.map((each) => Math.sqrt(mean(each.map((value) => value * value))));
  const spectra = noise
    .filter((_, k) => rms[k] > 0)
    .map((each, k) =>
      welch(
        each.map((value) => value / rms[k]),
        1,
        segment,
      ),
    );
  const { frequency } = spectra[0];
  // the two lowest are lowered by the mean that each segment loses, the highest has one side
  const fitted = Array.from(frequency.keys()).slice(2, -1);
  const logs = fitted.map((f) => Math.log(frequency[f]));
  const slopes = spectra.map(
    ({ density }) =>
      line(
        logs,
        fitted.map((f) => Math.log(density[f])),
      ).slope,
  );
  const shown = octaveParts(fitted, frequency).map((own) => ({
    frequency: mean(own.map((f) => frequency[f])),
    density: mean(spectra.map(({ density }) => mean(own.map((f) => density[f])))),
  }));
  return {
    noise: estimate(rms.map((value) => 100 * value)),
    slope: slopes.every(Number.isFinite) ? estimate(slopes) : undefined,
    histogram: histogramPlot(
      noise.flatMap((each) => Array.from(each.subarray(0, 1024), (value) => 100 * value)),
      {
        title: "Reads about the conductance",
        caption: `1,024 reads of each of ${size} devices at half of the range, less the conductance without noise.`,
        xTitle: "deviation (% of the conductance)",
        yTitle: "reads",
        bins: 60,
      },
    ),
    figure: linePlot({
      title: "Spectrum of read noise",
      caption: `Of the noise of each device in units of its standard deviation: ${reads} reads of each of ${size} devices, one a second, by Welch's method with Hann windows of ${segment}.`,
      x: shown.map(({ frequency }) => frequency),
      series: { "": { y: shown.map(({ density }) => density) } },
      levels: [{ at: 2, label: "white noise" }], // variance 1 over half a hertz
      xTitle: "frequency (Hz)",
      yTitle: "power density (1/Hz)",
      xLog: true,
      yLog: true,
    }),
  };
}

/** Neighbouring frequencies gathered, eight sets an octave. */
function octaveParts(indices: readonly number[], frequency: Float64Array): number[][] {
  const sets: number[][] = [];
  for (const f of indices) {
    const last = sets[sets.length - 1];
    if (last && frequency[f] < frequency[last[0]] * 2 ** (1 / 8)) last.push(f);
    else sets.push([f]);
  }
  return sets;
}
