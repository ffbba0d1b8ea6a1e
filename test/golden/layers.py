"""Layers, losses and optimizers by PyTorch, for test/deep/golden.test.ts: python layers.py > layers.json

Needs PyTorch (its version is written into the file). A case holds memspike's layers as plain data, weights in memspike's
layout, inputs, what PyTorch makes of them in float64, and the derivatives of sum(dy y), or of the loss, by inputs and
weights. `off` says how far PyTorch itself is off in float32: the largest difference of an array, but at least the
unit roundoff of its largest number. Weights, inputs and dy are whole numbers of 64ths, and written so: exact in float32.
"""

import datetime
import json
import math
import platform
import random

import torch
import torch.nn.functional as F
from torch.func import functional_call

torch.use_deterministic_algorithms(True)
torch.set_num_threads(1)
draw = random.Random(5)


def numbers(*shape, size=1.0):
    count = math.prod(shape)
    values = [round(64 * draw.uniform(-size, size)) / 64 for _ in range(count)]
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


# layers: what makes y of x and the weights of a path, all in memspike's layout

def dense(layer, x, w):
    return F.linear(x, w("weights"), w("bias") if layer["bias"] else None)


def border(layer, x):
    """Zeros for F.pad: left, right, top, bottom."""
    if layer["padding"] != "same":
        top, left = layer["padding"]
        return [left, left, top, top]
    sides = []
    for k in (1, 0):
        size, step, taps = x.shape[1 + k], layer["stride"][k], layer["kernel"][k]
        odd = max(0, (math.ceil(size / step) - 1) * step + taps - size)
        sides += [odd // 2, odd - odd // 2]
    return sides


def convolution(layer, x, weight, bias, groups):
    image = F.pad(x.permute(0, 3, 1, 2), border(layer, x))
    return F.conv2d(image, weight, bias, stride=layer["stride"], groups=groups).permute(0, 2, 3, 1)


def conv2d(layer, x, w):
    groups = layer.get("groups", 1)
    paths = ["weights"] if groups == 1 else [f"group{k}.weights" for k in range(groups)]
    weight = torch.cat([w(path) for path in paths])
    bias = torch.cat([w(path.replace("weights", "bias")) for path in paths]) if layer["bias"] else None
    return convolution(layer, x, weight.permute(0, 3, 1, 2), bias, groups)


def depthwise(layer, x, w):
    lines, columns = layer["kernel"]
    channels = x.shape[3]
    weight = w("weights").T.reshape(channels, 1, lines, columns)
    return convolution(layer, x, weight, w("bias") if layer["bias"] else None, channels)


def pool(layer, x, w):
    of = F.max_pool2d if layer["kind"] == "maxPool" else F.avg_pool2d
    return of(x.permute(0, 3, 1, 2), layer["size"], stride=layer["stride"]).permute(0, 2, 3, 1)


def batch_norm(layer, x, w):
    """Running means are in w: changed in place while training."""
    flat = x.reshape(-1, x.shape[-1])
    training = w("training")
    y = F.batch_norm(
        flat, w("mean"), w("variance"), w("scale"), w("shift"),
        training=training, momentum=layer["momentum"], eps=layer["epsilon"],
    )
    return y.reshape(x.shape)


def recurrent(layer, x, w):
    kind = torch.nn.LSTM if layer["kind"] == "lstm" else torch.nn.GRU
    units = layer["units"]
    module = kind(x.shape[2], units, batch_first=True, bidirectional=layer["bidirectional"]).to(x.dtype)
    given = {}
    for path, suffix in (("", ""), ("reverse.", "_reverse"))[: 2 if layer["bidirectional"] else 1]:
        given[f"weight_ih_l0{suffix}"] = w(f"{path}input.weights")
        given[f"bias_ih_l0{suffix}"] = w(f"{path}input.bias")
        given[f"weight_hh_l0{suffix}"] = w(f"{path}hidden.weights")
        zero = torch.zeros_like(w(f"{path}input.bias"))
        given[f"bias_hh_l0{suffix}"] = w(f"{path}hidden.bias") if layer["kind"] == "gru" else zero
    y, state = functional_call(module, given, (x,))
    if layer["outputs"] == "sequence":
        return y
    h = state[0] if layer["kind"] == "lstm" else state
    return h.permute(1, 0, 2).reshape(x.shape[0], -1)


def attention(layer, x, w):
    size = x.shape[2]
    module = torch.nn.MultiheadAttention(size, layer["heads"], batch_first=True).to(x.dtype)
    zero = torch.zeros(size, dtype=x.dtype)
    given = {
        "in_proj_weight": torch.cat([w(f"{role}.weights") for role in ("query", "key", "value")]),
        "in_proj_bias": torch.cat([w("query.bias"), zero, w("value.bias")]),
        "out_proj.weight": w("output.weights"),
        "out_proj.bias": w("output.bias"),
    }
    later = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1) if layer["causal"] else None
    kwargs = {"attn_mask": later, "need_weights": False}
    return functional_call(module, given, (x, x, x), kwargs)[0]


