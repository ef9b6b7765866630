#!/bin/sh
# layers.sh [TOP]: who may include whom. A file of the core sees its own layer and those below it; an adapter sees the
# public headers, its own folder and its toolkit; a public header sees public headers and C's. Prints what breaks that.
# layers.sh --self-test: makes such files and looks whether each of them is found.
set -eu

if [ "${1:-}" = --self-test ]; then
    script=$(cd "$(dirname "$0")" && pwd)/layers.sh
    top=$(mktemp -d)
    trap 'rm -rf "$top"' EXIT
    bad=0
    # try WANTED FILE INCLUDE: one file with one include, which layers.sh accepts (0) or not (1)
    try()
    {
        rm -rf "$top/core" "$top/adapters"
        mkdir -p "$top/core" "$top/adapters" "$top/$(dirname "$2")"
        printf '#include %s\n' "$3" >"$top/$2"
        got=0
        "$script" "$top" >/dev/null || got=1
        [ $got = "$1" ] || { echo "self-test: $2 with $3: expected $1, got $got"; bad=1; }
    }
    try 0 core/loop/a.c '"loop/handle.h"'
    try 0 core/loop/a.c '"base/heap.h"'
    try 0 core/loop/a.c '<hoya/loop.h>'
    try 0 core/run/a.c '"stream/reader.h"'
    try 0 core/task/a.c '"future/future.h"'
    try 0 core/base/a.c '<sys/epoll.h>'
    try 0 core/base/sys.h 'HOYA_SYS_CALLS'
    try 0 core/base/sys.h 'HOYA_LIBC'
    try 1 core/base/a.c '"poll/poll.h"'
    try 1 core/loop/a.c '"run/policy.h"'
    try 1 core/loop/deep/a.c '  "future/future.h"'
    try 1 core/task/a.h '"io/transport.h"'
    try 1 core/io/a.h '"task/task.h"'
    try 0 core/task/a.c '<hoya/coroutine.h>'
    try 1 core/future/a.c '<hoya/coroutine.h>'
    try 1 core/io/a.c '<hoya/coroutine.h>'
    try 1 core/loop/a.c '"handle.h"'
    try 1 core/loop/a.c '"../base/heap.h"'
    try 1 core/loop/a.c '<base/heap.h>'
    try 1 core/loop/a.c '"odd/a.h"'
    try 1 core/odd/a.c '<stdio.h>'
    try 1 core/base/a.c '<hoya/loop.h>'
    try 1 core/poll/a.c '<hoya/policy.h>'
    try 1 core/loop/a.c '<hoya/future.h>'
    try 0 core/task/a.c '<hoya/future.h>'
    try 0 core/io/a.c '<hoya/resolver.h>'
    try 1 core/task/a.c '<hoya/transport.h>'
    try 1 core/future/a.c '<hoya/net.h>'
    try 0 core/stream/a.c '"io/transport.h"'
    try 0 core/stream/a.c '<hoya/stream.h>'
    try 1 core/task/a.c '<hoya/stream.h>'
    try 1 core/run/a.c '<hoya/glib.h>'
    try 1 core/loop/a.c '<glib.h>'
    try 0 adapters/glib/a.c '<hoya/host.h>'
    try 0 adapters/glib/a.c '<glib-unix.h>'
    try 0 adapters/glib/a.c '"a.c"'
    try 1 adapters/glib/a.c '"loop/guest.h"'
    try 1 adapters/glib/a.c '<loop/guest.h>'
    try 1 adapters/glib/a.c '"../../core/loop/guest.h"'
    try 0 core/include/hoya/a.h '<hoya/base.h>'
    try 0 core/include/hoya/a.h '<stdint.h>'
    try 1 core/include/hoya/a.h '<sys/epoll.h>'
    try 0 core/include/hoya/resolver.h '<sys/socket.h>'
    try 0 core/include/hoya/transport.h '<sys/uio.h>'
    try 1 core/include/hoya/resolver.h '<netdb.h>'
    try 1 core/include/hoya/a.h '<glib.h>'
    try 1 core/include/hoya/a.h '"base.h"'
    try 0 adapters/glib/include/hoya/glib.h '<glib.h>'
    try 0 adapters/gio/include/hoya/gio.h '<gio/gio.h>'
    try 1 adapters/glib/include/hoya/glib.h '<gio/gio.h>'
    try 0 adapters/libuv/include/hoya/uv.h '<uv.h>'
    try 1 adapters/qt/include/hoya/qt.h '<glib.h>'
    try 1 adapters/qt/include/hoya/qt.h '<QtCore/QObject>'
    try 0 adapters/qt/include/hoya/qt.hpp '<QtCore/QObject>'
    try 0 adapters/qt/include/hoya/qt.hpp '<functional>'
    try 1 adapters/qt/include/hoya/qt.hpp '<QtWidgets/QDialog>'
    try 1 adapters/qt/include/hoya/qt.hpp '<glib.h>'
    try 0 adapters/qt/a.cc '<QtCore/QObject>'
    try 1 adapters/qt/a.cc '<QtGui/QWindow>'
    try 1 adapters/qt/a.cc '<QtCore/private/qobject_p.h>'
    try 1 adapters/qt/a.cc '<glib.h>'
    exit $bad
