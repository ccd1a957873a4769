# SPDX-License-Identifier: LGPL-2.1-or-later
"""Kills gst-launch, runs the same line again, and compares what comes out with
what an uninterrupted run writes; and so with system calls that fail.

usage: test-resume.py PRELOAD-LIBRARY
The seed of what is random is printed; GSTEEG_TEST_SEED sets it,
GSTEEG_TEST_KILLS how often is killed at least."""

import errno
import itertools
import os
import pathlib
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import unittest

import launch

SEED = int(os.environ.get("GSTEEG_TEST_SEED", time.time_ns() % 1000000))
KILLS = int(os.environ.get("GSTEEG_TEST_KILLS", 12))
LIBRARY = None
INTERVAL = 1000000
# What is in the middle of the line; {} are threads.
CHAINS = {
    "plain": "queue max-size-buffers=2",
    "zstd": "zstdenc threads={} chunk-size=300000 ! blake3sum location=out.b3 ! "
            "sha256sum location=out.sha256",
    "seek-table": "zstdenc threads={} chunk-size=70000 seek-table=true ! "
                  "blake3sum location=out.b3",
    "gzip": "gzipenc threads={} level=1 ! sha512sum location=out.sha512",
    "lz4": "sha256sum listed-name=in location=out.sha256 ! lz4enc threads={} ! "
           "queue max-size-buffers=2",
}
# Bytes that are on their way: a block, those in a queue, chunks in the ring of 8
# threads.
HELD = {
    "plain": 3 * 262144,
    "zstd": 262144 + (2 * 8 + 2) * 300000,
    "seek-table": 262144 + (2 * 8 + 2) * 70000,
    "gzip": 262144 + (2 * 8 + 2) * 262144,
    "lz4": 3 * 262144 + (2 * 8 + 2) * 262144,
}


