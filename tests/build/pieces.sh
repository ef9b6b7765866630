#!/bin/sh
# pieces.sh CC CXX: what the pages for newcomers show is code. Each fenced piece of C or C++ of docs/from-*.md compiles, with
# the headers that its page is about; and each name hoya_... in the docs and READMEs is one that the headers, the build or
# the core know.
set -eu
cd "$(dirname "$0")/../.."
cc=$1 cxx=$2 bad=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
includes="-Icore/include -Iadapters/glib/include -Iadapters/gio/include -Iadapters/qt/include"

quiet() { pkg-config --cflags "$@" | sed 's/-I/-isystem /g'; }

# pieces PAGE LANGUAGE PREAMBLE COMMAND...: compiles each piece by itself
pieces()
{
    page=$1 language=$2 preamble=$3
    shift 3
    rm -f "$work"/piece.*
    awk -v language="$language" -v to="$work/piece." '
        $0 == "```" language { on = 1; n++; printf "#line %d\n", NR + 1 >(to n); next }
        /^```$/ { on = 0 }
        on { print >(to n) }' "$page"
    found=0
    for piece in "$work"/piece.*; do
        [ -e "$piece" ] || continue
        found=$((found + 1))
        { printf '%b\n' "$preamble"; cat "$piece"; } >"$work/source"
        "$@" -fsyntax-only -Wall -Wextra -Werror -Wno-unused-function $includes "$work/source" || { echo "$page: piece $found"; bad=1; }
    done
    [ $found -gt 0 ] || { echo "$page: no piece of $language"; bad=1; }
    echo "$page: $found pieces of $language"
}

pieces docs/from-asyncio.md c '' "$cc" -x c -std=c11
pieces docs/from-gtask.md c '#include <gio/gio.h>\n#include <hoya/gio.h>\n#include <hoya/hoya.h>
void show(gpointer window, char *text);\nvoid complain(gpointer window, GError *error);' "$cc" -x c -std=c11 $(quiet gio-2.0)
pieces docs/from-qtcpsocket.md cpp '#include <QtWidgets/QLabel>\n#include <QtWidgets/QPushButton>' \
    "$cxx" -x c++ -std=c++17 -fPIC $(quiet Qt5Widgets)

# A name that ends in _ stands for all that begin with it.
grep -oh '\bhoya_[a-z0-9_]*' README.md docs/*.md demos/README.md adapters/*/README.md | sort -u >"$work/named"
cat core/include/hoya/* adapters/*/include/hoya/* core/*/*.[chS] CMakeLists.txt adapters/*/CMakeLists.txt demos/*/*.h \
    docs/examples/CMakeLists.txt | grep -o '\bhoya_[a-z0-9_]*' | sort -u >"$work/known"
while read -r name; do
    case $name in
    *_) grep -q "^$name" "$work/known" && continue ;;
    *) grep -qx "$name" "$work/known" && continue ;;
    esac
    echo "there is no $name: $(grep -lw "$name" README.md docs/*.md demos/README.md adapters/*/README.md | tr '\n' ' ')"
    bad=1
done <"$work/named"
echo "$(wc -l <"$work/named") names"
exit $bad
