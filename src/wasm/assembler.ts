/**
 * A WebAssembly assembler: instructions are functions that return bytes.
 *
 * An instruction takes the code of its operands and returns nested bytes, flattened once at the end,
 * so a program reads like its text format folded into expressions. Instructions keep the spelling of
 * the WebAssembly specification (2.0 with SIMD, and threads). Knows nothing of equations.
 */

/** Bytes, nested as they were written. */
export type Code = number | readonly Code[];

export type ValueType = "i32" | "i64" | "f32" | "f64" | "v128";
const typeByte: Record<ValueType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };

/** LEB128, unsigned. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >>> 0;
  do {
    const byte = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest ? byte | 0x80 : byte);
  } while (rest);
  return bytes;
}

/** LEB128, signed, up to 64 bits. */
function signed(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const byte = Number(rest & 0x7fn);
    rest >>= 7n;
    if ((rest === 0n && !(byte & 0x40)) || (rest === -1n && byte & 0x40)) {
      bytes.push(byte);
      return bytes;
    }
    bytes.push(byte | 0x80);
  }
}

function littleEndian(size: 4 | 8, write: (view: DataView) => void): number[] {
  const view = new DataView(new ArrayBuffer(size));
  write(view);
  return [...new Uint8Array(view.buffer)];
}

const text = (value: string): Code => {
  const bytes = [...new TextEncoder().encode(value)];
  return [unsigned(bytes.length), bytes];
};

type Plain = (...operands: Code[]) => Code;
const plain =
  (...opcode: number[]): Plain =>
  (...operands) => [operands, opcode];
const vector =
  (opcode: number): Plain =>
  (...operands) => [operands, 0xfd, unsigned(opcode)];
/** A load or store: address, constant offset in bytes, stored value. Alignment is a hint: log2 of bytes. */
type Memory = (address: Code, offset: number, value?: Code) => Code;
const memory =
  (opcode: readonly number[], align: number): Memory =>
  (address, offset, value) => [address, value ?? [], opcode, align, unsigned(offset)];
const vectorMemory = (opcode: number, align: number): Memory => memory([0xfd, ...unsigned(opcode)], align);
type LaneMemory = (address: Code, offset: number, value: Code, lane: number) => Code;
const laneMemory =
  (opcode: number, align: number): LaneMemory =>
  (address, offset, value, lane) => [address, value, 0xfd, unsigned(opcode), align, unsigned(offset), lane];
const atomic = (opcode: number, align: number): Memory => memory([0xfe, opcode], align);
const lane =
  (opcode: number) =>
  (value: Code, index: number): Code => [value, 0xfd, unsigned(opcode), index];
const replace =
  (opcode: number) =>
  (value: Code, index: number, scalar: Code): Code => [value, scalar, 0xfd, unsigned(opcode), index];

export const i32 = {
  const: (value: number): Code => [0x41, signed(BigInt(value | 0))],
  load: memory([0x28], 2),
  load8_u: memory([0x2d], 0),
  load16_u: memory([0x2f], 1),
  store: memory([0x36], 2),
  store8: memory([0x3a], 0),
  eqz: plain(0x45),
  eq: plain(0x46),
  ne: plain(0x47),
  lt_s: plain(0x48),
  lt_u: plain(0x49),
  gt_s: plain(0x4a),
  gt_u: plain(0x4b),
  le_s: plain(0x4c),
  le_u: plain(0x4d),
  ge_s: plain(0x4e),
  ge_u: plain(0x4f),
  ctz: plain(0x68),
  popcnt: plain(0x69),
  add: plain(0x6a),
  sub: plain(0x6b),
  mul: plain(0x6c),
  div_u: plain(0x6e),
  rem_s: plain(0x6f),
  rem_u: plain(0x70),
  and: plain(0x71),
  or: plain(0x72),
  xor: plain(0x73),
  shl: plain(0x74),
  shr_s: plain(0x75),
  shr_u: plain(0x76),
  trunc_sat_f64_s: plain(0xfc, 2),
  trunc_sat_f32_s: plain(0xfc, 0),
  atomic_load: atomic(0x10, 2),
  atomic_store: atomic(0x17, 2),
  atomic_rmw_add: atomic(0x1e, 2),
} as const;

export const i64 = {
  const: (value: bigint): Code => [0x42, signed(value)],
  load: memory([0x29], 3),
  store: memory([0x37], 3),
  add: plain(0x7c),
  extend_i32_u: plain(0xad),
} as const;

export const f32 = {
  const: (value: number): Code => [0x43, littleEndian(4, (view) => view.setFloat32(0, value, true))],
  load: memory([0x2a], 2),
  store: memory([0x38], 2),
  add: plain(0x92),
  mul: plain(0x94),
  convert_i32_s: plain(0xb2),
  convert_i32_u: plain(0xb3),
  demote_f64: plain(0xb6),
} as const;

