import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { command, relay } from "../../models/relay.ts";
import { multiplicativeStdp, pairStdp, stateStdp, tripletFits, tripletStdp } from "../../models/stdp.ts";
import { neurons, oneToOne, poisson, simulate, spikeSource, synapses, trace } from "../../src/index.ts";

const dt = 1e-3;
type Rule = typeof pairStdp | typeof multiplicativeStdp | typeof tripletStdp;

/** Final weight of one synapse, V, for spikes of its cells at whole ticks (post from tick 1 on). */
async function finalWeight(
  rule: Rule,
  pre: readonly number[],
  post: readonly number[],
  start: number | string, // V, or with its unit
) {
  const stimulus = spikeSource(1, [pre.map((n) => n * dt)]);
  const teacher = spikeSource(1, [post.map((n) => (n - 1) * dt)]);
  const cells = neurons(1, relay);
  const commands = synapses(teacher, cells, command, { connect: oneToOne() });
  const plastic = synapses(stimulus, cells, rule, {
    connect: oneToOne(),
    initial: { w: typeof start === "string" ? start : `${start} V` },
  });
  const { w, input } = await simulate(
    { stimulus, teacher, cells, commands, plastic },
    { duration: "300 ms", dt: "1 ms", seed: 1, record: { w: trace(plastic, "w"), input: trace(cells, "I") } },
  );
  return { w: w.values[0], input: input.values[input.values.length - 1] };
}

/** Both trains spike by spike, pre before post within a tick; `traces` decay with `taus` between events. */
function walk(
  pre: readonly number[],
  post: readonly number[],
  taus: readonly number[],
  on: (side: "pre" | "post", traces: number[]) => void,
): void {
  const traces = taus.map(() => 0);
  let last = 0;
  const events = [
    ...pre.map((n) => ({ n, side: "pre" as const })),
    ...post.map((n) => ({ n, side: "post" as const })),
  ];
  events.sort((a, b) => a.n - b.n || (a.side === b.side ? 0 : a.side === "pre" ? -1 : 1));
  for (const { n, side } of events) {
    for (let k = 0; k < taus.length; k++) traces[k] *= Math.exp((-(n - last) * dt) / taus[k]);
    last = n;
    on(side, traces);
  }
}

const clip = (w: number, top: number) => Math.min(top, Math.max(0, w));

const train = fc
  .uniqueArray(fc.integer({ min: 1, max: 299 }), { maxLength: 60 })
  .map((a) => a.sort((x, y) => x - y));
const start = fc.double({ min: 0, max: 2e-4, noNaN: true });

