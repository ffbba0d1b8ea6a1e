import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { OnnxAttribute, OnnxNode } from "../../src/exchange/onnx.ts";
import { numbersFrom, rules } from "../../src/exchange/operators.ts";

interface Told {
  readonly dims: readonly number[];
  readonly numbers?: readonly number[];
}

interface Case {
  readonly operator: string;
  readonly attributes: Readonly<Record<string, OnnxAttribute | Pick<Told, "numbers">>>;
  readonly inputs: readonly (Told | null)[];
  readonly outputs: readonly Told[];
}

const { cases, by } = JSON.parse(readFileSync("test/golden/onnx/operators.json", "utf8")) as {
  cases: Case[];
  by: string;
};

const attributeOf = (value: Case["attributes"][string]): OnnxAttribute =>
  typeof value === "object" && "numbers" in value && Array.isArray(value.numbers)
    ? { name: "", dims: [1], type: "int64", numbers: () => Float64Array.from(value.numbers as number[]) }
    : (value as OnnxAttribute);

test(`sizes of outputs, and whole numbers that follow from sizes, are those of ${by}`, () => {
  const wrong = cases.flatMap(({ operator, attributes, inputs, outputs }) => {
    const node: OnnxNode = {
      name: "",
      operator,
      inputs: inputs.map((_, k) => `x${k}`),
      outputs: outputs.map((_, k) => `y${k}`),
      attributes: Object.fromEntries(Object.entries(attributes).map(([k, v]) => [k, attributeOf(v)])),
    };
    const known = inputs.map((input) => (input === null ? undefined : { ...input, fixed: false }));
    const dims = rules[operator](node, known);
    const numbers = numbersFrom(node, known, dims?.[0]);
    const words = `${operator} ${JSON.stringify({ attributes, inputs })}`;
    const found = outputs.map((_, k) => dims?.[k]);
    return [
      ...(JSON.stringify(found) === JSON.stringify(outputs.map((output) => output.dims))
        ? []
        : [`${words}: ${JSON.stringify(found)}`]),
      ...(outputs[0].numbers && JSON.stringify(numbers) !== JSON.stringify(outputs[0].numbers)
        ? [`${words}: numbers ${JSON.stringify(numbers)}, not ${JSON.stringify(outputs[0].numbers)}`]
        : []),
    ];
  });
  expect(wrong).toEqual([]);
  expect(cases.length).toBeGreaterThan(90);
});

test("what does not follow is told as unknown, not guessed", () => {
  const node = (operator: string, attributes: OnnxNode["attributes"] = {}): OnnxNode => ({
    name: "",
    operator,
    inputs: [],
    outputs: ["y"],
    attributes,
  });
  const image = { dims: [1, 3, 8, 8], fixed: false };
  const unknown = { dims: undefined, fixed: false };
  expect(rules["Reshape"](node("Reshape"), [image, unknown])).toBeUndefined();
  expect(rules["Slice"](node("Slice"), [image, unknown, unknown])).toBeUndefined();
  expect(rules["Add"](node("Add"), [image, unknown])).toEqual([undefined]);
  expect(rules["Add"](node("Add"), [image, { dims: [7], fixed: false }])).toEqual([undefined]);
  expect(rules["Einsum"](node("Einsum", { equation: "...i,ij->...j" }), [image, image])).toBeUndefined();
  expect(numbersFrom(node("Add"), [image, image], [1, 3, 8, 8])).toBeUndefined();
});
