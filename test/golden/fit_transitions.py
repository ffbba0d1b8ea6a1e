"""Steps with a spread that depends on the state, read without noise: maximum, covariance and posterior by others.

    G' = G + c - k G + (s + m G) z,   z standard normal, conductances in uS

The likelihood is a product of normal densities of single steps. Maximum: scipy.optimize (Nelder-Mead, then Newton steps
on the exact gradient and Hessian of sympy). Posterior: emcee, prior flat in the parameters where they are positive. The
step of a fixed spread: lmfit. Needs numpy, scipy, sympy, lmfit, emcee.

    python3 test/golden/fit_transitions.py > test/golden/fit_transitions.json
"""

import datetime
import json
import sys

import emcee
import lmfit
import numpy as np
import scipy
import sympy

rng = np.random.default_rng(7)
truth = dict(c=0.9, k=0.08, s=0.15, m=0.06)
names = list(truth)
cycles, pulses = 3, 50
ramps = []
for _ in range(cycles):
    G = [0.5]
    for _ in range(pulses):
        c, k, s, m = truth.values()
        G.append(G[-1] + c - k * G[-1] + (s + m * G[-1]) * rng.standard_normal())
    ramps.append(G)
ramps = np.round(ramps, 9)
before, after = ramps[:, :-1].ravel(), ramps[:, 1:].ravel()

symbols = sympy.symbols(names)
c, k, s, m = symbols
x, y = sympy.symbols("x y")
sd = s + m * x
one = -((y - x - c + k * x) ** 2) / (2 * sd**2) - sympy.log(sd) - sympy.log(2 * sympy.pi) / 2
arguments = (*symbols, x, y)
value = sympy.lambdify(arguments, one, "numpy")
gradient = [sympy.lambdify(arguments, sympy.diff(one, p), "numpy") for p in symbols]
hessian = [[sympy.lambdify(arguments, sympy.diff(one, p, q), "numpy") for p in symbols] for q in symbols]


def log_likelihood(p):
    if np.any(np.asarray(p) <= 0):
        return -np.inf
    return float(np.sum(value(*p, before, after)))


def total(f, p):
    return float(np.sum(f(*p, before, after) * np.ones_like(before)))


found = scipy.optimize.minimize(
    lambda p: -log_likelihood(p),
    list(truth.values()),
    method="Nelder-Mead",
    options=dict(xatol=1e-10, fatol=1e-10, maxiter=10000),
).x
for _ in range(20):
    g = np.array([total(f, found) for f in gradient])
    H = np.array([[total(f, found) for f in row] for row in hessian])
    found = found - np.linalg.solve(H, g)
covariance = np.linalg.inv(-H)

# steps of one spread: a plain regression
model = lmfit.Model(lambda G, c, k: c - k * G, independent_vars=["G"])
plain = model.fit(after - before, G=before, c=1.0, k=0.1, scale_covar=True)
n = len(before)
unbiased = n / (n - 2)  # lmfit divides by the degrees of freedom, maximum likelihood by n

walkers, draws = 32, 10_000
np.random.seed(1)
sampler = emcee.EnsembleSampler(walkers, 4, log_likelihood)
start = found * np.exp(0.01 * np.random.standard_normal((walkers, 4)))
start = sampler.run_mcmc(start, 2000).coords
sampler.reset()
sampler.run_mcmc(start, draws)
chain = sampler.get_chain(flat=True)
effective = walkers * draws / sampler.get_autocorr_time()

versions = {each.__name__: each.__version__ for each in (np, scipy, sympy, lmfit, emcee)}
result = {
    "versions": versions | {"python": sys.version.split()[0]},
    "made": datetime.date.today().isoformat(),
    "ramps": ramps.tolist(),
    "names": names,
    "truth": list(truth.values()),
    "logLikelihood": log_likelihood(found),
    "optimum": found.tolist(),
    "covariance": covariance.tolist(),
    "plain": {
        "optimum": [plain.params["c"].value, plain.params["k"].value],
        "covariance": (plain.covar / unbiased).tolist(),
        "sd": float(np.sqrt(np.mean(plain.residual**2))),
    },
    "posterior": {
        "mean": chain.mean(0).tolist(),
        "sd": chain.std(0).tolist(),
        "effective": effective.tolist(),
    },
}
print(json.dumps(result))
