#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every C file stands as .clang-format formats it, which leaves comments alone:
# those have no more than 80 columns. With --fix: formats the files.
set -euo pipefail

cd "$(dirname "$0")/.."

wanted=14
tool=
for name in "clang-format-$wanted" clang-format; do
    if "$name" --version 2>/dev/null | grep -q "version $wanted\."; then
        tool=$name
        break
    fi
done
if [ -z "$tool" ]; then
    # Other versions format differently.
    echo "skipped: clang-format $wanted is not installed"
    exit 77
fi

mapfile -d '' -t sources < <(find gst elements tests examples -type f \
    \( -name '*.c' -o -name '*.h' \) -print0 | sort -z)
if [ "${#sources[@]}" -eq 0 ]; then
    echo "no C files found in $PWD"
    exit 1
fi

if [ "${1-}" = --fix ]; then
    exec "$tool" -i "${sources[@]}"
fi

failed=0
for source in "${sources[@]}"; do
    if ! "$tool" --dry-run --Werror "$source" 2>/dev/null; then
        echo "not formatted: $source"
        failed=1
    fi
done
long=$(awk 'length($0) > 80 && /^ *(\/\*|\*)/ {
    print FILENAME ":" FNR ": more than 80 columns"
}' "${sources[@]}")
if [ -n "$long" ]; then
    echo "$long"
    exit 1
fi
if [ "$failed" -ne 0 ]; then
    echo "run tests/check-format.sh --fix"
    exit 1
fi
echo "${#sources[@]} files stand as .clang-format wants them"
