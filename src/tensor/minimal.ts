/**
 * Kernels of Winograd's minimal filtering: convolutions with taps of 3 x 3 by fewer products.
 *
 *     Y = At [ (G w Gt) . (Bt d B) ] A           outputs of a tile d of the image
 *     dw = Gt [ (A dY At) . (Bt d B) ] G         the gradient, summed over tiles
 *
 * m x m outputs of a tile of (m + 2) x (m + 2) inputs take (m + 2)^2 products instead of 9 m^2, of stride 2 (2 m + 1)^2. Over channels, "." is a product of
 * matrices for each of these places: [tile][channel] times [channel][output] (Lavin & Gray 2016, arXiv:1509.09308). Matrices: toom.ts.
 *
 * A transform is done along lines, then across. Images are read where they lie; a line outside of one is a line of zeros. Groups
 * of runs of tiles (parts of a line of tiles) are transformed, multiplied and transformed back while they are in a core's
 * second cache. A number is made by the same steps wherever it lies in a group, so the bits do not depend on how images are dealt out.
 */
import {
  block,
  br,
  br_if,
  type Code,
  call,
  FunctionBuilder,
  get,
  i32,
  iff,
  loop,
  type ModuleBuilder,
  select,
  set,
  v128,
} from "../wasm/assembler.ts";
import { each, least, locals } from "./loops.ts";
import { fieldOf, planNumbers } from "./product.ts";
import {
  across,
  down,
  type Filter,
  filters,
  type Kind,
  kinds,
  pitch,
  placeNumbers,
  type Side,
  transposed,
} from "./toom.ts";

/** Room that a thread works in, in numbers, and where in it things are; what one kind of filters leaves there is not for another. */
const room = { plan: 0, zeros: placeNumbers, dump: 2 * placeNumbers, lines: 3 * placeNumbers };
const firstOf = ({ places }: Filter): number => (3 + places) * placeNumbers;
const secondOf = (filter: Filter): number => firstOf(filter) + filter.places ** 2 * placeNumbers;
export const roomNumbers = (filter: Filter): number => secondOf(filter) + filter.places ** 2 * placeNumbers;
/** Byte offsets in a room: of lines between two transforms, and of transformed tiles. */
export const linesAt = 4 * room.lines;
export const transformedAt = (filter: Filter): number => 4 * firstOf(filter);

const plus = (a: Code, b: Code): Code => i32.add(a, b);
const times = (a: Code, b: Code): Code => i32.mul(a, b);
const bytes = (count: number): Code => i32.const(count);

/** Where images lie, and how runs of tiles cover them. */
export interface Geometry {
  readonly height: number;
  readonly width: number;
  /** Numbers of a pixel, a multiple of 4. */
  readonly channels: number;
  /** Lines above and columns to the left of the image that the first tile covers. */
  readonly top: number;
  readonly left: number;
  /** Tiles of a run, runs of a line of tiles, lines of tiles. */
  readonly tiles: number;
  readonly runs: number;
  readonly lines: number;
}

const geometryFields = [
  "height",
  "width",
  "pixel",
  "line",
  "image",
  "top",
  "left",
  "tiles",
  "runs",
  "runsOfImage",
  "vectors",
] as const;
type Field = (typeof geometryFields)[number];

export function geometryWords(g: Geometry): number[] {
  const pixel = 4 * g.channels;
  const values: Record<Field, number> = {
    height: g.height,
    width: g.width,
    pixel,
    line: pixel * g.width,
    image: pixel * g.width * g.height,
    top: g.top,
    left: g.left,
    tiles: g.tiles,
    runs: g.runs,
    runsOfImage: g.runs * g.lines,
    vectors: g.channels / 4,
  };
  return geometryFields.map((name) => values[name]);
}

const runParameters = ["geometry", "data", "run", "places", "room", "row", "rows"] as const;

/** One run of tiles: what they are made of, and the kernels that are needed. */
interface RunOptions {
  readonly side: Side;
  readonly along: (...operands: Code[]) => Code;
  readonly across: number;
}

/**
 * (geometry, data, run, places, room, row, rows): `rows` rows of places from `row` on of one run of tiles, to (`in`) or from (`out`) an
 * image. Columns outside of the image are 0, or left out.
 */