def residual(layer, x, w):
    parts = [row(layer[part], x, lambda name, part=part: w(f"{part}.{name}")) for part in ("body", "shortcut")]
    return parts[0] + parts[1]


def concatenation(layer, x, w):
    parts = [row(branch, x, lambda name, k=k: w(f"{k}.{name}")) for k, branch in enumerate(layer["branches"])]
    return torch.cat(parts, -1)


kinds = {
    "dense": dense,
    "conv2d": conv2d,
    "depthwise": depthwise,
    "maxPool": pool,
    "averagePool": pool,
    "globalAveragePool": lambda _, x, w: x.flatten(1, -2).mean(1),
    "flatten": lambda _, x, w: x.flatten(1),
    "sigmoid": lambda _, x, w: torch.sigmoid(x),
    "tanh": lambda _, x, w: torch.tanh(x),
    "relu": lambda _, x, w: torch.relu(x),
    "gelu": lambda _, x, w: F.gelu(x, approximate="tanh"),
    "batchNorm": batch_norm,
    "layerNorm": lambda o, x, w: F.layer_norm(x, x.shape[-1:], w("scale"), w("shift"), o["epsilon"]),
    "embedding": lambda _, x, w: w("weights")[x[..., 0].long()],
    "positions": lambda _, x, w: x + w("weights"),
    "lstm": recurrent,
    "gru": recurrent,
    "attention": attention,
    "residual": residual,
    "concatenation": concatenation,
}


def row(layers, x, w):
    for k, layer in enumerate(layers):
        x = kinds[layer["kind"]](layer, x, lambda name, k=k: w(f"{k}.{name}"))
    return x


def run(layers, x, weights, memories, training, judge):
    """Everything at one precision: arrays by name."""
    leaves = {name: value.clone().requires_grad_() for name, value in weights.items()}
    kept = {name: value.clone() for name, value in memories.items()}
    inputs = x.clone()
    wants = layers[0]["kind"] != "embedding"
    inputs.requires_grad_(wants)

    def w(name):
        if name.endswith("training"):
            return training
        return leaves[name] if name in leaves else kept[name]

    y = row(layers, inputs, w)
    goal = judge(y)
    goal.backward()
    found = {"y": y.detach(), **{f"gradient {name}": leaf.grad for name, leaf in leaves.items()}}
    if wants:
        found["dx"] = inputs.grad
    if memories:
        found.update({f"memory {name}": value for name, value in kept.items()})
    found["loss"] = goal.detach().reshape(1)
    return found


def whole(values):
    """64ths."""
    assert torch.equal(torch.round(64 * values), 64 * values)
    return [round(value) for value in (64 * values).reshape(-1).tolist()]


def short(values):
    return [float(f"{value:.9g}") for value in values.reshape(-1).tolist()]


def compared(run_at):
    """float64 results and how far float32 is off."""
    exact, single = run_at(torch.float64), run_at(torch.float32)
    arrays = {}
    for name, value in exact.items():
        off = (single[name].double() - value).abs().max().item()
        off = max(off, 2**-24 * value.abs().max().item())
        arrays[name] = {"values": short(value), "off": float(f"{off:.3g}")}
    return arrays


cases = []


def case(name, layers, x, weights, memories=None, training=True, loss=None, **wanted):
    """`loss`: the kind, with what is wanted; without: sum(dy y) of drawn dy."""
    memories = memories or {}
    outcome = {}
    with torch.no_grad():
        probe = {**{key: value for key, value in weights.items()}, **{k: v.clone() for k, v in memories.items()}}
        shape = row(layers, x, lambda key: training if key.endswith("training") else probe[key]).shape
    dy = numbers(*shape) if loss is None else None

    def run_at(dtype):
        def judge(y):
            return (y * dy.to(dtype)).sum() if loss is None else losses[loss](y, dtype, **wanted)

        to = lambda record: {key: value.to(dtype) for key, value in record.items()}
        return run(layers, x.to(dtype), to(weights), to(memories), training, judge)

    arrays = compared(run_at)
    if loss is None:
        del arrays["loss"]
        outcome["dy"] = whole(dy)
    cases.append({
        "name": name, "layers": layers, "shape": list(x.shape[1:]), "x": whole(x),
        "weights": {key: whole(value) for key, value in {**weights, **memories}.items()},
        **({} if training else {"purpose": "inference"}),
        **({"loss": loss, **wanted} if loss else {}), **outcome, "arrays": arrays,
    })


