#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Builds the demos and runs them, on nothing but a fresh Debian 12. `demos/run.sh --help` tells the rest.
#
# The story is at the end, in main. Before it: the words, the packages, the limit of open files, the build; what each demo
# does is in each.sh. A step that fails says so in a sentence and ends the script with 1; a wrong command line ends it with
# 2. Servers and temporary files go away in every case.
#
# A demo is its name here, what it needs in missing_packages and targets, and a function demo_NAME in each.sh.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build/demos

faces=(irc-gtk irc-qt irc-term)                              # programs that a person sits in front of
checks=(fetch echo forward chat redis ping swap dialog tour) # programs that look after themselves
others=(million errors)                                      # asked for by name only
host=all
connections=1000
messages=100
size=1024
tasks=1000000
frames=no

usage() {
    cat <<END
Usage: demos/run.sh [DEMO] [OPTION]...

Without a DEMO: an IRC client, with a small server in the same program, in the face that fits the machine.
  with a display     its window, of GTK or of Qt
  without one        both windows on an X server of its own (Xvfb), where they play a scene and save pictures; then
                     the client in this terminal; and where nobody sits at one, all the other demos

Demos:
  all                every demo of this list but the last two; waits for nobody, and checks what it can: the faces play
                     their scenes, whatever display there is
  irc-gtk, irc-qt    an IRC client: opens its window, with a small server in the same program; without a display it plays
                     a scene and saves pictures of it
  irc-term           the same in the terminal; without a terminal two of them talk to each other by scripts
  echo               an echo server on hoya's callbacks, driven by socat and netcat, then by a client of hoya's own
                     that opens many connections at once; then the same server by a protocol, by plain sockets in
                     tasks, and by streams; prints a table
  forward            a port forwarder between such a client and such a server
  chat               a chat server: socat and netcat talk to each other through it, what each has seen is compared, and
                     one who does not read is dropped
  redis              another library on the loop: hiredis, with 10,000 commands at once to a redis-server that is
                     started for it
  ping               a UDP ping and the echo that answers it: 50 datagrams, one each 20 ms
  swap               one program under every host, in one process: prints its trace, and whether it is the same
  dialog             a task opens a modal dialog, of GTK and of Qt, and ten other tasks go on meanwhile; saves a picture
  fetch              many downloads at once, from a small server in the same program, in the face that fits the machine:
                     a display: a window of GTK or Qt; none: both windows play a scene and save pictures, then the terminal
  fetch --frames     how late the frames of both windows are, beside 10,000 idle connections and 100 busy ones, and beside
                     none: takes two minutes
  fetch-term         the downloads in the terminal; without a terminal by scenes
  fetch-gtk, fetch-qt    the downloads in a window, or its scene; also with --frames
  tour [N]           the short programs of the tutorial, one after the other, or the one with this number: what each is
                     about, and what it prints
  million            so many tasks (--tasks), all asleep at once in one thread: what that costs
  errors             what the two programs of echo say when something is wrong

Options, of which any without a DEMO means all:
  --host NAME        native, glib, qt, libuv, or all (the default); swap runs all that were built, a window
                     is GTK's for glib, Qt's for qt
  --connections N    connections open together, $connections by default
  --messages N       messages a connection, $messages by default
  --size N           bytes a message, $size by default
  --tasks N          tasks of million, 1000000 by default: each takes about 5 KiB
  --frames           of fetch, fetch-gtk and fetch-qt: measure
  --help             print this

Installs the Debian packages that are missing (as root, or through sudo), builds in build/demos, and talks to
127.0.0.1 and a Unix socket only. Without a display what has windows runs on an X server of its own (Xvfb).
END
}

# ---- words -------------------------------------------------------------------------------------------------

say() { echo "demos/run.sh: $*"; }
die() { say "$*" >&2; exit 1; }
wrong() { say "$*; --help lists what there is" >&2; exit 2; }

# run_logged WHAT COMMAND...: prints the output of the command only if it fails, which ends the script.
run_logged() {
    local what=$1
    shift
    "$@" >"$tmp/log" 2>&1 && return
    cat "$tmp/log" >&2
    die "$what failed: $*"
}

number() { # number OPTION TEXT
    [[ $2 =~ ^[1-9][0-9]{0,8}$ ]] || wrong "$1 wants a whole number above 0, not \"$2\""
}

