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
import resource
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
BYTES = "filesrc location=in ! eegchunk checkpoint-interval=400000"
SLOW = "identity sleep-time={slow}"
# For blocks of bytes, which are fewer
SLOW_BYTES = "identity sleep-time={slow}00"
FIR = "firfilter taps=33001 low=0.5 high=40"
# The filter gives nothing before it has seen more than a queue holds by default.
QUEUE = "queue max-size-time=0 max-size-buffers=0 max-size-bytes=200000000"
SINK = "eegfilesink checkpoint=true max-retries=0 location="
# {threads} are those of a codec; nothing that the output depends on.
PROFILES = {
    "counts to BDF": f"{SYNTHETIC} ! {SLOW} ! edfmux ! {SINK}out",
    "filter": f"{SYNTHETIC} ! {SLOW} ! rawtovoltage ! {FIR} ! edfmux ! "
              f"zstdenc threads={{threads}} ! {SINK}out",
    "sums": f"{SYNTHETIC} ! {SLOW} ! rawtovoltage ! {FIR} ! edfmux ! "
            f"sha256sum location=out.sha256 ! zstdenc threads={{threads}} ! "
            f"blake3sum location=out.b3 ! {SINK}out",
    "tee": f"{SYNTHETIC} ! {SLOW} ! rawtovoltage ! tee name=t ! {QUEUE} ! "
           f"edfmux ! gzipenc level=1 threads={{threads}} ! "
           f"sha256sum location=out.sha256 ! {SINK}out "
           f"t. ! {QUEUE} ! {FIR} ! edfmux ! {SINK}out.second",
    "a file with gaps": f"{FILE} ! {SLOW} ! rawtovoltage ! eegvalidate "
                        "on-fail=flag ! iirfilter notch=50 ! eegdecimate "
                        "rate=125/1 ! firfilter taps=301 mode=low-pass high=40 "
                        "gap-policy=hold ! eegbatch samples=100 ! edfmux ! "
                        f"lz4enc threads={{threads}} ! {SINK}out",
    "EEGPack": f"{SYNTHETIC} ! {SLOW} ! eegpackenc threads={{threads}} ! "
               f"blake3sum location=out.b3 ! {SINK}out",
    "a file with gaps in EEGPack": f"{FILE} ! {SLOW} ! rawtovoltage ! firfilter "
               "taps=301 mode=low-pass high=40 ! eegpackenc effort=fast "
               "block-duration=100000000 threads={threads} ! "
               f"{SINK}out",
    "a file as bytes": f"{BYTES} ! {SLOW_BYTES} ! edfdemux ! edfmux ! "
                       f"zstdenc threads={{threads}} ! {SINK}out",
    "EEGPack as bytes": "filesrc location=in.eegpack ! eegchunk "
                        f"checkpoint-interval=150000 ! {SLOW_BYTES} ! "
                        "eegpackdec threads={threads} ! rawtovoltage ! firfilter "
                        "taps=301 mode=low-pass high=40 ! edfmux ! "
                        f"blake3sum location=out.b3 ! {SINK}out",
}


