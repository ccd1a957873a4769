# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of sample stages against scipy and MNE share."""
import os
import subprocess
import tempfile

import numpy as np


def run(element, fmt="F64LE", samples=5000, rate="250/1", channels=8,
        out_channels=None, source="", raw=False):
    """The samples before and after ELEMENT, of synthetic EEG."""
    with tempfile.TemporaryDirectory() as folder:
        before = os.path.join(folder, "in")
        after = os.path.join(folder, "out")
        convert = [] if raw else ["!", "rawtovoltage"]
        subprocess.run(
            ["gst-launch-1.0", "-q", "eegsrc", "driver=synthetic",
             f"channels={channels}", f"rate={rate}", f"num-samples={samples}",
             *source.split(), *convert, "!",
             f"application/x-eeg-raw,format={fmt}",
             "!", "tee", "name=t", "!", "queue", "!", "filesink",
             f"location={before}", "async=false", "t.", "!", "queue", "!",
             *element.split(), "!", "filesink", f"location={after}",
             "async=false"],
            check=True, timeout=120)
        dtype = {"F64LE": "<f8", "F32LE": "<f4", "S32LE": "<i4"}[fmt]
        return (np.fromfile(before, dtype).reshape(-1, channels),
                np.fromfile(after, dtype).reshape(
                    -1, channels if out_channels is None else out_channels))


class Report:
    """Counts what is not as it should be."""

    def __init__(self):
        self.failed = 0

    def check(self, name, good, text=""):
        print(f"{'ok' if good else 'NOT OK'} {name}{text}")
        self.failed += not good

    def compare(self, name, got, expected, limit):
        got, expected = np.asarray(got), np.asarray(expected)
        if got.shape != expected.shape:
            self.check(name, False, f": {got.shape}, not {expected.shape}")
            return
        difference = np.abs(got - expected).max()
        self.check(name, difference <= limit,
                   f": {difference:.3g} of {limit:.3g}")
