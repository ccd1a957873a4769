#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""EDF and BDF to EEGPack and back are the same bytes, for every recording there
is and every effort; examples/eegpack_reader.py, written from the specification,
reads the same samples, table and markers as MNE-Python reads from the EDF file.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import mne
    import numpy as np
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples"))
import eegpack_reader  # noqa: E402

mne.set_log_level("ERROR")
SHARED = os.environ.get("GSTEEG_SHARED_DIR")


def launch(line):
    done = subprocess.run(["gst-launch-1.0", "-q", *line.split()],
                          capture_output=True, text=True, timeout=120)
    if done.returncode != 0 or done.stderr.strip():
        raise AssertionError(f"{line}\n{done.stdout}{done.stderr}")


def signals(path):
    """(label, sample rate) of the signals that are no annotations"""
    data = path.read_bytes()
    n = int(data[252:256])
    length = float(data[244:252])
    return [(data[256 + 16 * i:272 + 16 * i].decode("latin-1").strip(),
             int(data[256 + 216 * n + 8 * i:264 + 216 * n + 8 * i]) / length)
            for i in range(n)
            if b"Annotations" not in data[256 + 16 * i:272 + 16 * i]]


def counts(path):
    """All samples of all signals, as the records hold them"""
    data = path.read_bytes()
    n, head = int(data[252:256]), int(data[184:192])
    width = 3 if data[:1] == b"\xff" else 2
    per = [int(data[256 + 216 * n + 8 * i:264 + 216 * n + 8 * i])
           for i in range(n)]
    size = sum(per) * width
    records = (len(data) - head) // size
    raw = np.frombuffer(data[head:head + records * size], np.uint8)
    raw = raw.reshape(records, size)
    out, at = [], 0
    for i in range(n):
        part = raw[:, at:at + per[i] * width]
        at += per[i] * width
        if b"Annotations" in data[256 + 16 * i:272 + 16 * i]:
            continue
        part = part.reshape(-1, width).astype(np.int64)
        value = sum(part[:, k] << 8 * k for k in range(width))
        out.append(value - ((value >> 8 * width - 1) << 8 * width))
    return out


def pads(path):
    rates = list(dict.fromkeys(rate for _, rate in signals(path)))
    return rates, len(rates)


def check_reader(path, packed):
    found = eegpack_reader.Recording(packed)
    rates, n = pads(path)
    assert found.complete and len(found.streams) == n
    samples = counts(path)
    for i, (label, rate) in enumerate(signals(path)):
        stream = found.streams[rates.index(rate)]
        k = stream.table["source-index"].index(str(i)) \
            if "source-index" in stream.table else i
        assert abs(float(stream.rate) - rate) < 1e-9 * rate
        assert not stream.lost
        assert np.array_equal(stream.samples[k], samples[i]), (path, label)
    if n > 1:
        return
    read = mne.io.read_raw_bdf if path.suffix == ".bdf" else mne.io.read_raw_edf
    raw = read(path, preload=True, stim_channel=None)
    texts = sorted(a["description"] for a in raw.annotations)
    ours = sorted(m[2] for m in found.markers if not m[2].startswith("Trigger"))
    assert texts == ours, (path, texts, ours)


def main():
    folder = pathlib.Path(SHARED or "none") / "recordings"
    files = sorted([*folder.glob("*.edf"), *folder.glob("*.bdf")])
    if not files:
        print("skipped: no recordings in GSTEEG_SHARED_DIR")
        return 77
    with tempfile.TemporaryDirectory() as name:
        tmp = pathlib.Path(name)
        for path in files:
            _, n = pads(path)
            for effort in ["fast", "normal", "best"]:
                packed, back = tmp / "a.eegpack", tmp / f"b{path.suffix}"
                into = " ".join(f"d.src_{i} ! e.sink_{i}" for i in range(n))
                launch(f"filesrc location={path} ! edfdemux name=d {into} "
                       f"eegpackenc name=e effort={effort} ! "
                       f"filesink location={packed}")
                out = " ".join(f"d.src_{i} ! m.sink_{i}" for i in range(n))
                launch(f"filesrc location={packed} ! eegpackdec name=d {out} "
                       f"edfmux name=m ! filesink location={back}")
                assert back.read_bytes() == path.read_bytes(), (path, effort)
                print(f"{path.name} {effort}: {path.stat().st_size} -> "
                      f"{packed.stat().st_size} and back")
                if effort == "normal" or path.stat().st_size < 30000:
                    check_reader(path, packed)
    return 0


sys.exit(main())
