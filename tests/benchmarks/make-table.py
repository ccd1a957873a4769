#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs benchmarks and writes their rows as a table into docs/benchmarks.md.

usage: make-table.py BUILD_DIR [NAME[=ARGUMENT,...]...]

Without names, all programs of BUILD_DIR/tests/benchmarks run and the table is
made anew; with names, the rows of these programs take the place of their old
ones. Where a program is given arguments, to measure some rows only, its other
rows stay. What the programs print goes to the standard output as it is.
"""

import json
import os
import pathlib
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[2]
PAGE = SOURCE / "docs" / "benchmarks.md"
BEGIN = "<!-- made by tests/benchmarks/make-table.py -->"
HEAD = ("| program | what | data | threads | against | figure | target |",
        "|---|---|---|---|---|---|---|")


def run(build, name, arguments):
    env = dict(os.environ)
    env["GST_PLUGIN_PATH_1_0"] = str(build / "elements")
    env["LD_LIBRARY_PATH"] = str(build / "gst" / "eeg")
    done = subprocess.run([build / "tests" / "benchmarks" / f"bench-{name}",
                           *arguments],
                          env=env, stdout=subprocess.PIPE, text=True,
                          check=False)
    sys.stdout.write(done.stdout)
    rows = []
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            rows.append(format_row(name, json.loads(line)))
    if not rows:
        sys.exit(f"bench-{name} printed no row (exit status {done.returncode})")
    return rows


def format_number(value):
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def format_row(program, row):
    unit = row.get("unit")
    figure = format_number(row["ratio"]) + (f" {unit}" if unit else " x")
    target = "none"
    if row["target"]:
        target = f"{row['direction']} {format_number(row['target'])}"
        if not row["reached"]:
            target += ", **missed**"
    cells = [program, row["name"], f"{row['data']}, {row['packing']}",
             str(row["threads"] or "automatic"), row["backend"], figure, target]
    return "| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |"


def what(line):
    """The row's name and data: what tells it apart."""
    return tuple(line.split("|")[2:5])


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    build = pathlib.Path(sys.argv[1]).resolve()
    programs = sorted(p.name[len("bench-"):]
                      for p in (build / "tests" / "benchmarks").glob("bench-*")
                      if p.is_file() and os.access(p, os.X_OK))
    chosen = sys.argv[2:] or programs
    intro, _, old = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    rows = {}
    for line in old.splitlines():
        program = line.split("|")[1].strip() if line.startswith("| ") else ""
        if program in programs:
            rows.setdefault(program, []).append(line)
    for choice in chosen:
        name, _, arguments = choice.partition("=")
        measured = run(build, name, arguments.split(",") if arguments else [])
        if arguments:
            by_what = {what(line): line for line in rows.get(name, [])}
            by_what.update((what(line), line) for line in measured)
            measured = list(by_what.values())
        rows[name] = measured
    table = [line for name in sorted(rows) for line in rows[name]]
    PAGE.write_text(intro.rstrip() + "\n\n" + "\n".join((BEGIN, "") + HEAD)
                    + "\n" + "\n".join(table) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
