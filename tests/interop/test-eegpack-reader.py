#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""examples/eegpack_reader.py, written from the specification alone, against the
encoder: samples, lost frames, table, properties and markers of each file.

usage: test-eegpack-reader.py EEGPACK_TOOL
"""
import os
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

try:
    import numpy as np
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples"))
import eegpack_reader  # noqa: E402

TOOL = sys.argv[1]
TMP = Path(tempfile.mkdtemp(prefix="eegpack-"))
RNG = np.random.default_rng(7)
FORMATS = ["<i2", None, "<i4", "<f4", "<f8"]
MARKERS = [(-1, 0, "", None), (500000000, 1000000000, "éveil", 0),
           (2500000000, None, "eyes open", None)]


def pack(fmt, samples):
    """(frames, channels) to bytes."""
    if fmt != 1:
        return np.ascontiguousarray(samples).astype(FORMATS[fmt]).tobytes()
    wide = np.ascontiguousarray(samples).astype("<i4")
    return wide.view(np.uint8).reshape(*samples.shape, 4)[..., :3].tobytes()


def check(name, effort, frames, lost, streams):
    """streams: [(format, samples (frames, channels), rate), ...]"""
    path, args = TMP / f"{name}-{effort}.eegpack", []
    for i, (fmt, samples, rate) in enumerate(streams):
        raw = TMP / f"{i}.raw"
        raw.write_bytes(pack(fmt, samples))
        args += [str(fmt), str(samples.shape[1]), rate, str(raw)]
    subprocess.run([TOOL, "encode", str(path), str(effort), str(frames),
                    str(lost), *args], check=True)
    found = eegpack_reader.Recording(path)
    assert found.complete and len(found.streams) == len(streams), name
    assert found.markers == MARKERS, (name, found.markers)
    for i, (s, (fmt, samples, rate)) in enumerate(zip(found.streams, streams)):
        n, channels = samples.shape
        last = i == len(streams) - 1
        gaps = [(t + frames + j * lost, lost)
                for j, t in enumerate(range(0, n - frames, frames)) if lost]
        tail = 7 if lost and last else 0
        end = n + lost * len(gaps)
        assert s.lost == gaps + ([(end, 7)] if tail else []), (name, s.lost)
        assert s.samples.shape == (channels, end + tail), (name, s.samples.shape)
        kept = np.ones(end + tail, bool)
        for first, count in s.lost:
            kept[first:first + count] = False
        assert pack(fmt, s.samples[:, kept].T) == pack(fmt, samples), (name, i)
        assert s.rate == Fraction(rate) and not s.voltage
        assert s.table["label"] == [f"EEG {c:03}" for c in range(channels)]
        assert s.table["unit"] == ["µV"] * channels
        limit = [str(100 + c // 4) for c in range(channels)]
        assert s.table["physical-min"] == [f"-{v}.5" for v in limit]
        assert s.properties == {
            "patient": "X X X Müller", "start-time": -1234567890123456789,
            "notes": [f"stream {i}", ""],
            "bytes": bytes(k * k % 37 + i for k in range(300))}
    return path


def signal(kind, frames, channels):
    walk = np.cumsum(RNG.normal(0, 30, (frames, channels)), axis=0)
    common = np.cumsum(RNG.normal(0, 50, (frames, 1)), axis=0)
    t = np.arange(frames)[:, None]
    c = np.arange(channels)
    if kind == "walk":
        return np.clip(walk + RNG.normal(0, 4, walk.shape), -32000, 32000)
    if kind == "copies":
        return np.clip(common * (c % 5 + 1) / 3, -32000, 32000)
    if kind == "sparse":
        return RNG.integers(0, 40, walk.shape)**2 * 13 + 1
    if kind == "steps":
        return RNG.integers(-100, 100, walk.shape) * 125 + 7
    if kind == "repeat":
        return (t * 97 % 37 * 61 + c) % 1009
    if kind == "quiet":
        return RNG.random(walk.shape) < 0.01
    if kind == "constant":
        return np.zeros(walk.shape) - 3000 + c
    sine = 3000 * np.sin(t / 3) + 500 * np.sin(t * 0.2 + c)
    return sine + RNG.normal(0, 5, walk.shape)


def main():
    files = 0
    for effort in range(3):
        for kind in ["walk", "copies", "sparse", "steps", "repeat", "quiet",
                     "constant", "sine"]:
            x = np.floor(signal(kind, 500, 5))
            check(kind, effort, 200, 3, [(0, x, "250/1"), (1, x, "64/5")])
            files += 1
        x = np.floor(signal("walk", 150, 19))
        large = RNG.integers(-2**31, 2**31, (150, 3))
        patterns = RNG.integers(0, 2**32, (150, 3)).astype("<u4").view("<f4")
        doubles = RNG.integers(0, 2**63, (150, 2)).astype("<u8").view("<f8")
        loud = np.where(np.arange(150)[:, None] % 2, 2**31 - 1, -2**31)
        drift = np.cumsum(RNG.integers(0, 2**25, (150, 2)), axis=0)
        for name, streams in {
                "mixed": [(0, x, "1/1"), (2, large, "1000/1"),
                          (1, x[:7, :1], "1/3")],
                "extreme": [(2, loud, "1/1"),
                            (2, drift + 5 * drift[:, ::-1], "1/1")],
                "single": [(3, x / 8, "512/1"), (3, x / 3, "512/1"),
                           (3, patterns, "512/1")],
                "double": [(4, x * 0.0625, "512/1"), (4, x / 3, "512/1"),
                           (4, doubles, "512/1")],
                "one": [(0, x[:1, :1], "1/1")]}.items():
            check(name, effort, 100, 0, streams)
            files += 1
        check("long", effort, 3000, 0,
              [(1, np.floor(signal("sine", 3000, 9)) * 400, "250/1")])
        files += 1

    damaged = bytearray(check("short", 1, 50, 0, [(0, x[:60, :3], "1/1")])
                        .read_bytes())
    for at in range(0, len(damaged), 5):
        damaged[at] ^= 4
        (TMP / "damaged").write_bytes(damaged)
        try:
            eegpack_reader.Recording(TMP / "damaged")
            raise SystemExit(f"a flipped bit at byte {at} went unseen")
        except ValueError:
            pass
        damaged[at] ^= 4
    files += recordings()
    mne_bridge(check("bridge", 1, 500, 0,
                     [(0, np.floor(signal("sine", 500, 5)), "250/1")]))
    print(f"{files} files read back")


def mne_bridge(path):
    """The three lines of the reader's page, as they stand there."""
    try:
        import mne
    except ImportError as error:
        print(f"without MNE-Python: {error}")
        return
    lines = [line.strip() for line in eegpack_reader.__doc__.splitlines()
             if line.startswith("    ")]
    lines = [line.replace('"night.eegpack"', "path") for line in lines]
    assert len(lines) == 3, lines
    names = {"mne": mne, "eegpack_reader": eegpack_reader, "path": path}
    exec("\n".join(lines), names)
    raw, stream = names["raw"], names["s"]
    assert raw.ch_names == stream.table["label"] and raw.info["sfreq"] == 250
    assert np.allclose(raw.get_data(), stream.physical() * 1e-6)


