#!/bin/sh
# headers_alone.sh CC CXX FOLDER...: each public header compiles alone, as the first line of a program, by the letter of
# C99 and of C++11, and after Qt's, which define words. A .hpp needs C++17.
set -eu
cc=$1 cxx=$2
shift 2

words="-Dsignals=public -Dslots= -Demit= -Dforeach=Q_FOREACH"
flags="-fsyntax-only -pedantic -Wall -Wextra -Werror"
for folder; do flags="$flags -I$folder/.."; done
case "$*" in
*adapters/glib*) flags="$flags $(pkg-config --cflags glib-2.0 | sed 's/-I/-isystem /g')" ;;
esac
case "$*" in
*adapters/gio*) flags="$flags $(pkg-config --cflags gio-2.0 | sed 's/-I/-isystem /g')" ;;
esac
case "$*" in
*adapters/qt*) qt_flags="-fPIC $(pkg-config --cflags Qt5Core | sed 's/-I/-isystem /g')" ;;
esac
case "$*" in
*adapters/libuv*) flags="$flags -D_GNU_SOURCE $(pkg-config --cflags libuv | sed 's/-I/-isystem /g')" ;; # uv.h's own wish
esac

bad=0
for folder; do
    for header in "$folder"/*.h; do
        include="#include <hoya/$(basename "$header")>"
        echo "$include" | "$cc" -x c -std=c99 $flags - || { echo "$header: not as C99"; bad=1; }
        echo "$include" | "$cxx" -x c++ -std=c++11 $flags - || { echo "$header: not as C++11"; bad=1; }
        case $header in */glib.h | */gio.h) continue ;; esac # GLib's own headers do not survive that
        echo "$include" | "$cxx" -x c++ -std=c++11 $flags $words - || { echo "$header: not after Qt's headers"; bad=1; }
    done
    for header in "$folder"/*.hpp; do
        [ -e "$header" ] || continue
        include="#include <hoya/$(basename "$header")>"
        echo "$include" | "$cxx" -x c++ -std=c++17 $flags $qt_flags - || { echo "$header: not as C++17"; bad=1; }
    done
done
exit $bad
