#!/bin/sh
# tests/run.sh: builds hoya and runs its tests, on nothing but a fresh Debian 12. See --help.
set -eu
cd "$(dirname "$0")/.."

usage()
{
    cat <<'END'
usage: tests/run.sh [option]...

Builds each preset in build/<preset>, runs its tests, and looks whether every required statement has a test.

  --preset NAME[,NAME...]        what to build and test (default: dev), or "all":
                                 dev release asan tsan clang-release clang-asan i386 musl aarch64
  --compile-only NAME[,NAME...]  presets to build and not to test; alone, no other preset is tested
  --jobs N                       how many compilers at a time, and twice as many tests (default: one a processor)
  --filter RE                    only the entries of ctest that match; `ctest --test-dir build/dev -N` lists them
  --gate                         leave out what .ci/run leaves out: under a sanitizer each variant that the other one has
  --mutants                      instead of testing: puts each fault of tests/mutants.txt into a copy of the library and
                                 looks whether a test notices; --filter RE: only those whose line matches
  --no-install                   do not install Debian packages that are missing
  --help                         this text

CC and CXX choose the compiler of a preset that does not name one. A single test:
  build/dev/tests/hoya-conformance-tests --gtest_filter=*CallSoon*
The last line is "N passed, N failed, N skipped". The exit status is 0 if nothing failed, no test was skipped that
tests/allowed-skips.txt does not name, and some test ran.
END
}

die()
{
    echo "tests/run.sh: $1" >&2
    exit 2
}

# ---- options -----------------------------------------------------------------------------------------------

known="dev release asan tsan clang-release clang-asan i386 musl aarch64"
presets= compile_only= jobs=$(nproc) filter= left_out= install=yes mutants=no

names() # LIST: the presets of a comma-separated list
{
    for name in $(echo "$1" | tr ',' ' '); do
        case " $known " in
        *" $name "*) echo "$name" ;;
        *) [ "$name" = all ] && echo "$known" || die "there is no preset \"$name\"; there are: $known, all" ;;
        esac
    done
}

while [ $# -gt 0 ]; do
    case $1 in
    --preset | --compile-only | --jobs | --filter) [ $# -ge 2 ] || die "$1 wants a value; --help lists the options" ;;
    esac
    case $1 in
    --preset) presets="$presets $(names "$2")"; shift ;;
    --compile-only)
        while [ $# -ge 2 ] && [ "${2#--}" = "$2" ]; do compile_only="$compile_only $(names "$2")"; shift; done ;;
    --jobs)
        case $2 in *[!0-9]* | 0 | '') die "--jobs wants a number, not \"$2\"" ;; esac
        jobs=$2; shift ;;
    --filter) filter=$2; shift ;;
    --gate) left_out="--label-exclude beyond-the-gate" ;;
    --mutants) mutants=yes ;;
    --no-install) install=no ;;
    --help) usage; exit 0 ;;
    *) die "unknown option \"$1\"; --help lists the options" ;;
    esac
    shift
done
[ -n "$presets$compile_only" ] || presets=dev

# ---- the machine -------------------------------------------------------------------------------------------

. tests/install.sh
packages="gcc g++ cmake ninja-build pkg-config libglib2.0-dev qtbase5-dev libuv1-dev libev-dev libst-dev libboost-dev libboost-context-dev libhiredis-dev googletest"
packages="$packages libncurses-dev ngircd socat" # demos/irc
case "$presets $compile_only" in *tsan* | *clang*) packages="$packages clang libclang-rt-14-dev" ;; esac
case "$presets $compile_only" in # tests/windows
*dev* | *release* | *asan*) packages="$packages libgtk-3-dev libgtk-4-dev librsvg2-common xvfb imagemagick fonts-dejavu-core"
    packages="$packages xdotool xclip" ;;
esac
case "$presets" in # tests/peers
*dev* | *release* | *i386*) packages="$packages nginx-light socat netcat-openbsd iproute2 redis-server" ;;
esac
case "$presets" in # tests/switch; Debian's gcc for aarch64 conflicts with gcc-multilib, and clang does not
*dev* | *release*)
    packages="$packages gdb valgrind clang binutils-aarch64-linux-gnu libgcc-12-dev-arm64-cross libc6-dev-arm64-cross"
    packages="$packages qemu-user-static" ;;
esac
case "$presets $compile_only" in *aarch64*)
    packages="$packages clang binutils-aarch64-linux-gnu libgcc-12-dev-arm64-cross libc6-dev-arm64-cross"
    packages="$packages libstdc++-12-dev-arm64-cross qemu-user-static" ;;
esac
case "$presets $compile_only" in *i386*) packages="$packages gcc-multilib g++-multilib" ;; esac
case "$presets $compile_only" in *musl*) packages="$packages musl-tools" ;; esac
[ $install = no ] || install_packages tests/run.sh $packages
ulimit -Sn "$(ulimit -Hn)" || echo "The limit of open files stays at $(ulimit -Sn)"

