#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs what is missing, builds, and runs the tests.
#
# usage: tests/run.sh [meson test arguments]
#   BUILD_DIR=DIR     where to build, default build/
#   MESON_OPTIONS=..  more arguments for meson setup
#
# The last line is "N passed, N failed, N skipped".
set -u

source_dir=$(cd "$(dirname "$0")/.." && pwd)
build_dir=${BUILD_DIR:-$source_dir/build}
cd "$source_dir" || exit 1

# What the build needs, what the plugins need, and the independent tools that
# the tests compare with.
packages=(
    gcc meson ninja-build pkg-config
    libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev
    gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good
    liborc-0.4-dev libjson-glib-dev
    libzstd-dev liblz4-dev libbrotli-dev zlib1g-dev libdeflate-dev
    libsodium-dev libssl-dev librust-blake3-dev
    gobject-introspection libgirepository1.0-dev gir1.2-gstreamer-1.0
    python3 python3-gi python3-numpy python3-scipy python3-mne
    python3-cryptography python3-matplotlib
    zstd lz4 brotli gzip pigz b3sum age openssl coreutils
    libedf-dev flac wavpack xz-utils
    valgrind clang clang-format libclang-rt-dev
)

install_packages () {
    local missing=() package sudo=

    if ! command -v dpkg-query >/dev/null 2>&1; then
        echo "Not a Debian system. The packages are called there:"
        printf '  %s\n' "${packages[@]}"
        return 0
    fi
    for package in "${packages[@]}"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null \
            | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    if [ "$(id -u)" -ne 0 ]; then
        if command -v sudo >/dev/null 2>&1; then
            sudo=sudo
        else
            echo "Missing packages, and no right to install them:"
            printf '  %s\n' "${missing[@]}"
            return 0
        fi
    fi
    echo "Installing: ${missing[*]}"
    $sudo apt-get update -q >/dev/null || return 1
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -q \
        --no-install-recommends "${missing[@]}" >/dev/null
}

if [ "${RUN_INSTALL_ONLY:-}" = 1 ]; then
    install_packages
    exit
fi
install_packages || { echo "Could not install all packages." >&2; exit 1; }

if [ ! -f "$build_dir/build.ninja" ]; then
    # shellcheck disable=SC2086
    meson setup "$build_dir" "$source_dir" ${MESON_OPTIONS:-} || exit 1
fi
ninja -C "$build_dir" || exit 1

if [ $# -eq 0 ]; then
    set -- --no-suite long
fi
meson test -C "$build_dir" --no-rebuild --print-errorlogs "$@"
status=$?

# One JSON object a line and test; a skipped test says why in its output.
python=$(command -v python3)
"$python" - "$build_dir/meson-logs/testlog.json" "$status" <<'EOF'
import json
import sys

counts = {"passed": 0, "failed": 0, "skipped": 0}
kinds = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}
with open(sys.argv[1]) as log:
    for line in log:
        test = json.loads(line)
        kind = kinds.get(test["result"], "failed")
        counts[kind] += 1
        if kind == "skipped":
            output = (test.get("stdout") or "") + (test.get("stderr") or "")
            lines = [text for text in output.splitlines() if text.strip()]
            reason = lines[-1] if lines else "no reason given"
            print(f"skipped: {test['name']}: {reason}")
        elif kind == "failed":
            print(f"failed: {test['name']}: {test['result']}")
failed = counts["failed"]
if failed == 0 and int(sys.argv[2]) != 0:
    failed = 1
print(f"{counts['passed']} passed, {failed} failed, "
      f"{counts['skipped']} skipped")
sys.exit(1 if failed else 0)
EOF
