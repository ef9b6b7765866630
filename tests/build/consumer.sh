#!/bin/sh
# consumer.sh BUILD CC [CFLAGS]: installs BUILD into a folder, moves that folder, and builds and runs the programs in
# consumer/ against it as a user would: by find_package, and by pkg-config.
set -eu
build=$1 cc=$2 cflags=${3:-}
source=$(cd "$(dirname "$0")/consumer" && pwd)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
quietly() { "$@" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }; }

quietly cmake --install "$build" --prefix "$work/first"
mv "$work/first" "$work/moved"
pc=$(dirname "$(find "$work/moved" -name hoya.pc)")
programs=$(cd "$pc" && ls ./*.pc | sed 's|^./||; s|\.pc$||')
parts=$(echo "$programs" | sed 's/^hoya$/core/; s/^hoya-//' | paste -sd ';' -)

echo "find_package, components $parts:"
generator=$(sed -n "s/^CMAKE_GENERATOR:INTERNAL=//p" "$build/CMakeCache.txt") # what this machine has
quietly cmake -G "$generator" -S "$source" -B "$work/build" "-DPARTS=$parts" "-DCMAKE_PREFIX_PATH=$work/moved" \
    "-DCMAKE_C_COMPILER=$cc" "-DCMAKE_C_FLAGS=$cflags"
quietly cmake --build "$work/build"
for program in $programs; do "$work/build/consumer-$program"; done

echo "pkg-config:"
export PKG_CONFIG_PATH="$pc" LD_LIBRARY_PATH="$(dirname "$pc")"
for program in $programs; do
    "$cc" $cflags -o "$work/$program" "$source/$program.c" $(pkg-config --cflags --libs "$program")
    "$work/$program"
done
