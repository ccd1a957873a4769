# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs launch lines that may fail, and such that are killed and go on. After an
error that comes while it prerolls, gst-launch-1.0 of GStreamer 1.22 now and then
waits for ever, whatever element posted it: it quits its main loop before that
runs. Such a one is interrupted."""
import os
import pathlib
import re
import resource
import signal
import subprocess
import tempfile
import threading
import time
import unittest

# What it prints just before it may be lost, and how long it may then take
LAST_WORDS = "ERROR: pipeline doesn't want to preroll."
GRACE = 5


def run(line, timeout=60, options=("-q",), env=None, **popen):
    """Returns the exit status and what was printed. TimeoutExpired, with what
    was printed as its output, when it hangs by itself."""
    process = subprocess.Popen(
        ["gst-launch-1.0", *options, *line.split()], text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, env=dict(os.environ, **(env or {})), **popen)
    printed = []
    reader = threading.Thread(target=lambda: printed.extend(process.stdout))
    reader.start()
    end = time.monotonic() + timeout
    lost_at = None
    lost = False
    try:
        while process.poll() is None:
            now = time.monotonic()
            if now > end:
                raise subprocess.TimeoutExpired(line, timeout, "".join(printed))
            if lost_at is None and any(LAST_WORDS in text for text in printed):
                lost_at = now + GRACE
            if lost_at is not None and now > lost_at:
                lost = True
                lost_at = now + GRACE
                process.send_signal(signal.SIGINT)
            time.sleep(0.01)
    finally:
        process.kill()
        process.wait()
        reader.join()
        process.stdout.close()
    return 1 if lost else process.returncode, "".join(printed)


def limit_to(size):
    """For preexec_fn: no file becomes larger."""
    return lambda: size is not None and resource.setrlimit(
        resource.RLIMIT_FSIZE, (size, size))


def bytes_line(middle, interval, slow=0, sink=""):
    """Records the bytes of the file "in" as "out", as slow as said."""
    return (f"filesrc location=in ! eegchunk checkpoint-interval={interval} ! "
            f"identity name=pace silent=false sleep-time={slow} ! {middle} ! "
            f"eegfilesink name=sink location=out {sink}")


class ReadAgain:
    """What a source gave out once more after a kill, by what an `identity
    silent=false` behind it says of each buffer."""

    def __init__(self):
        self.end = None
        self.most = 0

    def add(self, text):
        """Of the next run. Returns how much that was."""
        seen = re.findall(r"= chain .*, offset: (\d+), offset_end: +(\d+)", text)
        if not seen:
            return 0
        again = 0 if self.end is None else max(self.end - int(seen[0][0]), 0)
        self.end = int(seen[-1][1])
        self.most = max(self.most, again)
        return again


class Recordings(unittest.TestCase):
    """Runs lines in a folder of its own. What they write begins with "out"."""

    # what no run prints that does well
    BAD = "WARNING|CRITICAL"

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def start(self, line, limit=None, env=None, options=("-m",)):
        """What it prints goes to a file: nobody reads while it runs."""
        with open(self.folder / "log", "w", encoding="utf-8") as log:
            return subprocess.Popen(["gst-launch-1.0", *options, *line.split()],
                                    cwd=self.folder, stdout=log,
                                    stderr=subprocess.STDOUT,
                                    stdin=subprocess.DEVNULL,
                                    preexec_fn=limit_to(limit),
                                    env=dict(os.environ, **(env or {})))

    def kill(self, process):
        """Returns whether it had not ended by itself, well, and what it had
        printed."""
        killed = process.poll() is None
        process.kill()
        process.wait()
        text = (self.folder / "log").read_text(encoding="utf-8")
        self.assertIn(process.returncode, (0, -signal.SIGKILL), text[-3000:])
        return killed and process.returncode != 0, text

    def kill_after(self, process, seconds):
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            pass
        return self.kill(process)

    def run_line(self, line, limit=None, env=None):
        try:
            return run(line, options=["-m"], cwd=self.folder, env=env,
                       preexec_fn=limit_to(limit))
        except subprocess.TimeoutExpired as error:
            return self.fail(f"{line}: {error.output[-2000:]}")

    def succeed(self, line, env=None):
        code, text = self.run_line(line, env=env)
        self.assertEqual(code, 0, text[-3000:])
        self.assertNotRegex(text, self.BAD, line)
        return text

    def refuse(self, line, pattern, env=None):
        """Fails, says why, and leaves what there is as it is."""
        before = self.contents()
        code, text = self.run_line(line, env=env)
        self.assertNotEqual(code, 0, line)
        self.assertRegex(text, pattern, line)
        self.assertEqual(self.contents(), before)

    def contents(self):
        """All output, but for the temporary file that a checksum writes first:
        a kill at that moment leaves it."""
        return {path.name: path.read_bytes() for path in self.folder.iterdir()
                if path.name.startswith("out")
                and not re.search(r"\.(b3|sha\d+)\.\w{6}$", path.name)}

    def output(self):
        """The same without sidecars."""
        return {name: data for name, data in self.contents().items()
                if "checkpoint" not in name}

    def clear(self):
        for name in self.contents():
            (self.folder / name).unlink()
