# SPDX-License-Identifier: LGPL-2.1-or-later
"""Drives examples/eeg-live through a pipe, as a person would by hand."""

import subprocess
import sys
import unittest

PROGRAM = sys.argv.pop(1)
LINE = ("fakesrc is-live=true do-timestamp=true name=source ! "
        "identity name=stage ! fakesink name=sink")


def run(commands, line=LINE):
    return subprocess.run([PROGRAM, line], input="\n".join(commands),
                          capture_output=True, text=True, timeout=60)


class EegLive(unittest.TestCase):
    def check(self, commands, *expected, line=LINE):
        """Every expected line was printed, in this order."""
        done = run(commands, line)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = iter(done.stdout.splitlines())
        for wanted in expected:
            self.assertTrue(any(wanted == got for got in lines),
                            f"{wanted!r} is not in its place in\n{done.stdout}")
        return done

    def test_set_and_read(self):
        self.check(["stage.sleep-time=5", "stage.sleep-time",
                    "  stage.silent = false  ", "stage.name", "quit"],
                   "stage.sleep-time=5", "stage.sleep-time=5",
                   "stage.silent=false", "stage.name=stage", "end of stream")

    def test_states(self):
        # without a live source, so that paused is reached by preroll
        self.check(["pause", "play", "quit"], "playing", "end of stream",
                   line="fakesrc ! identity sleep-time=1000 ! fakesink")

    def test_input_ends_stream_goes_on(self):
        done = self.check([], "end of stream",
                          line="fakesrc num-buffers=100 ! identity "
                          "sleep-time=1000 ! fakesink")
        self.assertIn("playing", done.stdout)

    def test_wrong_names(self):
        self.check(["nobody.level=1", "stage.level=1", "stage.level", "stage.",
                    ".level", "level", "quit"],
                   "there is no element 'nobody'",
                   "'stage' has no property 'level'",
                   "'stage' has no property 'level'",
                   "'stage.' is no command; try help",
                   "'.level' is no command; try help",
                   "'level' is no command; try help")

    def test_wrong_values(self):
        self.check(["stage.sleep-time=-7", "stage.sleep-time=much",
                    "stage.drop-probability=2.5", "stage.silent=perhaps",
                    "sink.stats=1", "quit"],
                   "stage.sleep-time takes a guint, not '-7'",
                   "stage.sleep-time takes a guint, not 'much'",
                   "stage.drop-probability: 2.5 is out of range; "
                   "see gst-inspect-1.0",
                   "stage.silent takes a gboolean, not 'perhaps'",
                   "sink.stats can only be read")

    def test_long_line(self):
        self.check(["x" * 100000, "stage.sleep-time=3", "quit"],
                   "a command has at most 65536 characters",
                   "stage.sleep-time=3")

    EEG = ("eegsrc name=source driver=synthetic is-live=true ! rawtovoltage ! "
           "firfilter name=filter mode=low-pass high=40 ! fakesink")

    def test_filter(self):
        done = self.check(["filter.high=30", "filter.mode=band-pass",
                           "filter.window=kaiser", "filter.enabled=false",
                           "stats", "quit"],
                          "filter.high=30", "filter.mode=band-pass",
                          "filter.window=kaiser", "filter.enabled=false",
                          "end of stream", line=self.EEG)
        self.assertRegex(done.stdout, "(?m)^source: kind=acquisition .*"
                         r"\n.*kind=transform.*\nfilter: kind=transform")

    def test_not_while_playing(self):
        self.check(["source.seed=7", "source.stats=1", "filter.low=much",
                    "quit"],
                   "source.seed can only be set in the launch line",
                   "source.stats can only be read",
                   "filter.low takes a gdouble, not 'much'", line=self.EEG)

    def test_child(self):
        self.check(["source.driver::loss-rate=0.5",
                    "source.driver::loss-rate", "quit"],
                   "source.driver::loss-rate=0.5",
                   "source.driver::loss-rate=0.5", line=self.EEG)

    def test_secrets_are_refused(self):
        done = run([], "fakesrc ! aesenc key=0011 iv=22 ! fakesink")
        self.assertEqual(done.returncode, 2)
        self.assertIn("'key' in a launch line", done.stderr)
        self.assertNotIn("0011", done.stdout + done.stderr)
        done = run([], "souphttpsrc user-pw=hidden ! fakesink")
        self.assertEqual(done.returncode, 2)
        self.assertNotIn("hidden", done.stdout + done.stderr)

    def test_bad_line(self):
        done = run([], "fakesrc ! nosuchelement ! fakesink")
        self.assertEqual(done.returncode, 2)
        self.assertIn("nosuchelement", done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1)

    def test_error_while_playing(self):
        done = run([], "filesrc location=/nonexistent/file ! fakesink")
        self.assertEqual(done.returncode, 1)
        self.assertIn("error: ", done.stderr)


if __name__ == "__main__":
    unittest.main()
