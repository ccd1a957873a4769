#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Draws the first seconds of an EDF or BDF file, as MNE-Python reads it.

usage: plot-recording.py RECORDING PICTURE.png [SECONDS]
"""

import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
import mne  # noqa: E402
import numpy as np  # noqa: E402

MAX_CHANNELS = 32


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__.strip())
    recording, picture = sys.argv[1:3]
    seconds = float(sys.argv[3]) if len(sys.argv) == 4 else 5.0

    mne.set_log_level("ERROR")
    read = (mne.io.read_raw_bdf if recording.lower().endswith(".bdf")
            else mne.io.read_raw_edf)
    raw = read(recording)
    rate = raw.info["sfreq"]
    count = min(len(raw.ch_names), MAX_CHANNELS)
    stop = min(raw.n_times, int(seconds * rate))
    data, times = raw[:count, :stop]
    data = data * 1e6  # MNE gives volts
    data -= np.median(data, axis=1, keepdims=True)

    # One line a channel, as far apart as the middle one's signal is high.
    spreads = np.percentile(data, 99, axis=1) - np.percentile(data, 1, axis=1)
    gap = float(np.median(spreads[spreads > 0])) if (spreads > 0).any() else 1.0
    offsets = -gap * np.arange(count)

    figure, axes = plt.subplots(figsize=(12, 1.5 + 0.26 * count))
    axes.plot(times, np.clip(data, -2 * gap, 2 * gap).T + offsets, color="k",
              linewidth=0.5)
    axes.set_yticks(offsets, raw.ch_names[:count], fontsize=7)
    axes.set_xlim(times[0], times[-1])
    axes.set_ylim(offsets[-1] - 1.5 * gap, 1.5 * gap)
    axes.set_xlabel("time / s")
    axes.set_title(f"{recording}: {count} of {len(raw.ch_names)} channels at "
                   f"{rate:g} Hz, {gap:.0f} uV between lines")
    figure.tight_layout()
    figure.savefig(picture, dpi=110)
    print(f"picture of the first {stop / rate:g} s: {picture}")


main()