export const f64 = {
  const: (value: number): Code => [0x44, littleEndian(8, (view) => view.setFloat64(0, value, true))],
  load: memory([0x2b], 3),
  store: memory([0x39], 3),
  add: plain(0xa0),
  sub: plain(0xa1),
  mul: plain(0xa2),
  div: plain(0xa3),
  gt: plain(0x64),
  lt: plain(0x63),
  convert_i32_s: plain(0xb7),
  convert_i32_u: plain(0xb8),
  promote_f32: plain(0xbb),
} as const;

export const v128 = {
  load: vectorMemory(0, 4),
  load32_zero: vectorMemory(92, 2),
  load64_zero: vectorMemory(93, 3),
  load32_splat: vectorMemory(9, 2),
  load64_splat: vectorMemory(10, 3),
  store: vectorMemory(11, 4),
  load32_lane: laneMemory(86, 2),
  load64_lane: laneMemory(87, 3),
  store32_lane: laneMemory(90, 2),
  store64_lane: laneMemory(91, 3),
  /** Sixteen bytes given as four 32-bit integers. */
  const: (...lanes: [number, number, number, number]): Code => [
    0xfd,
    12,
    lanes.map((x) => littleEndian(4, (view) => view.setInt32(0, x | 0, true))),
  ],
  not: vector(77),
  and: vector(78),
  andnot: vector(79),
  or: vector(80),
  xor: vector(81),
  /** Bits of `a` where the mask is set, else of `b`: operands a, b, mask. */
  bitselect: vector(82),
  any_true: vector(83),
} as const;

export const i8x16 = {
  shuffle: (a: Code, b: Code, lanes: readonly number[]): Code => [a, b, 0xfd, 13, lanes],
  popcnt: vector(98),
} as const;

export const i16x8 = {
  extadd_pairwise_i8x16_u: vector(125),
} as const;

export const i32x4 = {
  splat: vector(17),
  extract_lane: lane(27),
  replace_lane: replace(28),
  eq: vector(55),
  ne: vector(56),
  lt_s: vector(57),
  gt_s: vector(59),
  gt_u: vector(60),
  le_s: vector(61),
  ge_s: vector(63),
  all_true: vector(163),
  bitmask: vector(164),
  shl: vector(171),
  shr_s: vector(172),
  shr_u: vector(173),
  add: vector(174),
  sub: vector(177),
  mul: vector(181),
  min_s: vector(182),
  min_u: vector(183),
  max_s: vector(184),
  extadd_pairwise_i16x8_u: vector(127),
  trunc_sat_f32x4_s: vector(248),
  trunc_sat_f32x4_u: vector(249),
  /** Two f64 lanes to u32 lanes 0 and 1; the others are zero. */
  trunc_sat_f64x2_u_zero: vector(253),
} as const;

export const i64x2 = {
  splat: vector(18),
  extract_lane: lane(29),
  replace_lane: replace(30),
  bitmask: vector(196),
  extend_low_i32x4_s: vector(199),
  extend_low_i32x4_u: vector(201),
  shl: vector(203),
  shr_s: vector(204),
  shr_u: vector(205),
  add: vector(206),
  sub: vector(209),
  mul: vector(213),
  extmul_low_i32x4_u: vector(222),
  extmul_high_i32x4_u: vector(223),
} as const;

export const f32x4 = {
  splat: vector(19),
  extract_lane: lane(31),
  replace_lane: replace(32),
  eq: vector(65),
  ne: vector(66),
  lt: vector(67),
  gt: vector(68),
  le: vector(69),
  ge: vector(70),
  ceil: vector(103),
  floor: vector(104),
  trunc: vector(105),
  nearest: vector(106),
  abs: vector(224),
  neg: vector(225),
  sqrt: vector(227),
  add: vector(228),
  sub: vector(229),
  mul: vector(230),
  div: vector(231),
  pmin: vector(234),
  pmax: vector(235),
  convert_i32x4_s: vector(250),
} as const;

/** Relaxed SIMD: the result may depend on the machine. */
export const relaxed = {
  /** a * b + c, rounded once or twice. */
  f32x4_madd: vector(0x105),
} as const;

export const f64x2 = {
  splat: vector(20),
  extract_lane: lane(33),
  replace_lane: replace(34),
  eq: vector(71),
  ne: vector(72),
  lt: vector(73),
  gt: vector(74),
  le: vector(75),
  ge: vector(76),
  ceil: vector(116),
  floor: vector(117),
  trunc: vector(122),
  nearest: vector(148),
  abs: vector(236),
  neg: vector(237),
  sqrt: vector(239),
  add: vector(240),
  sub: vector(241),
  mul: vector(242),
  div: vector(243),
  pmin: vector(246),
  pmax: vector(247),
  convert_low_i32x4_s: vector(254),
  promote_low_f32x4: vector(95),
} as const;

