/** Where an axis is marked, and how a number is written. */

/** Marks of an axis: positions in data units, with their labels. */
export interface Ticks {
  readonly at: readonly number[];
  readonly labels: readonly string[];
}

/** A step of 1, 2 or 5 times a power of ten, so that `span` holds at most `count` of them. */
export function niceStep(span: number, count: number): number {
  const raw = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(raw));
  for (const factor of [1, 2, 5]) if (factor * power >= raw * (1 - 1e-9)) return factor * power;
  return 10 * power;
}

/** Round marks within [low, high], at most `count` intervals. */
export function linearTicks(low: number, high: number, count: number): Ticks {
  const size = Math.max(Math.abs(low), Math.abs(high));
  if (!(high - low > 1e-12 * size)) return { at: [low], labels: [numberText(low)] }; // a point but for rounding
  const step = niceStep(high - low, count);
  const at: number[] = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) at.push(k * step + 0);
  return { at, labels: at.map((value) => stepText(value, step, size)) };
}

/**
 * Marks of a logarithmic axis within [low, high], both positive: decades, thinned to `count`; 1, 2 and 5 of each
 * when there are fewer than two decades.
 */
export function logTicks(low: number, high: number, count: number): Ticks {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  const at: number[] = [];
  if (last - first >= 1) {
    const every = Math.ceil((last - first + 1) / Math.max(1, count));
    for (let k = first; k <= last; k++) if (((k % every) + every) % every === 0) at.push(10 ** k);
  } else {
    for (let k = first - 1; k <= last + 1; k++)
      for (const factor of [1, 2, 5]) {
        const value = factor * 10 ** k;
        if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)) at.push(value);
      }
  }
  return { at, labels: at.map(powerText) };
}

/** [low, high] widened to whole steps, so that the outermost marks are the ends. A point becomes a unit wide. */
export function niceRange(low: number, high: number, count: number): [number, number] {
  if (low === high) return low === 0 ? [0, 1] : [Math.min(0, 2 * low), Math.max(0, 2 * low)];
  const step = niceStep(high - low, count);
  return [Math.floor(low / step + 1e-9) * step + 0, Math.ceil(high / step - 1e-9) * step + 0];
}

/** A number in at most `digits` significant digits, minus as a minus sign, powers of ten with raised digits. */
export function numberText(value: number, digits = 4): string {
  if (Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const count = Number.isInteger(value) && size < 1e9;
  if ((size >= 1e6 && !count) || size < 1e-4) return scientific(value, digits);
  if (size >= 10 ** digits) return minus(grouped(String(Math.round(value))));
  return minus(grouped(String(Number(value.toPrecision(digits)))));
}

function scientific(value: number, digits: number): string {
  const [mantissa, exponent] = value.toExponential(Math.max(1, digits) - 1).split("e");
  const short = String(Number(mantissa));
  const power = `10${raised(Number(exponent))}`;
  return minus(short === "1" ? power : short === "-1" ? `-${power}` : `${short} × ${power}`);
}

/** A decade as 10ⁿ outside 0.01 to 1000. */
function powerText(value: number): string {
  const exponent = Math.round(Math.log10(value));
  const exact = Math.abs(value / 10 ** exponent - 1) < 1e-9;
  return exact && (exponent < -2 || exponent > 3) ? `10${raised(exponent)}` : numberText(value);
}

/** A mark with just the digits its step needs; `extent` is the largest number on the axis. */
function stepText(value: number, step: number, extent: number): string {
  if (value === 0) return "0";
  if (step >= 1e5 || extent < 1e-3)
    return scientific(value, 2 + Math.round(Math.log10(Math.abs(value) / step)));
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return minus(grouped(value.toFixed(decimals)));
}

function grouped(text: string): string {
  const [whole, fraction] = text.split(".");
  const digits = whole.replace("-", "").length;
  const spaced = digits > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, ",") : whole;
  return fraction === undefined ? spaced : `${spaced}.${fraction}`;
}

function minus(text: string): string {
  return text.startsWith("-") ? `−${text.slice(1)}` : text;
}

function raised(exponent: number): string {
  const digits = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  return String(exponent).replace(/./g, (c) => (c === "-" ? "⁻" : digits[Number(c)]));
}
