# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a file that ends anywhere still gives back, for each container, codec and
cipher, in bytes and in seconds of the recording; and what is left of a recording
that is killed, beside the same with EDFlib. Prints the figures, which
docs/design/durability.md has.

Argument: the program edflib-tool, or nothing when EDFlib is not installed. The
seed is printed; GSTEEG_TEST_SEED sets it."""

import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import launch

EDFLIB = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else None
SEED = int(os.environ.get("GSTEEG_TEST_SEED", time.time_ns() % 1000000))
CUTS = 5
SECONDS = 400
SOURCE = f"eegsrc channels=16 rate=250/1 num-samples={250 * SECONDS}"
AES = "key-file=key"
SMALL = f"{AES} segment-size=65536"
# Name: encoder, decoder, and the seconds that may be missing at most: what a
# chunk or segment holds of 12 kB/s, once for each stage that fills one; half as
# much again where that depends on how well this part of the data compresses.
CHAINS = {
    "BDF": ("edfmux", "queue", 1),
    "zstd": ("edfmux ! zstdenc", "zstddec", 22),
    "gzip": ("edfmux ! gzipenc", "gzipdec", 22),
    "lz4": ("edfmux ! lz4enc", "lz4dec", 22),
    "brotli": ("edfmux ! brotlienc", "brotlidec", SECONDS),
    "Tink": (f"edfmux ! aesgcmenc {AES}", f"aesgcmdec {AES}", 90),
    "age": ("edfmux ! chacha20poly1305enc recipients-file=public",
            "chacha20poly1305dec identity-file=identity", 6),
    "Tink, 64 KiB": (f"edfmux ! aesgcmenc {SMALL}", f"aesgcmdec {SMALL}", 6),
    "zstd; Tink, 64 KiB": (f"edfmux ! zstdenc ! aesgcmenc {SMALL}",
                           f"aesgcmdec {SMALL} ! zstddec", 66),
    "EEGPack": ("eegpackenc", "eegpackdec", 66),
}


class Durability(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        shared = tempfile.TemporaryDirectory()
        cls.addClassCleanup(shared.cleanup)
        cls.folder = pathlib.Path(shared.name)
        key = cls.folder / "key"
        key.touch(0o600)
        key.write_bytes(bytes(range(32)))
        if shutil.which("age-keygen"):
            subprocess.run("umask 077; age-keygen -o identity 2>public && "
                           "sed -i 's/Public key: //' public", shell=True,
                           check=True, cwd=cls.folder)

    def launch(self, line):
        return launch.run(line, cwd=self.folder)

    def decode(self, data, decoder):
        """What comes out before the error. One stage after the other: an error
        ends the whole line, with what is on its way in it."""
        out = self.folder / "decoded"
        for stage in decoder.split(" ! "):
            (self.folder / "cut").write_bytes(data)
            out.unlink(missing_ok=True)
            self.launch(f"filesrc location=cut ! {stage} ! filesink "
                        f"location=decoded buffer-mode=unbuffered")
            data = out.read_bytes() if out.exists() else b""
        return data

    def test_cut_files(self):
        rng = random.Random(SEED)
        for name, (encoder, decoder, bound) in CHAINS.items():
            if "identity" in decoder and not shutil.which("age-keygen"):
                print(f"{name}: no age-keygen")
                continue
            with self.subTest(name):
                out = self.folder / "out"
                out.unlink(missing_ok=True)
                code, text = self.launch(
                    f"{SOURCE} ! {encoder} ! eegfilesink location=out")
                self.assertEqual(code, 0, text)
                coded = out.read_bytes()
                plain = self.decode(coded, decoder)
                losses = []
                for _ in range(CUTS):
                    at = rng.randrange(len(coded) // 2, len(coded))
                    found = self.decode(coded[:at], decoder)
                    self.assertEqual(found, plain[:len(found)])
                    losses.append(max(0, len(plain) * at // len(coded)
                                      - len(found)))
                worst = max(losses)
                seconds = worst * SECONDS / len(plain)
                print(f"{name}: up to {worst} of {len(plain)} bytes, "
                      f"{seconds:.1f} s", flush=True)
                self.assertLessEqual(seconds, bound)

    @unittest.skipIf(EDFLIB is None, "EDFlib is not installed")
    def test_killed_beside_edflib(self):
        """Both write BDF+ with a note each second and are killed. The records
        are counted by their size, the notes by their text."""
        def count(path):
            data = path.read_bytes() if path.exists() else b""
            header = data[:256 * (int(data[252:256] or 0) + 1)]
            size = len(data) - len(header)
            n = len(header) // 256 - 1
            samples = [int(header[256 + 216 * n + 8 * i:][:8])
                       for i in range(n)]
            return (size // (3 * sum(samples)) if samples else 0,
                    len(re.findall(rb"\x14note \d+\x14", data)))

        def run_edflib(*args):
            return subprocess.run([EDFLIB, *map(str, args)], cwd=self.folder,
                                  capture_output=True, text=True, timeout=60)

        # the whole one is what ours records again
        self.assertEqual(run_edflib("record", "whole.bdf", SECONDS,
                                    "close").returncode, 0)
        self.assertEqual(count(self.folder / "whole.bdf"), (SECONDS, SECONDS))
        written = SECONDS - 7
        done = run_edflib("record", "theirs.bdf", written, "kill")
        self.assertEqual(done.returncode, -signal.SIGKILL)
        theirs = count(self.folder / "theirs.bdf")
        opens = run_edflib("read", "theirs.bdf").returncode == 0
        print(f"EDFlib, killed after {written} records and notes: "
              f"{theirs[0]} records and {theirs[1]} notes on disk; its own "
              f"reader {'opens' if opens else 'refuses'} the file")

        part = self.folder / "ours.bdf.part"
        process = subprocess.Popen(
            ["gst-launch-1.0", "-q"] + "eegsrc location=whole.bdf ! "
            "identity sleep-time=20000 ! edfmux ! eegfilesink "
            "location=ours.bdf".split(), cwd=self.folder)
        while process.poll() is None and not (
                part.exists() and part.stat().st_size > 300000):
            time.sleep(0.01)
        process.kill()
        process.wait()
        ours = count(part)
        shutil.copy(part, self.folder / "cut.bdf")
        # its header promises more, which is an error at the end
        self.launch(
            "eegsrc location=cut.bdf ! edfmux ! filesink location=again.bdf")
        read = count(self.folder / "again.bdf")
        print(f"edfmux ! eegfilesink, killed: {ours[0]} records and {ours[1]} "
              f"notes on disk; eegsrc reads {read[0]} records")
        self.assertGreater(ours[0], 10)
        self.assertGreaterEqual(read[0], ours[0])
        # the notes are in the records that they belong to
        self.assertGreaterEqual(ours[1], ours[0] - 2)
        # should EDFlib ever do better, the page is to say so
        self.assertEqual((theirs[1], opens), (0, False))


if __name__ == "__main__":
    print(f"GSTEEG_TEST_SEED={SEED}", flush=True)
    unittest.main()
