"""The golden CUBA raster: Brian2 on the network of cuba-network.ts, float64, 1 s, dt 0.1 ms.

    node test/golden/cuba-network.ts /tmp/cuba-network.bin
    /usr/bin/python3 test/golden/cuba_brian2.py /tmp/cuba-network.bin

Writes cuba.json (what was run, with which versions, what to expect) and cuba.bin.gz (the spikes) beside
itself. Runs the network on Brian2's numpy and cython targets, and again with every initial voltage off by
up to 1e-10 V; it refuses to write a raster that these runs do not agree on.
"""
import argparse
import datetime
import gzip
import hashlib
import json
import pathlib
import platform

import brian2
import numpy as np
from brian2 import (
    Network, NeuronGroup, SpikeMonitor, StateMonitor, Synapses, defaultclock, ms, mV, prefs, second, start_scope,
)

TICKS = 10_000
TRACED_CELLS, TRACED_TICKS = (0, 1, 3200), 200
HERE = pathlib.Path(__file__).parent


def read_network(path):
    data = pathlib.Path(path).read_bytes()
    size, size_e, count, _ = (int(word) for word in np.frombuffer(data, '<u4', 4))
    v = np.frombuffer(data, '<f8', size, 16)
    pre, post = np.frombuffer(data, '<u4', 2 * count, 16 + 8 * size).reshape(2, count).astype(np.int32)
    return dict(size=size, size_e=size_e, v=v, pre=pre, post=post, sha256=hashlib.sha256(data).hexdigest())


def run(net, target, shift=0.0):
    """Spikes (ticks, cells) in order of tick and cell, and the first ticks of three cells' variables."""
    start_scope()
    prefs.codegen.target = target
    defaultclock.dt = 0.1 * ms
    constants = dict(taum=20 * ms, taue=5 * ms, taui=10 * ms, Vt=-50 * mV, Vr=-60 * mV, El=-49 * mV,
                     we=1.62 * mV, wi=-9 * mV)
    cells = NeuronGroup(net['size'], '''
        dv/dt  = (ge + gi - (v - El)) / taum : volt (unless refractory)
        dge/dt = -ge / taue                  : volt
        dgi/dt = -gi / taui                  : volt
        ''', threshold='v > Vt', reset='v = Vr', refractory=5 * ms, method='exact', namespace=constants)
    cells.v = net['v'] * brian2.volt
    if shift:
        cells.v += shift * (2 * np.random.default_rng(1).random(net['size']) - 1) * brian2.volt
    excites = net['pre'] < net['size_e']
    exc = Synapses(cells, cells, on_pre='ge_post += we', namespace=constants, name='exc')
    exc.connect(i=net['pre'][excites], j=net['post'][excites])
    inh = Synapses(cells, cells, on_pre='gi_post += wi', namespace=constants, name='inh')
    inh.connect(i=net['pre'][~excites], j=net['post'][~excites])
    spikes = SpikeMonitor(cells)
    traces = StateMonitor(cells, ['v', 'ge', 'gi'], record=TRACED_CELLS)
    network = Network(cells, exc, inh, spikes, traces)
    network.run(TRACED_TICKS * defaultclock.dt)
    traces.active = False
    network.run((TICKS - TRACED_TICKS) * defaultclock.dt)
    ticks = np.rint(np.asarray(spikes.t / defaultclock.dt)).astype(np.int64)
    order = np.lexsort((spikes.i, ticks))
    return ticks[order], np.asarray(spikes.i)[order], {
        name: np.asarray(getattr(traces, name)) for name in ('v', 'ge', 'gi')}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('network', help='the file that cuba-network.ts wrote')
    net = read_network(parser.parse_args().network)
    ticks, cells, traces = run(net, 'numpy')
    for label, other in (('cython', run(net, 'cython')), ('shifted by 1e-10 V', run(net, 'numpy', 1e-10))):
        if not (np.array_equal(ticks, other[0]) and np.array_equal(cells, other[1])):
            raise SystemExit(f'the {label} run has another raster: this network cannot be a golden one')

    raster = (np.bincount(ticks, minlength=TICKS).astype('<u2').tobytes() + cells.astype('<u2').tobytes())
    (HERE / 'cuba.bin.gz').write_bytes(gzip.compress(raster, 9, mtime=0))
    half = ticks.searchsorted(TICKS // 2)
    (HERE / 'cuba.json').write_text(json.dumps({
        'about': 'CUBA (Brette et al. 2007, benchmark 2), 4,000 cells, 1 s: spikes of Brian2, float64',
        'made': {
            'script': 'test/golden/cuba_brian2.py', 'date': datetime.date.today().isoformat(),
            'brian2': brian2.__version__, 'numpy': np.__version__, 'python': platform.python_version(),
            'targets': ['numpy', 'cython'], 'precision': 'float64',
            'unchangedBy': 'uniform random errors of up to 1e-10 V in every initial voltage',
        },
        'dt': '0.1 ms', 'duration': '1 s', 'ticks': TICKS,
        'network': {
            'generator': 'test/golden/cuba-network.ts', 'size': net['size'], 'sizeE': net['size_e'], 'p': 0.02,
            'synapses': len(net['pre']), 'sha256': net['sha256'], 'we': '1.62 mV', 'wi': '-9 mV', 'delay': '0 ms',
        },
        'raster': {
            'file': 'cuba.bin.gz', 'sha256': hashlib.sha256(raster).hexdigest(),
            'layout': 'after gunzip, little-endian: u16 count[ticks], then u16 cell[spikes], ascending within a tick;'
                      ' a spike of tick n has the time n dt, its threshold was crossed by the step from n dt to (n + 1) dt',
            'spikes': len(ticks), 'spikesOfFirstHalf': int(half), 'meanRate': len(ticks) / net['size'],
        },
        'traces': {
            'about': f'cells {list(TRACED_CELLS)}, V; sample n is the state at n dt, before the step of tick n',
            'cells': list(TRACED_CELLS),
            **{name: values[:, :TRACED_TICKS:10].tolist() for name, values in traces.items()}, 'every': 10,
        },
    }, indent=1) + '\n')
    print(f'{len(ticks)} spikes, {len(ticks) / net["size"]:.3f} Hz,'
          f' {(HERE / "cuba.bin.gz").stat().st_size} bytes')


main()
