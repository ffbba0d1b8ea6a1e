/** A filter's steps by the interpreter: what the kernel's machine code is compared with. */
import type { Branch } from "../../src/fit/filter.ts";
import { type KernelOptions, withTangents } from "../../src/fit/kernel.ts";
import { type Expression, name } from "../../src/language/expression.ts";
import { Graph, type Node } from "../../src/wasm/graph.ts";
import { interpret } from "../../src/wasm/interpret.ts";
import { Lowering } from "../../src/wasm/lower.ts";

const tangent = (cell: string) => `d ${cell}`;

/** Cells after every row, [row]: as the kernel runs them for one lane, `d` of each along a direction. */
export function interpreted(
  { cells, steps, rows, parameters }: Pick<KernelOptions, "cells" | "steps" | "rows" | "parameters">,
  point: readonly number[],
  direction: readonly number[],
): Record<string, number>[] {
  const graph = new Graph("float64");
  const lowering = new Lowering(graph, { name: (each) => graph.input(each) });
  const tangents = new Map(
    [...cells, ...parameters].map((each): [string, Expression] => [each, name(tangent(each))]),
  );
  const lowered = (step: Branch["step"]) =>
    [...withTangents(step, tangents, tangent)].map(([cell, value]): [string, Node] => [
      cell,
      lowering.lowerReal(value),
    ]);
  const code = steps.map(({ step, shortcut }) => ({
    step: lowered(step),
    ...(shortcut ? { shortcut: { when: lowering.lower(shortcut.when), step: lowered(shortcut.step) } } : {}),
  }));
  let values: Record<string, number> = {};
  for (const cell of cells) values[cell] = values[tangent(cell)] = 0;
  parameters.forEach((each, k) => {
    values[each] = point[k];
    values[tangent(each)] = direction[k];
  });
  return Array.from({ length: rows.count }, (_, row) => {
    const { step, shortcut } = code[rows.code[row]];
    const inputs = { ...values };
    for (const [input, column] of Object.entries(rows.inputs)) inputs[input] = column[row];
    const isShort = shortcut !== undefined && interpret([shortcut.when], inputs, "float64")[0] === true;
    const taken = isShort ? shortcut.step : step;
    const results = interpret(
      taken.map(([, node]) => node),
      inputs,
      "float64",
    );
    values = { ...values };
    taken.forEach(([cell], k) => {
      values[cell] = results[k] as number;
    });
    return values;
  });
}
