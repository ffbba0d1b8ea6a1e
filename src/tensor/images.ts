/**
 * Kernels on images [image][line][position][feature]: copies between frames of different size, pooling, and weights for each channel.
 *
 * Features come in whole vectors: `width` bytes, a multiple of 16. Strides are bytes.
 */
import {
  type Code,
  FunctionBuilder,
  f32x4,
  get,
  i32,
  type ModuleBuilder,
  set,
  v128,
} from "../wasm/assembler.ts";
import { each, locals } from "./loops.ts";

const plus = (a: Code, b: Code): Code => i32.add(a, b);

const poolKinds = [
  "largest",
  "largestBack",
  "average",
  "averageBack",
  "weigh",
  "weighBack",
  "weighGradient",
] as const;

/** Order of the arguments of a pooling kernel. */
const poolNames = [
  "x", // inputs or, backwards, what their derivatives are added to: see each kernel
  "y", // outputs, [image][line][position] without gaps
  "images",
  "lines",
  "positions",
  "width", // bytes of the features of a position
  "xImage",
  "xLine", // from output line to output line
  "xStep", // from output position to output position
  "tapLines",
  "taps", // in a line
  "tapLine",
  "tapStep",
] as const;

/**
 * Adds and exports
 * `copyLines`(from, fromImage, fromLine, to, toImage, toLine, images, lines, bytes): lines of whole vectors;
 * `largest`(x, y, images, …): y = max over taps; `largestBack`(x, y, …, dy, dx): dx += dy at the first tap equal to y;
 * `average`(x, y, …, factor): y = factor * sum over taps; `averageBack`(dx, dy, …, factor): dx += factor * dy at every tap;
 * with weights [tap line][tap][feature] `weigh`(x, y, …, w): y += sum over taps of w x; `weighBack`(dx, dy, …, w): dx += w dy at
 * every tap; `weighGradient`(x, dy, …, dw): dw += dy x at every tap.
 */
export function addImages(module: ModuleBuilder): void {
  module.add(copyFunction());
  for (const kind of poolKinds) module.add(poolFunction(kind));
}

function copyFunction(): FunctionBuilder {
  const names = [
    "from",
    "fromImage",
    "fromLine",
    "to",
    "toImage",
    "toLine",
    "images",
    "lines",
    "bytes",
  ] as const;
  const fn = new FunctionBuilder({ parameters: names.map(() => "i32" as const), exportName: "copyLines" });
  const v = locals(fn, names, { image: "i32", line: "i32", at: "i32", source: "i32", target: "i32" });
  fn.body = each(
    v.image,
    { below: get(v.images) },
    set(v.source, get(v.from)),
    set(v.target, get(v.to)),
    each(
      v.line,
      { below: get(v.lines) },
      each(
        v.at,
        { below: get(v.bytes), step: 16 },
        v128.store(plus(get(v.target), get(v.at)), 0, v128.load(plus(get(v.source), get(v.at)), 0)),
      ),
      set(v.source, plus(get(v.source), get(v.fromLine))),
      set(v.target, plus(get(v.target), get(v.toLine))),
    ),
    set(v.from, plus(get(v.from), get(v.fromImage))),
    set(v.to, plus(get(v.to), get(v.toImage))),
  );
  return fn;
}

