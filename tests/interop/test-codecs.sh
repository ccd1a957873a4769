#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# gzip, LZ4 and brotli: our output through the standard tools, and the tools'
# files, at all their levels, through our decoders. Argument: the codec.
set -euo pipefail

codec=$1
case $codec in
gzip) tool=gzip levels=$(seq 1 9) ours="level=1 level=6 level=12" ext=gz ;;
lz4) tool=lz4 levels="$(seq 1 12) -fast=1 -fast=3 -fast=20" ours="level=-5 level=0 level=9" ext=lz4 ;;
brotli) tool=brotli levels=$(seq 0 11) ours="quality=0 quality=5 quality=9" ext=br ;;
esac
command -v $tool >/dev/null || { echo "skipped: no $tool tool"; exit 77; }
gst-inspect-1.0 "${codec}enc" >/dev/null 2>&1 ||
    { echo "skipped: no ${codec}enc"; exit 77; }

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

# noise, text, zeros: 0.6 MB; and the sizes around the borders
{
    head -c 200000 /dev/urandom
    seq 1 40000
    head -c 200000 /dev/zero
} >big
: >empty
printf x >one
head -c 65536 big >chunk
head -c 65537 big >chunk1

fails=0
same() {
    cmp -s "$1" "$2" || { echo "FAIL: $3"; fails=$((fails + 1)); }
}
run() {
    gst-launch-1.0 -q "$@" || { echo "FAIL: $*"; fails=$((fails + 1)); }
}

for f in big empty one chunk chunk1; do
    for option in $ours; do
        for more in "threads=1 chunk-size=65536" "threads=3 chunk-size=5000"; do
            # shellcheck disable=SC2086
            run filesrc location=$f blocksize=5000 ! "${codec}enc" $option \
                $more ! filesink location=ours.$ext
            $tool -t ours.$ext 2>/dev/null ||
                { echo "FAIL: $tool -t"; fails=$((fails + 1)); }
            $tool -dc ours.$ext >back 2>/dev/null || true
            same $f back "$f $option $more: $tool -d"
            run filesrc location=ours.$ext ! "${codec}dec" ! \
                filesink location=back2
            same $f back2 "$f $option $more: ${codec}dec"
        done
    done
done
if [ "$codec" = gzip ] && command -v pigz >/dev/null; then
    pigz -dc ours.gz >back
    same chunk1 back "pigz -d"
    for level in $(seq 0 9) 11; do
        pigz "-$level" -p 2 -c big >foreign.gz
        run filesrc location=foreign.gz ! gzipdec ! filesink location=back
        same big back "pigz -$level"
    done
fi

for level in $levels; do
    case $codec in
    brotli) $tool -q "$level" -c big >foreign.$ext ;;
    *) $tool "-$level" -c big >foreign.$ext 2>/dev/null ;;
    esac
    run filesrc location=foreign.$ext ! "${codec}dec" ! filesink location=back
    same big back "$tool -$level"
done
if [ "$codec" != brotli ]; then
    $tool -c one >>foreign.$ext 2>/dev/null
    run filesrc location=foreign.$ext ! "${codec}dec" ! filesink location=back
    cat big one >both
    same both back "concatenated"
fi
if [ "$codec" = lz4 ]; then
    $tool -BD --content-size -BX -B4 -c big >foreign.lz4 2>/dev/null
    run filesrc location=foreign.lz4 ! lz4dec ! filesink location=back
    same big back "linked blocks, block checksums, content size"
fi

[ "$fails" -eq 0 ]
