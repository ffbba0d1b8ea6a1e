/**
 * Functions with loops that graphs call, by name: as machine code and for the interpreter.
 */
import type { ModuleBuilder } from "../wasm/assembler.ts";
import type { Calls } from "../wasm/interpret.ts";
import { poissonFunction, poissonScalar } from "../wasm/poisson.ts";
import { flickerFunction, flickerScalar } from "./flicker.ts";

export const calls: Calls = { poisson: poissonScalar, flicker: flickerScalar };

const emitters: Readonly<Record<string, (module: ModuleBuilder) => number>> = {
  poisson: poissonFunction,
  flicker: flickerFunction,
};

/** Index of a function by name; it is added to the module when it is first asked for. */
export function calledFunctions(module: ModuleBuilder): (name: string) => number {
  const indices = new Map<string, number>();
  return (name) => {
    const index = indices.get(name) ?? emitters[name](module);
    indices.set(name, index);
    return index;
  };
}
