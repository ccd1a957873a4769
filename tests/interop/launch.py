# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs launch lines that may fail. After an error that comes while it prerolls,
gst-launch-1.0 of GStreamer 1.22 now and then waits for ever, whatever element
posted it: it quits its main loop before that runs. Such a one is interrupted."""
import os
import signal
import subprocess
import threading
import time

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
