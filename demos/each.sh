# SPDX-License-Identifier: MIT
#
# each.sh, to be sourced by run.sh: what each demo does, as a function demo_NAME. Before them: a server that can be started and
# stopped, and the end of all that was started. A step that fails says so in a sentence and ends the script with 1.

# ---- a server that can be started and stopped --------------------------------------------------------------

server_pid=
display_pid=
port=

start_server() { # start_server HOST [PROGRAM]; sets server_pid and port
    : >"$tmp/server" # the background job may not have opened it when we look
    "${2:-$server}" --host "$1" --listen 127.0.0.1:0 >"$tmp/server" 2>"$tmp/server.errors" &
    server_pid=$!
    for _ in {1..200}; do
        port=$(sed -n 's/^listening on 127\.0\.0\.1:\([0-9]*\) .*/\1/p' "$tmp/server")
        [[ -n $port ]] && return
        kill -0 "$server_pid" 2>/dev/null || break
        sleep 0.05
    done
    cat "$tmp/server.errors" >&2
    die "the echo server does not start under $1"
}

stop_server() { # its statistics are in $tmp/server then
    local pid=$server_pid rc=0
    server_pid=
    kill -TERM "$pid"
    for _ in {1..200}; do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.05
    done
    if kill -KILL "$pid" 2>/dev/null; then die "the echo server does not end on SIGTERM"; fi
    wait "$pid" || rc=$?
    ((rc == 0)) || die "the echo server ended with $rc: $(cat "$tmp/server.errors")"
    [[ ! -s $tmp/server.errors ]] || die "the echo server complained: $(cat "$tmp/server.errors")"
}

clean_up() {
    if [[ -n $server_pid ]]; then
        kill -KILL "$server_pid" || true
        wait "$server_pid" || true
    fi 2>/dev/null
    if [[ -n ${redis_pid:-} ]]; then kill -KILL "$redis_pid" 2>/dev/null || true; fi
    if [[ -n ${forward_pid:-} ]]; then kill -KILL "$forward_pid" 2>/dev/null || true; fi
    if [[ -n $display_pid ]]; then
        kill "$display_pid" || true
        wait "$display_pid" || true
    fi 2>/dev/null
    rm -rf "$tmp"
}

# ---- echo --------------------------------------------------------------------------------------------------

# A file goes through a client that hoya did not write, and comes back the same. The client ends its sending side at
# the end of the file; the server sends what is left and closes, else the client would wait until `timeout` ends it.
drive_foreign() { # drive_foreign NAME COMMAND...
    local name=$1
    shift
    timeout 60 "$@" <"$tmp/file" >"$tmp/back" || die "$name failed or did not end"
    cmp "$tmp/file" "$tmp/back" || die "$name got other bytes back than it had sent"
}

# field PATTERN FILE: the number that stands for \(...\) in the pattern
field() { sed -n "s|.*$1.*|\1|p" "$2"; }

