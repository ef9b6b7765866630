#!/bin/sh
# refusals.sh CXX FOLDER...: hoya/qt.hpp refuses a callable that takes something else than it will be given, with a sentence,
# and with no other error.
set -eu
cxx=$1
shift
flags="-std=c++17 -fsyntax-only -fPIC $(pkg-config --cflags Qt5Core | sed 's/-I/-isystem /g')"
for folder; do flags="$flags -I$folder/.."; done

bad=0
refuses() # SENTENCE CALL
{
    said=$(printf '#include <hoya/qt.hpp>\nvoid f(hoya::qt::Loop &loop) { %s; }\n' "$2" | "$cxx" -x c++ $flags - 2>&1) &&
        { echo "$2: not refused"; bad=1; return; }
    [ "$(echo "$said" | grep -c 'error: ')" = 1 ] && echo "$said" | grep -qF "$1" ||
        { echo "$2: refused, but not with \"$1\" alone:"; echo "$said"; bad=1; }
}

refuses 'a reader is called as (), (hoya_fd) or (hoya_fd, uint32_t)' 'loop.add_reader(0, [](const char *) {})'
refuses 'a reader is called as (), (hoya_fd) or (hoya_fd, uint32_t)' 'loop.add_reader(0, [](int, uint32_t, void *) {})'
refuses 'a writer is called as (), (hoya_fd) or (hoya_fd, uint32_t)' 'loop.add_writer(0, [](const char *) {})'
refuses 'a signal handler is called as () or (int)' 'loop.add_signal_handler(1, [](int, uint32_t) {})'
refuses 'this callback is called without arguments: ()' 'loop.call_soon([](int) {})'
refuses 'this callback is called without arguments: ()' 'loop.call_later(0, [](int) {})'
refuses 'this callback is called without arguments: ()' 'loop.call_soon_threadsafe([](int) {})'
exit $bad
