# SPDX-License-Identifier: LGPL-2.1-or-later
"""What examples/eeg-checkpoint says of a recording, and going back with it."""

import gzip
import json
import os
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import launch

PROGRAM = os.path.abspath(sys.argv.pop(1))
INTERVAL = 200000


class EegCheckpoint(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name).resolve()
        self.out = self.folder / "out"
        self.part = self.folder / "out.part"
        self.sidecar = self.folder / "out.checkpoint"
        self.old = self.folder / "out.checkpoint.old"
        self.launch("eegsrc num-samples=30000 channels=16 ! edfmux ! "
                    "filesink location=in")
        self.line = (f"filesrc location=in ! eegchunk "
                     f"checkpoint-interval={INTERVAL} ! identity sleep-time=3000"
                     f" ! gzipenc name=zip ! sha256sum location=out.sha256 ! "
                     f"eegfilesink checkpoint=true location=out")

    def launch(self, line, limit=None, succeed=True):
        def prepare():
            if limit is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        code, text = launch.run(line, cwd=self.folder, preexec_fn=prepare)
        self.assertEqual(code == 0, succeed, text)
        return text

    def run_tool(self, *args, status=0, cwd="/"):
        done = subprocess.run([PROGRAM, *map(str, args)], capture_output=True,
                              text=True, timeout=60, cwd=cwd)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout if status != 1 or done.stdout else done.stderr

    def show(self, name="out"):
        return json.loads(self.run_tool("show", "--json", self.folder / name))

    def interrupt(self):
        """With two checkpoints behind the beginning. A disk that is busy leaves
        checkpoints out."""
        for _ in range(20):
            self.launch(self.line, limit=700000, succeed=False)
            both = self.show()
            if both["previous"].get("id", 0) > 0:
                return both
            for path in (self.part, self.sidecar, self.old):
                path.unlink(missing_ok=True)
        self.fail("never two checkpoints")

    def reference(self):
        self.launch(self.line)
        data = self.out.read_bytes(), (self.folder / "out.sha256").read_bytes()
        for path in (self.out, self.sidecar, self.old,
                     self.folder / "out.sha256"):
            path.unlink()
        return data

    def result(self):
        return self.out.read_bytes(), (self.folder / "out.sha256").read_bytes()

    def test_show(self):
        both = self.interrupt()
        newest, previous = both["newest"], both["previous"]
        self.assertGreater(newest["id"], previous["id"])
        self.assertEqual(newest["recording"], previous["recording"])
        self.assertEqual(newest["input"]["position"], newest["id"] * INTERVAL)
        self.assertEqual(newest["input"]["size"],
                         (self.folder / "in").stat().st_size)
        self.assertEqual(newest["input"]["inode"],
                         (self.folder / "in").stat().st_ino)
        self.assertEqual(newest["output"]["path"], "out")
        self.assertEqual(newest["output"]["inode"], self.part.stat().st_ino)
        self.assertLess(newest["output"]["length"], 700001)
        self.assertAlmostEqual(newest["time"] / 1e6, time.time(), delta=600)
        self.assertFalse(newest["complete"])
        self.assertEqual(newest["retries"], 0)
        self.assertEqual([s["factory"] for s in newest["stages"]],
                         ["sha256sum", "gzipenc", "eegchunk"])
        self.assertEqual(newest["stages"][1]["name"], "zip")
        self.assertIn(f"checkpoint-interval={INTERVAL}",
                      newest["stages"][2]["settings"])
        self.assertGreater(newest["stages"][0]["state-size"], 32)
        # by any of its names
        for name in ("out.part", "out.checkpoint"):
            self.assertEqual(self.show(name), both)
        text = self.run_tool("show", self.out)
        self.assertIn(f"newest: checkpoint {newest['id']}", text)
        self.assertIn(f"previous: checkpoint {previous['id']}", text)
        self.assertIn("zip (gzipenc)", text)

        self.launch(self.line)
        both = self.show()
        self.assertTrue(both["newest"]["complete"])
        self.assertIn("is complete", self.run_tool("show", self.out))

    def test_damaged(self):
        both = self.interrupt()
        data = self.sidecar.read_bytes()
        self.sidecar.write_bytes(data[:-1])
        self.assertIn("damaged", self.show()["newest"]["error"])
        self.assertEqual(self.show()["previous"], both["previous"])
        self.old.write_bytes(b"")
        text = self.run_tool("show", self.out, status=1)
        self.assertEqual(text.count("damaged"), 2)
        self.run_tool("show", self.folder / "nothing", status=1)

    def test_usage(self):
        for args in ((), ("show",), ("unwind", "x"), ("unwind", "x", "one"),
                     ("unwind", "x", "-1"), ("other", "x")):
            self.run_tool(*args, status=2)

    def test_unwind(self):
        """Back to each of the two, then on."""
        reference = self.reference()
        for which in ("newest", "previous"):
            both = self.interrupt()
            wanted = both[which]["id"]
            text = self.run_tool("unwind", self.out, wanted)
            self.assertIn(f"from checkpoint {wanted}", text)
            self.assertEqual(self.show()["newest"], both[which])
            os.environ["GST_DEBUG"] = "eegfilesink:4"
            try:
                self.assertIn(f"going on from checkpoint {wanted} ",
                              self.launch(self.line))
            finally:
                del os.environ["GST_DEBUG"]
            self.assertEqual(self.result(), reference)
            for path in (self.out, self.sidecar, self.old):
                path.unlink(missing_ok=True)

    def test_unwind_parts(self):
        """Parts that are newer are made once more, the others stay."""
        line = ("filesrc location=in ! eegchunk checkpoint-interval=50000 ! "
                "identity name=check sleep-time=20000 {}! gzipenc ! "
                "sha256sum location=out.gz.sha256 ! "
                "eegfilesink checkpoint=true rotate-bytes=30000 location=out.gz")
        # something is wrong behind some parts
        self.launch(line.format("error-after=20 "), succeed=False)
        both = self.show("out.gz")
        newest, previous = both["newest"], both["previous"]
        self.assertEqual(newest["part"], previous["part"] + 1)
        self.assertGreater(previous["part"], 0)
        kept = self.folder / f"out-{previous['part']:03}.gz"
        again = self.folder / f"out-{newest['part']:03}.gz"
        self.assertTrue(again.exists())
        self.assertIn("has no checkpoint 99",
                      self.run_tool("unwind", self.folder / "out.gz", 99,
                                    status=1))
        inode = kept.stat().st_ino
        self.run_tool("unwind", self.folder / "out.gz", previous["id"])
        self.assertFalse(again.exists())
        self.assertTrue(pathlib.Path(f"{again}.part").exists())
        self.assertEqual(self.show("out.gz")["newest"], previous)
        self.launch(line.format(""))
        data = b"".join(gzip.decompress(path.read_bytes())
                        for path in sorted(self.folder.glob("out-*.gz")))
        self.assertEqual(data, (self.folder / "in").read_bytes())
        self.assertEqual(list(self.folder.glob("*.part")), [])
        self.assertEqual(kept.stat().st_ino, inode)
        sums = sorted(self.folder.glob("out-*.sha256"))
        self.assertEqual(len(sums), len(list(self.folder.glob("out-*.gz"))))
        subprocess.run(["sha256sum", "--check", "--quiet", *sums],
                       cwd=self.folder, check=True)

    def test_unwind_two_sinks(self):
        """Both go back to one that they have in common."""
        line = ("filesrc location=in ! eegchunk checkpoint-interval=100000 ! "
                "identity {}sleep-time=10000 ! tee name=t ! queue ! gzipenc ! "
                "eegfilesink checkpoint=true location=a t. ! queue ! lz4enc ! "
                "eegfilesink checkpoint=true location=b")
        self.launch(line.format(""))
        reference = {}
        for name in "ab":
            reference[name] = (self.folder / name).read_bytes()
            for path in self.folder.glob(f"{name}*"):
                path.unlink()
        self.launch(line.format("error-after=9 "), succeed=False)
        ids = [{found["id"] for found in self.show(name).values()}
               for name in "ab"]
        common = min(ids[0] & ids[1])
        for name in "ab":
            self.run_tool("unwind", self.folder / name, common)
        self.launch(line.format(""))
        for name, data in reference.items():
            self.assertEqual((self.folder / name).read_bytes(), data)

    def test_unwind_refused(self):
        both = self.interrupt()
        text = self.run_tool("unwind", self.out, 99, status=1)
        self.assertIn("has no checkpoint 99; there is: "
                      f"{both['newest']['id']}, {both['previous']['id']}", text)
        # while it is being recorded to
        process = subprocess.Popen(
            ["gst-launch-1.0", "-q"] + self.line.replace("=3000", "=300000")
            .split(), cwd=self.folder, stderr=subprocess.DEVNULL)
        before = self.sidecar.read_bytes()
        while self.sidecar.read_bytes() == before:
            time.sleep(0.01)
        text = self.run_tool("unwind", self.out, both["previous"]["id"],
                             status=1)
        self.assertIn("is being recorded to", text)
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.assertEqual(self.show()["newest"]["id"], both["newest"]["id"])
        self.assertEqual(self.show()["newest"]["retries"], 1)


if __name__ == "__main__":
    unittest.main()
