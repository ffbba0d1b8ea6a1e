"""SET pulses a second of other programs, one thread: prints {"rate": pulses/s, "mean": mean conductance, uS}.

    python pulses.py numpy-pcm | numpy-exponential | aihwkit-exponential DEVICES PULSES

numpy-pcm is models/pcm.ts (Nandakumar et al. 2018) written with whole arrays; numpy-exponential and the tile of aihwkit
are its PCMPresetDevice, one weight unit being 10 uS.
"""
import json
import sys
import time

import numpy as np

program, devices, pulses = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = np.random.default_rng(1)


def numpy_pcm():
    G = np.maximum(0, 0.1 + 0.01 * rng.standard_normal(devices))
    P = np.ones(devices)

    def pulse():
        nonlocal G, P
        P *= np.exp(-1 / 2.6)
        mean = -0.084 * G + 0.880 + 1.40 * P
        spread = 0.091 * G + 0.260 + 2.15 * P
        G = np.clip(G + mean + spread * rng.standard_normal(devices), 0.1, 20)

    return pulse, lambda: G.mean()


def numpy_exponential():
    top = np.abs(20 + 2 * rng.standard_normal(devices))
    gain = np.abs(1 + 0.2 * rng.standard_normal(devices) + 0.05 * rng.standard_normal(devices))
    G = np.clip(0.1 + 0.2 * rng.standard_normal(devices) + 0.1 * rng.standard_normal(devices), 0, top)

    def pulse():
        nonlocal G
        step = 0.1 * gain * np.maximum(0, 1 + 27.235 * np.exp(2.5 * (-2 * G / top)))
        G = np.clip(G + step + 0.6 * (step + 0.42 + 0.108 * G) * rng.standard_normal(devices), 0, top)

    return pulse, lambda: G.mean()


def aihwkit_exponential():
    import torch
    from aihwkit.simulator.configs import SingleRPUConfig
    from aihwkit.simulator.parameters.enums import PulseType
    from aihwkit.simulator.presets.devices import PCMPresetDevice
    from aihwkit.simulator.tiles import AnalogTile

    torch.set_num_threads(1)
    rows = 1000
    config = SingleRPUConfig(device=PCMPresetDevice())
    config.update.update_bl_management = False
    config.update.update_management = False
    config.update.desired_bl = 1  # with a learning rate of 1 and inputs of 1: one pulse at every crossing
    config.update.pulse_type = PulseType.DETERMINISTIC_IMPLICIT
    tile = AnalogTile(rows, devices // rows, config)
    tile.set_weights(torch.full((rows, devices // rows), 0.01))
    tile.set_learning_rate(1.0)
    x = torch.ones(devices // rows)
    d = -torch.ones(rows)

    return lambda: tile.update(x, d), lambda: 10 * tile.get_weights()[0].numpy().mean()


pulse, mean = {"numpy-pcm": numpy_pcm, "numpy-exponential": numpy_exponential, "aihwkit-exponential": aihwkit_exponential}[program]()
start = time.perf_counter()
for _ in range(pulses):
    pulse()
seconds = time.perf_counter() - start
print(json.dumps({"rate": devices * pulses / seconds, "mean": float(mean())}))