function run(o: RunOptions, direction: "in" | "out", more: readonly string[] = []): FunctionBuilder {
  const names = [...runParameters, ...more];
  const fn = new FunctionBuilder({ parameters: names.map(() => "i32" as const) });
  const v = locals(fn, names, {
    image: "i32",
    rest: "i32",
    line: "i32", // of the image, the tile's first
    column: "i32",
    columns: "i32",
    from: "i32",
    to: "i32",
    pixel: "i32",
    lines: "i32",
    i: "i32",
    vector: "i32",
    stride: "i32", // from vector to vector in lines of the room
    at: "i32",
    zero: "i32",
  });
  const field = (name: Field): Code => i32.load(get(v.geometry), 4 * geometryFields.indexOf(name));
  const { matrix, step } = o.side;
  const size = matrix[0].length; // lines and columns that a tile covers
  const pointers = Array.from({ length: size }, () => fn.local("i32"));
  const outside = 4 * (direction === "in" ? room.zeros : room.dump);
  const most = (a: Code, b: Code): Code => select(a, b, i32.gt_s(a, b));
  const leastSigned = (a: Code, b: Code): Code => select(a, b, i32.lt_s(a, b));
  /** Zeros in the lines of the room, from column to column. */
  const clear = (from: Code, to: Code): Code =>
    each(
      v.i,
      { below: i32.const(matrix.length) },
      set(v.at, plus(get(v.lines), times(get(v.i), bytes(pitch)))),
      each(
        v.vector,
        { below: field("vectors") },
        each(
          v.zero,
          {
            from: plus(get(v.at), i32.shl(from, i32.const(4))),
            below: plus(get(v.at), i32.shl(to, i32.const(4))),
            step: 16,
          },
          v128.store(get(v.zero), 0, v128.const(0, 0, 0, 0)),
        ),
        set(v.at, plus(get(v.at), get(v.stride))),
      ),
    );
  const inside = i32.sub(get(v.from), get(v.column)); // columns before what is inside
  const along = o.along(
    i32.sub(get(v.to), get(v.from)),
    field("vectors"),
    plus(get(v.lines), i32.shl(inside, i32.const(4))),
    get(v.stride),
    pointers.map(get),
  );
  const sideways = call(
    o.across,
    get(v.rows),
    field("tiles"),
    field("vectors"),
    plus(get(v.lines), times(get(v.row), bytes(pitch))),
    get(v.stride),
    get(v.places),
  );
  fn.body = [
    set(v.pixel, field("pixel")),
    set(v.lines, plus(get(v.room), bytes(4 * room.lines))),
    set(v.image, i32.div_u(get(v.run), field("runsOfImage"))),
    set(v.rest, i32.rem_u(get(v.run), field("runsOfImage"))),
    set(v.line, i32.sub(times(i32.div_u(get(v.rest), field("runs")), i32.const(step)), field("top"))),
    set(
      v.column,
      i32.sub(
        times(times(i32.rem_u(get(v.rest), field("runs")), field("tiles")), i32.const(step)),
        field("left"),
      ),
    ),
    set(v.columns, plus(times(field("tiles"), i32.const(step)), i32.const(size - step))),
    set(v.stride, i32.shl(get(v.columns), i32.const(4))),
    set(v.to, most(i32.const(0), leastSigned(field("width"), plus(get(v.column), get(v.columns))))),
    set(v.from, leastSigned(get(v.to), most(i32.const(0), get(v.column)))),
    set(
      v.at,
      plus(
        get(v.data),
        plus(
          plus(times(get(v.image), field("image")), times(get(v.line), field("line"))),
          times(get(v.from), get(v.pixel)),
        ),
      ),
    ),
    pointers.map((pointer) => [
      set(
        pointer,
        select(get(v.at), plus(get(v.room), bytes(outside)), i32.lt_u(get(v.line), field("height"))),
      ),
      set(v.at, plus(get(v.at), field("line"))),
      set(v.line, plus(get(v.line), i32.const(1))),
    ]),
    direction === "in"
      ? [
          clear(i32.const(0), inside),
          clear(i32.sub(get(v.to), get(v.column)), get(v.columns)),
          along,
          sideways,
        ]
      : [sideways, along],
  ];
  return fn;
}

/** Calls that are dealt out to threads, and those of weights. */
export type FilterName = `${"convolve" | "correlate"}${Kind}` | "backHalving";
export type MinimalName = FilterName | `${"tapsDown" | "tapsAcross" | "slopesAcross" | "slopesDown"}${Kind}`;

