"""Learning by pulses in aihwkit, for test/analog: python pulsed_aihwkit.py > pulsed_aihwkit.json

Needs `pip install aihwkit torch`, a few minutes. Weights are in aihwkit's units.
`counts`: weights after one update by trains that draw nothing, on a device without spread whose step is STEP: what is given,
then what comes out, [row][column].
`presets`: 4 x 4 weights that start at 0, after `updates` updates by X and D; over TILES tiles the mean and standard deviation of
each weight, and of P = sum of weight times its mean. `gathered`: the same under MixedPrecisionCompound.
`transfer`: 16 rows x 4 columns that learn to give TARGET times the sum of their inputs, x_j(t) = cos(1 + 2.1 t (j + 1)), errors by
the weights themselves; over tiles the mean and standard deviation of the mean weight of a tile at some updates.
aihwkit takes its seeds from the clock: another run gives other samples.
"""

import dataclasses
import datetime
import json
import platform
import re
import sys

import numpy
import torch

import aihwkit
from aihwkit.simulator.configs import SingleRPUConfig, UnitCellRPUConfig, DigitalRankUpdateRPUConfig
from aihwkit.simulator.configs.compounds import (
    ChoppedTransferCompound,
    DynamicTransferCompound,
    MixedPrecisionCompound,
    TransferCompound,
)
from aihwkit.simulator.configs.devices import ConstantStepDevice
from aihwkit.simulator.parameters.enums import BoundManagementType, NoiseManagementType, PulseType, RPUDataType
from aihwkit.simulator.presets import devices as presets
from aihwkit.simulator.presets.utils import PresetIOParameters, PresetUpdateParameters
from aihwkit.simulator.tiles import AnalogTile

X = [0.9, -0.5, 0.2, 0.05]
D = [0.8, -0.4, 0.1, -1.0]
TILES = 3000
TARGET = 0.3


def rounded(values):
    return [float(f"{v:.7g}") for v in numpy.asarray(values, dtype=float).ravel()]


def weights(tile):
    return tile.get_weights()[0].numpy().copy()


def summary(samples):  # [tile][...]
    samples = samples.reshape(len(samples), -1).astype(float)
    mean = samples.mean(0)
    projected = samples @ mean
    return {
        "mean": rounded(mean),
        "sd": rounded(samples.std(0, ddof=1)),
        "fourth": rounded(((samples - mean) ** 4).mean(0)),
        "projected": rounded([projected.mean(), projected.std(ddof=1)]),
    }


# ---- trains that draw nothing

STEP = 0.001


def counts():
    found = []
    generator = numpy.random.default_rng(7)
    for kind in ("DETERMINISTIC_IMPLICIT", "MEAN_COUNT"):
        for length, balance in ((True, True), (False, True), (False, False)):
            for rate in (0.003, 0.02, 0.2):
                device = ConstantStepDevice(
                    dw_min=STEP, dw_min_dtod=0.0, dw_min_std=0.0, up_down_dtod=0.0, w_max=1.0, w_min=-1.0,
                    w_max_dtod=0.0, w_min_dtod=0.0,
                )
                config = SingleRPUConfig(device=device)
                config.update.pulse_type = PulseType[kind]
                config.update.update_bl_management = length
                config.update.update_management = balance
                tile = AnalogTile(5, 7, config)
                tile.set_weights(torch.zeros(5, 7))
                tile.set_learning_rate(rate)
                x = generator.normal(size=7).astype(numpy.float32)
                d = generator.normal(size=5).astype(numpy.float32)
                x[3] = 0
                tile.update(torch.tensor(x), torch.tensor(d))
                found.append(
                    {
                        "kind": kind, "managed": "length" if length else "balance" if balance else "none",
                        "rate": rate, "x": [float(v) for v in x], "d": [float(v) for v in d],
                        "pulses": [int(round(v)) for v in (weights(tile) / STEP).ravel()],
                    }
                )
    return found


# ---- devices

DEVICES = {  # updates, wanted slots for the largest product
    "ReRamES": (presets.ReRamESPresetDevice, 20, 12),
    "ReRamSB": (presets.ReRamSBPresetDevice, 20, 12),
    "Capacitor": (presets.CapacitorPresetDevice, 8, 12),
    "EcRam": (presets.EcRamPresetDevice, 20, 12),
    "EcRamMO": (presets.EcRamMOPresetDevice, 40, 28),
    "Idealized": (presets.IdealizedPresetDevice, 40, 28),
    "GokmenVlasov": (presets.GokmenVlasovPresetDevice, 20, 12),
    "PCM": (presets.PCMPresetDevice, 6, 3),
    "ReRamArrayOM": (presets.ReRamArrayOMPresetDevice, 3, 1.6),
    "ReRamArrayHfO2": (presets.ReRamArrayHfO2PresetDevice, 2, 0.6),
}


def plain(device):  # without stuck devices, which models/ leaves out
    return dataclasses.replace(device, corrupt_devices_prob=0.0)


