# SPDX-License-Identifier: LGPL-2.1-or-later
"""The other side of the benchmark `fir-lengths`: MNE and scipy.

usage: fir-peer.py FILE CHANNELS RATE

FILE holds interleaved F32 samples. A line of the standard input is `mne TAPS` or
`oaconvolve TAPS`: a low-pass at 40 Hz of that length is applied once, to float64
samples, one channel after the other, and the seconds that it took are printed, or
-1 if what it needs is not installed.
"""
import sys
import time

import numpy as np

samples = np.fromfile(sys.argv[1], "<f4").reshape(-1, int(sys.argv[2])).T
samples = np.ascontiguousarray(samples, dtype=float)
rate = float(sys.argv[3])


def with_mne(taps):
    import mne
    mne.set_log_level("ERROR")
    start = time.perf_counter()
    mne.filter.filter_data(samples, rate, None, 40.0, filter_length=taps,
                           h_trans_bandwidth=3.3 * rate / taps, n_jobs=1)
    return time.perf_counter() - start


def with_scipy(taps):
    from scipy import signal
    kernel = signal.firwin(taps, 40 + 1.65 * rate / taps, fs=rate)
    start = time.perf_counter()
    signal.oaconvolve(samples, kernel[None, :], mode="same", axes=1)
    return time.perf_counter() - start


for line in sys.stdin:
    name, length = line.split()
    try:
        seconds = {"mne": with_mne, "oaconvolve": with_scipy}[name](int(length))
    except ImportError:
        seconds = -1
    print(seconds, flush=True)
