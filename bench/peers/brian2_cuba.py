"""CUBA (Brette et al. 2007, benchmark 2) as a Brian2 C++ standalone program, one thread, float64.

    /usr/bin/python3 bench/peers/brian2_cuba.py FOLDER --size 4000 --p 0.02 --scale 1 --duration 10

Compiles the program once into FOLDER; brian2_sample.py runs it, as often as wanted.
"""
import argparse

import brian2 as b
from brian2 import ms, mV, second

from brian2_program import begin, finish

parser = argparse.ArgumentParser()
parser.add_argument('folder')
parser.add_argument('--size', type=int, default=4000, help='cells')
parser.add_argument('--p', type=float, default=0.02, help='connection probability')
parser.add_argument('--scale', type=float, default=1.0, help='factor on all weights')
parser.add_argument('--duration', type=float, default=10.0, help='s')
options = parser.parse_args()

begin(options.folder)
constants = dict(taum=20 * ms, taue=5 * ms, taui=10 * ms, Vt=-50 * mV, Vr=-60 * mV, El=-49 * mV,
                 we=1.62 * options.scale * mV, wi=-9 * options.scale * mV)
cells = b.NeuronGroup(options.size, '''
    dv/dt  = (ge + gi - (v - El)) / taum : volt (unless refractory)
    dge/dt = -ge / taue                  : volt
    dgi/dt = -gi / taui                  : volt
    ''', threshold='v > Vt', reset='v = Vr', refractory=5 * ms, method='exact', namespace=constants)
cells.v = 'Vr + rand() * (Vt - Vr)'
size_e = int(0.8 * options.size)
exc = b.Synapses(cells, cells, on_pre='ge_post += we', namespace=constants)
exc.connect(f'i < {size_e}', p=options.p)
inh = b.Synapses(cells, cells, on_pre='gi_post += wi', namespace=constants)
inh.connect(f'i >= {size_e}', p=options.p)
spikes = b.SpikeMonitor(cells, record=False)
network = b.Network(cells, exc, inh, spikes)
network.run(options.duration * second)
finish(options.folder, size=options.size, duration=options.duration, spikes=spikes, projections=[exc, inh])
