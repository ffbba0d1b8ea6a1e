"""Coefficients and reference values of the elementary functions (src/wasm/functions.ts, powers.ts, draws.ts).

    python3 functions.py coefficients     prints the polynomial coefficients with their error
    python3 functions.py golden           writes functions.json: [inputs, value, remainder] in hexadecimal

Coefficients: weighted minimax polynomials by the Remez exchange algorithm in 60 digits, then rounded to
the precision one after another from the lowest power, refitting the rest each time.
Golden values: value is the nearest float64, remainder = exact - value, so value + remainder carries about
106 bits.
Made with Python 3.11.7 and mpmath 1.3.0 on 2026-11-23.
"""

import json
import random
import struct
import sys
from pathlib import Path

from mpmath import mp, mpf

mp.dps = 60


def float32(x):
    return struct.unpack("f", struct.pack("f", float(x)))[0]


def remez(target, weight, low, high, powers, grid=1200):
    """Coefficients c (one for each power) minimising max |weight(x) (sum c x^p - target(x))|."""
    n = len(powers)
    xs = [(low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * i / (grid - 1)) for i in range(grid)]
    xs = [x for x in xs if x != 0]
    ts = [target(x) for x in xs]
    ws = [abs(weight(x)) for x in xs]
    picks = [round(i * (len(xs) - 1) / n) for i in range(n + 1)]
    for _ in range(60):
        rows = mp.matrix(n + 1, n + 1)
        right = mp.matrix(n + 1, 1)
        for i, k in enumerate(picks):
            for j, p in enumerate(powers):
                rows[i, j] = ws[k] * (xs[k] / high) ** p
            rows[i, n] = (-1) ** i
            right[i] = ws[k] * ts[k]
        solution = mp.lu_solve(rows, right)
        c = [solution[j] / high**p for j, p in enumerate(powers)]
        errors = [w * (sum(cj * x**p for cj, p in zip(c, powers)) - t) for x, t, w in zip(xs, ts, ws)]
        extremes = []
        for k, e in enumerate(errors):
            if extremes and (errors[extremes[-1]] > 0) == (e > 0):
                if abs(e) > abs(errors[extremes[-1]]):
                    extremes[-1] = k
            else:
                extremes.append(k)
        while len(extremes) > n + 1:
            extremes.pop(0 if abs(errors[extremes[0]]) < abs(errors[extremes[-1]]) else -1)
        worst = max(abs(e) for e in errors)
        if len(extremes) < n + 1 or worst < abs(solution[n]) * (1 + mpf(10) ** -6):
            break
        picks = extremes
    return c, worst


def fit(name, target, weight, low, high, count, narrow):
    """Polynomial with `count` coefficients, printed from the highest power, and the weighted error after rounding."""
    fixed = []
    if low < 0:
        fixed = [mpf(narrow(c)) for c in remez(target, weight, low, high, list(range(count)))[0]]
    while len(fixed) < count:
        rest = lambda x: (target(x) - sum(c * x**q for q, c in enumerate(fixed))) / x ** len(fixed)
        scaled = lambda x: weight(x) * x ** len(fixed)
        c, _ = remez(rest, scaled, low, high, list(range(count - len(fixed))))
        fixed.append(mpf(narrow(c[0])))
    xs = [low + (high - low) * mpf(i) / 4001 for i in range(1, 4001)]
    worst = max(abs(weight(x) * (sum(c * x**q for q, c in enumerate(fixed)) - target(x))) for x in xs if x != 0)
    print(f"{name}: 2^{float(mp.log(worst, 2)):.2f}")
    print("  [" + ", ".join(repr(float(c)) for c in reversed(fixed)) + "],")


