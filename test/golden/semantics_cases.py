"""The networks of semantics_brian2.py, in memspike's language: data only, nothing of Brian2.

Each case: `rule` (what it pins, in words), `dt`, `ticks`, `network` and what to `record`.
"""
import random


def source(size, spikes):
    """A spike source; `spikes` are (time in ms, cell)."""
    spikes = sorted(spikes)
    return {'kind': 'spikeSource', 'size': size, 't': [round(t * 1e-3, 10) for t, _ in spikes],
            'i': [i for _, i in spikes]}


def neurons(size, model, **initial):
    return {'kind': 'neurons', 'size': size, 'model': model, 'initial': initial}


def synapses(pre, post, model, pairs, delay=None, **initial):
    part = {'kind': 'synapses', 'pre': pre, 'post': post, 'model': model, 'pairs': [list(pair) for pair in pairs]}
    if delay is not None:
        part['delay'] = delay
    return {**part, 'initial': initial}


def add(variable, weight):
    """A synapse that adds `weight` to a variable of the postsynaptic cell."""
    return {'on': {'pre': f'{variable}_post += w'}, 'parameters': {'w': weight}}


def one_to_one(size):
    return [(k, k) for k in range(size)]


def poisson_ms(rate, until, seed, step=0.1):
    """Spike times on the grid, ms, of a Bernoulli train with `rate` per ms: data, not a model."""
    draw = random.Random(seed)
    return [round(k * step, 6) for k in range(round(until / step)) if draw.random() < rate * step]


CASES = {}

# ---- time, order, reset ---------------------------------------------------------------------------------

# a cell without dynamics: what arrives is what is there
HOLD = {'equations': 'v : 1', 'threshold': 'v > 1', 'reset': 'v = 0'}

CASES['order-of-a-tick'] = dict(
    rule='''A tick is: integrate, threshold, deliver, reset. An input that arrives in tick n with delay 0 changes v after
        the threshold of tick n, so the cell fires in tick n + 1 at the earliest.''',
    dt='0.1 ms', ticks=20,
    network={
        'stimulus': source(1, [(0, 0), (0.5, 0), (1.2, 0)]),
        'cells': neurons(1, HOLD, v=[0]),
        'drive': synapses('stimulus', 'cells', add('v', 1.5), [(0, 0)]),
    },
    record={'spikes': ['stimulus', 'cells'], 'traces': {'cells': ['v']}})

CASES['chain-without-delay'] = dict(
    rule='''With delay 0 a spike travels one cell per tick, whatever the order of cells or parts.''',
    dt='0.1 ms', ticks=20,
    network={
        'cells': neurons(6, HOLD, v=[0] * 6),
        'stimulus': source(1, [(0.3, 0), (1.1, 0)]),
        'drive': synapses('stimulus', 'cells', add('v', 1.5), [(0, 5)]),
        'down': synapses('cells', 'cells', add('v', 1.5), [(5, 3), (3, 4), (4, 0), (0, 1), (1, 2)]),
    },
    record={'spikes': ['cells']})

CASES['reset-comes-last'] = dict(
    rule='''The reset of tick n runs after the deliveries of tick n. Cell 0 (v = 0) loses what arrives in the tick of its
        spike; cell 1 (v -= 1) keeps it; a variable that the reset does not touch (g) always keeps it.''',
    dt='0.1 ms', ticks=20,
    network={
        'big': source(1, [(0.2, 0)]),
        'small': source(1, [(0.3, 0), (0.9, 0)]),
        'hard': neurons(1, {'equations': 'v : 1\ng : 1', 'threshold': 'v > 1', 'reset': 'v = 0'}, v=[0], g=[0]),
        'soft': neurons(1, {'equations': 'v : 1\ng : 1', 'threshold': 'v > 1', 'reset': 'v -= 1'}, v=[0], g=[0]),
        'large_hard': synapses('big', 'hard', add('v', 1.5), [(0, 0)]),
        'large_soft': synapses('big', 'soft', add('v', 1.5), [(0, 0)]),
        'small_hard': synapses('small', 'hard',
                               {'on': {'pre': 'v_post += w; g_post += w'}, 'parameters': {'w': 0.25}}, [(0, 0)]),
        'small_soft': synapses('small', 'soft',
                               {'on': {'pre': 'v_post += w; g_post += w'}, 'parameters': {'w': 0.25}}, [(0, 0)]),
    },
    record={'spikes': ['hard', 'soft'], 'traces': {'hard': ['v', 'g'], 'soft': ['v', 'g']}})

CASES['reset-in-sequence'] = dict(
    rule='''The statements of a reset run one after the other and see what earlier ones assigned.''',
    dt='0.1 ms', ticks=40,
    network={
        'before': neurons(1, {
            'equations': 'dv/dt = 1 / tau : 1\na : 1', 'threshold': 'v > 1', 'reset': 'a += v; v = 0.25',
            'method': 'euler', 'parameters': {'tau': '1 ms'}}, v=[0], a=[0]),
        'after': neurons(1, {
            'equations': 'dv/dt = 1 / tau : 1\na : 1', 'threshold': 'v > 1', 'reset': 'v = 0.25; a += v',
            'method': 'euler', 'parameters': {'tau': '1 ms'}}, v=[0], a=[0]),
    },
    record={'spikes': ['before', 'after'], 'traces': {'before': ['v', 'a'], 'after': ['v', 'a']}})

