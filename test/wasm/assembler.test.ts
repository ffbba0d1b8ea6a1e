import { expect, test } from "vitest";
import { FunctionBuilder, ModuleBuilder, unreachable } from "../../src/wasm/assembler.ts";

test("stack traces and profiles name the functions that a module exports", async () => {
  const module = new ModuleBuilder();
  for (const exportName of ["quiet", "trap"]) {
    const fn = new FunctionBuilder({ exportName });
    fn.body = exportName === "trap" ? unreachable : [];
    module.add(fn);
  }
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const bytes = module.assemble({ pages: 1, maximumPages: 1, shared: false });
  const { instance } = await WebAssembly.instantiate(bytes, { env: { memory } });
  const { trap } = instance.exports as { trap: () => void };
  let stack = "";
  try {
    trap();
  } catch (error) {
    stack = String((error as Error).stack);
  }
  expect(stack).toMatch(/at trap \(wasm:/);
});
