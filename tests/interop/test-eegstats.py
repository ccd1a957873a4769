#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What eegstats says of samples, against numpy and scipy.signal.welch."""
import os
import re
import subprocess
import sys
import tempfile
from fractions import Fraction

try:
    import numpy as np
    from scipy import signal
    import samples
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

BANDS = {"delta": (0.5, 4), "theta": (4, 8), "alpha": (8, 13),
         "beta": (13, 30), "gamma": (30, 45)}
LIMIT = 1e-6
report = samples.Report()


def run(element, fmt, n, rate, channels):
    """The samples, and the messages as dictionaries."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "out")
        done = subprocess.run(
            ["gst-launch-1.0", "-m", "eegsrc", "driver=synthetic",
             f"channels={channels}", f"rate={rate}", f"num-samples={n}", "!",
             "rawtovoltage", "!", f"application/x-eeg-raw,format={fmt}", "!",
             *element.split(), "!", "filesink", f"location={path}"],
            check=True, timeout=120, stdout=subprocess.PIPE, text=True)
        dtype = {"F64LE": "<f8", "F32LE": "<f4"}[fmt]
        x = np.fromfile(path, dtype).reshape(-1, channels).astype(float)
    found = []
    for line in done.stdout.splitlines():
        if "eeg-statistics," not in line:
            continue
        fields = {name: int(value) for name, value
                  in re.findall(r"([a-z-]+)=\(guint64\)(\d+)", line)}
        for name, values in re.findall(r"([a-z-]+)=\(\w+\)< ([^>]*) >", line):
            fields[name] = np.array([float(v) for v in values.split(",")])
        found.append(fields)
    return x, found


def bins(f, low, high):
    """Bins from low to before high; one that lies right there is that."""
    return (f >= low - 1e-9) & (f < high - 1e-9)


def expect(x, rate, segment, mains):
    points = 64
    while points < segment:
        points *= 2
    f, p = signal.welch(x, rate, "hann", segment, segment // 2, points,
                        "constant", scaling="density", axis=0)
    p = p * rate / points
    fields = {name: p[bins(f, *limits)].sum(0)
              for name, limits in BANDS.items()}
    share = [p[bins(f, m - 1, m + 1)].sum(0) for m in mains if m < rate / 2]
    share = np.max(share, axis=0) if share else np.zeros(x.shape[1])
    fields["mains-ratio"] = share / np.maximum(p[1:].sum(0), 1e-300)
    fields["mean"] = x.mean(0)
    fields["rms"] = np.sqrt(np.square(x).mean(0))
    fields["peak-to-peak"] = np.ptp(x, axis=0)
    fields["samples"] = np.full(x.shape[1], len(x))
    return fields


def compare(rate="250/1", window=1.0, segment=0.0, more="", fmt="F64LE",
            channels=8, n=2500, mains=(50, 60)):
    element = (f"eegstats window={round(window * 1e9)} "
               f"segment={round(segment * 1e9)} {more}")
    x, found = run(element, fmt, n, rate, channels)
    fs = float(Fraction(rate))
    length = round(window * fs)
    name = f"{rate} {element} {fmt} {channels} channels"
    report.check(f"{name}: {n // length} windows", len(found) == n // length)
    worst = {}
    for i, fields in enumerate(found):
        part = x[i * length:(i + 1) * length]
        good = (fields["first"], fields["count"]) == (i * length, length)
        expected = expect(part, fs, round(segment * fs) or length, mains)
        for key, value in expected.items():
            # a channel without power, or one without a mean
            floor = np.sqrt(np.square(part).mean(0))
            floor = 1e-18 * floor ** 2 if key in BANDS else 1e-9 * floor
            error = np.abs(fields[key] - value) / np.maximum(
                np.maximum(np.abs(value), floor), 1e-30)
            worst[key] = max(worst.get(key, 0), error.max())
        if not good:
            report.check(f"{name}: window {i}", False)
    for key, value in worst.items():
        report.check(f"{name}: {key}", value <= LIMIT, f": {value:.3g}")


compare()
compare(fmt="F32LE")
compare(window=4, segment=1)
compare(window=4, segment=1, fmt="F32LE", channels=1)
compare("256/1", 2, 1, channels=20, mains=(60,), more="mains-frequency=60")
compare("1000/1", 2, 0.512, channels=33, n=6000)
compare("1000/1", 3, 0.777, n=7000, fmt="F32LE", channels=16)
compare("64/5", 30, 10, n=2000)
compare("975/2", 1.3, 0.4, n=3000, channels=9)
compare("1000/3", 2, 1, n=3000, channels=7, more="mains-frequency=16.7",
        mains=(16.7,))
compare("100/1", 1, 0.03, n=500)
sys.exit(1 if report.failed else 0)