CASES['threshold-equality'] = dict(
    rule='''A threshold is the comparison that is written: at v = 1 exactly, "v > 1" is silent and "v >= 1" fires. A
        cell whose condition stays true fires in every tick.''',
    dt='0.1 ms', ticks=12,
    network={
        'stimulus': source(1, [(0.1, 0), (0.2, 0), (0.3, 0), (0.4, 0), (0.8, 0)]),
        'above': neurons(2, {'equations': 'v : 1', 'threshold': 'v > 1', 'reset': 'v = 0'}, v=[0, 1]),
        'reached': neurons(2, {'equations': 'v : 1', 'threshold': 'v >= 1', 'reset': 'v = 0'}, v=[0, 1]),
        'always': neurons(1, {'equations': 'v : 1', 'threshold': 'v > 1', 'reset': 'v += 1'}, v=[1.5]),
        'quarter_above': synapses('stimulus', 'above', add('v', 0.25), [(0, 0)]),
        'quarter_reached': synapses('stimulus', 'reached', add('v', 0.25), [(0, 0)]),
    },
    record={'spikes': ['above', 'reached', 'always'], 'traces': {'above': ['v'], 'reached': ['v'], 'always': ['v']}})

CASES['self-connection'] = dict(
    rule='''A cell may project to itself. With delay 0 the input arrives in the tick of the spike, before the reset: lost
        on v (cell 0 of `onV`), kept on g. With a delay of one tick it arrives after the reset.''',
    dt='0.1 ms', ticks=15,
    network={
        'stimulus': source(1, [(0.2, 0)]),
        'onV': neurons(2, HOLD, v=[0, 0]),
        'onG': neurons(1, {'equations': 'v : 1\ng : 1', 'threshold': 'v > 1', 'reset': 'v = 0'}, v=[0], g=[0]),
        'driveV': synapses('stimulus', 'onV', add('v', 1.5), [(0, 0), (0, 1)]),
        'driveG': synapses('stimulus', 'onG', add('v', 1.5), [(0, 0)]),
        'selfV': synapses('onV', 'onV', add('v', 0.75), [(0, 0), (1, 1)], ['0 ms', '0.1 ms']),
        'selfG': synapses('onG', 'onG', add('g', 0.75), [(0, 0)]),
    },
    record={'spikes': ['onV', 'onG'], 'traces': {'onV': ['v'], 'onG': ['v', 'g']}})

# ---- refractoriness ------------------------------------------------------------------------------------

LIF = {
    'equations': 'dv/dt = (El - v) / taum : V (unless refractory)',
    'threshold': 'v > Vt', 'reset': 'v = Vr', 'refractory': '2 ms',
    'parameters': {'taum': '10 ms', 'El': '-70 mV', 'Vt': '-50 mV', 'Vr': '-60 mV'},
}

CASES['refractory-ignores-input'] = dict(
    rule='''A cell that fired in tick n is refractory from the threshold of tick n until tick n + r, r = refractory / dt;
        in tick n + r it integrates again, takes input again and may fire. In between a variable marked
        (unless refractory) neither moves nor takes synaptic input; the input is lost, not postponed.''',
    dt='0.1 ms', ticks=60,
    network={
        # the cell fires in tick 6; probes before, in, and around the end of its refractory time (tick 26)
        'stimulus': source(1, [(0.5, 0)]),
        'probe': source(7, [(0.3, 0), (0.6, 1), (0.7, 2), (2.4, 3), (2.5, 4), (2.6, 5), (2.7, 6)]),
        'cells': neurons(8, LIF, v=[-0.07] * 8),
        'drive': synapses('stimulus', 'cells', add('v', '25 mV'), [(0, k) for k in range(8)]),
        'small': synapses('probe', 'cells', add('v', '3 mV'), one_to_one(7)),
    },
    record={'spikes': ['cells'], 'traces': {'cells': ['v']}})

CASES['refractory-other-variables'] = dict(
    rule='''A variable without (unless refractory) moves and takes input during refractoriness: g decays, and a v without
        the flag integrates, but its cell cannot fire before the refractory time is over; if v is above threshold
        then, it fires in the first tick that is not refractory.''',
    dt='0.1 ms', ticks=80,
    network={
        'stimulus': source(1, [(0.5, 0), (1.5, 0)]),
        'frozen': neurons(1, {
            'equations': '''dv/dt = (El + g - v) / taum : V (unless refractory)
                            dg/dt = -g / taus           : V''',
            'threshold': 'v > Vt', 'reset': 'v = Vr', 'refractory': '2 ms',
            'parameters': {**LIF['parameters'], 'taus': '5 ms'}}, v=[-0.07], g=[0]),
        'moving': neurons(1, {
            'equations': '''dv/dt = (El + g - v) / taum : V
                            dg/dt = -g / taus           : V''',
            'threshold': 'v > Vt', 'reset': 'v = Vr', 'refractory': '2 ms',
            'parameters': {**LIF['parameters'], 'taus': '5 ms'}}, v=[-0.07], g=[0]),
        'driveFrozen': synapses('stimulus', 'frozen', add('g', '300 mV'), [(0, 0)]),
        'driveMoving': synapses('stimulus', 'moving', add('g', '300 mV'), [(0, 0)]),
    },
    record={'spikes': ['frozen', 'moving'], 'traces': {'frozen': ['v', 'g'], 'moving': ['v', 'g']}})