def granularity(device):
    """What aihwkit takes a pulse to change a weight by."""
    return float(re.search(r"granularity \(calc.\):\s*(\S+)", str(device.as_bindings(RPUDataType.FLOAT))).group(1))


def learn(config, name, updates, wanted):
    device, _, _ = DEVICES[name]
    rate = wanted * device().dw_min / (max(map(abs, X)) * max(map(abs, D)))
    x, d = torch.tensor(X), torch.tensor(D)
    if name == "PCM":  # goes up only
        x, d = x.abs(), -d.abs()
    samples = []
    for _ in range(TILES):
        tile = AnalogTile(4, 4, config)
        tile.set_weights(torch.zeros(4, 4))
        tile.set_learning_rate(rate)
        for _ in range(updates):
            tile.update(x, d)
        samples.append(weights(tile))
    return {"updates": updates, "rate": rate, "step": granularity(device()), **summary(numpy.array(samples))}


def single(name):
    device, updates, wanted = DEVICES[name]
    config = SingleRPUConfig(device=plain(device()), update=PresetUpdateParameters())
    return learn(config, name, updates, wanted)


def gathered(name):
    device, updates, _ = DEVICES[name]
    config = DigitalRankUpdateRPUConfig(
        device=MixedPrecisionCompound(device=plain(device())), update=PresetUpdateParameters()
    )
    return learn(config, name, updates, 2.7)


# ---- transfer


def compound(kind, device):
    read = PresetIOParameters(
        noise_management=NoiseManagementType.NONE, bound_management=BoundManagementType.NONE
    )
    one = PresetUpdateParameters(desired_bl=1, update_bl_management=False, update_management=False)
    cells = [plain(device()), plain(device())]
    if kind == "transfer":
        return TransferCompound(
            unit_cell_devices=cells, transfer_forward=read, transfer_update=PresetUpdateParameters(), units_in_mbatch=True
        )
    common = dict(
        unit_cell_devices=cells, transfer_forward=read, transfer_update=one, fast_lr=0.5, auto_scale=True, auto_granularity=1000
    )
    if kind == "dynamic":
        return DynamicTransferCompound(**common, tail_weightening=5.0, in_chop_prob=0.05)
    return ChoppedTransferCompound(
        **common, units_in_mbatch=False, in_chop_prob=0.0 if kind == "buffered" else 0.05
    )


RATES = {"transfer": 0.02, "buffered": 1.0, "chopped": 1.0, "dynamic": 1.0}
LOOKS = [100, 200, 400, 800]


def transfer(kind, name, tiles=60, rows=16, columns=4):
    config = UnitCellRPUConfig(
        device=compound(kind, DEVICES[name][0]), update=PresetUpdateParameters(desired_bl=31)
    )
    means, spreads = [], []
    for _ in range(tiles):
        tile = AnalogTile(rows, columns, config)
        tile.set_weights(torch.zeros(rows, columns))
        tile.set_learning_rate(RATES[kind])
        seen, spread = [], []
        for t in range(1, max(LOOKS) + 1):
            x = numpy.cos(1 + 2.1 * t * numpy.arange(1, columns + 1))
            d = (weights(tile) - TARGET) @ x
            tile.update(torch.tensor(x, dtype=torch.float32), torch.tensor(d, dtype=torch.float32))
            if t in LOOKS:
                w = weights(tile)
                seen.append(w.mean())
                spread.append(w.std())
        means.append(seen)
        spreads.append(spread)
    means, spreads = numpy.array(means), numpy.array(spreads)
    return {
        "rate": RATES[kind], "looks": LOOKS, "tiles": tiles,
        "mean": rounded(means.mean(0)), "sd": rounded(means.std(0, ddof=1)),
        "within": rounded(spreads.mean(0)), "withinSd": rounded(spreads.std(0, ddof=1)),
    }


def said(label, value):
    print(label, file=sys.stderr, flush=True)
    return value


result = {
    "about": {
        "date": datetime.date.today().isoformat(), "aihwkit": aihwkit.__version__, "torch": torch.__version__,
        "python": platform.python_version(), "X": X, "D": D, "tiles": TILES, "step": STEP, "target": TARGET,
    },
    "counts": counts(),
    "presets": {name: said(name, single(name)) for name in DEVICES},
    "gathered": {name: said(name, gathered(name)) for name in ("ReRamSB", "EcRam", "Idealized", "GokmenVlasov")},
    "transfer": {
        f"{kind}, {name}": said(kind, transfer(kind, name))
        for name in ("ReRamSB", "EcRam")
        for kind in ("transfer", "buffered", "chopped", "dynamic")
    },
}


def written(value, depth=0):  # a line for each innermost list or case
    pad = " " * depth
    if isinstance(value, dict):
        lines = (f"{pad} {json.dumps(key)}: {written(each, depth + 1)}" for key, each in value.items())
        return "{\n" + ",\n".join(lines) + f"\n{pad}}}"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(f"{pad} {json.dumps(each)}" for each in value) + f"\n{pad}]"
    return json.dumps(value)


print(written(result))
