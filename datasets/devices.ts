/** Devices for experiments: by the name of a library device, or from a device file on disk. */

import { readFile } from "node:fs/promises";
import type { DeviceFile } from "../src/device/file.ts";
import { readDevice } from "../src/device/file.ts";
import type { Model } from "../src/language/model.ts";
import { ConfigError, DataError } from "../src/math/errors.ts";
import { didYouMean } from "../src/math/nearest.ts";

/**
 * The device of that name in `library`, or in the file at that path: whatever ends in .json is a path, from the working
 * folder. Throws `ConfigError` on an unknown name, `DataError` on a file that cannot be read or is no device file.
 */
export async function loadDevice(
  nameOrPath: string,
  library: Readonly<Record<string, Model<"device">>>,
): Promise<DeviceFile> {
  if (!/\.json$/i.test(nameOrPath)) {
    if (Object.hasOwn(library, nameOrPath)) return { model: library[nameOrPath] };
    const names = Object.keys(library);
    const hint = didYouMean(nameOrPath, names) || `; there are ${names.join(", ")}`;
    throw new ConfigError(`there is no device ${nameOrPath} (the path of a file ends in .json)${hint}`);
  }
  let text: string;
  try {
    text = await readFile(nameOrPath, "utf8");
  } catch (cause) {
    const missing = (cause as { code?: string }).code === "ENOENT";
    throw new DataError(missing ? "there is no such file" : (cause as Error).message, {
      place: { file: nameOrPath },
      cause,
    });
  }
  return readDevice(text, nameOrPath);
}