CASES['refractory-per-cell'] = dict(
    rule='''Each cell may have its own refractory time (a variable in s). Cells that are always above threshold fire
        every r ticks, r = max(1, floor(refractory / dt + 0.001)): 0 and 0.05 ms do nothing, 0.19 ms is one tick.''',
    dt='0.1 ms', ticks=40,
    network={
        'cells': neurons(10, {
            'equations': 'v : 1\ntref : s', 'threshold': 'v > 1', 'reset': 'v = 2', 'refractory': 'tref',
        }, v=[2] * 10, tref=[0, 0.00005, 0.0001, 0.00015, 0.00019, 0.0002, 0.00025, 0.0003, 0.00057, 0.001]),
    },
    record={'spikes': ['cells']})

# ---- delays and spike sources --------------------------------------------------------------------------

CASES['delay-one-for-all'] = dict(
    rule='''A spike of tick n with delay d arrives in tick n + d / dt, before the reset of that tick.''',
    dt='0.1 ms', ticks=60,
    network={
        'stimulus': source(2, [(0.5, 0), (0.6, 1), (2.0, 0), (2.0, 1)]),
        'cells': neurons(4, {'equations': 'g : 1'}, g=[0] * 4),
        'none': synapses('stimulus', 'cells', add('g', 1), [(0, 0), (1, 0)]),
        'one': synapses('stimulus', 'cells', add('g', 1), [(0, 1), (1, 1)], '0.1 ms'),
        'fifteen': synapses('stimulus', 'cells', add('g', 1), [(0, 2), (1, 2)], '1.5 ms'),
        'late': synapses('stimulus', 'cells', add('g', 1), [(0, 3), (1, 3)], '4.5 ms'),
    },
    record={'traces': {'cells': ['g']}})

CASES['delay-of-each-synapse'] = dict(
    rule='''Each synapse may have its own delay, rounded to the nearest tick, halves up (floor(delay / dt + 0.5)):
        0.04 ms is 0 ticks, 0.05 and 0.06 ms are one. Two synapses of one pair are two synapses.''',
    dt='0.1 ms', ticks=70,
    network={
        'stimulus': source(1, [(0.5, 0), (0.7, 0)]),
        'cells': neurons(12, {'equations': 'g : 1'}, g=[0] * 12),
        'each': synapses(
            'stimulus', 'cells', {'equations': 'w : 1', 'on': {'pre': 'g_post += w'}},
            [(0, k) for k in range(12)] + [(0, 0), (0, 11), (0, 11)],
            [f'{d} ms' for d in (0, 0.04, 0.05, 0.06, 0.1, 0.14, 0.155, 0.16, 0.25, 0.35, 1.5, 5, 2.5, 0, 5)],
            w=[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]),
    },
    record={'traces': {'cells': ['g']}})

CASES['spike-times-on-the-grid'] = dict(
    rule='''A spike source fires in tick floor(t / dt + 0.001): a time is rounded down to its tick, unless it is within
        0.001 dt of the next one, so that 0.3 ms is tick 3 although 0.0003 / 0.0001 is below 3 in doubles.''',
    dt='0.1 ms', ticks=40,
    network={
        'stimulus': {'kind': 'spikeSource', 'size': 12,
                     't': [0.0, 0.00003, 0.00009, 0.0000985, 0.00009995, 0.0001, 0.00015, 0.00027, 0.0003, 0.0007,
                           0.00299, 0.0035],
                     'i': list(range(12))},
    },
    record={'spikes': ['stimulus']})

CASES['many-projections-one-variable'] = dict(
    rule='''Several projections, several synapses of one pair and several spikes of one tick all add to the same
        variable.''',
    dt='0.1 ms', ticks=60,
    network={
        'first': source(3, [(0.2, 0), (0.2, 1), (0.2, 2), (1.0, 0), (1.4, 1), (3.0, 2)]),
        'second': source(2, [(0.2, 0), (0.3, 1), (3.0, 0), (3.0, 1)]),
        'cells': neurons(2, {
            'equations': 'dv/dt = (g - v) / taum : 1\ndg/dt = -g / taus : 1', 'threshold': 'v > 1', 'reset': 'v = 0',
            'parameters': {'taum': '10 ms', 'taus': '2 ms'}}, v=[0, 0], g=[0, 0]),
        'a': synapses('first', 'cells', add('g', 5), [(0, 0), (0, 0), (1, 0), (2, 0), (2, 1), (2, 1), (2, 1)]),
        'b': synapses('second', 'cells', add('g', -2), [(0, 0), (1, 0), (1, 1)], '0.2 ms'),
        'c': synapses('second', 'cells', add('g', 0.5), [(0, 0), (0, 1), (1, 1)]),
    },
    record={'spikes': ['cells'], 'traces': {'cells': ['v', 'g']}})

