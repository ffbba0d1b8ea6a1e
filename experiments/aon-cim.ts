/**
 * Two networks for one array of phase-change memory: where their layers lie, how long a sample takes and what it costs, beside
 * the network with channel-wise convolutions that one of them is made from.
 *
 * Arithmetic on shapes alone: no weights, no training, no seed.
 */
import { networks } from "../models/networks.ts";
import {
  barPlot,
  ConfigError,
  type Cost,
  costOf,
  experiment,
  linePlot,
  type MatrixShape,
  mapNetwork,
  type NetworkShape,
  networkCost,
  networkShape,
  placementPlot,
  placeNetwork,
  workOf,
} from "../src/index.ts";

const array = { rows: 1024, columns: 512 };

/** TOPS/W at 8, 6 and 4 bits: arXiv:2111.06503, and IEEE Micro 42(6):76, which tells no peak. */
const published = {
  preprint: { keywords: [8.58, 26.76, 57.39], persons: [4.37, 12.82, 25.69], peak: [13.55, 45.55, 112.44] },
  journal: { keywords: [8.55, 26.55, 56.67], persons: [4.34, 12.64, 25.2], peak: [] },
} as const;
const publishedBits = [8, 6, 4];

const shapeOf = (name: string): NetworkShape => {
  const entry = networks[name];
  return typeof entry === "function" ? entry() : entry;
};

/** Each channel-wise convolution and the 1 x 1 after it as one convolution over all channels. */
function fused(network: NetworkShape): NetworkShape {
  const { matrices } = network;
  const joined = matrices.flatMap((matrix, k): MatrixShape[] => {
    if (k > 0 && (matrices[k - 1].groups ?? 1) > 1) return []; // taken with the one before
    if ((matrix.groups ?? 1) === 1) return [matrix];
    const { name, kind, inputs, kernel, positions } = matrix;
    return [
      {
        name: name.replace("depthwise", "fused"),
        kind,
        inputs,
        kernel,
        positions,
        outputs: matrices[k + 1].outputs,
      },
    ];
  });
  return networkShape({ ...network, name: `${network.name}, fused`, matrices: joined });
}

/** Rows of a table of what a network takes on the array at 8 bits. */
function comparison(way: string, network: NetworkShape, energies: "preprint" | "journal") {
  const { arrays, use, pieces } = placeNetwork(network, { array, share: true });
  const taken = pieces.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
  const depthwise = pieces.filter(({ weights, rows, columns }) => weights < rows * columns);
  const cells = depthwise.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
  const cost = networkCost(network, { bits: 8, energies });
  return {
    way,
    weights: mapNetwork(network, array).weights,
    cells: taken,
    arrays,
    use: 100 * use,
    ...(cells > 0
      ? { depthwiseUse: (100 * depthwise.reduce((sum, { weights }) => sum + weights, 0)) / cells }
      : {}),
    cycles: cost.cycles,
    energy: cost.energy * 1e6,
    topsPerWatt: cost.topsPerWatt,
  };
}

/** A row of the table of the paper. */
const tableRow = (bits: number, cost: Cost) => ({
  bits,
  cycle: cost.cycle * 1e9,
  inferencesPerSecond: cost.inferencesPerSecond,
  latency: cost.latency * 1e6,
  tops: cost.tops,
  energy: cost.energy * 1e6,
  topsPerWatt: cost.topsPerWatt,
  power: cost.power * 1e3,
});

