/** Patches of images: their sizes, and where they lie. */

export interface PatchOptions {
  /** [height, width, channels] of an image. */
  readonly shape: readonly [number, number, number];
  /** Lines and columns of a patch. */
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  /** Zeros around the image: top, left, bottom, right. */
  readonly border: readonly [number, number, number, number];
  readonly outputs: number;
  /** Most images at a time. */
  readonly images: number;
  /** Whether `backward` is ever asked. */
  readonly needsBackward: boolean;
  /** Sums in the order of patches and no other way: of numbers that are not negative, they are none. Default false. */
  readonly inOrder?: boolean;
}

/** Height and width of what comes out. */
export function patchPositions(
  o: Pick<PatchOptions, "shape" | "kernel" | "stride" | "border">,
): [number, number] {
  const [height, width] = o.shape;
  const [top, left, bottom, right] = o.border;
  return [
    Math.floor((height + top + bottom - o.kernel[0]) / o.stride[0]) + 1,
    Math.floor((width + left + right - o.kernel[1]) / o.stride[1]) + 1,
  ];
}
