#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What gst-typefind-1.0 says about files that the standard tools made, and
# about files that only look a little like them.
set -u

for tool in gst-typefind-1.0 zstd lz4 age age-keygen gzip; do
    command -v "$tool" >/dev/null || { echo "skipped: no $tool"; exit 77; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failures=0

# expect FILE TYPE; an empty type stands for anything that is not ours
expect () {
    local found
    found=$(gst-typefind-1.0 "$1" 2>/dev/null | sed -n 's/^.* - //p')
    case "$2" in
        "") case "$found" in
                application/x-edf*|application/x-bdf*|application/x-zstd*|\
                application/x-lz4*|application/x-age*|\
                application/x-eegpack*) ;;
                *) return ;;
            esac ;;
        *) case "$found" in "$2"|"$2",*) return ;; esac ;;
    esac
    echo "FAILED: $1 is '$found', not '$2'"
    failures=$((failures + 1))
}

# a header of $1 signals whose magic is $2; the fields are EDF's
header () {
    printf '%s%-80s%-80s%s%s%-8s%-44s%-8s%-8s%-4s' "$2" "X X X X" \
        "Startdate X X X X" 01.01.24 10.00.00 $((256 * ($1 + 1))) "" -1 1 "$1"
    printf "%-$((256 * $1))s" "EEG Fp1"
}
header 2 "0       " >night.dat
expect night.dat application/x-edf
header 1 $'\xffBIOSEMI' >biosemi.dat
expect biosemi.dat application/x-bdf
header 2 "0       " | sed 's/768     /769     /' >lying.dat
expect lying.dat ""
header 0 "0       " >empty.dat
expect empty.dat ""
printf '0       0       ' >short.dat
expect short.dat ""

seq 1 5000 >data
zstd -q data -o zstd.dat && expect zstd.dat application/x-zstd
lz4 -q data lz4.dat && expect lz4.dat application/x-lz4
# skippable frames belong to both
printf '\x50\x2a\x4d\x18\x03\x00\x00\x00abc' >skip
cat skip zstd.dat >skip-zstd.dat && expect skip-zstd.dat application/x-zstd
cat skip lz4.dat >skip-lz4.dat && expect skip-lz4.dat application/x-lz4
printf '\x50\x2a\x4d\x18\xff\xff\xff\xffabc' >skip-far.dat
expect skip-far.dat ""
gzip -c data >gzip.dat && expect gzip.dat application/x-gzip

age-keygen -o key 2>/dev/null
recipient=$(age-keygen -y key)
age -r "$recipient" -o age.dat data && expect age.dat application/x-age
age -a -r "$recipient" -o armor.dat data && expect armor.dat application/x-age
printf 'age-encryption.org/v2\n' >other-age.dat
expect other-age.dat ""

printf '\x89EEGPK\r\n\xb5EPH' >pack.dat
expect pack.dat application/x-eegpack
# as it comes out of a transfer as text
printf '\x89EEGPK\n\xb5EPH\0' >text-pack.dat
expect text-pack.dat ""

if [ -n "${GSTEEG_SHARED_DIR:-}" ]; then
    for file in "$GSTEEG_SHARED_DIR"/recordings/*.edf; do
        expect "$file" application/x-edf
    done
    for file in "$GSTEEG_SHARED_DIR"/recordings/*.bdf; do
        expect "$file" application/x-bdf
    done
fi
[ "$failures" -eq 0 ] || exit 1
echo "all types found"
