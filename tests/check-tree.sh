#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Checks that the tree keeps its layout: top-level names, licence lines, run
# bits, elements that stay apart, no white space at line ends.
set -u
cd "$(dirname "$0")/.." || exit 1

failures=0
complain () {
    echo "check-tree: $1"
    failures=$((failures + 1))
}

if ! git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    echo "check-tree: not a git checkout, nothing to list"
    exit 77
fi

while read -r name; do
    case "$name" in
        .*|gst|elements|tests|examples|docs) ;;
        meson.build|meson_options.txt|README.md|LICENSE) ;;
        *) complain "unexpected at the top level: $name" ;;
    esac
done < <(git ls-files | sed 's,/.*,,' | sort -u)

while read -r file; do
    [ -f "$file" ] || continue
    head -n 3 "$file" | grep -q 'SPDX-License-Identifier: ' \
        || complain "no licence line: $file"
done < <(git ls-files '*.c' '*.h' '*.S' '*.py' '*.sh' '*meson.build' .ci/run)

while read -r file; do
    [ -x "$file" ] || complain "no run bit: $file"
done < <(git ls-files '*.sh' .ci/run)

while IFS=: read -r file line _; do
    complain "white space at the end of a line: $file:$line"
done < <(git grep -nIE '[[:space:]]+$' -- '*.c' '*.h' '*.py' '*.sh' \
    '*meson.build')

# One element folder never includes another's; formats and kernels know no
# GObject.
while IFS=: read -r file line text; do
    complain "includes another folder: $file:$line: $text"
done < <(git grep -nE '#include "\.\./' -- elements gst)
while IFS=: read -r file line text; do
    complain "GLib in a format or kernel: $file:$line: $text"
done < <(git grep -nE '#include <(glib|gst|gio|gobject)' -- \
    gst/eeg/formats gst/eeg/kernels)

[ "$failures" -eq 0 ] || exit 1
echo "check-tree: the tree is in order"
