#!/bin/sh
# tests/mutants.sh [--jobs N] [--filter RE]: puts each fault of mutants.txt into a copy of the library, by itself, builds, and
# runs the tests until one of them fails. A fault that no test notices has survived: the tests have a gap. Works in
# build/mutants; the user's files are left alone. Called by tests/run.sh --mutants, which installs what is needed.
set -eu
cd "$(dirname "$0")/.."

jobs=$(nproc) filter=.
while [ $# -gt 0 ]; do
    case $1 in
    --jobs) jobs=$2; shift ;;
    --filter) filter=$2; shift ;;
    esac
    shift
done

top=$PWD/build/mutants
tree=$top/tree build=$top/build
rm -rf "$tree"
mkdir -p "$tree"
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$tree" --

# The faults, one a line: file, sentence, piece, replacement, with tabs between them.
awk -v filter="$filter" '
    /^#/ || NF == 0 { next }
    /^- / { piece = substr($0, 3); next }
    /^\+ / { if ((file ": " what) ~ filter) print file "\t" what "\t" piece "\t" substr($0, 3); next }
    { file = $1; sub(/:$/, "", file); what = $0; sub(/^[^ ]* /, "", what) }
' tests/mutants.txt >"$top/list"

# Writes FILE of the tree with the piece replaced; fails unless the piece is there exactly once.
apply() # FILE PIECE REPLACEMENT
{
    piece=$2 new=$3 awk '
        BEGIN { piece = ENVIRON["piece"]; new = ENVIRON["new"] }
        (at = index($0, piece)) { found++; $0 = substr($0, 1, at - 1) new substr($0, at + length(piece)) }
        { print }
        END { exit found != 1 }' "$1" >"$tree/$1"
}

compile()
{
    cmake --build "$build" --parallel "$jobs" -- --quiet >"$top/compile.log" 2>&1
}

# The first test that fails, or nothing. Programs that look inside come first: they are quick.
run_tests()
{
    GTEST_FAIL_FAST=1 ctest --test-dir "$build" -L gtest --stop-on-failure --timeout 40 --parallel "$jobs" \
        --output-on-failure >"$top/tests.log" 2>&1 && return
    sed -n 's/^\[  FAILED  \] \([^ ,]*\).*/\1/p; s/^\([^ ]*\) hangs$/\1 (hangs)/p' "$top/tests.log" | head -n 1 | grep . ||
        sed -n 's/^\[ RUN      \] \([^ ]*\).*/\1 (ends the program)/p' "$top/tests.log" | tail -n 1 | grep . ||
        echo "(a program ends)"
}

echo "== mutants: build"
cmake --preset dev -S "$tree" -B "$build" -DHOYA_WERROR=OFF -DHOYA_BUILD_DEMOS=OFF >"$top/configure.log" 2>&1 ||
    { cat "$top/configure.log"; exit 1; }
compile || { cat "$top/compile.log"; exit 1; }
red=$(run_tests)
[ -z "$red" ] || { cat "$top/tests.log"; echo "without a fault $red fails already"; exit 1; }

echo "== mutants: $(wc -l <"$top/list") faults"
found=0 count=0 bad=0
while IFS="$(printf '\t')" read -r file what piece new; do
    count=$((count + 1))
    if ! apply "$file" "$piece" "$new"; then
        verdict="NOT APPLIED: this piece is not there exactly once: $piece"
    elif ! compile; then
        verdict="DOES NOT COMPILE"
        cat "$top/compile.log"
    else
        verdict=$(run_tests)
        if [ -n "$verdict" ]; then found=$((found + 1)); else verdict=SURVIVED; fi
    fi
    cp "$file" "$tree/$file"
    printf '%-28s %-70s %s\n' "${file##*/}" "$what" "$verdict"
done <"$top/list"
[ $found = $count ] && [ $count -gt 0 ] || bad=1
echo "$found of $count mutants found"
exit $bad
