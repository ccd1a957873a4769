#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What filters do stands in the prefilter fields of an EDF file as the format has
it, and where that is too long in an annotation, which MNE-Python reads."""

import os
import subprocess
import sys
import tempfile

try:
    import mne
except ImportError:
    print("MNE-Python is not installed")
    sys.exit(77)


def prefilters(path):
    """Label and prefilter of each signal, by the layout of the header."""
    with open(path, "rb") as f:
        data = f.read()
    n = int(data[252:256])
    at = 256 + n * (16 + 80 + 8 + 8 + 8 + 8 + 8)
    return {data[256 + 16 * i:272 + 16 * i].decode().strip():
            data[at + 80 * i:at + 80 * i + 80].decode().strip()
            for i in range(n)}


def record(folder, stages):
    path = os.path.join(folder, "out.edf")
    subprocess.run(["gst-launch-1.0", "-q", "eegsrc", "num-samples=2500", "!",
                    "rawtovoltage", "!", *stages.split(), "!", "edfmux", "!",
                    "filesink", f"location={path}"], check=True, timeout=60)
    mne.set_log_level("ERROR")
    texts = [str(t) for t in mne.read_annotations(path).description
             if t.startswith("Prefilter")]
    return prefilters(path), texts


def expect(found, wanted):
    if found != wanted:
        sys.exit(f"{found!r} is not {wanted!r}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        plain, texts = record(folder, "identity")
        signals = [label for label in plain
                   if not label.endswith("Annotations")]
        expect(texts, [])
        for stages, wanted in (
                ("firfilter mode=band-pass low=0.5 high=40 notch=10",
                 "HP:0.5Hz LP:40Hz N:10Hz"),
                ("iirfilter mode=high-pass low=0.1", "HP:0.1Hz"),
                ("iirfilter mode=high-pass low=0.1 ! "
                 "firfilter mode=low-pass high=40", "HP:0.1Hz LP:40Hz"),
                ("firfilter mode=low-pass high=40 enabled=false", ""),
                ("iirfilter mode=band-stop low=45 high=55 notch=30",
                 "N:45-55Hz N:30Hz")):
            fields, texts = record(folder, stages)
            expect(texts, [])
            for label in signals:
                old = plain[label]
                expect(fields[label], f"{old} {wanted}".strip())
            for label in set(plain) - set(signals):
                expect(fields[label], plain[label])

        # a text goes with its channel: one that no filter acts on to the end,
        # under another name
        first, second, *others = signals
        fields, _ = record(
            folder, f"eegselect types={first}=unknown ! firfilter mode=low-pass "
            f"high=40 ! eegselect channels={second},{first} "
            f"rename={first}=moved")
        expect(fields[second], f"{plain[second]} LP:40Hz".strip())
        expect(fields["moved"], plain[first])
        fields, _ = record(
            folder, f"eegselect types={first}=unknown ! firfilter mode=low-pass "
            f"high=40 ! eegreference bipolar={others[0]}-{others[1]}")
        expect(fields[f"{others[0]}-{others[1]}"],
               f"{plain[others[0]]} LP:40Hz".strip())
        expect(fields[first], plain[first])
        expect(fields[second], f"{plain[second]} LP:40Hz".strip())

        notches = ",".join(str(n) for n in range(10, 22))
        fields, texts = record(
            folder, f"iirfilter mode=notch notch={notches} ! "
            "firfilter mode=low-pass high=40")
        whole = " ".join(f"N:{n}Hz" for n in range(10, 22)) + " LP:40Hz"
        for label in signals:
            text = f"{plain[label]} {whole}".strip()
            expect(fields[label], text[:80].strip())
            if len(text) <= 80:
                sys.exit("the text is not long enough for the test")
            expect(f"Prefilter {label}: {text}" in texts, True)


if __name__ == "__main__":
    main()
