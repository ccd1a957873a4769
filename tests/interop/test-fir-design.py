# SPDX-License-Identifier: LGPL-2.1-or-later
"""The taps of firfilter's designs equal those of scipy and MNE to 1e-12."""
import subprocess
import sys
import warnings

try:
    import numpy as np
    import scipy.signal
except ImportError as error:
    print("skipped:", error)
    sys.exit(77)
try:
    import mne
except ImportError as error:
    mne = None

PROGRAM = sys.argv[1]
LIMIT = 1e-12
PASS_ZERO = {
    "low-pass": "lowpass",
    "high-pass": "highpass",
    "band-pass": "bandpass",
    "band-stop": "bandstop",
}
failed = 0
worst = 0.0


def ours(response, rate, low, high, taps=0, transition=0.0, window="hamming",
         beta=0.0):
    out = subprocess.run(
        [PROGRAM, response, repr(float(rate)), repr(float(low)),
         repr(float(high)), str(taps), repr(float(transition)), window,
         repr(float(beta))],
        check=True, capture_output=True, text=True).stdout
    return np.array([float(line) for line in out.split()])


def compare(name, a, b):
    global failed, worst
    if a.shape != b.shape:
        print(f"{name}: {a.size} taps instead of {b.size}")
        failed += 1
        return
    difference = np.abs(a - b).max()
    worst = max(worst, difference)
    if not difference <= LIMIT:
        print(f"{name}: taps differ by {difference}")
        failed += 1


def cutoffs(response, low, high):
    return {"low-pass": high, "high-pass": low}.get(response, [low, high])


for response in PASS_ZERO:
    for taps in (1, 3, 31, 101, 331, 1001, 8251):
        if taps == 1 and response == "band-stop":
            continue
        for window in ("hamming", "hann", "blackman", ("kaiser", 0.0),
                       ("kaiser", 5.65), ("kaiser", 14.0)):
            for rate, low, high in ((250, 0.5, 40), (487.5, 8, 13),
                                    (12.8, 1, 6.3), (16384, 45, 5000)):
                name, beta = window if isinstance(window, tuple) else (
                    window, 0.0)
                with np.errstate(all="ignore"):
                    theirs = scipy.signal.firwin(
                        taps, cutoffs(response, low, high), window=window,
                        pass_zero=PASS_ZERO[response], fs=rate)
                if not np.isfinite(theirs).all() or abs(theirs).max() > 1e3:
                    continue  # scaled by a sum of almost nothing
                compare(f"firwin {response} {taps} {window} {rate}",
                        ours(response, rate, low, high, taps, 0.0, name, beta),
                        theirs)

if mne is None:
    print("scipy only: no mne")
else:
    mne.set_log_level("ERROR")
    warnings.simplefilter("ignore")
    for window in ("hamming", "hann", "blackman"):
        for rate in (250, 256, 487.5, 500, 1000, 2048, 5000):
            for low, high in ((None, 40), (None, 100), (1, None), (0.1, None),
                              (0.1, 40), (0.5, 40), (1, 40), (8, 13),
                              (30, 100), (3, 9.5)):
                response = ("low-pass" if low is None else
                            "high-pass" if high is None else "band-pass")
                compare(f"create_filter {low} {high} {rate} {window}",
                        ours(response, rate, low or 0, high or 0,
                             window=window),
                        mne.filter.create_filter(None, rate, low, high,
                                                 fir_window=window))
            # a stop band wide enough for MNE's automatic transitions
            compare(f"create_filter stop {rate} {window}",
                    ours("band-stop", rate, 4, 90, window=window),
                    mne.filter.create_filter(None, rate, 90, 4,
                                             fir_window=window))
            # and a narrow one, as mne.filter.notch_filter() makes it
            compare(f"create_filter notch {rate} {window}",
                    ours("band-stop", rate, 49.375, 50.625, transition=0.5,
                         window=window),
                    mne.filter.create_filter(
                        None, rate, 50.625, 49.375, l_trans_bandwidth=0.5,
                        h_trans_bandwidth=0.5, fir_window=window))
            # given transition and length
            compare(f"create_filter given {rate} {window}",
                    ours("band-pass", rate, 2, 30, 17001, 1.5, window),
                    mne.filter.create_filter(
                        None, rate, 2, 30, filter_length=17001,
                        l_trans_bandwidth=1.5, h_trans_bandwidth=1.5,
                        fir_window=window))

print(f"largest difference {worst:.3g}")
sys.exit(1 if failed else 0)
