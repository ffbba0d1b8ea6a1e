/** `memspike cost`: time and energy of a network on AON-CiM, one array that computes its layers in turn. */

import { aonCimArray, type Cost, costOf, networkCost, workOf } from "../analog/cost.ts";
import { placeNetwork } from "../analog/placement.ts";
import { analogMatrices, weightsOf } from "../analog/shapes.ts";
import { quantityText } from "../measured/findings.ts";
import { placementPlot } from "../report/placement.ts";
import { type ExitCode, exitCodes } from "./exit.ts";
import {
  countText,
  type NetworkFlags,
  networkNamed,
  percentText,
  tableText,
  writeFigure,
} from "./network.ts";

export interface CostFlags extends NetworkFlags {
  readonly bits?: number; // default: 8, 6 and 4
  readonly energies: "preprint" | "journal";
  readonly layers: boolean;
  readonly json: boolean;
  readonly figure?: string; // file
}

/** Prints what one sample of the network called `target` takes; with `json` at 8 bits where none are told. */
export async function cost(target: string, flags: CostFlags): Promise<ExitCode> {
  const network = await networkNamed(target, flags);
  const array = { rows: aonCimArray.rows, columns: aonCimArray.columns };
  const placement = placeNetwork(network, { array, share: true });
  const at = (bits: number) => networkCost(network, { bits, energies: flags.energies });
  const bits = flags.bits === undefined ? (flags.json ? [8] : [8, 6, 4]) : [flags.bits];
  const costs = bits.map(at);
  if (flags.figure !== undefined) {
    const title = `${network.name} on AON-CiM`;
    writeFigure(flags.figure, placementPlot(placement, { title }));
  }
  const matrices = analogMatrices(network);
  const layers = matrices.map((matrix) => {
    const work = workOf(matrix);
    return {
      name: matrix.name,
      ...work,
      energy: costOf(work, { bits: bits[0], energies: flags.energies }).energy,
    };
  });
  const { arrays, use, boundedUse } = placement;
  if (flags.json) {
    const plain = { network: target, name: network.name, sample: network.sample, energies: flags.energies };
    process.stdout.write(
      `${JSON.stringify({ ...plain, ...costs[0], arrays, use, boundedUse, ...(flags.layers ? { layers } : {}) })}\n`,
    );
    return exitCodes.done;
  }
  const weights = matrices.reduce((sum, matrix) => sum + weightsOf(matrix), 0);
  const digital = network.matrices.filter(({ analog = true }) => !analog).map(({ name }) => name);
  const rows = [
    ["weights", countText(weights), "in analog matrices, without biases"],
    [
      "arrays",
      countText(arrays),
      `of ${array.rows} x ${array.columns}${arrays > 1 ? "; AON-CiM has one" : ""}`,
    ],
    ["use", percentText(use), `of their cells; ${percentText(boundedUse)} of the part that is taken`],
    ["cycles", countText(costs[0].cycles), "for one sample"],
    ...(digital.length > 0 ? [["digital", digital.join(", "), "not counted"]] : []),
  ];
  const text = [
    `${network.name}, ${network.sample}, on AON-CiM\n`,
    `  source: ${network.source}\n\n`,
    tableText(rows, [1]),
    "\n",
    tableText(costRows(costs)),
    ...(flags.layers ? ["\n", tableText(layerRows(layers, costs[0]))] : []),
    `\n  energies fitted to the efficiencies of the ${flags.energies}; power when samples follow without a pause\n`,
  ];
  process.stdout.write(text.join(""));
  return exitCodes.done;
}

function costRows(costs: readonly Cost[]): string[][] {
  return [
    ["bits", "cycle", "latency", "inferences/s", "TOPS", "energy", "TOPS/W", "power"],
    ...costs.map((cost) => [
      String(cost.bits),
      quantityText(cost.cycle, "s"),
      quantityText(cost.latency, "s"),
      countText(Math.round(cost.inferencesPerSecond)),
      cost.tops.toPrecision(3),
      quantityText(cost.energy, "J"),
      cost.topsPerWatt.toPrecision(4),
      quantityText(cost.power, "W", 3),
    ]),
  ];
}

/** What each matrix takes, at the bits of the first row. */
function layerRows(
  layers: readonly { name: string; cycles: number; rows: number; columns: number; energy: number }[],
  { cycles, energy, bits }: Cost,
): string[][] {
  return [
    ["matrix", "cycles", "of all", "row pulses", "conversions", `energy at ${bits} bits`, "of all"],
    ...layers.map((layer) => [
      layer.name,
      countText(layer.cycles),
      percentText(layer.cycles / cycles),
      countText(layer.rows),
      countText(layer.columns),
      quantityText(layer.energy, "J"),
      percentText(layer.energy / energy),
    ]),
  ];
}
