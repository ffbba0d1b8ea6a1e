"""Regressions and optimisation problems solved by SciPy, lmfit and mpmath: fit_regressions.json.

    python3 -m venv venv && venv/bin/pip install numpy scipy lmfit mpmath
    venv/bin/python test/golden/fit_regressions.py FOLDER     # with Misra1a.dat, Thurber.dat and MGH09.dat of NIST

Data and certified values of Misra1a, Thurber and MGH09: NIST/ITL Statistical Reference Datasets, nonlinear regression,
https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml (public domain), read from the files as NIST wrote them.
`pcm` is a mean curve of accumulating pulses, G(n) = low + (high - low) (1 - exp(-n / tau)), uS, with
normal noise (NumPy's default_rng(3)), rounded to 3 digits as a meter would.

Each regression is a normal likelihood of the parameters b and log(sigma). Per problem:
    x, y          the data
    starts        [start][parameter]
    certified     parameters and standard deviations of NIST
    optimum       [parameter, then log sigma]: least squares by SciPy, polished by mpmath in 40 digits
    logLikelihood there
    covariance    inverse of minus the Hessian there, derivatives of the log-likelihood by mpmath in 40 digits
    interval95    by profile likelihood: {scipy: [parameter][low, high] by brentq over least_squares,
                  lmfit: conf_interval with the likelihood ratio as its test}; null where it does not end
Problems of optimisation: SciPy's BFGS, value and point.
"""
import datetime
import json
import pathlib
import platform
import re
import sys

import lmfit
import mpmath as mp
import numpy as np
import scipy
from scipy.optimize import brentq, curve_fit, least_squares, minimize
from scipy.stats import chi2

mp.mp.dps = 40


def misra1a(b, x, exp=np.exp):
    return b[0] * (1 - exp(-b[1] * x))


def thurber(b, x, exp=None):
    return (b[0] + x * (b[1] + x * (b[2] + x * b[3]))) / (1 + x * (b[4] + x * (b[5] + x * b[6])))


def mgh09(b, x, exp=None):
    return b[0] * (x * x + x * b[1]) / (x * x + x * b[2] + b[3])


def pcm(b, x, exp=np.exp):
    return b[0] + (b[1] - b[0]) * (1 - exp(-x / b[2]))


def nist(path):
    text = path.read_text()
    lines = text.splitlines()
    rows = [re.findall(r"[-+.\dE]+", line.split("=")[1]) for line in lines if re.match(r"\s*b\d =", line)]
    table = [list(map(float, row)) for row in rows]
    first = next(k for k, line in enumerate(lines) if re.match(r"Data:\s+y", line))
    data = [list(map(float, line.split())) for line in lines[first + 1:] if line.strip()]
    return {
        "x": [row[1] for row in data],
        "y": [row[0] for row in data],
        "starts": [[row[0] for row in table], [row[1] for row in table]],
        "certified": {"parameters": [row[2] for row in table], "deviations": [row[3] for row in table]},
    }


def log_likelihood(model, x, y):
    def value(*p):
        b, log_sigma = p[:-1], p[-1]
        squares = sum((mp.mpf(yk) - model(b, mp.mpf(xk), mp.exp)) ** 2 for xk, yk in zip(x, y))
        return -len(x) * (log_sigma + mp.log(2 * mp.pi) / 2) - squares * mp.exp(-2 * log_sigma) / 2
    return value


def solve(name, model, problem, best):
    x, y = np.array(problem["x"]), np.array(problem["y"])
    size, n = len(best), len(x)
    scale = np.abs(best)
    fit = least_squares(lambda b: model(b * scale, x) - y, np.array(best) / scale, xtol=1e-15, ftol=1e-15, gtol=1e-15,
                        method="lm", max_nfev=100000)
    b = fit.x * scale
    squares = np.sum((model(b, x) - y) ** 2)
    start = [mp.mpf(v) for v in b] + [mp.log(mp.sqrt(squares / n))]
    value = log_likelihood(model, x, y)
    orders = np.eye(size + 1, dtype=int).tolist()
    units = [mp.mpf(float(s)) for s in scale] + [mp.mpf(1)]
    inner = lambda *u: value(*[uk * s for uk, s in zip(u, units)])  # noqa: E731
    gradient = lambda *u: [mp.diff(inner, u, tuple(o)) for o in orders]  # noqa: E731
    at = mp.findroot(gradient, [v / s for v, s in zip(start, units)], tol=1e-30, maxsteps=20)
    at = [at[k] for k in range(size + 1)]
    hessian = mp.matrix(size + 1, size + 1)
    for i in range(size + 1):
        for j in range(i, size + 1):
            order = [0] * (size + 1)
            order[i] += 1
            order[j] += 1
            hessian[i, j] = hessian[j, i] = mp.diff(inner, at, tuple(order))
    inverse = mp.inverse(-hessian)
    optimum = [float(u * s) for u, s in zip(at, units)]
    problem.update(
        optimum=optimum,
        logLikelihood=float(inner(*at)),
        covariance=[[float(inverse[i, j] * units[i] * units[j]) for j in range(size + 1)] for i in range(size + 1)],
    )
    curve, _ = curve_fit(lambda t, *b: model(b, t), x, y, p0=b)
    print(name, "curve_fit differs by", np.max(np.abs(curve / optimum[:-1] - 1)), file=sys.stderr)
    problem["interval95"] = {
        "scipy": [profile(model, x, y, optimum[:-1], k) for k in range(size)],
        "lmfit": lmfit_interval(model, x, y, optimum[:-1]),
    }


