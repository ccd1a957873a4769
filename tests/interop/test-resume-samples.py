# SPDX-License-Identifier: LGPL-2.1-or-later
"""Kills recordings of samples, runs the same line again, and compares what comes
out with what an uninterrupted run writes.

The seed of what is random is printed; GSTEEG_TEST_SEED sets it,
GSTEEG_TEST_KILLS how often is killed at least."""

import contextlib
import os
import pathlib
import random
import re
import shutil
import subprocess
import tempfile
import time
import unittest

import launch

SEED = int(os.environ.get("GSTEEG_TEST_SEED", time.time_ns() % 1000000))
KILLS = int(os.environ.get("GSTEEG_TEST_KILLS", 15))
INTERVAL = 20000
SAMPLES = 300000
SYNTHETIC = f"eegsrc num-samples={SAMPLES} checkpoint-interval={INTERVAL}"
FILE = f"eegsrc location=in checkpoint-interval={INTERVAL}"
BYTES_INTERVAL = 400000
BYTES = f"filesrc location=in ! eegchunk checkpoint-interval={BYTES_INTERVAL}"
# Of two rates
RATES = ("filesrc location=in.rates ! eegchunk "
         f"checkpoint-interval={BYTES_INTERVAL}")
SLOW = "identity name=pace silent=false sleep-time={slow}"
# For blocks of bytes, which are fewer
SLOW_BYTES = f"{SLOW}00"
TAPS = 33001
FIR = f"firfilter taps={TAPS} low=0.5 high=40"
# Behind a tee, one that holds back less than an interval: until it gives
# something, the queue of the other branch has to hold all.
SHORT_TAPS = 1001
SHORT_FIR = f"firfilter taps={SHORT_TAPS} low=1 high=40"
QUEUE_BUFFERS = 120
QUEUE = ("queue max-size-time=0 max-size-bytes=0 "
         f"max-size-buffers={QUEUE_BUFFERS}")
