import { readdirSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pcm } from "../../models/pcm.ts";
import { DataError, deviceFile, fabricate, type Model, ModelError, readDevice } from "../../src/index.ts";

const isDevice = (value: unknown): value is Model<"device"> =>
  (value as { kind?: unknown } | null)?.kind === "device";

/** Every device that a file of models/ exports, with its name. */
const library = await Promise.all(
  readdirSync("models").map(async (file) => {
    const exported = (await import(`../../models/${file.replace(/\.ts$/, "")}.ts`)) as Record<
      string,
      unknown
    >;
    return Object.entries(exported).flatMap(([name, value]): [string, Model<"device">][] =>
      isDevice(value) ? [[name, value]] : [],
    );
  }),
).then((lists) => lists.flat());

const fitted = {
  data: "ramps.csv",
  rows: 1200,
  devices: 40,
  logLikelihood: -812.25,
  free: ["c1", "alpha"],
  covariance: [
    [4e-16, -1e-10],
    [-1e-10, 0.01],
  ],
  intervals95: { c1: [0.84e-6, 0.92e-6], alpha: [2.4, 2.8] },
  samples: [
    [0.87e-6, 2.7],
    [0.89e-6, 2.5],
  ],
} as const;

/** The text of a model with every run of blanks as one: what indentation cannot change. */
const words = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value)
      .replace(/(?:\s|\\n)+/g, " ")
      .replace(/" | "/g, '"'),
  );

describe("a device file reads back as the model it was written from", () => {
  test("the library has devices", () => expect(library.length).toBeGreaterThanOrEqual(4));

  test.each(library)("%s: same definition, same bits of devices, same file", async (_, model) => {
    const text = deviceFile(model);
    const { model: again, fitted: none } = readDevice(text);
    expect(none).toBeUndefined();
    expect(words(again.definition)).toEqual(words(model.definition));
    expect(Object.keys(again.definition.initial)).toEqual(Object.keys(model.definition.initial));
    expect(deviceFile(again)).toBe(text);
    const bits = async (which: Model<"device">) => {
      const array = await fabricate(9, which, { seed: 3 });
      const seen = [array.read({ noise: false }), array.read()];
      for (const pulse of Object.keys(which.checked.handlers)) {
        for (let n = 0; n < 5; n++) array.pulse(pulse);
        array.wait("1 h");
        seen.push(array.read({ noise: false }), array.read());
      }
      return seen;
    };
    expect(await bits(again)).toEqual(await bits(model));
  });

  test("with changed parameters and with what was fitted", () => {
    const text = deviceFile(pcm.with({ c1: "0.9 uS", nuSd: 0.01 }), fitted);
    const again = readDevice(text);
    expect(again.model.definition.parameters).toMatchObject({ c1: "0.9 uS", nuSd: 0.01, m1: -0.084 });
    expect(again.fitted).toEqual(fitted);
    expect(deviceFile(again.model, again.fitted)).toBe(text);
  });

  test("with an interval that is open on a side", () => {
    const open = {
      ...fitted,
      intervals95: { c1: [0.84e-6, Number.POSITIVE_INFINITY], alpha: [-Infinity, 2.8] },
    } as const;
    const text = deviceFile(pcm, open);
    expect(text).toContain('"alpha": [null, 2.8]');
    expect(readDevice(text).fitted).toEqual(open);
  });

  test("escapes, names of objects and lines within a text survive", () => {
    const model = readDevice(
      deviceFile(pcm).replace('"PCM, accumulation"', '"\\u0050CM \\"\\\\\\" µ 你"'),
    ).model;
    expect(model.definition.name).toBe('PCM "\\" µ 你');
    expect(readDevice(deviceFile(model)).model.definition.name).toBe('PCM "\\" µ 你');
  });

  test("what no file can say is refused when it is written", () => {
    expect(() => deviceFile(pcm, { ...fitted, logLikelihood: Number.NaN })).toThrow(
      "the file of PCM, accumulation:47:22: NaN is not a value of JSON",
    );
  });
});

