"""Golden files that pin the meaning of a tick: small networks, run in Brian2, float64.

    /usr/bin/python3 test/golden/semantics_brian2.py            # writes semantics/*.json
    /usr/bin/python3 test/golden/semantics_brian2.py --check    # runs all again on Brian2's cython target, compares

The cases are in semantics_cases.py, written in memspike's language. This program translates that language
to Brian2's (units, powers, `event-driven`), so a golden file holds exactly the network that was run:

    network   parts in order: `spikeSource` (t in s, i), `neurons` (model, size, initial), `synapses` (model,
              pre, post, pairs, delay, initial). `pre` and `post` are a part's key, or [key, from, to] for a slice;
              pairs count from the start of the slice. A delay is one time or one per pair. Numbers are SI.
    expected  spikes: [tick, cell] by tick, then cell; a spike of tick n carries the time n dt.
              traces: [element][sample], SI; sample n is the state at n dt, before the step of tick n; the last
              sample is the state after the run. Elements are cells, or synapses in the order of `pairs`.
              With `every: k` only the samples 0, k, 2k ... and the last are kept.
"""
import argparse
import datetime
import json
import pathlib
import platform
import re

import brian2
import numpy as np
from brian2 import (
    Network, NeuronGroup, Quantity, SpikeGeneratorGroup, SpikeMonitor, StateMonitor, Synapses, defaultclock, ms,
    prefs, second, start_scope,
)

from semantics_cases import CASES

FOLDER = pathlib.Path(__file__).parent / 'semantics'
UNITS = {'V': 'volt', 'A': 'amp', 'S': 'siemens', 'F': 'farad', 's': 'second', 'Hz': 'hertz', '1': '1', 'ohm': 'ohm'}


def quantity(text):
    """'5 ms' as a Brian2 quantity; a number as itself."""
    if isinstance(text, (int, float)):
        return text
    number, unit = re.fullmatch(r'(\S+) (\w+)', text).groups()
    return float(number) * getattr(brian2, UNITS.get(unit, unit))


def translate_equations(text, lazily=False):
    """Equations of memspike as Brian2's; `lazily`: linear synaptic states become event-driven."""
    lines = []
    for line in filter(None, (line.split('#')[0].strip() for line in text.splitlines())):
        body, unit, flags = re.fullmatch(r'(.*):\s*([\w/*^]+)\s*(\(.*\))?', line).groups()
        flags = '' if flags in (None, '(weight)') else flags
        if lazily and '/dt' in body:
            flags = '(event-driven)'
        unit = re.sub(r'[A-Za-z]+', lambda name: UNITS[name.group()], unit)
        lines.append(f'{body.replace("^", "**")} : {unit} {flags}')
    return '\n'.join(lines)


def translate_statements(text):
    return '\n'.join(part.strip().replace('^', '**') for part in text.split(';'))


def set_initial(group, initial):
    for name, values in initial.items():
        variable = group.variables[name]
        getattr(group, name)[:] = Quantity(np.asarray(values, float), dim=variable.dim)


def build(case):
    """The Brian2 objects of a case, by key of the part. Names carry the order of the parts."""
    parts, objects = case['network'], {}

    def end(reference):
        if isinstance(reference, str):
            return objects[reference]
        key, start, stop = reference
        return objects[key][start:stop]

    for order, (key, part) in enumerate(parts.items()):
        name = f'part{order:02d}_{key}'
        if part['kind'] == 'spikeSource':
            objects[key] = SpikeGeneratorGroup(part['size'], part['i'], np.asarray(part['t']) * second, name=name)
            continue
        model = part['model']
        constants = {k: quantity(v) for k, v in model.get('parameters', {}).items()}
        if part['kind'] == 'neurons':
            refractory = model.get('refractory', False)
            if refractory and ' ' in refractory:
                refractory = quantity(refractory)
            group = NeuronGroup(
                part['size'], translate_equations(model['equations']), namespace=constants, name=name,
                threshold=model.get('threshold', '').replace('^', '**') or None,
                reset=translate_statements(model['reset']) if 'reset' in model else None,
                refractory=refractory, method=model.get('method', 'exact').replace('-', '_'))
        else:
            on = {handler: translate_statements(text) for handler, text in model['on'].items()}
            group = Synapses(
                end(part['pre']), end(part['post']), translate_equations(model.get('equations', ''), lazily=True),
                on_pre=on.get('pre'), on_post=on.get('post'), namespace=constants, name=name, method='exact')
            pre, post = np.asarray(part['pairs'], int).T
            group.connect(i=pre, j=post)
            if 'pre' in on:
                delay = part.get('delay', '0 ms')
                many = not isinstance(delay, str)
                group.pre.delay = ([float(quantity(d)) for d in delay] if many else float(quantity(delay))) * second
        set_initial(group, part.get('initial', {}))
        objects[key] = group
    return objects