CASES['order-of-projections'] = dict(
    rule='''Within a tick the pre handlers of the projections run in the order of the parts; then all post handlers in
        that order. `assign` then `increase` gives 1 + 2; `increaseFirst` then `assignLast` gives 1. A post handler
        sees what every pre handler of the tick did, not the other way round.''',
    dt='0.1 ms', ticks=14,
    network={
        'stimulus': source(1, [(0.4, 0), (0.8, 0)]),
        'kick': source(1, [(0.3, 0), (0.9, 0)]),
        'cells': neurons(1, {
            'equations': 'v : 1\ng : 1\nh : 1\ns : 1\nq : 1\nr : 1', 'threshold': 'v > 1', 'reset': 'v = 0'},
            v=[0], g=[0], h=[0], s=[0], q=[0], r=[0]),
        'drive': synapses('kick', 'cells', add('v', 2), [(0, 0)]),
        'marks': synapses('stimulus', 'cells', {'on': {'post': 's_post += 1; q_post = g_post'}}, [(0, 0)]),
        'assign': synapses('stimulus', 'cells', {'on': {'pre': 'g_post = 1'}}, [(0, 0)]),
        'increase': synapses('stimulus', 'cells', {'on': {'pre': 'g_post += 2'}}, [(0, 0)]),
        'increaseFirst': synapses('stimulus', 'cells', {'on': {'pre': 'h_post += 2'}}, [(0, 0)]),
        'assignLast': synapses('stimulus', 'cells', {'on': {'pre': 'h_post = 1'}}, [(0, 0)]),
        'reads': synapses('stimulus', 'cells', {'on': {'pre': 'r_post += s_post + 0.25'}}, [(0, 0)]),
    },
    record={'spikes': ['cells'], 'traces': {'cells': ['g', 'h', 's', 'q', 'r']}})

CASES['handler-reads-the-cell'] = dict(
    rule='''A handler sees the cell as it is after integration and threshold and before the reset: in the tick of a
        postsynaptic spike v_post is still above threshold.''',
    dt='0.1 ms', ticks=60,
    network={
        'stimulus': source(3, [(0.7, 0), (1.5, 1), (3.1, 2), (4.0, 0)]),
        'cells': neurons(1, {
            'equations': 'dv/dt = (2 - v) / tau : 1', 'threshold': 'v > 1', 'reset': 'v = 0',
            'parameters': {'tau': '2 ms'}}, v=[0]),
        'looks': synapses('stimulus', 'cells', {
            'equations': 'seen : 1\natSpike : 1', 'on': {'pre': 'seen = v_post', 'post': 'atSpike = v_post'},
        }, [(0, 0), (1, 0), (2, 0)], ['0 ms', '0 ms', '0.3 ms'], seen=[0] * 3, atSpike=[0] * 3),
    },
    record={'spikes': ['cells'], 'traces': {'cells': ['v'], 'looks': ['seen', 'atSpike']}})

CASES['order-within-a-tick'] = dict(
    rule='''Not to be relied on: when several spikes reach one variable in one tick and the handler does not commute,
        Brian2 goes by the tick of the spike (older first), then by presynaptic cell, then by synapse.''',
    binding=False, dt='0.1 ms', ticks=20,
    network={
        'stimulus': source(3, [(0.2, 0), (0.3, 1), (0.4, 2), (0.4, 0), (1.0, 0), (1.0, 1), (1.0, 2)]),
        'cells': neurons(2, {'equations': 'g : 1'}, g=[0, 0]),
        'mixes': synapses('stimulus', 'cells', {'equations': 'w : 1', 'on': {'pre': 'g_post = 0.5 * g_post + w'}},
                          [(2, 0), (1, 0), (0, 0), (2, 1), (0, 1), (1, 1)],
                          ['0.2 ms', '0.3 ms', '0.4 ms', '0 ms', '0 ms', '0 ms'], w=[1, 2, 4, 1, 2, 4]),
    },
    record={'traces': {'cells': ['g']}})

# ---- two populations, slices ---------------------------------------------------------------------------

