#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""eegsrc's counts of every recording against MNE-Python and EDFlib.

Reads GSTEEG_SHARED_DIR/recordings. MNE gives the signals of the highest rate
(it resamples the others), EDFlib each signal at its own rate.
"""
import ctypes
import os
import subprocess
import sys
import tempfile
from fractions import Fraction

try:
    import mne
    import numpy as np
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

NAMES = ["short_psg.edf", "biosemi_72ch_2048hz.bdf", "ieeg_139ch_512hz.edf",
         "subsecond_1ch_128hz_698s.edf", "uneven_rates_100_12.8hz.edf",
         "duplicate_labels_3ch_250hz.edf"]
# BioSemi's header has no EDF+ fields, which EDFlib 1.23 does not forgive.
EDFLIB_REFUSES = {"biosemi_72ch_2048hz.bdf"}


def read_header(path):
    """Only what the comparison needs: label, limits and rate per signal."""
    with open(path, "rb") as file:
        fixed = file.read(256)
        n = int(fixed[252:256])
        rest = file.read(256 * n).decode("latin-1")
    widths = [16, 80, 8, 8, 8, 8, 8, 80, 8, 32]
    columns, at = [], 0
    for width in widths:
        columns.append([rest[at + i * width:at + (i + 1) * width].strip()
                        for i in range(n)])
        at += width * n
    seconds = Fraction(fixed[244:252].decode().strip())
    signals = []
    for i in range(n):
        if columns[0][i] in ("EDF Annotations", "BDF Annotations"):
            continue
        pmin, pmax, dmin, dmax = (float(columns[k][i]) for k in (3, 4, 5, 6))
        gain = (pmax - pmin) / (dmax - dmin)
        signals.append({"label": columns[0][i], "unit": columns[2][i],
                        "gain": gain, "offset": pmin - gain * dmin,
                        "rate": Fraction(int(columns[8][i])) / seconds})
    return signals


def from_eegsrc(path, rate, channels, extra=()):
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run(
            ["gst-launch-1.0", "-q", "eegsrc", f"location={path}",
             f"rate={rate.numerator}/{rate.denominator}", *extra, "!",
             "filesink", f"location={out.name}"], check=True)
        return np.fromfile(out.name, dtype="<i4").reshape(-1, channels)


def check_mne(path, signals):
    """Compares the signals of the highest rate; returns how many."""
    read = mne.io.read_raw_bdf if path.endswith("bdf") else mne.io.read_raw_edf
    raw = read(path, preload=True, verbose="error")
    highest = max(signal["rate"] for signal in signals)
    chosen = [i for i, s in enumerate(signals) if s["rate"] == highest]
    ours = from_eegsrc(path, highest, len(chosen))
    theirs = raw.get_data()
    volts = {"uV": 1e-6, "µV": 1e-6, "\u00b5V": 1e-6, "mV": 1e-3, "nV": 1e-9}
    types = raw.get_channel_types()
    for channel, i in enumerate(chosen):
        signal = signals[i]
        if types[i] == "stim":
            # MNE leaves the status bits out
            assert np.array_equal(theirs[i].astype(int) & 0xffff,
                                  ours[:, channel] & 0xffff), signal["label"]
            continue
        scale = volts.get(signal["unit"], 1.0)
        counts = (theirs[i] / scale - signal["offset"]) / signal["gain"]
        rounded = np.rint(counts)
        assert np.abs(counts - rounded).max() < 1e-3, signal["label"]
        assert np.array_equal(rounded.astype(np.int64), ours[:, channel]), (
            f"{path}: {signal['label']}")
    return len(chosen)


def load_edflib():
    for name in ("libedf.so.1", "libedf.so"):
        try:
            return ctypes.CDLL(name)
        except OSError:
            pass
    return None


def check_edflib(edflib, path, signals):
    """Compares every signal of every rate; returns how many."""
    # struct edflib_hdr_struct begins with the handle; it is far smaller
    header = ctypes.create_string_buffer(1 << 22)
    if edflib.edfopen_file_readonly(path.encode(), header, 0) != 0:
        code = ctypes.c_int.from_buffer(header, 4).value
        raise AssertionError(f"EDFlib does not open {path}: {code}")
    handle = ctypes.c_int.from_buffer(header).value
    for rate in {signal["rate"] for signal in signals}:
        chosen = [i for i, s in enumerate(signals) if s["rate"] == rate]
        ours = from_eegsrc(path, rate, len(chosen), ["buffer-time=77000000"])
        for channel, i in enumerate(chosen):
            theirs = np.zeros(len(ours) + 1, dtype=np.intc)
            got = edflib.edfread_digital_samples(
                handle, i, len(theirs),
                theirs.ctypes.data_as(ctypes.POINTER(ctypes.c_int)))
            assert got == len(ours), f"{path}: {got} samples"
            # EDFlib clips to the declared limits; eegsrc must not
            limits = theirs[:got].min(), theirs[:got].max()
            clipped = np.clip(ours[:, channel], *limits)
            assert np.array_equal(theirs[:got], ours[:, channel]) or (
                np.array_equal(theirs[:got], clipped)), (
                    f"{path}: {signals[i]['label']}")
    edflib.edfclose_file(handle)
    return len(signals)


def main():
    shared = os.environ.get("GSTEEG_SHARED_DIR")
    if not shared:
        print("skipped: GSTEEG_SHARED_DIR is not set")
        return 77
    edflib = load_edflib()
    if edflib is None:
        print("EDFlib is not installed: MNE only")
    for name in NAMES:
        path = os.path.join(shared, "recordings", name)
        signals = read_header(path)
        words = f"{name}: {check_mne(path, signals)} signals as in MNE"
        if edflib is not None and name not in EDFLIB_REFUSES:
            words += f", {check_edflib(edflib, path, signals)} as in EDFlib"
        print(words, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
