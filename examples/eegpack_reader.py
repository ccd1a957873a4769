#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads EEGPack files with numpy alone, as docs/design/eegpack.md has it: clear
rather than fast. Recording(path) has streams, markers [(ns, ns or None,
text, stream or None)] and complete; a stream has samples (channels, frames; lost
ones are 0), lost [(first, frames)], rate, table and properties. Into MNE-Python:

    s = eegpack_reader.Recording("night.eegpack").streams[0]
    info = mne.create_info(s.table["label"], float(s.rate))
    raw = mne.io.RawArray(s.physical() * 1e-6, info)
"""
import re
from fractions import Fraction
from pathlib import Path

import numpy as np

DTYPES = ["<i2", "<i4", "<i4", "<f4", "<f8"]
BASE = np.array([*range(12), 12, 16, 32, 0])
BITS = np.array([0] * 12 + [2, 4, 8, 32])
PAGE = Path(__file__).parent.parent / "docs" / "design" / "eegpack.md"  # has them
TABLE = re.search(r"```frequencies\n(.*?)```", PAGE.read_text(), re.S)[1]
FREQUENCY = np.array([row.split() for row in TABLE.splitlines()], dtype=int)
START = np.cumsum(FREQUENCY, axis=1) - FREQUENCY
SYMBOL = np.array([np.repeat(np.arange(16), row) for row in FREQUENCY])
CRC = np.arange(256)
for _ in range(8):
    CRC = np.where(CRC & 1, CRC >> 1 ^ 0x82F63B78, CRC >> 1)
CRC = CRC.tolist()
zigzag = lambda v: v >> 1 ^ -(v & 1)  # noqa: E731
wrap = lambda v: (v + 2**31) % 2**32 - 2**31  # noqa: E731; signed


class Bytes:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        self.at += n
        if self.at > len(self.data):
            raise ValueError("short")
        return self.data[self.at - n:self.at]

    def varint(self):
        v, shift = self.take(1)[0], 7
        while v >> shift & 1:
            v, shift = v - (1 << shift) + (self.take(1)[0] << shift), shift + 7
        return v

    def text(self):
        return self.take(self.varint()).decode()

    def unfold(self):
        size, out = self.varint(), bytearray()
        while len(out) < size:
            out += self.take(self.varint())
            n, far = (self.varint(), self.varint()) if len(out) < size else (0, 1)
            out += (out[-far:] * (n // far + 1))[:n]
        return bytes(out)

    def u(self, n):
        bits = [self.data[b // 8] >> ~b % 8 & 1 for b in range(self.at, self.at + n)]
        self.at += n
        return sum(b << i for i, b in enumerate(reversed(bits)))

    def g(self, k):
        n = k
        while not self.u(1):
            n += 1
        return (1 << n | self.u(n)) - (1 << k)

    def s(self, k):
        return zigzag(self.g(k))


class Column:  # section 2.1
    def __init__(self, bits, number, has_grid):
        self.grid = bits.s(3) if has_grid and bits.u(1) else None
        self.step, self.palette, self.repeat = 1, None, 0
        if bits.u(1):
            if bits.u(1):
                self.step = bits.g(4) + 2
            if bits.u(1):
                n, self.palette, k = bits.g(4), [bits.s(12)], bits.u(5)
                for _ in range(n):
                    self.palette.append(self.palette[-1] + bits.g(k) + 1)
            if bits.u(1):
                self.repeat = bits.g(8) + 1
        self.base = bits.s(12)
        n, self.references = bits.g(0), []
        self.weight_shift = 6 + 2 * bits.u(2) if n else 0
        self.weights_wide = bits.u(1) if n else 0
        for _ in range(n):
            self.references.append((number - 1 - bits.g(2), bits.s(self.weight_shift - 1)))
        self.coded = bits.u(1)
        if self.coded:
            self.differences = bits.u(1)
            self.mean = 0 if self.differences else bits.s(4)
            order = bits.u(6)
            self.shift, self.wide, k = map(bits.u, (4, 1, 4)) if order else (0, 0, 0)
            self.coefs = [bits.s(k) for _ in range(order)]
            self.taps = 16 * bits.u(2)
            self.adaptive_step = 4 + bits.u(3) if self.taps else 0
            self.rate, self.value_shift, self.scale = 4 + bits.u(2), bits.u(4), bits.u(7)


def residuals(data, columns, frames):  # section 2.2, one group
    left, skipped = data.varint(), data.varint()
    x = np.frombuffer(data.take(4 * len(columns)), "<u4").astype(np.int64)
    words = np.frombuffer(data.take(2 * left), "<u2").astype(np.int64)
    rate, value_shift, scale = np.array(
        [(c.rate, c.value_shift, c.scale) for c in columns]).T
    mean = (4 + (scale & 3)) << (scale // 4 + rate - 2)
    out = np.zeros((frames, len(columns)), dtype=np.int64)

    def refill():
        nonlocal left
        short = (x < 65536).nonzero()[0]
        left -= len(short)
        if left < 0:
            raise ValueError("words run out")
        x[short] = x[short] << 16 | words[left:left + len(short)]

    for t in range(frames - skipped):
        h = np.frexp(mean | 1)[1] - 1
        c = np.maximum(0, 4 * h + ((mean | 1) << 2 >> h & 3) - 4 * rate)
        context = np.where(c < 28, c, 28 + (c & 3))
        shift = np.maximum(0, c // 4 - 6) + value_shift
        s = SYMBOL[context, slot := x & 1023]
        x = FREQUENCY[context, s] * (x >> 10) + slot - START[context, s]
        refill()
        bits = np.where(s == 15, 32, np.minimum(32, shift + BITS[s]))
        low = np.minimum(16, bits)
        v = (BASE[s] << shift) + (x & (1 << low) - 1)
        x = x >> low
        refill()
        if (bits > 16).any():
            v += (x & (1 << bits - low) - 1) << 16
            x = x >> bits - low
            refill()
            v &= 2**32 - 1
        mean = mean + 32 * np.minimum(v >> value_shift, 2**19 - 1) - (mean >> rate)
        out[t] = zigzag(v)
    if left or (x != 65536).any():
        raise ValueError("the entropy coder ends elsewhere")
    return out.T


def adapt(e, taps, step):  # section 2.3, one lane
    w, h, power = np.zeros(taps, np.int64), np.zeros(taps, np.int64), 0
    out = np.empty_like(e)
    for t, error in enumerate(e.tolist()):
        out[t] = wrap(error + ((int(w @ h) + 2**15) >> 16))
        gain = min(abs(error), 2**22) * 2**(38 - step) // (power + 1)
        gain = min(gain, 2**31 - 1) * (1 if error >= 0 else -1)
        w = np.clip(w + (gain * h >> 22), -2**24, 2**24)
        newest = max(-2**22, min(2**22, int(out[t])))
        power += newest**2 - int(h[-1])**2
        h = np.concatenate([[newest], h[:-1]])
    return out


def predict(e, columns):  # section 2.3, all lanes of a group
    order = max(len(c.coefs) for c in columns)
    a = np.zeros((len(columns), order), dtype=np.int64)
    for i, c in enumerate(columns):
        e[i] = adapt(e[i], c.taps, c.adaptive_step) if c.taps else e[i]
        a[i, order - len(c.coefs):] = c.coefs[::-1]
    shift, wide = np.array([(c.shift, c.wide) for c in columns]).T
    v = np.zeros((len(columns), order + e.shape[1]), dtype=np.int64)
    for t in range(e.shape[1]):
        total = (a * v[:, t:t + order]).sum(axis=1) + (1 << shift) // 2
        total = np.where(wide > 0, total, wrap(total)) >> shift
        v[:, t + order] = wrap(e[:, t] + total)
    d = v[:, order:]
    for i, c in enumerate(columns):
        d[i] = wrap(np.cumsum(d[i]) if c.differences else d[i] + c.mean)
    return d


def decode_block(block, stream, frames):
    fmt, channels = stream.format, stream.channels
    if block[0] == 0:
        raw = np.frombuffer(block[1:], np.uint8).reshape(frames, channels, -1)
        raw = np.pad(raw, ((0, 0), (0, 0), (int(fmt == 1), 0)))
        raw = np.ascontiguousarray(raw).view(DTYPES[fmt])[..., 0].T
        return raw >> 8 if fmt == 1 else raw
    per = 2 if fmt == 4 else 1
    bits = Bytes(block[1:])
    columns = [Column(bits, i, fmt > 2 and i % per == 0) for i in range(channels * per)]
    data = Bytes(block[1 + (bits.at + 7) // 8:])
    coded = [i for i, c in enumerate(columns) if c.coded]
    y = np.zeros((len(columns), frames), dtype=np.int64)
    for g in range(0, len(coded), 16):
        lanes = [columns[i] for i in coded[g:g + 16]]
        y[coded[g:g + 16]] = predict(residuals(data, lanes, frames), lanes)
    if data.at != len(data.data):
        raise ValueError("bytes are left")
    for i, c in enumerate(columns):
        if c.references:
            total = sum(w * y[r] for r, w in c.references)
            total += 1 << c.weight_shift - 1
            total = total if c.weights_wide else wrap(total)
            y[i] = wrap(y[i] + (total >> c.weight_shift))
        for t in range(c.repeat, frames if c.repeat else 0):
            y[i, t] = wrap(y[i, t] + y[i, t - c.repeat])
    for i, c in enumerate(columns):
        y[i] = wrap(c.base + c.step * y[i])
        y[i] = np.array(c.palette)[y[i]] if c.palette else y[i]
    if fmt < 3:
        return y.astype(DTYPES[fmt])
    out = np.empty((channels, frames), dtype=DTYPES[fmt])
    for i in range(channels):
        low, high, grid = y[i * per], y[i * per + per - 1], columns[i * per].grid
        if grid is not None:
            out[i] = np.ldexp(low.astype(float), grid)
        elif fmt == 3:
            out[i] = (low ^ (low >> 31 & 2**31 - 1)).astype("<i4").view("<f4")
        else:
            low = high << 32 | low & 2**32 - 1
            out[i] = (low ^ (low >> 63 & 2**63 - 1)).view("<f8")
    return out


class Stream:  # section 1
    def __init__(self, data):
        self.format, self.voltage = data.take(1)[0], data.take(1)[0] & 1
        self.rate = Fraction(data.varint(), data.varint())
        self.channels, self.max_frames = data.varint(), data.varint()
        self.table, self.properties, self.blocks, self.total = {}, {}, [], 0
        for _ in range(data.varint()):
            name, values, before = data.text(), [], b""
            while len(values) < self.channels:
                run, shared = data.varint() + 1, data.varint()
                before = before[:shared] + data.take(data.varint())
                values += [before.decode()] * run
            self.table[name] = values
        for _ in range(data.varint()):
            name, kind = data.text(), data.take(1)[0]
            self.properties[name] = (data.text, lambda: zigzag(data.varint()), lambda: [
                data.text() for _ in range(data.varint())], data.unfold)[kind]()

    def finish(self):
        end = max([first + b.shape[1] for first, b in self.blocks] + [self.total])
        self.samples = np.zeros((self.channels, end), dtype=DTYPES[self.format])
        self.lost, at = [], 0
        for first, block in self.blocks + [(end, np.zeros((self.channels, 0)))]:
            self.lost += [(at, first - at)] if first > at else []
            at = first + block.shape[1]
            self.samples[:, first:at] = block

    def physical(self):
        if self.voltage:
            return self.samples.astype(float)
        low, high, least, most = (np.array(self.table[n], dtype=float)[:, None] for n in (
            "physical-min", "physical-max", "digital-min", "digital-max"))
        return (self.samples - least) * (high - low) / (most - least) + low


class Recording:
    def __init__(self, path):
        file = Path(path).read_bytes()
        self.streams, self.markers, self.complete, at = [], [], False, 8
        if file[:8] != b"\x89EEGPK\r\n":
            raise ValueError("not an EEGPack file")
        while at < len(file):
            size, crc = 12 + int.from_bytes(file[at + 4:at + 8], "little"), 0xFFFFFFFF
            chunk = file[at:at + size]
            for byte in chunk[:-4]:
                crc = crc >> 8 ^ CRC[(crc ^ byte) & 255]
            if (chunk[:3] != b"\xb5EP" or len(chunk) < size
                    or (crc ^ 0xFFFFFFFF).to_bytes(4, "little") != chunk[-4:]):
                raise ValueError(f"chunk at byte {at}")
            self.add(chr(chunk[3]), Bytes(chunk[8:-4]))
            at += size
        for stream in self.streams:
            stream.finish()
        self.markers.sort(key=lambda marker: marker[0])

    def add(self, kind, data):
        if kind == "H" and data.take(2)[0] == 1:
            self.streams = [Stream(data) for _ in range(data.varint())]
        elif kind == "D":
            s, first = self.streams[data.varint()], data.varint()
            frames, block = data.varint(), data.data[data.at:]
            s.blocks.append((first, decode_block(block, s, frames)))
        elif kind == "M":
            while data.at < len(data.data):
                stream, time, duration = data.varint(), zigzag(data.varint()), data.varint()
                self.markers.append((time, duration - 1 if duration else None,
                                     data.text(), stream - 1 if stream else None))
        elif kind == "I":
            data.varint()
            for stream in self.streams[:data.varint()]:
                stream.total = data.varint()
        elif kind == "Z":
            self.complete = True
        elif kind.isupper():
            raise ValueError(f"chunk of type {kind}, or another version")
