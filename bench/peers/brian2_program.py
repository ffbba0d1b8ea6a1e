"""What the Brian2 cases share: a C++ standalone program is begun, compiled, and described for brian2_sample.py."""
import json
import pathlib
import time

import brian2 as b
from brian2 import device, ms, prefs, set_device


def begin(folder):
    """Everything after this goes into a program in `folder`: one thread, float64, dt 0.1 ms, seed 1234."""
    prefs.devices.cpp_standalone.openmp_threads = 0
    set_device('cpp_standalone', directory=folder, build_on_run=False)
    b.seed(1234)
    b.defaultclock.dt = 0.1 * ms


def finish(folder, *, size, duration, spikes, projections, weight=None):
    """Compiles the program and writes program.json: what ran, and where its results will lie."""
    start = time.time()
    device.build(directory=folder, compile=True, run=False)

    def place(variable):
        return device.get_array_filename(variable)

    (pathlib.Path(folder) / 'program.json').write_text(json.dumps({
        'peer': f'Brian2 {b.__version__}', 'compile_s': round(time.time() - start, 2),
        'size': size, 'duration': duration,
        'spikes': place(spikes.variables['N']),
        'synapses': [place(projection.variables['N']) for projection in projections],
        'weight': None if weight is None else place(weight.variables['w']),
    }, indent=1) + '\n')
