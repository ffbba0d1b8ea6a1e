/**
 * What can be wrong with a request, told apart so that a program can react: the settings, the data, the numbers.
 *
 * A wrong model is `ModelError` (src/language). Anything else that is thrown is a fault of the program itself.
 */

/** Where in a file something stands; line and column count from 1. */
export interface Place {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

/** `file:line:column`, as far as known. */
export function placeText(place: Place): string {
  let text = place.file;
  if (place.line !== undefined) text += `:${place.line}`;
  if (place.line !== undefined && place.column !== undefined) text += `:${place.column}`;
  return text;
}

function located(message: string, place: Place | undefined): string {
  return place === undefined ? message : `${placeText(place)}: ${message}`;
}

/** A setting that cannot be used: unknown name, wrong type, wrong dimension. Exit code 3. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly place: Place | undefined;

  constructor(message: string, options: { place?: Place; cause?: unknown } = {}) {
    super(located(message, options.place), { cause: options.cause });
    this.place = options.place;
  }
}

/** Data that cannot be used: missing, corrupt, of another format, with another checksum. Exit code 3. */
export class DataError extends Error {
  override readonly name = "DataError";
  readonly place: Place | undefined;

  constructor(message: string, options: { place?: Place; cause?: unknown } = {}) {
    super(located(message, options.place), { cause: options.cause });
    this.place = options.place;
  }
}

/** A run that left the numbers: NaN or infinity; names population, variable, cell and time. Exit code 4. */
export class NumericError extends Error {
  override readonly name = "NumericError";
}
