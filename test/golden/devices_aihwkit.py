"""Device models of aihwkit, for test/models: python devices_aihwkit.py > devices_aihwkit.json

Needs `pip install aihwkit torch`. Weights are in aihwkit's units, conductances in uS. For each training preset:
`steps`, one pulse up and one down without any spread from weights across the range; `spread`, quantiles over 1,000,000
devices of the parameters drawn at construction and of the visible weight after pulses from 0. For each inference model:
quantiles over 1,000,000 devices of the conductance at some times after programming to some targets.
"""

import dataclasses
import datetime
import json
import platform
import sys

import numpy
import torch

import aihwkit.inference.noise.hermes as hermes
import aihwkit.inference.noise.pcm as pcm
import aihwkit.inference.noise.reram as reram
from aihwkit.simulator.configs import SingleRPUConfig
from aihwkit.simulator.presets import devices as presets
from aihwkit.simulator.configs import devices as kinds
from aihwkit.simulator.tiles import AnalogTile

LEVELS = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]
SEED = 20240
torch.manual_seed(SEED)


def quantiles(values):
    return [float(f"{q:.7g}") for q in numpy.quantile(numpy.asarray(values, dtype=float).ravel(), LEVELS)]


def tile(device, rows, columns):
    config = SingleRPUConfig(device=device)
    config.update.update_bl_management = False
    config.update.update_management = False
    config.update.desired_bl = 1  # with a learning rate of 1: one pulse for each update
    made = AnalogTile(rows, columns, config)
    made.set_learning_rate(1)
    return made


def pulse(made, rows, columns, direction, count=1):
    x, d = -torch.ones(1, columns), direction * torch.ones(1, rows)
    for _ in range(count):
        made.update(x, d)


def spreadless(device):
    changes = {
        f.name: 0.0
        for f in dataclasses.fields(device)
        if f.name.endswith(("_dtod", "_std", "_std_add", "_std_slope")) and f.type in (float, "float")
    }
    return dataclasses.replace(device, **changes)


def steps(device):
    """Weight before, after a pulse up, after a pulse down."""
    low, high = device.w_min, device.w_max
    grid = numpy.linspace(low, high, 11)
    after = []
    for direction in (1.0, -1.0):
        made = tile(spreadless(device), 1, len(grid))
        made.set_weights(torch.tensor(grid, dtype=torch.float32).reshape(1, -1))
        pulse(made, 1, len(grid), direction)
        after.append(made.get_weights()[0].double().numpy().ravel())
    return [[float(f"{v:.9g}") for v in row] for row in (numpy.float32(grid).astype(float), *after)]


def spread(device, up, down):
    made = tile(dataclasses.replace(device, construction_seed=SEED), 1000, 1000)
    made.set_weights(torch.zeros(1000, 1000))
    hidden = made.get_hidden_parameters()
    wanted = ["max_bound", "min_bound", "dwmin_up", "dwmin_down", "slope_up", "slope_down", "gamma_up", "gamma_down"]
    found = {name: quantiles(hidden[name]) for name in wanted if name in hidden}
    if "reference" in hidden:
        found["reference"] = quantiles(hidden["reference"])
    visible = []
    for direction, count in ((1.0, 1), (1.0, up - 1), (-1.0, down)):
        if count > 0:
            pulse(made, 1000, 1000, direction, count)
            visible.append({"direction": direction, "count": count, "weights": quantiles(made.get_weights()[0])})
    return {"parameters": found, "pulses": visible}


power = kinds.PowStepDevice(
    dw_min=0.01, pow_gamma=1.6, pow_gamma_dtod=0.1, pow_up_down=0.3, pow_up_down_dtod=0.05, w_max=1.0, w_min=-1.0,
    w_max_dtod=0.1, w_min_dtod=0.1, up_down=-0.1, write_noise_std=2.0,
)  # fmt: skip
piecewise = kinds.PiecewiseStepDevice(
    dw_min=0.01, piecewise_up=[1.2, 0.9, 0.7, 0.4], piecewise_down=[0.1, 0.5, 0.8, 1.1], w_max=1.0, w_min=-1.0,
    w_max_dtod=0.1, w_min_dtod=0.1,
)  # fmt: skip
soft = kinds.SoftBoundsDevice(dw_min=0.01, w_max=1.0, w_min=-1.0, w_max_dtod=0.1, w_min_dtod=0.1, up_down=0.2)

training = {
    "ReRamES": (presets.ReRamESPresetDevice(), 24, 16),
    "ReRamSB": (presets.ReRamSBPresetDevice(), 24, 16),
    "Capacitor": (dataclasses.replace(presets.CapacitorPresetDevice(), lifetime=0.0), 24, 16),
    "EcRam": (presets.EcRamPresetDevice(), 24, 16),
    "EcRamMO": (presets.EcRamMOPresetDevice(), 24, 16),
    "Idealized": (presets.IdealizedPresetDevice(), 24, 16),
    "GokmenVlasov": (presets.GokmenVlasovPresetDevice(), 24, 16),
    "PCM": (presets.PCMPresetDevice(), 20, 0),
    "ReRamArrayOM": (presets.ReRamArrayOMPresetDevice(), 10, 8),
    "ReRamArrayHfO2": (presets.ReRamArrayHfO2PresetDevice(), 6, 4),
    "PowStep": (power, 24, 16),
    "PiecewiseStep": (piecewise, 24, 16),
    "SoftBounds": (soft, 24, 16),
}

HOUR, DAY, YEAR = 3600.0, 86400.0, 3.1536e7
inference = {
    "PCMLike": (pcm.PCMLikeNoiseModel(), [1.0, HOUR, YEAR]),
    "Hermes1": (hermes.HermesNoiseModel(num_devices=1), [1.0, HOUR, YEAR]),
    "Hermes2": (hermes.HermesNoiseModel(num_devices=2), [1.0, HOUR, YEAR]),
    "ReRamWan2022": (reram.ReRamWan2022NoiseModel(g_max=40.0), [1.0, DAY, 2 * DAY]),
    "ReRamCMO": (reram.ReRamCMONoiseModel(g_max=88.199, g_min=9.0), [1.0, HOUR, YEAR]),
}
FRACTIONS = [0.01, 0.05, 0.12, 0.25, 0.4, 0.7, 1.0]


def programmed(model, times):
    low = getattr(model, "g_min", 0.0) or 0.0
    rows = []
    for fraction in FRACTIONS:
        target = low + fraction * (model.g_max - low)
        g_target = torch.full((1_000_000,), target, dtype=torch.float64)
        g = model.apply_programming_noise_to_conductance(g_target)
        nu = model.generate_drift_coefficients(g_target)
        at = [
            {"time": time, "quantiles": quantiles(model.apply_drift_noise_to_conductance(g, nu, time))} for time in times
        ]
        rows.append({"target": target, "programmed": quantiles(g), "at": at})
    return {"largest": model.g_max, "rows": rows}


result = {
    "made": {
        "script": "test/golden/devices_aihwkit.py",
        "aihwkit": "1.1.0",
        "torch": torch.__version__.split("+")[0],
        "numpy": numpy.__version__,
        "python": platform.python_version(),
        "date": datetime.date.today().isoformat(),
    },
    "levels": LEVELS,
    "training": {
        name: {"steps": steps(device), **spread(device, up, down)} for name, (device, up, down) in training.items()
    },
    "inference": {name: programmed(model, times) for name, (model, times) in inference.items()},
}
text = json.dumps(result)
sys.stdout.write(text + "\n")