# Of blocks of records from a demuxer, up to 128 KiB of a file each
SHORT_QUEUE = "queue max-size-time=0 max-size-bytes=0 max-size-buffers=4"
SINK = "eegfilesink checkpoint=true max-retries=0 location="
CHUNK = 8192
# {threads} are those of a codec; nothing that the output depends on. First those
# of the proof.
PROFILES = {
    "counts to BDF": f"{SYNTHETIC} ! {SLOW} ! edfmux ! {SINK}out",
    "filter": f"{SYNTHETIC} ! {SLOW} ! rawtovoltage ! {FIR} ! edfmux ! "
              f"zstdenc threads={{threads}} chunk-size={CHUNK} ! {SINK}out",
    "sums": f"{SYNTHETIC} ! {SLOW} ! rawtovoltage ! {FIR} ! edfmux ! "
            "sha256sum location=out.sha256 ! "
            f"zstdenc threads={{threads}} chunk-size={CHUNK} ! "
            f"blake3sum location=out.b3 ! {SINK}out",
    "tee": f"{SYNTHETIC} ! {SLOW} ! rawtovoltage ! tee name=t ! {QUEUE} ! "
           f"edfmux ! gzipenc level=1 threads={{threads}} chunk-size={CHUNK} ! "
           f"sha256sum location=out.sha256 ! {SINK}out "
           f"t. ! {QUEUE} ! {SHORT_FIR} ! edfmux ! {SINK}out.second",
    "a file with gaps": f"{FILE} ! {SLOW} ! rawtovoltage ! eegvalidate "
                        "on-fail=flag ! iirfilter notch=50 ! eegdecimate "
                        "rate=125/1 ! firfilter taps=301 mode=low-pass high=40 "
                        "gap-policy=hold ! eegbatch samples=100 ! edfmux ! "
                        f"lz4enc threads={{threads}} chunk-size={CHUNK} ! "
                        f"{SINK}out",
    "EEGPack": f"{SYNTHETIC} ! {SLOW} ! eegpackenc threads={{threads}} "
               "block-duration=4000000000 ! blake3sum location=out.b3 ! "
               f"{SINK}out",
    "a file with gaps in EEGPack": f"{FILE} ! {SLOW} ! rawtovoltage ! firfilter "
               "taps=301 mode=low-pass high=40 ! eegpackenc effort=fast "
               "block-duration=100000000 threads={threads} ! "
               f"{SINK}out",
    # the second one ends before the first one
    "two sources": f"{SYNTHETIC} ! {SLOW} ! {SHORT_QUEUE} ! edfmux name=m ! "
                   f"zstdenc threads={{threads}} chunk-size={CHUNK} ! {SINK}out "
                   "eegsrc rate=125/1 channels=3 num-samples=139999 seed=2 "
                   f"checkpoint-interval={INTERVAL // 2} driver::loss-rate=0.001 "
                   "driver::loss-burst=100 ! rawtovoltage ! "
                   f"{SHORT_FIR} ! {QUEUE} ! m.",
    "two rates": f"{RATES} ! {SLOW_BYTES} ! edfdemux name=d ! {SHORT_QUEUE} ! "
                 "edfmux name=m ! zstdenc threads={threads} "
                 f"chunk-size={CHUNK} ! {SINK}out "
                 f"d.src_1 ! {SHORT_QUEUE} ! m.",
    "two rates, filtered": f"{RATES} ! {SLOW_BYTES} ! edfdemux name=d ! {QUEUE} "
                 f"! rawtovoltage ! {FIR} ! edfmux name=m ! {SINK}out "
                 f"d.src_1 ! {QUEUE} ! rawtovoltage ! iirfilter low=0.1 high=5 "
                 "! m.",
    "a file of each rate": f"{RATES} ! {SLOW_BYTES} ! edfdemux name=d ! {QUEUE} "
                 f"! rawtovoltage ! {FIR} ! edfmux ! {SINK}out  "
                 f"d.src_1 ! {QUEUE} ! edfmux ! {SINK}out.second",
    "a file as bytes": f"{BYTES} ! {SLOW_BYTES} ! edfdemux ! edfmux ! "
                       f"zstdenc threads={{threads}} chunk-size={CHUNK} ! "
                       f"{SINK}out",
    "EEGPack as bytes": "filesrc location=in.eegpack ! eegchunk "
                        f"checkpoint-interval=150000 ! {SLOW_BYTES} ! "
                        "eegpackdec threads={threads} ! rawtovoltage ! firfilter "
                        "taps=301 mode=low-pass high=40 ! edfmux ! "
                        f"blake3sum location=out.b3 ! {SINK}out",
}
PROVED = ("counts to BDF", "filter", "sums", "tee")
# A second: what the source gives at once, a record of the muxer, a window of a
# check.
SECOND = 250
# What the filter needs to see again, and what it holds back: its taps, and blocks
# of transforms.
BLOCK = 16384
LOOK_BACK = TAPS - 1 + 3 * BLOCK
DELAY = (TAPS - 1) // 2 + 2 * BLOCK
SHORT_BLOCK = 3088
SHORT_LOOK_BACK = SHORT_TAPS - 1 + 3 * SHORT_BLOCK
SHORT_DELAY = (SHORT_TAPS - 1) // 2 + 2 * SHORT_BLOCK
# Samples that lie between the source and the sink, beside a few seconds.
HELD = {
    "counts to BDF": 0,
    "filter": LOOK_BACK + DELAY,
    "sums": LOOK_BACK + DELAY,
    "tee": SHORT_LOOK_BACK + SHORT_DELAY + QUEUE_BUFFERS * SECOND,
    "a file with gaps": 10 * SECOND,
    "two sources": SHORT_LOOK_BACK * 2 + SHORT_DELAY * 2 + 10 * SECOND,
    "EEGPack": (2 * 8 + 2) * 4 * SECOND,
    "a file with gaps in EEGPack": 10 * SECOND,
}


