/**
 * Lets a file of the user, wherever it lies, import this very program: `memspike`, `memspike/models/cuba`.
 *
 * Without this, a file outside a project that has memspike installed would find nothing, and one inside might find a
 * second copy, whose experiments would not be known here. A file `x.ts` is a module whatever the package.json beside
 * it says: `npm init` writes "type": "commonjs", with which Node would refuse its imports.
 */

import * as module from "node:module";
import { extension, home } from "./catalogue.ts";

/** The address `memspike…` stands for; undefined for any other name. */
export function ownAddress(specifier: string): string | undefined {
  if (specifier === "memspike") return new URL(`src/index${extension}`, home).href;
  const match = /^memspike\/((?:models|datasets|experiments)\/[a-z0-9-]+)(?:\.[jt]s)?$/.exec(specifier);
  return match === null ? undefined : new URL(`${match[1]}${extension}`, home).href;
}

/** From now on, imports of `memspike…` in this thread find this program. */
export function resolveOwnName(): void {
  module.registerHooks({
    resolve(specifier, context, next) {
      const found = next(ownAddress(specifier) ?? specifier, context);
      return found.url.endsWith(".ts") ? { ...found, format: "module-typescript" } : found;
    },
  });
}
