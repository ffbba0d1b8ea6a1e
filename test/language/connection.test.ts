import { describe, expect, test } from "vitest";
import { checkConnection, ModelError, neuron, synapse } from "../../src/language/model.ts";

const cell = neuron({
  name: "Cell",
  source: "this test",
  equations: `
    dv/dt = (ge * (Ee - v) + I) / C : V
    dge/dt = -ge / tau : S
    I = g0 * Ee : A
    up : boolean
    d : 1 (constant)
  `,
  threshold: "v > Vt and not up and d < 1",
  parameters: { Ee: "0 V", C: "200 pF", tau: "5 ms", g0: "1 nS", Vt: "-50 mV" },
});

const connect = (
  equations: string,
  on: Record<string, string>,
  parameters: Record<string, string | number> = {},
  pre: typeof cell | "spike source" = cell,
): void => {
  const model = synapse({ name: "Syn", equations, on, parameters });
  checkConnection(model.checked, pre === "spike source" ? undefined : pre.checked, cell.checked);
};
const message = (...args: Parameters<typeof connect>): string => {
  try {
    connect(...args);
  } catch (error) {
    if (error instanceof ModelError) return error.message;
    throw error;
  }
  throw new Error("nothing was wrong");
};

describe("a connection agrees", () => {
  test("when statements give cells what their variables are", () => {
    connect("w : S (weight)", {
      pre: "ge_post += w; ge_post -= 2 * w; ge_post *= 0.5; up_post = v_pre > v_post",
    });
    connect("w : S", { pre: "ge_post = 0; v_post = clip(v_pre, 0, v_post)" });
  });

  test("when equations follow variables of the cells", () => {
    connect(
      `dr/dt = (v_pre - r) / tau : V (pre)
       du/dt = (v_post - u) / tau : V (post)
       dn/dt = (v_post - n) / tau + 0.1 * (v_pre - v_post) * xi / tau^0.5 : V
       k = int(up_post) * ge_post : S`,
      {},
      { tau: "1 s" },
    );
  });

  test("for a source of spikes when the synapse asks nothing of it", () => {
    connect("", { pre: "ge_post += w" }, { w: "1 nS" }, "spike source");
  });
});

test("NormAD connects a spike source to cells that have its two currents", () => {
  const normad = synapse({
    name: "NormAD",
    source: "Anwani & Rajendran 2015, IJCNN, doi:10.1109/IJCNN.2015.7280618",
    equations: `
      dx/dt = -x / tau1          : 1 (pre)   # x - y is the current kernel c
      dy/dt = -y / tau2          : 1 (pre)
      dd/dt = (x - y - d) / tauL : 1 (pre)   # c filtered by the membrane
      w     : A (weight)
      dw    : A`,
    on: {
      pre: "ia_post += w; ib_post += w; x += 1; y += 1",
      post: "dw -= eta * normalize(d)",
      teacher: "dw += eta * normalize(d)",
      update: "w += dw; dw = 0",
    },
    parameters: { tau1: "5 ms", tau2: "1.25 ms", tauL: "1 ms", eta: "20 pA" },
  });
  const output = (unit: string) =>
    neuron({ name: "Output", source: "this test", equations: `ia : ${unit}\n ib : A` }).checked;
  checkConnection(normad.checked, undefined, output("A"));
  expect(() => checkConnection(normad.checked, undefined, output("V"))).toThrow(
    "the right side is A, ia_post is V",
  );
});

test("what does not exist or disagrees, whole texts", () => {
  const w = { w: "1 mV", u: "2 nS" };
  expect(
    [
      message("", { pre: "gx_post += w" }, { w: "1 nS" }),
      message("", { pre: "I_post += w" }, { w: "1 nA" }),
      message("", { pre: "Ee_post += w" }, { w: "1 V" }),
      message("", { pre: "d_post += w" }, { w: 1 }),
      message("", { pre: "zebra_post += w" }, { w: 1 }),
      message("", { pre: "ge_post += w * v_pre" }, { w: "1 nS" }),
      message("", { pre: "ge_post += w * v_pre" }, { w: "1 nS" }, "spike source"),
      message("", { pre: "ge_post += w * int(u < u)" }, w),
      message("", { pre: "ge_post -= w * int(u < u)" }, w),
      message("", { pre: "ge_post = w * int(u < u)" }, w),
      message("", { pre: "ge_post *= v_pre" }, {}),
      message("", { pre: "up_post += 1" }, {}),
      message("", { pre: "v_post = up_pre" }, {}),
      message("x : 1", { post: "x = 1; x += v_pre > ge_pre ? 1 : 0" }, {}),
      message("dr/dt = (v_pre - r) / tau : S (pre)", {}, { tau: "1 s" }),
      message("dr/dt = -r / tau + v_pre * xi : V", {}, { tau: "1 s" }),
      message("k = v_pre + ge_post : V", {}, {}),
    ].join("\n"),
  ).toMatchInlineSnapshot(`
    "Syn, handler pre: gx_post does not exist
        gx_post += w
        ^^^^^^^
      the postsynaptic cells, Cell, have no variable gx; did you mean ge_post?
    Syn, handler pre: I_post does not exist
        I_post += w
        ^^^^^^
      I of Cell is a derived name; synapses reach stored variables only
    Syn, handler pre: Ee_post does not exist
        Ee_post += w
        ^^^^^^^
      Ee of Cell is a parameter; give the synapse one of its own
    Syn, handler pre: d of Cell is constant
        d_post += w
        ^^^^^^
      it cannot be assigned
    Syn, handler pre: zebra_post does not exist
        zebra_post += w
        ^^^^^^^^^^
      the postsynaptic cells, Cell, have no variable zebra
    Syn, handler pre: dimensions disagree
        ge_post += w * v_pre
                   ^^^^^^^^^
      the right side is A, ge_post is S
    Syn, handler pre: v_pre does not exist
        ge_post += w * v_pre
                       ^^^^^
      the presynaptic cells are a source of spikes and have no variables
    Syn, handler pre: dimensions disagree
        ge_post += w * int(u < u)
                   ^^^^^^^^^^^^^^
      the right side is V, ge_post is S
    Syn, handler pre: dimensions disagree
        ge_post -= w * int(u < u)
                   ^^^^^^^^^^^^^^
      the right side is V, ge_post is S
    Syn, handler pre: dimensions disagree
        ge_post = w * int(u < u)
                  ^^^^^^^^^^^^^^
      the right side is V, ge_post is S
    Syn, handler pre: dimensions disagree
        ge_post *= v_pre
        ^^^^^^^^^^^^^^^^
      the right side is A, ge_post is S
    Syn, handler pre: a truth value is needed
        up_post += 1
                   ^
      the right side is dimensionless; compare it, as in v > Vt
    Syn, handler pre: a number is needed
        v_post = up_pre
                 ^^^^^^
      the right side is a truth value, v_post is V
    Syn, handler post: dimensions disagree
        x += v_pre > ge_pre ? 1 : 0
             ^^^^^^^^^^^^^^
      v_pre is V, ge_pre is S
    Syn: dimensions disagree
        dr/dt = (v_pre - r) / tau : S (pre)
                ^^^^^^^^^^^
      v_pre is V, r is S
    Syn: dimensions disagree
        dr/dt = -r / tau + v_pre * xi : V
                           ^^^^^
      the factor of noise is V, the left side over noise is V/s^(1/2)
    Syn: dimensions disagree
        k = v_pre + ge_post : V
            ^^^^^^^^^^^^^^^
      v_pre is V, ge_post is S"
  `);
});
