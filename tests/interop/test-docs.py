# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs what the documents show: every block marked `launch` (a launch line) or
`script` (a few lines of shell), in the order of the page and in a folder of its
own, where `k` is a key file. $KEY, $TMP, $SOURCE and $PYTHON are set."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["GSTEEG_SOURCE_DIR"])
BLOCK = re.compile(r"^```(launch|script)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What pages may use beside the elements themselves.
TOOLS = ("gst-launch-1.0", "b3sum", "zstd")


def pages():
    return [SOURCE / "README.md"] + sorted(SOURCE.glob("docs/**/*.md"))


def our_elements():
    """The factories in the plugins of the build tree."""
    found = set()
    plugins = pathlib.Path(os.environ["GST_PLUGIN_PATH_1_0"])
    for plugin in plugins.glob("*/libgsteeg*.so"):
        text = subprocess.run(["gst-inspect-1.0", plugin], capture_output=True,
                              text=True, check=True).stdout
        found.update(re.findall(r"^  (\w+): ", text, re.MULTILINE))
    return found


class Docs(unittest.TestCase):
    def run_block(self, page, kind, text, folder):
        line = " ".join(text.split())
        if kind == "launch" and not line.startswith("gst-launch-1.0"):
            text = "gst-launch-1.0 " + text
        env = dict(os.environ, TMP=folder, KEY=f"{folder}/k",
                   SOURCE=str(SOURCE), PYTHON=sys.executable)
        done = subprocess.run(["bash", "-eu", "-o", "pipefail", "-c", text],
                              cwd=folder, env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=120)
        self.assertEqual(done.returncode, 0, f"{page}:\n{text}\n{done.stdout}")
        # a property that does not exist or a value out of range only warns
        self.assertNotRegex(done.stdout, r"WARNING|CRITICAL",
                            f"{page}:\n{text}")

    def test_pages(self):
        ran = 0
        for page in pages():
            with self.subTest(page=page.name), \
                    tempfile.TemporaryDirectory() as folder:
                key = pathlib.Path(folder, "k")
                key.touch(mode=0o600)
                key.write_bytes(os.urandom(32))
                for kind, text in BLOCK.findall(page.read_text()):
                    self.run_block(page.name, kind, text, folder)
                    ran += 1
        self.assertGreater(ran, 5)

    def test_every_element_has_a_page_that_runs(self):
        elements = our_elements()
        self.assertTrue(elements, "no plugin was built")
        for element in sorted(elements):
            with self.subTest(element=element):
                page = SOURCE / "docs" / "elements" / f"{element}.md"
                self.assertTrue(page.exists(), f"{page} does not exist")
                self.assertIn("```launch\n", page.read_text())

    def test_links(self):
        """Links inside the tree lead somewhere."""
        for page in pages():
            for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
                self.assertTrue((page.parent / link).exists(),
                                f"{page.name}: {link}")


if __name__ == "__main__":
    for tool in TOOLS:
        if subprocess.run(["which", tool], capture_output=True).returncode:
            print(f"{tool} is not installed")
            sys.exit(77)
    for module in ("cryptography", "mne"):
        if subprocess.run([sys.executable, "-c", f"import {module}"],
                          capture_output=True).returncode:
            print(f"{sys.executable} has no module {module}")
            sys.exit(77)
    unittest.main()
