# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the examples as a reader of them would.

usage: test-examples.py APPSINK-PROGRAM
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

APPSINK = sys.argv.pop(1)
SOURCE = pathlib.Path(os.environ["GSTEEG_SOURCE_DIR"])
SHARED = os.environ.get("GSTEEG_SHARED_DIR")


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=240, **options)


class Examples(unittest.TestCase):
    def check_levels(self, text, channels):
        levels = re.findall(r"^(.+): (\d+\.\d+) (\S*)$", text, re.MULTILINE)
        self.assertEqual(len(levels), channels, text)
        return levels

    def test_appsink(self):
        done = run(APPSINK)
        self.assertEqual(done.returncode, 0, done.stderr)
        for _, level, unit in self.check_levels(done.stdout, 8):
            self.assertEqual(unit, "uV")
            self.assertGreater(float(level), 0.1)

    @unittest.skipUnless(SHARED, "no folder of recordings")
    def test_appsink_recording(self):
        done = run(APPSINK, f"{SHARED}/recordings/biosemi_72ch_2048hz.bdf")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.check_levels(done.stdout, 73)[0][0], "Fp1")

    def test_appsink_error(self):
        done = run(APPSINK, "/nonexistent.edf")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "^error: ")

    def test_python(self):
        if run(sys.executable, "-c",
               "from gi.repository import Gst").returncode != 0:
            self.skipTest("Python has no gi")
        done = run(sys.executable, SOURCE / "examples/eeg-python.py")
        self.assertEqual(done.returncode, 0, done.stderr)
        counts = re.findall(r"^(\d+) samples of 8 channels, the first is \S+ "
                            r"in uV$", done.stdout, re.MULTILINE)
        self.assertEqual(sum(map(int, counts)), 1000, done.stdout)

    def test_fir_pictures(self):
        if run(sys.executable, "-c", "import matplotlib, numpy\n"
               "from gi.repository import Gst").returncode != 0:
            self.skipTest("Python has no gi or no matplotlib")
        rows = [{"name": "firfilter 31 taps / mne", "seconds": 1.0,
                 "reference_seconds": 4.0, "megabytes_per_second": 8.0},
                {"name": "firfilter 3301 taps, latency=none / overlap-save of "
                         "16384", "seconds": 2.0, "reference_seconds": 1.0,
                 "megabytes_per_second": 4.0}]
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "rows")
            path.write_text("".join(json.dumps(r) + "\n" for r in rows))
            done = run(sys.executable, SOURCE / "examples/fir-pictures.py",
                       folder, path)
            self.assertEqual(done.returncode, 0, done.stderr)
            for name in ("response", "time", "speed"):
                picture = pathlib.Path(folder, f"fir-{name}.png").read_bytes()
                self.assertTrue(picture.startswith(b"\x89PNG"))


if __name__ == "__main__":
    unittest.main()
