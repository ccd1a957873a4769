#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Counts that voltagetoraw made, in an EDF or BDF file that MNE reads: they are
worth what the file's header says, within half a count."""
import subprocess
import sys
import tempfile

try:
    import mne
    import numpy as np
    import samples
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

mne.set_log_level("ERROR")
CHANNELS, SAMPLES = 4, 2500
report = samples.Report()


def check(settings, fmt, half_count):
    with tempfile.TemporaryDirectory() as folder:
        name = f"{folder}/x." + ("edf" if fmt == "S16LE" else "bdf")
        subprocess.run(
            ["gst-launch-1.0", "-q", *(
                f"eegsrc driver=synthetic channels={CHANNELS} rate=250/1 "
                f"num-samples={SAMPLES} ! rawtovoltage ! "
                "application/x-eeg-raw,format=F64LE ! tee name=t ! queue ! "
                f"filesink async=false location={folder}/raw t. ! queue ! "
                f"voltagetoraw {settings} ! application/x-eeg-raw,format={fmt} "
                f"! edfmux ! filesink async=false location={name}").split()],
            check=True, timeout=60)
        expected = np.fromfile(f"{folder}/raw", "<f8").reshape(-1, CHANNELS)
        read = (mne.io.read_raw_edf if fmt == "S16LE"
                else mne.io.read_raw_bdf)(name)
        data = read.get_data().T[:SAMPLES] * 1e6
        report.check(f"{fmt} {settings}: there is a signal",
                     np.ptp(expected) > 10)
        # the header has eight characters for a limit
        report.compare(f"{fmt} {settings}", data, expected, half_count * 1.01)


check("scale=0.1", "S16LE", 0.05)
check("scale=-0.25", "S16LE", 0.125)
check("scale=0.05", "S24LE", 0.025)
check("", "S24LE", 0.02)
sys.exit(report.failed > 0)
