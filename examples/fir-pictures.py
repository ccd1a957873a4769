#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Draws what firfilter does to an impulse and a step, its response beside that
of MNE-Python's filters, and how fast it is.

usage: fir-pictures.py FOLDER [ROWS]

ROWS is what the benchmark `fir-lengths` printed; without it the picture of the speed is
left out.
"""
import json
import os
import re
import sys

import gi
import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

RATE = 250
SAMPLES = 20 * RATE


def run(properties, samples):
    """The samples after firfilter."""
    pipeline = Gst.parse_launch(
        "appsrc name=src format=time caps=application/x-eeg-raw,format=F64LE,"
        f"rate={RATE}/1,channels=1,layout=interleaved,domain=voltage ! "
        f"firfilter {properties} initial=zero ! "
        "appsink name=sink sync=false")
    src, sink = (pipeline.get_by_name(name) for name in ("src", "sink"))
    pipeline.set_state(Gst.State.PLAYING)
    src.emit("push-buffer", Gst.Buffer.new_wrapped(samples.tobytes()))
    src.emit("end-of-stream")
    got = []
    while (sample := sink.emit("pull-sample")) is not None:
        buffer = sample.get_buffer()
        got.append(np.frombuffer(buffer.extract_dup(0, buffer.get_size())))
    pipeline.set_state(Gst.State.NULL)
    return np.concatenate(got)


def impulse(properties):
    samples = np.zeros(SAMPLES)
    samples[SAMPLES // 2] = 1
    return run(properties, samples)


def decibels(kernel):
    gain = np.abs(np.fft.rfft(kernel, 1 << 16))
    return (np.fft.rfftfreq(1 << 16, 1 / RATE),
            20 * np.log10(np.maximum(gain, 1e-10)))


def draw_response(path):
    try:
        import mne
        mne.set_log_level("ERROR")
    except ImportError:
        mne = None
    cases = (("mode=band-pass low=1 high=40", 125, dict(l_freq=1, h_freq=40)),
             ("mode=high-pass low=0.5", 3, dict(l_freq=0.5, h_freq=None)),
             ("mode=low-pass high=40", 125, dict(l_freq=None, h_freq=40)),
             ("mode=notch notch=50,100", 125,
              dict(l_freq=np.array([50.625, 100.75]),
                   h_freq=np.array([49.375, 99.25]),
                   l_trans_bandwidth=0.5, h_trans_bandwidth=0.5)))
    figure, axes = plt.subplots(2, 2, figsize=(11, 6), sharey=True)
    for axis, (properties, limit, arguments) in zip(axes.flat, cases):
        ours = impulse(properties)
        axis.plot(*decibels(ours), color="C0", linewidth=2.5, label="firfilter")
        title = properties
        if mne is not None:
            theirs = mne.filter.create_filter(None, RATE, **arguments)
            middle = SAMPLES // 2
            half = len(theirs) // 2
            worst = np.abs(ours[middle - half:middle + half + 1] - theirs).max()
            axis.plot(*decibels(theirs), color="C1", linewidth=1,
                      linestyle="--", label="mne.filter.create_filter")
            title += f"\nlargest difference of a tap {worst:.1g}"
        axis.set_title(title, fontsize=9)
        axis.set_xlim(0, limit)
        axis.set_ylim(-120, 5)
        axis.grid(alpha=0.3)
    axes[0, 0].set_ylabel("gain / dB")
    axes[1, 0].set_ylabel("gain / dB")
    for axis in axes[1]:
        axis.set_xlabel("frequency / Hz")
    axes[0, 0].legend(fontsize=8, loc="lower right")
    save(figure, path)


def draw_time(path):
    step = np.zeros(SAMPLES)
    step[SAMPLES // 2:] = 1
    times = (np.arange(SAMPLES) - SAMPLES // 2) / RATE
    figure, axes = plt.subplots(2, 2, figsize=(11, 6), sharex="row")
    for phase in ("linear", "minimum", "minimum-half"):
        for row, (properties, limit) in enumerate((
                ("mode=low-pass high=40", 0.25),
                ("mode=band-pass low=1 high=40", 2.2))):
            properties = f"{properties} phase={phase}"
            for column, values in enumerate((impulse(properties),
                                             run(properties, step))):
                axis = axes[row, column]
                axis.plot(times, values, label=phase, linewidth=1)
                axis.set_xlim(-limit, limit)
                axis.set_title(
                    ("impulse: ", "step: ")[column]
                    + properties.rsplit(" ", 1)[0], fontsize=9)
                axis.grid(alpha=0.3)
    axes[0, 0].legend(fontsize=8)
    for axis in axes[1]:
        axis.set_xlabel("time / s")
    save(figure, path)


def draw_speed(path, rows):
    curves = {}
    with open(rows, encoding="utf-8") as lines:
        for line in lines:
            if not line.startswith("{"):
                continue
            row = json.loads(line)
            found = re.fullmatch(
                r"firfilter (\d+) taps(?:, latency=(\w+))? / (.*)", row["name"])
            if not found or "seconds" not in row:
                continue
            taps, latency, other = int(found[1]), found[2], found[3]
            other = re.sub("^overlap-save of .*", "overlap-save with FFTW", other)
            # our side worked on these bytes of F32
            samples = row["megabytes_per_second"] * row["seconds"] / 4
            for name, seconds in (
                    (f"firfilter latency={latency or 'block'}", row["seconds"]),
                    (other, row["reference_seconds"])):
                curves.setdefault(name, {}).setdefault(taps, []).append(
                    samples / seconds)
    figure, axis = plt.subplots(figsize=(9, 5.5))
    for name in sorted(curves, key=lambda n: not n.startswith("firfilter")):
        points = sorted(curves[name].items())
        axis.plot([p[0] for p in points], [np.median(p[1]) for p in points],
                  marker="o", label=name,
                  linewidth=2.5 if name.startswith("firfilter") else 1.2)
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xlabel("taps")
    axis.set_ylabel("million samples of a channel in a second, one thread")
    axis.grid(alpha=0.3, which="both")
    axis.legend(fontsize=8)
    save(figure, path)


def save(figure, path):
    figure.tight_layout()
    figure.savefig(path, dpi=72)
    plt.close(figure)


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__.strip())
    Gst.init(None)
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    draw_response(os.path.join(folder, "fir-response.png"))
    draw_time(os.path.join(folder, "fir-time.png"))
    if len(sys.argv) == 3:
        draw_speed(os.path.join(folder, "fir-speed.png"), sys.argv[2])


if __name__ == "__main__":
    main()
