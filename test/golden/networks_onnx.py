"""Small networks as files of ONNX, for test/analog: python networks_onnx.py FOLDER

Needs onnx, onnxruntime, numpy; writes FOLDER/*.onnx and FOLDER/expected.json: inputs, and outputs by ONNX Runtime. Weights are
drawn with a fixed seed. `names` says what each file is for.
"""

import datetime
import json
import pathlib
import platform
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

FOLDER = pathlib.Path(sys.argv[1])
FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
random = np.random.default_rng(6)


class Graph:
    def __init__(self):
        self.nodes, self.tensors = [], []

    def weights(self, name, *shape, scale=0.4, positive=False, dtype=np.float32):
        values = random.normal(0, scale, shape)
        self.constant(name, np.abs(values) + 0.5 if positive else values, dtype)
        return name

    def constant(self, name, values, dtype=np.int64):
        self.tensors.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def node(self, operator, inputs, outputs=None, name=None, domain=None, **attributes):
        outputs = outputs or [f"v{len(self.nodes)}"]
        name = f"{operator}_{len(self.nodes)}" if name is None else name
        self.nodes.append(helper.make_node(operator, inputs, outputs, name, domain=domain, **attributes))
        return outputs[0] if len(outputs) == 1 else outputs

    def batch_norm(self, x, name, size):
        parts = [
            self.weights(f"{name}.scale", size, positive=True),
            self.weights(f"{name}.bias", size),
            self.weights(f"{name}.mean", size),
            self.weights(f"{name}.var", size, positive=True),
        ]
        return self.node("BatchNormalization", [x, *parts], epsilon=1e-3)

    def save(self, file, inputs, outputs, opset=20, domains=(), checked=True, **options):
        graph = helper.make_graph(self.nodes, file, inputs, outputs, self.tensors)
        sets = [helper.make_opsetid("", opset), *(helper.make_opsetid(name, 1) for name in domains)]
        model = helper.make_model(graph, opset_imports=sets, ir_version=9, producer_name="golden", producer_version="1")
        if checked:
            onnx.checker.check_model(model, full_check=True)
        onnx.save(model, FOLDER / f"{file}.onnx", **options)
        return model


def value(name, kind, *dims):
    return helper.make_tensor_value_info(name, kind, dims)