def recordings():
    """Each recording at hand, one data group as a stream each."""
    shared = os.environ.get("GSTEEG_SHARED_DIR")
    if not shared:
        return 0
    count = 0
    for path in sorted(Path(shared, "recordings").glob("*.[eb]df")):
        data = path.read_bytes()
        n = int(data[252:256])
        head = data[256:256 * (n + 1)]
        size = 3 if data[0] == 255 else 2
        per = [int(head[n * 216 + 8 * i:n * 216 + 8 * i + 8]) for i in range(n)]
        records = np.frombuffer(data[256 * (n + 1):], np.uint8)
        records = records[:len(records) // (sum(per) * size) * sum(per) * size]
        # three blocks of the fastest group will do
        records = records.reshape(-1, sum(per) * size)[:20000 // max(per) + 1]
        at, groups = 0, {}
        for i in range(n):
            raw = records[:, at * size:(at + per[i]) * size].reshape(-1, size)
            high = raw[:, -1].view(np.int8).astype(np.int32)
            value = raw[:, 0] + (high << 8 if size == 2
                                 else (raw[:, 1].astype(np.int32) << 8)
                                 + (high << 16))
            at += per[i]
            groups.setdefault(per[i], []).append(value)
        check(path.stem, 1, 8192, 0, [
            (size - 2, np.stack(g, axis=1), f"{k}/1") for k, g in groups.items()])
        count += 1
    return count


main()