[ $mutants = no ] || exec tests/mutants.sh --jobs "$jobs" --filter "${filter:-.}"

# ---- the run -----------------------------------------------------------------------------------------------

passed=0 failed=0 skipped=0 bad=0 summary=

count() # WHAT FILE: adds the verdicts of FILE
{
    p=$(grep -c '^pass ' "$2") || :
    f=$(grep -c '^fail ' "$2") || :
    s=$(grep -c '^skip ' "$2") || :
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    summary="$summary$(printf '%-22s %5d passed, %d failed, %d skipped' "$1" "$p" "$f" "$s")
"
}

build() # PRESET
{
    echo "== $1: build"
    mkdir -p build
    cmake --preset "$1" >"build/$1.log" 2>&1 || { cat "build/$1.log"; return 1; }
    cmake --build --preset "$1" --parallel "$jobs" -- --quiet
}

# What a program that failed has not passed, each test in a process of its own: does it fail alone, too? Adds the verdict of
# those that the program did not come to.
again() # PRESET ENTRY VERDICTS
{
    command=$(ctest --test-dir "build/$1" -N -V -R "^$2\$" | sed -n 's/^[0-9]*: Test command: //p')
    (cd "build/$1/tests" && eval "$command --gtest_list_tests") | sed 's/ *#.*//' |
        awk '/^[^ ]/ { suite = $1; next } { print suite $1 }' >"build/$1/again.txt"
    while read -r name; do
        ! grep -q "^[^f].* $name\$" "$3" || continue # it is known
        verdict=fail
        (cd "build/$1/tests" && eval "timeout 60 $command \"--gtest_filter=\$name\"") >"build/$1/again.log" 2>&1 </dev/null &&
            verdict=pass
        if grep -q "^fail $name\$" "$3"; then
            echo "$name: alone: $verdict"
        else
            echo "$verdict $name" >>"$3"
            [ $verdict = pass ] || cat "build/$1/again.log"
        fi
    done <"build/$1/again.txt"
}

run_tests() # PRESET
{
    echo "== $1: test"
    verdicts=$PWD/build/$1/verdicts.txt junit=$PWD/build/$1/junit.xml
    rm -f "$junit"
    # Twice as many as there are processors: most of their time the tests wait, for clocks and for silence.
    ctest --test-dir "build/$1" --no-tests=error --parallel $((2 * jobs)) ${filter:+--tests-regex "$filter"} $left_out \
        --output-junit "$junit" --test-output-size-passed 100000000 --test-output-size-failed 100000000 || :
    : >"$verdicts"
    [ ! -f "$junit" ] || LC_ALL=C awk -f tests/verdicts.awk "$junit" >"$verdicts"
    # How much was tried, and measured.
    sed -n 's/^.*\(fairness: .*\)$/\1/p' "$junit" 2>/dev/null || :
    awk '/^faults: [0-9]+ scenarios/ { n++; scenarios += $2; tried += $4 }
        END { if (n) printf "faults: %d scenarios, %d faults tried\n", scenarios, tried }' "$junit" 2>/dev/null || :
    for entry in $(sed -n 's/^again //p' "$verdicts"); do
        echo "== $1: $entry again, test by test"
        again "$1" "$entry" "$verdicts"
    done
    [ -s "$verdicts" ] || echo "fail (no test ran)" >"$verdicts"
}

check_skips() # VERDICTS: each skip is on the list
{
    sed -n 's/^skip //p' "$1" >build/skips.txt
    while read -r name; do
        allowed=no
        while read -r pattern reason; do
            case $pattern in '' | '#'*) continue ;; esac
            case $name in $pattern) allowed=yes; echo "skipped: $name: $reason" ;; esac
        done <tests/allowed-skips.txt
        [ $allowed = yes ] || { echo "skipped, and not on tests/allowed-skips.txt: $name"; bad=1; }
    done <build/skips.txt
}

one() # WHAT VERDICT: something that is a test by itself
{
    echo "$2 $1" >build/one.txt
    count "$1" build/one.txt
}

for preset in $presets; do
    if build "$preset"; then
        run_tests "$preset"
        check_skips "$verdicts"
        count "$preset" "$verdicts"
    else
        one "$preset (build)" fail
    fi
done
for preset in $compile_only; do
    if build "$preset"; then one "$preset (build)" pass; else one "$preset (build)" fail; fi
done
echo "== statements"
if tests/statements.sh >build/statements.txt; then
    tail -n 1 build/statements.txt
    one statements pass
else
    sed -n '/^$/,$p' build/statements.txt
    one statements fail
fi

printf '\n%s' "$summary"
[ $failed = 0 ] && [ $passed -gt 0 ] || bad=1
echo "$passed passed, $failed failed, $skipped skipped"
exit $bad