fi

cd "${1:-$(dirname "$0")/../..}"
ls core adapters >/dev/null
find core adapters -type f \( -name '*.[ch]' -o -name '*.cc' -o -name '*.hpp' \) | sort | while read -r file; do
    sed -n "s|^[[:space:]]*#[[:space:]]*include[[:space:]]*\([<\"][^>\"]*[>\"]\).*|$file \1|p" "$file"
done | awk '
    BEGIN {
        # the rank of each layer; layers of one rank do not see each other
        split("base 1 poll 2 loop 3 future 4 task 5 io 5 stream 6 run 7", word, " ")
        for (i = 1; i in word; i += 2) rank[word[i]] = word[i + 1]
        # the layer that a public header describes
        split("base base error base selector poll host loop loop loop future future combine future executor future coroutine task task task wait task group task sync task queue task resolver io transport io net io transport io net io datagram io sock stream stream stream pipe io policy run run run hoya run", word, " ")
        for (i = 1; i in word; i += 2) public["hoya/" word[i] ".h"] = word[i + 1]
        # the headers of C99, and the other header that a public one may show
        split("assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdarg stdbool " \
              "stddef stdint stdio stdlib string tgmath time wchar wctype", word, " ")
        for (i in word) standard[word[i] ".h"] = 1
        toolkit["hoya/resolver.h sys/socket.h"] = 1 # it has the addresses
        toolkit["hoya/transport.h sys/types.h"] = toolkit["hoya/transport.h sys/uio.h"] = 1 # who is at the other end; lines
        toolkit["hoya/sock.h sys/types.h"] = 1 # counts of bytes
        toolkit["hoya/glib.h glib.h"] = 1
        toolkit["hoya/gio.h gio/gio.h"] = 1
        toolkit["hoya/uv.h uv.h"] = 1
        # a .hpp is C++: it sees what it likes of the C++ library, and Qt
    }
    function wrong(why) { print file ": includes " $2 ": " why; bad = 1 }
    # may a file of `layer` see `other`?
    function sees(layer, other) { return layer == other || rank[layer] > rank[other] }
    {
        file = $1
        local = $2 ~ /^"/
        name = substr($2, 2, length($2) - 2)
        head = name; sub("/.*", "", head)
        layer = file; sub("^core/", "", layer); sub("/.*", "", layer)
    }
    name ~ /(^|\/)\.\.?(\/|$)/ { wrong("a path with dots"); next }
    file ~ /\/include\/hoya\// {
        self = file; sub(".*/include/", "", self)
        if (self ~ /\.hpp$/) { if (local || (head != "hoya" && name !~ /^(QtCore\/Q[A-Za-z]+|[a-z_]+)$/)) wrong("a C++ face sees <hoya/...>, <QtCore/...> and the headers of C++"); next }
        if (local || !(head == "hoya" || name in standard || (self " " name) in toolkit))
            wrong("a public header sees <hoya/...> and the headers of C")
        next
    }
    !local && head in rank { wrong("a header of the core is included with quotes"); next }
    file ~ /^adapters\// {
        folder = file; sub("[^/]*$", "", folder)
        if (file ~ /^adapters\/qt\// && !local && (name ~ /^(Q.*|.*\/private\/.*)$/ && name !~ /^QtCore\/Q[A-Za-z]+$/ || name ~ /^g(lib|io)/))
            wrong("the Qt adapter sees QtCore, and nothing private of it")
        if (local && (getline line <(folder name)) < 0) wrong("an adapter sees <hoya/...>, its own folder and its toolkit")
        close(folder name)
        next
    }
    !(layer in rank) { wrong("its folder is not a layer"); next }
    local && !(head in rank) { wrong("an include of the core begins with its layer"); next }
    local && !sees(layer, head) { wrong(layer "/ does not see " head "/"); next }
    !local && head == "hoya" && !(name in public) { wrong("not a public header of the core"); next }
    !local && head == "hoya" && !sees(layer, public[name]) { wrong(layer "/ does not see what " public[name] "/ offers"); next }
    !local && name ~ /^(glib|gio|gobject|gtk|uv|Q)/ { wrong("the core knows no toolkit"); next }
    END { exit bad }'