CASES['two-populations'] = dict(
    rule='''Populations that drive each other exchange spikes after both have passed their threshold: no population sees
        a spike of the same tick earlier than the other.''',
    dt='0.1 ms', ticks=300,
    network={
        'E': neurons(3, {
            'equations': 'dv/dt = (2 - v + g) / taum : 1 (unless refractory)\ndg/dt = -g / taus : 1',
            'threshold': 'v > 1', 'reset': 'v = 0', 'refractory': '1 ms',
            'parameters': {'taum': '5 ms', 'taus': '3 ms'}}, v=[0, 0.3, 0.6], g=[0, 0, 0]),
        'I': neurons(2, {
            'equations': 'dv/dt = (0.5 - v + g) / taum : 1 (unless refractory)\ndg/dt = -g / taus : 1',
            'threshold': 'v > 1', 'reset': 'v = 0', 'refractory': '0.5 ms',
            'parameters': {'taum': '4 ms', 'taus': '2 ms'}}, v=[0, 0.5], g=[0, 0]),
        'EI': synapses('E', 'I', add('g', 2.5), [(i, j) for i in range(3) for j in range(2)]),
        'IE': synapses('I', 'E', add('g', -0.75), [(0, 0), (0, 1), (1, 1), (1, 2)], '0.1 ms'),
        'II': synapses('I', 'I', add('v', -0.125), [(0, 1), (1, 0)]),
    },
    record={'spikes': ['E', 'I'], 'traces': {'E': ['v'], 'I': ['v']}})

# ---- integration ---------------------------------------------------------------------------------------

CASES['exact-three-by-three'] = dict(
    rule='''A linear system is advanced by its matrix exponential: v with two synaptic currents and a constant.''',
    dt='0.1 ms', ticks=150,
    network={
        'stimulus': source(2, [(1, 0), (2.5, 1), (4, 0), (4, 1)]),
        'cells': neurons(1, {
            'equations': '''dv/dt = (ge + gi - (v - El)) / taum : V
                            dge/dt = -ge / taue : V
                            dgi/dt = -gi / taui : V''',
            'method': 'exact',
            'parameters': {'El': '-49 mV', 'taum': '20 ms', 'taue': '5 ms', 'taui': '10 ms'}}, v=[-0.06], ge=[0], gi=[0]),
        'exc': synapses('stimulus', 'cells', add('ge', '15 mV'), [(0, 0)]),
        'inh': synapses('stimulus', 'cells', add('gi', '-9 mV'), [(1, 0)]),
    },
    record={'traces': {'cells': ['v', 'ge', 'gi']}})

CASES['exact-equal-time-constants'] = dict(
    rule='''The exact solution also holds when time constants are equal: an alpha function feeding a membrane of the same
        time constant.''',
    dt='0.1 ms', ticks=200,
    network={
        'stimulus': source(1, [(1, 0), (6, 0)]),
        'cells': neurons(1, {
            'equations': '''dv/dt = (I - v) / tau : 1
                            dI/dt = (x - I) / tau : 1
                            dx/dt = -x / tau : 1''',
            'method': 'exact', 'parameters': {'tau': '3 ms'}}, v=[0], I=[0], x=[0]),
        'pulse': synapses('stimulus', 'cells', add('x', 1), [(0, 0)]),
    },
    record={'traces': {'cells': ['v', 'I', 'x']}, 'every': 2})

CASES['exact-time-constant-per-cell'] = dict(
    rule='''A linear equation with a time constant of each cell is exact too.''',
    dt='0.1 ms', ticks=200,
    network={
        'stimulus': source(1, [(1, 0), (6, 0)]),
        'cells': neurons(3, {
            'equations': '''dv/dt = (1 + g - v) / tau : 1
                            g : 1
                            tau : s'''}, v=[0, 0, 0], g=[0, 0, 0], tau=[0.001, 0.005, 0.02]),
        'pulses': synapses('stimulus', 'cells', add('g', 1), [(0, 0), (0, 1), (0, 2)]),
    },
    record={'traces': {'cells': ['v']}, 'every': 2})

CASES['exact-oscillator'] = dict(
    rule='''A linear system with complex eigenvalues (resonate and fire) is advanced exactly too.''',
    dt='0.1 ms', ticks=300,
    network={
        'cells': neurons(1, {
            'equations': '''dx/dt = -b * x - omega * y : 1
                            dy/dt = omega * x - b * y : 1''',
            'threshold': 'y > 1', 'reset': 'x = 0; y = 1', 'method': 'exact',
            'parameters': {'b': '30 Hz', 'omega': '500 Hz'}}, x=[3.5], y=[0]),
    },
    record={'spikes': ['cells'], 'traces': {'cells': ['x', 'y']}})

COBA = {
    'equations': '''dv/dt = (gl * (El - v) + ge * (Ee - v) + gi * (Ei - v)) / Cm : V (unless refractory)
                    dge/dt = -ge / taue : S
                    dgi/dt = -gi / taui : S''',
    'threshold': 'v > Vt', 'reset': 'v = El', 'refractory': '5 ms', 'method': 'exponential-euler',
    'parameters': {'gl': '10 nS', 'Cm': '200 pF', 'El': '-60 mV', 'Ee': '0 mV', 'Ei': '-80 mV', 'Vt': '-50 mV',
                   'taue': '5 ms', 'taui': '10 ms'},
}

