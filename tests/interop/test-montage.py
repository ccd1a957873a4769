#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""eegreference and eegselect against MNE on the same samples."""
import sys

try:
    import mne
    import samples
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

mne.set_log_level("ERROR")
CHANNELS = 8
report = samples.Report()


def labels():
    """Those of eegsrc's synthetic channels."""
    import subprocess
    import tempfile
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/x.bdf"
        subprocess.run(["gst-launch-1.0", "-q", "eegsrc", "driver=synthetic",
                        f"channels={CHANNELS}", "num-samples=250", "!",
                        "edfmux", "!", "filesink", f"location={path}"],
                       check=True, timeout=60)
        return mne.io.read_raw_bdf(path, stim_channel=None).ch_names


NAMES = labels()


def compare(name, element, change, out_channels=CHANNELS, order=None,
            bads=()):
    marks = f"eegselect bad={','.join(bads)} ! " if bads else ""
    x, y = samples.run(marks + element, out_channels=out_channels)
    info = mne.create_info(list(NAMES), 250, "eeg")
    info["bads"] = list(bads)
    raw = change(mne.io.RawArray(x.T.copy(), info))
    if order:
        raw.reorder_channels(order)
    # sums of eight values in another order
    report.compare(name, y.T, raw.get_data(), 1e-14 * abs(x).max())


A, B, C, D = NAMES[:4]
compare("average", "eegreference",
        lambda raw: mne.set_eeg_reference(raw, "average")[0])
compare("average with bad channels", "eegreference",
        lambda raw: mne.set_eeg_reference(raw, "average")[0], bads=(B, D))
compare("one channel", f"eegreference channels={C}",
        lambda raw: mne.set_eeg_reference(raw, [C])[0])
compare("two channels", f"eegreference channels={A},{D}",
        lambda raw: mne.set_eeg_reference(raw, [A, D])[0])
compare("bipolar", f"eegreference bipolar={A}-{B},{B}-{C}",
        lambda raw: mne.set_bipolar_reference(raw, [A, B], [B, C]),
        out_channels=CHANNELS - 1,
        order=[f"{A}-{B}", f"{B}-{C}", *NAMES[3:]])
compare("bipolar with a bad channel", f"eegreference bipolar={A}-{B}",
        lambda raw: mne.set_bipolar_reference(raw, A, B),
        out_channels=CHANNELS - 1, order=[f"{A}-{B}", *NAMES[2:]], bads=(B,))
compare("pick", f"eegselect channels={D},{A}",
        lambda raw: raw.pick_channels([D, A], ordered=True), out_channels=2)
sys.exit(1 if report.failed else 0)
