/**
 * Builds a network, runs it once, prints what a sample is: one line of JSON.
 *
 * `run_s` is the simulation alone, as the peers count it; `build_s` is connecting and compiling. Bytes of a synapse are all
 * memory of the projections, index and traces included, over their synapses. The mean weight is that of the projection
 * `plastic`, mV. `run` simulates in another way than in one go, and tells the spikes of `cells`.
 */
import {
  compile,
  type Network,
  type Population,
  type Simulation,
  spikes,
  type Time,
} from "../../src/index.ts";

export async function measure(
  network: Network,
  cells: Population,
  options: {
    readonly duration: string; // s
    readonly precision: string;
    readonly threads: string;
    readonly dt?: Time;
  },
  plastic?: string,
  run?: (simulation: Simulation) => number,
): Promise<void> {
  const start = performance.now();
  const simulation = await compile(network, {
    dt: options.dt ?? "0.1 ms",
    seed: 1234,
    precision: options.precision === "float32" ? "float32" : "float64",
    threads: Number(options.threads),
  });
  const built = performance.now();
  const seconds = Number(options.duration);
  const whole = () =>
    simulation.run({ duration: `${seconds} s`, record: { raster: spikes(cells) } }).raster.t.length;
  const count = run ? run(simulation) : whole();
  const ended = performance.now();
  const { synapses, shares } = simulation.memory;
  const projections = Object.keys(network).filter((name) => network[name].kind === "projection");
  const bytes = Object.entries(shares)
    .filter(([label]) => projections.some((name) => label.startsWith(`${name} `)))
    .reduce((sum, [, share]) => sum + share, 0);
  const weights = plastic === undefined ? undefined : simulation.get(plastic, "w");
  simulation.close();
  console.log(
    JSON.stringify({
      run_s: (ended - built) / 1000,
      spikes: count,
      rate_hz: count / cells.size / seconds,
      synapses,
      bytes_per_synapse: bytes / synapses,
      mean_weight_mv: weights && (1000 * weights.reduce((a, b) => a + b, 0)) / weights.length,
      build_s: (built - start) / 1000,
    }),
  );
}