echo_under() { # echo_under HOST PROGRAM [WORD]: adds a line to $tmp/table
    local bytes served peak ticks seconds
    bytes=$(stat -c %s "$tmp/file")

    start_server "$1" "$2"
    say "$1${3:+, $3}: socat and netcat, $bytes bytes each"
    drive_foreign socat socat -t 60 - "TCP:127.0.0.1:$port"
    drive_foreign netcat nc -N 127.0.0.1 "$port"
    stop_server

    start_server "$1" "$2"
    say "$1${3:+, $3}: $connections connections at once, $messages x $size bytes each"
    "$client" --host "$1" --connect "127.0.0.1:$port" --connections "$connections" --messages "$messages" \
        --size "$size" >"$tmp/client" || die "the client failed under $1"
    stop_server
    sed 's/^/    client: /' "$tmp/client"
    sed -n 's/^served/    server: served/p' "$tmp/server"

    # The server's count has the last word on "together".
    served=$(field 'served \([0-9]*\) connections' "$tmp/server")
    peak=$(field 'peak \([0-9]*\) open' "$tmp/server")
    ((served == connections && peak == connections)) ||
        die "the server served $served connections, $peak of them together, and should have $connections"

    # A host beside the loop must have lived meanwhile: 0.59 s without the dot is 59 ticks, at least a quarter came.
    ticks=$(field 'host ticks \([0-9a-z]*\)' "$tmp/server")
    seconds=$(field ' \([0-9.]*\) s,' "$tmp/client")
    [[ $1 == native ]] || ((ticks * 4 >= 10#${seconds/./})) ||
        die "the timer of $1 itself ticked only $ticks times in $seconds s"

    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$1${3:+, $3}" "2 x $bytes same" "$connections" \
        "$(field 'B: \([0-9]*\) bytes' "$tmp/client")" "$(field ' \([0-9]*\) differences' "$tmp/client")" \
        "$seconds" "$(field ' \([0-9]*\) messages/s' "$tmp/client")" "${ticks/none/-}" >>"$tmp/table"
}

demo_echo() {
    head -c $((1024 * 1024 + 37)) /dev/urandom >"$tmp/file"
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' host socat+netcat connections 'bytes compared' differences seconds \
        messages/s 'host ticks meanwhile' >"$tmp/table"
    for h in "${hosts[@]}"; do
        echo_under "$h" "$server"
        echo_under "$h" "$protocol" protocol
        echo_under "$h" "$plain" sock
        echo_under "$h" "$stream" stream
    done
    echo
    print_table <"$tmp/table"
}

# Columns as wide as their widest entry, numbers to the right.
print_table() {
    awk -F '\t' '
        { for (i = 1; i <= NF; i++) { cell[NR, i] = $i; if (length($i) > width[i]) width[i] = length($i) } }
        END {
            for (r = 1; r <= NR; r++) {
                line = ""
                for (i = 1; i <= NF; i++) line = line sprintf(i == 1 ? "%-*s" : " | %*s", width[i], cell[r, i])
                print line
                if (r == 1) { gsub(/[^|]/, "-", line); gsub(/\|/, "+", line); print line }
            }
        }'
}

# ---- forward -----------------------------------------------------------------------------------------------

forward_pid=

# A file through the forwarder and the echo behind it, by socat, netcat and the client with a hundred connections.
forward_under() { # forward_under HOST
    local way rc=0
    start_server "$1" "$protocol"
    : >"$tmp/forward"
    "$forward" --host "$1" --listen 127.0.0.1:0 --to "127.0.0.1:$port" >"$tmp/forward" 2>&1 &
    forward_pid=$!
    for _ in {1..200}; do
        way=$(sed -n 's/^listening on 127\.0\.0\.1:\([0-9]*\) .*/\1/p' "$tmp/forward")
        [[ -z $way ]] || break
        sleep 0.05
    done
    [[ -n $way ]] || { cat "$tmp/forward" >&2; die "the forwarder does not start under $1"; }
    drive_foreign socat socat -t 60 - "TCP:127.0.0.1:$way"
    drive_foreign netcat nc -N 127.0.0.1 "$way"
    "$client" --host "$1" --connect "127.0.0.1:$way" --connections 100 --messages "$messages" --size "$size" \
        >"$tmp/client" || die "the client failed through the forwarder under $1"
    kill -TERM "$forward_pid"
    wait "$forward_pid" || rc=$?
    forward_pid=
    ((rc == 0)) || die "the forwarder ended with $rc: $(cat "$tmp/forward")"
    stop_server
    echo "  $1: $(sed -n 's/^forwarded //p' "$tmp/forward"), all of them the same"
}

demo_forward() {
    head -c $((1024 * 1024 + 37)) /dev/urandom >"$tmp/file"
    for h in "${hosts[@]}"; do forward_under "$h"; done
}

# ---- chat ----------------------------------------------------------------------------------------------------

demo_chat() {
    for h in "${hosts[@]}"; do
        printf '  '
        "$root/demos/chat/check.sh" "$build/demos/demo-chat" "$h" || die "they did not see what they should under $h"
    done
}

# ---- redis -------------------------------------------------------------------------------------------------

redis_pid=

# A server with nothing in it for each host, on a Unix socket in our folder.
redis_under() { # redis_under HOST
    local folder=$tmp/redis-$1 answer=
    mkdir "$folder"
    redis-server --port 0 --unixsocket "$folder/socket" --dir "$folder" --save '' --appendonly no >"$folder/log" 2>&1 &
    redis_pid=$!
    for _ in {1..200}; do
        answer=$(redis-cli -s "$folder/socket" ping 2>/dev/null) && [[ $answer == PONG ]] && break # the socket is there before it listens
        sleep 0.05
    done
    [[ $answer == PONG ]] || { cat "$folder/log" >&2; die "redis-server does not start"; }
    timeout 60 "$build/demos/demo-redis" --host "$1" --socket "$folder/socket" >"$tmp/out" || {
        cat "$tmp/out"
        die "hiredis did not get its answers under $1"
    }
    sed 's/^/  /' "$tmp/out"
    kill -TERM "$redis_pid"
    wait "$redis_pid" || die "redis-server ended with $?"
    redis_pid=
}

demo_redis() {
    for h in "${hosts[@]}"; do redis_under "$h"; done
}

# ---- ping --------------------------------------------------------------------------------------------------

demo_ping() {
    for h in "${hosts[@]}"; do
        start_server "$h" "$ping"
        echo "  $h: $("$ping" --host "$h" --to "127.0.0.1:$port" --count 50)" || die "no datagram came back under $h"
        stop_server
    done
}

# ---- swap --------------------------------------------------------------------------------------------------

demo_swap() {
    local rc=0 h
    timeout 60 "$swap" >"$tmp/swap" || rc=$?
    cat "$tmp/swap"
    ((rc == 0)) || die "the program does not do the same under every host"
    for h in "${hosts[@]}"; do
        grep -q "^$h " "$tmp/swap" || die "the program did not run under $h"
    done
}

# ---- dialog ------------------------------------------------------------------------------------------------

start_display() { # one that is there already is good enough
    [[ -z ${DISPLAY:-} ]] || return 0
    local number
    mkfifo "$tmp/display"
    Xvfb -displayfd 3 -screen 0 960x860x24 -nolisten tcp 3>"$tmp/display" >"$tmp/Xvfb" 2>&1 &
    display_pid=$!
    read -r number <"$tmp/display" || { cat "$tmp/Xvfb" >&2; die "Xvfb does not start"; }
    export DISPLAY=:$number
}

dialog_of() { # dialog_of gtk|qt
    local picture=$build/dialog-$1.png
    rm -f "$picture"
    QT_QPA_PLATFORM=xcb GDK_BACKEND=x11 NO_AT_BRIDGE=1 timeout 60 "$build/demos/demo-dialog-$1" "$picture" 2>"$tmp/errors" ||
        { cat "$tmp/errors" >&2; die "the other tasks did not go on, or the picture could not be taken"; }
    echo "    ${picture#"$root"/}"
}

demo_dialog() {
    [[ $host == @(all|glib|qt) ]] || { say "$host has no dialogs"; return; }
    start_display
    [[ $host == qt ]] || dialog_of gtk
    [[ $host == glib ]] || dialog_of qt
}

# ---- irc, in the terminal ------------------------------------------------------------------------------------

# With a terminal it is the user's; its own server is in it.
demo_irc-term() {
    if seated; then
        "$build/demos/demo-irc-term" || die "the client did not end well"
    else
        "$root/demos/irc/test.sh" "$build/demos/demo-irc-term" first-run embedded restart nonsense ||
            die "the clients did not say what they should"
    fi
}

# ---- irc, in a window -----------------------------------------------------------------------------------------

# On a display it is the user's; on our own it plays its scene.
irc_of() { # irc_of gtk|qt
    if displayed && [[ -z $display_pid ]]; then
        "$build/demos/demo-irc-$1" || die "the client did not end well"
        return
    fi
    local picture=$build/irc-$1.png
    rm -f "$build/irc-$1"-*.png
    start_display
    QT_QPA_PLATFORM=xcb GDK_BACKEND=x11 NO_AT_BRIDGE=1 timeout -k 5 60 "$build/demos/demo-irc-$1" --scene "$picture" ||
        die "the scene was not as it should be"
    for picture in "$build/irc-$1"-*.png; do echo "    ${picture#"$root"/}"; done
}

# Which one belongs to this desktop, and needs the least waiting? Qt may not know Wayland; of the two it is sooner installed.
window_here() {
    if [[ -z ${DISPLAY:-} ]]; then echo irc-gtk
    elif [[ ${XDG_CURRENT_DESKTOP:-} == @(*KDE*|*LXQt*) ]]; then echo irc-qt
    elif pkg-config --exists gtk+-3.0; then echo irc-gtk
    elif pkg-config --exists Qt5Widgets; then echo irc-qt
    elif [[ $(/sbin/ldconfig -p) == *libgtk-3.so* ]]; then echo irc-gtk
    else echo irc-qt
    fi 2>/dev/null
}

demo_irc-gtk() { irc_of gtk; }
demo_irc-qt() { irc_of qt; }

# ---- fetch -------------------------------------------------------------------------------------------------

# With a terminal it is the user's; its own server is in it.
demo_fetch-term() {
    if seated; then
        "$build/demos/demo-fetch-term" || die "the downloads did not end well"
    else
        "$root/demos/fetch/test.sh" "$build/demos/demo-fetch-term" scene lines crowd || die "the downloads were not as they should be"
    fi
}

window_of_fetch() { # window_of_fetch gtk|qt OPTION...: on a display, or on an X server of its own
    local toolkit=$1
    shift
    QT_QPA_PLATFORM=xcb GDK_BACKEND=x11 NO_AT_BRIDGE=1 timeout -k 5 300 "$build/demos/demo-fetch-$toolkit" "$@"
}

fetch_of() { # fetch_of gtk|qt
    local picture=$build/fetch-$1.png
    if displayed && [[ -z $display_pid ]]; then
        "$build/demos/demo-fetch-$1" || die "the downloads did not end well"
        return
    fi
    rm -f "$build/fetch-$1"*.png
    start_display
    window_of_fetch "$1" --scene "$picture" || die "the scene was not as it should be"
    for picture in "$build/fetch-$1"*.png; do echo "    ${picture#"$root"/}"; done
}

# One table: the heading of the first alone, and the verdicts at the end.
frames_of_fetch() { # frames_of_fetch TOOLKIT...
    local toolkit rc=0
    start_display
    for toolkit; do
        say "the frames of the window of $toolkit, for a minute"
        window_of_fetch "$toolkit" --frames >"$tmp/frames-$toolkit" || rc=$?
        cat "$tmp/frames-$toolkit" >>"$tmp/frames"
    done
    awk '/: (good|NOT GOOD)$/ { verdicts = verdicts "\n" $0; next } !told[$0]++; END { print verdicts }' "$tmp/frames"
    ((rc == 0)) || ! grep -q "NOT GOOD" "$tmp/frames" || die "frames come later beside the connections"
    ((rc == 0)) || die "the frames could not be measured"
}

demo_fetch-gtk() { if [[ $frames == yes ]]; then frames_of_fetch gtk; else fetch_of gtk; fi; }
demo_fetch-qt() { if [[ $frames == yes ]]; then frames_of_fetch qt; else fetch_of qt; fi; }

demo_fetch() {
    local -a toolkits=()
    local toolkit
    [[ $host != @(all|glib) ]] || toolkits+=(gtk)
    [[ $host != @(all|qt) ]] || toolkits+=(qt)
    if [[ $frames == yes ]]; then
        frames_of_fetch "${toolkits[@]}"
    elif displayed && [[ -z $display_pid ]] && ((${#toolkits[@]})); then
        ((${#toolkits[@]} == 1)) || toolkits=("$(window_here | sed 's/irc-//')")
        fetch_of "${toolkits[0]}"
    else
        for toolkit in "${toolkits[@]}"; do fetch_of "$toolkit"; done
        demo_fetch-term
    fi
}

# ---- tour --------------------------------------------------------------------------------------------------

# The words at the head of the source, what the program prints, and whether that is what it should print.
step_of_tour() { # step_of_tour SOURCE [TOOLKIT]
    local name program
    name=$(basename "$1" .c) program=tour-$(basename "$1" .c)${2:+-$2}
    [[ $2 == qt && $host != qt ]] || sed -n '/^ \* tour [0-9]*:/,/^ \*\//{s/^ \*\/$//;s/^ \* \{0,1\}//;p}' "$1"
    QT_QPA_PLATFORM=xcb GDK_BACKEND=x11 NO_AT_BRIDGE=1 timeout 60 "$build/demos/$program" >"$tmp/out" 2>"$tmp/errors" ||
        { cat "$tmp/out" "$tmp/errors" >&2; die "$program failed"; }
    sed 's/^/    /' "$tmp/out"
    # Of the hosts that are not there nothing is expected.
    grep -F -f <([[ $name != 20_* ]] || sed 's/:.*/:/' "$tmp/out") "$root/demos/tour/expected/$name.txt" >"$tmp/expected" ||
        cp "$root/demos/tour/expected/$name.txt" "$tmp/expected"
    diff -u "$tmp/expected" "$tmp/out" || die "$program should have printed something else"
    echo "    (demos/tour/$name.c${2:+, $2})"
    echo
}

demo_tour() {
    local source
    for source in "$root"/demos/tour/[0-9]*.c; do
        [[ -z $step || $(basename "$source") == $(printf %02d "$step")_* ]] || continue
        if [[ $source != */21_* ]]; then
            step_of_tour "$source" ""
            continue
        fi
        [[ $host == @(all|glib|qt) ]] || { echo "  the modal dialog of tour 21 wants a toolkit: --host glib or qt"; continue; }
        start_display
        [[ $host == qt ]] || step_of_tour "$source" gtk
        [[ $host == glib ]] || step_of_tour "$source" qt
    done
}

# ---- million -----------------------------------------------------------------------------------------------

demo_million() {
    local room wanted=$((tasks * 6)) # KiB, with some to spare
    room=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo)
    ((room > wanted)) || die "$tasks tasks want about $((wanted / 1024)) MiB, and there are $((room / 1024)) MiB: --tasks says how many"
    timeout 300 "$build/demos/demo-million" "$tasks" || die "not all tasks slept and woke up"
}

# ---- errors ------------------------------------------------------------------------------------------------

# Runs a program that is to fail: with the exit code EXPECTED, and one sentence that begins with the program's name.
expect_failure() { # expect_failure EXPECTED PROGRAM OPTION...
    local expected=$1 program=$2 name rc=0
    shift 2
    name=echo-${program##*-}
    timeout 60 "$program" "$@" >"$tmp/out" 2>"$tmp/sentence" || rc=$?
    printf '  $ %s %s\n    %s\n    exit code %d\n' "$name" "$*" "$(cat "$tmp/sentence")" "$rc"
    ((rc != 0)) || die "that should have failed"
    ((rc == expected)) || die "the exit code should be $expected"
    [[ $(wc -l <"$tmp/sentence") == 1 && $(cat "$tmp/sentence") == "$name: "* ]] ||
        die "that should be one sentence of $name"
}

errors_under() { # errors_under HOST
    local h=$1
    echo "host $h:"

    expect_failure 1 "$server" --host "$h" --listen no-such-host.invalid:7007
    expect_failure 1 "$server" --host "$h" --listen 192.0.2.1:7007 # an address for documents, never this machine's
    start_server "$h"
    expect_failure 1 "$server" --host "$h" --listen "127.0.0.1:$port"
    kill -STOP "$server_pid" # the kernel still opens connections for it, but nobody answers
    expect_failure 1 "$client" --host "$h" --connect "127.0.0.1:$port" --connections 10 --timeout 1
    kill -CONT "$server_pid"
    stop_server
    expect_failure 1 "$client" --host "$h" --connect "127.0.0.1:$port" # nobody listens there any more
    expect_failure 1 "$client" --host "$h" --connect no-such-host.invalid:7007
}

demo_errors() {
    echo "the command line:"
    expect_failure 2 "$server" --host windows
    expect_failure 2 "$server" --no-such-option
    expect_failure 2 "$server" --listen
    expect_failure 2 "$server" --listen 127.0.0.1
    expect_failure 2 "$server" --listen 127.0.0.1:70000
    expect_failure 2 "$server" nonsense
    expect_failure 2 "$client" --connections many
    for h in "${hosts[@]}"; do errors_under "$h"; done
}
