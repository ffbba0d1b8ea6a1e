"""Products forwards and backwards of aihwkit's tiles in training, for test/analog/reads.test.ts: python reads_aihwkit.py > reads_aihwkit.json

Needs `pip install aihwkit torch`. Weights [output][input], inputs [vector][input] and errors [vector][output] are multiples of
1/256; `cases`: settings of IOParameters of both ways, noise off, and what comes out forwards [vector][output] and backwards
[vector][input]. Backwards aihwkit never manages bounds.
"""

import datetime
import json
import platform

import numpy
import torch

import aihwkit
from aihwkit.simulator.configs import SingleRPUConfig
from aihwkit.simulator.configs.devices import IdealDevice
from aihwkit.simulator.parameters import IOParameters
from aihwkit.simulator.parameters.enums import BoundManagementType, NoiseManagementType
from aihwkit.simulator.presets.utils import PresetIOParameters, StandardIOParameters
from aihwkit.simulator.tiles import AnalogTile

SEED = 20261123
OUTPUTS, INPUTS, VECTORS = 6, 9, 5
rng = numpy.random.default_rng(SEED)
draw = lambda size, *shape: numpy.round(rng.uniform(-size, size, shape) * 256) / 256
weights, inputs, errors = draw(1, OUTPUTS, INPUTS), draw(1.5, VECTORS, INPUTS), draw(0.4, VECTORS, OUTPUTS)
inputs[2], errors[3] = 0, 0
NM, BM = NoiseManagementType, BoundManagementType
CASES = {
    "preset": (PresetIOParameters, {}),
    "standard": (StandardIOParameters, {}),
    "fewer bits": (IOParameters, {"inp_res": 1 / 30, "out_res": 1 / 62, "out_bound": 3}),
    "small bound": (IOParameters, {"out_bound": 0.7}),
    "not scaled": (IOParameters, {"noise_management": NM.NONE, "bound_management": BM.NONE, "out_bound": 2}),
    "no rounding": (IOParameters, {"inp_res": -1, "out_res": -1, "out_bound": 1}),
}
cases = []
for name, (kind, change) in CASES.items():
    io = lambda: kind(out_noise=0.0, **change)
    tile = AnalogTile(OUTPUTS, INPUTS, SingleRPUConfig(device=IdealDevice(), forward=io(), backward=io()))
    tile.set_weights(torch.tensor(weights, dtype=torch.float32))
    own = io()
    cases.append(
        {
            "name": name,
            "inputResolution": own.inp_res,
            "outputResolution": own.out_res,
            "outputBound": own.out_bound,
            "scaled": own.noise_management == NM.ABS_MAX,
            "bounded": own.bound_management == BM.ITERATIVE,
            "forward": tile.forward(torch.tensor(inputs, dtype=torch.float32)).tolist(),
            "backward": tile.backward(torch.tensor(errors, dtype=torch.float32)).tolist(),
        }
    )
print(
    json.dumps(
        {
            "script": "test/golden/reads_aihwkit.py",
            "aihwkit": aihwkit.__version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
            "date": datetime.date.today().isoformat(),
            "weights": weights.tolist(),
            "inputs": inputs.tolist(),
            "errors": errors.tolist(),
            "cases": cases,
        }
    )
)