export default experiment({
  name: "aon-cim",
  question: "What do networks cost whose layers all lie on one array and are computed in turn?",
  source: "Zhou et al. 2021, arXiv:2111.06503; 2022, IEEE Micro 42(6):76",
  parameters: { energies: "preprint", bits: publishedBits },
  describe: {
    energies: "version of the paper whose efficiencies the energies are fitted to: preprint or journal",
    bits: "of inputs and outputs, 4 to 8",
  },
  metrics: {
    use: "cells of the array that hold a weight, AnalogNet-KWS (%)",
    boundedUse: "the same of the rectangle that its layers take (%)",
    cycles: "cycles for one second of speech, AnalogNet-KWS",
    keywords:
      "AnalogNet-KWS by bits: cycle in ns, latency in us, energy of an inference in uJ, power at full rate in mW",
    persons: "the same for the stand-in for AnalogNet-VWW",
    efficiency: "TOPS/W beside the published ones, deviation in %",
    deviation: "largest of these deviations (%)",
    depthwise:
      "channel-wise convolutions on the diagonal of their cells, or one over all channels in place of each block: use in %, energy in uJ at 8 bits",
    serial: "one array in turn, or an array for each layer, all at work: at 8 bits",
  },

  async run({ energies: version, bits: asked }) {
    if (version !== "preprint" && version !== "journal")
      throw new ConfigError(`parameter energies is preprint or journal, not ${JSON.stringify(version)}`);
    const energies = version;
    const bits = [...asked];
    const keywords = shapeOf("analognet-kws");
    const persons = shapeOf("analognet-vww");
    const depthwise = shapeOf("micronet-kws-s");
    const placed = placeNetwork(keywords, { array, share: true });

    const peak = { cycles: 1, rows: array.rows, columns: 128, operations: 2 * array.rows * 128 };
    const cases = {
      "AnalogNet-KWS": {
        at: (b: number) => networkCost(keywords, { bits: b, energies }),
        theirs: published[energies].keywords,
      },
      "AnalogNet-VWW (stand-in)": {
        at: (b: number) => networkCost(persons, { bits: b, energies }),
        theirs: published[energies].persons,
      },
      peak: { at: (b: number) => costOf(peak, { bits: b, energies }), theirs: published[energies].peak },
    };
    const efficiency = Object.entries(cases).flatMap(([name, { at, theirs }]) =>
      theirs.map((value, k) => {
        const ours = at(publishedBits[k]).topsPerWatt;
        return {
          network: name,
          bits: publishedBits[k],
          published: value,
          ours,
          deviation: 100 * (ours / value - 1),
        };
      }),
    );

    const byLayer = keywords.matrices.map((matrix) => ({ name: matrix.name, work: workOf(matrix) }));
    const slowest = Math.max(...byLayer.map(({ work }) => work.cycles));
    const whole = networkCost(keywords, { bits: 8, energies });
    const { weights } = mapNetwork(keywords, array);
    const layers = keywords.matrices.length;
    const share = (value: number, of: number) => (100 * value) / of;
    const serial = [
      {
        arrays: 1,
        way: "layer after layer",
        inferencesPerSecond: whole.inferencesPerSecond,
        energy: whole.energy * 1e6,
        use: 100 * placed.use,
      },
      {
        arrays: layers,
        way: "an array for each layer",
        inferencesPerSecond: 1 / (slowest * whole.cycle),
        energy: whole.energy * 1e6,
        use: share(weights, layers * array.rows * array.columns),
      },
    ];
    const finest = [4, 5, 6, 7, 8];
    return {
      metrics: {
        use: 100 * placed.use,
        boundedUse: 100 * placed.boundedUse,
        cycles: whole.cycles,
        keywords: bits.map((b) => tableRow(b, networkCost(keywords, { bits: b, energies }))),
        persons: bits.map((b) => tableRow(b, networkCost(persons, { bits: b, energies }))),
        efficiency,
        deviation: Math.max(...efficiency.map(({ deviation }) => Math.abs(deviation))),
        depthwise: [
          comparison("MicroNet-KWS-S, channel-wise", depthwise, energies),
          comparison("MicroNet-KWS-S, fused", fused(depthwise), energies),
          comparison("AnalogNet-KWS", keywords, energies),
        ],
        serial,
      },
      figures: {
        keywords: placementPlot(placed, { title: "AnalogNet-KWS on one array of 1024 x 512" }),
        depthwise: placementPlot(placeNetwork(depthwise, { array, share: true }), {
          title: "MicroNet-KWS-S on the same array",
          caption: "Channel-wise convolutions hold weights on a diagonal only.",
        }),
        efficiency: linePlot({
          title: "Operations for a joule",
          caption: `Lines: the model, energies fitted to the ${energies}. Marks: published.`,
          series: Object.fromEntries([
            ...Object.entries(cases).map(([name, { at }], colour) => [
              name,
              { x: finest, y: finest.map((b) => at(b).topsPerWatt), points: false, colour },
            ]),
            ...Object.entries(cases)
              .filter(([, { theirs }]) => theirs.length > 0)
              .map(([name, { theirs }]) => [
                `${name}, published`,
                { x: publishedBits, y: theirs, line: false, colour: Object.keys(cases).indexOf(name) },
              ]),
          ]),
          xTitle: "bits",
          yTitle: "TOPS/W",
          yLog: true,
        }),
        layers: barPlot({
          title: "Where weights, cycles and energy of AnalogNet-KWS are",
          caption: "Energy at 8 bits. The first layer has half of the cycles and 1 % of the weights.",
          categories: byLayer.map(({ name }) => name),
          series: {
            weights: keywords.matrices.map(({ inputs, outputs }) => share(inputs * outputs, weights)),
            cycles: byLayer.map(({ work }) => share(work.cycles, whole.cycles)),
            energy: byLayer.map(({ work }) =>
              share(costOf(work, { bits: 8, energies }).energy, whole.energy),
            ),
          },
          yTitle: "part of the network (%)",
        }),
      },
    };
  },
});