# ---- a fresh Debian ----------------------------------------------------------------------------------------

have() { command -v "$1" >/dev/null; }
wants() { # is one of these demos to run?
    local demo
    for demo; do
        [[ " ${demos[*]} " != *" $demo "* ]] || return 0
    done
    return 1
}
dialog_of_tour() { wants tour && [[ -z $step || $step == 21 ]]; }
displayed() { [[ -n ${DISPLAY:-}${WAYLAND_DISPLAY:-} ]]; }
seated() { [[ $given != all && -t 0 && -t 1 ]]; } # is somebody at this terminal?

missing_packages() {
    # gcc can be there without the C library's headers: it only recommends them.
    have cc && echo '#include <stdio.h>' | cc -E - >/dev/null 2>&1 || echo gcc libc6-dev
    have cmake || echo cmake
    have ninja || echo ninja-build
    if wants echo forward chat errors; then
        have socat || echo socat
        nc_knows_N || echo netcat-openbsd
    fi
    if wants redis; then
        have redis-server || echo redis-server
        have pkg-config || echo pkg-config
        pkg-config --exists hiredis 2>/dev/null || echo libhiredis-dev
    fi
    if wants irc-term || wants fetch-term || wants fetch; then
        have pkg-config || echo pkg-config
        pkg-config --exists ncursesw 2>/dev/null || echo libncurses-dev
    fi
    ! wants irc-term || have socat || echo socat
    [[ $host == native ]] && return
    have pkg-config || echo pkg-config
    [[ $host != @(all|glib) ]] || pkg-config --exists glib-2.0 2>/dev/null || echo libglib2.0-dev
    [[ $host != @(all|qt) ]] || pkg-config --exists Qt5Core 2>/dev/null || echo g++ qtbase5-dev
    [[ $host != @(all|libuv) ]] || pkg-config --exists libuv 2>/dev/null || echo libuv1-dev
    wants dialog irc-gtk irc-qt fetch fetch-gtk fetch-qt || dialog_of_tour || return 0
    [[ $host != @(all|glib) ]] || pkg-config --exists gtk+-3.0 2>/dev/null || echo libgtk-3-dev
    [[ -n ${DISPLAY:-} ]] || { displayed && [[ $frames == no ]] && ! wants dialog tour; } || have Xvfb || echo xvfb
    ! wants irc-gtk fetch fetch-gtk || [[ -e /usr/share/icons/Adwaita/index.theme ]] || echo adwaita-icon-theme librsvg2-common
}

# OpenBSD's netcat ends its sending side at the end of its input with -N; the other netcats have no -N.
nc_knows_N() { have nc && [[ $(nc -h 2>&1) == *-N* ]]; }

