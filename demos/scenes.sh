# SPDX-License-Identifier: MIT
#
# scenes.sh, to be sourced by fetch/test.sh and irc/test.sh, which have set `demo` to their name: scenes, which are functions
# scene_NAME; what they start and wait for; the end of all that was started. A scene's output is in files of $tmp that end in
# .out and .err, and is shown if it fails.

tmp=$(mktemp -d)
pids=() # of what may have to be ended
export LC_ALL=C.UTF-8

clean_up() {
    local pid
    for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done # what timeout has started gets it, too
    wait 2>/dev/null || true
    rm -rf "$tmp"
}
trap clean_up EXIT

die() {
    echo "$demo: $*"
    local file
    for file in "$tmp"/*.out "$tmp"/*.err; do [[ ! -s $file ]] || sed "s|^|${file##*/}: |" "$file"; done
    exit 1
}

until_there() { # until_there TEXT FILE
    for _ in {1..400}; do
        grep -qaF -- "$1" "$2" 2>/dev/null && return
        sleep 0.05
    done
    die "waited in vain for \"$1\" in ${2##*/}"
}

play() { # play SCENE...
    local scene
    for scene; do
        "scene_$scene"
        pids=()
        rm -f "$tmp"/*
        echo "$demo: $scene: passed"
    done
}

# ---- a server --------------------------------------------------------------------------------------------

server_pid=

start_server() { # start_server COMMAND...: one that says "serving HOST:PORT"; sets port
    : >"$tmp/server.out" # what one before has said is not meant
    "$@" >"$tmp/server.out" 2>"$tmp/server.err" &
    server_pid=$!
    pids+=($!)
    until_there serving "$tmp/server.out"
    port=$(sed -n 's/^serving .*://p' "$tmp/server.out")
}

stop_server() {
    local rc=0
    kill -TERM "$server_pid"
    wait "$server_pid" || rc=$?
    ((rc == 0)) || die "the server ended with $rc"
    [[ ! -s $tmp/server.err ]] || die "the server complained"
}

# ---- a screen --------------------------------------------------------------------------------------------

screen_pid=

open_screen() { # open_screen COLUMNS COMMAND: on a terminal of its own, in $tmp/screen.out; descriptor 9 is its keys
    mkfifo "$tmp/keys"
    TERM=xterm timeout 60 script -qefc "stty cols $1 rows 24; $2" /dev/null <"$tmp/keys" >"$tmp/screen.out" 2>&1 &
    screen_pid=$!
    pids+=($!)
    exec 9>"$tmp/keys"
}

screen_ends() {
    local rc=0
    wait "$screen_pid" || rc=$?
    exec 9>&-
    ((rc == 0)) || die "it ended with $rc"
}
