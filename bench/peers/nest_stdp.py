"""One sample of the excitatory-inhibitory network with pair STDP in NEST: prints one line of JSON.

    bench/peers/build/nest/bin/python bench/peers/nest_stdp.py --size 10000 --p 0.1 --duration 1 --threads 1 [--static]

`stdp_synapse_hom` keeps its parameters once; its delay counts as dendritic, so the pre event acts on departure. The
drive is one Poisson generator of 10 kHz, which gives each cell a train of its own.
"""
import argparse
import json
import time

import nest

parser = argparse.ArgumentParser()
parser.add_argument('--size', type=int, default=10000, help='cells, 80 %% of them excitatory')
parser.add_argument('--p', type=float, default=0.1, help='connection probability')
parser.add_argument('--duration', type=float, default=1.0, help='s')
parser.add_argument('--measured', type=float, help='s')
parser.add_argument('--threads', type=int, default=1)
parser.add_argument('--static', action='store_true', help='no plasticity')
options = parser.parse_args()
measured = options.measured or options.duration

nest.set_verbosity('M_ERROR')
nest.resolution = 0.1
nest.local_num_threads = options.threads
nest.rng_seed = 1234
start = time.time()
cells = nest.Create('iaf_psc_exp', options.size, dict(
    C_m=20.0, tau_m=20.0, tau_syn_ex=5.0, tau_syn_in=5.0, V_th=20.0, V_reset=10.0, E_L=0.0, t_ref=2.0, I_e=0.0,
    tau_minus=20.0))
cells.V_m = nest.random.uniform(0.0, 20.0)
size_e = int(0.8 * options.size)
drive = nest.Create('poisson_generator', params=dict(rate=10000.0))
nest.Connect(drive, cells, 'all_to_all', dict(synapse_model='static_synapse', weight=0.4, delay=1.5))
connect = dict(rule='pairwise_bernoulli', p=options.p, allow_autapses=False)
if options.static:
    nest.CopyModel('static_synapse', 'exc')
else:
    nest.CopyModel('stdp_synapse_hom', 'exc', {
        'lambda': 0.005, 'alpha': 1.05, 'mu_plus': 0.0, 'mu_minus': 0.0, 'tau_plus': 20.0, 'Wmax': 0.2})
nest.CopyModel('static_synapse_hom_w', 'inh', dict(weight=-0.6, delay=1.5))
nest.Connect(cells[:size_e], cells, connect, dict(synapse_model='exc', weight=0.1, delay=1.5))
nest.Connect(cells[size_e:], cells, connect, dict(synapse_model='inh'))
build = time.time() - start

nest.Prepare()
start = time.time()
nest.Run(1000 * measured)
run = time.time() - start
spikes = nest.local_spike_counter
nest.Cleanup()
print(json.dumps({
    'peer': f'NEST {nest.__version__}', 'run_s': run * options.duration / measured, 'measured_s': measured,
    'spikes': spikes, 'rate_hz': spikes / options.size / measured,
    'synapses': nest.num_connections, 'build_s': round(build, 3),
}))
