"""Training steps in PyTorch: prints {"seconds": CPU seconds of one step}, of several threads wall seconds of the fastest.

    python training.py CASE[-aihwkit-(torch|rpu|converters)] THREADS

With aihwkit (1.1.0) weights are on its tiles, of PyTorch or of its own kernels, and disturbed anew in each step.
"""
import json
import sys
import time

import torch
from torch import nn

case, threads = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(threads)
torch.manual_seed(1)


def timed(run, least=1.0):
    for _ in range(2):
        run()
    if threads > 1:
        steps = []
        while sum(steps) < 2:
            start = time.perf_counter()
            run()
            steps.append(time.perf_counter() - start)
        return min(steps)
    count, start = 0, time.process_time()
    while time.process_time() - start < least:
        run()
        count += 1
    return (time.process_time() - start) / count


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        conv = lambda a, b, k, s: nn.Conv2d(a, b, k, s, k // 2, bias=False)
        self.body = nn.Sequential(
            conv(inputs, outputs, 3, stride), nn.BatchNorm2d(outputs), nn.ReLU(),
            conv(outputs, outputs, 3, 1), nn.BatchNorm2d(outputs),
        )
        same = inputs == outputs
        self.shortcut = nn.Identity() if same else nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))

    def forward(self, x):
        return torch.relu(self.body(x) + self.shortcut(x))


def resnet(n, channels):
    layers = [nn.Conv2d(3, channels[0], 3, 1, 1, bias=False), nn.BatchNorm2d(channels[0]), nn.ReLU()]
    before = channels[0]
    for s, c in enumerate(channels):
        for k in range(n):
            layers.append(Block(before, c, 2 if s > 0 and k == 0 else 1))
            before = c
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, 10))


def kws():
    layers = []
    for inputs, outputs, kernel, stride, pad in [
        (1, 84, (10, 4), 1, (1, 2, 4, 5)), (84, 112, 3, 2, (0, 1, 1, 1)),
        (112, 84, 3, 1, (1, 1, 1, 1)), (84, 84, 3, 1, (1, 1, 1, 1)), (84, 84, 3, 1, (1, 1, 1, 1)),
    ]:
        layers += [nn.ZeroPad2d(pad), nn.Conv2d(inputs, outputs, kernel, stride, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(84, 12))


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.out = nn.LSTM(50, 500, 2, batch_first=True), nn.Linear(500, 50)

    def forward(self, x):
        return self.out(self.lstm(x)[0]).flatten(0, 1)


def on_tiles(model, kind):
    """aihwkit's tiles under all layers: exact products but for noise on weights, or converters and learnt input ranges too."""
    from aihwkit.nn.conversion import convert_to_analog
    from aihwkit.simulator.configs import InferenceRPUConfig, TorchInferenceRPUConfig
    from aihwkit.simulator.parameters.enums import (
        BoundManagementType,
        NoiseManagementType,
        WeightModifierType,
        WeightNoiseType,
    )

    config = InferenceRPUConfig() if kind == "rpu" else TorchInferenceRPUConfig()
    config.modifier.type = WeightModifierType.ADD_NORMAL
    config.modifier.std_dev = 0.1
    config.mapping.max_input_size = config.mapping.max_output_size = 0
    config.forward.is_perfect = kind != "converters"
    if kind == "converters":
        io = config.forward
        io.inp_res = io.out_res = 254
        io.inp_bound, io.out_bound, io.out_noise = 1, 10, 0.04
        io.w_noise_type = WeightNoiseType.NONE
        io.noise_management = NoiseManagementType.NONE
        io.bound_management = BoundManagementType.NONE
        config.pre_post.input_range.enable = True
    return convert_to_analog(model, config)


case, _, aihwkit = case.partition("-aihwkit-")
noise = case.endswith("-noise")
cases = {
    "mlp1": lambda: (nn.Sequential(nn.Linear(784, 250), nn.Sigmoid(), nn.Linear(250, 10), nn.Sigmoid()), (1, 784), 10, 1),
    "mlp128": lambda: (nn.Sequential(nn.Linear(784, 250), nn.ReLU(), nn.Linear(250, 10)), (128, 784), 10, 1),
    "lstm": lambda: (Lstm(), (16, 100, 50), 50, 100),
    "resnet20": lambda: (resnet(3, (16, 32, 64)), (64, 3, 32, 32), 10, 1),
    "resnet32": lambda: (resnet(5, (16, 28, 56)), (128, 3, 32, 32), 10, 1),
    "kws": lambda: (kws(), (100, 1, 49, 10), 12, 1),
}

if case == "product":
    a, b = torch.rand(1024, 1024), torch.rand(1024, 1024)
    print(json.dumps({"seconds": timed(lambda: a @ b)}))
    sys.exit()

model, shape, classes, rows = cases[case.removesuffix("-noise")]()
x = torch.rand(shape)
labels = torch.arange(shape[0] * rows) % classes
target = nn.functional.one_hot(labels, classes).float()
if aihwkit:
    from aihwkit.optim import AnalogSGD

    model = on_tiles(model, aihwkit)
    optimizer = AnalogSGD(model.parameters(), lr=1e-3, momentum=0.9)
    optimizer.regroup_param_groups(model)
else:
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0 if case == "mlp1" else 0.9)
weights = [p for p in model.parameters() if p.dim() > 1]


def step():
    if noise:  # the same draw forwards and backwards, steps to the clean weights
        clean = [p.detach().clone() for p in weights]
        with torch.no_grad():
            for p in weights:
                p.add_(0.1 * p.abs().max() * torch.randn_like(p))
    optimizer.zero_grad()
    y = model(x)
    loss = 0.5 * ((y - target) ** 2).sum() if case == "mlp1" else nn.functional.cross_entropy(y, labels)
    loss.backward()
    if noise:
        with torch.no_grad():
            for p, c in zip(weights, clean):
                p.copy_(c)
    optimizer.step()


print(json.dumps({"seconds": timed(step)}))
