#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs what is missing, builds, and runs the tests.
#
# usage: tests/run.sh [meson test arguments]
#   BUILD_DIR=DIR       where to build, default build/
#   MESON_OPTIONS=..    more arguments for meson setup
#   RUN_INSTALL_ONLY=1  only installs
#
# The last line is "N passed, N failed, N skipped".
set -u

# shellcheck source=tests/setup.sh
. "$(dirname "$0")/setup.sh"
cd "$source_dir" || exit 1

install_packages "${build_packages[@]}" "${demo_packages[@]}" \
    "${test_packages[@]}" \
    || { echo "Could not install all packages." >&2; exit 1; }
[ "${RUN_INSTALL_ONLY:-}" != 1 ] || exit 0
build || exit 1

if [ $# -eq 0 ]; then
    set -- --no-suite long
fi
meson test -C "$build_dir" --no-rebuild --print-errorlogs "$@"
status=$?

# One JSON object a line and test; a skipped test says why in its output.
python=$(command -v python3)
"$python" - "$build_dir/meson-logs/testlog.json" "$status" \
    "$build_dir/meson-logs/testlog.txt" <<'EOF'
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
            print(f"failed: {test['name']}: {test['result']}, "
                  f"see {sys.argv[3]}")
failed = counts["failed"]
if failed == 0 and int(sys.argv[2]) != 0:
    failed = 1
print(f"{counts['passed']} passed, {failed} failed, "
      f"{counts['skipped']} skipped")
sys.exit(1 if failed else 0)
EOF
