#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What tests/run.sh and examples/record-demo.sh have in common: packages and
# the build. To be sourced.
#   BUILD_DIR=DIR     where to build, default build/
#   MESON_OPTIONS=..  more arguments for meson setup

source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build_dir=${BUILD_DIR:-$source_dir/build}

# What the library, the plugins and the examples need.
build_packages=(
    gcc libc6-dev meson ninja-build pkg-config
    libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev
    gstreamer1.0-tools gstreamer1.0-plugins-base
    liborc-0.4-dev libjson-glib-dev
    libzstd-dev liblz4-dev libbrotli-dev zlib1g-dev libdeflate-dev
    libsodium-dev libssl-dev librust-blake3-dev
)
# What the demonstration checks and draws with.
demo_packages=(zstd b3sum python3-mne python3-matplotlib)
# The independent tools that the tests compare with.
test_packages=(
    git gstreamer1.0-plugins-good
    gobject-introspection libgirepository1.0-dev gir1.2-gstreamer-1.0
    python3 python3-gi python3-numpy python3-scipy python3-cryptography
    lz4 brotli gzip pigz age openssl coreutils procps
    libedf-dev flac wavpack xz-utils
    valgrind clang clang-format libclang-rt-dev
)

# install_packages NAME...: installs those that are missing. Elsewhere than on
# Debian and Ubuntu, or without the right to do so, it lists them and goes on.
install_packages () {
    local missing=() package sudo=()

    if ! command -v apt-get >/dev/null 2>&1; then
        echo "Not a Debian system; if the build fails, install what Debian" \
            "calls:"
        printf '  %s\n' "$@"
        return 0
    fi
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null \
            | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null 2>&1; then
            echo "Not root and no sudo; if the build fails, install:"
            printf '  %s\n' "${missing[@]}"
            return 0
        fi
        sudo=(sudo)
    fi
    echo "Installing: ${missing[*]}"
    "${sudo[@]}" apt-get update -q >/dev/null </dev/null || return 1
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
        --no-install-recommends "${missing[@]}" >/dev/null </dev/null
}

# Configures once and builds; shows the log only when it fails.
build () {
    local log

    if [ ! -f "$build_dir/build.ninja" ]; then
        # shellcheck disable=SC2086
        log=$(meson setup "$build_dir" "$source_dir" ${MESON_OPTIONS:-} 2>&1) \
            || { printf '%s\n' "$log"; return 1; }
    fi
    echo "Building in $build_dir"
    log=$(ninja -C "$build_dir" "$@" 2>&1) \
        || { printf '%s\n' "$log"; return 1; }
}
