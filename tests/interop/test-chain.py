# SPDX-License-Identifier: LGPL-2.1-or-later
"""The whole chain from outside: what the README's line writes is opened with
tools that know nothing of this project, and what goes wrong ends in one clear
error, without a final mark and without losing what was written."""

import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["GSTEEG_SOURCE_DIR"])
EEG_LIVE = pathlib.Path(os.environ["GSTEEG_BUILD_DIR"], "examples/eeg-live")
SHARED = os.environ.get("GSTEEG_SHARED_DIR")
SYNTHETIC = "eegsrc driver=synthetic channels=16 rate=500/1 num-samples=20000"
STAGES = ("! rawtovoltage ! firfilter mode=band-pass low=0.5 high=40 ! edfmux "
          "! zstdenc ! aesgcmenc key-file=k ! blake3sum location=r.b3 "
          "listed-name=r.tink ")
RECORD = STAGES + "! filesink location=r.tink"


class Folder(unittest.TestCase):
    """A folder with a key for each test, in which commands run."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.write_key("k", os.urandom(32))

    def write_key(self, name, content, mode=0o600):
        path = self.folder / name
        path.touch()
        path.chmod(mode)
        path.write_bytes(content)

    def run_command(self, *command, **options):
        return subprocess.run(command, cwd=self.folder, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=120, **options)

    def tool(self, *command):
        done = self.run_command(*command)
        self.assertEqual(done.returncode, 0,
                         f"{command}: {done.stdout}{done.stderr}")
        return done.stdout

    def launch(self, line, **options):
        return self.run_command("gst-launch-1.0", *line.split(), **options)

    def play(self, line):
        done = self.launch(line)
        self.assertEqual(done.returncode, 0,
                         f"{line}: {done.stdout}{done.stderr}")
        return done

    def refuse(self, line, element, pattern, **options):
        """The line fails, and the first error is that one of that element.
        Not by gst-launch-1.0, which sometimes waits for ever after an error
        while prerolling."""
        done = self.run_command(EEG_LIVE, line, **options)
        self.assertEqual(done.returncode, 1,
                         f"{line}: {done.stdout}{done.stderr}")
        first = re.search(r"(?m)^error: (.*?): (.*)$", done.stderr)
        self.assertIsNotNone(first, f"{line}: {done.stderr}")
        self.assertIn(element, first.group(1), f"{line}: {done.stderr}")
        self.assertRegex(first.group(2), pattern, line)
        return done


class Opened(Folder):
    """By tools that nobody here wrote."""

    def open_with_tools(self):
        """Down to r.bdf, and the bytes that our own decoders give."""
        self.tool("b3sum", "-c", "r.b3")
        self.tool(sys.executable, SOURCE / "examples/read-tink.py", "k",
                  "r.tink", "r.zst")
        self.tool("zstd", "-q", "-t", "r.zst")
        self.tool("zstd", "-q", "-d", "r.zst", "-o", "r.bdf")
        self.play("filesrc location=r.tink ! blake3sum check-file=r.b3 ! "
                  "aesgcmdec key-file=k ! zstddec ! filesink location=own.bdf")
        self.assertEqual((self.folder / "r.bdf").read_bytes(),
                         (self.folder / "own.bdf").read_bytes())

    def mne(self, code):
        self.tool(sys.executable, "-c", "import mne, numpy\nraw = mne.io."
                  "read_raw_bdf('r.bdf', preload=True, verbose='error')\n"
                  + code)

    def test_synthetic(self):
        self.play(f"{SYNTHETIC} {RECORD}")
        self.open_with_tools()
        self.mne("assert len(raw.ch_names) == 16, raw.ch_names\n"
                 "assert raw.n_times == 20000, raw.n_times\n"
                 "assert raw.info['sfreq'] == 500.0\n"
                 "spread = raw.get_data().std(axis=1) * 1e6\n"
                 "assert (spread > 0.5).all() and (spread < 500).all(), spread")

    @unittest.skipUnless(SHARED, "no folder of recordings")
    def test_recording(self):
        """What MNE reads of the result is what it reads of the source, filtered
        by MNE with the same coefficients as far as the band goes."""
        source = f"{SHARED}/recordings/short_psg.edf"
        self.play(f"eegsrc location={source} rate=100/1 {RECORD}")
        self.open_with_tools()
        self.mne(
            f"source = mne.io.read_raw_edf({source!r}, preload=True, "
            "verbose='error')\n"
            "name = raw.ch_names[0]\n"
            "assert name in source.ch_names\n"
            "was = source.get_data(picks=[name])[0]\n"
            "now = raw.get_data(picks=[name])[0]\n"
            "count = min(len(was), len(now))\n"
            "rate = raw.info['sfreq']\n"
            "was = mne.filter.filter_data(was, source.info['sfreq'], 0.5, 40, "
            "fir_window='hamming', fir_design='firwin', verbose='error')\n"
            "inner = slice(int(10 * rate), count - int(10 * rate))\n"
            "match = numpy.corrcoef(was[inner], now[inner])[0, 1]\n"
            "assert match > 0.9999, match")

    def test_unknown_length(self):
        """A recorder that does not know how long it will run: the header says
        -1 records, as no stage can go back to it, and MNE reads them all."""
        self.play("eegsrc driver=synthetic channels=16 rate=500/1 "
                  f"num-buffers=20 {RECORD}")
        self.open_with_tools()
        self.assertEqual((self.folder / "r.bdf").read_bytes()[236:244],
                         b"-1      ")
        self.mne("assert raw.n_times == 20 * 500, raw.n_times")

    def test_same_bytes_without_encryption(self):
        """Everything before the cipher is the same from one run to the next."""
        line = (f"{SYNTHETIC} ! rawtovoltage ! firfilter mode=low-pass "
                "high=40 ! edfmux ! zstdenc ! filesink location=")
        self.play(line + "a")
        self.play(line + "b")
        self.assertEqual((self.folder / "a").read_bytes(),
                         (self.folder / "b").read_bytes())


class Broken(Folder):
    """Errors: one, of the right element, and no final mark."""

    def salvage(self):
        """What the cipher gives before it says that the end is missing."""
        self.refuse("filesrc location=r.tink ! aesgcmdec key-file=k ! "
                  "filesink location=r.zst", "aesgcmdec",
                  "(?i)decrypt|verify|truncated|incomplete|missing|end")
        return (self.folder / "r.zst").read_bytes()

    def test_source_fails(self):
        """Half a recording is never taken for a whole one."""
        source = SYNTHETIC.replace("20000", "200000")
        self.refuse(f"{source} driver::fail-at=100000 " + RECORD.replace(
            "aesgcmenc", "aesgcmenc segment-size=4096").replace(
                "zstdenc", "zstdenc chunk-size=16384"), "eegsrc", "100000")
        self.assertGreater(len(self.salvage()), 4096)
        # whole frames were written: their content begins as a BDF file does
        with open(self.folder / "r.bdf", "wb") as out:
            subprocess.run(["zstd", "-q", "-d", "-c", "r.zst"], stdout=out,
                           stderr=subprocess.DEVNULL, cwd=self.folder,
                           check=False)
        self.assertTrue((self.folder / "r.bdf").read_bytes()
                        .startswith(b"\xffBIOSEMI"))

    def test_disk_full(self):
        self.refuse(f"{SYNTHETIC} {STAGES} ! filesink location=/dev/full",
                  "filesink", "space")

    def test_file_size_limit(self):
        """The disk takes no more after 200 kB: what it took stays readable."""
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (200000, 200000))

        line = f"{SYNTHETIC} {RECORD}".replace(
            "aesgcmenc", "aesgcmenc segment-size=4096")
        # the registry is written before the limit applies
        self.play("fakesrc num-buffers=1 ! fakesink")
        self.refuse(line, "filesink", "write to resource|space", preexec_fn=limit)
        self.assertGreater(len(self.salvage()), 190000)

    def test_unlinked_output(self):
        for stages in ("", "! rawtovoltage", "! edfmux", "! edfmux ! zstdenc",
                       "! edfmux ! aesgcmenc key-file=k", "! blake3sum"):
            with self.subTest(stages=stages):
                self.refuse(f"{SYNTHETIC} {stages} ! identity name=last",
                          "", "data stream error|not-linked")

    def test_wrong_order(self):
        self.refuse(f"{SYNTHETIC} ! edfmux ! aesgcmenc key-file=k ! zstdenc ! "
                  "fakesink", "zstdenc", "aesgcmenc.*compress.*encrypt")
        self.refuse(f"{SYNTHETIC} ! edfmux ! zstdenc ! zstdenc ! fakesink",
                  "zstdenc", "compressed already")

    def test_unsupported_caps(self):
        done = self.launch("audiotestsrc num-buffers=5 ! rawtovoltage ! "
                           "fakesink")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("could not link", done.stdout + done.stderr)

    def test_flipped_bit_and_wrong_key(self):
        self.play(f"{SYNTHETIC} {RECORD}")
        read = ("filesrc location=r.tink ! aesgcmdec key-file={} ! zstddec ! "
                "filesink location=out")
        self.write_key("other", os.urandom(32))
        self.refuse(read.format("other"), "aesgcmdec", "(?i)key|decrypt")
        self.assertEqual((self.folder / "out").stat().st_size, 0)
        data = bytearray((self.folder / "r.tink").read_bytes())
        data[1000] ^= 1
        (self.folder / "r.tink").write_bytes(data)
        self.refuse(read.format("k"), "aesgcmdec", "(?i)key|decrypt|damage")
        self.assertEqual((self.folder / "out").stat().st_size, 0)
        self.refuse("filesrc location=r.tink ! blake3sum check-file=r.b3 ! "
                  "fakesink", "blake3sum", "[0-9a-f]{64}.*[0-9a-f]{64}")


class Keys(Folder):
    LINE = f"{SYNTHETIC} ! edfmux ! aesgcmenc key-file={{}} ! fakesink"

    def test_wrong_length(self):
        for size in (0, 31, 33):
            self.write_key("wrong", b"x" * size)
            done = self.refuse(self.LINE.format("wrong"), "aesgcmenc", "wrong")
            self.assertNotIn("x" * 20, done.stdout + done.stderr)

    def test_missing(self):
        self.refuse(self.LINE.format("nowhere"), "aesgcmenc", "nowhere")

    def test_readable_by_others(self):
        self.write_key("open", os.urandom(32), 0o640)
        done = self.play(self.LINE.format("open"))
        self.assertRegex(done.stdout + done.stderr, "(?s)WARNING.*open")
        done = self.play(self.LINE.format("k"))
        self.assertNotIn("WARNING", done.stdout + done.stderr)


if __name__ == "__main__":
    for module in ("cryptography", "mne"):
        if subprocess.run([sys.executable, "-c", f"import {module}"],
                          capture_output=True).returncode:
            print(f"{sys.executable} has no module {module}")
            sys.exit(77)
    unittest.main()
