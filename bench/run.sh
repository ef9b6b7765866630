#!/bin/sh
# bench/run.sh: builds the bench programs, runs them in turn, and compares. See --help.
set -eu
cd "$(dirname "$0")/.."

usage()
{
    cat <<'TEXT'
usage: bench/run.sh [option]... [workload]...

Runs hoya beside libuv, libev and a hand-written floor, one after the other, again and again, and prints the medians, the
ratios within the rounds with their 95 % intervals, and verdicts: is hoya at least as fast as libuv? as a guest of GLib, Qt
and libuv as fast as natively? do connections cost no more than raw epoll? do coroutines and tasks cost little more than a
bare switch between stacks?

  workloads: chain batch timers posts pingpong jobs echo guests wakeup
             connections guest-connections calls memory datagrams
             streams stream-memory
             switch round await spawn lock handover meet stream (default: all)

  --quick        fewer rounds, smaller runs
  --rounds N     how many rounds (default 21, quick 9); fewer than 6 decide nothing
  --keep FILE    the raw figures: round workload impl params metric value unit
  --no-install   do not install Debian packages that are missing
  --help         this text

The exit status is 1 if a verdict is MISSED, 2 if something could not be run. bench/README.md says what is measured.
TEXT
}

die()
{
    echo "bench/run.sh: $1" >&2
    exit 2
}

quick=no rounds= keep= install=yes workloads=
while [ $# -gt 0 ]; do
    case $1 in
    --rounds | --keep) [ $# -ge 2 ] || die "$1 wants a value; --help lists the options" ;;
    esac
    case $1 in
    --quick) quick=yes ;;
    --rounds)
        case $2 in *[!0-9]* | 0 | '') die "--rounds wants a number, not \"$2\"" ;; esac
        rounds=$2; shift ;;
    --keep) keep=$2; shift ;;
    --no-install) install=no ;;
    --help) usage; exit 0 ;;
    chain | batch | timers | posts | pingpong | jobs | echo | guests | wakeup | connections | guest-connections | calls | \
        memory | datagrams | streams | stream-memory | switch | round | await | spawn | lock | handover | meet | stream)
        workloads="$workloads $1" ;;
    *) die "there is no option or workload \"$1\"; --help lists them" ;;
    esac
    shift
done
[ -n "$workloads" ] || workloads="chain batch timers posts pingpong jobs echo guests wakeup connections guest-connections calls memory
    datagrams streams stream-memory switch round await spawn lock handover meet stream"
[ -n "$rounds" ] || { [ $quick = yes ] && rounds=9 || rounds=21; }

# ---- the machine -------------------------------------------------------------------------------------------

. tests/install.sh
[ $install = no ] || install_packages bench/run.sh \
    gcc g++ cmake ninja-build pkg-config libglib2.0-dev qtbase5-dev libuv1-dev libev-dev libst-dev libboost-dev \
    libboost-context-dev strace util-linux
ulimit -Sn "$(ulimit -Hn)" || :

echo "== build"
mkdir -p build
cmake --preset release -B build/bench -DHOYA_BUILD_BENCH=ON -DHOYA_BUILD_TESTS=OFF -DHOYA_BUILD_DEMOS=OFF \
    >build/bench.log 2>&1 || { cat build/bench.log; exit 1; }
cmake --build build/bench -- --quiet

# The last of the processors that we may use for one thread, the last two for a pair, all for more. The programs settle
# each of their threads on one of them.
all=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status)
last_processors() # N
{
    echo "$all" | tr ',' '\n' | while IFS=- read -r from to; do seq "$from" "${to:-$from}"; done |
        tail -n "$1" | paste -s -d , -
}
one=$(last_processors 1)
two=$(last_processors 2)

# ---- the runs ----------------------------------------------------------------------------------------------

figures=$(mktemp)
counts=$(mktemp)
trap 'rm -f "$figures" "$counts"' EXIT

# *-unix is a program with Qt's own dispatcher, *-again the same once more; co-* is one of coroutines and tasks, and
# co-measure hoya's own switch, co-bare the bare one, in rounds of another workload. *-buffered has connections read into
# memory of its own; *-paced is of bench-datagrams.
unset QT_NO_GLIB
bin=build/bench/bench
command_of() # IMPLEMENTATION ARGUMENT...: its words
{
    name=${1%-again}
    shift
    case $name in
    co-bare) shift; echo taskset -c "$pin" $bin/bench-co-floor switch "$@" ;;
    co-measure) shift; echo taskset -c "$pin" $bin/bench-co-hoya switch "$@" ;;
    *-paced) shift; echo taskset -c "$pin" $bin/bench-datagrams "${name%-paced}" "$@" ;;
    *-buffered) shift; echo taskset -c "$pin" "$bin/bench-${name%-buffered}" buffered "$@" ;;
    *qt-unix*) echo env QT_NO_GLIB=1 taskset -c "$pin" "$bin/bench-${name%%-unix*}${name#*-unix}" "$@" ;;
    *) echo taskset -c "$pin" "$bin/bench-$name" "$@" ;;
    esac
}

