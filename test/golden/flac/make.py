"""Makes the FLAC files of this folder and samples.json: what independent decoders make of them.

Run once with flac 1.4.2 (Debian 12), Python 3.11, numpy 2.4.6 and soundfile 0.14.0 (libsndfile 1.2.2):
    python3 make.py ../../../datasets/spoken-letters
Signals are seeded; each stresses a part of the format, as its name says. The hash is SHA-256 of the samples as
little-endian int32, channel after channel, as decoded by libsndfile and, independently, by `flac -d`.
"""
import hashlib, json, os, subprocess, sys, tempfile
import numpy as np, soundfile as sf

rng = np.random.default_rng(20)
here = os.path.dirname(os.path.abspath(__file__))


def tone(n, rate, f):
    return np.sin(2 * np.pi * f * np.arange(n) / rate)


def cases():
    n = 3000
    voice = tone(n, 8000, 150) * 0.4 + tone(n, 8000, 1300) * 0.2 + rng.normal(0, 0.01, n)
    yield "linear-16", 8000, 16, voice[:, None], ["-8", "-b", "576"]
    yield "fixed-16", 8000, 16, (tone(n, 8000, 50) * 0.5)[:, None], ["-0", "-l", "0", "-b", "576"]
    yield "noise-16", 44100, 16, rng.uniform(-1, 1, (800, 1)), ["-5", "-b", "192"]
    yield "silence-16", 16000, 16, np.zeros((5000, 1)), ["-5"]
    wasted = np.round(voice * 2**10) * 2**5 / 2**15
    yield "wasted-16", 8000, 16, wasted[:, None], ["-5", "-b", "512"]
    left = tone(n, 44100, 440) * 0.6
    stereo = np.stack([left + rng.normal(0, 0.001, n), left * 0.9 + rng.normal(0, 0.001, n)], 1)
    yield "stereo-16", 44100, 16, stereo, ["-8", "-m", "-b", "1000"]
    yield "stereo-side-16", 48000, 16, np.stack([stereo[:, 0], stereo[:, 0] * 0.999], 1), ["-8", "-b", "1152"]
    yield "linear-24", 96000, 24, (tone(n, 96000, 900) * 0.7 + rng.normal(0, 0.05, n))[:, None], ["-8", "-b", "1000"]
    yield "three-channels-24", 22050, 24, rng.normal(0, 0.1, (700, 3)).cumsum(0) / 10, ["-5", "-b", "300"]
    yield "unsigned-8", 11025, 8, voice[:, None], ["-8", "-b", "4608"]


def digest(samples):
    return hashlib.sha256(np.ascontiguousarray(samples.T.astype("<i4")).tobytes()).hexdigest()


def decoded(path):
    info = sf.info(path)
    bits = int(info.subtype.split("_")[1].replace("S8", "8"))
    a, rate = sf.read(path, dtype="int32", always_2d=True)
    a >>= 32 - bits
    with tempfile.TemporaryDirectory() as folder:
        raw = os.path.join(folder, "x.raw")
        subprocess.run(["flac", "-s", "-d", "--force-raw-format", "--endian=little", "--sign=signed", "-o", raw, path], check=True)
        b = open(raw, "rb").read()
    width = bits // 8
    c = np.frombuffer(b, np.uint8).reshape(-1, width)
    wide = np.zeros((len(c), 4), np.uint8)
    wide[:, 4 - width :] = c
    other = (wide.view("<i4")[:, 0] >> (32 - bits)).reshape(a.shape)
    assert (other == a).all(), path
    return {"rate": rate, "bits": bits, "channels": a.shape[1], "samples": a.shape[0], "sha256": digest(a)}


result = {"decoders": ["libsndfile 1.2.2", "flac 1.4.2"], "files": {}}
for name, rate, bits, x, options in cases():
    full = 2 ** (bits - 1)
    x = np.clip(np.round(x * full), -full, full - 1).astype(np.int32) << (32 - bits)
    with tempfile.TemporaryDirectory() as folder:
        wav = os.path.join(folder, "x.wav")
        sf.write(wav, x, rate, format="WAVEX", subtype={8: "PCM_U8", 16: "PCM_16", 24: "PCM_24"}[bits])
        out = os.path.join(here, name + ".flac")
        subprocess.run(["flac", "-s", "-f", "--no-padding", "--no-seektable", "--channel-map=none", *options, "-o", out, wav], check=True)
    result["files"][name + ".flac"] = decoded(out)
for letter in "ibm":
    result["files"][f"spoken-letters/{letter}.flac"] = decoded(os.path.join(sys.argv[1], letter + ".flac"))
with open(os.path.join(here, "samples.json"), "w") as f:
    json.dump(result, f, indent=1)
    f.write("\n")
