/**
 * Devices of one model, interpreted: the readable twin of devices.ts.
 *
 * One device at a time, all float64. Draws are addressed by device: those of a pulse by the pulses before it, those
 * of a read by the tick and, in counter word 3, by its occasion. Knows nothing of weights or synapses.
 */
import { quietRead } from "../device/read.ts";
import { inline } from "../language/algebra.ts";
import type { CheckedModel } from "../language/checked.ts";
import { type Expression, namesIn } from "../language/expression.ts";
import { moves, odeStep } from "../language/pulse.ts";
import type { Key } from "../math/random.ts";
import { Evaluator, type Names } from "./evaluate.ts";

export class InterpretedDevices {
  /** Time that devices waited besides simulated time, s. */
  waited = 0;
  readonly model: CheckedModel;
  readonly count: number;
  /** Stored variables, [device]. */
  readonly state: Readonly<Record<string, Float64Array>>;
  readonly #dt: number; // s
  readonly #writtenAt: Float64Array; // s on the clock of devices
  readonly #pulsed: Uint32Array; // pulses received
  readonly #evaluator: Evaluator;
  /** Expressions with numbers for parameters; in pulses the arguments stay names. */
  readonly #inlined: (expression: Expression) => Expression;
  readonly #inlinedPulse: (expression: Expression) => Expression;
  readonly #drifting: ReadonlySet<string>; // pulses that use the drifted conductance
  readonly #step: readonly (readonly [string, Expression])[]; // of the differential equations

  /** `dt`: a tick, s. `freeArguments`: whether pulses may be given arguments, as in an array. */
  constructor(
    model: CheckedModel,
    count: number,
    options: { readonly dt: number; readonly key: Key; readonly freeArguments?: boolean },
  ) {
    const { dt, key, freeArguments = false } = options;
    this.model = model;
    this.count = count;
    this.#dt = dt;
    this.#inlined = inline(model);
    const fixed = model.parameters.filter(({ name }) => !model.arguments.includes(name));
    this.#inlinedPulse = freeArguments ? inline({ ...model, parameters: fixed }) : this.#inlined;
    this.#step = [...odeStep(model)].map(([target, next]) => [target, this.#inlined(next)] as const);
    const drifting = Object.entries(model.handlers).filter(([, statements]) =>
      statements.some(({ value, application: a }) =>
        [value, ...(a ? [a.voltage, a.dt] : [])].some((each) => namesIn(each).has("Gd")),
      ),
    );
    this.#drifting = new Set(drifting.map(([pulse]) => pulse));
    this.#evaluator = new Evaluator("float64", key, "sparse");
    this.state = Object.fromEntries(model.variables.map((v) => [v.name, new Float64Array(count)]));
    this.#writtenAt = new Float64Array(count);
    this.#pulsed = new Uint32Array(count);
    const fabrication = new Evaluator("float64", key, "packed");
    for (const [variable, text] of Object.entries(model.initial))
      for (let device = 0; device < count; device++)
        this.state[variable][device] = fabrication.value(
          this.#inlined(text),
          { element: device, tick: 0 },
          this.#names(device, 0),
        );
  }

  /** Time on the devices' clock, s. */
  #clock(tick: number): number {
    return tick * this.#dt + this.waited;
  }

  #names(device: number, tick: number): Names {
    return (name) => {
      if (name === "i") return device;
      if (name === "t") return this.#clock(tick);
      if (name === "age") return this.#clock(tick) - this.#writtenAt[device];
      return this.state[name][device];
    };
  }

  /** Conductance of one device now, S. `draw`: counter word 3. `quiet` leaves read noise out. */
  conductance(device: number, tick: number, draw: number, quiet = false): number {
    const { drift, read } = this.model;
    const names = this.#names(device, tick);
    const value = (expression: Expression): number =>
      this.#evaluator.value(this.#inlined(expression), { element: device, tick, draw }, (name) =>
        name === "Gd" ? value(drift as Expression) : names(name),
      );
    return value(quiet ? quietRead(this.model) : (read as Expression));
  }

  /** One pulse that the model names to one device. `values`: arguments, SI; otherwise the model's own. */
  pulse(pulse: string, device: number, tick: number, values: Readonly<Record<string, number>> = {}): void {
    const drifted = this.#drifting.has(pulse) ? this.conductance(device, tick, 0, true) : Number.NaN;
    const stored = this.#names(device, tick);
    const given = Object.fromEntries(this.model.parameters.map(({ name, value }) => [name, value]));
    const names: Names = (name) => {
      if (name === "Gd") return drifted;
      if (this.model.arguments.includes(name)) return values[name] ?? given[name];
      return stored(name);
    };
    const place = { element: device, tick: this.#pulsed[device] };
    const value = (expression: Expression): number =>
      this.#evaluator.value(this.#inlinedPulse(expression), place, names);
    for (const { values: made, application } of moves(this.model.handlers[pulse]))
      if (!application) for (const [target, each] of made) this.state[target][device] = value(each);
      else {
        const held = { V: value(application.voltage), dt: value(application.dt) };
        const step = [...made].map(([target, each]) => [target, this.#inlinedPulse(each)] as const);
        for (let n = 0; n < application.steps; n++) this.#advance(device, step, held, names);
      }
    this.#pulsed[device]++;
    this.#writtenAt[device] = this.#clock(tick);
  }

  /** One step of differential equations, all at once. */
  #advance(
    device: number,
    step: readonly (readonly [string, Expression])[],
    held: Readonly<Record<"V" | "dt", number>>,
    names: Names,
  ): void {
    const next = this.#evaluator.values(
      step.map(([, value]) => value),
      { element: device, tick: 0 },
      (name) => (name === "V" || name === "dt" ? held[name] : names(name)),
    );
    for (const [k, [target]] of step.entries()) this.state[target][device] = next[k];
  }

  /** Holds a voltage, V, for a sample of dt seconds that ends now; gives the current after it, A. */
  drive(device: number, sample: number, voltage: number, dt: number): number {
    const { current, drift } = this.model;
    const step = this.#step;
    const names = this.#names(device, 0);
    this.#advance(device, step, { V: voltage, dt }, names);
    if (step.length > 0) this.#writtenAt[device] = this.#clock(0);
    const value = (expression: Expression): number =>
      this.#evaluator.value(this.#inlined(expression), { element: device, tick: sample }, (name) =>
        name === "V" ? voltage : name === "Gd" ? value(drift as Expression) : names(name),
      );
    return value(current as Expression);
  }
}