function poolFunction(kind: (typeof poolKinds)[number]): FunctionBuilder {
  const isAverage = kind === "average" || kind === "averageBack";
  const isWeighted = kind === "weigh" || kind === "weighBack" || kind === "weighGradient";
  const more = kind === "largestBack" ? (["dy", "dx"] as const) : isWeighted ? (["w"] as const) : [];
  const names = [...poolNames, ...more, ...(isAverage ? (["factor"] as const) : [])];
  const fn = new FunctionBuilder({
    parameters: names.map((name) => (name === "factor" ? "f32" : "i32")),
    exportName: kind,
  });
  const v = locals<string, string>(fn, names, {
    image: "i32",
    line: "i32",
    position: "i32",
    byte: "i32",
    tapRow: "i32",
    tap: "i32",
    lineAt: "i32",
    at: "i32", // of the first tap of an output position, without the feature
    rowAt: "i32",
    place: "i32",
    weightAt: "i32",
    value: "v128",
    error: "v128",
    taken: "v128",
    mask: "v128",
    scale: "v128",
  });
  const zero = v128.const(0, 0, 0, 0);
  const weight = v128.load(get(v.weightAt), 0);
  const tapValue = v128.load(get(v.place), 0);
  const addAt = (place: Code, value: Code): Code =>
    v128.store(place, 0, f32x4.add(v128.load(place, 0), value));
  const out = plus(get(v.y), get(v.byte));
  /** Where x's tap lies, in the table of derivatives. */
  const inDx = plus(i32.sub(get(v.place), get(v.x)), get(v.dx ?? 0));
  const body: Record<typeof kind, { before: Code; tap: Code; after: Code }> = {
    largest: {
      before: set(v.value, v128.load(plus(get(v.at), get(v.byte)), 0)),
      tap: set(v.value, f32x4.pmax(get(v.value), tapValue)),
      after: v128.store(out, 0, get(v.value)),
    },
    largestBack: {
      before: [
        set(v.value, v128.load(out, 0)),
        set(v.error, v128.load(plus(get(v.dy ?? 0), get(v.byte)), 0)),
        set(v.taken, zero),
      ],
      tap: [
        set(v.mask, v128.andnot(f32x4.eq(tapValue, get(v.value)), get(v.taken))),
        set(v.taken, v128.or(get(v.taken), get(v.mask))),
        addAt(inDx, v128.and(get(v.error), get(v.mask))),
      ],
      after: [],
    },
    average: {
      before: set(v.value, zero),
      tap: set(v.value, f32x4.add(get(v.value), tapValue)),
      after: v128.store(out, 0, f32x4.mul(get(v.value), get(v.scale))),
    },
    averageBack: {
      before: set(v.error, f32x4.mul(v128.load(out, 0), get(v.scale))),
      tap: addAt(get(v.place), get(v.error)),
      after: [],
    },
    weigh: {
      before: set(v.value, v128.load(out, 0)),
      tap: set(v.value, f32x4.add(get(v.value), f32x4.mul(weight, tapValue))),
      after: v128.store(out, 0, get(v.value)),
    },
    weighBack: {
      before: set(v.error, v128.load(out, 0)),
      tap: addAt(get(v.place), f32x4.mul(weight, get(v.error))),
      after: [],
    },
    weighGradient: {
      before: set(v.error, v128.load(out, 0)),
      tap: addAt(get(v.weightAt), f32x4.mul(get(v.error), tapValue)),
      after: [],
    },
  };
  const { before, tap, after } = body[kind];
  const advance = (pointer: number, by: Code): Code => set(pointer, plus(get(pointer), by));
  fn.body = [
    isAverage ? set(v.scale, f32x4.splat(get(v.factor))) : [],
    each(
      v.image,
      { below: get(v.images) },
      set(v.lineAt, get(v.x)),
      each(
        v.line,
        { below: get(v.lines) },
        set(v.at, get(v.lineAt)),
        each(
          v.position,
          { below: get(v.positions) },
          each(
            v.byte,
            { below: get(v.width), step: 16 },
            before,
            set(v.rowAt, plus(get(v.at), get(v.byte))),
            isWeighted ? set(v.weightAt, plus(get(v.w), get(v.byte))) : [],
            each(
              v.tapRow,
              { below: get(v.tapLines) },
              set(v.place, get(v.rowAt)),
              each(
                v.tap,
                { below: get(v.taps) },
                tap,
                advance(v.place, get(v.tapStep)),
                isWeighted ? advance(v.weightAt, get(v.width)) : [],
              ),
              advance(v.rowAt, get(v.tapLine)),
            ),
            after,
          ),
          advance(v.at, get(v.xStep)),
          advance(v.y, get(v.width)),
          kind === "largestBack" ? advance(v.dy, get(v.width)) : [],
        ),
        advance(v.lineAt, get(v.xLine)),
      ),
      advance(v.x, get(v.xImage)),
      kind === "largestBack" ? advance(v.dx, get(v.xImage)) : [],
    ),
  ];
  return fn;
}
