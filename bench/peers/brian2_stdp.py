"""Excitatory-inhibitory network under Poisson drive, with pair STDP on all excitatory synapses: Brian2 C++
standalone, one thread, float64. The network is written out in bench/README.md.

    /usr/bin/python3 bench/peers/brian2_stdp.py FOLDER --size 10000 --p 0.1 --duration 1 [--static]
"""
import argparse

import brian2 as b
from brian2 import Hz, ms, mV, second

from brian2_program import begin, finish

parser = argparse.ArgumentParser()
parser.add_argument('folder')
parser.add_argument('--size', type=int, default=10000, help='cells, 80 %% of them excitatory')
parser.add_argument('--p', type=float, default=0.1, help='connection probability')
parser.add_argument('--duration', type=float, default=1.0, help='s')
parser.add_argument('--static', action='store_true', help='no plasticity')
options = parser.parse_args()

begin(options.folder)
constants = dict(taum=20 * ms, taus=5 * ms, Vt=20 * mV, Vr=10 * mV, tau=20 * ms, w0=0.1 * mV, wmax=0.2 * mV,
                 g=6.0, Ap=0.001 * mV, Am=0.00105 * mV)
cells = b.NeuronGroup(options.size, '''
    dv/dt = (I - v) / taum : volt (unless refractory)
    dI/dt = -I / taus      : volt
    ''', threshold='v > Vt', reset='v = Vr', refractory=2 * ms, method='exact', namespace=constants)
cells.v = 'rand() * Vt'
# 1000 sources of 10 Hz for each cell; a single source of 10 kHz would have p > 1 and give nothing
drive = b.PoissonInput(cells, 'I', N=1000, rate=10 * Hz, weight=0.4 * mV)
size_e = int(0.8 * options.size)
if options.static:
    exc = b.Synapses(cells, cells, 'w : volt', on_pre='I_post += w', delay=1.5 * ms, namespace=constants)
else:
    exc = b.Synapses(cells, cells, '''
        dx/dt = -x / tau : volt (event-driven)
        dy/dt = -y / tau : volt (event-driven)
        w : volt
        ''', on_pre='''
        I_post += w
        x += Ap
        w = clip(w - y, 0 * mV, wmax)
        ''', on_post='''
        y += Am
        w = clip(w + x, 0 * mV, wmax)
        ''', delay=1.5 * ms, namespace=constants)
exc.connect(f'i < {size_e} and i != j', p=options.p)
exc.w = 'w0'
inh = b.Synapses(cells, cells, on_pre='I_post -= g * w0', delay=1.5 * ms, namespace=constants)
inh.connect(f'i >= {size_e} and i != j', p=options.p)
spikes = b.SpikeMonitor(cells, record=False)
network = b.Network(cells, drive, exc, inh, spikes)
network.run(options.duration * second)
finish(options.folder, size=options.size, duration=options.duration, spikes=spikes, projections=[exc, inh], weight=exc)
