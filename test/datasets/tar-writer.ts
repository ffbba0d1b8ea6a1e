/** Writes tar archives (ustar) for tests. */

/** One entry of a tar archive. */
export function entry(name: string, content: Uint8Array, type = "0"): Uint8Array {
  const block = new Uint8Array(512 + Math.ceil(content.length / 512) * 512);
  const put = (text: string, at: number) => block.set(new TextEncoder().encode(text), at);
  const cut = name.length > 100 ? name.indexOf("/", name.length - 100) : -1; // ustar splits long names at a slash
  put(name.slice(cut + 1), 0);
  put(content.length.toString(8).padStart(11, "0"), 124);
  put("        ", 148);
  put(type, 156);
  put("ustar\u000000", 257);
  if (cut > 0) put(name.slice(0, cut), 345);
  put(
    `${block
      .subarray(0, 512)
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, "0")}\u0000 `,
    148,
  );
  block.set(content, 512);
  return block;
}

/** The archive of these entries. */
export function archive(...entries: Uint8Array[]): Uint8Array {
  return Uint8Array.from([...entries, new Uint8Array(1024)].flatMap((each) => [...each]));
}
