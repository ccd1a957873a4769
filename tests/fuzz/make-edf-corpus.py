#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the seed files of the EDF fuzz target into the folder given."""
import pathlib
import sys


def signal(label, n, pmin="-100", pmax="100", dmin="-1000", dmax="1000"):
    return (label, "", "uV", pmin, pmax, dmin, dmax, "", str(n), "")


def header(signals, records, duration="1", reserved="EDF+C", bdf=False,
           recording="Startdate 02-MAR-2031 X X X"):
    widths = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
    first = [b"\xffBIOSEMI" if bdf else b"0".ljust(8)]
    for text, width in (("X X X X", 80), (recording, 80), ("02.03.31", 8),
                        ("04.05.06", 8), (str(256 * (len(signals) + 1)), 8),
                        (reserved, 44), (str(records), 8), (duration, 8),
                        (str(len(signals)), 4)):
        first.append(text.encode().ljust(width))
    for i, width in enumerate(widths):
        first.extend(s[i].encode().ljust(width) for s in signals)
    return b"".join(first)


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)

    tal = b"+0.25\x14\x14\0+1.5\x152\x14one\x14two\x14\0-1\x14\xb5\x14\0"
    tal2 = b"+9.25\x14\x14\0+10\x14cut"
    plus = [signal("EEG Cz", 4), signal("EDF Annotations", 20),
            signal("Temp", 1)]
    body = (bytes(range(8)) + tal.ljust(40, b"\0") + b"\x01\x80"
            + bytes(8) + tal2.ljust(40, b"\0") + b"\xff\x7f")
    (out / "edf-plus.edf").write_bytes(header(plus, 2) + body)
    (out / "edf-plus-d.edf").write_bytes(
        header(plus, -1, "0.5", "EDF+D") + body[:-3])
    (out / "plain.edf").write_bytes(
        header([signal("Cz", 128), signal("Pz", 1000)], 1, "10", "",
               recording="13-JUL-2000") + bytes(2256))
    status = b"".join((v & 0xffffff).to_bytes(3, "little")
                      for v in (0, 1, 3, 2, 65536, 65535, 0, -1))
    (out / "biosemi.bdf").write_bytes(
        header([signal("A1", 4, "-262144", "262143", "-8388608", "8388607"),
                signal("Status", 8, "-8388608", "8388607", "-8388608",
                       "8388607")], 1, "9.59375", "24BIT", True)
        + bytes(12) + status)
    (out / "annotations-only.bdf").write_bytes(
        header([signal("BDF Annotations", 5)], 1, "0", "BDF+C", True)
        + b"+0\x14\x14\0+1\x14x\x14\0".ljust(15, b"\0"))
    (out / "lies.edf").write_bytes(
        header([signal("A", "99999999", dmin="5", dmax="5")], "1e9", "-1"))


main()
