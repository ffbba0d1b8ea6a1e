"""Sizes and whole numbers that operators of ONNX give, for test/analog: python operators_onnx.py > onnx/operators.json

Needs onnx, onnxruntime, numpy. Each case is one node, run by ONNX Runtime: `inputs` by size, or with their numbers; `outputs` alike.
"""

import datetime
import json
import platform

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def n(*values, dims=None):
    """Whole numbers, known beforehand."""
    return np.array(values if dims is None else values, np.int64).reshape([len(values)] if dims is None else dims)


def f(*values):
    return np.array(values, np.float32)


def cases():
    x = (2, 3, 9, 8)
    window = dict(kernel_shape=[3, 2])
    for operator in ["MaxPool", "AveragePool"]:
        yield operator, [x], {**window}
        yield operator, [x], {**window, "strides": [2, 3], "pads": [1, 0, 0, 1]}
        yield operator, [x], {**window, "strides": [2, 3], "ceil_mode": 1}
        yield operator, [x], {**window, "strides": [2, 2], "auto_pad": "SAME_UPPER"}
        yield operator, [x], {**window, "strides": [2, 2], "auto_pad": "VALID"}
    yield "MaxPool", [x], {**window, "dilations": [2, 2]}
    yield "MaxPool", [(1, 4, 17)], {"kernel_shape": [5], "strides": [3]}
    for operator in ["GlobalAveragePool", "GlobalMaxPool"]:
        yield operator, [x], {}
    for operator in ["Relu", "Softmax", "Gelu", "HardSwish", "Identity", "Abs"]:
        yield operator, [x], {}
    for operator in ["Add", "Mul", "Sub", "Div", "Equal", "Greater", "Min"]:
        yield operator, [x, (3, 1, 8)], {}
        yield operator, [(4, 1), (5,)], {}
        yield operator, [(2, 2), ()], {}
    yield "ReduceMean", [x, n(2, 3)], {"keepdims": 0}
    yield "ReduceMean", [x, n(-1)], {"keepdims": 1}
    yield "ReduceSum", [x], {"keepdims": 0}
    yield "ReduceSum", [x], {"keepdims": 1}
    yield "ReduceSum", [x], {"noop_with_empty_axes": 1}
    yield "ReduceMax", [x, n(0)], {"keepdims": 0}
    for keepdims in [0, 1]:
        yield "ArgMax", [x], {"axis": -2, "keepdims": keepdims}
    yield "Reshape", [x, n(0, -1)], {}
    yield "Reshape", [x, n(6, 72)], {}
    yield "Reshape", [x, n(0, 0, -1, 2)], {}
    for axis in [0, 1, 2, -1]:
        yield "Flatten", [x], {"axis": axis}
    yield "Transpose", [x], {}
    yield "Transpose", [x], {"perm": [0, 2, 3, 1]}
    yield "Squeeze", [(1, 3, 1, 4)], {}
    yield "Squeeze", [(1, 3, 1, 4), n(-2)], {}
    yield "Unsqueeze", [(3, 4), n(0, -1)], {}
    yield "Unsqueeze", [(3, 4), n(2, 1)], {}
    yield "Concat", [(2, 3), (2, 4), (2, 1)], {"axis": -1}
    yield "Concat", [n(4), n(5, 6)], {"axis": 0}
    yield "Split", [(2, 7), n(3, 4)], {"axis": 1}
    yield "Split", [(2, 7)], {"axis": 1, "num_outputs": 3}
    yield "Split", [(6, 2)], {"num_outputs": 2}
    yield "Slice", [x, n(1, -3), n(3, 100), n(1, -1)], {}
    yield "Slice", [x, n(-1), n(-(2**60)), n(2), n(-2)], {}
    yield "Slice", [n(4, 5, 6, 7), n(1), n(-1)], {}
    yield "Slice", [n(4, 5, 6, 7), n(-1), n(-(2**60)), n(0), n(-1)], {}
    yield "Slice", [n(4, 5, 6, 7), n(0), n(2**60), n(0), n(3)], {}
    yield "Gather", [x, n(1, 0, dims=[2, 1])], {"axis": 2}
    yield "Gather", [x, n(1, dims=[])], {"axis": -1}
    yield "Gather", [n(4, 5, 6), n(-1, dims=[])], {}
    yield "Gather", [n(4, 5, 6), n(2, 0)], {}
    yield "Pad", [(2, 3), n(1, 0, 2, 4)], {}
    yield "Pad", [(2, 3), n(1, 2), None, n(-1)], {}
    yield "Resize", [x, None, f(1, 1, 2, 1.5)], {}
    yield "Resize", [x, None, None, n(2, 3, 5, 5)], {}
    yield "Einsum", [(2, 3, 4), (2, 5, 4)], {"equation": "bqd,bkd->bqk"}
    yield "Einsum", [(2, 3), (3,)], {"equation": "ij, j -> i"}
    yield "Expand", [(3, 1), n(2, 1, 4)], {}
    yield "Expand", [n(7), n(3)], {}
    yield "Tile", [(2, 3), n(2, 3)], {}
    yield "Shape", [x], {}
    yield "Shape", [x], {"start": 1, "end": -1}
    yield "Size", [x], {}
    yield "ConstantOfShape", [n(2, 2)], {"value": helper.make_tensor("v", INT64, [1], [3])}
    yield "Range", [n(2, dims=[]), n(11, dims=[]), n(4, dims=[])], {}
    yield "Range", [n(5, dims=[]), n(0, dims=[]), n(-2, dims=[])], {}
    yield "Where", [np.array([True, False, True]), n(1, 2, 3), n(9)], {}
    for operator in ["Add", "Sub", "Mul", "Div", "Mod", "Equal", "Greater", "Less"]:
        yield operator, [n(7, -7, 2), n(2)], {}
    yield "ReduceProd", [n(3, 4, 5)], {"keepdims": 0}
    yield "Neg", [n(3, -4)], {}
    yield "Floor", [f(2.7, -2.1)], {}
    yield "Ceil", [f(2.7, -2.1)], {}
    yield "Sqrt", [f(16, 2.25)], {}


