/**
 * Builds a network, runs it once, prints what a sample is: one line of JSON.
 *
 * `run_s` is the simulation alone, as the peers count it; `build_s` is everything before it but the start of Node.
 */
import { compile, type Network, type Population, spikes } from "../../src/index.ts";

export async function measure(
  network: Network,
  cells: Population,
  projections: readonly string[],
  options: { readonly duration: string; readonly precision: string; readonly threads: string },
): Promise<void> {
  const start = performance.now();
  const simulation = await compile(network, {
    dt: "0.1 ms",
    seed: 1234,
    precision: options.precision === "float32" ? "float32" : "float64",
    threads: Number(options.threads),
  });
  const built = performance.now();
  const seconds = Number(options.duration);
  const { raster } = simulation.run({ duration: `${seconds} s`, record: { raster: spikes(cells) } });
  const ended = performance.now();
  const count = raster.t.length;
  const sizes = projections.map((name) => simulation.synapseCount(name));
  const synapses = sizes.reduce((a, b) => a + b, 0);
  console.log(
    JSON.stringify({
      run_s: (ended - built) / 1000,
      spikes: count,
      rate_hz: count / cells.size / seconds,
      synapses,
      build_s: (built - start) / 1000,
    }),
  );
}
