/** Input from outside (a file, a download) that cannot be read: names the source, the byte and the reason. */
export class DataError extends Error {
  override readonly name = "DataError";
}