def coefficients():
    half = mp.log(2) / 2 + mpf(2) ** -20
    s = (mp.sqrt(2) - 1) / (mp.sqrt(2) + 1) * (1 + mpf(2) ** -20)
    quarter = mp.pi / 4 * (1 + mpf(2) ** -20)
    atanh = lambda z: mp.atanh(mp.sqrt(z)) / mp.sqrt(z)  # 1 + z/3 + z^2/5 + ...
    sinc = lambda z: mp.sin(mp.sqrt(z)) / mp.sqrt(z)
    cosine = lambda z: mp.cos(mp.sqrt(z))
    turn = lambda z: mp.sqrt(z) * mp.pi / 2
    fits = [
        # exp(r) = 1 + r + r^2/2 + r^3 q(r); error relative to expm1(r)
        ("exp", lambda r: (mp.expm1(r) - r - r**2 / 2) / r**3, lambda r: r**3 / mp.expm1(r), -half, half, 9, 4),
        # log(1 + f) = 2 s + s z R(z), s = f / (2 + f), z = s^2
        ("log", lambda z: 2 * (atanh(z) - 1) / z, lambda z: z / (2 * atanh(z)), mpf(0), s**2, 7, 3),
        # atanh(s) = s (1 + z/3 + z^2 Q(z))
        ("power", lambda z: (atanh(z) - 1 - z / 3) / z**2, lambda z: z**2, mpf(0), s**2, 7, 3),
        # sin(r) = r + r z S(z), cos(r) = 1 - z/2 + z^2 C(z), z = r^2
        ("sin", lambda z: (sinc(z) - 1) / z, lambda z: z / sinc(z), mpf(0), quarter**2, 6, 3),
        ("cos", lambda z: (cosine(z) - 1 + z / 2) / z**2, lambda z: z**2 / cosine(z), mpf(0), quarter**2, 6, 3),
        # d in quarter turns, |d| <= 1/2: sin = d S(z), cos = 1 + z C(z), z = d^2
        ("sinTurn", lambda z: mp.sin(turn(z)) / mp.sqrt(z), lambda z: mp.sqrt(z) / mp.sin(turn(z)), mpf(0), mpf(1) / 4, 7, 4),
        ("cosTurn", lambda z: (mp.cos(turn(z)) - 1) / z, lambda z: z / mp.cos(turn(z)), mpf(0), mpf(1) / 4, 7, 4),
    ]
    for name, target, weight, low, high, wide, small in fits:
        for count, narrow in ((wide, float), (small, float32)):
            fit(f"{name} {narrow.__name__}", target, weight, low, high, count, narrow)


def golden():
    rng = random.Random(2)
    spread = lambda low, high: rng.choice((-1, 1)) * 2 ** rng.uniform(low, high)
    positive = lambda: 2 ** rng.uniform(-1070, 1020)
    near = lambda: 1 + spread(-52, -1.1)
    quarter = lambda: float((rng.randrange(1, 2**22)) * mp.pi / 2)
    sources = {
        "exp": [lambda: (rng.uniform(-708, 709),), lambda: (spread(-60, 3),)],
        "expm1": [lambda: (rng.uniform(-40, 709),), lambda: (spread(-60, 3),)],
        "log": [lambda: (positive(),), lambda: (near(),)],
        "log10": [lambda: (positive(),), lambda: (near(),), lambda: (float(10 ** rng.randrange(0, 22)),)],
        "sin": [lambda: (spread(-30, 26),), lambda: (quarter(),)],
        "cos": [lambda: (spread(-30, 26),), lambda: (quarter(),)],
        "tan": [lambda: (spread(-30, 26),), lambda: (quarter(),)],
        "sinh": [lambda: (spread(-30, 9.4),)],
        "cosh": [lambda: (spread(-30, 9.4),)],
        "tanh": [lambda: (spread(-30, 4.3),)],
        "pow": [lambda: (2 ** rng.uniform(-30, 30), rng.uniform(-30, 30)), lambda: (near(), spread(0, 9))],
    }
    exact = {"pow": lambda x, y: x**y, "log10": mp.log10}
    out = {"made": "functions.py, Python 3.11.7, mpmath 1.3.0, 2026-11-23"}
    for name, makers in sources.items():
        function = exact.get(name) or getattr(mp, name)
        rows = []
        for i in range(150):
            inputs = makers[i % len(makers)]()
            value = function(*[mpf(x) for x in inputs])
            rows.append([*inputs, float(value), float(value - mpf(float(value)))])
        out[name] = [[struct.pack(">d", x).hex() for x in row] for row in rows]
    text = json.dumps(out, separators=(",", ":"))
    Path(__file__).with_name("functions.json").write_text(text + "\n")
    print(len(text), "bytes")


if __name__ == "__main__":
    {"coefficients": coefficients, "golden": golden}[sys.argv[1]]()
