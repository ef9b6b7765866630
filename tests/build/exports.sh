#!/bin/sh
# exports.sh LIBRARY FOLDER LIST...: the library exports what the lists name, nothing more and nothing less; and the first
# list is what the headers in FOLDER declare with HOYA_API. A change of the interface thus shows in the list.
set -eu
library=$1 folder=$2
shift 2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LC_ALL=C
sed -n '/^#/d; s/.*HOYA_API.*[ *]\(hoya_[a-z0-9_]*\)(.*/\1/p' "$folder"/*.h | sort >"$work/declared"
sort "$1" >"$work/listed"
sort "$@" >"$work/wanted"
# AddressSanitizer marks each exported variable by a second name.
nm -D --defined-only "$library" | awk '{ sub(/^__odr_asan\./, "", $NF); print $NF }' | sort -u >"$work/exported"

bad=0
compare() # WANTED GOT WHAT
{
    missing=$(comm -23 "$1" "$2") extra=$(comm -13 "$1" "$2")
    for name in $missing; do echo "$name: in the list, but not $3"; bad=1; done
    for name in $extra; do echo "$name: $3, but not in the list"; bad=1; done
}
[ -s "$work/declared" ] || { echo "no HOYA_API in $folder"; exit 1; }
compare "$work/listed" "$work/declared" "declared with HOYA_API in $folder"
compare "$work/wanted" "$work/exported" "exported by $(basename "$library")"
exit $bad