CASES['exponential-euler-coba'] = dict(
    rule='''Exponential Euler: each equation is solved exactly with the values of all other variables at the start of the
        tick. Conductance-based cell of Brette et al. 2007, benchmark 1.''',
    dt='0.1 ms', ticks=300,
    network={
        'exc': source(1, [(t, 0) for t in (1, 1.5, 2, 2.2, 2.4, 9.0, 9.1, 9.2, 14, 14.1, 22)]),
        'inh': source(1, [(t, 0) for t in (3.5, 10, 17.3, 22)]),
        'cells': neurons(1, COBA, v=[-0.06], ge=[0], gi=[0]),
        'excites': synapses('exc', 'cells', add('ge', '12 nS'), [(0, 0)]),
        'inhibits': synapses('inh', 'cells', add('gi', '67 nS'), [(0, 0)], '0.5 ms'),
    },
    record={'spikes': ['cells'], 'traces': {'cells': ['v', 'ge', 'gi']}})

FITZHUGH = {
    'equations': '''dv/dt = (v - v^3 / 3 - w + I) / tau : 1
                    dw/dt = 0.08 * (v + 0.7 - 0.8 * w) / tau : 1
                    I : 1''',
    'parameters': {'tau': '1 ms'},
}

for method in ('euler', 'rk2', 'rk4'):
    CASES[f'{method}-fitzhugh-nagumo'] = dict(
        rule={'euler': 'Forward Euler: all right sides with the values at the start of the tick.',
              'rk2': 'Midpoint: the slope half a tick ahead, reached by half an Euler step.',
              'rk4': 'The classical Runge-Kutta method of order 4, all variables together.'}[method],
        dt='0.2 ms', ticks=300,
        network={'cells': neurons(2, {**FITZHUGH, 'method': method}, v=[-1, 0.5], w=[1, -0.3], I=[0.5, 0.9])},
        record={'traces': {'cells': ['v', 'w']}, 'every': 3})

CASES['rk4-quadratic'] = dict(
    rule='''RK4 with refractoriness: the marked variable stands still for whole ticks, the others do not; input enters
        between ticks.''',
    dt='0.1 ms', ticks=400,
    network={
        'stimulus': source(1, [(2, 0), (9, 0), (15, 0), (15.1, 0), (24, 0)]),
        'cells': neurons(2, {
            'equations': '''dv/dt = (v^2 + I + g) / tau : 1 (unless refractory)
                            dg/dt = -g / taus           : 1
                            I : 1''',
            'threshold': 'v > 10', 'reset': 'v = -5', 'refractory': '1.5 ms', 'method': 'rk4',
            'parameters': {'tau': '4 ms', 'taus': '5 ms'}}, v=[-2, -1], g=[0, 0], I=[0.5, 1]),
        'drive': synapses('stimulus', 'cells', add('g', 2), [(0, 0), (0, 1)]),
    },
    record={'spikes': ['cells'], 'traces': {'cells': ['v', 'g']}, 'every': 4})

CASES['euler-izhikevich'] = dict(
    rule='''Forward Euler with a reset of two variables (Izhikevich 2003, regular spiking and chattering, v in mV).''',
    dt='0.2 ms', ticks=500,
    network={'cells': neurons(2, {
        'equations': '''dv/dt = (0.04 * v^2 + 5 * v + 140 - u + I) / tau : 1
                        du/dt = a * (b * v - u) / tau                    : 1
                        c : 1
                        d : 1''',
        'threshold': 'v >= 30', 'reset': 'v = c; u += d', 'method': 'euler',
        'parameters': {'a': 0.02, 'b': 0.2, 'I': 10, 'tau': '1 ms'}}, v=[-65, -65], u=[-13, -13], c=[-65, -50], d=[8, 2])},
    record={'spikes': ['cells'], 'traces': {'cells': ['v', 'u']}, 'every': 5})

CASES['time-in-equations'] = dict(
    rule='''`t` in an equation is the time at the start of the tick for Euler; RK4 takes its inner slopes at t + dt / 2 and
        t + dt.''',
    dt='0.5 ms', ticks=100,
    network={
        'euler': neurons(1, {'equations': 'dv/dt = (sin(omega * t) - v) / tau : 1', 'method': 'euler',
                             'parameters': {'omega': '400 Hz', 'tau': '5 ms'}}, v=[0]),
        'rk4': neurons(1, {'equations': 'dv/dt = (sin(omega * t) - v) / tau : 1', 'method': 'rk4',
                           'parameters': {'omega': '400 Hz', 'tau': '5 ms'}}, v=[0]),
    },
    record={'traces': {'euler': ['v'], 'rk4': ['v']}})

CASES['subexpressions'] = dict(
    rule='''A subexpression has no storage: it is evaluated wherever it is used, with the values of that moment: in the
        inner slopes of RK4, in the threshold after integration.''',
    dt='0.1 ms', ticks=300,
    network={
        'stimulus': source(1, [(3, 0), (11, 0), (19, 0)]),
        'cells': neurons(1, {
            'equations': '''dv/dt = (drive - v) / taum   : 1
                            da/dt = -a / taua            : 1
                            drive = 2 + g * (3 - v)      : 1
                            theta = 1 + a                : 1
                            g : 1''',
            'threshold': 'v > theta', 'reset': 'v = 0; a += 0.25', 'method': 'rk4',
            'parameters': {'taum': '10 ms', 'taua': '30 ms'}}, v=[0], a=[0], g=[0]),
        'looks': synapses('stimulus', 'cells', {
            'equations': 'seen : 1', 'on': {'pre': 'seen = v_post + a_post; g_post += 0.1'}}, [(0, 0)], seen=[0]),
    },
    record={'spikes': ['cells'], 'traces': {'cells': ['v', 'a'], 'looks': ['seen']}, 'every': 2})

