"""Learning by pulses in aihwkit on one thread: prints {"seconds": [CPU seconds of one update or step for each case]}.

    python updates.py CASE...

update,DEVICE,SIGNS,RATE    a 512 x 512 tile of aihwkit's DEVICE, SIGNS "both" or "one"
step,DEVICE                 784-250-10 with tanh, batch 1, MixedPrecisionCompound of DEVICE
"""
import json
import sys
import time

import numpy
import torch
from aihwkit.nn import AnalogLinear, AnalogSequential
from aihwkit.optim import AnalogSGD
from aihwkit.simulator.configs import DigitalRankUpdateRPUConfig, SingleRPUConfig
from aihwkit.simulator.configs.compounds import MixedPrecisionCompound
from aihwkit.simulator.presets import devices
from aihwkit.simulator.presets.utils import PresetIOParameters, PresetUpdateParameters
from aihwkit.simulator.tiles import AnalogTile

torch.set_num_threads(1)
torch.manual_seed(1)
rng = numpy.random.default_rng(1)


def timed(run, least=0.3):
    for _ in range(3):
        run()
    count, start = 0, time.process_time()
    while time.process_time() - start < least:
        run()
        count += 1
    return (time.process_time() - start) / count


def update(device, signs, rate, size=512):
    tile = AnalogTile(size, size, SingleRPUConfig(device=device, update=PresetUpdateParameters()))
    tile.set_learning_rate(float(rate))
    x = torch.tensor(rng.uniform(-1 if signs == "both" else 0, 1, size), dtype=torch.float32)
    d = torch.tensor(rng.uniform(-1, 1, size), dtype=torch.float32)
    turn = [1]

    def run():  # back and forth, so that weights stay within their bounds
        turn[0] = -turn[0]
        tile.update(x, turn[0] * d)

    return timed(run)


def step(device):
    io = {"forward": PresetIOParameters(), "backward": PresetIOParameters()}
    config = lambda: DigitalRankUpdateRPUConfig(
        device=MixedPrecisionCompound(device=device), update=PresetUpdateParameters(), **io
    )
    model = AnalogSequential(
        AnalogLinear(784, 250, rpu_config=config()), torch.nn.Tanh(), AnalogLinear(250, 10, rpu_config=config())
    )
    optimizer = AnalogSGD(model.parameters(), lr=0.05)
    optimizer.regroup_param_groups(model)
    loss = torch.nn.CrossEntropyLoss()
    # a fifth of the inputs is not 0, as with digits
    images = rng.uniform(0, 1, (64, 1, 784)) * (rng.uniform(0, 1, (64, 1, 784)) < 0.2)
    images = torch.tensor(images, dtype=torch.float32)
    labels = torch.tensor(rng.integers(0, 10, (64, 1)))
    place = [0]

    def run():
        k = place[0] = (place[0] + 1) % 64
        optimizer.zero_grad()
        loss(model(images[k]), labels[k]).backward()
        optimizer.step()

    return timed(run)


def case(text):
    what, name, *rest = text.split(",")
    device = getattr(devices, f"{name}PresetDevice")()
    return {"update": update, "step": step}[what](device, *rest)


print(json.dumps({"seconds": [case(text) for text in sys.argv[1:]]}))