def profile(model, x, y, best, k):
    """Both ends at which n log(S / S0) = chi2(1, 0.95); None beyond 50 times the parameter."""
    best = np.array(best)
    s0 = np.sum((model(best, x) - y) ** 2)
    others = [i for i in range(len(best)) if i != k]
    guess = best[others]

    def lost(value):
        nonlocal guess

        def residuals(part):
            b = best.copy()
            b[others] = part * best[others]
            b[k] = value
            return model(b, x) - y
        found = least_squares(residuals, guess / best[others], xtol=1e-15, ftol=1e-15, gtol=1e-15, method="lm",
                              max_nfev=100000)
        guess = found.x * best[others]
        return len(x) * np.log(2 * found.cost / s0) - chi2.ppf(0.95, 1)

    ends = []
    for side in (-1, 1):
        guess = best[others]
        inside, step = best[k], 0.01 * abs(best[k])
        while step < 50 * abs(best[k]) and lost(inside + side * step) < 0:
            inside += side * step
            step *= 1.2
        if step >= 50 * abs(best[k]):
            ends.append(None)
            continue
        ends.append(brentq(lost, inside, inside + side * step, xtol=1e-13 * abs(best[k]), rtol=1e-13))
    return ends


def lmfit_interval(model, x, y, best):
    parameters = lmfit.Parameters()
    for k, value in enumerate(best):
        parameters.add(f"b{k}", value=value * (1 + 1e-4))
    minimizer = lmfit.Minimizer(lambda p: model([p[f"b{k}"].value for k in range(len(best))], x) - y, parameters)
    result = minimizer.minimize(method="leastsq", xtol=1e-12, ftol=1e-12)

    def likelihood_ratio(best_fit, new_fit):
        return chi2.cdf(best_fit.ndata * np.log(new_fit.chisqr / best_fit.chisqr), 1)
    try:
        found = lmfit.conf_interval(minimizer, result, sigmas=[0.95], prob_func=likelihood_ratio, maxiter=500)
    except Exception as error:  # a profile that does not end
        print("lmfit gives no interval:", error, file=sys.stderr)
        return None
    ends = [[found[f"b{k}"][0][1], found[f"b{k}"][2][1]] for k in range(len(best))]
    return [[end if np.isfinite(end) else None for end in pair] for pair in ends]


def rosenbrock(x):
    x = np.asarray(x)
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def brown(x):
    """Badly scaled: More, Garbow & Hillstrom 1981, ACM Trans. Math. Softw. 7:17, problem 4."""
    return (x[0] - 1e6) ** 2 + (x[1] - 2e-6) ** 2 + (x[0] * x[1] - 2) ** 2


def brown_gradient(x):
    return np.array([2 * (x[0] - 1e6) + 2 * x[1] * (x[0] * x[1] - 2), 2 * (x[1] - 2e-6) + 2 * x[0] * (x[0] * x[1] - 2)])


def main():
    folder = pathlib.Path(sys.argv[1])
    problems = {}
    for name, model in [("Misra1a", misra1a), ("Thurber", thurber), ("MGH09", mgh09)]:
        problems[name] = nist(folder / f"{name}.dat")
        solve(name, model, problems[name], problems[name]["certified"]["parameters"])
    x = np.arange(1, 41, dtype=float)
    y = np.round(pcm([0.4, 9.0, 7.5], x) + 0.35 * np.random.default_rng(3).standard_normal(40), 3)
    problems["pcm"] = {"x": x.tolist(), "y": y.tolist(), "starts": [[1.0, 5.0, 3.0], [0.1, 20.0, 30.0]]}
    solve("pcm", pcm, problems["pcm"], [0.4, 9.0, 7.5])
    optimisation = {}
    for name, f, gradient, start in [
        ("rosenbrock", rosenbrock, scipy.optimize.rosen_der, [-1.2, 1.0]),
        ("rosenbrock6", rosenbrock, scipy.optimize.rosen_der, [-1.2, 1.0, -1.2, 1.0, -1.2, 1.0]),
        ("brown", brown, brown_gradient, [1.0, 1.0]),
    ]:
        found = minimize(f, start, jac=gradient, method="BFGS")
        optimisation[name] = {"start": start, "point": found.x.tolist(), "value": float(found.fun),
                              "evaluations": int(found.njev)}
    here = pathlib.Path(__file__)
    result = {
        "script": here.name,
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__,
                     "lmfit": lmfit.__version__, "mpmath": mp.__version__},
        "date": datetime.date.today().isoformat(),
        "regressions": problems,
        "optimisation": optimisation,
    }
    here.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")


main()
