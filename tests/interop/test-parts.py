# SPDX-License-Identifier: LGPL-2.1-or-later
"""Recordings in parts: what the parts hold together is what went in, with and
without kills, and each part says where it belongs.

usage: test-parts.py EEG-REPAIR
The seed of what is random is printed; GSTEEG_TEST_SEED sets it,
GSTEEG_TEST_KILLS how often is killed at least, GSTEEG_TEST_LIVE_KILLS how often
a live source is, in each chain."""

import gzip
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import launch

SEED = int(os.environ.get("GSTEEG_TEST_SEED", time.time_ns() % 1000000))
KILLS = int(os.environ.get("GSTEEG_TEST_KILLS", 6))
LIVE_KILLS = int(os.environ.get("GSTEEG_TEST_LIVE_KILLS", 3))
REPAIR = None
INTERVAL = 300000
SECOND = 1000000000
SUFFIX = {"aes": "zst.tink", "age": "gz.age", "lz4": "lz4", "plain": "edf"}
# The middle of the line; {} are threads.
ENCODE = {
    "aes": "zstdenc threads={} chunk-size=100000 ! aesgcmenc threads={} "
           "key-file=key segment-size=4096 ! blake3sum location=out.zst.tink.b3",
    "age": "gzipenc threads={} level=1 ! chacha20poly1305enc threads={} "
           "recipients-file=public ! sha256sum location=out.gz.age.sha256",
    "lz4": "lz4enc threads={} ! queue",
    "plain": "sha512sum location=out.edf.sha512",
}
CIPHERS = ("aes", "age")
# What eeg-repair needs to see the labels; bytes as they are have none.
VERIFY = {
    "aes": ["--key-file=key", "--segment-size=4096"],
    "age": ["--identity-file=identity"],
    "lz4": [],
}
ROTATE_BYTES = 400000
DECODE = {
    "aes": "aesgcmdec key-file=key segment-size=4096 ! zstddec",
    "age": "chacha20poly1305dec identity-file=identity ! gzipdec",
    "lz4": "lz4dec",
    "plain": "queue",
}


def read_bdf(data):
    """Returns the date, the onset of the first record, the number of records that
    the header has, samples as bytes, signal by signal, and all texts."""
    n = int(data[252:256])
    widths = [16, 80, 8, 8, 8, 8, 8, 80, 8, 32]
    at = 256 + sum(widths[:8]) * n
    counts = [int(data[at + 8 * i:at + 8 * i + 8]) for i in range(n)]
    at = 256 * (n + 1)
    assert (len(data) - at) % (3 * sum(counts)) == 0
    signals = [[] for _ in counts]
    while at < len(data):
        for i, count in enumerate(counts):
            signals[i].append(data[at:at + 3 * count])
            at += 3 * count
    texts = b"".join(signals.pop())
    onset = float(re.match(rb"[+-][\d.]+", texts)[0])
    return (data[168:184], onset, int(data[236:244]),
            [b"".join(signal) for signal in signals], texts)


