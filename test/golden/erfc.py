"""Coefficients and reference values of erfc (src/wasm/functions.ts).

    python3 erfc.py coefficients     prints the coefficients
    python3 erfc.py golden           writes erfc.json: [x, erfc(x)] for 200 points

log(erfc(z) e^(z^2) / t), t = 2 / (2 + z), is fitted in y = 2 t - 1 by a Chebyshev series of degree 28 in 50 digits and
written in powers of y. Made with Python 3.11.7 and mpmath 1.3.0 on 2026-11-23.
"""

import json
import random
import sys
from pathlib import Path

from mpmath import cos, erfc, exp, log, mp, mpf, pi, sqrt

mp.dps = 50


def target(y):
    t = (y + 1) / 2
    z = 2 / t - 2
    if z > 1e6:  # asymptotic series
        return log((1 - 1 / (2 * z * z) + mpf(3) / (4 * z**4)) / (z * sqrt(pi)) / t)
    return log(erfc(z) * exp(z * z) / t)


def coefficients(degree=28, nodes=64):
    angles = [pi * (k + mpf(1) / 2) / nodes for k in range(nodes)]
    values = [target(cos(a)) for a in angles]
    series = [2 / mpf(nodes) * sum(v * cos(j * a) for v, a in zip(values, angles)) for j in range(degree + 1)]
    series[0] /= 2
    t = [[mpf(1)], [mpf(0), mpf(1)]]
    while len(t) <= degree:
        next = [mpf(0)] + [2 * x for x in t[-1]]
        for i, x in enumerate(t[-2]):
            next[i] -= x
        t.append(next)
    powers = [sum(c * t[k][i] for k, c in enumerate(series) if i <= k) for i in range(degree + 1)]
    print([float(x) for x in reversed(powers)])


def golden():
    rng = random.Random(1)
    points = [rng.uniform(-6, 26) for _ in range(160)] + [rng.choice((-1, 1)) * 2 ** rng.uniform(-40, 0) for _ in range(40)]
    rows = [[x, float(erfc(mpf(x)))] for x in points]
    Path(__file__).with_name("erfc.json").write_text(json.dumps(rows, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    {"coefficients": coefficients, "golden": golden}[sys.argv[1]]()