def cnn():
    """Every kind of layer of an image: borders, strides, a shortcut, groups, channel-wise, pooling; then flattened, so that order counts."""
    g = Graph()
    x = g.node("Conv", ["x", g.weights("conv1.weight", 6, 3, 3, 3)], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    x = g.node("Relu", [g.batch_norm(x, "bn1", 6)])
    y = g.node("Conv", [x, g.weights("conv2.weight", 6, 6, 3, 3), g.weights("conv2.bias", 6)], pads=[1, 1, 1, 1])
    y = g.batch_norm(y, "bn2", 6)
    x = g.node("Relu", [g.node("Add", [y, x])])
    a = g.node("Conv", [x, g.weights("left.weight", 4, 3, 1, 1), g.weights("left.bias", 4)], group=2)
    b = g.node("Tanh", [g.node("Conv", [x, g.weights("right.weight", 2, 6, 2, 3)], auto_pad="SAME_UPPER")])
    x = g.node("Concat", [a, b], axis=1)
    x = g.node("Conv", [x, g.weights("depth.weight", 6, 1, 3, 3), g.weights("depth.bias", 6)], group=6, pads=[1, 1, 1, 1])
    x = g.node("Sigmoid", [x])
    x = g.node("MaxPool", [x], kernel_shape=[2, 2], strides=[2, 2])
    x = g.node("Flatten", [x])
    x = g.node("Gemm", [x, g.weights("fc.weight", 7, 6 * 2 * 2), g.weights("fc.bias", 7)], transB=1)
    x = g.node("Gelu", [x], approximate="tanh")
    x = g.node("Gemm", [x, g.weights("out.weight", 7, 4), g.weights("out.bias", 4)], alpha=0.5, beta=2.0)
    g.node("Softmax", [x], ["y"], axis=-1)
    return g.save("cnn", [value("x", FLOAT, "batch", 3, 9, 8)], [value("y", FLOAT, "batch", 4)]), {"x": (2, 3, 9, 8)}


def keras():
    """Channels last, as TensorFlow has them, with axes turned before the first and after the last convolution."""
    g = Graph()
    x = g.node("Transpose", ["x"], perm=[0, 3, 1, 2])
    x = g.node("Conv", [x, g.weights("conv.weight", 4, 2, 3, 3), g.weights("conv.bias", 4)], auto_pad="SAME_LOWER", strides=[1, 2])
    x = g.node("AveragePool", [g.node("Relu", [x])], kernel_shape=[2, 2], strides=[2, 2])
    x = g.node("Transpose", [x], perm=[0, 2, 3, 1])
    x = g.node("Reshape", [x, g.constant("flat", [-1, 2 * 2 * 4])])
    x = g.node("MatMul", [x, g.weights("dense.kernel", 16, 3)])
    g.node("Add", [x, g.weights("dense.bias", 3)], ["y"])
    return g.save("keras", [value("x", FLOAT, "N", 5, 7, 2)], [value("y", FLOAT, "N", 3)]), {"x": (2, 5, 7, 2)}


def mlp():
    """Products and sums apart, numbers of float16 and float64, and a size from a Reshape."""
    g = Graph()
    g.constant("shape", [-1, 12])
    x = g.node("Reshape", ["x", "shape"])
    w = g.node("Cast", [g.weights("w1", 12, 5, dtype=np.float16)], to=FLOAT)
    x = g.node("Sigmoid", [g.node("Add", [g.node("MatMul", [x, w]), g.weights("b1", 5)])])
    x = g.node("LayerNormalization", [x, g.weights("ln.weight", 5, positive=True), g.weights("ln.bias", 5)], epsilon=1e-4)
    x = g.node("Identity", [g.node("Dropout", [x])])
    g.node("MatMul", [x, g.weights("w2", 5, 3)], ["y"])
    return g.save("mlp", [value("x", FLOAT, "N", 3, 4)], [value("y", FLOAT, "N", 3)], opset=17), {"x": (3, 3, 4)}


def recurrent():
    """Words, an LSTM in both directions, a GRU, the last step: as PyTorch writes them."""
    g = Graph()
    x = g.node("Gather", [g.weights("embedding.weight", 11, 6, scale=1), "x"])
    x = g.node("Transpose", [x], perm=[1, 0, 2])
    lstm = [g.weights("lstm.W", 2, 4 * 5, 6), g.weights("lstm.R", 2, 4 * 5, 5), g.weights("lstm.B", 2, 8 * 5)]
    x = g.node("LSTM", [x, *lstm], ["lstm_y", "", ""], hidden_size=5, direction="bidirectional")
    x = g.node("Transpose", ["lstm_y"], perm=[0, 2, 1, 3])
    x = g.node("Reshape", [x, g.constant("join", [0, 0, -1])])
    gru = [g.weights("gru.W", 1, 3 * 4, 10), g.weights("gru.R", 1, 3 * 4, 4), g.weights("gru.B", 1, 6 * 4)]
    g.node("GRU", [x, *gru], ["gru_y", "gru_h"], hidden_size=4, linear_before_reset=1)
    x = g.node("Squeeze", ["gru_h", g.constant("zero", [0])])
    g.node("Gemm", [x, g.weights("out.weight", 3, 4), g.weights("out.bias", 3)], ["y"], transB=1)
    return g.save("recurrent", [value("x", INT64, "batch", "words")], [value("y", FLOAT, "batch", 3)]), {"x": (2, 7)}


def attention():
    """Sizes computed from sizes, products of activations, one tensor used twice: for mapping."""
    g = Graph()
    heads = g.constant("heads", [0, 0, 4, 2])
    parts = []
    for part in "qkv":
        y = g.node("MatMul", ["x", g.weights(f"block.{part}.weight", 8, 8)], name=f"/block/{part}/MatMul")
        y = g.node("Add", [y, g.weights(f"block.{part}.bias", 8)])
        parts.append(g.node("Transpose", [g.node("Reshape", [y, heads])], perm=[0, 2, 1, 3]))
    q, k, v = parts
    scores = g.node("MatMul", [q, g.node("Transpose", [k], perm=[0, 1, 3, 2])])
    y = g.node("MatMul", [g.node("Softmax", [scores], axis=-1), v])
    shape = g.node("Shape", ["x"])
    first = g.node("Gather", [shape, g.constant("i0", 0)])
    second = g.node("Gather", [shape, g.constant("i1", 1)])
    sizes = [g.node("Unsqueeze", [s, g.constant(f"axis{k}", [0])]) for k, s in enumerate([first, second])]
    shape = g.node("Concat", [*sizes, g.constant("rest", [-1])], axis=0)
    y = g.node("Reshape", [g.node("Transpose", [y], perm=[0, 2, 1, 3]), shape])
    shared = g.weights("shared.weight", 8, 8)
    y = g.node("Add", ["x", g.node("MatMul", [y, shared])])
    y = g.node("Add", [y, g.node("Relu", [g.node("MatMul", [y, shared])])])
    y = g.node("ReduceMean", [y, g.constant("time", [1])], keepdims=0)
    g.node("Gemm", [y, g.weights("out.weight", 3, 8)], ["y"], transB=1)
    inputs = [value("x", FLOAT, "batch", "tokens", 8)]
    return g.save("attention", inputs, [value("y", FLOAT, "batch", 3)]), {"x": (2, 5, 8)}


def packed():
    """Queries, keys and values by one product, a scale of its own, a stored mask; normalised behind the sum."""
    g = Graph()
    heads = g.constant("heads", [0, 0, 2, 4])
    y = g.node("Add", [g.node("MatMul", ["x", g.weights("qkv.weight", 8, 24)]), g.weights("qkv.bias", 24)])
    parts = g.node("Split", [y], ["q", "k", "v"], axis=2, num_outputs=3)
    q, k, v = (g.node("Transpose", [g.node("Reshape", [part, heads])], perm=[0, 2, 1, 3]) for part in parts)
    scores = g.node("MatMul", [q, g.node("Transpose", [k], perm=[0, 1, 3, 2])])
    scores = g.node("Div", [scores, g.constant("scale", 1.6, np.float32)])
    mask = g.constant("mask", np.triu(np.full((5, 5), -1e9), 1), np.float32)
    y = g.node("MatMul", [g.node("Softmax", [g.node("Add", [scores, mask])], axis=-1), v])
    y = g.node("Reshape", [g.node("Transpose", [y], perm=[0, 2, 1, 3]), g.constant("flat", [0, 0, 8])])
    y = g.node("Add", [g.node("MatMul", [y, g.weights("o.weight", 8, 8)]), g.weights("o.bias", 8)])
    y = g.node("Add", ["x", y])
    y = g.node("LayerNormalization", [y, g.weights("ln.weight", 8, positive=True), g.weights("ln.bias", 8)])
    y = g.node("ReduceMean", [y, g.constant("time", [1])], keepdims=0)
    g.node("Gemm", [y, g.weights("out.weight", 3, 8)], ["y"], transB=1)
    return g.save("packed", [value("x", FLOAT, "batch", 5, 8)], [value("y", FLOAT, "batch", 3)]), {"x": (2, 5, 8)}


def unknown():
    """Operators that nobody maps: of another domain, with graphs inside, of images."""
    g = Graph()
    x = g.node("Conv", ["x", g.weights("conv.weight", 2, 3, 3, 3)])
    x = g.node("ConvTranspose", [x, g.weights("up.weight", 2, 2, 2, 2)], name="up1")
    x = g.node("ConvTranspose", [x, g.weights("up2.weight", 2, 2, 2, 2)], name="up2")
    body = helper.make_graph([helper.make_node("Identity", [x], ["inner"])], "inner", [], [value("inner", FLOAT)])
    x = g.node("If", [g.constant("yes", True, bool)], name="choice", then_branch=body, else_branch=body)
    g.node("Fancy", [x], ["y"], name="", domain="com.example")
    outputs = [value("y", FLOAT, 1, 2, 8, 8)]
    g.save("unknown", [value("x", FLOAT, 1, 3, 8, 8)], outputs, domains=["com.example"], checked=False)


def outside():
    """Weights in a file beside."""
    g = Graph()
    g.node("Gemm", ["x", g.weights("fc.weight", 3, 4), g.weights("fc.bias", 3)], ["y"], transB=1)
    (FOLDER / "outside.bin").unlink(missing_ok=True)  # it would be added to
    options = {"save_as_external_data": True, "location": "outside.bin", "size_threshold": 0}
    return g.save("outside", [value("x", FLOAT, 1, 4)], [value("y", FLOAT, 1, 3)], **options), {"x": (2, 4)}


expected = {}
for make in [cnn, keras, mlp, recurrent, attention, packed, outside]:
    _, shapes = make()
    file = make.__name__
    session = onnxruntime.InferenceSession(FOLDER / f"{file}.onnx")
    kind = session.get_inputs()[0].type
    cases = []
    for (name, shape), limit in zip(shapes.items(), [11]):
        batch = shape if file != "outside" else (1, *shape[1:])
        x = random.integers(0, limit, batch) if "int64" in kind else random.normal(0, 1, batch).astype(np.float32)
        (y,) = session.run(["y"], {name: x})
        case = {"shape": batch, "x": x.flatten().tolist(), "y": y.flatten().tolist()}
        if file == "cnn":  # what goes into the last layer
            case["logits"] = np.log(y).flatten().tolist()
        cases.append(case)
    expected[file] = {"about": make.__doc__, "cases": cases}
unknown()
about = {
    "made": datetime.date.today().isoformat(),
    "by": f"onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}, Python {platform.python_version()}",
}
(FOLDER / "expected.json").write_text(json.dumps({**about, "networks": expected}) + "\n")
