#!/bin/sh
# format.sh [--fix]: names the sources that are not formatted as .clang-format says; --fix formats them.
set -eu
cd "$(dirname "$0")/../.."
command -v clang-format >/dev/null || { echo "skipped: there is no clang-format"; exit 0; }

bad=0
for file in $(find adapters bench core demos docs/examples tests -type f \( -name '*.[ch]' -o -name '*.cc' -o -name '*.hpp' \) | sort); do
    if [ "${1:-}" = --fix ]; then
        clang-format -i "$file"
    elif ! clang-format --dry-run -Werror "$file" 2>/dev/null; then
        echo "$file"
        bad=1
    fi
done
[ $bad = 0 ] || echo "These are not formatted; tests/build/format.sh --fix does it."
exit $bad