def rows_of(y, labels):
    kept = [k for k, label in enumerate(labels) if label >= 0]
    return y.reshape(-1, y.shape[-1])[kept], torch.tensor([labels[k] for k in kept])


def cross_entropy(y, dtype, labels, teacher=None):
    loss = F.cross_entropy(y.reshape(-1, y.shape[-1]), torch.tensor(labels), ignore_index=-1)
    if not teacher:
        return loss
    T, share = teacher["temperature"], teacher["share"]
    flat = y.reshape(-1, y.shape[-1])
    soft = torch.tensor(teacher["outputs"], dtype=dtype).reshape(flat.shape)
    divergence = F.kl_div(F.log_softmax(flat / T, -1), F.softmax(soft / T, -1), reduction="batchmean")
    return (1 - share) * loss + share * T * T * divergence


def squared(y, dtype, labels=None, targets=None):
    if labels:
        y, classes = rows_of(y, labels)
        goal = F.one_hot(classes, y.shape[-1]).to(dtype)
    else:
        y = y.reshape(-1, y.shape[-1])
        goal = torch.tensor(targets, dtype=dtype).reshape(y.shape)
    return 0.5 * F.mse_loss(y, goal, reduction="sum") / y.shape[0]


def binary(y, dtype, labels=None, targets=None):
    if labels:
        y, classes = rows_of(y, labels)
        goal = F.one_hot(classes, y.shape[-1]).to(dtype)
    else:
        y = y.reshape(-1, y.shape[-1])
        goal = torch.tensor(targets, dtype=dtype).reshape(y.shape)
    return F.binary_cross_entropy_with_logits(y, goal, reduction="sum") / y.shape[0]


losses = {"cross-entropy": cross_entropy, "squared error": squared, "binary cross-entropy": binary}


def dense_layer(inputs, outputs, bias=True):
    return {"kind": "dense", "inputs": inputs, "outputs": outputs, "bias": bias}


def dense_weights(path, inputs, outputs, bias=True):
    weights = {f"{path}.weights": numbers(outputs, inputs)}
    return {**weights, f"{path}.bias": numbers(outputs)} if bias else weights


def window(kind, kernel, stride, padding, bias=True, **more):
    return {"kind": kind, "kernel": kernel, "stride": stride, "padding": padding, "bias": bias, **more}


case("dense", [dense_layer(5, 3)], numbers(3, 5), dense_weights("0", 5, 3))
case("dense on rows", [dense_layer(4, 6, False)], numbers(2, 3, 4), dense_weights("0", 4, 6, False))
for kind in ("sigmoid", "tanh", "relu", "gelu"):
    case(kind, [{"kind": kind}], numbers(2, 3, 5, size=4), {})

for kernel, stride, padding, size, channels in (
    ([3, 3], [1, 1], "same", (4, 5), 4),
    ([3, 3], [2, 2], "same", (6, 7), 3),
    ([5, 2], [3, 1], "same", (8, 4), 4),
    ([2, 4], [1, 2], [0, 0], (5, 9), 1),
    ([3, 1], [2, 3], [2, 1], (4, 6), 8),
):
    text = f"{kernel} {stride} {padding}"
    layer = window("conv2d", kernel, stride, padding, outputs=5)
    weights = {"0.weights": numbers(5, *kernel, channels), "0.bias": numbers(5)}
    case(f"conv2d {text}", [layer], numbers(1, *size, channels), weights)
    layer = window("depthwise", kernel, stride, padding)
    weights = {"0.weights": numbers(kernel[0] * kernel[1], channels), "0.bias": numbers(channels)}
    case(f"depthwise {text}", [layer], numbers(1, *size, channels), weights)
case(
    "conv2d of 3 groups",
    [window("conv2d", [3, 3], [1, 2], "same", bias=True, outputs=6, groups=3)],
    numbers(1, 4, 5, 6),
    {f"0.group{k}.{name}": value for k in range(3)
     for name, value in (("weights", numbers(2, 3, 3, 2)), ("bias", numbers(2)))},
)
for kind in ("maxPool", "averagePool"):
    for size, stride in (([2, 2], [2, 2]), ([3, 2], [1, 2])):
        case(f"{kind} {size} {stride}", [{"kind": kind, "size": size, "stride": stride}], numbers(1, 5, 6, 3), {})
