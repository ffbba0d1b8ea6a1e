"""Diagnostics of chains, WAIC, an ensemble sampler and a bootstrap by arviz, emcee and SciPy: fit_chains.json.

    python3 -m venv venv && venv/bin/pip install numpy scipy arviz emcee
    venv/bin/python test/golden/fit_chains.py

    chains      name -> draws [chain][draw] and what arviz (rhat "split" and "rank", ess "bulk" and "tail") and
                emcee (autocorr.integrated_time, chains as walkers) say of them
    waic        pointwise log-likelihoods [draw][observation] of two models of the same data; arviz.waic on the deviance scale
                and arviz.compare (pseudo-BMA weights without bootstrap). arviz takes variances with divisor n, not n - 1.
    samplers    problem -> moves -> mean acceptance, autocorrelation time of each coordinate: emcee with 32 walkers, and the
                standard deviation of both over 8 runs of 10000 steps after 2000. Problems: "normal", 5 coordinates of
                deviation 10^(k-2) with correlation 0.7 between all; "banana", x0 normal with deviation 2,
                x1 normal with deviation 1 about (x0^2 - 4) / 2. Moves: "stretch", "mixed" (stretch 0.2, DE 0.8).
    bootstrap   values, and the 95 % intervals of their mean by scipy.stats.bootstrap, 400000 resamples
"""
import datetime
import json
import pathlib
import platform
import warnings

warnings.filterwarnings("ignore")

import arviz as az  # noqa: E402
import emcee  # noqa: E402
import numpy as np  # noqa: E402
import scipy  # noqa: E402
from scipy.stats import bootstrap  # noqa: E402

rng = np.random.default_rng(20)


def autoregressive(chains, draws, rho):
    x = np.zeros((chains, draws))
    x[:, 0] = rng.standard_normal(chains)
    for t in range(1, draws):
        x[:, t] = rho * x[:, t - 1] + np.sqrt(1 - rho ** 2) * rng.standard_normal(chains)
    return x


def chains():
    cases = {
        "mixed": autoregressive(4, 120, 0.6),
        "shifted, odd": autoregressive(4, 101, 0.3) + 0.4 * np.arange(4)[:, None],
        "wider": autoregressive(4, 80, 0.2) * np.array([1, 1, 1, 3])[:, None],
        "heavy": np.tan(np.pi * (rng.random((3, 90)) - 0.5)),
        "ties": np.round(autoregressive(5, 64, 0.5)),
        "alternating": autoregressive(2, 150, -0.6),
        "slow": autoregressive(6, 200, 0.97),
    }
    result = {}
    for name, x in cases.items():
        x = np.round(x, 4)
        result[name] = {
            "draws": x.tolist(),
            "splitRHat": float(az.rhat(x, method="split")),
            "rankRHat": float(az.rhat(x, method="rank")),
            "bulk": float(az.ess(x, method="bulk")),
            "tail": float(az.ess(x, method="tail")),
            "time": float(emcee.autocorr.integrated_time(x.T, quiet=True, tol=0)[0]),
        }
    return result


def waic():
    observations, draws = 15, 60
    y = rng.standard_normal(observations) * 1.2
    center = 0.3 * rng.standard_normal((draws, 1))
    width = np.exp(0.25 * rng.standard_normal((draws, 1)))
    one = np.round(-0.5 * (y - center) ** 2 - 0.919, 5)
    two = np.round(-0.5 * ((y - center) / width) ** 2 - np.log(width) - 0.919, 5)
    data = {name: az.from_dict(posterior={"a": center.T}, log_likelihood={"y": values[None]})
            for name, values in [("one", one), ("two", two)]}
    table = az.compare(data, ic="waic", method="pseudo-BMA", scale="deviance")
    result = {}
    for name, values in [("one", one), ("two", two)]:
        found = az.waic(data[name], scale="deviance", pointwise=True)
        result[name] = {
            "pointwise": values.tolist(), "value": float(found.elpd_waic), "standardError": float(found.se),
            "parameters": float(found.p_waic), "difference": float(table.loc[name, "elpd_diff"]),
            "differenceError": float(table.loc[name, "dse"]), "weight": float(table.loc[name, "weight"]),
        }
    return result


scales = 10.0 ** (np.arange(5) - 2)
precision = np.linalg.inv((0.3 * np.eye(5) + 0.7) * np.outer(scales, scales))


def normal(x):
    return -0.5 * np.einsum("ki,ij,kj->k", x, precision, x)


def banana(x):
    return -x[:, 0] ** 2 / 8 - (x[:, 1] - (x[:, 0] ** 2 - 4) / 2) ** 2 / 2


def samplers():
    result = {}
    for problem, density, start in [
        ("normal", normal, lambda: rng.multivariate_normal(np.zeros(5), np.linalg.inv(precision), 32)),
        ("banana", banana, lambda: rng.standard_normal((32, 2))),
    ]:
        result[problem] = {}
        for name, moves in [
            ("stretch", emcee.moves.StretchMove(a=2.0)),
            ("mixed", [(emcee.moves.StretchMove(a=2.0), 0.2), (emcee.moves.DEMove(), 0.8)]),
        ]:
            acceptances, times = [], []
            for _ in range(8):
                first = start()
                sampler = emcee.EnsembleSampler(32, first.shape[1], density, moves=moves, vectorize=True)
                sampler._random.seed(int(rng.integers(2 ** 31)))
                state = sampler.run_mcmc(first, 2000)
                sampler.reset()
                sampler.run_mcmc(state, 10000)
                acceptances.append(np.mean(sampler.acceptance_fraction))
                times.append(sampler.get_autocorr_time(quiet=True, tol=0))
            result[problem][name] = {
                "acceptance": float(np.mean(acceptances)), "acceptanceDeviation": float(np.std(acceptances, ddof=1)),
                "times": np.mean(times, axis=0).tolist(), "timesDeviation": np.std(times, axis=0, ddof=1).tolist(),
            }
    return result


def resampling():
    values = np.round(rng.exponential(2.0, 25), 3)
    result = {"values": values.tolist()}
    for method in ["percentile", "BCa"]:
        found = bootstrap((values,), np.mean, n_resamples=400000, batch=10000, method=method, rng=rng)
        result[method] = list(map(float, found.confidence_interval))
    return result


here = pathlib.Path(__file__)
result = {
    "script": here.name,
    "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__,
                 "arviz": az.__version__, "emcee": emcee.__version__},
    "date": datetime.date.today().isoformat(),
    "chains": chains(),
    "waic": waic(),
    "samplers": samplers(),
    "bootstrap": resampling(),
}
here.with_suffix(".json").write_text(json.dumps(result) + "\n")