install_packages() {
    local -a packages sudo=()
    mapfile -t packages < <(missing_packages | tr ' ' '\n' | sort -u)
    ((${#packages[@]})) || return 0

    have apt-get || die "please install what Debian calls ${packages[*]}; there is no apt-get here to do it"
    if ((EUID != 0)); then
        have sudo || die "please install ${packages[*]} as root; there is no sudo here to do it"
        sudo=(sudo)
    fi
    say "installing ${packages[*]}${sudo:+ (through sudo)}"

    local -a install=("${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends
        "${packages[@]}")
    "${install[@]}" >"$tmp/log" 2>&1 && return
    say "the package lists are missing or old: apt-get update"
    run_logged "updating the package lists" "${sudo[@]}" apt-get update
    run_logged "installing packages" "${install[@]}"
}

# Server and client each need a descriptor a connection, and a few more.
raise_file_limit() {
    local need=$((connections + 64)) soft
    soft=$(ulimit -Sn)
    [[ $soft == unlimited ]] || ((soft >= need)) && return
    # Up to the hard limit anybody may go; root may go beyond.
    ulimit -Sn "$need" 2>/dev/null || ulimit -n "$need" 2>/dev/null ||
        die "$connections connections need $need open files, and ulimit -Hn allows $(ulimit -Hn)"
    say "raised the limit of open files from $soft to $need"
}

# The first window shall be there soon, and a step of the tour: for these the rest is not built.
targets() {
    local source
    if [[ -n $step && $step != 21 ]]; then
        for source in "$root/demos/tour/$(printf %02d "$step")"_*.c; do echo "tour-$(basename "$source" .c)"; done
    elif ! wants "${checks[@]}" "${others[@]}"; then
        printf 'demo-%s\n' "${demos[@]}"
    fi
}

build_demos() {
    local -a targets
    mapfile -t targets < <(targets)
    say "building ${targets[*]:+${targets[*]} }in ${build#"$root"/}"
    cd "$root"
    # No tests, so no googletest; a C++ compiler for Qt alone. A new compiler's new warnings need not stop us.
    run_logged "configuring" cmake --preset release -B "$build" -DHOYA_BUILD_TESTS=OFF -DHOYA_BUILD_BENCH=OFF -DHOYA_REQUIRE_ALL=OFF \
        -DHOYA_WERROR=OFF
    run_logged "building" cmake --build "$build" ${targets[@]:+--target "${targets[@]}"}
    server=$build/demos/demo-echo-server
    protocol=$build/demos/demo-echo-protocol
    plain=$build/demos/demo-echo-sock
    stream=$build/demos/demo-echo-stream
    forward=$build/demos/demo-forward
    ping=$build/demos/demo-udp-ping
    client=$build/demos/demo-echo-client
    swap=$build/demos/demo-swap
}

# ---- the demos: demo_NAME, and clean_up ----------------------------------------------------------------------

. "$root/demos/each.sh"

# ---- main --------------------------------------------------------------------------------------------------

given=
step=
options=no
while (($#)); do
    case $1 in
    --help) usage; exit ;;
    --frames) frames=yes ;;
    --host | --connections | --messages | --size | --tasks)
        (($# > 1)) || wrong "$1 wants a value"
        [[ $1 == --host ]] || number "$1" "$2"
        declare "${1#--}=$2"
        options=yes
        shift
        ;;
    -*) wrong "there is no option $1" ;;
    *)
        if [[ $given == tour && -z $step ]]; then
            number tour "$1"
            step=$1
        else
            [[ -z $given ]] || wrong "one demo at a time, please: \"$given\" or \"$1\""
            given=$1
        fi
        ;;
    esac
    shift
done

# Without a word: a window; or where there is none to be seen, pictures of both and the client in the terminal; or, where
# nobody sits, everything.
asked=$given
if [[ -z $given ]]; then
    if [[ $options == yes ]]; then given=all
    elif displayed; then given=$(window_here)
    elif ! seated; then given=all
    fi
fi
case $given in
'') demos=("${faces[@]}") ;;
all)
    unset DISPLAY WAYLAND_DISPLAY # nobody's windows
    demos=("${checks[@]}")
    [[ $host != @(all|native) ]] || demos=(irc-term "${demos[@]}")
    [[ $host != @(all|qt) ]] || demos=(irc-qt "${demos[@]}")
    [[ $host != @(all|glib) ]] || demos=(irc-gtk "${demos[@]}")
    ;;
*)
    declare -F "demo_$given" >/dev/null || wrong "there is no demo \"$given\""
    [[ -z $step ]] || compgen -G "$root/demos/tour/$(printf %02d "$step")_*.c" >/dev/null ||
        wrong "there is no program $step in the tour"
    demos=("$given")
    ;;
esac
case $given in
irc-term | fetch-term) host=native ;;
irc-gtk | fetch-gtk) host=glib ;;
irc-qt | fetch-qt) host=qt ;;
tour) [[ -z $step || $step == 2[01] || $host != all ]] || host=native ;;
esac
[[ $frames == no || $given == @(fetch|fetch-gtk|fetch-qt) ]] || wrong "--frames is an option of fetch, fetch-gtk and fetch-qt"
[[ $frames == no || $host == @(all|glib|qt) ]] || wrong "the host $host has no windows, so it has no frames"
case $host in
all) hosts=(native glib qt libuv) ;;
native | glib | qt | libuv) hosts=("$host") ;;
*) wrong "there is no host \"$host\"" ;;
esac

tmp=$(mktemp -d)
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if wants echo forward; then raise_file_limit; fi
install_packages
build_demos
for demo in "${demos[@]}"; do
    ((${#demos[@]} == 1)) || say "$demo"
    "demo_$demo"
    echo
done
[[ -n $asked ]] || say "there is more: demos/run.sh --help"
