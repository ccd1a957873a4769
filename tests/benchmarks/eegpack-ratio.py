#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How small recordings become: EEGPack beside FLAC, WavPack, zstd, xz and byte
planes before zstd. Each file is decoded again, and every sample compared.

usage: eegpack-ratio.py FOLDER [PICTURE.png]

FOLDER holds EDF, BDF and OpenBCI text files. The gst-launch-1.0 that runs finds
the elements through the environment (meson devenv -C build). Figures are the
samples' bytes, three for 24 bits, by the bytes when coded: with EEGPack all but
the header, which holds the channel table and the EDF header that no other keeps;
the last column is that of the whole file. For each group of signals of one rate,
one line of a table in Markdown is printed.
"""
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

TOOLS = ["zstd -3", "xz -9e", "FLAC -8", "WavPack -hhx6", "planes, zstd -19",
         "planes, zstd -1"]
EFFORTS = ["fast", "normal", "best"]


def run(*command, data=None):
    done = subprocess.run([str(c) for c in command], input=data,
                          capture_output=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{command}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def read_edf(path):
    """[(rate, width, samples (frames, channels))], as the records hold them"""
    data = path.read_bytes()
    n, head, length = int(data[252:256]), int(data[184:192]), float(data[244:252])
    width = 3 if data[:1] == b"\xff" else 2
    per = [int(data[256 + 216 * n + 8 * i:264 + 216 * n + 8 * i])
           for i in range(n)]
    size = sum(per) * width
    raw = np.frombuffer(data[head:len(data) - (len(data) - head) % size],
                        np.uint8).reshape(-1, size)
    groups, at = {}, 0
    for i in range(n):
        part = raw[:, at:at + per[i] * width].reshape(-1, width)
        at += per[i] * width
        if b"Annotations" in data[256 + 16 * i:272 + 16 * i]:
            continue
        part = part.astype(np.int64)
        value = sum(part[:, k] << 8 * k for k in range(width))
        groups.setdefault(per[i], []).append(
            value - ((value >> 8 * width - 1) << 8 * width))
    return [(p / length, width, np.array(g).T.astype(np.int32))
            for p, g in groups.items()]


def read_openbci(path):
    rows = []
    for line in path.read_text(errors="replace").splitlines():
        cells = line.split(",")
        if line.startswith("%") or len(cells) < 9:
            continue
        try:
            rows.append([float(c) for c in cells[1:9]])
        except ValueError:
            continue
    return [(250.0, 3, np.round(np.array(rows) / 0.02235).astype(np.int32))]


def pack(samples, width):
    wide = np.ascontiguousarray(samples.astype("<i4"))
    return wide.view(np.uint8).reshape(*samples.shape, 4)[..., :width].tobytes()


def tool_sizes(tmp, samples, width, rate):
    raw = pack(samples, width)
    rate = max(1, int(round(rate)))
    planes = np.diff(samples.astype(np.int64), axis=0, prepend=0)
    planes = np.ascontiguousarray((planes << 1 ^ planes >> 63).T.astype("<u4"))
    planes = planes.view(np.uint8).reshape(-1, 4)[:, :width + 1].T
    sizes = {
        "zstd -3": len(run("zstd", "-3", "-c", data=raw)),
        "xz -9e": len(run("xz", "-9e", "-c", data=raw)),
        "planes, zstd -19": len(run("zstd", "-19", "-c",
                                    data=planes.tobytes("C"))),
        "planes, zstd -1": len(run("zstd", "-1", "-c",
                                   data=planes.tobytes("C"))),
        "FLAC -8": 0, "WavPack -hhx6": 0}
    for c in range(0, samples.shape[1], 8):  # FLAC has up to 8 channels
        part = samples[:, c:c + 8]
        (tmp / "a.raw").write_bytes(pack(part, width))
        run("flac", "-8", "-s", "-f", "--no-padding", "--lax",
            "--force-raw-format", "--endian=little", "--sign=signed",
            f"--channels={part.shape[1]}", f"--bps={8 * width}",
            f"--sample-rate={rate}", "-o", tmp / "a.flac", tmp / "a.raw")
        sizes["FLAC -8"] += (tmp / "a.flac").stat().st_size
    (tmp / "a.raw").write_bytes(raw)
    run("wavpack", "-hhx6", "-q", "-y",
        f"--raw-pcm={rate},{8 * width},{samples.shape[1]}", tmp / "a.raw",
        "-o", tmp / "a.wv")
    sizes["WavPack -hhx6"] = (tmp / "a.wv").stat().st_size
    return sizes


def bdf(path, samples, width, rate):
    """One group as a plain file, for the elements: a record is a second, or as
    much as makes whole samples."""
    n, per = samples.shape[1], int(round(rate))
    seconds = 1
    while abs(per / seconds - rate) > 1e-9 and seconds < 60:
        seconds += 1
        per = int(round(rate * seconds))
    per = min(per, len(samples))
    used = len(samples) // per * per

    def field(value, size):
        return str(value).ljust(size).encode()

    low = -(1 << 8 * width - 1)
    head = [b"\xffBIOSEMI" if width == 3 else field("0", 8), field("", 80),
            field("", 80), field("01.01.20", 8), field("00.00.00", 8),
            field(256 * (n + 1), 8), field("24BIT" if width == 3 else "", 44),
            field(used // per, 8), field(seconds, 8), field(n, 4)]
    head += [field(f"E{c}", 16) for c in range(n)] + [field("", 80)] * n
    head += [field("uV", 8)] * n + [field(low, 8)] * n
    head += [field(-low - 1, 8)] * n + [field(low, 8)] * n
    head += [field(-low - 1, 8)] * n + [field("", 80)] * n
    head += [field(per, 8)] * n + [field("", 32)] * n
    records = samples[:used].reshape(-1, per, n).transpose(0, 2, 1)
    path.write_bytes(b"".join(head) + pack(records, width))
    return samples[:used]


def pack_sizes(tmp, source):
    sizes = {}
    for effort in EFFORTS:
        run("gst-launch-1.0", "-q", "filesrc", f"location={source}", "!",
            "edfdemux", "!", "eegpackenc", f"effort={effort}", "!", "filesink",
            f"location={tmp}/a.eegpack")
        run("gst-launch-1.0", "-q", "filesrc", f"location={tmp}/a.eegpack", "!",
            "eegpackdec", "!", "edfmux", "!", "filesink",
            f"location={tmp}/back")
        if (tmp / "back").read_bytes() != source.read_bytes():
            sys.exit(f"{source}: not the same after {effort}")
        data = (tmp / "a.eegpack").read_bytes()
        # the header chunk stands behind the magic
        sizes[effort] = len(data) - 12 - int.from_bytes(data[12:16], "little")
        sizes["file"] = len(data) if effort == "normal" else sizes.get("file")
    return sizes


def draw(picture, rows):
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = [*TOOLS, *(f"EEGPack {e}" for e in EFFORTS)]
    # one recording that repeats a line would flatten all others: bars that are
    # cut off have their figure at the top
    tallest = sorted(max(row[2]) for row in rows)
    top = 1.15 * (tallest[-2] if len(tallest) > 1 else tallest[-1])
    figure, axes = pyplot.subplots(figsize=(10, 5))
    for k, name in enumerate(names):
        places = np.arange(len(rows)) + (k - len(names) / 2) / 10
        ratios = [row[2][k] for row in rows]
        axes.bar(places, ratios, 0.09, label=name)
        for place, ratio in zip(places, ratios):
            if ratio > top:
                axes.text(place, 0.99 * top, f"{ratio:.0f}", rotation=90,
                          ha="center", va="top", fontsize=8)
    axes.set_ylim(0, top)
    axes.set_xticks(np.arange(len(rows)), [r[0] for r in rows], rotation=12,
                    ha="right", fontsize=8)
    axes.set_ylabel("size of the samples / size when coded")
    axes.legend(fontsize=8, ncols=5, loc="lower left", bbox_to_anchor=(0, 1))
    figure.tight_layout()
    figure.savefig(picture, dpi=120)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    rows = []
    print("| recording | " + " | ".join(TOOLS) + " | "
          + " | ".join(f"EEGPack {e}" for e in EFFORTS)
          + " | fast / planes, zstd -1 | normal / best other"
          " | best / best other | whole file, normal |")
    print("|---" * (len(TOOLS) + len(EFFORTS) + 5) + "|")
    with tempfile.TemporaryDirectory() as name:
        tmp = pathlib.Path(name)
        for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
            if path.suffix in (".edf", ".bdf"):
                groups = read_edf(path)
            elif path.suffix == ".txt":
                groups = read_openbci(path)
            else:
                continue
            for rate, width, samples in groups:
                if samples.size < 4096:
                    continue
                source = tmp / ("a.bdf" if width == 3 else "a.edf")
                samples = bdf(source, samples, width, rate)
                native = samples.size * width
                sizes = tool_sizes(tmp, samples, width, rate)
                ours = pack_sizes(tmp, source)
                title = f"{path.stem}, {samples.shape[1]} at {rate:g} Hz"
                ratios = [native / sizes[t] for t in TOOLS]
                ratios += [native / ours[e] for e in EFFORTS]
                best = max(ratios[:len(TOOLS)])
                rows.append((title, native, ratios))
                print(f"| {title} | "
                      + " | ".join(f"{r:.2f}" for r in ratios)
                      + f" | {ratios[-3] / ratios[len(TOOLS) - 1]:.3f}"
                      + f" | {ratios[-2] / best:.3f} | {ratios[-1] / best:.3f}"
                      + f" | {native / ours['file']:.2f} |", flush=True)
    if len(sys.argv) > 2:
        draw(sys.argv[2], rows)


main()