row() # ROUNDS PROCESSORS IMPLEMENTATIONS WORKLOAD PARAMETER...: in each round one program after the other
{
    times=$1 pin=$2 impls=$3
    shift 3
    echo "== $workload: $*" >&2
    round=0
    while [ $round -lt "$times" ]; do
        round=$((round + 1))
        for impl in $impls; do
            lines=$($(command_of "$impl" "$@")) || die "$impl failed: $*"
            echo "$lines" | awk -v round=$round -v row="$workload" -v impl="${impl#co-}" '{ $1 = row; $2 = impl; print round, $0 }'
        done
    done >>"$figures"
}

row_in_turns() # MILLISECONDS ROUNDS ...: the same; in each round the programs take turns of so many milliseconds
{
    slice=$1 times=$2 pin=$3 impls=$4
    shift 4
    echo "== $workload: $*" >&2
    words=
    for impl in $impls; do words="$words${words:+ -- }$impl $(command_of "$impl" "$@")"; done
    round=0
    while [ $round -lt "$times" ]; do
        round=$((round + 1))
        # shellcheck disable=SC2086 # words
        lines=$($bin/bench-turns "$slice" $words) || die "failed: $*"
        echo "$lines" | awk -v round=$round -v row="$workload" '{ print round, row, $1, $4, $5, $6, $7 }'
    done >>"$figures"
}

pair() # PROCESSORS IMPLEMENTATIONS WORKLOAD...: a row for threads that have a processor each
{
    if [ "$one" = "$two" ]; then echo "== $workload: left out, it needs two processors" >&2
    else row "$rounds" "$@"; fi
}

# System calls a request, by the difference between two runs, so that what comes once is none. strace follows no child: only
# the server is counted.
count_calls() # IMPLEMENTATION CONNECTIONS REQUESTS
{
    case $1 in
    *-buffered) traced="bench-${1%-buffered} buffered" ;;
    *-streams) traced="bench-${1%-streams} streams" ;;
    *) traced="bench-$1 connections" ;;
    esac
    for times in 1 3; do
        # shellcheck disable=SC2086 # two words
        taskset -c "$one" strace -qq -c -o "$counts" $bin/$traced "$2" $((times * $3)) >/dev/null ||
            die "$1 failed under strace"
        awk -v n=$times '$1 + 0 == $1 && $NF != "total" { print n, $NF, $4 }' "$counts"
    done | awk -v impl="$1" -v connections="$2" -v requests="$3" '
        function kind(name)
        {
            if (name ~ /^(recv|read)/) return "receive"
            if (name ~ /^(send|write)/) return "send"
            return name ~ /^(epoll_p?wait|p?poll)/ ? "wait" : "other"
        }
        { sum[kind($2)] += $1 == 1 ? -$3 : $3 }
        END {
            split("receive send wait other", kinds)
            for (i = 1; i <= 4; i++)
                printf "1 calls %s %d %s %.4f /rq\n", impl, connections, kinds[i], sum[kinds[i]] / (2 * requests)
        }' >>"$figures"
}

size() { [ $quick = yes ] && echo "$1" || echo "$2"; }
at_most() { [ "$rounds" -lt "$1" ] && echo "$rounds" || echo "$1"; }
peers="floor floor-again hoya libuv libev"
# The second run of native is in the middle, so that it is as far from the first as the guests are.
streamers="floor floor-again hoya hoya-buffered libuv libev"
guests="hoya hoya-glib hoya-glib-owner hoya-libuv hoya-libuv-owner hoya-again
    hoya-qt hoya-qt-owner hoya-qt-unix hoya-qt-unix-owner"