def run(case, target):
    start_scope()
    prefs.codegen.target = target
    dt = quantity(case['dt'])
    defaultclock.dt = dt
    objects = build(case)
    spikes = {key: SpikeMonitor(objects[key]) for key in case['record'].get('spikes', [])}
    traces = {key: StateMonitor(objects[key], names, record=True)
              for key, names in case['record'].get('traces', {}).items()}
    Network(*objects.values(), *spikes.values(), *traces.values()).run(case['ticks'] * dt)
    every = case['record'].get('every', 1)

    def raster(monitor):
        ticks = np.rint(np.asarray(monitor.t) / float(dt)).astype(int).tolist()
        return sorted([tick, cell] for tick, cell in zip(ticks, np.asarray(monitor.i).tolist()))

    def samples(key, name):
        recorded = np.asarray(getattr(traces[key], name))[:, ::every]
        return np.column_stack([recorded, np.asarray(getattr(objects[key], name))]).tolist()

    expected = {'spikes': {key: raster(monitor) for key, monitor in spikes.items()}}
    if traces:
        expected['traces'] = {key: {name: samples(key, name) for name in names}
                              for key, names in case['record']['traces'].items()}
        expected['every'] = every
    return expected


def dump(value, depth=0):
    """JSON with one line for each innermost list, so that a changed number is a changed line."""
    indent = ' ' * (depth + 1)
    flat = json.dumps(value)
    if not isinstance(value, (dict, list)) or not value or (isinstance(value, list) and not isinstance(value[0], list)):
        return flat
    if isinstance(value, list) and len(flat) < 110:
        return flat
    if isinstance(value, dict):
        body = [f'{indent}{json.dumps(key)}: {dump(item, depth + 1)}' for key, item in value.items()]
        return '{\n' + ',\n'.join(body) + '\n' + ' ' * depth + '}'
    return '[\n' + ',\n'.join(indent + dump(item, depth + 1) for item in value) + '\n' + ' ' * depth + ']'


def difference(ours, theirs):
    """Largest difference of two equal-shaped records relative to the largest value of each trace."""
    if ours['spikes'] != theirs['spikes']:
        return float('inf')
    worst = 0.0
    for key, names in ours.get('traces', {}).items():
        for name, values in names.items():
            a, b = np.asarray(values), np.asarray(theirs['traces'][key][name])
            worst = max(worst, np.abs(a - b).max() / max(np.abs(a).max(), 1e-300))
    return worst


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('cases', nargs='*', help='names of cases; all when left out')
    parser.add_argument('--check', action='store_true', help='compare with the files instead of writing them')
    options = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    made = {
        'script': 'test/golden/semantics_brian2.py', 'date': datetime.date.today().isoformat(),
        'brian2': brian2.__version__, 'numpy': np.__version__, 'python': platform.python_version(),
        'target': 'numpy', 'precision': 'float64',
    }
    for name, case in CASES.items():
        if options.cases and name not in options.cases:
            continue
        path = FOLDER / f'{name}.json'
        if options.check:
            golden = json.loads(path.read_text())
            worst = difference(golden['expected'], run(case, 'cython'))
            print(f'{name}: cython differs by {worst:.1e}')
            continue
        golden = {'name': name, 'rule': ' '.join(case['rule'].split()), 'made': made,
                  **{k: v for k, v in case.items() if k not in ('rule', 'record')}, 'expected': run(case, 'numpy')}
        path.write_text(dump(golden) + '\n')
        print(f'{name}: {path.stat().st_size} bytes,',
              {key: len(spikes) for key, spikes in golden['expected']['spikes'].items()})


if __name__ == '__main__':
    main()
