"""The network of Diehl & Cook 2015 under synthetic images: Brian2 C++ standalone, one thread, float64. The network is
written out in bench/README.md.

    /usr/bin/python3 bench/peers/brian2_diehl.py FOLDER --size 400 --images 20 --delay 10
"""
import argparse

import brian2 as b
import numpy as np
from brian2 import Hz, ms, mV, second

from brian2_program import begin, finish

parser = argparse.ArgumentParser()
parser.add_argument('folder')
parser.add_argument('--size', type=int, default=400, help='excitatory cells')
parser.add_argument('--images', type=int, default=20, help='each 350 ms and 150 ms of rest')
parser.add_argument('--delay', type=float, default=10, help='longest delay of the input, ms; each synapse has its own')
options = parser.parse_args()


def uniform(count, state=12345):
    """The numbers of bench/cases/diehl.ts."""
    numbers = np.empty(count)
    for k in range(count):
        state = (1664525 * state + 1013904223) % 2**32
        numbers[k] = state / 2**32
    return numbers


draws = uniform(2 * 784 * options.images).reshape(options.images, 784, 2)
images = np.where(draws[:, :, 0] < 0.2, 127.5 * draws[:, :, 1], 0)
rates = np.zeros((10 * options.images, 784))  # every 50 ms
for k in range(options.images):
    rates[10 * k:10 * k + 7] = images[k]

begin(options.folder)
b.defaultclock.dt = 0.5 * ms
stimulus = b.TimedArray(rates * Hz, dt=50 * ms)
pixels = b.PoissonGroup(784, 'stimulus(t, i)')
excitatory = b.NeuronGroup(options.size, '''
    dv/dt = (-65 * mV - v + ge * (0 * mV - v) + gi * (-100 * mV - v)) / (100 * ms) : volt (unless refractory)
    dge/dt = -ge / (1 * ms)         : 1
    dgi/dt = -gi / (2 * ms)         : 1
    dtheta/dt = -theta / (1e7 * ms) : volt
    ''', threshold='v > theta - 72 * mV', reset='v = -65 * mV; theta += 0.05 * mV', refractory=5 * ms,
    method='exponential_euler')
inhibitory = b.NeuronGroup(options.size, '''
    dv/dt = (-60 * mV - v + ge * (0 * mV - v)) / (10 * ms) : volt (unless refractory)
    dge/dt = -ge / (1 * ms)                                : 1
    ''', threshold='v > -40 * mV', reset='v = -45 * mV', refractory=2 * ms, method='exponential_euler')
excitatory.v = -105 * mV
excitatory.theta = 20 * mV
inhibitory.v = -100 * mV
plastic = b.Synapses(pixels, excitatory, '''
    w : 1
    dx/dt = -x / (20 * ms)   : 1 (event-driven)
    dy1/dt = -y1 / (20 * ms) : 1 (event-driven)
    dy2/dt = -y2 / (40 * ms) : 1 (event-driven)
    ''', on_pre='''
    ge_post += w
    x = 1
    w = clip(w - 1e-4 * y1, 0, 1)
    ''', on_post='''
    w = clip(w + 1e-2 * x * y2, 0, 1)
    y1 = 1
    y2 = 1
    ''')
plastic.connect(True)
plastic.w = '0.2 * rand()'
if options.delay > 0:
    plastic.pre.delay = f'rand() * {options.delay} * ms'
drive = b.Synapses(excitatory, inhibitory, on_pre='ge_post += 10.4')
drive.connect(j='i')
block = b.Synapses(inhibitory, excitatory, on_pre='gi_post += 17')
block.connect('i != j')
spikes = b.SpikeMonitor(excitatory, record=False)
network = b.Network(pixels, excitatory, inhibitory, plastic, drive, block, spikes)
network.run(0.5 * options.images * second)
finish(options.folder, size=options.size, duration=0.5 * options.images, spikes=spikes, projections=[plastic, drive, block])