/** 32-bit waits and wakes on shared memory; the timeout is in ns, -1 for none. */
export const wait32 = (address: Code, offset: number, expected: Code, timeout: Code): Code => [
  address,
  expected,
  timeout,
  0xfe,
  0x01,
  2,
  unsigned(offset),
];
export const notify = (address: Code, offset: number, count: Code): Code => [
  address,
  count,
  0xfe,
  0x00,
  2,
  unsigned(offset),
];

export const get = (index: number): Code => [0x20, unsigned(index)];
export const set = (index: number, value: Code): Code => [value, 0x21, unsigned(index)];
export const tee = (index: number, value: Code): Code => [value, 0x22, unsigned(index)];
export const block = (...body: Code[]): Code => [0x02, 0x40, body, 0x0b];
export const loop = (...body: Code[]): Code => [0x03, 0x40, body, 0x0b];
export const br = (depth: number): Code => [0x0c, unsigned(depth)];
export const br_if = (depth: number, condition: Code): Code => [condition, 0x0d, unsigned(depth)];
export const iff = (condition: Code, then: Code, otherwise?: Code): Code => [
  condition,
  0x04,
  0x40,
  then,
  otherwise === undefined ? [] : [0x05, otherwise],
  0x0b,
];
export const call = (index: number, ...operands: Code[]): Code => [operands, 0x10, unsigned(index)];
export const drop = (value: Code): Code => [value, 0x1a];
/** `a` when the condition is not zero, else `b`. */
/** A value of that type from one of two branches: only the chosen one runs. */
export const choose = (type: ValueType, condition: Code, yes: Code, no: Code): Code => [
  condition,
  0x04,
  typeByte[type],
  yes,
  0x05,
  no,
  0x0b,
];
export const select = (a: Code, b: Code, condition: Code): Code => [a, b, condition, 0x1b];
export const unreachable: Code = [0x00];

/** A function under construction: locals are handed out as they are asked for. */
export class FunctionBuilder {
  readonly parameters: readonly ValueType[];
  readonly result: ValueType | undefined;
  readonly exportName: string | undefined;
  readonly locals: ValueType[] = [];
  body: Code = [];

  constructor(options: { parameters?: readonly ValueType[]; result?: ValueType; exportName?: string } = {}) {
    this.parameters = options.parameters ?? [];
    this.result = options.result;
    this.exportName = options.exportName;
  }

  /** Index of a new local, zero at entry. */
  local(type: ValueType): number {
    this.locals.push(type);
    return this.parameters.length + this.locals.length - 1;
  }
}

/** A module that imports one memory (`env.memory`) and exports its named functions. */
export class ModuleBuilder {
  readonly #functions: FunctionBuilder[] = [];

  /** Index by which the function is called. */
  add(fn: FunctionBuilder): number {
    this.#functions.push(fn);
    return this.#functions.length - 1;
  }

  /** The module's bytes. `pages` of 64 KiB are asked of the imported memory. */
  assemble(memory: { pages: number; maximumPages: number; shared: boolean }): Uint8Array<ArrayBuffer> {
    const functions = this.#functions;
    const vec = (items: readonly Code[]): Code => [unsigned(items.length), items];
    const section = (id: number, content: Code): Code => {
      const bytes = flatten(content);
      return [id, unsigned(bytes.length), bytes];
    };
    const types = functions.map((f) => [
      0x60,
      vec(f.parameters.map((p) => typeByte[p])),
      vec(f.result ? [typeByte[f.result]] : []),
    ]);
    const limits = memory.shared
      ? [3, unsigned(memory.pages), unsigned(memory.maximumPages)]
      : [1, unsigned(memory.pages), unsigned(memory.maximumPages)];
    const exported = functions.flatMap((f, index) =>
      f.exportName ? [[text(f.exportName), 0, unsigned(index)]] : [],
    );
    // what profilers call them
    const names = functions.flatMap((f, index) =>
      f.exportName ? [[unsigned(index), text(f.exportName)]] : [],
    );
    const bodies = functions.map((f) => {
      const bytes = flatten([vec(f.locals.map((l) => [1, typeByte[l]])), f.body, 0x0b]);
      return [unsigned(bytes.length), bytes];
    });
    return Uint8Array.from(
      flatten([
        [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
        section(1, vec(types)),
        section(2, vec([[text("env"), text("memory"), 2, limits]])),
        section(3, vec(functions.map((_, index) => unsigned(index)))),
        section(7, vec(exported)),
        section(10, vec(bodies)),
        section(0, [text("name"), section(1, vec(names))]),
      ]),
    );
  }
}

function flatten(code: Code, out: number[] = []): number[] {
  if (typeof code === "number") out.push(code);
  else for (const part of code) flatten(part, out);
  return out;
}
