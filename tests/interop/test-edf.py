# SPDX-License-Identifier: LGPL-2.1-or-later
"""edfmux and edfdemux against MNE-Python and EDFlib, both ways.

Argument: the program edflib-tool, or nothing when EDFlib is not installed."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

try:
    import mne
    import numpy
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

mne.set_log_level("ERROR")
EDFLIB = sys.argv.pop(1) if len(sys.argv) > 1 else None
SHARED = os.environ.get("GSTEEG_SHARED_DIR")


def launch(line):
    done = subprocess.run(["gst-launch-1.0", "-q", *line.split()],
                          capture_output=True, text=True, timeout=120)
    if done.returncode != 0 or done.stderr.strip():
        raise AssertionError(f"{line}\n{done.stdout}{done.stderr}")


def edflib(*arguments):
    done = subprocess.run([EDFLIB, *map(str, arguments)], capture_output=True,
                          timeout=60)
    if done.returncode != 0:
        raise AssertionError(done.stderr.decode())
    return done.stdout.decode("utf-8", "replace").splitlines()


def read(path):
    reader = mne.io.read_raw_bdf if path.suffix == ".bdf" \
        else mne.io.read_raw_edf
    return reader(path, preload=True, stim_channel=None)


def rates(path):
    """Number of distinct rates of the signals that are no annotations"""
    data = path.read_bytes()
    n = int(data[252:256])
    return len({data[256 + 216 * n + 8 * i:264 + 216 * n + 8 * i]
                for i in range(n)
                if b"Annotations" not in data[256 + 16 * i:272 + 16 * i]})


def remux(source, target, properties=""):
    pads = " ".join(f"d.src_{i} ! queue ! m.sink_{i}"
                    for i in range(rates(source)))
    launch(f"filesrc location={source} ! edfdemux name=d {pads} "
           f"edfmux name=m {properties} ! filesink location={target}")


def annotations(raw):
    return sorted((round(a["onset"], 6), round(a["duration"], 6),
                   a["description"]) for a in raw.annotations)


class Edf(unittest.TestCase):
    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self._folder.name)

    def tearDown(self):
        self._folder.cleanup()

    def assert_same(self, one, other):
        a, b = read(one), read(other)
        self.assertEqual(a.ch_names, b.ch_names)
        self.assertEqual(a.info["sfreq"], b.info["sfreq"])
        self.assertEqual(a.info["meas_date"], b.info["meas_date"])
        n = min(a.n_times, b.n_times)
        self.assertTrue(numpy.array_equal(a.get_data()[:, :n],
                                          b.get_data()[:, :n]))
        self.assertEqual(annotations(a), annotations(b))

    @unittest.skipIf(EDFLIB is None, "EDFlib is not installed")
    def test_edflib_to_us_and_back(self):
        for name in ("a.edf", "a.bdf"):
            source = self.folder / name
            edflib("write", source)
            expected = edflib("read", source)
            self.assertEqual(len(expected), 1 + 3 + 2)
            # once as it is, once laid out anew
            for properties in ("", "record-duration=500000000",
                               "annotations=always"):
                target = self.folder / ("b" + source.suffix)
                remux(source, target, properties)
                found = edflib("read", target)
                if properties.startswith("record"):
                    self.assertIn(" records 14 ", found[0])
                else:
                    self.assertEqual(found[0], expected[0])
                self.assertEqual(found[1:], expected[1:])
                if not properties.startswith("record"):
                    # MNE resamples slow signals record by record
                    self.assert_same(source, target)

    @unittest.skipIf(EDFLIB is None, "EDFlib is not installed")
    def test_edflib_reads_eegsrc(self):
        for line, suffix in (
                ("eegsrc num-samples=2500 channels=5", ".bdf"),
                ("eegsrc num-samples=2500 format=S16LE", ".edf"),
                ("eegsrc num-samples=1001 channels=64 rate=512/1", ".bdf"),
                ("eegsrc num-samples=975 rate=975/2 ! rawtovoltage", ".bdf")):
            target = self.folder / ("c" + suffix)
            launch(f"{line} ! edfmux ! filesink location={target}")
            self.assertTrue(edflib("read", target))
            read(target)

    def test_voltage_within_half_a_step(self):
        counts, voltage = self.folder / "c.bdf", self.folder / "v.bdf"
        source = "eegsrc num-samples=5000 channels=9"
        launch(f"{source} ! edfmux ! filesink location={counts}")
        launch(f"{source} ! rawtovoltage ! edfmux ! "
               f"filesink location={voltage}")
        a, b = read(counts), read(voltage)
        step = 31.5e-9  # V; the amplifier's is 31.25 nV, give or take
        difference = numpy.abs(a.get_data() - b.get_data())
        self.assertLessEqual(difference.max(), step / 2)

    def test_gaps_filled(self):
        target = self.folder / "g.bdf"
        launch("eegsrc num-samples=25000 driver::loss-rate=0.05 "
               f"driver::loss-burst=200 ! edfmux gaps=fill ! "
               f"filesink location={target}")
        raw = read(target)
        self.assertEqual(raw.n_times, 25000)
        self.assertTrue(all(d == "Samples lost"
                            for d in raw.annotations.description))
        data = raw.get_data()
        self.assertGreater(len(raw.annotations), 0)
        for a in raw.annotations:
            first = round(a["onset"] * 250)
            last = first + round(a["duration"] * 250)
            # no step of 31 nV from zero
            self.assertLess(numpy.abs(data[:, first:last]).max(), 32e-9)

    @unittest.skipIf(SHARED is None, "GSTEEG_SHARED_DIR is not set")
    def test_recordings(self):
        files = [p for p in pathlib.Path(SHARED, "recordings").iterdir()
                 if p.suffix in (".edf", ".bdf")]
        self.assertTrue(files)
        for source in files:
            with self.subTest(source.name):
                target = self.folder / ("r" + source.suffix)
                remux(source, target)
                self.assert_same(source, target)
                # as EDF+ or BDF+, which some of them are not
                remux(source, target, "annotations=always")
                a, b = read(source), read(target)
                self.assertEqual(a.ch_names, b.ch_names)
                self.assertTrue(numpy.array_equal(
                    a.get_data(), b.get_data()[:, :a.n_times]))


unittest.main()