case("globalAveragePool", [{"kind": "globalAveragePool"}], numbers(2, 3, 4, 5), {})
case("flatten", [{"kind": "flatten"}, dense_layer(18, 2)], numbers(2, 2, 3, 3), dense_weights("1", 18, 2))

norm = {"kind": "batchNorm", "momentum": 0.1, "epsilon": 1e-5}
for training in (True, False):
    case(
        "batchNorm" if training else "batchNorm in inference",
        [norm], numbers(3, 2, 2, 5, size=2),
        {"0.scale": numbers(5), "0.shift": numbers(5)},
        {"0.mean": numbers(5), "0.variance": 1 + numbers(5, size=0.5)}, training,
    )
case("layerNorm", [{"kind": "layerNorm", "epsilon": 1e-5}], numbers(2, 3, 6, size=2), {"0.scale": numbers(6), "0.shift": numbers(6)})
words = torch.tensor([[0, 3, 3, 1], [4, 0, 2, 3]], dtype=torch.float64).reshape(2, 4, 1)
case("embedding", [{"kind": "embedding", "size": 5, "features": 3}], words, {"0.weights": numbers(5, 3)})
case("positions", [{"kind": "positions"}], numbers(2, 4, 3), {"0.weights": numbers(4, 3)})

for kind, gates in (("lstm", 4), ("gru", 3)):
    for units, outputs, both in ((4, "sequence", False), (3, "last", False), (3, "sequence", True), (2, "last", True)):
        layer = {
            "kind": kind, "units": units, "outputs": outputs, "bidirectional": both,
            "stateful": False, "forgetBias": 0,
        }
        weights = {}
        for path in ("0", "0.reverse")[: 2 if both else 1]:
            weights[f"{path}.input.weights"] = numbers(gates * units, 5)
            weights[f"{path}.input.bias"] = numbers(gates * units)
            weights[f"{path}.hidden.weights"] = numbers(gates * units, units)
            if kind == "gru":
                weights[f"{path}.hidden.bias"] = numbers(gates * units)
        case(f"{kind} of {units}, {outputs}{', both ways' if both else ''}", [layer], numbers(2, 4, 5), weights)
for heads, causal in ((1, False), (2, False), (3, True)):
    weights = {}
    for role in ("query", "key", "value", "output"):
        weights[f"0.{role}.weights"] = numbers(6, 6)
        if role != "key":
            weights[f"0.{role}.bias"] = numbers(6)
    case(
        f"attention with {heads} heads{', causal' if causal else ''}",
        [{"kind": "attention", "heads": heads, "causal": causal}], numbers(2, 5, 6), weights,
    )
case(
    "residual with a shortcut",
    [{"kind": "residual", "body": [dense_layer(5, 3), {"kind": "tanh"}], "shortcut": [dense_layer(5, 3, False)]}],
    numbers(2, 3, 5), {**dense_weights("0.body.0", 5, 3), **dense_weights("0.shortcut.0", 5, 3, False)},
)
case(
    "concatenation",
    [{"kind": "concatenation", "branches": [[dense_layer(5, 3), {"kind": "gelu"}], [], [dense_layer(5, 2)]]}],
    numbers(2, 3, 5), {**dense_weights("0.0.0", 5, 3), **dense_weights("0.2.0", 5, 2)},
)

final = [dense_layer(4, 5)]
for loss, wanted in (
    ("cross-entropy", {"labels": [0, 4, -1, 2, 2, 1]}),
    ("squared error", {"labels": [0, 4, -1, 2, 2, 1]}),
    ("binary cross-entropy", {"labels": [0, 4, -1, 2, 2, 1]}),
    ("squared error", {"targets": short(numbers(6, 5))}),
    ("binary cross-entropy", {"targets": short(numbers(6, 5).abs())}),
):
    what = "targets" if "targets" in wanted else "labels"
    case(f"{loss} with {what}", final, numbers(2, 3, 4, size=3), dense_weights("0", 4, 5), loss=loss, **wanted)
case(
    "cross-entropy with a teacher", final, numbers(3, 4, size=3), dense_weights("0", 4, 5), loss="cross-entropy",
    labels=[0, 4, 3], teacher={"outputs": short(numbers(3, 5, size=3)), "temperature": 2.5, "share": 0.75},
)

