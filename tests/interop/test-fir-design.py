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
         beta=0.0, phase="linear", notches=()):
    out = subprocess.run(
        [PROGRAM, response, repr(float(rate)), repr(float(low)),
         repr(float(high)), str(taps), repr(float(transition)), window,
         repr(float(beta)), phase, *map(repr, map(float, notches))],
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

# Notches, between the middles of the transition bands of MNE's.
for taps in (1001, 8251):
    for response, low, high, notches in (
            ("notch", 0, 0, [50]), ("notch", 0, 0, [50, 100, 150]),
            ("high-pass", 0.5, 0, [100, 50]), ("band-pass", 1, 120, [60]),
            ("band-stop", 20, 30, [60]), ("low-pass", 0, 90, [10])):
        edges = {"notch": [], "high-pass": [low], "low-pass": [high]}.get(
            response, [low, high])
        for f in notches:
            edges += [f - f / 400 - 0.25, f + f / 400 + 0.25]
        theirs = scipy.signal.firwin(
            taps, sorted(edges), fs=500,
            pass_zero=response not in ("high-pass", "band-pass"))
        compare(f"firwin {response} notches {notches} {taps}",
                ours(response, 500, low, high, taps, notches=notches), theirs)

# Minimum phase: the half is scipy's, the other has the linear kernel's response.
worst_half = worst_pass = 0.0
for response, rate, low, high, taps, window, beta in (
        ("band-pass", 250, 0.5, 40, 0, "hamming", 0),
        ("band-pass", 250, 1, 40, 1001, "hamming", 0),
        ("low-pass", 1000, 0, 40, 0, "blackman", 0),
        ("high-pass", 250, 1, 0, 331, "hann", 0),
        ("band-stop", 500, 45, 55, 501, "kaiser", 14.0),
        ("band-pass", 12.8, 1, 5, 31, "hamming", 0),
        ("low-pass", 250, 0, 60, 3, "hann", 0.0)):
    name = f"{response} {rate} {low} {high} {taps} {window}"
    args = (response, rate, low, high, taps, 0.0, window, beta)
    linear = ours(*args)
    half = ours(*args, "minimum-half")
    theirs = scipy.signal.minimum_phase(linear)
    difference = (abs(half - theirs).max() if half.shape == theirs.shape
                  else np.inf)
    worst_half = max(worst_half, difference)
    if not difference <= 1e-5:
        print(f"minimum-half {name}: differs by {difference}")
        failed += 1

    minimum = ours(*args, "minimum")
    if minimum.size != linear.size:
        print(f"minimum {name}: {minimum.size} taps, not {linear.size}")
        failed += 1
        continue
    a = abs(np.fft.rfft(linear, 1 << 19))
    b = abs(np.fft.rfft(minimum, 1 << 19))
    passes = a > 0.99
    deviation = abs(20 * np.log10(b[passes] / a[passes])).max()
    worst_pass = max(worst_pass, deviation)
    if not deviation <= 0.01:
        print(f"minimum {name}: pass band {deviation} dB off")
        failed += 1
    # ripples of the stop band
    ripples = [r[scipy.signal.argrelmax(r)[0]] for r in (a, b)]
    ripples = [r[r < 10 ** (-30 / 20)].max(initial=0) for r in ripples]
    if not ripples[1] <= ripples[0] * 1.001 + 1e-11:
        print(f"minimum {name}: stop band {ripples[1]}, linear {ripples[0]}")
        failed += 1
    # no kernel of this magnitude has more energy at any time
    late = (np.cumsum(linear ** 2) - np.cumsum(minimum ** 2)).max()
    if late > 1e-3 * np.sum(linear ** 2):
        print(f"minimum {name}: later than linear phase by {late}")
        failed += 1
print(f"minimum-half differs by {worst_half:.3g}, "
      f"minimum by {worst_pass:.3g} dB")

if mne is None:
    print("scipy only: no mne")
else:
    mne.set_log_level("ERROR")
    warnings.simplefilter("ignore")
    # what notch_filter() designs
    for rate, notches in ((250, [50]), (250, [50, 100]), (500, [60, 120, 180]),
                          (1000, [50, 100, 150, 200]), (1000, [16.7])):
        f = np.array(notches, float)
        compare(f"notch_filter {rate} {notches}",
                ours("notch", rate, 0, 0, notches=notches),
                mne.filter.create_filter(
                    None, rate, f + f / 400 + 0.5, f - f / 400 - 0.5,
                    l_trans_bandwidth=0.5, h_trans_bandwidth=0.5))
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
