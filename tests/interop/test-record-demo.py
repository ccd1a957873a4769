# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs examples/record-demo.sh on the build that is being tested."""

import os
import pathlib
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["GSTEEG_SOURCE_DIR"])
SHARED = os.environ.get("GSTEEG_SHARED_DIR")


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=240, **options)


class RecordDemo(unittest.TestCase):
    def demo(self, *arguments):
        with tempfile.TemporaryDirectory() as folder:
            env = dict(os.environ, DEMO_DIR=folder,
                       BUILD_DIR=os.environ["GSTEEG_BUILD_DIR"])
            done = run(SOURCE / "examples/record-demo.sh", *arguments, env=env)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("container: the same bytes came back", done.stdout)
            self.assertRegex(done.stdout, r"samples: \d+ of \d+ channels came "
                             "back within half a step, 0 did not")
            for stage in ("rawtovoltage", "firfilter", "edfmux", "zstdenc",
                          "aesgcmenc", "blake3sum", "zstddec", "edfdemux"):
                self.assertRegex(done.stdout,
                                 rf"(?m)^  {stage} +\d+ +\d+ +\d+\.\d+ ")
            mode = os.stat(f"{folder}/key").st_mode & 0o777
            self.assertEqual(mode, 0o600)
            if "no picture" not in done.stdout:
                self.assertGreater(os.path.getsize(f"{folder}/recording.png"),
                                   10000)

    def test_synthetic(self):
        self.demo()

    @unittest.skipUnless(SHARED, "no folder of recordings")
    def test_recording(self):
        self.demo(f"{SHARED}/recordings/short_psg.edf")
        self.demo(f"{SHARED}/recordings/biosemi_72ch_2048hz.bdf")

    def test_eegpack(self):
        recording = []
        if SHARED:
            recording = [f"{SHARED}/recordings/biosemi_72ch_2048hz.bdf"]
        with tempfile.TemporaryDirectory() as folder:
            env = dict(os.environ, DEMO_DIR=folder,
                       BUILD_DIR=os.environ["GSTEEG_BUILD_DIR"])
            done = run(SOURCE / "examples/record-demo.sh", "--eegpack",
                       *recording, env=env)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("samples: the same bytes came back", done.stdout)
            for stage in ("eegpackenc", "aesgcmenc", "blake3sum",
                          "eegpackdec"):
                self.assertRegex(done.stdout,
                                 rf"(?m)^  {stage} +\d+ +\d+ +\d+\.\d+ ")
            self.assertGreater(os.path.getsize(f"{folder}/recording.bdf"),
                               100000)

    def test_wrong_argument(self):
        done = run(SOURCE / "examples/record-demo.sh", "/nonexistent.edf")
        self.assertEqual(done.returncode, 2)
        self.assertIn("cannot be read", done.stderr)


if __name__ == "__main__":
    unittest.main()