# ---- plasticity ----------------------------------------------------------------------------------------

# a postsynaptic cell that fires one tick after each spike of its teacher, and at no other time
FOLLOW = {'equations': 'v : 1\ng : 1', 'threshold': 'v > 1', 'reset': 'v = 0'}

ADDITIVE = {
    'equations': '''dx/dt = -x / taux : 1
                    dy/dt = -y / tauy : 1
                    w : 1 (weight)''',
    'on': {'pre': 'g_post += w; x += Ap; w = clip(w - y, 0, wmax)', 'post': 'y += Am; w = clip(w + x, 0, wmax)'},
    'parameters': {'taux': '20 ms', 'tauy': '15 ms', 'Ap': 0.02, 'Am': 0.025, 'wmax': 0.3},
}

MULTIPLICATIVE = {
    **ADDITIVE,
    'on': {'pre': 'g_post += w; x += 1; w -= eta * alpha * w * y', 'post': 'y += 1; w += eta * (wmax - w) * x'},
    'parameters': {'taux': '20 ms', 'tauy': '15 ms', 'eta': 0.05, 'alpha': 1.1, 'wmax': 1},
}

NEAREST = {
    **ADDITIVE,
    'on': {'pre': 'g_post += w; x = 1; w = clip(w - Am * y, 0, wmax)', 'post': 'y = 1; w = clip(w + Ap * x, 0, wmax)'},
}

TRIPLET = {   # Pfister & Gerstner 2006, eqs. 3 and 4: slow traces are read before they are increased
    'equations': '''dr1/dt = -r1 / taup : 1
                    dr2/dt = -r2 / taux : 1
                    do1/dt = -o1 / taum : 1
                    do2/dt = -o2 / tauy : 1
                    w : 1 (weight)''',
    'on': {'pre': 'g_post += w; w = clip(w - o1 * (A2m + A3m * r2), 0, 1); r1 += 1; r2 += 1',
           'post': 'w = clip(w + r1 * (A2p + A3p * o2), 0, 1); o1 += 1; o2 += 1'},
    'parameters': {'taup': '16.8 ms', 'taum': '33.7 ms', 'taux': '101 ms', 'tauy': '125 ms',
                   'A2p': 0.005, 'A3p': 0.06, 'A2m': 0.007, 'A3m': 0.002},
}


def pairing(model, pre, teacher, w, delay=None, ticks=300, every=1):
    """Presynaptic trains (ms, one list a synapse) onto one cell that fires a tick after each teacher time."""
    return dict(
        dt='0.1 ms', ticks=ticks,
        network={
            'stimulus': source(len(pre), [(t, k) for k, train in enumerate(pre) for t in train]),
            'teacher': source(1, [(t, 0) for t in teacher]),
            'cell': neurons(1, FOLLOW, v=[0], g=[0]),
            'instructs': synapses('teacher', 'cell', add('v', 2), [(0, 0)]),
            'plastic': synapses('stimulus', 'cell', model, [(k, 0) for k in range(len(pre))], delay, w=w),
        },
        record={'spikes': ['cell'], 'traces': {'plastic': ['w'], 'cell': ['g']}, 'every': every})


CASES['stdp-same-tick'] = dict(
    rule='''When a presynaptic spike arrives in the tick in which the postsynaptic cell fires, the pre handler runs first:
        its w does not see this post event, and the post handler sees the increased pre trace. Synapse 0: pre and
        post in the same tick; 1: pre one tick earlier; 2: pre one tick later; 3: no pre; 4: both twice.''',
    **pairing(ADDITIVE, [[1.0], [0.9], [1.1], [], [1.0, 3.0]], [0.9, 2.9], [0.1] * 5, ticks=50))

CASES['stdp-delayed'] = dict(
    rule='''The delay belongs to the pre event: w, the pre trace and the current change at arrival; a post event acts
        at once. With 1.5 ms: synapse 0 arrives in the tick of the post spike, 1 a tick before, 2 a tick after; 3 was
        sent before and arrives after it, which counts as post before pre.''',
    **pairing(ADDITIVE, [[1.5], [1.4], [1.6], [2.0], [0.2, 2.9]], [2.9], [0.1] * 5, '1.5 ms', ticks=70))

CASES['stdp-delay-of-each-synapse'] = dict(
    rule='''With a delay per synapse each synapse has its own pre trace in effect: one presynaptic cell, five delays, the
        trace of each starts when the spike arrives there.''',
    dt='0.1 ms', ticks=120,
    network={
        'stimulus': source(1, [(0.5, 0), (3.0, 0), (6.5, 0)]),
        'teacher': source(1, [(2.0, 0), (7.0, 0), (7.4, 0)]),
        'cell': neurons(1, FOLLOW, v=[0], g=[0]),
        'instructs': synapses('teacher', 'cell', add('v', 2), [(0, 0)]),
        'plastic': synapses('stimulus', 'cell', ADDITIVE, [(0, 0)] * 5, ['0 ms', '0.1 ms', '0.6 ms', '1.6 ms', '4 ms'],
                            w=[0.1] * 5),
    },
    record={'spikes': ['cell'], 'traces': {'plastic': ['w'], 'cell': ['g']}})

