# SPDX-License-Identifier: LGPL-2.1-or-later
"""Dies between any two steps of what makes a recording durable, the first, second
and third time that it comes by; the same line again gives the same bytes. So do
two sinks behind a tee that make parts, one of them encrypted.

usage: test-fail-points.py PLUGIN
PLUGIN is the recording plugin with such places built in."""

import os
import pathlib
import re
import shutil
import signal
import sys
import tempfile
import unittest

import launch

PLUGIN = pathlib.Path(sys.argv.pop(1)).resolve()
SOURCE = pathlib.Path(os.environ["GSTEEG_SOURCE_DIR"])
LINE = ("filesrc location=in ! eegchunk checkpoint-interval=300000 ! "
        "identity sleep-time=4000 ! lz4enc threads=2 chunk-size=65536 ! "
        "blake3sum location=out.b3 ! eegfilesink checkpoint=true location=out "
        "sync-bytes=100000")
# Whose limit is reached when depends on time, so only what all parts hold is the
# same.
SINKS = ("filesrc location=in ! eegchunk checkpoint-interval=150000 ! tee name=t "
         "! queue max-size-bytes=70000 ! identity sleep-time=4000 ! eegfilesink checkpoint=true "
         "max-retries=0 location=out.bdf rotate-bytes=100000 t. ! queue ! zstdenc "
         "threads=2 chunk-size=65536 ! aesgcmenc key-file=key segment-size=4096 ! "
         "eegfilesink checkpoint=true max-retries=0 location=other.x "
         "rotate-bytes=100000")
DECODE = "aesgcmdec key-file=key segment-size=4096 ! zstddec"


def find_points():
    text = "".join(path.read_text() for part in ("gst", "elements")
                   for path in (SOURCE / part).rglob("*.c"))
    return sorted(set(re.findall(r'EEG_FAIL_POINT \("([a-z-]+)"\)', text)))


class FailPoints(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        shared = tempfile.TemporaryDirectory()
        cls.addClassCleanup(shared.cleanup)
        cls.shared = pathlib.Path(shared.name)
        # the plugins of the build tree with ours in the place of the real one
        plugins = cls.shared / "plugins"
        plugins.mkdir()
        for path in pathlib.Path(os.environ["GST_PLUGIN_PATH_1_0"]).rglob(
                "libgsteeg*.so"):
            (plugins / path.name).symlink_to(
                PLUGIN if path.name == PLUGIN.name else path.resolve())
        cls.env = dict(os.environ, GST_PLUGIN_PATH_1_0=str(plugins),
                       GST_REGISTRY_1_0=str(cls.shared / "registry"))
        cls.folder = cls.shared
        cls.run_line("eegsrc num-samples=25000 channels=16 ! edfmux ! "
                     "filesink location=in")
        cls.run_line(LINE)
        cls.reference = cls.result()

    @classmethod
    def run_line(cls, line, point=None, limit=None):
        env = dict(cls.env)
        if point is not None:
            env["GSTEEG_FAIL_POINT"] = point
        code, text = launch.run(line, cwd=cls.folder, env=env,
                                preexec_fn=launch.limit_to(limit))
        if code not in (0, -signal.SIGKILL) and limit is None:
            raise AssertionError(f"{point}: {text}")
        return code == -signal.SIGKILL

    @classmethod
    def result(cls):
        return ((cls.folder / "out").read_bytes(),
                (cls.folder / "out.b3").read_bytes())

    def begin(self, interrupted):
        folder = tempfile.TemporaryDirectory(dir=self.shared)
        self.addCleanup(folder.cleanup)
        type(self).folder = pathlib.Path(folder.name)
        shutil.copy2(self.shared / "in", self.folder / "in")
        (self.folder / "key").touch(0o600)
        (self.folder / "key").write_bytes(bytes(range(32)))
        if interrupted:
            self.run_line(LINE, limit=500000)

    def check(self, point, time, interrupted):
        """Returns how often it died."""
        self.begin(interrupted)
        deaths = self.run_line(LINE, f"{point}:{time}")
        if not deaths:
            # it does not come by so often in one run: in one after another
            self.begin(interrupted)
            for _ in range(time):
                deaths += self.run_line(LINE, f"{point}:1")
        self.run_line(LINE)
        self.assertEqual(self.result(), self.reference, point)
        self.assertFalse((self.folder / "out.part").exists(), point)
        return deaths

    def check_sinks(self, point, time):
        """Returns how often it died."""
        self.begin(False)
        deaths = self.run_line(SINKS, f"{point}:{time}")
        # and once more where it went on
        deaths += self.run_line(SINKS, f"{point}:{time}")
        self.run_line(SINKS)
        self.assertEqual(list(self.folder.glob("*.part")), [], point)
        parts = sorted(self.folder.glob("out-*.bdf"))
        others = sorted(self.folder.glob("other-*.x"))
        self.assertEqual([path.name[3:7] for path in parts],
                         [path.name[5:9] for path in others])
        for path, other in zip(parts, others):
            self.run_line(f"filesrc location={other.name} ! {DECODE} ! "
                          "filesink location=decoded")
            self.assertEqual((self.folder / "decoded").read_bytes(),
                             path.read_bytes(), point)
        self.assertEqual(b"".join(path.read_bytes() for path in parts),
                         (self.shared / "in").read_bytes(), point)
        return deaths

    def test_sinks(self):
        total = 0
        for point in find_points():
            deaths = sum(self.check_sinks(point, time)
                         for time in (1, 2, 3, 4, 5))
            if point.startswith("one-"):
                self.assertGreater(deaths, 4, f"nobody comes by {point}")
            total += deaths
        print(f"two sinks: {total} deaths")

    def test_fail_points(self):
        points = [point for point in find_points()
                  if not point.startswith("one-")]
        self.assertGreater(len(points), 10)
        total = 0
        for point in points:
            deaths = sum(self.check(point, time, interrupted)
                         for time in (1, 2, 3)
                         for interrupted in (False, True))
            self.assertGreater(deaths, 2, f"nobody comes by {point}")
            total += deaths
        print(f"{len(points)} places, {total} deaths")


if __name__ == "__main__":
    unittest.main()
