/**
 * Imperfect devices made of others: some stuck from fabrication on, all worn out in the end.
 *
 * A device is text, so an imperfection is more text: variables that say what is wrong with a device, and reads that look
 * at them. What pulses do to a stuck device goes on unseen. Imperfections can be put on top of each other.
 */
import { ConfigError, device, type Model } from "../src/index.ts";

/** Where a device that no longer moves stands: one conductance, or anywhere between two. */
export type StuckAt = string | readonly [string, string];

/** `name`, or with a number where the model has it already. */
function fresh({ checked }: Model<"device">, name: string): string {
  const taken = new Set(
    [...checked.variables, ...checked.derived, ...checked.parameters].map((each) => each.name),
  );
  let found = name;
  for (let k = 2; taken.has(found); k++) found = `${name}${k}`;
  return found;
}

interface Fault {
  /** Names it in variables and parameters: "stuck", "worn". */
  readonly name: string;
  /** When a device has it, as text in the names of `equations` and `parameters`. */
  readonly when: string;
  readonly at: StuckAt;
  readonly equations: string;
  readonly initial: Readonly<Record<string, string>>;
  /** A statement of every pulse. */
  readonly count?: string;
  readonly parameters: Readonly<Record<string, string | number>>;
}

/** The same device, but for what is read where it has a fault. */
function faulty(model: Model<"device">, fault: Fault): Model<"device"> {
  const { definition } = model;
  const { name, when, at } = fault;
  const [low, high] = typeof at === "string" ? [at, at] : at;
  const [value, lowName, highName] = [`G${name}`, `${name}Low`, `${name}High`];
  const unless = (text: string, otherwise: string) => `${when} ? ${otherwise} : (${text})`;
  const on = Object.entries(definition.on).map(([pulse, text]) => [
    pulse,
    fault.count ? `${text}\n${fault.count}` : text,
  ]);
  return device({
    ...definition,
    equations: `${definition.equations}\n${fault.equations}\n${value} : S (constant)`,
    initial: {
      ...definition.initial,
      ...fault.initial,
      [value]: `${lowName} + (${highName} - ${lowName}) * rand()`,
    },
    on: Object.fromEntries(on),
    ...(definition.drift !== undefined && { drift: unless(definition.drift, value) }),
    read: unless(definition.read, value),
    ...(definition.current !== undefined && { current: unless(definition.current, `V * ${value}`) }),
    parameters: { ...definition.parameters, ...fault.parameters, [lowName]: low, [highName]: high },
  });
}

/**
 * The same device with a fraction `stuck` that is stuck from fabrication on, `at` a conductance ("0 uS") or anywhere
 * between two (["0 uS", "20 uS"]). Parameters `stuckFraction`, `stuckLow` and `stuckHigh` change them. A second kind of
 * stuck devices is another `withYield` around the first.
 */
export function withYield(
  model: Model<"device">,
  { stuck, at }: { readonly stuck: number; readonly at: StuckAt },
): Model<"device"> {
  if (!(stuck >= 0 && stuck <= 1))
    throw new ConfigError(`the fraction of stuck devices is 0 to 1, not ${stuck}`);
  const name = fresh(model, "stuck");
  return faulty(model, {
    name,
    when: name,
    at,
    equations: `${name} : boolean (constant)`,
    initial: { [name]: `rand() < ${name}Fraction` },
    parameters: { [`${name}Fraction`]: stuck },
  });
}

/**
 * The same device with an end: after so many write pulses of any kind it is stuck `at` a conductance or anywhere between two.
 * Lifetimes have a Weibull distribution, 1 - exp(-(n / cycles)^shape), of scale `cycles` and shape `shape` (default 2:
 * wear; 1 is failure without ageing). Parameters `wornCycles`, `wornShape`, `wornLow` and `wornHigh` change them.
 */
export function withEndurance(
  model: Model<"device">,
  { cycles, shape = 2, at }: { readonly cycles: number; readonly shape?: number; readonly at: StuckAt },
): Model<"device"> {
  if (!(cycles > 0)) throw new ConfigError(`endurance is a positive number of pulses, not ${cycles}`);
  if (!(shape > 0)) throw new ConfigError(`the shape of a Weibull distribution is positive, not ${shape}`);
  const name = fresh(model, "worn");
  const [writes, life] = [`${name}Writes`, `${name}Life`];
  return faulty(model, {
    name,
    when: `${writes} > ${life}`,
    at,
    equations: `${writes} : 1\n${life} : 1 (constant)`,
    initial: { [writes]: "0", [life]: `${name}Cycles * (-log(rand()))^(1 / ${name}Shape)` },
    count: `${writes} += 1`,
    parameters: { [`${name}Cycles`]: cycles, [`${name}Shape`]: shape },
  });
}
