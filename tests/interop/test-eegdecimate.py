#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What eegdecimate makes of samples, against scipy.signal.resample_poly."""
import sys

try:
    import numpy as np
    from scipy import signal
    import samples
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

report = samples.Report()


def compare(rate, up, down, more="", beta=5.0, half=10, pad="edge",
            fmt="F64LE", base="1000/1", n=3000):
    x, y = samples.run(f"eegdecimate rate={rate} {more}", fmt, n, base)
    window = ("kaiser", beta)
    if half != 10:
        most = max(up, down)
        window = signal.firwin(2 * half * most + 1, 1 / most,
                               window=("kaiser", beta))
    expected = signal.resample_poly(x.astype(float), up, down, axis=0,
                                    window=window, padtype=pad)
    limit = 1e-13 if fmt == "F64LE" else 2 ** -24
    report.compare(f"{base} to {rate} {more} {fmt}", y, expected,
                   limit * np.abs(x).max())


compare("250/1", 1, 4)
compare("250/1", 1, 4, fmt="F32LE")
compare("250/1", 1, 4, "initial=zero", pad="constant")
compare("128/1", 16, 125)
compare("975/2", 39, 80)
compare("64/5", 8, 625, n=20000)
compare("2500/1", 5, 2, "initial=zero", pad="constant")
compare("2500/1", 5, 2)
compare("200/1", 1, 5, "half-length=32 beta=9", 9.0, 32)
compare("750/1", 3, 4, "half-length=3 beta=2.5 initial=zero", 2.5, 3,
        "constant")
compare("100/1", 4, 5, base="125/1")
sys.exit(1 if report.failed else 0)