/** Names of what `addMinimal` exports for one kind of filters. */
export const namesOf = (kind: Kind) =>
  ({
    convolve: `convolve${kind}`,
    back: kind === "Halving" ? `back${kind}` : `convolve${kind}`,
    correlate: `correlate${kind}`,
    tapsDown: `tapsDown${kind}`,
    tapsAcross: `tapsAcross${kind}`,
    slopesAcross: `slopesAcross${kind}`,
    slopesDown: `slopesDown${kind}`,
  }) as const satisfies Readonly<Record<string, MinimalName>>;

/** Which argument of both calls is the room. */
const roomArgument = 7;

const kindOf = new Map<FilterName, Kind>(
  kinds.flatMap((kind) => {
    const { convolve, back, correlate } = namesOf(kind);
    return [convolve, back, correlate].map((name): [FilterName, Kind] => [name, kind]);
  }),
);
export const minimalNames: readonly FilterName[] = [...kindOf.keys()];

/**
 * Arguments of the calls that make up one: convolutions by runs of tiles, sums by rows of places, both of which are the last two
 * arguments. Each thread has its room.
 */
export function dealtFilter(name: FilterName, args: readonly number[], threads: number): number[][] {
  const isSum = name.startsWith("correlate");
  const [first, last] = args.slice(-2);
  const all = isSum ? last : last - first;
  const size = Math.ceil(all / threads);
  const bytesOfRoom = 4 * roomNumbers(filters[kindOf.get(name) as Kind]);
  return Array.from({ length: Math.ceil(all / size) }, (_, k) => {
    const from = first + k * size;
    const count = Math.min(size, all - k * size);
    const own = args.slice(0, -2).map((value, i) => (i === roomArgument ? value + bytesOfRoom * k : value));
    return [...own, from, isSum ? count : from + count];
  });
}

/**
 * Adds and exports for each kind of filters
 * `convolve`(inputs, outputs, product, group, x, u, y, room, stores, first, end): y += x filtered by transformed weights u [place][panel],
 * or y = where it stores, by groups of so many runs of tiles, from `first` to `end`; geometries and product are plans in the heap;
 * `back` the same for derivatives by inputs, and
 * `correlate`(inputs, outputs, product, group, x, dy, du, room, first, end, row, rows): du = products of transformed dy and x summed over
 * tiles, rows of places from `row`.
 * Of weights, lines of which are given one by one (see `down` and `across`): `tapsDown`, `tapsAcross` transform them, `slopesAcross`,
 * `slopesDown` transform sums back to a gradient, which they add to.
 */
export function addMinimal(module: ModuleBuilder, multiply: number): void {
  for (const kind of kinds) {
    const filter: Filter = filters[kind];
    const { taps, forward, back } = filter;
    const names = namesOf(kind);
    const gather = (side: Side): number => {
      const along = module.add(down(side.matrix, "in"));
      const sideways = module.add(across(side.matrix, side.step, "in"));
      return module.add(run({ side, along: (...of) => call(along, ...of), across: sideways }, "in"));
    };
    const scatter = (side: Side): number => {
      const matrix = transposed(side.matrix);
      const [add, store] = (["add", "store"] as const).map((how) => module.add(down(matrix, how)));
      const stores = get(runParameters.length); // the parameter after these
      const along = (...of: Code[]): Code => iff(stores, call(store, ...of), call(add, ...of));
      const sideways = module.add(across(matrix, side.step, "out"));
      return module.add(run({ side, along, across: sideways }, "out", ["stores"]));
    };
    const inputs = gather(forward.from);
    module.add(convolve(names.convolve, filter, multiply, [inputs, scatter(forward.to)]));
    if (back !== forward)
      module.add(convolve(names.back, filter, multiply, [gather(back.from), scatter(back.to)]));
    module.add(correlate(names.correlate, filter, multiply, [inputs, gather(forward.to)]));
    module.add(named(down(taps, "in"), names.tapsDown));
    module.add(named(across(taps, 1, "in"), names.tapsAcross));
    module.add(named(across(transposed(taps), 1, "out"), names.slopesAcross));
    module.add(named(down(transposed(taps), "add"), names.slopesDown));
  }
}

