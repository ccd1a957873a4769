#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What iirfilter makes of samples, against scipy on the same samples."""
import sys

try:
    import numpy as np
    from scipy import signal
    import samples
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

RATE = 250
report = samples.Report()


def expected(x, sos, steady=True):
    zi = signal.sosfilt_zi(sos)[:, :, None] * (x[0] if steady else 0 * x[0])
    return signal.sosfilt(sos, x, axis=0, zi=zi)[0]


def compare(name, properties, sos, fmt="F64LE", steady=True):
    x, y = samples.run(f"iirfilter {properties}", fmt)
    good = expected(x.astype(float), sos, steady)
    if fmt == "F32LE":
        report.compare(name, y, good.astype("<f4"),
                       np.abs(x).max() * 2 ** -24)
    else:
        report.compare(name, y, good, 1e-9 * np.abs(x).max())


compare("butterworth", "mode=band-pass low=1 high=40",
        signal.butter(4, [1, 40], "bandpass", output="sos", fs=RATE))
compare("butterworth F32", "mode=band-pass low=1 high=40",
        signal.butter(4, [1, 40], "bandpass", output="sos", fs=RATE), "F32LE")
compare("butterworth from rest", "low=1 high=40 initial=zero",
        signal.butter(4, [1, 40], "bandpass", output="sos", fs=RATE),
        steady=False)
compare("high-pass", "mode=high-pass low=0.5 order=2",
        signal.butter(2, 0.5, "highpass", output="sos", fs=RATE))
compare("chebyshev1", "mode=low-pass high=30 order=7 design=chebyshev1 "
        "ripple=1", signal.cheby1(7, 1, 30, output="sos", fs=RATE))
compare("chebyshev2", "mode=band-stop low=45 high=55 order=3 "
        "design=chebyshev2 attenuation=50",
        signal.cheby2(3, 50, [45, 55], "bandstop", output="sos", fs=RATE))
compare("bessel", "mode=low-pass high=30 order=12 design=bessel",
        signal.bessel(12, 30, output="sos", fs=RATE))
notches = [signal.tf2sos(*signal.iirnotch(f, 20, RATE)) for f in (50, 100)]
compare("notches", "mode=notch notch=50,100 quality=20", np.vstack(notches))
compare("band-pass and notch", "low=1 high=70 order=2 notch=50 quality=20",
        np.vstack([signal.butter(2, [1, 70], "bandpass", output="sos",
                                 fs=RATE), notches[0]]))
sys.exit(1 if report.failed else 0)
