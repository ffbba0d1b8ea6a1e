/**
 * Flicker noise by address: normal numbers with a 1/f spectrum over time, in JavaScript and in machine code.
 *
 * The sum of K independent normal numbers of variance 1/K, the kth of which is held for tau_k and then drawn anew
 * (R. F. Voss, in Gardner 1978, Sci. Am. 238(4):16); tau_k = shortest 2^(k - 2), k = 0 … K - 1, up to longest / 2. Here
 * none is kept, each is looked up as a function of (key, stream, element, k, floor(t / tau_k + phase_k)): a value does
 * not depend on which others were asked for. The phases, u + k / golden ratio with u uniform for each element, make the
 * process stationary: values a time s apart have the covariance sum over k of max(0, 1 - s / tau_k) / K. The one-sided
 * power density is 1 / (K ln 2 f) between 1 / longest and 1 / shortest, at most 0.3 dB above and 2.5 dB below, 0.9 dB
 * below up to 1 / (4 shortest); test/engine/flicker.test.ts.
 */
import { octavesOf } from "../language/device.ts";
import type { Expression } from "../language/expression.ts";
import type { Key } from "../math/random.ts";
import {
  br_if,
  type Code,
  FunctionBuilder,
  f64,
  f64x2,
  get,
  i32,
  i32x4,
  loop,
  type ModuleBuilder,
  set,
  v128,
} from "../wasm/assembler.ts";
import { Emitter, Prologue } from "../wasm/emit.ts";
import { Graph, type Node } from "../wasm/graph.ts";
import { interpret } from "../wasm/interpret.ts";
import { elementDraws } from "./draws.ts";

const perOctave = (Math.sqrt(5) - 1) / 2; // 1 / golden ratio: phases of octaves are spread evenly
/** Times shorter than the shortest, so that the spectrum holds up to it: octaves. */
const below = 2;
/** Counter word 3 of the phase; octave k has k, below 62. */
const phaseDraw = 64;

/**
 * A draw of flicker noise: inputs `i`, the element, and `t`, the time in s. The arguments are constants, `shortest` and
 * `longest` in s.
 */
export function flickerDraw(
  graph: Graph,
  draw: Extract<Expression, { kind: "random" }>,
  args: readonly Node[],
  key: Key,
  device: Node = graph.input("i"),
): Node {
  const [shortest, longest] = args.map((arg) => arg.value as number);
  const octaves = octavesOf(shortest, longest) + below;
  const constants = [draw.stream, shortest / 2 ** below, octaves, key[0] | 0, key[1] | 0].map((x) =>
    graph.constant(x),
  );
  const sum = graph.node("call", [device, graph.input("t"), ...constants], { name: "flicker" });
  return graph.mul(sum, graph.constant(1 / Math.sqrt(octaves)));
}

const graph = new Graph("float64");
const draws = elementDraws(graph);

/** The sum over octaves from a hold of `shortest` on, at a time, s. Keys are signed words. */
export function flickerScalar(
  element: number,
  time: number,
  stream: number,
  shortest: number,
  octaves: number,
  key0: number,
  key1: number,
): number {
  const address = { element, "#stream": stream, key0, key1 };
  const phase = interpret(
    [draws.uniform],
    { ...address, tick: 0, "#draw": phaseDraw },
    "float64",
  )[0] as number;
  const sums = [0, 0]; // of even and of odd octaves
  for (let k = 0; k < octaves; k++) {
    const place = Math.floor(time / (shortest * 2 ** k) + (phase + k * perOctave));
    const tick = place - Math.floor(place * 2 ** -32) * 2 ** 32; // its lowest 32 bits
    sums[k % 2] += interpret([draws.normal], { ...address, tick, "#draw": k }, "float64")[0] as number;
  }
  return sums[0] + sums[1];
}

/** Adds `flickerScalar` to a module, two octaves at a time. Returns its index. */
export function flickerFunction(module: ModuleBuilder): number {
  const fn = new FunctionBuilder({
    parameters: ["f64", "f64", "f64", "f64", "f64", "f64", "f64"],
    result: "f64",
  });
  const [element, time, stream, shortest, octaves, key0, key1] = [0, 1, 2, 3, 4, 5, 6];
  const word = (parameter: number): Code => i32x4.splat(i32.trunc_sat_f64_s(get(parameter)));
  const pair = (a: number, b: number): Code => f64x2.replace_lane(f64x2.splat(f64.const(a)), 1, f64.const(b));
  const prologue = new Prologue(fn);
  const octave = fn.local("v128"); // k and k + 1
  const tau = fn.local("v128");
  const start = fn.local("v128"); // the phase of octave 0
  const phase = fn.local("v128");
  const place = fn.local("v128");
  const sums = fn.local("v128");
  const words: Readonly<Record<string, Code>> = {
    element: prologue.vector("element", word(element)),
    "#stream": prologue.vector("stream", word(stream)),
    key0: prologue.vector("key0", word(key0)),
    key1: prologue.vector("key1", word(key1)),
  };
  /** A draw whose tick and counter word 3 are given. */
  const drawn = (node: Node, tick: Code, draw: Code): Code => {
    const emitter = new Emitter({
      fn,
      prologue,
      precision: "float64",
      input: ({ name }) => (name === "tick" ? tick : name === "#draw" ? draw : words[name as string]),
    });
    return [emitter.define([node]), emitter.value(node)];
  };
  const splat = (value: number): Code => f64x2.splat(f64.const(value));
  const times = (local: number, value: Code): Code => f64x2.mul(get(local), value);
  const each = [
    set(place, f64x2.floor(f64x2.add(f64x2.div(f64x2.splat(get(time)), get(tau)), get(phase)))),
    set(place, f64x2.sub(get(place), f64x2.mul(f64x2.floor(times(place, splat(2 ** -32))), splat(2 ** 32)))),
    set(
      sums,
      f64x2.add(
        get(sums),
        v128.and(
          drawn(
            draws.normal,
            i32x4.trunc_sat_f64x2_u_zero(get(place)),
            i32x4.trunc_sat_f64x2_u_zero(get(octave)),
          ),
          f64x2.lt(get(octave), f64x2.splat(get(octaves))),
        ),
      ),
    ),
    set(tau, times(tau, splat(4))),
  ];
  fn.body = [
    prologue.code,
    set(start, drawn(draws.uniform, i32x4.splat(i32.const(0)), i32x4.splat(i32.const(phaseDraw)))),
    set(octave, pair(0, 1)),
    set(tau, f64x2.mul(f64x2.splat(get(shortest)), pair(1, 2))),
    loop(
      set(phase, f64x2.add(get(start), times(octave, splat(perOctave)))),
      each,
      set(octave, f64x2.add(get(octave), splat(2))),
      br_if(0, f64.lt(f64x2.extract_lane(get(octave), 0), get(octaves))),
    ),
    f64.add(f64x2.extract_lane(get(sums), 0), f64x2.extract_lane(get(sums), 1)),
  ];
  return module.add(fn);
}