def bound(name):
    """Samples, or bytes where the source gives such, that may be read again: two
    intervals, look-backs, and what was on its way, in a codec of 8 threads."""
    chunks = (2 * 8 + 2) * CHUNK
    if name == "EEGPack as bytes":
        # so many of its blocks that the ring may hold all of the file
        return 1 << 30
    if name in ("two rates, filtered", "a file of each rate"):
        # the queues have to hold what the filter waits for, and can hold all
        return 1 << 30
    if name == "two rates":
        return 2 * BYTES_INTERVAL + chunks + 2 * 262144 + 6 * 131072
    if name == "a file as bytes":
        return 2 * BYTES_INTERVAL + chunks + 2 * 262144
    return 2 * INTERVAL + HELD[name] + chunks // 24 + 4 * SECOND


class ResumeSamples(launch.Recordings):
    BAD = "CRITICAL"

    @classmethod
    def setUpClass(cls):
        cls.random = random.Random(SEED)
        cls.shared = tempfile.TemporaryDirectory()
        cls.input = pathlib.Path(cls.shared.name, "in")
        subprocess.run("gst-launch-1.0 -q eegsrc num-samples=300000 "
                       "driver::loss-rate=0.01 driver::loss-burst=400 ! edfmux ! "
                       f"filesink location={cls.input}", shell=True, check=True)
        subprocess.run("gst-launch-1.0 -q eegsrc num-samples=300000 ! queue ! "
                       f"edfmux name=m ! filesink location={cls.input}.rates "
                       "eegsrc channels=3 rate=25/1 num-samples=30000 seed=2 "
                       "driver::loss-rate=0.001 driver::loss-burst=40 ! queue ! "
                       "m.", shell=True, check=True)
        subprocess.run(f"gst-launch-1.0 -q filesrc location={cls.input} ! "
                       "edfdemux ! eegpackenc ! filesink "
                       f"location={cls.input}.eegpack", shell=True, check=True)
        subprocess.run("gst-launch-1.0 -q eegsrc num-samples=300000 ! queue ! "
                       f"edfmux name=m ! filesink location={cls.input}.rates "
                       "eegsrc channels=3 rate=25/1 num-samples=30000 seed=2 "
                       "driver::loss-rate=0.001 driver::loss-burst=40 ! queue ! "
                       "m.", shell=True, check=True)

    @classmethod
    def tearDownClass(cls):
        cls.shared.cleanup()

    def setUp(self):
        super().setUp()
        for name in ("in", "in.rates", "in.eegpack"):
            shutil.copy2(self.input.with_name(name), self.folder / name)

    def size(self):
        size = 0
        for path in self.folder.glob("out*"):
            with contextlib.suppress(FileNotFoundError):
                size += path.stat().st_size
        return size

    def reference(self, line):
        self.succeed(line)
        files = self.output()
        self.clear()
        return files

    def interrupt(self, line, size=2000000, env=None):
        """Stops a run: its files must not become larger."""
        code, text = self.run_line(line, limit=size, env=env)
        self.assertNotEqual(code, 0)
        self.assertIn("cannot become any larger", text)

    def is_done(self):
        return (self.folder / "out").exists() \
            and not list(self.folder.glob("out*.part"))

    def kill_until_done(self, name, whole, read):
        """Returns how often it was killed."""
        kills = 0
        while not self.is_done():
            threads = self.random.choice((1, 2, 8))
            process = self.start(
                PROFILES[name].format(slow=300, threads=threads), options=["-v"])
            # by how much was written: each run comes further
            end = self.size() + self.random.uniform(0, 0.5) * whole
            while process.poll() is None and self.size() < end:
                time.sleep(0.005)
            killed, text = self.kill(process)
            kills += killed
            self.assertLess(read.add(text), bound(name), name)
        return kills

    def test_kills(self):
        kills = dict.fromkeys(PROFILES, 0)
        most = dict.fromkeys(PROFILES, 0)
        references = {}
        names = list(PROFILES)
        finished = 0
        while sum(kills[name] for name in PROVED) < KILLS \
                or finished < len(names):
            name = names[finished % len(names)]
            line = PROFILES[name]
            if name not in references:
                references[name] = self.reference(
                    line.format(slow=0, threads=1))
            whole = sum(map(len, references[name].values()))
            read = launch.ReadAgain()
            kills[name] += self.kill_until_done(name, whole, read)
            most[name] = max(most[name], read.most)
            finished += 1
            output = self.output()
            self.assertEqual(sorted(output), sorted(references[name]), name)
            for file, data in references[name].items():
                self.assertEqual(output[file], data, f"{name}: {file}")
            # nothing is left to do
            self.succeed(line.format(slow=0, threads=2))
            self.assertEqual(self.output(), output)
            self.clear()
        for name in names:
            print(f"{name}: {kills[name]} kills, at most {most[name]} samples "
                  f"read again, bound {bound(name)}")
        self.assertGreater(sum(most.values()), 0)
        print(f"{sum(kills.values())} kills, {finished} recordings")

    def test_file_changed(self):
        line = PROFILES["a file with gaps"].format(slow=0, threads=1)
        path = self.folder / "in"
        data = path.read_bytes()
        stat = path.stat()
        reference = self.reference(line)
        self.interrupt(line, 500000)

        def change(new, keep_time=True):
            path.write_bytes(new)
            if keep_time:
                os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))

        change(data, keep_time=False)
        self.refuse(line, "input was changed")
        change(data[:-1] + b"X")
        self.refuse(line, "input ends with other bytes")
        change(data + b"x")
        self.refuse(line, "input has another size")
        path.unlink()
        change(data)
        self.succeed(line)
        self.assertEqual(self.output(), reference)

    def test_settings_changed(self):
        line = PROFILES["filter"].format(slow=0, threads=1)
        self.interrupt(line)
        self.refuse(line.replace("33001", "33003"),
                    "firfilter0 has other settings.*taps=33003.*taps=33001")
        self.refuse(line.replace("interval=20000", "interval=30000"),
                    "eegsrc0 has other settings")
        self.refuse(line.replace("eegsrc ", "eegsrc seed=2 "),
                    "eegsrc0 has other settings.*seed=2")
        self.refuse(line.replace("eegsrc ", "eegsrc driver::loss-rate=0.1 "),
                    "eegsrc0 has other settings.*loss-rate=0.1")
        self.refuse(line.replace("edfmux", "edfmux gaps=fill"),
                    "edfmux0 has other settings")
        self.refuse(line.replace("rawtovoltage", "rawtovoltage ! eegselect"),
                    "eegselect0 stands where rawtovoltage was at the checkpoint")

    def test_cpu_path(self):
        line = PROFILES["filter"].format(slow=0, threads=1)
        self.interrupt(line, env={"GSTEEG_CPU": "base"})
        code, text = self.run_line(
            "eegsrc num-buffers=1 ! rawtovoltage ! firfilter ! fakesink",
            env={"GSTEEG_CPU": "avx2", "GST_DEBUG": "eegfilter:1"})
        self.assertEqual(code, 0, text)
        if "avx2" not in pathlib.Path("/proc/cpuinfo").read_text():
            self.skipTest("this machine has one CPU path")
        self.refuse(line, 'computed by instructions of "base", now it would be '
                    '"avx2"', env={"GSTEEG_CPU": "avx2"})
        self.succeed(line, env={"GSTEEG_CPU": "base"})
        output = self.output()
        self.clear()
        self.succeed(line, env={"GSTEEG_CPU": "base"})
        self.assertEqual(self.output(), output)

    def test_refusals(self):
        source = "eegsrc checkpoint-interval=1000"
        for line, reason in (
                (f"{source} is-live=true ! edfmux ! {SINK}out",
                 "eegsrc0 is live"),
                (f"{source} num-samples=5000 loop=true ! edfmux ! {SINK}out",
                 "eegsrc0 starts over"),
                (f"edfmux name=m ! {SINK}out {source} ! m. "
                 "eegsrc ! m.", "are several sources, and eegsrc. sends no "
                 "barriers"),
                (f"edfmux name=m ! {SINK}out {source} ! m. "
                 f"{RATES} ! edfdemux ! queue ! m.",
                 "are several sources, and eegchunk. counts bytes"),
                (f"{source} ! tee name=t ! queue ! edfmux name=m ! {SINK}out "
                 f"{source} ! m. t. ! queue ! edfmux ! {SINK}out.second",
                 "eegfilesink. stands behind the same tee, and has other sources"
                 ),
                (f"{RATES} ! edfdemux ! edfmux ! {SINK}out {RATES} ! edfdemux ! "
                 "fakesink", "edfdemux. and .*edfdemux. both wait"),
                (f"{RATES} ! edfdemux name=d ! queue ! edfmux ! {SINK}out "
                 "d.src_1 ! queue ! edfmux ! eegfilesink location=out.second",
                 "eegfilesink1 stands behind the same tee or demuxer"),
                (f"edfdemux ! gdppay ! {SINK}out", "gdppay0 holds state"),
                (f"edfmux ! {SINK}out", "edfmux0 has a pad that is not linked"),
                (f"eegpackenc name=m ! {SINK}out {source} ! m. "
                 f"{source} ! m.", "m has 2 pads"),
                (f"{source} ! flacenc ! {SINK}out", "flacenc0 holds state"),
                (f"{source} ! tee name=t ! queue ! edfmux ! {SINK}out "
                 "t. ! queue ! fakesink",
                 "fakesink0 stands behind the same tee"),
                (f"{source} ! tee name=t ! queue ! edfmux ! {SINK}out "
                 "t. ! queue ! edfmux ! eegfilesink location=out.second",
                 "eegfilesink1 stands behind the same tee"),
                (f"{source} ! tee name=t ! queue ! edfmux ! {SINK}out "
                 f"t. ! queue ! edfmux ! {SINK}out.second overwrite=true",
                 "another overwrite")):
            with self.subTest(line=line):
                if "flacenc" in line:
                    line = line.replace("flacenc", "edfmux ! gdppay")
                    reason = "gdppay0 holds state"
                self.refuse(line, f"cannot have checkpoints.*{reason}")
                self.assertEqual(self.contents(), {})

    def test_intervals(self):
        """Sources whose barriers of one number are at different times."""
        code, text = self.run_line(
            "eegsrc num-samples=100000 checkpoint-interval=1000 ! queue ! "
            f"edfmux name=m ! {SINK}out  eegsrc num-samples=100000 rate=500/1 "
            "checkpoint-interval=1000 ! queue ! m.")
        self.assertNotEqual(code, 0)
        self.assertRegex(text, "barriers of eegsrc. and eegsrc. come at different "
                         "intervals, 0:00:0[24].0+ and 0:00:0[24].0")
        self.assertFalse((self.folder / "out").exists())

    def test_none_in_common(self):
        """One sink's checkpoints are gone: the other does not go on alone."""
        line = PROFILES["tee"].format(slow=2000, threads=1)
        self.interrupt(line, 6500000)
        for path in self.folder.glob("out.second*"):
            path.unlink()
        code, text = self.run_line(line)
        self.assertNotEqual(code, 0)
        # or the one sink was so fast that it is done
        self.assertRegex(text, "have none in common|is not overwritten")


if __name__ == "__main__":
    print(f"GSTEEG_TEST_SEED={SEED}", flush=True)
    unittest.main()
