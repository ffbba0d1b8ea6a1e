"""Voltage-driven devices, for test/models/voltage.test.ts: python devices_scipy.py > devices_scipy.json

The equations of the papers written out anew, integrated by SciPy's LSODA to 1e-12 under a voltage of stairs; the state and the
current at the end of each stair, in SI units.
"""

import datetime
import json
import math
import platform
import sys

import numpy
import scipy
from scipy.integrate import solve_ivp

BOLTZMANN, CHARGE = 1.380649e-23, 1.602176634e-19


def vteam(w, v):
    if v > 0.02:
        return 5e-4 * (v / 0.02 - 1)
    if v < -0.2:
        return -10.0 * (v / -0.2 - 1) ** 3
    return 0.0


def vteam_current(w, v):
    return v / (50 + 950 * w / 3e-9)


def stanford_current(gap, v):
    return 1e-3 * math.exp(-gap / 0.25e-9) * math.sinh(v / 0.25)


def stanford(gap, v):
    kt = BOLTZMANN * (298 + abs(v * stanford_current(gap, v)) * 2.1e3)
    gamma = 16 - 0.8 * (gap / 1e-9) ** 3
    if gamma * abs(v) / 12e-9 < 1.4e9:
        return 0.0
    return -10 * math.exp(-0.6 * CHARGE / kt) * math.sinh(gamma * 0.25e-9 / 12e-9 * CHARGE * v / kt)


def yakopcic(x, v):
    vp, vn, ap, an, xp, xn, alphap, alphan = 0.16, 0.15, 4000, 4000, 0.3, 0.5, 1, 5
    if v > vp:
        slow = math.exp(-alphap * (x - xp)) * ((xp - x) / (1 - xp) + 1) if x >= xp else 1
        return ap * (math.exp(v) - math.exp(vp)) * slow
    if v < -vn:
        slow = math.exp(alphan * (x + xn - 1)) * x / (1 - xn) if x <= 1 - xn else 1
        return -an * (math.exp(-v) - math.exp(vn)) * slow
    return 0.0


def yakopcic_current(x, v):
    return 0.17 * x * math.sinh(0.05 * v)


def film(x):
    return 100 * x + 16000 * (1 - x)


def biolek(x, v):
    window = 1 - (x - (1 if v < 0 else 0)) ** 2
    return 1e-14 * 100 / (10e-9) ** 2 * v / film(x) * window


def film_current(x, v):
    return v / film(x)


def stairs(speed, current, start, voltages, dt, scale):
    """`scale`: a typical state, so that the solver sees numbers near 1 in both directions."""
    state, rows = start / scale, []
    for v in voltages:
        run = solve_ivp(
            lambda s, y: [speed(float(y[0]) * scale, v) * dt / scale], (0, 1), [state], method="LSODA", rtol=1e-12, atol=1e-14
        )
        assert run.success
        state = float(run.y[0][-1])
        rows.append([state * scale, current(state * scale, v)])
    return {"start": start, "dt": dt, "voltages": [float(v) for v in voltages], "rows": rows}


def sine(amplitude, samples, periods=1):
    return amplitude * numpy.sin(2 * numpy.pi * periods * (numpy.arange(samples) + 0.5) / samples)


up_down = numpy.concatenate([numpy.full(12, 1.5), numpy.full(12, -1.5)])
result = {
    "made": {
        "script": "test/golden/devices_scipy.py",
        "scipy": scipy.__version__,
        "numpy": numpy.__version__,
        "python": platform.python_version(),
        "date": datetime.date.today().isoformat(),
    },
    "vteam": stairs(vteam, vteam_current, 1.5e-9, sine(0.25, 100), 1e-9, 1e-9),
    "stanfordPku": stairs(stanford, stanford_current, 1.69e-9, up_down, 1e-8, 1e-9),
    "yakopcic": stairs(yakopcic, yakopcic_current, 0.11, sine(0.45, 100, 2), 1e-4, 1.0),
    "biolekIonDrift": stairs(biolek, film_current, 0.3, sine(1.5, 100), 1e-2, 1.0),
}
sys.stdout.write(json.dumps(result) + "\n")
