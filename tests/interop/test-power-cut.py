# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a power cut leaves: all that a recording asks of the system is logged, and
states are made of it in which what was not synced is missing, torn or done in
another order. In each of them all must be there that the recording had promised
by then, and the same line again must come to the same bytes. Without any one of
the syncs that must not work.

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

import launch

SEED = int(os.environ.get("GSTEEG_TEST_SEED", time.time_ns() % 1000000))
CUTS = int(os.environ.get("GSTEEG_TEST_CUTS", 40))
LIBRARY = None
LINE = ("filesrc location={input} ! eegchunk checkpoint-interval=100000 ! "
        "{middle} ! identity sleep-time=1000 ! "
        "eegfilesink checkpoint=true location=out sync-bytes=50000 {sink}")
# A sum in a folder of its own, or the sidecar: there nothing else brings names
# to disk.
SUMMED = "blake3sum location=side/out.b3"
ELSEWHERE = "checkpoint-location=side/there"


def read_log(path):
    data = path.read_bytes()
    entries, at = [], 0
    # the number of a file that is gone is given to another one
    serials = {}
    while at < len(data):
        op = chr(data[at])
        inode, number, a, b = struct.unpack_from("=4Q", data, at + 1)
        at += 33
        if op == "c":
            serials[inode] = len(entries)
        if op in "ctws":
            inode = serials[inode]
        entries.append((op, inode, number, data[at:at + a],
                        data[at + a:at + a + b]))
        at += a + b
    return entries


def folder_of(name):
    return os.path.dirname(name)


class Disk:
    """Files and names as they are on disk, and what is on its way there."""

    def __init__(self, rng):
        self.rng = rng
        self.files = {}         # inode: bytes on disk
        self.changes = {}       # inode: writes and cuts that were not synced
        self.names = {}         # name: inode
        self.moves = []         # of names, not synced
        self.promised = (0, 0)  # id and bytes of a checkpoint
        self.whole = False      # the recording said so

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
                if i not in ignored:
                    for change in self.changes.pop(inode, []):
                        self.change(inode, change)
            elif op == "d":
                if i not in ignored:
                    for move in self.moves:
                        if folder_of(move[1]) == a.decode():
                            self.move(self.names, move)
                    self.moves = [move for move in self.moves
                                  if folder_of(move[1]) != a.decode()]
            elif op == "m":
                self.promised = max(self.promised, (inode, number))
            elif op == "e":
                self.whole = True
            else:
                self.moves.append((op, a.decode(),
                                   inode if op == "c" else b.decode()))

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

    def get(self, name):
        """What a file holds, None if there is none."""
        if name not in self.names:
            return None
        return bytes(self.files.get(self.names[name], b""))

    def write_to(self, folder):
        (folder / "side").mkdir()
        for name in self.names:
            (folder / name).write_bytes(self.get(name))