TRAINS = [poisson_ms(0.5, 29, seed) for seed in (1, 2, 3, 4)]
TEACHER = poisson_ms(0.4, 29, 5)

CASES['stdp-additive'] = dict(
    rule='''Additive pair STDP with both bounds reached: the bound holds at every single event.''',
    **pairing(ADDITIVE, TRAINS, TEACHER, [0.01, 0.1, 0.2, 0.3], '0.3 ms'))

CASES['stdp-multiplicative'] = dict(
    rule='''Multiplicative pair STDP: each event uses the weight that the event before it left.''',
    **pairing(MULTIPLICATIVE, TRAINS, TEACHER, [0.05, 0.4, 0.6, 0.9], '0.3 ms'))

CASES['stdp-nearest-spike'] = dict(
    rule='''Pair STDP with nearest spikes: a trace is set, not increased.''',
    **pairing(NEAREST, TRAINS, TEACHER, [0.01, 0.1, 0.2, 0.3]))

CASES['stdp-triplet'] = dict(
    rule='''Triplet STDP (Pfister & Gerstner 2006): statements of a handler run in order, so the slow traces are read
        before this event increases them.''',
    **pairing(TRIPLET, TRAINS, TEACHER, [0.2, 0.4, 0.6, 0.8], '0.3 ms'))

CASES['short-term-plasticity'] = dict(
    rule='''Tsodyks & Markram 1998: per-synapse states with a rest value, advanced exactly to the time of the event.''',
    dt='0.1 ms', ticks=300,
    network={
        'stimulus': source(2, [(t, 0) for t in (1, 3, 5, 7, 9, 11, 25)] + [(t, 1) for t in TRAINS[0]]),
        'cells': neurons(2, {'equations': 'dg/dt = -g / taus : 1', 'method': 'exact', 'parameters': {'taus': '3 ms'}},
                         g=[0, 0]),
        'plastic': synapses('stimulus', 'cells', {
            'equations': '''du/dt = -u / tauf      : 1
                            dx/dt = (1 - x) / taud : 1
                            w : 1''',
            'on': {'pre': 'u += U * (1 - u); g_post += w * u * x; x -= u * x'},
            'parameters': {'U': 0.2, 'tauf': '50 ms', 'taud': '20 ms'}}, [(0, 0), (1, 1)], '0.2 ms',
            u=[0, 0], x=[1, 1], w=[1, 2]),
    },
    record={'traces': {'cells': ['g']}})

draw = random.Random(6)
RECURRENT = [(i, j) for i in range(16) for j in range(20) if draw.random() < 0.3]
INHIBITORY = [(i, j) for i in range(4) for j in range(20) if draw.random() < 0.5]

CASES['stdp-recurrent-network'] = dict(
    rule='''Everything together: 16 excitatory and 4 inhibitory cells, plastic recurrent synapses with a delay each
        (multiples of dt), self-connections, refractoriness, a slice as presynaptic population.''',
    dt='0.1 ms', ticks=2000,
    network={
        'cells': neurons(20, {
            'equations': '''dv/dt = (I - v + bias) / taum : V (unless refractory)
                            dI/dt = -I / taus             : V
                            bias : V''',
            'threshold': 'v > Vt', 'reset': 'v = Vr', 'refractory': '2 ms', 'method': 'exact',
            'parameters': {'taum': '20 ms', 'taus': '5 ms', 'Vt': '20 mV', 'Vr': '10 mV'}},
            v=[round(0.02 * draw.random(), 6) for _ in range(20)], I=[0] * 20,
            bias=[round(0.021 + 0.006 * draw.random(), 6) for _ in range(20)]),
        'plastic': synapses(['cells', 0, 16], 'cells', {
            'equations': '''dx/dt = -x / tau : V
                            dy/dt = -y / tau : V
                            w : V (weight)''',
            'on': {'pre': 'I_post += w; x += Ap; w = clip(w - y, 0 * wmax, wmax)',
                   'post': 'y += Am; w = clip(w + x, 0 * wmax, wmax)'},
            'parameters': {'tau': '20 ms', 'Ap': '0.2 mV', 'Am': '0.21 mV', 'wmax': '4 mV'}},
            RECURRENT, [f'{draw.randrange(0, 31) / 10} ms' for _ in RECURRENT],
            w=[round(0.004 * draw.random(), 6) for _ in RECURRENT]),
        'inhibits': synapses(['cells', 16, 20], 'cells', add('I', '-5 mV'), INHIBITORY, '1 ms'),
    },
    record={'spikes': ['cells'], 'traces': {'plastic': ['w']}, 'every': 400})
