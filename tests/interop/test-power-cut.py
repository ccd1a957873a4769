# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a power cut leaves: all that a recording asks of the system is logged, and
states are made of it in which what was not synced is missing, torn or done in
another order. From each of them the same line again must come to the same
bytes; and if a kind of sync had not been there, that must not work.

usage: test-power-cut.py PRELOAD-LIBRARY
The seed is printed; GSTEEG_TEST_SEED sets it, GSTEEG_TEST_CUTS how many states
are tried."""

import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import unittest

SEED = int(os.environ.get("GSTEEG_TEST_SEED", time.time_ns() % 1000000))
CUTS = int(os.environ.get("GSTEEG_TEST_CUTS", 40))
LIBRARY = None
LINE = ("filesrc location={input} ! eegchunk checkpoint-interval=100000 ! "
        "{middle} ! identity sleep-time=1000 ! "
        "eegfilesink checkpoint=true location=out sync-bytes=50000")


def read_log(path):
    data = path.read_bytes()
    entries, at = [], 0
    while at < len(data):
        op = chr(data[at])
        inode, number, a, b = struct.unpack_from("=4Q", data, at + 1)
        at += 33
        entries.append((op, inode, number, data[at:at + a],
                        data[at + a:at + a + b]))
        at += a + b
    return entries


class Disk:
    """Files and names as they are on disk, and what is on its way there."""

    def __init__(self, rng):
        self.rng = rng
        self.files = {}         # inode: bytes on disk
        self.changes = {}       # inode: writes and cuts that were not synced
        self.names = {}         # name: inode
        self.moves = []         # of names, not synced
        self.now = {}           # names as the process sees them

    def change(self, inode, change):
        op, number, data = change
        content = self.files.setdefault(inode, bytearray())
        if op == "t":
            if number < len(content):
                del content[number:]
            else:
                content.extend(bytes(number - len(content)))
        else:
            if len(content) < number:
                content.extend(bytes(number - len(content)))
            content[number:number + len(data)] = data

    def move(self, names, move):
        op, a, b = move
        if op == "c":
            names[a] = b
        elif op == "r" and a in names:
            names[b] = names.pop(a)
        elif op == "u":
            names.pop(a, None)

    def play(self, entries, ignored):
        for i, (op, inode, number, a, b) in enumerate(entries):
            if op in "tw":
                self.changes.setdefault(inode, []).append((op, number, a))
            elif op == "s":
                if (i, op) not in ignored:
                    for change in self.changes.pop(inode, []):
                        self.change(inode, change)
            elif op == "d":
                if (i, op) not in ignored:
                    for move in self.moves:
                        self.move(self.names, move)
                    self.moves = []
            else:
                move = (op, a.decode(),
                        inode if op == "c" else b.decode())
                self.moves.append(move)
                self.move(self.now, move)

    def cut(self):
        """The power is off."""
        keep = self.rng.choice((0, 0.5, 0.9, 1))
        for inode, changes in self.changes.items():
            kept = [c for c in changes if self.rng.random() < keep]
            if self.rng.random() < 0.3:
                self.rng.shuffle(kept)
            for op, number, data in kept:
                if op == "w" and self.rng.random() < 0.2:
                    data = data[:self.rng.randrange(len(data) + 1)]
                self.change(inode, (op, number, data))
        # a folder is a journal: a beginning of what was done, or less of it
        moves = self.moves[:self.rng.randrange(len(self.moves) + 1)]
        if self.rng.random() < 0.3:
            moves = [m for m in moves if self.rng.random() < 0.7]
        for move in moves:
            self.move(self.names, move)

    def write_to(self, folder):
        for name, inode in self.names.items():
            (folder / name).write_bytes(self.files.get(inode, b""))


class PowerCut(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.shared.name).resolve()
        cls.input = cls.folder / "in"
        subprocess.run(f"gst-launch-1.0 -q eegsrc num-samples=20000 channels=16 "
                       f"! edfmux ! filesink location={cls.input}", shell=True,
                       check=True)

    @classmethod
    def tearDownClass(cls):
        cls.shared.cleanup()

    def run_line(self, middle, folder, env=None):
        line = LINE.format(input=self.input, middle=middle)
        return subprocess.run(["gst-launch-1.0", "-q"] + line.split(),
                              cwd=folder, capture_output=True, text=True,
                              env=dict(os.environ, **(env or {})), timeout=120)

    def record(self, middle):
        """Runs it once; the log, and what came out."""
        folder = self.folder / "first"
        folder.mkdir()
        log = self.folder / "log"
        log.unlink(missing_ok=True)
        done = self.run_line(middle, folder, {
            "LD_PRELOAD": LIBRARY, "RECORD_IO_FOLDER": str(folder),
            "RECORD_IO_LOG": str(log)})
        self.assertEqual(done.returncode, 0, done.stderr)
        out = (folder / "out").read_bytes()
        shutil.rmtree(folder)
        return read_log(log), out

    def recovers(self, rng, entries, middle, out, ignored=()):
        """Cuts the power somewhere and runs the line again."""
        folder = self.folder / "again"
        folder.mkdir()
        disk = Disk(rng)
        disk.play(entries[:rng.randrange(len(entries) + 1)], ignored)
        disk.cut()
        disk.write_to(folder)
        done = self.run_line(middle, folder)
        result = folder / "out"
        good = (done.returncode == 0 and result.exists()
                and result.read_bytes() == out
                and not (folder / "out.part").exists())
        shutil.rmtree(folder)
        return good, done.stderr

    def test_power_cuts(self):
        for middle in ("queue", "lz4enc threads=2 chunk-size=65536"):
            entries, out = self.record(middle)
            self.assertGreater(sum(e[0] == "s" for e in entries), 10)
            rng = random.Random(SEED)
            for i in range(CUTS // 2):
                good, text = self.recovers(rng, entries, middle, out)
                self.assertTrue(good, f"{middle}, state {i}: {text}")

    def test_each_sync_is_needed(self):
        middle = "queue"
        entries, out = self.record(middle)
        names = {}
        for op, inode, _, a, b in entries:
            if op == "c":
                names[inode] = a.decode()
        syncs = [(i, e[0]) for i, e in enumerate(entries) if e[0] in "sd"]
        data = {s for s in syncs if s[1] == "s"
                and names.get(entries[s[0]][1]) == "out.part"}
        sidecar = {s for s in syncs if s[1] == "s" and s not in data}
        folders = {s for s in syncs if s[1] == "d"}
        for what, ignored in (("of the data", data),
                              ("of the sidecar", sidecar),
                              ("of the folder", folders)):
            self.assertTrue(ignored, what)
            rng = random.Random(SEED)
            for _ in range(100):
                if not self.recovers(rng, entries, middle, out, ignored)[0]:
                    break
            else:
                self.fail(f"nobody misses the syncs {what}")


if __name__ == "__main__":
    print(f"GSTEEG_TEST_SEED={SEED}", flush=True)
    LIBRARY = os.path.abspath(sys.argv.pop(1))
    unittest.main()
