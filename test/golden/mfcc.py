"""Mel-frequency cepstral coefficients, for test/encode: python mfcc.py > mfcc.json

Needs tensorflow, scipy, numpy (versions are written into the file). Sounds are formulas that the test repeats: a rising tone, a
pulsed pair of tones and noise of a linear congruential generator. `power` 1: TensorFlow's operators AudioSpectrogram
(magnitude_squared, as in the keyword-spotting code of Zhang et al.) and Mfcc, which takes roots. `power` 2: scipy.fft.rfft,
tf.signal.linear_to_mel_weight_matrix in float64, scipy.fft.dct.
"""

import datetime
import json
import os
import platform
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import scipy
import scipy.fft
import scipy.signal
import tensorflow as tf


def noise(count, seed):
    state, values = seed, []
    for _ in range(count):
        state = state * 48271 % 2147483647
        values.append(state / 2147483647 - 0.5)
    return np.array(values)


def chirp(rate):
    t = np.arange(rate) / rate
    return 0.5 * np.sin(2 * np.pi * (100 * t + 0.4 * rate / 2 * t * t)) + 0.01 * noise(rate, 1)


def pulses(rate):
    t = np.arange(rate) / rate
    on = np.sin(2 * np.pi * 3 * t) > 0
    return on * (0.2 * np.sin(2 * np.pi * 440 * t) + 0.1 * np.sin(2 * np.pi * 1210 * t)) + 0.001 * noise(rate, 2)


def root(x, o):
    spectrogram = tf.raw_ops.AudioSpectrogram(
        input=x.astype(np.float32)[:, None], window_size=o["window"], stride=o["hop"], magnitude_squared=True)
    return tf.raw_ops.Mfcc(
        spectrogram=spectrogram, sample_rate=o["rate"], upper_frequency_limit=float(o["highest"]),
        lower_frequency_limit=float(o["lowest"]), filterbank_channel_count=o["bands"],
        dct_coefficient_count=o["coefficients"]).numpy()[0].astype(float)


def square(x, o):
    window, hop = o["window"], o["hop"]
    size = 1 << (window - 1).bit_length()
    frames = np.lib.stride_tricks.sliding_window_view(x, window)[::hop] * scipy.signal.get_window("hann", window)
    power = np.abs(scipy.fft.rfft(frames, size)) ** 2
    weights = tf.signal.linear_to_mel_weight_matrix(
        o["bands"], size // 2 + 1, o["rate"], o["lowest"], o["highest"], tf.float64).numpy()
    y = scipy.fft.dct(np.log(np.maximum(power @ weights, 1e-12)), type=2, axis=1)[:, : o["coefficients"]]
    return y / 2 * np.sqrt(2 / o["bands"])  # scipy's transform has a factor of 2


keywords = {"rate": 16000, "window": 640, "hop": 320, "bands": 40, "lowest": 20, "highest": 4000, "coefficients": 10}
telephone = {"rate": 8000, "window": 200, "hop": 80, "bands": 20, "lowest": 250, "highest": 3700, "coefficients": 13}


def case(name, sound, o, every):
    x = sound(o["rate"])
    kept = {power: f(x, o) for power, f in ((1, root), (2, square))}
    return {"sound": name, **o, "every": every, "frames": len(kept[2]),
            "rows": {power: np.round(y[::every], 7).tolist() for power, y in kept.items()}}


out = {
    "made": f"{datetime.date.today()} by mfcc.py: TensorFlow {tf.__version__}, SciPy {scipy.__version__}, "
    f"numpy {np.__version__}, Python {platform.python_version()}",
    "cases": [
        case("chirp", chirp, keywords, 4),
        case("pulses", pulses, keywords, 4),
        case("chirp", chirp, telephone, 8),
        case("pulses", pulses, telephone, 8),
    ],
}
json.dump(out, sys.stdout, separators=(",", ":"))
