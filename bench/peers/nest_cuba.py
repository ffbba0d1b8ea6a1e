"""One sample of CUBA (Brette et al. 2007, benchmark 2) in NEST: prints one line of JSON.

    bench/peers/build/nest/bin/python bench/peers/nest_cuba.py --size 4000 --p 0.02 --scale 1 --duration 10 --threads 1

The delay is one step, NEST's smallest. With `--measured s` only that much is simulated and `run_s` is scaled up to
`--duration`.
"""
import argparse
import json
import time

import nest

parser = argparse.ArgumentParser()
parser.add_argument('--size', type=int, default=4000, help='cells')
parser.add_argument('--p', type=float, default=0.02, help='connection probability')
parser.add_argument('--scale', type=float, default=1.0, help='factor on all weights')
parser.add_argument('--duration', type=float, default=10.0, help='s')
parser.add_argument('--measured', type=float, help='s')
parser.add_argument('--threads', type=int, default=1)
options = parser.parse_args()
measured = options.measured or options.duration

nest.set_verbosity('M_ERROR')
nest.resolution = 0.1
nest.local_num_threads = options.threads
nest.rng_seed = 1234
start = time.time()
# with 20 pF and 20 ms a current in pA is a voltage of the model in mV
cells = nest.Create('iaf_psc_exp', options.size, dict(
    C_m=20.0, tau_m=20.0, tau_syn_ex=5.0, tau_syn_in=10.0, V_th=-50.0, V_reset=-60.0, E_L=-49.0, t_ref=5.0, I_e=0.0))
cells.V_m = nest.random.uniform(-60.0, -50.0)
size_e = int(0.8 * options.size)
connect = dict(rule='pairwise_bernoulli', p=options.p)
nest.CopyModel('static_synapse_hom_w', 'exc', dict(weight=1.62 * options.scale, delay=0.1))
nest.CopyModel('static_synapse_hom_w', 'inh', dict(weight=-9 * options.scale, delay=0.1))
nest.Connect(cells[:size_e], cells, connect, dict(synapse_model='exc'))
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