def run(operator, inputs, attributes):
    names = ["" if value is None else f"x{k}" for k, value in enumerate(inputs)]
    arrays = {}
    told = []
    for name, value in zip(names, inputs):
        if value is None:
            told.append(None)
        elif isinstance(value, tuple):
            arrays[name] = np.full(value, 0.5, np.float32)
            told.append({"dims": value})
        else:
            arrays[name] = value
            told.append({"dims": value.shape, "numbers": value.astype(float).flatten().tolist()})
    count = 1 if operator != "Split" else len(inputs[1]) if len(inputs) > 1 else attributes["num_outputs"]
    outputs = [f"y{k}" for k in range(count)]
    node = helper.make_node(operator, names, outputs, **attributes)
    kinds = {"float32": FLOAT, "int64": INT64, "bool": TensorProto.BOOL}
    values = [helper.make_tensor_value_info(k, kinds[str(a.dtype)], a.shape) for k, a in arrays.items()]
    graph = helper.make_graph([node], "g", values, [helper.make_empty_tensor_value_info(y) for y in outputs])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    model = onnx.shape_inference.infer_shapes(model)
    found = onnxruntime.InferenceSession(model.SerializeToString()).run(outputs, arrays)
    exact = all(value is None or not isinstance(value, tuple) for value in inputs) or operator in ["Shape", "Size"]
    plain = {k: v if not isinstance(v, TensorProto) else {"numbers": list(v.int64_data)} for k, v in attributes.items()}
    return {
        "operator": operator,
        "attributes": plain,
        "inputs": told,
        "outputs": [
            {"dims": y.shape, **({"numbers": np.asarray(y, float).flatten().tolist()} if exact else {})} for y in found
        ],
    }


about = {
    "made": datetime.date.today().isoformat(),
    "by": f"onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}, Python {platform.python_version()}",
}
lines = ",\n".join(json.dumps(run(*case)) for case in cases())
print(json.dumps(about)[:-1] + ', "cases": [\n' + lines + "\n]}")
