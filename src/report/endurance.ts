/**
 * How many pulses devices survive, where the model counts them.
 *
 * Nobody simulates a thousand million pulses: the count that each device stores is put forward instead.
 */

import { linePlot } from "./figures.ts";
import { give, grouped, type Part, quiet, type Station } from "./station.ts";

/** Pulses before each look: eighths of a decade. */
const looks = Array.from({ length: 97 }, (_, k) => 10 ** (k / 8));
/** The most pulses of a look. */
const mostPulses = 50;

/** Devices that still move after so many pulses; omitted where no variable counts them. */
export async function endurance(place: Station): Promise<Part> {
  const { array, up, program } = place;
  const omitted = (why: string): Part => ({ figures: {}, metrics: {}, omitted: { endurance: why } });
  const counter = await counterOf(place);
  if (counter === undefined) return omitted("the model counts no pulses: nothing wears out");
  const move = () => {
    if (up) give(array, up.pulse, Math.min(mostPulses, Math.ceil(up.counts[up.counts.length - 1] / 2)));
    else if (program) array.pulse(program.pulse, undefined, { [program.argument]: program.top });
  };
  const changes = (count: number) => {
    place.start();
    array.set(counter, count);
    const before = quiet(array);
    move();
    return quiet(array).map((after, k) => after - before[k]);
  };
  const fresh = changes(0);
  const typical = fresh.reduce((sum, change) => sum + change, 0) / fresh.length;
  if (!(typical > 0)) return omitted("no pulse moves a device");
  const alive = looks.map((count) => changes(count).map((change) => (change > 0.1 * typical ? 1 : 0)));
  const fraction = (k: number, from: number, to: number) =>
    alive[k].subarray(from, to).reduce((sum, one) => sum + one, 0) / (to - from);
  const half = (from: number, to: number) => {
    const k = looks.findIndex((_, j) => fraction(j, from, to) < 0.5 * fraction(0, from, to));
    if (k <= 0) return Number.NaN;
    const [before, after] = [fraction(k - 1, from, to), fraction(k, from, to)];
    const part = (before - 0.5 * fraction(0, from, to)) / (before - after);
    return looks[k - 1] * (looks[k] / looks[k - 1]) ** part;
  };
  return {
    figures: {
      endurance: linePlot({
        title: "Devices that still move",
        caption: `Of ${array.size} devices, those that move by a tenth of what fresh ones do after so many pulses.`,
        x: looks,
        series: { "": { y: looks.map((_, k) => fraction(k, 0, array.size)), points: false } },
        xTitle: "pulses",
        yTitle: "fraction of devices",
        xLog: true,
        yRange: [0, 1.02],
      }),
    },
    metrics: { endurance: grouped(array.size, half) },
  };
}

/** The stored variable that every pulse, and nothing else, makes one larger. */
async function counterOf(place: Station): Promise<string | undefined> {
  const array = await place.few(1);
  const pulses = Object.keys(place.model.checked.handlers);
  return place.model.checked.variables
    .map(({ name }) => name)
    .find((name) =>
      pulses.every((pulse) => {
        const [before] = array.get(name);
        array.pulse(pulse);
        return array.get(name)[0] === before + 1;
      }),
    );
}
