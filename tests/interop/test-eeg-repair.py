# SPDX-License-Identifier: LGPL-2.1-or-later
"""eeg-repair: parts that were dropped, swapped, changed and so on, by name; what
comes together again; files that broke off anywhere."""

import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.path.abspath(sys.argv.pop(1))
SOURCE = "eegsrc num-samples={} channels=3 checkpoint-interval=1000"
SINK = "eegfilesink rotate-bytes=20000"
SMALL = "eegfilesink rotate-bytes=8000"
PACK = f"{SOURCE} ! identity sleep-time=2000 ! eegpackenc threads=2"
GAPS = PACK.replace(" !", " driver::loss-rate=0.001 driver::loss-burst=200 !", 1)
CIPHER = "aesgcmenc threads=1 key-file=key segment-size=4096"


class Repair(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        shared = tempfile.TemporaryDirectory()
        cls.addClassCleanup(shared.cleanup)
        cls.made = pathlib.Path(shared.name)
        key = cls.made / "key"
        key.touch(0o600)
        key.write_bytes(b"0123456789abcdef0123456789abcdef")
        for line in (
                f"{SOURCE.format(20000)} ! identity sleep-time=2000 ! edfmux ! "
                f"{SINK} location=a.bdf",
                f"{SOURCE.format(9000)} ! identity sleep-time=2000 ! edfmux ! "
                f"{SINK} location=b.bdf",
                f"{SOURCE.format(20000)} ! identity sleep-time=2000 ! edfmux ! "
                f"zstdenc threads=1 ! {CIPHER} ! {SINK} location=c.bdf.zst.tink",
                f"{PACK.format(20000)} ! {SMALL} location=e.eegpack",
                f"{PACK.format(9000)} ! {SMALL} location=f.eegpack",
                f"{PACK.format(20000)} ! {CIPHER} ! {SMALL} "
                "location=g.eegpack.tink",
                f"{GAPS.format(20000)} ! {SMALL} location=h.eegpack",
                f"{GAPS.format(20000)} ! filesink location=gaps.eegpack",
                f"{PACK.format(20000)} ! filesink location=one.eegpack",
                f"{SOURCE.format(20000)} ! edfmux ! filesink location=one.bdf",
                "filesrc location=one.bdf ! eegchunk checkpoint-interval=20000 "
                f"! zstdenc threads=1 ! {SINK} location=d.zst",
                "filesrc location=one.bdf ! zstdenc seek-table=true "
                "chunk-size=20000 ! filesink location=seek.zst"):
            subprocess.run(["gst-launch-1.0", "-q"] + line.split(), check=True,
                           cwd=cls.made)

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        shutil.copytree(self.made, self.folder, dirs_exist_ok=True)

    def names(self, prefix):
        return sorted(path.name for path in self.folder.glob(prefix + "-*"))

    def run_program(self, *args):
        return subprocess.run([PROGRAM, *args], cwd=self.folder, text=True,
                              capture_output=True, timeout=60)

    def succeed(self, *args):
        result = self.run_program(*args)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stderr, "")
        return result.stdout

    def find(self, pattern, *args):
        """One problem, and it is called by its name."""
        before = {path: path.read_bytes() for path in self.folder.iterdir()
                  if path.is_file()}
        result = self.run_program("--verify", *args)
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertRegex(result.stderr, pattern)
        self.assertEqual({path: path.read_bytes()
                          for path in self.folder.iterdir()
                          if path.is_file()}, before)

    # the chain

    def check_chain(self, prefix, *keys):
        names = self.names(prefix)
        count = len(names)
        self.assertGreater(count, 3)
        self.assertIn(f"{count} parts", self.succeed("--verify", *keys, *names))
        self.succeed("--verify", f"--parts={count}", *keys, *names)
        self.find("part 1 is missing before it", *keys, *names[1:])
        self.find(rf"{names[2]}: part 2 is missing between {names[0]}",
                  *keys, names[0], *names[2:])
        self.find(rf"part {count} of {count} is missing", f"--parts={count}",
                  *keys, *names[:-1])
        self.find(rf"{names[1]}: is part 2, but stands behind part 3, "
                  rf"{names[2]}", *keys, names[0], names[2], names[1],
                  *names[3:])
        self.find(rf"{names[1]}: is part 2 once more", *keys, *names[:2],
                  names[1], *names[2:])
        # by the names alone it cannot be seen
        one, two = (self.folder / name for name in names[1:3])
        one.rename(self.folder / "tmp")
        two.rename(one)
        (self.folder / "tmp").rename(two)
        self.find(rf"{names[2]}: is part 2, but stands behind", *keys, *names)
        two.rename(self.folder / "tmp")
        one.rename(two)
        (self.folder / "tmp").rename(one)
        for at in (700, one.stat().st_size // 2, one.stat().st_size - 5):
            data = bytearray(one.read_bytes())
            data[at] ^= 4
            one.write_bytes(data)
            self.find(names[1], *keys, *names)
            data[at] ^= 4
            one.write_bytes(data)
        self.succeed("--verify", *keys, *names)
        return names

    def test_edf(self):
        names = self.check_chain("a")
        foreign = self.names("b")
        self.find(rf"{foreign[1]}: belongs to another recording than {names[0]}",
                  names[0], foreign[1], *names[2:])
        # a header is completed later
        path = self.folder / names[1]
        data = path.read_bytes()
        path.write_bytes(data[:236] + b"-1      " + data[244:])
        self.succeed("--verify", *names)
        # what is no part
        self.find("one.bdf: does not say which part", "one.bdf")

    def test_encrypted(self):
        keys = ("--key-file=key", "--segment-size=4096")
        names = self.check_chain("c", *keys)
        self.find(f"{names[0]}: does not say", *names)

    def test_bytes(self):
        names = self.check_chain("d")
        self.succeed("--join", "--output=joined", *names)
        self.assertEqual((self.folder / "joined").read_bytes(),
                         (self.folder / "one.bdf").read_bytes())

    def decode(self, name, options=""):
        """Samples as bytes, and whether all could be decoded."""
        out = self.folder / "decoded"
        out.unlink(missing_ok=True)
        result = subprocess.run(
            ["gst-launch-1.0", "-q"] + f"filesrc location={name} ! eegpackdec "
            f"{options} ! filesink location=decoded".split(), cwd=self.folder,
            capture_output=True, text=True, timeout=60)
        self.assertNotIn("CRITICAL", result.stderr)
        return out.read_bytes() if out.exists() else b"", result.returncode == 0

    def test_eegpack(self):
        names = self.check_chain("e")
        foreign = self.names("f")
        self.find(rf"{foreign[1]}: belongs to another recording than {names[0]}",
                  names[0], foreign[1], *names[2:])
        self.find("one.eegpack: does not say which part", "one.eegpack")
        keys = ("--key-file=key", "--segment-size=4096")
        encrypted = self.check_chain("g", *keys)
        # what any decoder makes of them, one behind the other
        whole, ok = self.decode("one.eegpack")
        self.assertTrue(ok)
        self.assertEqual(b"".join(self.decode(name)[0] for name in names), whole)
        for output, parts, *options in (("e", names),
                                        ("g", encrypted, *keys)):
            text = self.succeed("--join", f"--output={output}", *options, *parts)
            self.assertIn("20000 samples", text)
            self.assertEqual(self.decode(output), (whole, True))
            self.assertNotIn(b"EEG part", (self.folder / output).read_bytes())
        # gaps of the recording stay, also where parts end
        text = self.succeed("--join", "--output=h", *self.names("h"))
        self.assertIn("20000 samples", text)
        self.assertIn("20000 samples",
                      self.succeed("--verify", *self.names("h")))
        self.assertEqual(self.decode("h"), self.decode("gaps.eegpack"))
        text = self.succeed("--join", "--output=gap", names[0], *names[2:])
        lost = float(re.search(r"([\d.]+) s lost before it", text)[1])
        got, ok = self.decode("gap")
        self.assertTrue(ok)
        self.assertEqual(len(whole) - len(got), round(lost * 250) * len(whole)
                         // 20000)
        for parts in ([names[0], "one.bdf"], names[::-1],
                      [names[0], foreign[1]]):
            self.assertEqual(self.run_program("--join", "--output=x",
                                              *parts).returncode, 2)
            self.assertFalse((self.folder / "x").exists())

    def test_cut_eegpack(self):
        """Cut anywhere, damaged anywhere: as much as the decoder salvages."""
        whole = (self.folder / "one.eegpack").read_bytes()
        self.succeed("--output=again", "one.eegpack")
        self.assertEqual(self.decode("again"), self.decode("one.eegpack"))
        header = len(whole) - len(whole[8:].split(b"\xb5EPD", 1)[1])
        cuts = sorted(random.sample(range(header, len(whole)), 12))
        for cut in [0, 1, 8, 20] + cuts:
            (self.folder / "cut").write_bytes(whole[:cut])
            result = self.run_program("--output=out", "cut")
            if cut < header - 4:
                self.assertEqual(result.returncode, 2, cut)
                self.assertFalse((self.folder / "out").exists())
                continue
            self.assertEqual(result.returncode, 0, result.stderr)
            got, ok = self.decode("out")
            self.assertTrue(ok)
            salvaged = self.decode("cut", "salvage=true")[0]
            self.assertEqual(got, salvaged)
            samples = int(re.search(r"(\d+) samples", result.stdout)[1])
            self.assertEqual(len(got), samples * len(self.decode("again")[0])
                             // 20000)
            (self.folder / "out").unlink()
        for at in cuts[:-1]:
            data = bytearray(whole)
            data[at] ^= 16
            (self.folder / "bad").write_bytes(data)
            result = self.run_program("--output=out", "bad")
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertNotIn(" 0 bytes that are", result.stdout)
            got, ok = self.decode("out")
            self.assertTrue(ok)
            self.assertEqual(got, self.decode("bad", "salvage=true")[0])
            (self.folder / "out").unlink()
        self.succeed("--in-place", "cut")
        self.assertTrue(self.decode("cut")[1])

    def test_join(self):
        keys = ("--key-file=key", "--segment-size=4096")
        self.succeed("--join", "--output=a.bdf", *self.names("a"))
        self.succeed("--join", "--output=c.bdf", *keys, *self.names("c"))
        for name in ("a.bdf", "c.bdf"):
            data = (self.folder / name).read_bytes()
            self.assertNotIn(b"EEG part", data)
            self.assertEqual(self.samples(name)[:3 * 20000 * 3],
                             self.samples("one.bdf")[:3 * 20000 * 3])
            self.assertEqual(int(data[236:244]), self.records(data))
        # nothing is overwritten unless told
        before = (self.folder / "a.bdf").read_bytes()
        result = self.run_program("--join", "--output=a.bdf", *self.names("b"))
        self.assertEqual(result.returncode, 2)
        self.assertIn("File exists", result.stderr)
        self.assertEqual((self.folder / "a.bdf").read_bytes(), before)
        self.succeed("--join", "--overwrite", "--output=a.bdf",
                     *self.names("b"))
        self.assertNotEqual((self.folder / "a.bdf").read_bytes(), before)
        for names in (self.names("a")[:2] + self.names("b")[:1],
                      ["one.bdf", "d-001.zst", "key"],
                      self.names("a")[::-1]):
            result = self.run_program("--join", "--output=x", *names)
            self.assertEqual(result.returncode, 2, names)
            self.assertFalse((self.folder / "x").exists())

    def records(self, data):
        n = int(data[252:256])
        at = 256 + 216 * n
        size = sum(int(data[at + 8 * i:at + 8 * i + 8]) for i in range(n)) * 3
        self.assertEqual((len(data) - 256 * (n + 1)) % size, 0)
        return (len(data) - 256 * (n + 1)) // size

    def samples(self, name):
        """Of all signals, sample by sample."""
        data = (self.folder / name).read_bytes()
        n = int(data[252:256])
        at = 256 + 216 * n
        counts = [int(data[at + 8 * i:at + 8 * i + 8]) for i in range(n)]
        signals = [[] for _ in range(n - 1)]
        at = 256 * (n + 1)
        while at < len(data):
            for i, count in enumerate(counts):
                if i < n - 1:
                    signals[i] += [data[at + 3 * j:at + 3 * j + 3]
                                   for j in range(count)]
                at += 3 * count
        return b"".join(b"".join(frame) for frame in zip(*signals))

    def test_interrupted(self):
        """A live recording that was killed: what was lost is said, and stands in
        the joined file."""
        line = ("eegsrc is-live=true channels=3 checkpoint-interval=50 "
                "num-samples=100 ! edfmux record-duration=40000000 ! "
                "eegfilesink location=live.bdf checkpoint=true "
                "rotate-time=200000000")
        process = subprocess.Popen(
            ["gst-launch-1.0"] + line.replace("num-samples=100 ", "").split(),
            cwd=self.folder, stdout=subprocess.DEVNULL)
        try:
            process.wait(1.5)
        except subprocess.TimeoutExpired:
            pass
        process.kill()
        process.wait()
        subprocess.run(["gst-launch-1.0", "-q"] + line.split(), check=True,
                       cwd=self.folder)
        names = sorted(path.name for path in self.folder.glob("live-*"))
        result = self.run_program("--verify", *names)
        found = re.search(r"sample (\d+) to (\d+) lost \((\d+)\)",
                          result.stdout)
        self.assertTrue(found, result.stdout + result.stderr)
        lost = int(found[3])
        self.assertEqual(int(found[2]) - int(found[1]), lost)
        self.assertTrue(0 < lost < 1000, lost)
        # of a part behind it so little came to disk that it says nothing
        unfinished = next(name for name in names if name.endswith(".part"))
        shutil.copy2(self.folder / unfinished, self.folder / "torn")
        os.truncate(self.folder / "torn",
                    (self.folder / "torn").stat().st_size - 1)
        (self.folder / "none").write_bytes(b"0")
        at = names.index(unfinished)
        result = self.run_program("--verify", *names[:at], "torn", "none",
                                  *names[at + 1:])
        self.assertIn("torn: unfinished", result.stdout)
        self.assertRegex(result.stderr, r"\Anone: [^\n]*\n\Z")
        # and where nothing is left of what was before
        result = self.run_program("--verify", *names[at + 1:])
        self.assertRegex(result.stdout,
                         rf"{names[at + 1]}: sample 0 to {found[2]} lost "
                         rf"\({found[2]}\)")
        text = self.succeed("--join", "--output=joined.bdf", *names)
        self.assertAlmostEqual(float(re.search(r"([\d.]+) s lost", text)[1]),
                               lost / 250, places=4)
        data = (self.folder / "joined.bdf").read_bytes()
        self.assertEqual(data[192:197], b"BDF+D")
        note = re.search(rb"\+([\d.]+)\x15([\d.]+)\x14Samples lost", data)
        self.assertAlmostEqual(float(note[2]), lost / 250, places=4)

    # unfinished files

    def test_cut_edf(self):
        """Cut anywhere: what is whole, and its number."""
        whole = (self.folder / "a-001.bdf").read_bytes()
        records = int(whole[236:244])
        header = int(whole[184:192])
        size = (len(whole) - header) // records
        whole = whole[:236] + b"-1      " + whole[244:]
        cuts = sorted(random.sample(range(len(whole)), 30))
        for cut in [0, 1, 255, 256, header - 1, header, header + 1,
                    header + size] + cuts:
            (self.folder / "cut").write_bytes(whole[:cut])
            result = self.run_program("--output=out", "cut")
            if cut < header:
                self.assertEqual(result.returncode, 2, cut)
                self.assertFalse((self.folder / "out").exists())
                continue
            self.assertEqual(result.returncode, 0, result.stderr)
            n = (cut - header) // size
            out = (self.folder / "out").read_bytes()
            self.assertEqual(out, whole[:236] + b"%-8d" % n
                             + whole[244:header + n * size])
            self.assertEqual((self.folder / "cut").read_bytes(), whole[:cut])
            (self.folder / "out").unlink()
        self.succeed("--in-place", "cut")
        self.assertEqual((self.folder / "cut").read_bytes(), out)
        self.assertEqual([path for path in self.folder.glob("*.??????")
                          if path.name.startswith(("cut.", "out."))], [])

    @unittest.skipUnless(shutil.which("zstd"), "no zstd")
    def test_cut_zstd(self):
        whole = (self.folder / "seek.zst").read_bytes()
        self.succeed("--output=again.zst", "seek.zst")
        self.assertEqual((self.folder / "again.zst").read_bytes(), whole)
        content = (self.folder / "one.bdf").read_bytes()
        for cut in sorted(random.sample(range(20000, len(whole)), 12)):
            (self.folder / "cut").write_bytes(whole[:cut])
            self.succeed("--output=out", "cut")
            out = (self.folder / "out").read_bytes()
            got = subprocess.run(["zstd", "-dc", "out"], cwd=self.folder,
                                 capture_output=True, check=True).stdout
            self.assertEqual(got, content[:len(got)])
            self.assertGreater(len(got), 0)
            # entries add up
            n = int.from_bytes(out[-9:-5], "little")
            table = out[-9 - 12 * n:-9]
            sizes = [int.from_bytes(table[i:i + 4], "little")
                     for i in range(0, len(table), 12)]
            contents = [int.from_bytes(table[i + 4:i + 8], "little")
                        for i in range(0, len(table), 12)]
            self.assertEqual(sum(sizes), len(out) - len(table) - 17)
            self.assertEqual(sum(contents), len(got))
            (self.folder / "out").unlink()

    def test_bad_input(self):
        (self.folder / "empty").write_bytes(b"")
        (self.folder / "noise").write_bytes(random.randbytes(5000))
        (self.folder / "folder").mkdir()
        os.mkfifo(self.folder / "pipe")
        for name in ("empty", "noise", "folder", "pipe", "nothing", "key"):
            for args in (["--verify"], ["--join", "--output=x"],
                         ["--output=x"]):
                result = self.run_program(*args, name)
                if (name, args[0]) in (("noise", "--join"), ("key", "--join")):
                    # bytes are bytes
                    self.assertEqual(result.returncode, 0, result.stderr)
                    (self.folder / "x").unlink()
                    continue
                self.assertIn(result.returncode, (1, 2), (name, args))
                self.assertIn(name, result.stderr)
                self.assertFalse((self.folder / "x").exists())
        for args in ([], ["--verify"], ["--join", "one.bdf"], ["one.bdf"],
                     ["--output=x", "a", "b"], ["--no-such-option"],
                     ["--output=x", "--in-place", "a"]):
            self.assertEqual(self.run_program(*args).returncode, 2, args)
        result = self.run_program("--output=no/such/folder", "one.bdf")
        self.assertEqual(result.returncode, 2)

    def test_random_damage(self):
        """No crash, whatever is changed."""
        for name in ("a-001.bdf", "d-001.zst", "c-001.bdf.zst.tink",
                     "e-001.eegpack"):
            good = (self.folder / name).read_bytes()
            for _ in range(8):
                data = bytearray(good)
                for _ in range(random.randrange(1, 20)):
                    data[random.randrange(min(len(data), 2000))] = \
                        random.randrange(256)
                (self.folder / "bad").write_bytes(data)
                for args in (["--verify"], ["--join", "--output=x"],
                             ["--output=x"]):
                    result = self.run_program("--key-file=key",
                                              "--segment-size=4096", *args,
                                              "bad")
                    self.assertIn(result.returncode, (0, 1, 2), (name, args))
                    (self.folder / "x").unlink(missing_ok=True)


if __name__ == "__main__":
    seed = int(os.environ.get("GSTEEG_TEST_SEED", random.randrange(1000000)))
    print("seed", seed)
    random.seed(seed)
    unittest.main()
