#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the corpus of fuzz-eegpack: small files of every format and effort, and
the payloads of their chunks.

usage: make-eegpack-corpus.py EEGPACK_TOOL
"""
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

OUT = Path(__file__).parent / "corpus" / "eegpack"
TMP = Path(tempfile.mkdtemp())
RNG = np.random.default_rng(1)


def varint(data, at):
    v = shift = 0
    while True:
        byte = data[at]
        v |= (byte & 127) << shift
        shift, at = shift + 7, at + 1
        if byte < 128:
            return v, at


def make(name, effort, fmt, samples, dtype):
    raw, path = TMP / "raw", TMP / "file"
    raw.write_bytes(samples.astype(dtype).tobytes() if fmt != 1 else b"".join(
        int(v).to_bytes(3, "little", signed=True) for v in samples.ravel()))
    channels = samples.shape[1]
    subprocess.run([sys.argv[1], "encode", path, str(effort), "60", "2",
                    str(fmt), str(channels), "250/1", raw], check=True)
    data = path.read_bytes()
    if len(data) < 3000:
        (OUT / f"file-{name}").write_bytes(data)
    at = 8
    while at < len(data):
        kind = chr(data[at + 3])
        size = struct.unpack("<I", data[at + 4:at + 8])[0]
        payload = data[at + 8:at + 8 + size]
        at += size + 12
        if kind == "D":
            _, i = varint(payload, 0)
            first, i = varint(payload, i)
            frames, i = varint(payload, i)
            if first == 0 and channels < 256:
                (OUT / f"block-{name}").write_bytes(
                    b"D" + bytes([fmt, channels, frames - 1]) + payload[i:])
        elif kind in "HMI" and name == "walk":
            (OUT / f"chunk-{kind}").write_bytes(kind.encode() + payload)


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    t = np.arange(80)[:, None]
    walk = np.cumsum(RNG.integers(-30, 30, (80, 3)), axis=0)
    common = np.cumsum(RNG.integers(-90, 90, (80, 1)), axis=0)
    make("walk", 1, 0, walk, "<i2")
    make("walk-best", 2, 1, walk, "<i4")
    make("copies", 1, 1, common * [1, 2, 1] + RNG.integers(-2, 2, (80, 3)), "<i4")
    make("steps", 1, 2, RNG.integers(-9, 9, (80, 2)) * 1250, "<i4")
    make("sparse", 2, 2, RNG.integers(0, 5, (80, 2))**5, "<i4")
    make("repeat", 0, 0, t * 97 % 11 * 61 + np.zeros((1, 2)), "<i2")
    make("loud", 0, 2, np.where(t % 2, 2**31 - 1, -2**31) + 0 * walk[:, :1], "<i4")
    make("spikes", 1, 2, walk + (t % 40 == 7) * 2**28, "<i4")
    make("wide", 1, 2, np.cumsum(np.cumsum(walk * 20000, axis=0), axis=0) // 30, "<i4")
    make("singles", 1, 3, walk / 8, "<f4")
    make("thirds", 1, 3, walk / 3, "<f4")
    make("doubles", 1, 4, walk[:, :2] / 3, "<f8")
    make("many", 1, 0, np.cumsum(RNG.integers(-9, 9, (80, 18)), axis=0), "<i2")


main()
