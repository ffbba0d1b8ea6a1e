"""One sample: runs a program that brian2_cuba.py or brian2_stdp.py compiled and prints one line of JSON.

    python3 bench/peers/brian2_sample.py FOLDER

`run_s` is Brian2's own figure: the simulation without building the network and writing results.
"""
import array
import json
import pathlib
import subprocess
import sys
import time

folder = pathlib.Path(sys.argv[1])
program = json.loads((folder / 'program.json').read_text())
start = time.time()
subprocess.run(['./main'], cwd=folder, check=True, stdout=subprocess.DEVNULL)
total = time.time() - start


def numbers(path, code):
    values = array.array(code)
    values.frombytes((folder / path).read_bytes())
    return values


run_s, _ = (float(word) for word in (folder / 'results' / 'last_run_info.txt').read_text().split())
spikes = numbers(program['spikes'], 'i')[0]
sample = {
    'peer': program['peer'], 'run_s': run_s, 'spikes': spikes,
    'rate_hz': spikes / program['size'] / program['duration'],
    'synapses': sum(numbers(path, 'i')[0] for path in program['synapses']),
    'build_s': round(total - run_s, 3), 'compile_s': program['compile_s'],
}
if program['weight']:
    weights = numbers(program['weight'], 'd')
    sample['mean_weight_mv'] = 1e3 * sum(weights) / len(weights)
print(json.dumps(sample))
