#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Sidecars against b3sum, sha256sum and sha512sum, both ways, with names that
# need escapes.
set -u

for tool in gst-launch-1.0 b3sum sha256sum sha512sum; do
    command -v "$tool" >/dev/null || { echo "skipped: no $tool"; exit 77; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failures=0
fail () {
    echo "FAILED: $1"
    failures=$((failures + 1))
}

# 3 MB that no tool made: a counter in decimal digits
seq 1 420000 >data
names=(plain.edf "two words.edf" $'line\nbreak.edf' 'back\slash.edf')

for kind in blake3sum:b3sum sha256sum sha512sum; do
    element=${kind%%:*}
    tool=${kind##*:}
    for name in "${names[@]}"; do
        cp data "$name"
        escaped=${name//\\/\\\\}
        gst-launch-1.0 -q filesrc location=data \
            ! "$element" location=ours.sum listed-name="\"$escaped\"" \
            ! fakesink >log 2>&1 || fail "$element: $(cat log)"
        "$tool" "$name" >theirs.sum
        cmp -s ours.sum theirs.sum \
            || fail "$element writes $(cat ours.sum), $tool $(cat theirs.sum)"
        "$tool" -c ours.sum >log 2>&1 || fail "$tool -c: $(cat log)"
        gst-launch-1.0 -q filesrc location="data" \
            ! "$element" check-file=theirs.sum listed-name="\"$escaped\"" \
            ! fakesink >log 2>&1 || fail "$element check: $(cat log)"
        # one other byte anywhere is noticed
        (cat data; echo) >other
        # gst-launch-1.0 1.22 may wait for ever after an error
        timeout 20 gst-launch-1.0 -q filesrc location=other \
            ! "$element" check-file=theirs.sum listed-name="\"$escaped\"" \
            ! fakesink >log 2>&1
        grep -q 'Checksum mismatch' log || fail "$element took another file"
    done
done
[ "$failures" -eq 0 ] || exit 1
echo "3 checksums, ${#names[@]} names each way"
