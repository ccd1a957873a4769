# SPDX-License-Identifier: LGPL-2.1-or-later
"""The other side of the benchmark `stages`: numpy, scipy and MNE.

usage: stages-peer.py FILE CHANNELS RATE

FILE holds interleaved F32 samples. For each name on the standard input that
work is done once, on the layout that suits it (float64, one channel after the
other, made beforehand), and the seconds that it took are printed, or -1 if what
it needs is not installed.
"""
import sys
import time

import numpy as np

samples = np.fromfile(sys.argv[1], "<f4").reshape(-1, int(sys.argv[2])).T
samples = np.ascontiguousarray(samples, dtype=float)
channels, rate = len(samples), float(sys.argv[3])
order = [(c * 31 + 5) % channels for c in range(channels // 2)]


def interleaved():
    return np.ascontiguousarray(samples.T, dtype="<f4")


def iirfilter():
    from scipy import signal
    sos = signal.butter(4, [1, 40], "bandpass", output="sos", fs=rate)
    zi = signal.sosfilt_zi(sos)[:, None, :] * samples[None, :, :1]
    return lambda: signal.sosfilt(sos, samples, axis=1, zi=zi)


def eegdecimate():
    from scipy import signal
    return lambda: signal.resample_poly(samples, 1, 4, axis=1)


def raw():
    import mne
    mne.set_log_level("ERROR")
    names = [f"C{c}" for c in range(channels)]
    return mne.io.RawArray(samples.copy(),
                           mne.create_info(names, rate, "eeg")), names


def average():
    import mne
    data, _ = raw()
    return lambda: mne.set_eeg_reference(data, "average", copy=False)


def bipolar():
    import mne
    data, names = raw()
    # changes what it is given, so each time from a new one, which is not counted
    def run():
        work = data.copy()
        start = time.perf_counter()
        mne.set_bipolar_reference(work, names[:-1:2], names[1::2], copy=False)
        return time.perf_counter() - start
    return run


def eegselect():
    # what the element has
    frames = interleaved()
    return lambda: np.take(frames, order, axis=1)


def voltagetoraw():
    # what the element has
    frames = interleaved()
    low = -187500.0 - np.arange(channels)
    gain = (187500.0 - low) / (2 ** 24 - 1)
    offset = low + gain * 2 ** 23
    limits = np.iinfo(np.int32)

    def run():
        counts = np.rint((frames - offset) / gain)
        return counts.clip(limits.min, limits.max).astype(np.int32)
    return run


def cut():
    frames = interleaved()
    return lambda: [frames[i:i + 1000].copy()
                    for i in range(0, len(frames), 1000)]


def join():
    parts = interleaved().reshape(-1, 4, 4096, channels)
    return lambda: [np.concatenate(list(four)) for four in parts]


def copy():
    frames = interleaved()
    return lambda: frames.copy()


def validate():
    # windows of a second
    n = int(rate)
    windows = samples[:, :samples.shape[1] // n * n].reshape(channels, -1, n)
    phases = np.exp(-2j * np.pi * np.outer([50, 60], np.arange(n)) / rate)

    def run():
        finite = np.isfinite(windows)
        highest, lowest = windows.max(-1), windows.min(-1)
        at_rail = np.abs(windows) >= 187500
        clipped = at_rail[..., 2:] & at_rail[..., 1:-1] & at_rail[..., :-2]
        centred = windows - windows.mean(-1, keepdims=True)
        variance = np.square(centred).mean(-1)
        tones = 2 * np.abs(centred @ phases.T / n) ** 2
        return (finite.all(-1), highest - lowest, clipped.any(-1),
                tones.max(-1) / variance)
    return run


def stats():
    from scipy import signal
    n = int(rate)
    windows = samples[:, :samples.shape[1] // n * n].reshape(channels, -1, n)
    bands = [(0.5, 4), (4, 8), (8, 13), (13, 30), (30, 45), (49, 51),
             (59, 61), (0.5, rate)]

    def run():
        f, power = signal.welch(windows, rate, "hann", n, n // 2, 1024)
        return ([power[..., (f >= low) & (f < high)].sum(-1)
                 for low, high in bands], windows.mean(-1),
                np.square(windows).mean(-1), np.ptp(windows, -1))
    return run


ready = {}
for line in sys.stdin:
    name = line.strip()
    try:
        if name not in ready:
            ready[name] = globals()[name]()
        start = time.perf_counter()
        seconds = ready[name]()
        if not isinstance(seconds, float):
            seconds = time.perf_counter() - start
    except ImportError:
        seconds = -1
    print(seconds, flush=True)
