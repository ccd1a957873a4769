#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Second-order sections against scipy.signal, coefficient by coefficient.

usage: test-iir-scipy.py PRINT_PROGRAM
"""
import itertools
import subprocess
import sys

try:
    import numpy as np
    from scipy import signal
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

FAMILIES = ["butter", "cheby1", "cheby2", "bessel"]
BANDS = ["lowpass", "highpass", "bandpass", "bandstop"]
EDGES = [(250, 1, 40), (1000, 0.1, 40), (500, 49, 51), (250, 8, 13),
         (2048, 0.5, 100), (100, 5, 30), (5000, 0.1, 1000)]
RIPPLE, ATTENUATION = 0.5, 40
COEFFICIENTS, OUTPUT = 1e-12, 1e-9


def relative(got, expected):
    scale = np.abs(expected).max()
    return np.abs(np.asarray(got) - expected).max() / scale


def main():
    rng = np.random.default_rng(1)
    x = rng.normal(size=2000) * 50 + 20000
    lines, expected = [], []
    for family, band, order, (rate, low, high) in itertools.product(
            range(4), range(4), range(1, 13), EDGES):
        edge = [high, low, [low, high], [low, high]][band]
        options = {1: {"rp": RIPPLE}, 2: {"rs": ATTENUATION}}.get(family, {})
        expected.append(signal.iirfilter(
            order, edge, btype=BANDS[band], ftype=FAMILIES[family],
            output="sos", fs=rate, **options))
        lines.append(f"{family} {band} {order} {rate} {low} {high} "
                     f"{RIPPLE} {ATTENUATION}")
    for rate, frequency, quality in [(250, 50, 30), (1000, 60, 5),
                                     (2048, 100, 100)]:
        b, a = signal.iirnotch(frequency, quality, rate)
        expected.append(np.concatenate([b, a])[None, :])
        lines.append(f"notch {rate} {frequency} {quality}")
    # filtered output of designs that are well conditioned in scipy too
    filtered = [i for i, line in enumerate(lines)
                if line.split()[2] in ("2", "4") and " 250 " in line]
    text = []
    for i, line in enumerate(lines):
        text.append(line)
        if i in filtered:
            text.append(f"filter {len(x)} " + " ".join(map(repr, x)))
    result = subprocess.run([sys.argv[1]], input="\n".join(text) + "\n",
                            capture_output=True, text=True, check=True)
    answers = iter(result.stdout.splitlines())

    failures = 0
    for i, (line, sos) in enumerate(zip(lines, expected)):
        answer = next(answers)
        if answer.startswith("error"):
            print(f"{line}: {answer}")
            failures += 1
            continue
        got = np.array(answer.split(), float).reshape(-1, 7)
        if len(got) != len(sos):
            print(f"{line}: {len(got)} sections, scipy has {len(sos)}")
            failures += 1
            continue
        worst = max(max(relative(g[:3], s[:3]), relative(g[3:5], s[4:]))
                    for g, s in zip(got, sos))
        if not worst <= COEFFICIENTS:
            print(f"{line}: coefficients differ by {worst:.2e}")
            failures += 1
        if i in filtered:
            zi = signal.sosfilt_zi(sos)
            y, _ = signal.sosfilt(sos, x, zi=zi * x[0])
            got = np.array(next(answers).split(), float)
            error = np.abs(got - y).max() / np.abs(x).max()
            if not error <= OUTPUT:
                print(f"{line}: output differs by {error:.2e}")
                failures += 1
    print(f"{len(lines)} designs, {len(filtered)} outputs, "
          f"{failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
