"""Products of aihwkit's analog tiles, for test/analog/tiles.golden.test.ts: python tiles_aihwkit.py > tiles_aihwkit.json

Needs `pip install aihwkit torch`. Weights [output][input] and inputs [vector][input] are multiples of 1/256. `forward`: outputs of
one pass without any noise, by settings; `settings` are names and values of IOParameters that differ from their defaults (presets by
name), `made` what the tile drew at its construction. `noisy`: mean and variance of outputs of one vector over so many passes. `programmed`: mean and
variance of weights on pairs of PCM devices, both with errors, right after programming (without noise of reads) and later; on several
pairs where `significances` are told.
"""

import datetime
import json
import platform

import numpy
import torch

import aihwkit
from aihwkit.inference.converter.conductance import NPairConductanceConverter
from aihwkit.inference.noise.pcm import PCMLikeNoiseModel
from aihwkit.simulator.configs import InferenceRPUConfig
from aihwkit.simulator.parameters import IOParameters
from aihwkit.simulator.parameters.enums import (
    AnalogMVType,
    BoundManagementType,
    NoiseManagementType,
    WeightNoiseType,
)
from aihwkit.simulator.presets.utils import PresetIOParameters, StandardIOParameters
from aihwkit.simulator.tiles.inference import InferenceTile

SEED = 20261123
OUTPUTS, INPUTS, VECTORS, PASSES = 5, 11, 4, 20000
torch.manual_seed(SEED)
rng = numpy.random.default_rng(SEED)
weights = numpy.round(rng.uniform(-1, 1, (OUTPUTS, INPUTS)) * 256) / 256
inputs = numpy.round(rng.uniform(-1.5, 1.5, (VECTORS, INPUTS)) * 256) / 256
inputs[2] = 0

NM, BM, MV, WN = NoiseManagementType, BoundManagementType, AnalogMVType, WeightNoiseType
PLAIN = {"inp_res": -1, "out_res": -1, "noise_management": NM.NONE, "bound_management": BM.NONE, "out_bound": 1000}

FORWARD = {
    "default": (IOParameters, {}),
    "preset": (PresetIOParameters, {}),
    "standard": (StandardIOParameters, {}),
    "unmanaged": (IOParameters, {"noise_management": NM.NONE, "bound_management": BM.NONE, "out_bound": 1}),
    "constant": (
        IOParameters,
        {"noise_management": NM.CONSTANT, "nm_thres": 0.7, "bound_management": BM.NONE, "out_bound": 4},
    ),
    "average": (IOParameters, {"noise_management": NM.AVERAGE_ABS_MAX, "bound_management": BM.NONE}),
    "sum": (IOParameters, {"noise_management": NM.ABS_MAX_NP_SUM, "bound_management": BM.NONE, "out_bound": 1}),
    "iterative": (IOParameters, {"out_bound": 0.6}),
    "iterative alone": (IOParameters, {"out_bound": 0.6, "noise_management": NM.NONE}),
    "coarse": (IOParameters, {"out_bound": 0.05, "inp_res": 1 / 30, "out_res": 1 / 62}),
    "worst case": (IOParameters, {"out_bound": 0.9, "bound_management": BM.ITERATIVE_WORST_CASE}),
    "wires": (IOParameters, {**PLAIN, "ir_drop": 1.5, "ir_drop_g_ratio": 25.0}),
    "wires, converters": (StandardIOParameters, {"ir_drop": 1.0, "ir_drop_g_ratio": 40.0}),
    "S-shape": (IOParameters, {**PLAIN, "out_bound": 4, "out_nonlinearity": 1.0}),
    "S-shape, calibrated": (
        StandardIOParameters,
        {"out_bound": 4, "out_nonlinearity": 0.8, "slope_calibration": 0.5, "ir_drop": 1.0, "ir_drop_g_ratio": 40.0},
    ),
    "polarity": (IOParameters, {**PLAIN, "mv_type": MV.POS_NEG_SEPARATE, "w_read_asymmetry_dtod": 0.2}),
}
NOISY = {
    "output noise": {**PLAIN, "out_noise": 0.3},
    "input noise": {**PLAIN, "inp_noise": 0.2},
    "constant noise of weights": {**PLAIN, "w_noise": 0.1, "w_noise_type": WN.ADDITIVE_CONSTANT},
    "noise of PCM weights": {**PLAIN, "w_noise": 0.2, "w_noise_type": WN.PCM_READ},
    "all, and a coarse ADC": {
        **PLAIN,
        **{"out_noise": 0.2, "inp_noise": 0.1, "w_noise": 0.1, "w_noise_type": WN.PCM_READ},
        **{"out_res": 1 / 30, "out_bound": 4, "ir_drop": 1.0, "ir_drop_g_ratio": 25.0},
    },
}