sleepers="$peers glib qt qt-unix hoya-glib hoya-qt hoya-qt-unix hoya-libuv"
measured="co-measure co-measure-again co-hoya"
bare="co-bare co-bare-again co-hoya"
for workload in $workloads; do
    case $workload in
    chain) row "$rounds" $one "$peers" chain "$(size 300000 1000000)" ;;
    batch) row "$rounds" $one "$peers" batch "$(size 10000000 30000000)" ;;
    timers)
        row "$rounds" $one "$peers" timers 1000 "$(size 4 20)"
        row "$rounds" $one "$peers" timers 100000 "$(size 1 4)"
        row "$(at_most "$(size 6 11)")" $one "$peers" timers 1000000 1 ;;
    posts)
        pair $two "$peers" posts 1 "$(size 1000000 5000000)"
        pair "$all" "$peers" posts 4 "$(size 1000000 5000000)" ;;
    pingpong)
        row "$rounds" $one "$peers" pingpong "$(size 2000 10000)" one-processor
        pair $two "$peers" pingpong "$(size 2000 10000)" two-processors ;;
    jobs)
        pair $two "floor floor-again hoya libuv" jobs 1 "$(size 5000 30000)"
        pair $two "floor floor-again hoya libuv" jobs 100 "$(size 100000 500000)" ;;
    echo)
        row "$rounds" $one "$peers" echo 1 "$(size 5000 20000)"
        row "$rounds" $one "$peers" echo 100 "$(size 10000 50000)" ;;
    guests)
        # The bounds are narrow: twice the rounds.
        row "$(size "$rounds" $((2 * rounds)))" $one "$guests glib qt qt-unix libuv" echo 1 "$(size 3000 10000)"
        row "$rounds" $one "$guests" echo 100 "$(size 5000 20000)"
        row "$(at_most "$(size 6 21)")" $one "$guests" echo 1000 "$(size 5000 20000)" ;;
    connections)
        row_in_turns 20 "$rounds" $one "$streamers" connections 1 "$(size 5000 20000)"
        row_in_turns 20 "$rounds" $one "$streamers" connections 100 "$(size 10000 50000)"
        row_in_turns 20 "$rounds" $one "$streamers" connections 100 "$(size 5000 30000)" 16384
        [ $quick = yes ] && continue # thousands of connections take long to be made
        # Half of it is copying, on which the ratios of the rounds depend more than on the program: twice the rounds.
        row_in_turns 20 $((2 * rounds)) $one "$streamers" connections 1 20000 16384
        row_in_turns 100 "$rounds" $one "$streamers" connections 1000 50000
        row_in_turns 100 "$rounds" $one "$streamers" connections 5000 50000
        row_in_turns 20 "$rounds" $one "$streamers" connections 100 50000 64 10000 ;;
    guest-connections)
        # A host has more code than a loop: turns that are long beside the filling of the caches.
        row_in_turns 100 "$(size "$rounds" $((2 * rounds)))" $one "$guests libuv" connections 1 "$(size 3000 40000)"
        row_in_turns 100 "$(at_most "$(size 6 21)")" $one "$guests" connections 100 "$(size 5000 50000)"
        [ $quick = yes ] || row_in_turns 100 "$rounds" $one "$guests" connections 1000 50000 ;;
    calls)
        for connections in 1 100; do
            echo "== calls: $connections" >&2
            for impl in floor hoya hoya-buffered hoya-streams libuv libev; do count_calls $impl $connections "$(size 2000 5000)"; done
        done ;;
    datagrams) row "$(size 1 5)" $one "floor-paced hoya-paced" datagrams "$(size 100 250)" ;;
    memory)
        row 1 $one "floor hoya libuv libev" memory 10000
        row 1 $one "floor hoya libuv libev" memory 10000 ipv6 ;;
    streams)
        row_in_turns 20 "$rounds" $one "floor floor-again hoya" streams 1 "$(size 5000 20000)"
        row_in_turns 20 "$rounds" $one "floor floor-again hoya" streams 100 "$(size 10000 50000)"
        row_in_turns 20 "$rounds" $one "floor floor-again hoya" streams 100 "$(size 5000 30000)" 16384
        [ $quick = yes ] || row_in_turns 100 "$rounds" $one "floor floor-again hoya" streams 1000 50000 ;;
    stream-memory) row 1 $one hoya stream-memory 10000 ;;
    wakeup)
        row "$rounds" $one "$sleepers" wakeup "$(size 300 1000)" one-processor
        pair $two "$sleepers" wakeup "$(size 300 1000)" two-processors ;;
    switch)
        row "$rounds" $one "co-floor co-floor-again co-hoya co-boost co-libst co-ucontext" switch "$(size 4000000 16000000)" ;;
    round) row "$rounds" $one "co-floor co-floor-again co-hoya co-libst" round "$(size 500000 2000000)" ;;
    await) row "$rounds" $one "$measured" await "$(size 4000000 16000000)" each ;;
    spawn) row "$rounds" $one "$measured co-floor co-boost co-libst" spawn "$(size 300000 1000000)" each ;;
    lock) row "$rounds" $one "$bare co-libst" lock "$(size 4000000 16000000)" each ;;
    handover) row "$rounds" $one "$bare co-libst" handover "$(size 1000000 4000000)" each ;;
    meet) row "$rounds" $one "$bare" meet "$(size 500000 2000000)" each ;;
    stream) row "$rounds" $one "$bare" stream "$(size 1000000 4000000)" each ;;
    esac
done
[ -z "$keep" ] || cp "$figures" "$keep"
awk -f bench/compare.awk "$figures"