/** A function that is exported. */
function named({ parameters, locals, body }: FunctionBuilder, exportName: string): FunctionBuilder {
  return Object.assign(new FunctionBuilder({ parameters, exportName }), { locals, body });
}

type Operand = (name: string) => Code;

/** What is done with a group of runs of tiles. */
interface Group {
  readonly tiles: Code;
  readonly isFirst: Code;
  /** Code for each of its runs: which it is, and where its tiles begin among those of the group, in bytes. */
  each(geometry: string, code: (run: Code, place: Code) => Code): Code;
}

/** A function that goes through groups of runs of tiles, with a plan of products of its own at the start of the room. */
function driver(
  name: string,
  names: readonly string[],
  body: (of: Operand, group: Group) => Code,
): FunctionBuilder {
  const fn = new FunctionBuilder({ parameters: names.map(() => "i32" as const), exportName: name });
  const v = locals(fn, names, { run: "i32", count: "i32", k: "i32" });
  const of: Operand = (key) => get(v[key]);
  const field = (geometry: string, key: Field): Code =>
    i32.load(of(geometry), 4 * geometryFields.indexOf(key));
  const group: Group = {
    tiles: times(get(v.count), field("inputs", "tiles")),
    isFirst: i32.eq(get(v.run), of("first")),
    each: (geometry, code) => {
      const pitchOfRun = times(field(geometry, "tiles"), field(geometry, "pixel"));
      return each(
        v.k,
        { below: get(v.count) },
        code(plus(get(v.run), get(v.k)), times(get(v.k), pitchOfRun)),
      );
    },
  };
  fn.body = [
    Array.from({ length: planNumbers }, (_, k) =>
      i32.store(of("room"), 4 * k, i32.load(of("product"), 4 * k)),
    ),
    set(v.run, of("first")),
    block(
      loop(
        br_if(1, i32.ge_u(get(v.run), of("end"))),
        set(v.count, least(of("group"), i32.sub(of("end"), get(v.run)))),
        body(of, group),
        set(v.run, plus(get(v.run), get(v.count))),
        br(0),
      ),
    ),
  ];
  return fn;
}

const inRoom = (of: Operand, where: number): Code => plus(of("room"), bytes(4 * where));
const setPlan = (of: Operand, name: Parameters<typeof fieldOf>[0], value: Code): Code =>
  i32.store(of("room"), 4 * fieldOf(name), value);

function convolve(
  name: string,
  filter: Filter,
  multiply: number,
  [gather, scatter]: readonly number[],
): FunctionBuilder {
  const names = ["inputs", "outputs", "product", "group", "x", "u", "y", "room", "stores", "first", "end"];
  return driver(name, names, (of, group) => {
    const [first, second] = [inRoom(of, firstOf(filter)), inRoom(of, secondOf(filter))];
    const all = [of("room"), i32.const(0), i32.const(filter.places)];
    return [
      group.each("inputs", (r, place) => call(gather, of("inputs"), of("x"), r, plus(first, place), ...all)),
      setPlan(of, "m", group.tiles),
      call(multiply, of("room"), first, of("u"), second, i32.const(filter.places ** 2)),
      group.each("outputs", (r, place) =>
        call(scatter, of("outputs"), of("y"), r, plus(second, place), ...all, of("stores")),
      ),
    ];
  });
}

function correlate(
  name: string,
  filter: Filter,
  multiply: number,
  [gather, gatherSlopes]: readonly number[],
): FunctionBuilder {
  const names = ["inputs", "outputs", "product", "group", "x", "dy", "du", "room", "first", "end"];
  return driver(name, [...names, "row", "rows"], (of, group) => {
    const [first, second] = [inRoom(of, firstOf(filter)), inRoom(of, secondOf(filter))];
    const some = [of("room"), of("row"), of("rows")];
    const before = times(of("row"), bytes(filter.places * pitch));
    const places = times(of("rows"), i32.const(filter.places));
    return [
      group.each("inputs", (r, place) => call(gather, of("inputs"), of("x"), r, plus(first, place), ...some)),
      group.each("outputs", (r, place) =>
        call(gatherSlopes, of("outputs"), of("dy"), r, plus(second, place), ...some),
      ),
      setPlan(of, "steps", group.tiles),
      setPlan(of, "stores", group.isFirst),
      call(multiply, of("room"), second, first, plus(of("du"), before), places),
    ];
  });
}