def tile(kind, settings, noisy):
    config = InferenceRPUConfig()
    quiet = {} if noisy else {"out_noise": 0.0}
    config.forward = kind(**{**({"out_noise": 0.0}), **quiet, **settings})
    config.mapping.digital_bias = False
    made = InferenceTile(OUTPUTS, INPUTS, config)
    made.set_weights(torch.tensor(weights, dtype=torch.float32))
    return made


def forward(made, x):
    return made.tile.forward(torch.tensor(x, dtype=torch.float32), False, False, False, True).double().numpy()


def plain(settings):
    return {name: value.name if hasattr(value, "name") else value for name, value in settings.items()}


def short(values, digits=8):
    return [[float(f"{v:.{digits}g}") for v in row] for row in values]


forwards = []
for name, (kind, settings) in FORWARD.items():
    made = tile(kind, settings, False)
    extra = made.tile.dump_extra()
    drawn = {}
    for key, values in extra.items():
        if key.endswith("fwd.w_asymmetry") and len(values):
            drawn["asymmetry"] = short(numpy.array(values).reshape(OUTPUTS, INPUTS))
    forwards.append(
        {
            "name": name,
            "preset": kind.__name__,
            "settings": plain(settings),
            **({"made": drawn} if drawn else {}),
            "outputs": short(forward(made, inputs)),
        }
    )
noisy = []
for name, settings in NOISY.items():
    made = tile(IOParameters, settings, True)
    y = forward(made, numpy.repeat(inputs[:1], PASSES, axis=0))
    noisy.append(
        {
            "name": name,
            "settings": plain(settings),
            "mean": short([y.mean(0)])[0],
            "variance": short([y.var(0, ddof=1)])[0],
        }
    )

DEVICES = 40000
GOALS = [0.0, 0.02, -0.1, 0.3, -0.6, 1.0]
programmed = []
model = PCMLikeNoiseModel(g_max=25.0)
goals = torch.tensor([GOALS] * DEVICES)
for age in [0.0, 3600.0, 3.1536e7]:
    # in one step, so that both devices age as they were written; aihwkit's tiles drift the difference of the two
    w = model.apply_noise(goals, age) if age > 0 else model.apply_programming_noise(goals)[0]
    w = w.double().numpy()
    programmed.append({"age": age, "mean": short([w.mean(0)])[0], "variance": short([w.var(0, ddof=1)])[0]})
sliced = PCMLikeNoiseModel(g_converter=NPairConductanceConverter(f_lst=[1, 3], g_max=25.0))
w = sliced.apply_noise(goals, 3600.0).double().numpy()
programmed.append(
    {"age": 3600.0, "significances": [3, 1], "mean": short([w.mean(0)])[0], "variance": short([w.var(0, ddof=1)])[0]}
)

print("{")
header = {
    "script": "tiles_aihwkit.py",
    "aihwkit": aihwkit.__version__,
    "torch": torch.__version__,
    "python": platform.python_version(),
    "date": datetime.date.today().isoformat(),
    "passes": PASSES,
    "weights": weights.tolist(),
    "inputs": inputs.tolist(),
    "devices": DEVICES,
    "goals": GOALS,
}
for key, value in header.items():
    print(f'  "{key}": {json.dumps(value)},')
for key, rows in {"forward": forwards, "noisy": noisy, "programmed": programmed}.items():
    print(f'  "{key}": [')
    print(",\n".join("    " + json.dumps(row) for row in rows))
    print("  ]" + ("," if key != "programmed" else ""))
print("}")