class ResumeSamples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.random = random.Random(SEED)
        cls.shared = tempfile.TemporaryDirectory()
        cls.input = pathlib.Path(cls.shared.name, "in")
        subprocess.run("gst-launch-1.0 -q eegsrc num-samples=300000 "
                       "driver::loss-rate=0.01 driver::loss-burst=400 ! edfmux ! "
                       f"filesink location={cls.input}", shell=True, check=True)
        subprocess.run(f"gst-launch-1.0 -q filesrc location={cls.input} ! "
                       "edfdemux ! eegpackenc ! filesink "
                       f"location={cls.input}.eegpack", shell=True, check=True)

    @classmethod
    def tearDownClass(cls):
        cls.shared.cleanup()

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for name in ("in", "in.eegpack"):
            shutil.copy2(self.input.with_name(name), self.folder / name)

    @staticmethod
    def limit_to(limit):
        return lambda: limit is not None and resource.setrlimit(
            resource.RLIMIT_FSIZE, (limit, limit))

    def start(self, line, env=None):
        """What it prints goes to a file: nobody reads while it runs."""
        with open(self.folder / "log", "w", encoding="utf-8") as log:
            return subprocess.Popen(["gst-launch-1.0", "-q"] + line.split(),
                                    cwd=self.folder, stdout=log,
                                    stderr=subprocess.STDOUT,
                                    env=dict(os.environ, **(env or {})))

    def stop(self, process):
        process.kill()
        process.wait()
        return (self.folder / "log").read_text(encoding="utf-8")

    def run_line(self, line, limit=None, env=None):
        try:
            return launch.run(line, options=["-m"], cwd=self.folder, env=env,
                              preexec_fn=self.limit_to(limit))
        except subprocess.TimeoutExpired as error:
            return self.fail(f"{line}: {error.output[-2000:]}")

    def succeed(self, line, env=None):
        code, text = self.run_line(line, env=env)
        self.assertEqual(code, 0, text[-3000:])
        self.assertNotRegex(text, "CRITICAL", line)
        return text

    def refuse(self, line, pattern, env=None):
        before = self.contents()
        code, text = self.run_line(line, env=env)
        self.assertNotEqual(code, 0, line)
        self.assertRegex(text, pattern, line)
        self.assertEqual(self.contents(), before)

    def contents(self):
        return {path.name: path.read_bytes() for path in self.folder.iterdir()
                if path.name.startswith("out")
                and not re.search(r"\.(b3|sha256)\.\w{6}$", path.name)}

    def output(self):
        return {name: data for name, data in self.contents().items()
                if "checkpoint" not in name}

    def clear(self):
        for name in self.contents():
            (self.folder / name).unlink()

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

    def test_kills(self):
        kills = finished = 0
        references = {}
        names = sorted(PROFILES)
        while kills < KILLS or finished < len(names):
            name = names[finished % len(names)]
            line = PROFILES[name]
            if name not in references:
                references[name] = self.reference(
                    line.format(slow=0, threads=1))
            whole = sum(map(len, references[name].values()))
            while not self.is_done():
                threads = self.random.choice((1, 2, 8))
                process = self.start(line.format(slow=300, threads=threads))
                # by how much was written: each run comes further
                end = self.size() + self.random.uniform(0, 0.5) * whole
                while process.poll() is None and self.size() < end:
                    time.sleep(0.005)
                kills += process.poll() is None
                text = self.stop(process)
                self.assertIn(process.returncode, (0, -9), text[-3000:])
            finished += 1
            output = self.output()
            self.assertEqual(sorted(output), sorted(references[name]), name)
            for file, data in references[name].items():
                self.assertEqual(output[file], data, f"{name}: {file}")
            # nothing is left to do
            self.succeed(line.format(slow=0, threads=2))
            self.assertEqual(self.output(), output)
            self.clear()
        print(f"{kills} kills, {finished} recordings")

    def test_what_is_read_again(self):
        """No more than two intervals, what was on its way, and what the filter
        looks back on."""
        line = f"{SYNTHETIC} ! {SLOW} ! rawtovoltage ! {FIR} ! edfmux ! " \
               f"{SINK}out"
        line = line.format(slow=4000)
        env = {"GST_DEBUG": "eegsrc:4,eegfilter:4", "GST_DEBUG_NO_COLOR": "1"}
        bytes_per_sample = self.reference(line.replace("sleep-time=4000", ""))
        bytes_per_sample = len(bytes_per_sample["out"]) / SAMPLES
        part = self.folder / "out.part"
        size = resumed = 0
        while not self.is_done():
            process = self.start(line, env=env)
            while process.poll() is None and not (
                    part.exists() and part.stat().st_size
                    > size + 3 * INTERVAL * bytes_per_sample):
                time.sleep(0.01)
            text = self.stop(process)
            at = re.search(r"eegsrc.*going on at sample (\d+)", text)
            given = re.search(r"from sample (\d+), giving those from (\d+)", text)
            if at and given:
                again = size / bytes_per_sample - int(given[2])
                self.assertEqual(int(given[1]), int(at[1]))
                self.assertLessEqual(again, 2 * INTERVAL + 2000)
                # 33001 taps, and blocks of transforms
                self.assertLessEqual(int(given[2]) - int(at[1]), 8 * 33001)
                resumed += 1
            if part.exists():
                size = part.stat().st_size
        self.assertGreater(resumed, 1)

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
                 f"{source} ! m.", "m has 2 pads"),
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