describe("rules of plasticity agree with themselves written out spike by spike, to 1e-12", () => {
  test("pair rule with bounds, large steps", async () => {
    const [Ap, Am, wmax] = [2e-5, 3e-5, 2e-4];
    const rule = pairStdp.with({ Ap: `${Ap} V`, Am: `${Am} V`, wmax: `${wmax} V` });
    await fc.assert(
      fc.asyncProperty(train, train, start, async (pre, post, w0) => {
        let [w, input] = [w0, 0];
        walk(pre, post, [0.02, 0.02], (side, traces) => {
          if (side === "pre") {
            input += w;
            traces[0] += Ap;
            w = clip(w - traces[1], wmax);
          } else {
            traces[1] += Am;
            w = clip(w + traces[0], wmax);
          }
        });
        const found = await finalWeight(rule, pre, post, w0);
        expect(Math.abs(found.w - w)).toBeLessThan(1e-12 * wmax);
        // the last sample is taken before the last tick, whose spikes are not in it
        if (!pre.includes(299)) expect(Math.abs(found.input - input)).toBeLessThan(1e-12 * wmax * 60);
      }),
      { numRuns: 40 },
    );
  });

  test("multiplicative rule", async () => {
    const [lambda, alpha, wmax] = [0.1, 1.3, 2e-4];
    const rule = multiplicativeStdp.with({ lambda, alpha });
    await fc.assert(
      fc.asyncProperty(train, train, start, async (pre, post, w0) => {
        let w = w0;
        walk(pre, post, [0.02, 0.02], (side, traces) => {
          if (side === "pre") {
            traces[0]++;
            w -= lambda * alpha * w * traces[1];
          } else {
            traces[1]++;
            w += lambda * (wmax - w) * traces[0];
          }
        });
        const found = await finalWeight(rule, pre, post, w0);
        expect(Math.abs(found.w - w)).toBeLessThan(1e-12 * wmax);
      }),
      { numRuns: 40 },
    );
  });

  test("state-dependent rule: up by aUp (1 - w)^gammaUp, down by aDown w^gammaDown, for each pair", async () => {
    const [aUp, aDown, gammaUp, gammaDown] = [0.2, 0.3, 1.7, 0.6];
    const rule = stateStdp.with({ aUp, aDown, gammaUp, gammaDown });
    await fc.assert(
      fc.asyncProperty(train, train, fc.double({ min: 0, max: 1, noNaN: true }), async (pre, post, w0) => {
        let [w, input] = [w0, 0];
        walk(pre, post, [0.02, 0.02], (side, traces) => {
          if (side === "pre") {
            input += w * 2e-4;
            traces[0]++;
            w = clip(w - aDown * w ** gammaDown * traces[1], 1);
          } else {
            traces[1]++;
            w = clip(w + aUp * (1 - w) ** gammaUp * traces[0], 1);
          }
        });
        const found = await finalWeight(rule as unknown as Rule, pre, post, `${w0}`);
        // a power is wrong by an ulp or two, and near the bounds its slope is steep
        expect(Math.abs(found.w - w)).toBeLessThan(1e-9);
        if (!pre.includes(299)) expect(Math.abs(found.input - input)).toBeLessThan(1e-9 * 2e-4 * 60);
      }),
      { numRuns: 40 },
    );
  });

  test("triplet rule, all four amplitudes at work", async () => {
    const { A2p, A3p, A2m, A3m } = tripletFits.hippocampusFull;
    const rule = tripletStdp.with({ ...tripletFits.hippocampusFull });
    await fc.assert(
      fc.asyncProperty(train, train, start, async (pre, post, w0) => {
        let w = w0;
        walk(pre, post, [0.0168, 0.946, 0.0337, 0.027], (side, traces) => {
          const [r1, r2, o1, o2] = traces;
          if (side === "pre") {
            w = clip(w - 1e-4 * o1 * (A2m + A3m * r2), 2e-4);
            traces[0]++;
            traces[1]++;
          } else {
            w = clip(w + 1e-4 * r1 * (A2p + A3p * o2), 2e-4);
            traces[2]++;
            traces[3]++;
          }
        });
        const found = await finalWeight(rule, pre, post, w0);
        expect(Math.abs(found.w - w)).toBeLessThan(1e-12 * 2e-4);
      }),
      { numRuns: 40 },
    );
  });
});

describe("independent Poisson trains", () => {
  /** Weights after `duration`, in units of wmax, from wmax / 2. */
  async function weights(rule: Rule, duration: `${number} s`): Promise<Float64Array> {
    const size = 2000;
    const stimulus = poisson(size, "40 Hz");
    const teacher = poisson(size, "40 Hz");
    const cells = neurons(size, relay);
    const commands = synapses(teacher, cells, command, { connect: oneToOne() });
    const plastic = synapses(stimulus, cells, rule, { connect: oneToOne(), initial: { w: "0.1 mV" } });
    const { w } = await simulate(
      { stimulus, teacher, cells, commands, plastic },
      { duration, dt: "1 ms", seed: 5, record: { w: trace(plastic, "w") } },
    );
    return w.values.map((value) => value / 2e-4);
  }

  /** Mean and its standard error; the reach of 4.89 errors is a false alarm once in 1e6. */
  function meanOf(values: Float64Array): { mean: number; reach: number } {
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
    const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
    return { mean, reach: 4.89 * Math.sqrt(squares / (values.length - 1) / values.length) };
  }

  // mean traces on a grid: x with its own tick's spike, y without: x / y = exp(dt / tau), x - y = rate dt
  test("multiplicative weights gather around wmax / (1 + alpha exp(-dt/tau))", async () => {
    const alpha = 1.5;
    const { mean, reach } = meanOf(await weights(multiplicativeStdp.with({ alpha, lambda: 0.002 }), "60 s"));
    expect(Math.abs(mean - 1 / (1 + alpha * Math.exp(-1 / 20)))).toBeLessThan(reach);
    expect(Math.abs(mean - 1 / (1 + alpha))).toBeGreaterThan(reach); // control: two spikes in a tick left out, 3 %
  });

  test("additive weights of equal amplitudes grow by A for every two spikes in one tick", async () => {
    const amplitude = 1e-7 / 2e-4; // of wmax
    const { mean, reach } = meanOf(await weights(pairStdp.with({ Ap: "0.1 uV", Am: "0.1 uV" }), "60 s"));
    const expected = 0.5 + amplitude * 60 * 40 * 40 * dt;
    expect(Math.abs(mean - expected)).toBeLessThan(reach);
    expect(Math.abs(mean - 0.5)).toBeGreaterThan(reach); // control: no growth
  });
});