class Recording:
    """One run: what it asked of the system, and what came out."""

    def __init__(self, entries, files, middle, sink):
        self.entries = entries
        self.files = files
        self.middle = middle
        self.sink = sink
        self.sidecar = "side/there" if sink else "out.checkpoint"
        self.sidecars = self.find_sidecars()

    def find_sidecars(self):
        """Bytes of every sidecar that was written: id of its checkpoint."""
        names, contents = {}, {}
        for op, inode, _, a, _ in self.entries:
            if op == "c":
                names[inode] = a.decode()
                contents[inode] = b""
            elif op == "w" and inode in names \
                    and names[inode] == self.sidecar + ".tmp":
                contents[inode] += a
        return {data: int.from_bytes(data[16:24], "little")
                for inode, data in contents.items()
                if names[inode] == self.sidecar + ".tmp"}

    def name_syncs(self):
        """What each sync brings to disk: {name: {index, ...}}"""
        kinds, names, moves = {}, {}, {}
        for i, (op, inode, _, a, b) in enumerate(self.entries):
            name = (b if op == "r" else a).decode("latin-1")
            if op == "c":
                names[inode] = name
            if op in "cr":
                moves[folder_of(name)] = name
            if op == "s":
                name = names[inode]
                kind = ("data" if name == "out.part" else "sidecar"
                        if name == self.sidecar + ".tmp" else "sum"
                        if name.startswith("side/out.b3.") else name)
            elif op == "d":
                last = moves.get(name, "nothing")
                kind = {"out.part": "name of the part",
                        self.sidecar: "name of the sidecar",
                        "side/out.b3": "name of the sum",
                        "out": "name of the whole"}.get(last, last)
            else:
                continue
            kinds.setdefault(kind, set()).add(i)
        return kinds

    def find_broken_promise(self, disk):
        """After the cut: what was promised and is not there, or None."""
        id, size = disk.promised
        out = disk.get("out.part")
        if out is None or disk.whole:
            out = disk.get("out")
        if id > 0:
            if out is None or out[:size] != self.files["out"][:size] \
                    or len(out) < size:
                return f"{size} bytes of checkpoint {id}"
            if not any(self.sidecars.get(disk.get(name), -1) >= id
                       for name in (self.sidecar, self.sidecar + ".old")):
                return f"checkpoint {id}"
        if disk.whole:
            for name, data in self.files.items():
                if disk.get(name) != data:
                    return f"{name} of the whole recording"
        return None


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

    def run_line(self, middle, sink, folder, env=None):
        """Returns the exit status and what was printed."""
        return launch.run(LINE.format(input=self.input, middle=middle, sink=sink),
                          cwd=folder, env=env, timeout=120)

    def record(self, middle, sink=""):
        """Runs it once."""
        folder = self.folder / "first"
        (folder / "side").mkdir(parents=True)
        log = self.folder / "log"
        log.unlink(missing_ok=True)
        code, text = self.run_line(middle, sink, folder, {
            "LD_PRELOAD": LIBRARY, "RECORD_IO_FOLDER": str(folder),
            "RECORD_IO_LOG": str(log)})
        self.assertEqual(code, 0, text)
        files = {name: (folder / name).read_bytes()
                 for name in ("out", "side/out.b3") if (folder / name).exists()}
        shutil.rmtree(folder)
        return Recording(read_log(log), files, middle, sink)

    def cut(self, rng, recording, ignored=()):
        """The power goes at any moment; often right behind the end."""
        n = len(recording.entries)
        disk = Disk(rng)
        disk.play(recording.entries[:rng.choice((n, rng.randrange(n),
                                                 rng.randrange(n),
                                                 rng.randrange(n)))], ignored)
        disk.cut()
        return disk

    def recovers(self, disk, recording):
        """Runs the line again."""
        folder = self.folder / "again"
        folder.mkdir()
        disk.write_to(folder)
        code, text = self.run_line(recording.middle, recording.sink, folder)
        good = (code == 0 and not (folder / "out.part").exists()
                and all((folder / name).exists()
                        and (folder / name).read_bytes() == data
                        for name, data in recording.files.items()))
        shutil.rmtree(folder)
        return good, text

    def test_power_cuts(self):
        for middle, sink in (("queue", ""), (SUMMED, ""), ("queue", ELSEWHERE),
                             ("lz4enc threads=2 chunk-size=65536", "")):
            recording = self.record(middle, sink)
            self.assertGreater(len(recording.name_syncs()["data"]), 10)
            self.assertGreater(len(recording.sidecars), 2)
            rng = random.Random(SEED)
            for i in range(CUTS * 5):
                disk = self.cut(rng, recording)
                self.assertIsNone(recording.find_broken_promise(disk),
                                  f"{middle} {sink}, state {i}")
                if i % 20 == 0:
                    good, text = self.recovers(disk, recording)
                    self.assertTrue(good, f"{middle} {sink}, state {i}: {text}")

    def recovers_parts(self, disk, recording, sinks=("out",)):
        """Runs the line again: all parts in order are what went in. What has its
        name stays as it is."""
        folder = self.folder / "again"
        folder.mkdir()
        disk.write_to(folder)
        before = {path: path.read_bytes() for path in folder.glob("*-???")}
        code, text = self.run_line(recording.middle, recording.sink, folder)
        good = (code == 0
                and all(path.read_bytes() == data
                        for path, data in before.items()))
        sizes = []
        for sink in sinks:
            parts = sorted(folder.glob(f"{sink}-*"))
            sizes.append([path.stat().st_size for path in parts])
            good = (good and [path.name for path in parts]
                    == [f"{sink}-{n + 1:03}" for n in range(len(parts))]
                    and b"".join(path.read_bytes() for path in parts)
                    == self.input.read_bytes() and sizes[-1] == sizes[0])
        shutil.rmtree(folder)
        return good, text

    def test_parts(self):
        """Cut while one part follows the other: none is lost, or there twice."""
        recording = self.record("queue max-size-buffers=1",
                                "rotate-bytes=150000 max-retries=0")
        self.assertTrue(any(op == "c" and name == b"out-003.part"
                            for op, _, _, name, _ in recording.entries))
        rng = random.Random(SEED)
        for i in range(CUTS // 2):
            disk = self.cut(rng, recording)
            good, text = self.recovers_parts(disk, recording)
            self.assertTrue(good, f"state {i}: {sorted(disk.names)}: {text}")

    def test_parts_of_two_sinks(self):
        """Neither has a part that the other one has not, or another one."""
        options = "rotate-bytes=150000 max-retries=0"
        recording = self.record(
            "tee name=t ! queue max-size-bytes=100000",
            f"{options} t. ! queue ! identity sleep-time=2000 ! eegfilesink "
            f"checkpoint=true {options} location=other")
        self.assertTrue(any(op == "c" and name == b"other-003.part"
                            for op, _, _, name, _ in recording.entries))
        rng = random.Random(SEED)
        for i in range(CUTS // 2):
            disk = self.cut(rng, recording)
            good, text = self.recovers_parts(disk, recording, ("out", "other"))
            self.assertTrue(good, f"state {i}: {sorted(disk.names)}: {text}")

    def is_missed(self, recording, syncs):
        rng = random.Random(SEED)
        for i in range(400):
            disk = self.cut(rng, recording, syncs)
            if recording.find_broken_promise(disk) is not None:
                return True
            if i % 10 == 0 and not self.recovers(disk, recording)[0]:
                return True
        return False

    def test_each_sync_is_needed(self):
        missed, found = set(), set()
        for middle, sink, wanted in (
                (SUMMED, "", {"data", "sidecar", "sum", "name of the sidecar",
                              "name of the sum", "name of the whole"}),
                ("queue", ELSEWHERE, {"name of the part"})):
            recording = self.record(middle, sink)
            kinds = recording.name_syncs()
            for kind in wanted:
                self.assertIn(kind, kinds)
                self.assertTrue(self.is_missed(recording, kinds[kind]),
                                f"nobody misses the sync of the {kind}")
            missed |= wanted
            found |= set(kinds)
        # none that nothing depends on
        self.assertEqual(found, missed)


if __name__ == "__main__":
    print(f"GSTEEG_TEST_SEED={SEED}", flush=True)
    LIBRARY = os.path.abspath(sys.argv.pop(1))
    unittest.main()