# optimizers: weights after 5 steps, each with a batch of its own

steps = 5
body = [dense_layer(4, 6), {"kind": "tanh"}, dense_layer(6, 3)]
start = {**dense_weights("0", 4, 6), **dense_weights("2", 6, 3)}
batches = [numbers(4, 4, size=2) for _ in range(steps)]
classes = [[draw.randrange(3) for _ in range(4)] for _ in range(steps)]
optimizers = []


def rate_of(rate, optimizer):
    """PyTorch's schedule of this name."""
    if not isinstance(rate, dict):
        return None
    rise = round(rate["warmUp"] * steps)
    if rise > 0:
        return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: k / rise if k < rise else 0.5 * (1 + math.cos(math.pi * (k - rise) / (steps - rise))))
    if rate["kind"] == "steps":
        milestones = [math.ceil(share * steps) for share in rate["at"]]
        return torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones, rate["factor"])
    return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, rate["end"])


def optimize(options, dtype):
    leaves = {name: value.to(dtype, copy=True).requires_grad_() for name, value in start.items()}
    decay = options["weightDecay"]
    groups = [
        {"params": [leaf for name, leaf in leaves.items() if name.endswith("weights")], "weight_decay": decay},
        {"params": [leaf for name, leaf in leaves.items() if not name.endswith("weights")], "weight_decay": 0},
    ]
    rate = options["learningRate"]
    first = rate["start"] if isinstance(rate, dict) else rate
    if options["kind"] == "sgd":
        optimizer = torch.optim.SGD(groups, first, options["momentum"], nesterov=options["nesterov"])
    else:
        of = torch.optim.Adam if options["kind"] == "adam" else torch.optim.AdamW
        optimizer = of(groups, first, (options["beta1"], options["beta2"]), options["epsilon"])
    schedule = rate_of(rate, optimizer)
    for k in range(steps):
        optimizer.zero_grad()
        y = row(body, batches[k].to(dtype), lambda name: leaves[name])
        F.cross_entropy(y, torch.tensor(classes[k])).backward()
        if "clip" in options:  # without PyTorch's 1e-6 in the denominator
            norm = torch.sqrt(sum((leaf.grad**2).sum() for leaf in leaves.values()))
            for leaf in leaves.values():
                leaf.grad *= min(1.0, (options["clip"] / norm).item())
        optimizer.step()
        if schedule:
            schedule.step()
    return {name: leaf.detach() for name, leaf in leaves.items()}


def optimizer(name, **options):
    optimizers.append({"name": name, "options": options, "arrays": compared(lambda dtype: optimize(options, dtype))})


def sgd(rate, momentum=0.0, nesterov=False, decay=0.0, **more):
    return {"kind": "sgd", "learningRate": rate, "momentum": momentum, "nesterov": nesterov, "weightDecay": decay, **more}


def adam(kind, rate, decay, **more):
    return {
        "kind": kind, "learningRate": rate, "beta1": 0.9, "beta2": 0.99, "epsilon": 1e-8, "weightDecay": decay, **more,
    }


optimizer("sgd", **sgd(0.5))
optimizer("sgd with decay", **sgd(0.5, decay=0.25))
optimizer("momentum with decay and clipping", **sgd(0.25, 0.9, decay=0.125, clip=0.5))
optimizer("nesterov with decay", **sgd(0.25, 0.75, True, decay=0.125))
optimizer("adam", **adam("adam", 0.125, 0))
optimizer("adam with decay and clipping", **adam("adam", 0.125, 0.25, clip=0.25))
optimizer("adamw", **adam("adamw", 0.125, 0.5))
optimizer("steps down", **sgd({"kind": "steps", "start": 0.5, "at": [0.4, 0.8], "factor": 0.25, "warmUp": 0}))
optimizer("cosine", **sgd({"kind": "cosine", "start": 0.5, "end": 0.125, "warmUp": 0}, 0.5))
optimizer("cosine after a rise", **sgd({"kind": "cosine", "start": 0.5, "end": 0, "warmUp": 0.4}))

made = f"{datetime.date.today()} by layers.py: PyTorch {torch.__version__}, Python {platform.python_version()}"
print(json.dumps(
    {
        "made": made, "cases": cases,
        "learning": {
            "layers": body, "weights": {name: whole(value) for name, value in start.items()},
            "batches": [whole(batch) for batch in batches], "labels": classes, "optimizers": optimizers,
        },
    },
    separators=(",", ":"),
))
