#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What firfilter makes of samples, against scipy and MNE on the same samples.

usage: test-firfilter.py
"""
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
    from scipy import signal
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)
try:
    import mne
    mne.set_log_level("ERROR")
except ImportError:
    mne = None

RATE, CHANNELS, SAMPLES = 250, 8, 5000
# numpy's names for what `initial` says
PADS = {
    "first-sample": dict(mode="edge"),
    "zero": dict(mode="constant"),
    "reflect": dict(mode="reflect", reflect_type="odd"),
}
failed = 0


def run(properties, fmt="F64LE", samples=SAMPLES, rate=RATE):
    """The samples before and after firfilter."""
    with tempfile.TemporaryDirectory() as folder:
        before = os.path.join(folder, "in")
        after = os.path.join(folder, "out")
        subprocess.run(
            ["gst-launch-1.0", "-q", "eegsrc", "driver=synthetic",
             f"channels={CHANNELS}", f"rate={rate}/1", f"num-samples={samples}",
             "!", "rawtovoltage", "!", f"application/x-eeg-raw,format={fmt}",
             "!", "tee", "name=t", "!", "queue", "!", "filesink",
             f"location={before}", "async=false", "t.", "!", "queue", "!", "firfilter",
             *properties.split(), "!", "filesink", f"location={after}",
             "async=false"],
            check=True, timeout=120)
        dtype = "<f8" if fmt == "F64LE" else "<f4"
        return [np.fromfile(name, dtype).reshape(-1, CHANNELS)
                for name in (before, after)]


def compare(name, got, expected, limit):
    global failed
    if got.shape != expected.shape:
        print(f"{name}: {got.shape} instead of {expected.shape}")
        failed += 1
        return
    difference = np.abs(got - expected).max()
    good = difference <= limit
    print(f"{'ok' if good else 'NOT OK'} {name}: {difference:.3g} of {limit:.3g}")
    failed += not good


def filtered(x, taps, pad):
    half = len(taps) // 2
    padded = np.pad(x, ((half, half), (0, 0)), **PADS[pad])
    return np.apply_along_axis(
        lambda c: signal.oaconvolve(c, taps, mode="valid"), 0, padded)


for initial in PADS:
    for taps in (3, 101, 1001):
        h = signal.firwin(taps, [2, 30], pass_zero=False, fs=RATE)
        x, y = run(f"mode=band-pass low=2 high=30 taps={taps} "
                   f"initial={initial}")
        compare(f"scipy {taps} taps {initial}", y, filtered(x, h, initial),
                1e-14 * np.abs(x).max())
    # coefficients as given
    h = [0.1, 0.25, 0.3, 0.25, 0.1]
    x, y = run(f"mode=coefficients coefficients=<{','.join(map(str, h))}> "
               f"initial={initial}")
    compare(f"scipy coefficients {initial}", y, filtered(x, h, initial),
            1e-14 * np.abs(x).max())

x, y = run("mode=band-pass low=2 high=30 taps=101", "F32LE")
expected = filtered(x.astype(float), signal.firwin(
    101, [2, 30], pass_zero=False, fs=RATE), "first-sample")
compare("scipy F32", np.sqrt(np.mean((y - expected)[101:] ** 2)), np.float64(0),
        1e-6 * np.sqrt(np.mean(expected[101:] ** 2)))

if mne is None:
    print("without MNE")
else:
    for name, properties, low, high in (
            ("band-pass", "mode=band-pass low=1 high=40", 1, 40),
            ("high-pass", "mode=high-pass low=0.5", 0.5, None),
            ("low-pass", "mode=low-pass high=40", None, 40)):
        for initial, pad in (("first-sample", "edge"),
                             ("reflect", "reflect_limited")):
            x, y = run(f"{properties} initial={initial}")
            expected = mne.filter.filter_data(x.T.copy(), RATE, low, high,
                                              pad=pad).T
            compare(f"MNE {name} {initial}", y, expected,
                    1e-14 * np.abs(x).max())

    x, y = run("mode=band-pass low=4 high=30 transition=3 window=hann")
    expected = mne.filter.filter_data(
        x.T.copy(), RATE, 4, 30, l_trans_bandwidth=3, h_trans_bandwidth=3,
        fir_window="hann", pad="edge").T
    compare("MNE transition", y, expected, 1e-14 * np.abs(x).max())

sys.exit(1 if failed else 0)