describe("one clear error with its place", () => {
  const text = deviceFile(pcm, fitted);
  /** The error of the file with the first `from` replaced. */
  const fault = (from: string, to: string): string => {
    expect(text).toContain(from);
    try {
      readDevice(text.replace(from, to), "my.json");
    } catch (error) {
      expect(error).toBeInstanceOf(DataError);
      return `\n${(error as Error).message}\n`;
    }
    return "fine";
  };

  test("a faulty model: where its text stands, and what ModelError shows", () => {
    expect(fault("exp(-1 / alpha)", "eval(-1 / alpha)")).toMatchInlineSnapshot(`
      "
      my.json:18:16: PCM, accumulation, handler set: unknown function
          P = P * eval(-1 / alpha)
                  ^^^^
        eval is not a function of the language; products are written with *
      "
    `);
    expect(fault("clip(G + m1 * G", "clip(G + m1 * P")).toMatchInlineSnapshot(`
      "
      my.json:19:17: PCM, accumulation, handler set: dimensions disagree
          G = clip(G + m1 * P + c1 + A1 * P + (m2 * G + c2 + A2 * P) * randn(), Gmin, Gmax)
                   ^^^^^^^^^^
        G is S, m1 * P is dimensionless
      "
    `);
    expect(fault('"0.880 uS"', '"0.880 uV"')).toMatchInlineSnapshot(`
      "
      my.json:19:17: PCM, accumulation, handler set: dimensions disagree
          G = clip(G + m1 * G + c1 + A1 * P + (m2 * G + c2 + A2 * P) * randn(), Gmin, Gmax)
                   ^^^^^^^^^^^^^^^
        G + m1 * G is S, c1 is V
      "
    `);
    expect(fault('"P": 1', '"P": "1 s"')).toMatchInlineSnapshot(`
      "
      my.json:13:11: PCM, accumulation, initial P: dimensions disagree
          1 s
          ^^^
        this is s, P is dimensionless
      "
    `);
    expect(fault('"alpha": 2.6', '"alpha": 2.6, "beta": 1')).toMatchInlineSnapshot(`
      "
      my.json:26:19: PCM, accumulation, parameters: the parameter beta is never used
          beta: 1
          ^^^^
      "
    `);
    expect(fault("Gd + (m3", "Gd + \\u0028m33")).toMatchInlineSnapshot(`
      "
      my.json:24:23: PCM, accumulation, read: unknown name m33
          Gd + (m33 * Gd + c3) * randn()
                ^^^
        did you mean m3?
      "
    `);
    expect(fault('"P": 1,', "")).toMatchInlineSnapshot(`
      "
      my.json: PCM, accumulation, initial: the initial value of P is missing
      "
    `);
    try {
      readDevice(text.replace("exp(-1", "eval(-1"));
    } catch (error) {
      expect((error as Error).cause).toBeInstanceOf(ModelError);
    }
  });

  test("unknown keys, wrong types, missing parts", () => {
    const faults = [
      ['"drift"', '"dirft"'],
      ['"logLikelihood"', '"likelihood"'],
      ['"device",', '"neuron",'],
      ['"version": 1', '"version": 2'],
      ['"read": "Gd + (m3 * Gd + c3) * randn()"', '"read": true'],
      ['"m1": -0.084', '"m1": {}'],
      ['"G  : S",', "12,"],
      ['"source": ', '"sauce": '],
      ['"c1",', '"c7",'],
      ['"c1",\n      "alpha"', '"c1",\n      "c1"'],
      ["-1e-10]", "1e-10]"],
      ["4e-16", "4e-20"],
      ["[2.4, 2.8]", "[2.8, 2.4]"],
      ["[2.4, 2.8]", "[2.4]"],
      ['"rows": 1200', '"rows": 12.5'],
      ["[8.7e-7, 2.7]", "[8.7e-7, 2.7, 1]"],
    ].map(([from, to]) => fault(from, to).trim());
    expect(faults).toMatchInlineSnapshot(`
      [
        "my.json:23:3: there is no key "dirft"; did you mean drift?",
        "my.json:47:5: fitted: there is no key "likelihood"; did you mean logLikelihood?",
        "my.json:2:15: memspike: a device file says "device" here",
        "my.json:3:14: version: this program reads version 1",
        "my.json:24:11: read: a text is expected, not a truth value",
        "my.json:27:11: parameters.m1: a text or a number is expected, not a record",
        "my.json:7:5: equations[0]: a text is expected, not a number",
        "my.json:5:3: there is no key "sauce"; did you mean source?",
        "my.json:49:7: fitted.free[0]: PCM, accumulation has no parameter c7; did you mean c1?",
        "my.json:50:7: fitted.free[1]: c1 is here twice",
        "my.json:52:19: fitted.covariance: alpha and c1 cannot have this covariance: it is symmetric, and no correlation exceeds 1",
        "my.json:52:19: fitted.covariance: alpha and c1 cannot have this covariance: it is symmetric, and no correlation exceeds 1",
        "my.json:58:16: fitted.intervals95.alpha: an interval is [low, high], with null for an open end",
        "my.json:58:16: fitted.intervals95.alpha: an interval is [low, high], with null for an open end",
        "my.json:45:13: fitted.rows: this is a count of at least 1, not 12.5",
        "my.json:61:7: fitted.samples[0]: 2 numbers are expected, not 3",
      ]
    `);
  });

  test("text that is not JSON", () => {
    const faults = [
      ['"name":', "name:"],
      ['"version": 1,', '"version": 1'],
      ['"version": 1,', '"version": 1,,'],
      ['"version": 1', '"version": 01'],
      ['"version": 1', '"version": 1e999'],
      ['"version": 1', '"version": NaN'],
      ['"version": 1', '"version": 1, "version": 1'],
      ['accumulation"', "accumulation\n"],
      ['accumulation"', 'accumulation\\x"'],
    ].map(([from, to]) => fault(from, to).trim());
    expect(faults).toMatchInlineSnapshot(`
      [
        "my.json:4:3: a key in double quotes is expected here, not "n"",
        "my.json:4:3: "," or "}" is expected here, not "\\""",
        "my.json:3:16: a key in double quotes is expected here, not ","",
        "my.json:3:14: 01 is not a value of JSON",
        "my.json:3:14: 1e999 is too large for a number",
        "my.json:3:14: NaN is not a value of JSON",
        "my.json:3:17: "version" is here twice",
        "my.json:4:11: this text does not end in its line, or holds a \\ that JSON does not know",
        "my.json:4:11: this text does not end in its line, or holds a \\ that JSON does not know",
      ]
    `);
    const whole = (content: string) => {
      try {
        readDevice(content, "f");
        return "fine";
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(
      ["", "null", "[1, 2", "{} {}", "[".repeat(100_000), '"'.repeat(3)].map(whole),
    ).toMatchInlineSnapshot(`
      [
        "f:1:1: a value is expected here, not the end of the file",
        "f:1:1: a record { … } is expected, not null",
        "f:1:6: "," or "]" is expected here, not the end of the file",
        "f:1:4: the file should end here, not go on with "{"",
        "f:1:66: lists and records are nested deeper than 64",
        "f:1:3: the file should end here, not go on with "\\""",
      ]
    `);
  });

  test("a key such as __proto__ is a name like any other, and no name", () => {
    expect(fault('"alpha": 2.6', '"__proto__": { "alpha": 2.6 }')).toMatchInlineSnapshot(`
      "
      my.json:26:18: parameters.__proto__: a text or a number is expected, not a record
      "
    `);
    expect(Object.hasOwn(Object.prototype, "alpha")).toBe(false);
  });

  test("damaged anywhere, a file is refused with DataError or is another device, never anything else", () => {
    const damage = fc.record({
      at: fc.nat(text.length - 1),
      length: fc.nat(4),
      by: fc.constantFrom("", '"', "{", "]", ",", "\\", "0", "é", "\u0000", "e9", "null", "G"),
    });
    let refused = 0;
    fc.assert(
      fc.property(damage, ({ at, length, by }) => {
        try {
          readDevice(text.slice(0, at) + by + text.slice(at + length));
        } catch (error) {
          refused++;
          expect(error).toBeInstanceOf(DataError);
          expect((error as Error).message.length).toBeLessThan(1000);
        }
      }),
      { seed: 4, numRuns: 2000 },
    );
    expect(refused).toBeGreaterThan(1000);
  });
});
