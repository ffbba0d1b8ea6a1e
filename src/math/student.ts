/** Student's t distribution: what a mean of few samples is worth. */

/** ln Γ(x) for x > 0; Lanczos sum with g = 7, relative error below 1e-14. */
export function logGamma(x: number): number {
  const terms = [
    676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
    -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
  ];
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  let sum = 0.99999999999980993;
  for (let k = 0; k < terms.length; k++) sum += terms[k] / (x + k);
  const base = x + 6.5;
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(base) - base + Math.log(sum);
}

/**
 * Regularised incomplete beta function I_x(a, b) for a, b > 0 and x in [0, 1].
 *
 * Continued fraction (Abramowitz & Stegun 1964, 26.5.8) by the method of Lentz, on the side where it
 * converges fast.
 */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(
    logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x) - Math.log(a),
  );
  const tiny = 1e-300;
  let c = 1;
  let d = 0;
  let fraction = 1;
  for (let k = 0; k < 10_000; k++) {
    const m = k >> 1;
    const numerator =
      k === 0
        ? 1
        : k % 2 === 0
          ? (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
          : (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 + numerator * d;
    d = 1 / (Math.abs(d) < tiny ? tiny : d);
    c = 1 + numerator / c;
    if (Math.abs(c) < tiny) c = tiny;
    fraction *= c * d;
    if (k > 0 && Math.abs(1 - c * d) < 1e-15) break;
  }
  return front * (fraction - 1);
}

/** P(T <= t) for `freedom` degrees of freedom. */
export function studentDistribution(t: number, freedom: number): number {
  const tail = 0.5 * incompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5);
  return t > 0 ? 1 - tail : tail;
}

/** The t with P(T <= t) = p, 0.5 <= p < 1; bisection to the last bits, so exact as far as the distribution is. */
export function studentQuantile(p: number, freedom: number): number {
  if (!(freedom > 0) || !(p >= 0.5 && p < 1))
    throw new RangeError(`no t quantile for p = ${p}, ${freedom} degrees of freedom`);
  let low = 0;
  let high = 1;
  while (studentDistribution(high, freedom) < p) high *= 2;
  for (let k = 0; k < 200 && low < high; k++) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (studentDistribution(middle, freedom) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