@unittest.skipUnless(shutil.which("age-keygen"), "no age")
class Parts(launch.Recordings):
    @classmethod
    def setUpClass(cls):
        cls.random = random.Random(SEED)
        print("seed", SEED)
        cls.shared = tempfile.TemporaryDirectory()
        cls.input = pathlib.Path(cls.shared.name, "in")
        subprocess.run(f"gst-launch-1.0 -q eegsrc num-samples=80000 "
                       f"channels=16 ! edfmux ! filesink location={cls.input}",
                       shell=True, check=True)

    @classmethod
    def tearDownClass(cls):
        cls.shared.cleanup()

    def setUp(self):
        super().setUp()
        shutil.copy2(self.input, self.folder / "in")
        key = self.folder / "key"
        key.touch(0o600)
        key.write_bytes(b"0123456789abcdef0123456789abcdef")
        subprocess.run("umask 077; age-keygen -o identity 2>public && "
                       "sed -i 's/Public key: //' public", shell=True,
                       check=True, cwd=self.folder)

    @staticmethod
    def line(name, sink=f"rotate-bytes={ROTATE_BYTES}", slow=0, threads=1):
        line = launch.bytes_line(ENCODE[name].format(threads, threads), INTERVAL,
                                 slow, sink)
        return line.replace("location=out ", f"location=out.{SUFFIX[name]} ")

    def verify(self, names, *args):
        """Returns what eeg-repair says of all that is well, and of what is
        not."""
        done = subprocess.run([REPAIR, "--verify", *args, *names],
                              cwd=self.folder, capture_output=True, text=True,
                              check=False, timeout=60)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        self.assertEqual(done.returncode == 0, done.stderr == "", done.stderr)
        return done.stdout, done.stderr

    def check_verified(self, name, *args):
        """All parts that have their names are those of one recording."""
        names = [part.name for part in self.parts(name)]
        if name not in VERIFY or not names:
            return
        text, problems = self.verify(names, *VERIFY[name], *args)
        self.assertEqual(problems, "")
        self.assertRegex(text, rf"^{len(names)} parts, \d+ bytes\n$")

    def parts(self, name):
        return sorted(self.folder.glob(f"out-*.{SUFFIX[name]}"))

    def check_parts(self, name):
        """All parts have their names and sums, and hold what went in."""
        parts = self.parts(name)
        self.assertEqual([part.name for part in parts],
                         [f"out-{n + 1:03}.{SUFFIX[name]}"
                          for n in range(len(parts))])
        self.assertEqual(list(self.folder.glob("*.part")), [])
        got = b""
        for part in parts:
            self.succeed(f"filesrc location={part.name} ! {DECODE[name]} ! "
                         "filesink location=decoded")
            got += (self.folder / "decoded").read_bytes()
        self.assertEqual(len(got), self.input.stat().st_size)
        self.assertEqual(got, self.input.read_bytes())
        for tool in ("b3", "sha256", "sha512"):
            sums = list(self.folder.glob(f"out-*.{tool}"))
            if f".{tool} " in ENCODE[name] + " ":
                self.assertEqual(len(sums), len(parts))
            for path in sums:
                subprocess.run([f"{tool}sum", "-c", path.name], check=True,
                               cwd=self.folder, stdout=subprocess.DEVNULL)
        self.check_verified(name, f"--parts={len(parts)}")
        return parts

    @staticmethod
    def get_random(name, head):
        """What no other file may have: salt and nonce prefix, or the header with
        the file key; nothing while there is no whole header."""
        if name == "aes":
            return [head[1:33], head[33:40]] if len(head) >= 40 else []
        end = head.find(b"\n--- ") + 60
        return [head[:end]] if 60 <= end <= len(head) else []

    def note_headers(self, name, heads, prefix="out"):
        """Of all files that there are. What is written to one later has another
        time, and a part keeps its time when it gets its name."""
        if name not in CIPHERS:
            return
        for path in self.folder.glob(f"{prefix}-*"):
            if not re.search(r"\.(b3|sha\d+)\b", path.name):
                info = path.stat()
                heads.setdefault((info.st_ino, info.st_mtime_ns), (
                    path.name, self.get_random(name, path.read_bytes()[:1000])))

    def check_headers(self, heads):
        """Returns how many there are; no two have anything in common."""
        seen = {}
        for path, fields in heads.values():
            for field in fields:
                self.assertNotIn(field, seen, f"{path}, {seen.get(field)}")
                seen[field] = path
        return sum(len(fields) > 0 for _, fields in heads.values())

    # whole runs

    def test_whole(self):
        for name in ENCODE:
            with self.subTest(name=name):
                text = self.succeed(self.line(name, slow=5000))
                parts = self.check_parts(name)
                self.assertGreater(len(parts), 1)
                self.assertEqual(len(re.findall("eeg-part,", text)), len(parts))
                self.clear()

    def test_labels(self):
        """What other tools step over, and find."""
        self.succeed(self.line("age", slow=5000).replace(
            " ! chacha20poly1305enc threads=1 recipients-file=public", ""))
        recording = None
        first = 0
        previous = "none"
        parts = self.parts("age")
        for number, part in enumerate(parts, 1):
            data = part.read_bytes()
            label = re.match(rb"\x1f\x8b.{8}EEG part (\d+); recording=(\S+) "
                             rb"first-byte=(\d+) previous=(\w+)\0", data,
                             re.DOTALL)
            self.assertEqual(int(label[1]), number)
            recording = recording or label[2]
            self.assertEqual(label[2], recording)
            self.assertEqual(int(label[3]), first)
            self.assertEqual(label[4].decode(), previous)
            first += len(gzip.decompress(data))
            previous = subprocess.run(["b3sum", "--no-names", part], text=True,
                                      capture_output=True,
                                      check=True).stdout.strip()
        self.assertGreater(len(parts), 1)

    def test_names(self):
        self.succeed(self.line("lz4", slow=5000).replace("location=out.lz4",
                                              "location=out%02u.x"))
        self.assertTrue((self.folder / "out01.x").exists())
        self.assertTrue((self.folder / "out02.x").exists())
        for name in ("out%s", "out%u%u", "%u/out"):
            self.refuse(self.line("lz4").replace(
                "location=out.lz4", f"location={name}"), "is no name for parts")

    def test_by_time(self):
        self.succeed(self.line("lz4", sink="rotate-time=20000000", slow=20000))
        self.assertGreater(len(self.check_parts("lz4")), 1)

    def test_small(self):
        """No part is made without a byte in it."""
        for size in (0, 1, INTERVAL, INTERVAL + 1, 4 * INTERVAL):
            data = self.random.randbytes(size)
            (self.folder / "in").write_bytes(data)
            for name in ("plain", "aes"):
                line = self.line(name, "rotate-bytes=1 checkpoint=true")
                self.succeed(line)
                before = self.contents()
                self.succeed(line)
                self.assertEqual(self.contents(), before)
                got = b""
                for part in self.parts(name):
                    self.assertGreater(part.stat().st_size, 0 if size else -1)
                    self.succeed(f"filesrc location={part.name} ! "
                                 f"{DECODE[name]} ! filesink location=decoded")
                    got += (self.folder / "decoded").read_bytes()
                self.assertEqual(got, data)
                self.clear()

    # samples

    def samples_line(self, middle, sink):
        return ("eegsrc num-samples=30007 channels=3 checkpoint-interval=1000 ! "
                f"{middle} ! eegfilesink location=out.bdf {sink}")

    def reference(self, middle):
        self.succeed(self.samples_line(middle.split(" ! zstdenc")[0], ""))
        signals = read_bdf((self.folder / "out.bdf").read_bytes())[3]
        self.clear()
        return signals

    def check_samples(self, reference, decode="", samples=30007):
        """All samples once, filters go on, all labels in order."""
        got = [b""] * len(reference)
        recording = None
        first = 0
        parts = sorted(self.folder.glob("out-*.bdf"))
        self.assertEqual(list(self.folder.glob("*.part")), [])
        previous = b"none"
        for part in parts:
            # a branch with nothing in between leaves numbers out
            number = int(part.name[4:7])
            self.succeed(f"filesrc location={part.name} {decode} ! "
                         "filesink location=decoded")
            data = (self.folder / "decoded").read_bytes()
            signals, texts = read_bdf(data)[3:]
            label = re.search(rb"\x14EEG part (\d+); recording=(\S+) "
                              rb"first-sample=(\d+) previous=(\w+)\x14", texts)
            recording = recording or label[2]
            self.assertEqual((int(label[1]), label[2], int(label[3]), label[4]),
                             (number, recording, first, previous))
            self.assertEqual(texts.count(b"EEG part"), 1)
            got = [a + b for a, b in zip(got, signals)]
            first += len(signals[0]) // 3
            previous = subprocess.run(
                ["b3sum", "--no-names"], input=data[:192] + data[244:],
                capture_output=True, check=True).stdout.strip()
        # the last record of one file is longer than that of the last part
        for a, b in zip(got, reference):
            size = 3 * samples * len(b) // len(reference[0])
            self.assertEqual(a[:size], b[:size])
        return parts

    def test_samples(self):
        """In one file and in parts."""
        for middle in ("edfmux",
                       "rawtovoltage ! firfilter taps=501 low=1 high=40 "
                       "mode=band-pass ! eegdecimate factor=1 ! edfmux"):
            middle = middle.replace("eegdecimate factor=1 ! ", "")
            reference = self.reference(middle)
            self.succeed(self.samples_line(
                middle, "rotate-bytes=30000 checkpoint=true"))
            parts = self.check_samples(reference)
            self.assertGreater(len(parts), 1)
            for part in parts:
                date, onset, records, signals, _ = read_bdf(part.read_bytes())
                self.assertGreater(records, 0)
            self.clear()

    def test_decoded(self):
        """Ends of parts pass a decoder, whose blocks end elsewhere."""
        reference = self.reference("edfmux")
        self.succeed("eegsrc num-samples=30007 channels=3 ! eegpackenc "
                     "block-duration=2000000000 ! filesink location=packed")
        line = ("filesrc location=packed ! eegchunk checkpoint-interval=9000 ! "
                "eegpackdec ! edfmux ! eegfilesink location=out.bdf "
                "rotate-bytes=30000 checkpoint=true")
        self.succeed(line)
        self.assertGreater(len(self.check_samples(reference)), 2)

    def test_samples_killed(self):
        middle = ("rawtovoltage ! firfilter taps=501 low=1 high=40 "
                  "mode=band-pass ! edfmux ! zstdenc ! "
                  "aesgcmenc key-file=key segment-size=4096")
        reference = self.reference(middle)
        line = self.samples_line(middle, "rotate-bytes=20000 "
                                 "checkpoint=true max-retries=0")
        line = line.replace("! edfmux", "! identity sleep-time=8000 ! edfmux")
        kills = 0
        while kills < max(2, KILLS // 5):
            heads = {}
            killed = True
            while killed:
                killed, _ = self.kill_after(self.start(line),
                                            self.random.uniform(0.1, 0.9))
                kills += killed
                self.note_headers("aes", heads)
            parts = self.check_samples(reference,
                                       "! aesgcmdec key-file=key "
                                       "segment-size=4096 ! zstddec")
            text, problems = self.verify([part.name for part in parts],
                                         f"--parts={len(parts)}", *VERIFY["aes"])
            self.assertEqual(problems, "")
            self.assertIn(f"{len(parts)} parts, ", text)
            self.check_headers(heads)
            self.clear()
        print(f"samples: {kills} kills")

    # samples of two rates, by several pads

    def make_rates(self):
        self.succeed("eegsrc num-samples=30000 channels=3 ! queue ! edfmux name=m "
                     "! filesink location=rates  eegsrc num-samples=3000 seed=2 "
                     "rate=25/1 channels=2 ! queue ! m.")

    FILTER = "rawtovoltage ! firfilter taps=501 low=1 high=40 mode=band-pass !"

    def rates_line(self, sink, middle="", behind="", slow=0, sources=1):
        queue = "queue max-size-buffers=0 max-size-time=0"
        wait = f"identity sleep-time={slow}"
        if sources == 2:
            return ("eegsrc num-samples=30000 channels=3 checkpoint-interval=1000 "
                    f"! {wait} ! {queue} ! {middle} edfmux name=m ! {behind} "
                    f"eegfilesink location=out.bdf {sink}  eegsrc rate=25/1 "
                    "num-samples=3000 seed=2 channels=2 checkpoint-interval=100 "
                    f"! {wait} ! {queue} ! m.")
        return ("filesrc location=rates ! eegchunk checkpoint-interval=20000 ! "
                f"{wait} ! edfdemux name=d ! {queue} ! "
                f"{middle} edfmux name=m ! {behind} eegfilesink "
                f"location=out.bdf {sink}  d.src_1 ! {queue} ! m.")

    def test_rates(self):
        self.make_rates()
        for middle, sources in (("", 1), ("", 2), (self.FILTER, 1),
                                (self.FILTER, 2)):
            self.succeed(self.rates_line("", middle, sources=sources))
            reference = read_bdf((self.folder / "out.bdf").read_bytes())[3]
            self.assertGreater(len(reference[0]), len(reference[3]))
            self.clear()
            for sink in ("rotate-bytes=30000", "rotate-bytes=30000 "
                         "checkpoint=true", "rotate-time=20000000000"):
                self.succeed(self.rates_line(sink, middle, sources=sources))
                parts = self.check_samples(reference, samples=30000)
                self.assertGreater(len(parts), 3)
                for part in parts:
                    self.assertGreater(read_bdf(part.read_bytes())[2], 0)
                self.clear()

    def test_rates_killed(self):
        self.make_rates()
        kills = finished = 0
        while kills < max(4, KILLS // 5) or finished < 2:
            sources = finished % 2 + 1
            self.succeed(self.rates_line("", self.FILTER, sources=sources))
            reference = read_bdf((self.folder / "out.bdf").read_bytes())[3]
            self.clear()
            line = self.rates_line(
                "rotate-bytes=20000 checkpoint=true max-retries=0", self.FILTER,
                "zstdenc ! aesgcmenc key-file=key segment-size=4096 !",
                60000 if sources == 1 else 8000, sources)
            killed = True
            while killed:
                killed, _ = self.kill_after(self.start(line),
                                            self.random.uniform(0.1, 0.9))
                kills += killed
            parts = self.check_samples(reference,
                                       "! aesgcmdec key-file=key "
                                       "segment-size=4096 ! zstddec", 30000)
            self.assertGreater(len(parts), 3)
            _, problems = self.verify([part.name for part in parts],
                                      f"--parts={len(parts)}", *VERIFY["aes"])
            self.assertEqual(problems, "")
            self.clear()
            finished += 1
        print(f"rates: {kills} kills")

    # samples in EEGPack

    def make_dated(self):
        """A file that says when it began."""
        self.succeed("eegsrc num-samples=30007 channels=3 ! edfmux ! "
                     "filesink location=dated")
        path = self.folder / "dated"
        data = path.read_bytes()
        path.write_bytes(data[:168] + b"05.03.2110.20.30" + data[184:])

    def pack_line(self, middle, sink, slow=0):
        slowly = f"identity sleep-time={slow} ! " if slow else ""
        return ("eegsrc location=dated checkpoint-interval=1000 ! "
                f"{slowly}{middle} ! eegfilesink location=out.eegpack {sink}")

    def check_packs(self, middle, decode=""):
        """Samples bit by bit, labels in order, each header with the time at
        which its part begins."""
        stages = middle[:middle.index("eegpackenc")].rstrip(" !")
        self.succeed("eegsrc location=dated " + (f"! {stages} " if stages
                                                 else "")
                     + "! filesink location=raw")
        whole = (self.folder / "raw").read_bytes()
        size = len(whole) // 30007
        got = b""
        recording = start = None
        previous = b"none"
        parts = sorted(self.folder.glob("out-*.eegpack"))
        self.assertEqual(list(self.folder.glob("*.part")), [])
        for number, part in enumerate(parts, 1):
            first = len(got) // size
            self.succeed(f"filesrc location={part.name} {decode} ! "
                         "filesink location=packed")
            self.succeed("filesrc location=packed ! eegpackdec ! "
                         "filesink location=decoded")
            got += (self.folder / "decoded").read_bytes()
            data = (self.folder / "packed").read_bytes()
            label = re.search(rb"EEG part (\d+); recording=(\S+) "
                              rb"first-sample=(\d+) previous=(\w+)", data)
            recording = recording or label[2]
            self.assertEqual((int(label[1]), label[2], int(label[3])),
                             (number, recording, first))
            self.assertTrue(label[4].startswith(previous), part)
            self.assertEqual(data.count(b"EEG part"), 1)
            previous = subprocess.run(
                ["b3sum", "--no-names"], input=data, capture_output=True,
                check=True).stdout.strip()
            self.succeed("filesrc location=packed ! eegpackdec ! edfmux "
                         "format=bdf ! filesink location=bdf")
            date, onset, _, _, texts = read_bdf(
                (self.folder / "bdf").read_bytes())
            self.assertIn(label[0][:50], texts)
            begin = time.mktime(time.strptime(date.decode(),
                                              "%d.%m.%y%H.%M.%S")) + onset
            if start is None:
                self.assertEqual(date, b"05.03.2110.20.30")
                start = begin
            self.assertAlmostEqual(begin - start, first / 250, places=6)
        self.assertEqual(got, whole)
        return parts

    def check_reader(self, part):
        """A reader that knows nothing of parts."""
        sys.path.insert(0, os.environ["GSTEEG_SOURCE_DIR"] + "/examples")
        try:
            import eegpack_reader
        except ImportError as error:
            self.assertEqual(error.name, "numpy")
            return
        finally:
            del sys.path[0]
        recording = eegpack_reader.Recording(part)
        self.assertTrue(recording.complete)
        self.assertRegex(recording.markers[0][2], "^EEG part ")
        # the last part was decoded last
        self.assertEqual(recording.streams[0].samples.T.tobytes(),
                         (self.folder / "decoded").read_bytes())

    def test_packs(self):
        self.make_dated()
        for middle in ("eegpackenc",
                       "rawtovoltage ! firfilter taps=501 low=1 high=40 "
                       "mode=band-pass ! eegpackenc threads=2 effort=fast "
                       "block-duration=300000000"):
            self.succeed(self.pack_line(
                middle, "rotate-bytes=20000 checkpoint=true"))
            parts = self.check_packs(middle)
            self.assertGreater(len(parts), 2)
            self.check_reader(parts[-1])
            self.clear()

    def test_packs_killed(self):
        middle = "eegpackenc threads={} ! aesgcmenc key-file=key " \
                 "segment-size=4096"
        self.make_dated()
        kills = 0
        while kills < max(3, KILLS // 5):
            heads = {}
            killed = True
            while killed:
                line = self.pack_line(
                    middle.format(self.random.choice((1, 2, 8))),
                    "rotate-bytes=15000 checkpoint=true max-retries=0",
                    slow=8000)
                killed, _ = self.kill_after(self.start(line),
                                            self.random.uniform(0.1, 0.9))
                kills += killed
                self.note_headers("aes", heads)
            parts = self.check_packs("eegpackenc", "! aesgcmdec key-file=key "
                                     "segment-size=4096")
            _, problems = self.verify([part.name for part in parts],
                                      f"--parts={len(parts)}", *VERIFY["aes"])
            self.assertEqual(problems, "")
            self.check_headers(heads)
            self.clear()
        print(f"EEGPack: {kills} kills")

    # live

    def decode(self, path, decoder):
        """What can be read of a part, whole or not."""
        out = self.folder / "decoded"
        out.unlink(missing_ok=True)
        self.run_line(f"filesrc location={path.name} {decoder} ! "
                      "filesink location=decoded")
        data = out.read_bytes() if out.exists() else b""
        if len(data) < 256 or len(data) < int(data[184:192]):
            return None
        n = int(data[252:256])
        size = sum(int(data[256 + 216 * n + 8 * i:256 + 216 * n + 8 * i + 8])
                   for i in range(n)) * 3
        header = 256 * (n + 1)
        records = (len(data) - header) // size
        if records <= 0:
            return None
        *content, signals, texts = read_bdf(data[:header + records * size])
        if " ! edfmux" in decoder:
            # the last record is filled up
            self.run_line(f"filesrc location={path.name} "
                          f"{decoder.split(' ! edfmux')[0]} ! "
                          "filesink location=decoded")
            n = out.stat().st_size // (4 * len(signals))
            signals = [signal[:3 * n] for signal in signals]
            # the label may be longer than what a record has for notes
            packed = path.read_bytes()
            texts = b"\x14" + packed[packed.index(b"EEG part "):]
        return *content, signals, texts

    def test_live(self):
        """Killed at any time: nothing is lost beyond the bound that was posted,
        and it is said what."""
        # all that the source would have given, had nobody killed it
        self.succeed("eegsrc num-samples=1000 channels=3 ! edfmux ! filesink "
                     "location=whole")
        whole = read_bdf((self.folder / "whole").read_bytes())[3]
        for middle, decoder, keys in (
                ("edfmux record-duration=40000000", "", []),
                ("edfmux record-duration=40000000 ! zstdenc ! "
                 "aesgcmenc key-file=key segment-size=256",
                 "! aesgcmdec key-file=key segment-size=256 ! zstddec",
                 ["--key-file=key", "--segment-size=256"]),
                ("eegpackenc block-duration=40000000",
                 "! eegpackdec salvage=true ! edfmux format=bdf", [])):
            line = ("eegsrc is-live=true channels=3 checkpoint-interval=50 ! "
                    f"{middle} ! eegfilesink location=out.bdf checkpoint=true "
                    "sync-time=50000000 rotate-time=500000000")
            kills = {}
            said = {}
            count = 0
            while count < LIVE_KILLS:
                process = self.start(line)
                # when the recording began is known once there is something
                while not kills and process.poll() is None \
                        and "eeg-loss-bound" not in (
                            self.folder / "log").read_text(encoding="utf-8"):
                    time.sleep(0.01)
                time.sleep(self.random.uniform(0.3, 1.5))
                now = time.time()
                killed, text = self.kill(process)
                self.assertTrue(killed, text)
                self.note_interruption(text, said)
                bounds = re.findall(r"eeg-loss-bound.*time=\(guint64\)(\d+)",
                                    text)
                newest = max((path.name
                              for path in self.folder.glob("out-*.part")),
                             default=None)
                # one that had not begun yet lost nothing
                if bounds and newest is not None and newest not in kills:
                    kills[newest] = now, int(bounds[-1]) / SECOND
                    count += 1
            # the last run ends as it shall
            text = self.succeed(line.replace("eegsrc ",
                                             "eegsrc num-samples=200 "))
            self.note_interruption(text, said)
            self.check_live(decoder, keys, kills, said, whole)
            self.clear()

    def note_interruption(self, text, said):
        """What a run says of the one before it, by the number of its part."""
        found = re.findall(r"eeg-interrupted, part=\(guint64\)(\d+), first="
                           r"\(guint64\)(\d+), stopped=\(gint64\)(\d+), "
                           r"begun=\(gint64\)(\d+)", text)
        self.assertLessEqual(len(found), 1)
        for part, first, stopped, begun in found:
            said[int(part)] = int(first), int(stopped) / 1e6, int(begun) / 1e6

    def check_live(self, decoder, keys, kills, said, whole):
        rate = 250
        parts = sorted(self.folder.glob("out-*.bdf*"))
        origin = recording = None
        end = interruptions = 0
        lost, useless, shares = [], [], []
        run = None
        for path in parts:
            content = self.decode(path, decoder)
            if content is None or not content[3][0]:
                self.assertTrue(path.name.endswith(".part"), path)
                useless.append(path.name)
                continue
            date, onset, _, signals, texts = content
            number = int(path.name[4:7])
            label = re.search(rb"\x14EEG part (\d+); recording=(\S+) "
                              rb"first-sample=(\d+) previous=(\w+)", texts)
            recording = recording or label[2]
            self.assertEqual((int(label[1]), label[2]), (number, recording))
            begin = time.mktime(time.strptime(date.decode(),
                                              "%d.%m.%y%H.%M.%S")) + onset
            first = int(label[3])
            if origin is None:
                origin = begin - first / rate
            # header and label say the same
            self.assertAlmostEqual(first / rate, begin - origin, delta=1.1 / rate)
            if label[4] == b"interrupted":
                # message, label and clock say the same
                self.assertEqual(said[number][0], first)
                self.assertLess(said[number][1], said[number][2])
                self.assertAlmostEqual(said[number][2], begin, delta=1)
                self.assertGreaterEqual(first, end)
                lost.append((path.name, end, first, first - end))
                interruptions += 1
                run = None
            elif label[4] != b"none":
                self.assertEqual(first, end)
            # a run has what the source gave from its beginning, sample by
            # sample, and all of it
            run = run or [b""] * len(signals)
            run = [a + b for a, b in zip(run, signals)]
            for a, b in zip(run, whole):
                self.assertEqual(a, b[:len(a)], path)
            end = first + len(signals[0]) // 3
            if path.name in kills:
                now, bound = kills[path.name]
                gone = now - end / rate - origin
                self.assertLessEqual(gone, bound, path)
                shares.append((gone, bound))
        self.assertGreater(interruptions, 0)
        self.check_stated([path.name for path in parts], keys, lost, useless)
        if shares:
            print(f"live: {len(kills)} kills, {interruptions} interruptions; lost "
                  f"{min(shares)[0]:.3f} to {max(shares)[0]:.3f} s of bounds of "
                  f"{min(s[1] for s in shares):.3f} to "
                  f"{max(s[1] for s in shares):.3f} s")

    def check_stated(self, names, keys, lost, useless):
        """eeg-repair says what is missing to the sample, and has nothing else to
        complain of but parts of which nothing came to disk."""
        text, problems = self.verify(names, *keys)
        stated = re.findall(r"^(\S+): sample (\d+) to (\d+) lost \((\d+)\)",
                            text, re.MULTILINE)
        self.assertEqual([(name, *map(int, numbers))
                          for name, *numbers in stated], lost)
        numbers = {int(name[4:7]) for name in useless}
        there = {int(name[4:7]) for name in names}
        for problem in problems.splitlines():
            missing = re.search(r": .*part (\d+) is missing (between|before)",
                                problem)
            if missing:
                self.assertTrue(int(missing[1]) in numbers
                                or int(missing[1]) not in there, problem)
            else:
                self.assertIn(problem.split(":")[0], useless, problem)

    # several sinks

    def two_line(self, first, second, sinks, slow=0):
        """Bytes to two sinks, by the names in ENCODE; the second queue holds more
        than a part, so that this branch may be far behind."""
        middles = [ENCODE[name].format(*[self.random.choice((1, 2, 8))] * 2)
                   for name in (first, second)]
        slowly = f"identity sleep-time={slow} ! " if slow else ""
        middles[1] = middles[1].replace("out.", "other.")
        queue = "queue max-size-buffers=0 max-size-bytes"
        return (f"filesrc location=in ! eegchunk checkpoint-interval={INTERVAL} "
                f"! tee name=t ! {queue}=100000 ! {middles[0]} ! eegfilesink "
                f"location=out.{SUFFIX[first]} {sinks[0]} t. ! "
                f"{queue}=1500000 ! {slowly}{middles[1]} ! eegfilesink "
                f"location=other.{SUFFIX[second]} {sinks[1]}")

    def decode_parts(self, name, prefix):
        parts = sorted(self.folder.glob(f"{prefix}-*.{SUFFIX[name]}"))
        self.assertEqual([part.name for part in parts],
                         [f"{prefix}-{n + 1:03}.{SUFFIX[name]}"
                          for n in range(len(parts))])
        contents = []
        for part in parts:
            self.succeed(f"filesrc location={part.name} ! {DECODE[name]} ! "
                         "filesink location=decoded")
            contents.append((self.folder / "decoded").read_bytes())
        return parts, contents

    def check_two(self, first, second):
        """Both have the same in the same parts, and sums of each."""
        self.assertEqual(list(self.folder.glob("*.part")), [])
        parts, contents = self.decode_parts(first, "out")
        others, same = self.decode_parts(second, "other")
        self.assertEqual([len(data) for data in contents],
                         [len(data) for data in same])
        self.assertEqual(contents, same)
        self.assertEqual(b"".join(contents), self.input.read_bytes())
        for tool in ("b3", "sha256", "sha512"):
            for path in self.folder.glob(f"*.{tool}"):
                # that of a part which was thrown away, and ends elsewhere now,
                # may be left where the recording came to its end before it
                if path.with_suffix("").exists():
                    subprocess.run([f"{tool}sum", "-c", path.name],
                                   check=True, cwd=self.folder,
                                   stdout=subprocess.DEVNULL)
        return parts, others

    def clear_two(self):
        for path in self.folder.iterdir():
            if path.name.startswith(("out", "other")):
                path.unlink()

    def test_two_sinks(self):
        """Whose limit it is does not matter, and one request is one part."""
        limit, none = "rotate-bytes=400000", "rotate-bytes=100000000000"
        for sinks in ((limit, none), (none, limit), (limit, limit)):
            text = self.succeed(self.two_line("plain", "aes", sinks,
                                              slow=10000))
            parts, others = self.check_two("plain", "aes")
            self.assertEqual(len(re.findall("eeg-part,", text)),
                             len(parts) + len(others))
            self.assertGreater(len(parts), 1)
            # no part is ended by two requests: the second one would make it as
            # small as an interval
            for part in parts[:-1]:
                self.assertGreater(part.stat().st_size, INTERVAL)
            self.clear_two()

    def test_two_sinks_killed(self):
        kills = finished = 0
        pairs = (("plain", "aes"), ("age", "aes"), ("lz4", "age"))
        sink = "rotate-bytes=400000 checkpoint=true max-retries=0"
        while kills < KILLS or finished < len(pairs):
            pair = pairs[finished % len(pairs)]
            heads = {name: {} for name in ENCODE}
            done = False
            while not done:
                process = self.start(self.two_line(
                    *pair, (sink, sink),
                    slow=self.random.choice((2000, 10000))))
                killed, _ = self.kill_after(process,
                                            self.random.uniform(0.05, 0.8))
                kills += killed
                done = not killed
                self.check_common(pair)
                for name, prefix in zip(pair, ("out", "other")):
                    self.note_headers(name, heads[name], prefix)
            self.check_two(*pair)
            for name in CIPHERS:
                self.check_headers(heads[name])
            finished += 1
            self.clear_two()
        print(f"{kills} kills, {finished} recordings")

    def check_common(self, pair):
        """No part has its name that another sink has not brought to disk."""
        paths = [sorted(self.folder.glob(f"{prefix}-*.{SUFFIX[name]}"))
                 for prefix, name in zip(("out", "other"), pair)]
        for path in paths[0]:
            number = path.name[4:7]
            self.assertTrue(
                list(self.folder.glob(f"other-{number}.{SUFFIX[pair[1]]}*")))
        self.assertLessEqual(abs(len(paths[0]) - len(paths[1])), 1)

    def test_two_sinks_of_samples(self):
        """Each branch has its own chain of labels, of the same recording; with
        kills."""
        fir = "rawtovoltage ! firfilter taps=501 low=1 high=40 mode=band-pass ! "
        line = ("eegsrc num-samples=30007 channels=3 checkpoint-interval=1000 ! "
                "{slow}tee name=t ! queue max-size-buffers=0 max-size-time=0 ! "
                "edfmux ! eegfilesink location=out.bdf {sink} t. ! queue ! "
                f"{fir}edfmux ! zstdenc ! aesgcmenc key-file=key "
                "segment-size=4096 ! eegfilesink location=other.bdf {sink}")
        references = self.reference("edfmux"), self.reference(fir + "edfmux")
        sink = "rotate-bytes=20000 checkpoint=true max-retries=0"
        for slow in ("", "identity sleep-time=8000 ! "):
            done = False
            while not done:
                process = self.start(line.format(slow=slow, sink=sink))
                done = not self.kill_after(
                    process, self.random.uniform(0.1, 0.9) if slow else 60)[0]
            self.check_samples(references[0])
            for path in list(self.folder.glob("out-*")):
                path.rename(self.folder / path.name.replace("out", "first"))
            for path in list(self.folder.glob("other-*")):
                path.rename(self.folder / path.name.replace("other", "out"))
            self.check_samples(references[1], "! aesgcmdec key-file=key "
                               "segment-size=4096 ! zstddec")
            for prefix, keys in (("first", []), ("out", ["--key-file=key"])):
                names = sorted(path.name
                               for path in self.folder.glob(f"{prefix}-*.bdf"))
                self.assertEqual(self.verify(names, *keys)[1], "")
            labels = [re.findall(rb"recording=(\S+)", path.read_bytes())
                      for path in sorted(self.folder.glob("first-*"))]
            self.succeed("filesrc location=out-001.bdf ! aesgcmdec key-file=key "
                         "segment-size=4096 ! zstddec ! filesink location=first")
            labels.append(re.findall(rb"recording=(\S+)",
                                     (self.folder / "first").read_bytes()))
            self.assertEqual(len({label for one in labels for label in one}), 1)
            for path in self.folder.iterdir():
                if path.name.startswith(("out", "other", "first")):
                    path.unlink()

    def test_two_sinks_that_differ(self):
        """A sink without its sidecar, or with that of another recording."""
        sink = "rotate-bytes=400000 checkpoint=true"
        line = self.two_line("plain", "aes", (sink, sink), slow=10000)
        fast = line.replace("identity sleep-time=10000 ! ", "")
        process = self.start(line)
        while process.poll() is None and not list(
                self.folder.glob("other-002.zst.tink")):
            time.sleep(0.01)
        self.kill(process)
        sidecar = self.folder / "other.zst.tink.checkpoint"
        good = sidecar.read_bytes()
        older = self.folder / "other.zst.tink.checkpoint.old"
        kept = older.read_bytes()
        sidecar.unlink()
        older.unlink()
        self.refuse(fast, "have none in common")
        sidecar.write_bytes(good)
        older.write_bytes(kept)
        first = self.folder / "out.edf.checkpoint"
        own = first.read_bytes()
        self.succeed(fast.replace("location=out.", "location=out2.")
                     .replace("location=other.", "location=other2."))
        first_older = self.folder / "out.edf.checkpoint.old"
        own_older = first_older.read_bytes()
        for path in first, first_older:
            path.write_bytes((self.folder / path.name.replace(
                "out", "out2")).read_bytes())
        self.refuse(fast, "have none in common|those of different recordings")
        first.write_bytes(own)
        first_older.write_bytes(own_older)
        for path in self.folder.glob("o*2*.*"):
            if path.name.startswith(("out2", "other2")):
                path.unlink()
        self.succeed(fast)
        self.check_two("plain", "aes")
        # nothing is left to do but to give one its name
        last = max(self.folder.glob("other-*.zst.tink"))
        last.rename(f"{last}.part")
        before = {path.name: path.read_bytes() for path in self.folder.iterdir()
                  if path.name.startswith("out")}
        self.succeed(fast)
        self.assertTrue(last.exists())
        self.assertEqual(before, {path.name: path.read_bytes()
                                  for path in self.folder.iterdir()
                                  if path.name.startswith("out")})

    def read_labels(self, prefix, decoder):
        """{number: (label, samples)} of all parts, whole or not."""
        found = {}
        for path in sorted(self.folder.glob(f"{prefix}-*.bdf*")):
            content = self.decode(path, decoder)
            if content is None or not content[3][0]:
                self.assertTrue(path.name.endswith(".part"), path)
                continue
            label = re.search(rb"\x14EEG part (\d+); recording=(\S+) "
                              rb"first-sample=(\d+) previous=(\w+)", content[4])
            number = int(path.name[len(prefix) + 1:][:3])
            self.assertEqual(int(label[1]), number)
            found[number] = label, len(content[3][0]) // 3
        return found

    def test_two_sinks_live(self):
        """Each start is a part of the same number in both, which says in each
        what was lost."""
        sink = "checkpoint=true sync-time=50000000 rotate-time=500000000"
        line = ("eegsrc is-live=true channels=3 checkpoint-interval=50 ! tee "
                "name=t ! queue ! edfmux record-duration=40000000 ! eegfilesink "
                f"location=out.bdf {sink} t. ! queue ! edfmux "
                "record-duration=40000000 ! zstdenc ! aesgcmenc key-file=key "
                f"segment-size=256 ! eegfilesink location=other.bdf {sink}")
        interrupted = set()
        for _ in range(3):
            self.kill_after(self.start(line), self.random.uniform(0.3, 1.5))
        code, text = self.run_line(line.replace("eegsrc ",
                                                "eegsrc num-samples=200 "))
        self.assertEqual(code, 0, text[-2000:])
        found = [self.read_labels("out", ""),
                 self.read_labels("other", "! aesgcmdec key-file=key "
                                  "segment-size=256 ! zstddec")]
        self.assertEqual(len({label[2] for labels in found
                              for label, _ in labels.values()}), 1)
        for labels in found:
            end = 0
            for number, (label, samples) in sorted(labels.items()):
                self.assertGreaterEqual(int(label[3]), end)
                if label[4] == b"interrupted":
                    interrupted.add(number)
                elif label[4] != b"none" and number - 1 in labels:
                    self.assertEqual(int(label[3]), end)
                end = int(label[3]) + samples
        self.assertGreater(len(interrupted), 0)
        # what both have begun, both say of
        for number in set(found[0]) & set(found[1]):
            self.assertEqual(found[0][number][0][4] == b"interrupted",
                             found[1][number][0][4] == b"interrupted")
        self.assertEqual(max(found[0]), max(found[1]))

    # refusals

    def test_nothing_is_overwritten(self):
        line = self.line("lz4")
        for name in ("out-001.lz4", "out-007.lz4", "out-003.lz4.part"):
            (self.folder / name).write_text("x")
            self.refuse(line, "is not overwritten")
            self.refuse(line + " checkpoint=true", "is not overwritten")
            self.clear()
        (self.folder / "out-001.lz4.part").write_text("")
        self.succeed(line)

    def test_refusals(self):
        for middle, pattern in (
                ("gdppay", "gdppay0 holds state"),
                ("blake3sum expected=" + "0" * 64, "blake3sum0 cannot end"),
                ("aesgcmenc key-file=key", "before the cipher"),
                ("brotlienc ! aesgcmenc key-file=key", "before the cipher"),
                ("zstddec", "zstddec0 cannot end"),
                ("tee name=t ! fakesink t.",
                 "fakesink0 stands behind the same tee or demuxer, and makes no parts"),
                ("tee name=t ! eegfilesink location=out.y t.",
                 "eegfilesink0 stands behind the same tee or demuxer, and makes no parts"),
                ("tee name=t ! eegfilesink location=out.y rotate-bytes=1 "
                 "checkpoint=true t.",
                 "eegfilesink0 stands behind the same tee or demuxer, and stores check"),
                ("tee name=t ! eegfilesink location=out.y rotate-bytes=1 "
                 "overwrite=true t.",
                 "eegfilesink0 stands behind the same tee or demuxer, and has another"),
                ("tee name=t ! queue ! aesgcmenc key-file=key ! eegfilesink "
                 "location=out.y rotate-bytes=1 t. ! queue",
                 "before the cipher")):
            self.refuse(f"filesrc location=in ! eegchunk ! {middle} ! "
                        "eegfilesink location=out.x rotate-bytes=1", pattern)
        self.refuse("filesrc location=in ! eegchunk ! edfdemux name=d ! queue ! "
                    "edfmux ! eegfilesink location=out.x rotate-bytes=1  "
                    "d.src_1 ! queue ! edfmux ! eegfilesink location=out.y "
                    "checkpoint=true", "the same tee or demuxer")
        self.refuse("filesrc location=in ! eegchunk checkpoint-interval=0 ! "
                    "eegfilesink location=out.x rotate-bytes=1",
                    "sends no barriers")

    def test_what_changed(self):
        """A recording goes on only as what it was."""
        line = self.line("aes", "rotate-bytes=400000 checkpoint=true")
        self.kill_after_a_part(line, "aes")
        self.refuse(line.replace("chunk-size=100000", "chunk-size=200000"),
                    "zstdenc0 has other settings")
        self.refuse(line.replace("rotate-bytes=400000 ", ""),
                    "cannot have checkpoints|unfinished")
        first = self.folder / "out-001.zst.tink"
        with open(self.folder / "in", "ab") as file:
            file.write(b"x")
        self.refuse(line, "input has another size")
        shutil.copy2(self.input, self.folder / "in")
        last = self.parts("aes")[-1]
        whole = last.read_bytes()
        last.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        self.refuse(line, "last part is another one")
        last.write_bytes(whole)
        # the machine stopped before it got its name
        last.rename(f"{last}.part")
        self.succeed(line)
        self.assertTrue(first.exists())
        self.check_parts("aes")
        # nothing is left to do, but maybe to give the last one its name
        before = self.contents()
        self.succeed(line)
        self.assertEqual(self.contents(), before)
        last = self.parts("aes")[-1]
        last.rename(f"{last}.part")
        self.succeed(line)
        self.assertEqual(self.contents(), before)
        # parts that were archived are not missed
        for part in self.parts("aes")[:-1]:
            part.unlink()
        before = self.contents()
        self.succeed(line)
        self.assertEqual(self.contents(), before)
        self.parts("aes")[-1].unlink()
        self.succeed(line)

    # kills

    def kill_after_a_part(self, line, name):
        process = self.start(line.replace("sleep-time=0", "sleep-time=20000"))
        while process.poll() is None and len(self.parts(name)) < 2:
            time.sleep(0.01)
        self.kill(process)
        self.assertGreater(len(self.parts(name)), 1)

    def kill_until_done(self, name, heads, read):
        """Returns how often it was killed."""
        kills = 0
        killed = True
        while killed:
            line = self.line(name, f"rotate-bytes={ROTATE_BYTES} checkpoint=true "
                             "max-retries=0", slow=8000,
                             threads=self.random.choice((1, 2, 8)))
            killed, text = self.kill_after(self.start(line, options=["-v"]),
                                           self.random.uniform(0.05, 0.5))
            kills += killed
            read.add(text)
            self.check_verified(name)
            if name in CIPHERS:
                self.note_headers(name, heads)
        return kills

    def test_kills(self):
        kills = dict.fromkeys(ENCODE, 0)
        headers = most = finished = 0
        names = [name for name in ENCODE if name not in CIPHERS]
        while names or sum(kills[name] for name in CIPHERS) < KILLS:
            # after one of each, those with ciphers in turns
            name = names.pop() if names else CIPHERS[finished % 2]
            heads = {}
            read = launch.ReadAgain()
            kills[name] += self.kill_until_done(name, heads, read)
            most = max(most, read.most)
            self.check_parts(name)
            headers += self.check_headers(heads)
            finished += 1
            self.clear()
        for name, count in kills.items():
            print(f"{name}: {count} kills")
        print(f"{finished} recordings, {headers} headers, at most {most} bytes "
              f"read again, parts of {ROTATE_BYTES}, intervals of {INTERVAL}")


if __name__ == "__main__":
    REPAIR = os.path.abspath(sys.argv.pop(1))
    unittest.main()
