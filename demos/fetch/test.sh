#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# test.sh PROGRAM [SCENE...]: downloads in the terminal: what comes out, and how it ends. The other programs stand beside PROGRAM.
#
#   demos/fetch/test.sh build/dev/demos/demo-fetch-term [scene lines server crowd screen]
set -euo pipefail

program=$1
shift
scenes=("$@")
(($#)) || scenes=(scene lines server crowd screen)
folder=$(dirname "$program")
demo=fetch
. "$(dirname "$0")/../scenes.sh"

# fetches RESULT OPTION...: what it prints is in $tmp/fetch.out
fetches() {
    local expected=$1 rc=0
    shift
    timeout 100 "$program" "$@" </dev/null >"$tmp/fetch.out" 2>"$tmp/fetch.err" || rc=$?
    ((rc == expected)) || die "$* ended with $rc"
    [[ ! -s $tmp/fetch.err ]] || die "$* complained"
}

says() { grep -qF -- "$1" "$tmp/fetch.out" || die "it should have said: $1"; }

# serve OPTION...: sets port
serve() { start_server "$folder/demo-fetch-server" --listen 127.0.0.1:0 "$@"; }

# ---- scenes ----------------------------------------------------------------------------------------------

# Somebody who cancels one, and loads it again.
scene_scene() {
    fetches 0 --scene --rate 1000000
    says "second.ogg/2M: cancelled"
    says "broken/200K: failed: the connection is lost"
    says "missing: failed: the server says: there is no missing"
    says "second.ogg/2M: done, 2.0 MB"
    [[ $(tail -n 1 "$tmp/fetch.out") == "4 done, 2 failed; 3.4 MB" ]] || die "the last line is another one"
}

# Without a terminal: a line for everything, and the result.
scene_lines() {
    fetches 0 --get a.ogg/3M,b/10,c/0 --rate 0
    says "a.ogg/3M: loading, 3.0 MB"
    [[ $(tail -n 1 "$tmp/fetch.out") == "3 done; 3.0 MB" ]] || die "the last line is another one"
    fetches 1 --get a/3K,missing --rate 0
    [[ $(tail -n 1 "$tmp/fetch.out") == "1 done, 1 failed; 3.0 KB" ]] || die "the last line is another one"
}

# The server as a program, which netcat's users could talk to; a server that goes away is a failure of what is loading.
scene_server() {
    serve --rate 100000
    fetches 0 --connect "127.0.0.1:$port" --get a/10K
    [[ $(printf 'GET b/5\n' | timeout 20 socat -t 20 - "TCP:127.0.0.1:$port" | wc -c) == 10 ]] || die "socat got something else"
    : >"$tmp/fetch.out" # the background job may not have opened it when we look
    timeout 50 "$program" --connect "127.0.0.1:$port" --get a/10M </dev/null >"$tmp/fetch.out" 2>"$tmp/fetch.err" &
    local pid=$! rc=0
    pids+=("$pid")
    until_there loading "$tmp/fetch.out"
    stop_server
    wait "$pid" || rc=$?
    ((rc == 1)) || die "it ended with $rc"
    says "a/10M: failed: the connection is lost"
    fetches 1 --connect "127.0.0.1:$port" --get a/1
    says "a/1: failed: no connection: connection refused"
}

# Other connections beside it, from another process, which is gone in the end.
scene_crowd() {
    fetches 0 --get a/3M,b/3M --rate 1000000 --crowd 500
    says "505 other connections are open"
    says "2 done; 6.0 MB"
    local rc=0
    ((EUID != 0)) || return 0 # root may raise the limit
    (ulimit -n 150 && exec timeout 50 "$folder/demo-fetch-crowd" --connect 127.0.0.1:1 --idle 1000) 2>"$tmp/crowd.err" || rc=$?
    ((rc == 1)) || die "a crowd beyond the limit ended with $rc"
    grep -q "1100 connections need 1200 open files, and the system allows 150" "$tmp/crowd.err" || die "it should have said why"
}

# The face of curses, on a terminal of its own: the second one is cancelled, and loaded again.
scene_screen() {
    open_screen 140 "$program --get first/1K,second.ogg/40M,missing --rate 4000000"
    until_there "of 40.0 MB" "$tmp/screen.out"
    until_there "there is no missing" "$tmp/screen.out"
    printf '\033OB' >&9 # Down
    printf 'c' >&9
    until_there "cancelled" "$tmp/screen.out"
    printf 'r' >&9
    sleep 1
    printf 'q' >&9
    screen_ends
}

play "${scenes[@]}"
