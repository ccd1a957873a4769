#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""eegtoaudio and audiotoeeg: WAV files that Python's own `wave` and scipy read,
and files that they wrote."""
import os
import subprocess
import sys
import tempfile
import wave

try:
    import numpy as np
    import samples
    from scipy.io import wavfile
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

SAMPLES, RATE = 2500, 250
NUMPY = {"S16LE": "<i2", "S32LE": "<i4", "F32LE": "<f4", "F64LE": "<f8"}
report = samples.Report()


def have(name):
    return subprocess.run(["gst-inspect-1.0", "--exists", name]).returncode == 0


def launch(line):
    subprocess.run(["gst-launch-1.0", "-q", *line.split()], check=True,
                   timeout=60)


def from_bytes(data, fmt, channels):
    """Packed 24-bit samples as the upper bytes of 32-bit ones."""
    if fmt != "S24LE":
        return np.frombuffer(data, NUMPY[fmt]).reshape(-1, channels)
    wide = np.zeros((len(data) // 3, 4), "u1")
    wide[:, 1:] = np.frombuffer(data, "u1").reshape(-1, 3)
    return wide.view("<i4").reshape(-1, channels)


def record(folder, fmt, channels):
    """Synthetic EEG as plain bytes and as a WAV file."""
    counts = "voltagetoraw scale=0.2 !" if fmt[0] == "S" else ""
    launch(f"eegsrc driver=synthetic channels={channels} num-samples={SAMPLES} "
           f"rate={RATE}/1 ! rawtovoltage ! {counts} "
           f"application/x-eeg-raw,format={fmt} ! tee name=t ! queue ! "
           f"filesink async=false location={folder}/raw t. ! queue ! "
           f"eegtoaudio ! wavenc ! filesink async=false location={folder}/wav")
    with open(f"{folder}/raw", "rb") as file:
        return file.read()


def read_back(folder, settings=""):
    launch(f"filesrc location={folder}/wav ! wavparse ! audiotoeeg {settings} "
           f"! filesink location={folder}/back")
    with open(f"{folder}/back", "rb") as file:
        return file.read()


def check_wave(fmt, channels):
    """`wave` knows integers, and at most two channels as wavenc writes them."""
    with tempfile.TemporaryDirectory() as folder:
        raw = record(folder, fmt, channels)
        with wave.open(f"{folder}/wav") as file:
            params = file.getparams()
            data = file.readframes(SAMPLES + 1)
        name = f"wave reads {fmt}, {channels} channels"
        report.check(name, params[:4] == (channels, int(fmt[1:3]) // 8, RATE,
                                          SAMPLES), f": {params[:4]}")
        report.check(f"{name}: samples", data == raw and any(data))

        os.remove(f"{folder}/wav")
        with wave.open(f"{folder}/wav", "wb") as file:
            file.setparams(params)
            file.writeframes(raw)
        report.check(f"wave wrote {fmt}, {channels} channels",
                     read_back(folder) == raw)


def check_scipy(fmt, channels):
    with tempfile.TemporaryDirectory() as folder:
        raw = record(folder, fmt, channels)
        expected = from_bytes(raw, fmt, channels)
        rate, data = wavfile.read(f"{folder}/wav")
        data = data.reshape(-1, channels)
        name = f"scipy reads {fmt}, {channels} channels"
        report.check(name, rate == RATE and data.shape == expected.shape)
        report.check(f"{name}: samples", np.array_equal(data, expected)
                     and np.any(data))
        if fmt == "S24LE":
            return
        wavfile.write(f"{folder}/wav", RATE, expected)
        report.check(f"scipy wrote {fmt}, {channels} channels",
                     read_back(folder) == raw)


def check_calibration():
    """Labels and scale that the properties say, as BDF readers see them."""
    try:
        import mne
    except ImportError:
        return
    mne.set_log_level("ERROR")
    with tempfile.TemporaryDirectory() as folder:
        raw = record(folder, "S16LE", 2)
        launch(f"filesrc location={folder}/wav ! wavparse ! "
               "audiotoeeg labels=C3,C4 scale=0.2 ! edfmux ! "
               f"filesink location={folder}/x.edf")
        data = mne.io.read_raw_edf(f"{folder}/x.edf")
        report.check("MNE reads the labels", data.ch_names == ["C3", "C4"],
                     f": {data.ch_names}")
        report.compare("MNE reads microvolts", data.get_data().T * 1e6,
                       from_bytes(raw, "S16LE", 2) * 0.2, 1e-6)


if not all(map(have, ("wavenc", "wavparse"))):
    print("skipped: no wavenc or wavparse")
    sys.exit(77)
for fmt in ("S16LE", "S24LE", "S32LE"):
    for channels in (1, 2):
        check_wave(fmt, channels)
for fmt in ("S16LE", "S24LE", "S32LE", "F32LE", "F64LE"):
    for channels in (1, 2, 8, 63):
        check_scipy(fmt, channels)
check_calibration()
sys.exit(report.failed > 0)