class Resume(launch.Recordings):
    @classmethod
    def setUpClass(cls):
        cls.random = random.Random(SEED)
        cls.shared = tempfile.TemporaryDirectory()
        cls.input = pathlib.Path(cls.shared.name, "in")
        subprocess.run(f"gst-launch-1.0 -q eegsrc num-samples=300000 "
                       f"channels=16 ! edfmux ! filesink location={cls.input}",
                       shell=True, check=True)

    @classmethod
    def tearDownClass(cls):
        cls.shared.cleanup()

    def setUp(self):
        super().setUp()
        shutil.copy2(self.input, self.folder / "in")
        self.out = self.folder / "out"
        self.part = self.folder / "out.part"
        self.sidecar = self.folder / "out.checkpoint"

    @staticmethod
    def line(middle, slow=0, sink="", interval=INTERVAL):
        return launch.bytes_line(middle, interval, slow,
                                 f"checkpoint=true {sink}")

    def reference(self, middle):
        """What an uninterrupted run writes."""
        folder, self.folder = self.folder, self.folder / "reference"
        self.folder.mkdir()
        shutil.copy2(folder / "in", self.folder / "in")
        self.succeed(self.line(middle))
        files = self.output()
        shutil.rmtree(self.folder)
        self.folder = folder
        return files

    def check_result(self, reference):
        files = self.output()
        self.assertEqual(sorted(files), sorted(reference))
        for name, data in reference.items():
            self.assertEqual(files[name], data, name)

    def interrupt(self, middle, size=4000000):
        """Stops a run after size bytes: the file must not become larger."""
        code, text = self.run_line(self.line(middle), limit=size)
        self.assertNotEqual(code, 0)
        self.assertIn("cannot become any larger", text)
        self.assertEqual(self.part.stat().st_size, size)

    def interrupt_late(self, middle):
        """The same; both generations are later than the beginning."""
        self.interrupt(middle)
        self.assertGreater(min(self.lengths()), 0)

    # killing

    def test_kills(self):
        kills = finished = most = 0
        chains = sorted(CHAINS)
        references = {}
        while kills < KILLS or finished < len(chains):
            name = chains[finished % len(chains)]
            if name not in references:
                references[name] = self.reference(CHAINS[name].format(1))
            read = launch.ReadAgain()
            while not self.out.exists():
                # threads are no setting that the output depends on
                threads = self.random.choice((1, 2, 8))
                process = self.start(
                    self.line(CHAINS[name].format(threads), slow=5000),
                    options=["-v"])
                killed, text = self.kill_after(process,
                                               self.random.uniform(0.02, 0.6))
                kills += killed
                # two intervals and what was on its way
                self.assertLess(read.add(text), 2 * INTERVAL + HELD[name],
                                name)
            most = max(most, read.most)
            self.assertFalse(self.part.exists(), name)
            finished += 1
            self.check_result(references[name])
            self.clear()
        self.assertGreater(most, 0)
        print(f"{kills} kills, {finished} recordings, at most {most} bytes read "
              f"again, intervals of {INTERVAL}")

    def test_size_limit(self):
        """A full disk and its kin: an error, then the same line again."""
        middle = CHAINS["zstd"].format(2)
        reference = self.reference(middle)
        for size in (400000, 1500000, len(reference["out"]) - 1):
            self.interrupt(middle, size)
            self.assertFalse(self.out.exists())
            self.succeed(self.line(middle))
            self.check_result(reference)
            self.clear()

    def fail_once(self, middle, fault, pattern, slow=3000):
        """One clear error, and nothing that looks whole."""
        code, text = self.run_line(self.line(middle, slow=slow), env={
            "LD_PRELOAD": LIBRARY, "FAULT_IO": fault})
        self.assertNotEqual(code, 0, f"{fault}: {text}")
        errors = re.findall(r"ERROR: from element (\S+): (.*)$", text,
                            re.MULTILINE)
        self.assertEqual(len(errors), 1, f"{fault}: {text}")
        self.assertRegex(errors[0][0], "EegFileSink:sink", fault)
        self.assertRegex(errors[0][1], pattern, fault)
        self.assertFalse(self.out.exists(), fault)

    def test_faults(self):
        """A full disk, one that breaks at a sync, a rename that is refused: an
        error, and the same line again comes to the same bytes."""
        middle = CHAINS["zstd"].format(2)
        reference = self.reference(middle)
        for fault, pattern in (
                (f"write:1:{errno.ENOSPC}", "no space left"),
                (f"write:9:{errno.ENOSPC}", "no space left"),
                (f"write:12:{errno.EDQUOT}", "no space left"),
                (f"write:9:{errno.EIO}", "cannot be written to"),
                (f"datasync:1:{errno.EIO}", "could not be brought to disk"),
                (f"datasync:3:{errno.EIO}", "could not be brought to disk"),
                (f"datasync:3:{errno.ENOSPC}", "no space left"),
                (f"rename:1:{errno.EIO}", "could not get its name"),
                # of the folder, before there is anything
                (f"fsync:1:{errno.EIO}", "cannot be opened"),
                # of the first sidecar
                (f"fsync:2:{errno.EIO}", "checkpoint could not be stored")):
            with self.subTest(fault=fault):
                self.fail_once(middle, fault, pattern)
                self.succeed(self.line(middle))
                self.check_result(reference)
                self.clear()

    def test_faults_of_the_disk_are_no_retries(self):
        """A disk that was full for long does not make a chunk a bad one."""
        middle = CHAINS["zstd"].format(2)
        reference = self.reference(middle)
        self.interrupt_late(middle)
        for _ in range(4):
            self.fail_once(middle, f"write:1:{errno.ENOSPC}", "no space left")
        self.succeed(self.line(middle, sink="max-retries=1"))
        self.check_result(reference)

    def test_checkpoint_not_stored(self):
        """The recording is what matters: a sidecar that fails warns, and the one
        before it holds."""
        middle = CHAINS["zstd"].format(2)
        reference = self.reference(middle)
        code, text = self.run_line(self.line(middle, slow=3000), env={
            "LD_PRELOAD": LIBRARY, "FAULT_IO": f"fsync:4:{errno.EIO}"})
        self.assertEqual(code, 0, text)
        self.assertRegex(text, "WARNING.*Checkpoint 1 could not be stored")
        self.check_result(reference)

    def test_read_only_folder(self):
        """Nothing can be begun, and what was begun can be continued later."""
        middle = CHAINS["zstd"].format(2)
        reference = self.reference(middle)
        # root may write where nobody else may; a folder that is not there, nobody
        line = self.line(middle).replace("location=out ",
                                         "location=missing/out ")
        code, text = self.run_line(line.replace("location=out.",
                                                "location=missing/out."))
        self.assertNotEqual(code, 0)
        self.assertEqual(text.count("ERROR: from element"), 1, text)
        if os.geteuid() == 0:
            # /proc takes no file, from root either
            line = re.sub(r"\blocation=out\b", "location=/proc/out",
                          self.line("queue"))
            self.refuse(line, r'"/proc/out" cannot be opened')
        else:
            self.folder.chmod(0o500)
            self.refuse(self.line("queue"), '"out" cannot be opened')
            self.folder.chmod(0o700)
        self.interrupt(middle)
        if os.geteuid() != 0:
            self.folder.chmod(0o500)
            self.refuse(self.line(middle), "could not be stored")
            self.folder.chmod(0o700)
        self.succeed(self.line(middle))
        self.check_result(reference)

    # what is found in the output

    def check_seek_table(self):
        """By it, any frame is found and decoded alone."""
        out, plain = self.out.read_bytes(), self.input.read_bytes()
        n, flags, magic = struct.unpack("<IBI", out[-9:])
        self.assertEqual((flags, magic), (0x80, 0x8F92EAB1))
        entries = list(struct.iter_unpack("<III", out[-9 - 12 * n:-9]))
        ends = list(itertools.accumulate(size for size, _, _ in entries))
        places = list(itertools.accumulate(size for _, size, _ in entries))
        self.assertEqual(ends[-1], len(out) - 9 - 12 * n - 8)
        self.assertEqual(places[-1], len(plain))
        for i in self.random.sample(range(n), 20):
            frame = out[ends[i] - entries[i][0]:ends[i]]
            part = plain[places[i] - entries[i][1]:places[i]]
            self.assertEqual(subprocess.run(["zstd", "-qdc"], input=frame,
                                            capture_output=True,
                                            check=True).stdout, part)
            self.assertEqual(frame[-4:], struct.pack("<I", entries[i][2]))

    def test_seek_table(self):
        middle = CHAINS["seek-table"].format(2)
        reference = self.reference(middle)
        self.interrupt_late(middle)
        good = self.part.read_bytes()
        # inside what the checkpoint needs, but not at its end, which is hashed
        bad = bytearray(good)
        bad[good.index(b"\x28\xb5\x2f\xfd", 100000)] ^= 1
        self.part.write_bytes(bad)
        self.refuse(self.line(middle),
                    "zstdenc0 cannot go on: .*out.part.* holds something else")
        self.part.write_bytes(good)
        self.succeed(self.line(middle))
        self.check_result(reference)
        self.check_seek_table()
        self.assertLess(self.sidecar.stat().st_size, 4096)
        # the sum behind it is that of all, with the table
        (self.folder / "out.b3").unlink()
        self.succeed(self.line(middle))
        self.check_result(reference)
        # without the table it is another recording
        self.out.rename(self.part)
        self.refuse(self.line(middle.replace("seek-table=true", "")),
                    "other settings.*seek-table")

    def test_seek_table_of_two_sinks(self):
        """Either of the files has it."""
        middle = CHAINS["seek-table"].format(2) + " ! tee name=t ! queue"
        sink = ("t. ! queue ! sha256sum location=out2.sha256 ! eegfilesink "
                "checkpoint=true location=out2")
        self.succeed(self.line(middle, sink=sink))
        reference = {name: data for name, data in self.contents().items()
                     if "checkpoint" not in name}
        self.assertEqual(reference["out"], reference["out2"])
        self.clear()
        process = self.start(self.line(middle, sink=sink, slow=20000))
        while not (self.sidecar.exists()
                   and min(self.lengths()) > 0):
            time.sleep(0.01)
        process.kill()
        process.communicate()
        self.succeed(self.line(middle, sink=sink))
        self.check_result(reference)

    # ends

    def test_already_complete(self):
        middle = CHAINS["zstd"].format(2)
        self.succeed(self.line(middle))
        before = self.contents()
        changed = self.out.stat().st_mtime_ns
        self.succeed(self.line(middle))
        self.assertEqual(self.contents(), before)
        self.assertEqual(self.out.stat().st_mtime_ns, changed)
        # only the name was missing
        self.out.rename(self.part)
        self.succeed(self.line(middle))
        self.assertEqual(self.contents(), before)
        # another recording of the same name
        self.refuse(self.line("lz4enc"), "exists, and is not overwritten")
        with open(self.folder / "in", "ab") as file:
            file.write(b"more")
        self.refuse(self.line(middle), "input has another size")
        # the file was moved away: begin anew
        self.out.rename(self.folder / "elsewhere")
        self.succeed(self.line(middle))
        self.assertNotEqual(self.out.read_bytes(), before["out"])

    def test_empty_and_short_inputs(self):
        for data in (b"", b"x", b"x" * INTERVAL, b"x" * (INTERVAL + 1)):
            (self.folder / "in").write_bytes(data)
            self.succeed(self.line("queue"))
            self.assertEqual(self.out.read_bytes(), data)
            self.clear()

    def test_overwrite(self):
        middle = CHAINS["gzip"].format(2)
        reference = self.reference(middle)
        self.interrupt(middle)
        self.succeed(self.line(middle, sink="overwrite=true"))
        self.check_result(reference)
        self.succeed(self.line("queue", sink="overwrite=true"))
        self.assertEqual(self.out.read_bytes(), self.input.read_bytes())

    def test_elsewhere(self):
        """The sidecar where it is said to be."""
        line = self.line("queue", sink="checkpoint-location=there")
        self.run_line(line, limit=4000000)
        self.assertTrue((self.folder / "there").exists())
        self.assertFalse(self.sidecar.exists())
        self.succeed(line)
        self.assertEqual(self.out.read_bytes(), self.input.read_bytes())
        self.assertEqual((self.folder / "there").stat().st_mode & 0o777, 0o600)

    # what has changed

    def test_input_changed(self):
        middle = CHAINS["zstd"].format(2)
        path = self.folder / "in"
        self.interrupt(middle)
        data = path.read_bytes()
        stat = path.stat()

        def change(new, keep_time=True):
            path.write_bytes(new)
            if keep_time:
                os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))

        change(data + b"x")
        self.refuse(self.line(middle), "input has another size")
        change(data, keep_time=False)
        self.refuse(self.line(middle), "input was changed")
        change(b"X" + data[1:])
        self.refuse(self.line(middle), "input begins with other bytes")
        change(data[:-1] + b"X")
        self.refuse(self.line(middle), "input ends with other bytes")
        # a copy that kept its time is as good
        path.unlink()
        change(data)
        reference = self.reference(middle)
        self.succeed(self.line(middle))
        self.check_result(reference)

    def test_settings_changed(self):
        self.interrupt("zstdenc threads=2 level=3")
        self.refuse(self.line("zstdenc level=4"),
                    r"zstdenc0 has other settings.*level=4.*level=3")
        self.refuse(self.line("zstdenc", interval=INTERVAL + 1),
                    r"eegchunk0 has other settings")
        self.refuse(self.line("lz4enc"), "lz4enc0 stands where zstdenc was")
        self.refuse(self.line("zstdenc ! blake3sum"), "blake3sum0 stands where zstdenc was at the checkpoint")
        self.refuse(self.line("zstdenc").replace("checkpoint=true", ""),
                    "unfinished recording")
        self.succeed(self.line("zstdenc threads=1"))

    def test_output_changed(self):
        middle = CHAINS["zstd"].format(2)
        reference = self.reference(middle)
        self.interrupt_late(middle)
        whole = self.part.read_bytes()
        # behind the checkpoint anything may be, also more than will come
        self.part.write_bytes(whole[:-10] + b"x" * len(reference["out"]))
        self.succeed(self.line(middle))
        self.check_result(reference)
        self.clear()

        # behind the one before
        self.interrupt_late(middle)
        newest, before = self.lengths()
        self.part.write_bytes(whole[:newest - 1])
        self.succeed(self.line(middle))
        self.check_result(reference)
        self.clear()

        self.interrupt_late(middle)
        newest, before = self.lengths()
        self.part.write_bytes(whole[:before - 1])
        self.refuse(self.line(middle), "output is shorter than it was")
        data = bytearray(whole)
        data[before - 1] ^= 1
        data[newest - 1] ^= 1
        self.part.write_bytes(data)
        self.refuse(self.line(middle), "ends with other bytes")
        self.sidecar.unlink()
        pathlib.Path(f"{self.sidecar}.old").unlink()
        self.refuse(self.line(middle), "has an unfinished recording")

    def lengths(self):
        """Bytes of the output at both checkpoints, by the format's description;
        0 if there are not two."""
        lengths = []
        for path in (self.sidecar, pathlib.Path(f"{self.sidecar}.old")):
            if not path.exists():
                return [0]
            data = path.read_bytes()
            at = 16 + 4 * 8 + 16 + 4 + 1 + 32

            def skip_text(at):
                return at + 2 + int.from_bytes(data[at:at + 2], "little")
            at = skip_text(skip_text(at)) + 5 * 8 + 2 * 32
            at = skip_text(at)
            lengths.append(int.from_bytes(data[at:at + 8], "little"))
        return lengths

    def test_sidecar_damaged(self):
        """The generation before, or a refusal: never wrong output."""
        middle = CHAINS["lz4"].format(2)
        reference = self.reference(middle)
        self.interrupt_late(middle)
        before = self.contents()
        good = before["out.checkpoint"]
        damages = [good[:n] for n in (0, 1, 15, 16, 200, len(good) - 1)]
        damages += [good[:self.random.randrange(len(good))] for _ in range(3)]
        for _ in range(4):
            data = bytearray(good)
            data[self.random.randrange(len(data))] ^= \
                1 << self.random.randrange(8)
            damages.append(bytes(data))
        for damage in damages:
            self.clear()
            for name, data in before.items():
                (self.folder / name).write_bytes(data)
            self.sidecar.write_bytes(damage)
            self.succeed(self.line(middle))
            self.check_result(reference)
        self.clear()
        for name, data in before.items():
            (self.folder / name).write_bytes(data)
        self.sidecar.write_bytes(damages[0])
        pathlib.Path(f"{self.sidecar}.old").write_bytes(damages[4])
        self.refuse(self.line(middle), "damaged")

    # who takes part

    def test_refusals(self):
        for middle, name in (("gdppay", "gdppay0"),
                             ("valve", "valve0"),
                             ("queue leaky=downstream", "queue0"),
                             ("identity drop-probability=0.1", "identity0"),
                             ("zstdenc adaptive=true", "adaptive=true"),
                             ("lz4enc chunk-duration=1000000", "chunk-duration"),
                             ("brotlienc", "brotlienc0"),
                             ("tee name=t ! fakesink t.",
                              "fakesink0 stands behind the same tee")):
            with self.subTest(middle=middle):
                self.refuse(self.line(middle), f"cannot have checkpoints.*{name}")
                self.assertEqual(self.contents(), {})
        self.refuse("filesrc location=in ! eegfilesink checkpoint=true "
                    "location=out", "filesrc0 is no source that could go on")
        for source, reason in (
                ("fakesrc num-buffers=1", "size of the input is not known"),
                ("filesrc location=in ! queue",
                 "cannot be read at any position")):
            self.refuse(self.line("queue").replace("filesrc location=in",
                                                   source), reason)

    def test_second_recorder(self):
        process = self.start(self.line("queue", slow=50000))
        while not self.part.exists():
            time.sleep(0.01)
        code, text = self.run_line(self.line("queue"))
        self.assertNotEqual(code, 0)
        self.assertIn("is being recorded to by another one", text)
        # it did not disturb the first one either
        self.assertIsNone(process.poll())
        self.kill(process)
        self.succeed(self.line("queue"))
        self.assertEqual(self.out.read_bytes(), self.input.read_bytes())


if __name__ == "__main__":
    print(f"GSTEEG_TEST_SEED={SEED}", flush=True)
    LIBRARY = os.path.abspath(sys.argv.pop(1))
    unittest.main()
