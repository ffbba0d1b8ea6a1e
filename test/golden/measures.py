"""Measures of spike trains, for test/report: python measures.py FOLDER > measures.json

Needs pyspike, elephant, neo, quantities, numpy (versions are written into the file) and the folder of recorded spikes. Trains
are whole ticks, so that both sides compare the same numbers; PySpike is given ticks, elephant milliseconds. Recorded excerpts:
retina and subthalamic nucleus, from https://github.com/Mark-Kramer/Case-Studies-Python (commit 060e67e8, MIT licence,
copyright Mark Kramer and Uri Eden), rounded to the tick. Cases with a `file` are of the whole file, which is not here.
"""

import csv
import datetime
import json
import platform
import sys
from collections import defaultdict

import elephant
import neo
import numpy as np
import pyspike
import quantities as pq
from elephant.conversion import BinnedSpikeTrain
from elephant import spike_train_correlation as correlation
from elephant import spike_train_dissimilarity as dissimilarity
from elephant import statistics

FOLDER = sys.argv[1]


def upper(matrix):
    """Entries above the diagonal, row by row; of more than 12 trains every 37th."""
    matrix = np.asarray(matrix, float)
    entries = [matrix[i, j] for i in range(len(matrix)) for j in range(i + 1, len(matrix))]
    return entries[:: 1 if len(matrix) <= 12 else 37]


def kreuz(trains, duration, window=None):
    spikes = [pyspike.SpikeTrain(np.array(t, float), [0, duration]) for t in trains]
    options = {} if window is None else {"interval": window}
    return {
        "isi": upper(pyspike.isi_distance_matrix(spikes, **options)),
        "spike": upper(pyspike.spike_distance_matrix(spikes, **options)),
        "synchronization": upper(pyspike.spike_sync_matrix(spikes, **options)),
        "isiMean": pyspike.isi_distance(spikes, **options),
        "spikeMean": pyspike.spike_distance(spikes, **options),
        "synchronizationMean": pyspike.spike_sync(spikes, **options),
    }


def of_elephant(trains, tick, duration, bin_ticks, distances):
    ms = tick * 1e3
    neos = [neo.SpikeTrain(np.array(t, float) * ms * pq.ms, t_start=0 * pq.ms, t_stop=duration * ms * pq.ms) for t in trains]
    isis = [np.diff(np.array(t, float) * ms) * pq.ms for t in trains if len(t) > 2]
    bins = duration // bin_ticks
    cut = bins * bin_ticks * ms * pq.ms
    binned = BinnedSpikeTrain(neos, bin_size=bin_ticks * ms * pq.ms, t_start=0 * pq.ms, t_stop=cut)
    fine = [
        BinnedSpikeTrain(n, bin_size=ms * pq.ms, t_start=0 * pq.ms, t_stop=duration * ms * pq.ms, tolerance=1e-6) for n in neos[:2]
    ]
    cch, lags = correlation.cross_correlation_histogram(fine[0], fine[1], window=[-20, 20])
    out = {
        "bin": bin_ticks,
        "CV": float(np.mean([statistics.cv(i) for i in isis])),
        "CV2": float(np.mean([statistics.cv2(i) for i in isis])),
        "LV": float(np.mean([statistics.lv(i) for i in isis])),
        "LvR": float(np.mean([statistics.lvr(i, R=5 * pq.ms) for i in isis])),
        "correlations": upper(correlation.correlation_coefficient(binned)),
        "correlogram": [int(c) for c in np.round(cch.magnitude.flatten())],
        "lags": [int(lag) for lag in lags],
        "psth": [
            float(r) * 1000 / bin_ticks / ms
            for r in statistics.time_histogram(
                neos, bin_size=bin_ticks * ms * pq.ms, t_start=0 * pq.ms, t_stop=cut, output="mean"
            ).magnitude.flatten()
        ],
    }
    if distances:
        out["tau"] = bin_ticks
        out["vanRossum"] = upper(dissimilarity.van_rossum_distance(neos, time_constant=bin_ticks * ms * pq.ms))
        out["victorPurpura"] = upper(
            dissimilarity.victor_purpura_distance(neos, cost_factor=1 / (bin_ticks * ms * pq.ms))
        )
    return out


def case(name, trains, tick, duration, bin_ticks, window, distances=True, given=True, **more):
    window = [end + 0.5 for end in window]  # no spike lies at an end, where conventions differ
    trains = [sorted({int(t) for t in train}) for train in trains]
    return {
        "name": name,
        **more,
        "tick": tick,
        "duration": duration,
        "window": window,
        **({"trains": trains} if given else {}),
        "pyspike": kreuz(trains, duration),
        "pyspikeWindow": kreuz(trains, duration, window),
        "elephant": of_elephant(trains, tick, duration, bin_ticks, distances),
    }


def grouped(file, key, time):
    groups = defaultdict(list)
    with open(f"{FOLDER}/{file}") as lines:
        for row in csv.DictReader(lines):
            groups[row[key]].append(float(row[time]))
    return list(groups.values())


random = np.random.default_rng(7)
poisson = [np.flatnonzero(random.random(20000) < rate * 1e-4) for rate in (5, 20, 20, 50, 80, 10)]
jittered = [np.clip(poisson[3] + random.integers(-20, 21, len(poisson[3])), 0, 19999) for _ in range(3)]
retina = [[round(t / 1e-4) for t in train] for train in grouped("retina_spikes_s.csv", "condition", "spike_time_s")]
stn = [[t + 1000 for t in train] for train in grouped("stn_50trials_ms.csv", "trial", "spike_time_ms_rel_movement")]
hippocampus = grouped("hippocampus_100trials_ms.csv", "trial", "spike_time_ms")
mouse = [[round(t / 1e-4) for t in train] for train in grouped("mouse_A8604_units_s.csv", "unit", "spike_time_s")]

out = {
    "made": f"{datetime.date.today()} by measures.py: PySpike {pyspike.__version__}, elephant {elephant.__version__}, "
    f"numpy {np.__version__}, Python {platform.python_version()}",
    "cases": [
        case("few spikes", [[100, 250, 400, 700], [110, 260, 390, 720], [500], [20, 980], [100, 700]], 1e-3, 1000, 50, [90, 650]),
        case("Poisson", poisson, 1e-4, 20000, 200, [5000, 15000]),
        case("one train jittered by 2 ms", [poisson[3], *jittered], 1e-4, 20000, 100, [3000, 9000]),
        case("retina, first 10 s", [[t for t in r if t < 100000] for r in retina], 1e-4, 100000, 1000, [20000, 60000]),
        case("subthalamic nucleus, 8 trials", stn[:8], 1e-3, 2001, 50, [500, 1500]),
        case("hippocampus", hippocampus, 1e-3, 1001, 20, [200, 700], False, False,
             file="hippocampus_100trials_ms.csv", group="trial", time="spike_time_ms", offset=0),
        case("subthalamic nucleus", stn, 1e-3, 2001, 50, [500, 1500], False, False,
             file="stn_50trials_ms.csv", group="trial", time="spike_time_ms_rel_movement", offset=1000),
        case("mouse", mouse, 1e-4, 10880000, 100000, [1000000, 5000000], False, False,
             file="mouse_A8604_units_s.csv", group="unit", time="spike_time_s", offset=0),
    ],
}
json.dump(out, sys.stdout, separators=(",", ":"))
