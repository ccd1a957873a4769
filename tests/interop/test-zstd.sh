#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# zstdenc's output through the zstd tool, and files of the zstd tool, at all its
# levels, through zstddec.
set -euo pipefail

command -v zstd >/dev/null || { echo "skipped: no zstd tool"; exit 77; }
gst-inspect-1.0 zstdenc >/dev/null 2>&1 || { echo "skipped: no zstdenc"; exit 77; }

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

# noise, text, zeros: 1.5 MB; and the sizes around the borders
{
    openssl enc -aes-128-ctr -K 00 -iv 00 -nosalt </dev/zero 2>/dev/null |
        head -c 500000 || true
    seq 1 80000
    head -c 500000 /dev/zero
} >big
: >empty
printf x >one
head -c 262144 big >chunk
head -c 262145 big >chunk1

fails=0
same() {
    cmp -s "$1" "$2" || { echo "FAIL: $3"; fails=$((fails + 1)); }
}
run() {
    gst-launch-1.0 -q "$@" || { echo "FAIL: $*"; fails=$((fails + 1)); }
}

for f in big empty one chunk chunk1; do
    for options in "threads=1" "threads=2 level=1 chunk-size=1024" \
        "threads=3 seek-table=true level=-5" "level=19 chunk-size=1000000"; do
        # shellcheck disable=SC2086
        run filesrc location=$f blocksize=5000 ! zstdenc $options ! \
            filesink location=ours.zst
        zstd -q -t ours.zst || fails=$((fails + 1))
        zstd -q -dc ours.zst >back
        same $f back "$f $options: zstd -d"
        run filesrc location=ours.zst ! zstddec ! filesink location=back2
        same $f back2 "$f $options: zstddec"
    done
done
run filesrc location=big ! zstdenc seek-table=true ! filesink location=ours.zst
zstd -lv ours.zst 2>&1 | grep -q -i skippable.*1 ||
    zstd -l ours.zst 2>&1 | grep -q ' 1 ' ||
    { echo "FAIL: seek table not seen"; fails=$((fails + 1)); }

for level in $(seq 1 19) "-ultra -20" "-ultra -21" "-ultra -22" \
    "-fast=1" "-fast=5" "-fast=100" "-adapt" "T2"; do
    options=-$level
    # shellcheck disable=SC2086
    zstd -q $options -c big >foreign.zst
    run filesrc location=foreign.zst ! zstddec ! filesink location=back
    same big back "zstd $options"
done
zstd -q --no-check -c <big >foreign.zst # no content size either
zstd -q -c one >>foreign.zst
run filesrc location=foreign.zst ! zstddec ! filesink location=back
cat big one >both
same both back "unknown size, concatenated"

zstd -q --long=27 -c big >foreign.zst
run filesrc location=foreign.zst ! zstddec ! filesink location=back
same big back "window of 2^27"

[ "$fails" -eq 0 ]
