/**
 * What a phase-change device of the accumulation model does with pulses, time and reads, beside a reference simulation.
 *
 * Many devices get SET pulses from RESET on; then they are left alone and read at later times. Conductances are those
 * referred to T0 after the last pulse, without the noise of a read.
 */
import { pcm } from "../models/pcm.ts";
import { estimate, experiment, fabricate, linePlot, type Result } from "../src/index.ts";

const uS = 1e-6;

/** Mean and spread (uS) of 200,000 devices by pulse, of an earlier simulation of the same model in C. */
const reference = {
  pulse: [1, 2, 3, 4, 5, 8, 10, 12, 15, 20],
  mean: [2.05, 3.43, 4.46, 5.27, 5.92, 7.25, 7.84, 8.3, 8.81, 9.4],
  sd: [1.52, 1.97, 2.19, 2.31, 2.38, 2.45, 2.48, 2.51, 2.56, 2.67],
};

function spread(values: Float64Array): { mean: number; sd: number } {
  const { mean, standardError, n } = estimate(values);
  return { mean, sd: standardError * Math.sqrt(n) };
}

export default experiment({
  name: "pcm-device",
  question: "How do SET pulses, drift and reads move phase-change devices?",
  source: "Nandakumar et al. 2018, J. Appl. Phys. 124:152135, doi:10.1063/1.5042408",
  parameters: { devices: 50000, pulses: 20, ages: [38.6, 100, 386, 1000, 10000, 100000, 1000000] },
  quick: { devices: 5000 },
  describe: {
    devices: "pulsed from RESET",
    pulses: "SET pulses to each",
    ages: "times after the last pulse at which they are read (s)",
  },
  metrics: {
    steps:
      "mean conductance by pulse and its spread over devices, beside those of a reference simulation (uS)",
    largestOff: "largest difference of a mean from that reference (uS)",
    largestSdOff: "largest difference of a spread (uS)",
    drift: "mean conductance at times after the last pulse (s), of that at the first",
    tenfold: "conductance ten times T0 after the last pulse, of that at T0 (1)",
    readSd: "spread of reads of a device after the pulses, mean (uS)",
  },

  async run({ devices, pulses, ages }, context): Promise<Result> {
    const array = await fabricate(devices, pcm, { seed: `${context.seed}` });
    array.pulse("reset");
    const steps = [spread(array.get("G"))];
    for (let k = 0; k < pulses; k++) {
      array.pulse("set");
      steps.push(spread(array.get("G")));
      context.progress((k + 1) / (pulses + 2), `pulse ${k + 1}`);
    }
    const told = steps.map(({ mean, sd }, pulse) => {
      const at = reference.pulse.indexOf(pulse);
      return {
        pulse,
        mean: mean / uS,
        sd: sd / uS,
        referenceMean: at < 0 ? undefined : reference.mean[at],
        referenceSd: at < 0 ? undefined : reference.sd[at],
      };
    });
    const off = (of: "mean" | "sd", beside: "referenceMean" | "referenceSd") =>
      Math.max(0, ...told.map((row) => Math.abs(row[of] - (row[beside] ?? row[of]))));
    const noise = estimate(array.readSd()).mean / uS;
    let age = 0;
    const drifted = ages.map((time) => {
      array.wait(`${time - age} s`);
      age = time;
      return { time, conductance: estimate(array.read({ noise: false })).mean };
    });
    const first = drifted[0].conductance;
    const at = (time: number) => drifted.find((each) => each.time === time)?.conductance;
    const [start, later] = [at(38.6), at(386)];
    return {
      metrics: {
        steps: told,
        largestOff: off("mean", "referenceMean"),
        largestSdOff: off("sd", "referenceSd"),
        drift: drifted.map(({ time, conductance }) => ({ time, part: conductance / first })),
        tenfold: start && later ? later / start : undefined,
        readSd: noise,
      },
      figures: {
        pulses: linePlot({
          title: "Conductance by SET pulses",
          caption: `Mean and standard deviation of ${devices} devices from RESET on; points: a reference simulation of 200,000.`,
          series: {
            "mean ± standard deviation": {
              x: told.map(({ pulse }) => pulse),
              y: told.map(({ mean }) => mean),
              band: {
                low: told.map(({ mean, sd }) => mean - sd),
                high: told.map(({ mean, sd }) => mean + sd),
              },
              points: false,
            },
            reference: { x: reference.pulse, y: reference.mean, line: false, points: true },
          },
          xTitle: "SET pulses",
          yTitle: "conductance (uS)",
        }),
        drift: linePlot({
          title: "Drift",
          x: drifted.map(({ time }) => time),
          series: { "mean of the devices": drifted.map(({ conductance }) => conductance / uS) },
          xTitle: "time after the last pulse (s)",
          yTitle: "conductance (uS)",
          xLog: true,
        }),
      },
    };
  },
});
