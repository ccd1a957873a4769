#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs what is missing, builds, and records EEG through every stage into a
# compressed, encrypted and verifiable file; then reads it back and compares.
#
# usage: examples/record-demo.sh [--eegpack] [recording.edf|bdf]
#   --eegpack      code the counts with eegpackenc, instead of filtered samples in
#                  BDF with zstd
#   BUILD_DIR=DIR  where to build, default build/
#   DEMO_DIR=DIR   where the files go, default build/record-demo/
#
# Without a recording it makes 64 channels of synthetic EEG.
set -u

coder=
if [ "${1-}" = --eegpack ]; then
    coder=--eegpack
    shift
fi
recording=${1-}
if [ -n "$recording" ]; then
    if [ $# -gt 1 ] || [ ! -r "$recording" ]; then
        echo "usage: $0 [--eegpack] [recording.edf|bdf]" >&2
        [ $# -gt 1 ] || echo "$recording cannot be read" >&2
        exit 2
    fi
    recording=$(realpath "$recording")
fi

# shellcheck source=tests/setup.sh
. "$(dirname "$0")/../tests/setup.sh"
demo_dir=${DEMO_DIR:-$build_dir/record-demo}

install_packages "${build_packages[@]}" "${demo_packages[@]}" \
    || { echo "Could not install all packages." >&2; exit 1; }
build || exit 1

mkdir -p "$demo_dir" && cd "$demo_dir" || exit 1
export GST_PLUGIN_PATH_1_0=$build_dir/elements
export GST_REGISTRY_1_0=$demo_dir/registry.bin
rm -f recording.* key

# The key: 32 random bytes that only its owner can read.
(umask 077 && head -c 32 /dev/urandom >key)

name=recording.bdf.zst.tink
[ -z "$coder" ] || name=recording.eegpack.tink
"$build_dir/examples/eeg-record" --key-file=key $coder --output=$name \
    ${recording:+"$recording"} || exit 1

echo
if command -v b3sum >/dev/null 2>&1; then
    echo "b3sum -c $name.b3"
    b3sum -c $name.b3 || exit 1
else
    echo "b3sum is not installed; blake3sum has checked the sum"
fi

# The plain container, for every program that reads BDF. Of several rates, the
# recording has one.
if [ -n "$coder" ]; then
    set -- ! eegpackdec ! edfmux format=bdf
else
    set -- ! zstddec
fi
gst-launch-1.0 -q filesrc location=$name ! blake3sum check-file=$name.b3 \
    ! aesgcmdec key-file=key "$@" ! filesink location=recording.bdf || exit 1

# Debian's Python first: its packages are not seen by others on PATH.
drawn=no
for python in /usr/bin/python3 python3; do
    if "$python" -c 'import matplotlib, mne' >/dev/null 2>&1; then
        "$python" "$source_dir/examples/plot-recording.py" recording.bdf \
            recording.png || exit 1
        drawn=yes
        break
    fi
done
if [ "$drawn" = no ]; then
    echo "no picture: Python has no mne and matplotlib"
fi

echo
echo "In $demo_dir:"
ls -l key recording.*
