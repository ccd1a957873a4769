#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""chacha20poly1305enc and chacha20poly1305dec against the tools age and
age-keygen, both ways."""

import os
import pathlib
import pty
import shutil
import subprocess
import sys
import tempfile
import unittest

# around the ends of cells and of jobs
SIZES = (0, 1, 65535, 65536, 65537, 262144, 262145, 1000000)
PASSPHRASE = "correct horse battery staple"


class Age(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.recipients = []
        for name in ("one", "two"):
            self.tool("age-keygen", "-o", name)
            self.recipients.append(
                self.tool("age-keygen", "-y", name).decode().strip())

    def tool(self, *command):
        done = subprocess.run(command, cwd=self.folder, timeout=60,
                              stdin=subprocess.DEVNULL, capture_output=True,
                              check=False)
        self.assertEqual(done.returncode, 0, f"{command}: {done.stderr}")
        return done.stdout

    def launch(self, line):
        self.tool("gst-launch-1.0", "-q", *line.split())

    def write(self, name, content):
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_bytes(content)

    def read(self, name):
        return (self.folder / name).read_bytes()

    def with_passphrase(self, *command):
        """The tool takes a passphrase from a terminal only."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.folder)
            os.execvp(command[0], command)
        output = b""
        asked = 0
        while True:
            try:
                part = os.read(terminal, 1000)
            except OSError:
                break
            if not part:
                break
            output += part
            # it asks once, or twice when it encrypts
            if output.count(b"passphrase") > asked and output.endswith(
                    (b": ", b":")):
                asked = output.count(b"passphrase")
                os.write(terminal, PASSPHRASE.encode() + b"\n")
        os.close(terminal)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        self.assertEqual(status, 0, f"{command}: {output}")

    def test_to_the_tool(self):
        self.write("recipients", "\n".join(
            ["# both", *self.recipients, ""]).encode())
        for size in SIZES:
            data = os.urandom(size)
            self.write("in", data)
            for setting in (f"recipients={self.recipients[0]},"
                            f"{self.recipients[1]}",
                            "recipients-file=recipients"):
                self.launch("filesrc location=in blocksize=30000 ! "
                            f"chacha20poly1305enc {setting} ! "
                            "filesink location=out.age")
                for identity in ("one", "two"):
                    self.assertEqual(
                        self.tool("age", "-d", "-i", identity, "out.age"),
                        data, f"{size} bytes, {setting}, identity {identity}")

    def test_from_the_tool(self):
        for size in SIZES:
            data = os.urandom(size)
            self.write("in", data)
            for armor in ([], ["--armor"]):
                self.tool("age", *armor, "-r", self.recipients[1], "-o",
                          "out.age", "in")
                # the other identity is tried first
                self.write("both", self.read("one") + self.read("two"))
                for threads in (1, 2):
                    self.launch("filesrc location=out.age ! application/x-age "
                                "! chacha20poly1305dec identity-file=both "
                                f"threads={threads} ! filesink location=back")
                    self.assertEqual(self.read("back"), data,
                                     f"{size} bytes, {armor}, {threads}")
                (self.folder / "out.age").unlink()

    def test_passphrase(self):
        data = os.urandom(100000)
        self.write("in", data)
        self.write("passphrase", PASSPHRASE.encode() + b"\n")
        self.launch("filesrc location=in ! chacha20poly1305enc "
                    "passphrase-file=passphrase work-factor=12 ! "
                    "filesink location=out.age")
        self.with_passphrase("age", "-d", "-o", "back", "out.age")
        self.assertEqual(self.read("back"), data)
        self.with_passphrase("age", "-p", "-o", "theirs.age", "in")
        self.launch("filesrc location=theirs.age ! chacha20poly1305dec "
                    "passphrase-file=passphrase ! filesink location=own")
        self.assertEqual(self.read("own"), data)


if __name__ == "__main__":
    for tool in ("age", "age-keygen"):
        if shutil.which(tool) is None:
            print(f"{tool} is not installed")
            sys.exit(77)
    unittest.main()
