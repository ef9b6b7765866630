#!/bin/bash
# windows/fetch.sh PICTURE NAME: the windows of demos/fetch. To be run by windows/run.sh, with the program in FETCH. What a
# window shows is read in the log that --log makes it write.
#
#   scene     the scripted scene (demos/fetch/scene.c)
#   clicks    real clicks and keys (xdotool): cancel and again, ten more, the crowd, the end
#   twice     it is closed, and once more before that is over
#   freeze    --frames can fail: a window that stands still for a while, a crowd that is gone, or that never comes
set -euo pipefail

command -v xdotool >/dev/null || { echo "skipped: there is no xdotool"; exit 0; }
picture=$1 name=$2 pid=
. "$(dirname "$0")/watch.sh"

leave()
{
    [ -z "$pid" ] || { kill -KILL "$pid" && wait "$pid"; } 2>/dev/null || :
    rm -rf "$folder"
}
trap leave EXIT

# ---- a window --------------------------------------------------------------------------------------------

open_window() # open_window OPTION...
{
    : >"$folder/window.log"
    "$FETCH" --log "$folder/window.log" "$@" 2>"$folder/window.out" &
    pid=$!
    until_true "it shows where its widgets are" has "^place	more	"
}

has() { grep -q -- "$1" "$folder/window.log"; }
times() { [ "$(grep -c -- "$1" "$folder/window.log")" -ge "$2" ]; } # times LINE COUNT
sees() { until_true "it shows \"$1\"${2:+ $2 times}" times "^$1" "${2:-1}"; } # sees LINE [COUNT]

in_front()
{
    local id
    id=$(xdotool search --onlyvisible --all --pid "$pid" --name "hoya Fetch" | tail -n 1)
    xdotool windowraise "$id" windowfocus "$id"
}

click() # click WIDGET
{
    local x y
    read -r x y < <(sed -n "s/^place	$1	//p" "$folder/window.log")
    in_front
    xdotool mousemove "$x" "$y" click 1
}

# Closes it by a key.
quit()
{
    in_front
    xdotool key --clearmodifiers ctrl+q
    has_ended 0
    [ ! -s "$folder/window.out" ] || die "it complained"
    left_nothing "$folder/window.log" it
}

has_ended() # has_ended STATUS
{
    local rc=0
    until_true "it ends" is_over "$pid"
    wait "$pid" || rc=$?
    pid=
    [ "$rc" = "$1" ] || die "it ended with $rc"
}

# ---- what is tested --------------------------------------------------------------------------------------

scene()
{
    "$FETCH" --scene "$picture" --log "$folder/window.log" --idle 500 --busy 20 || die "the scene failed"
    for what in loading crowd "done"; do
        [ "$(identify -format %k "${picture%.png}-$what.png")" -ge 64 ] || die "there is nothing to see in the picture"
    done
    cp "${picture%.png}-loading.png" "$picture"
}

# Slowly, so that a click comes in the middle of a download.
clicks()
{
    open_window --rate 1000000 --idle 120 --busy 30
    sees "loading	orchids.mkv/24M"
    click orchids.mkv
    sees "cancelled	orchids.mkv/24M"
    click orchids.mkv
    sees "loading	orchids.mkv/24M" 2
    click orchids.mkv
    sees "cancelled	orchids.mkv/24M" 2
    sees "failed	missing	."
    click missing
    sees "failed	missing	." 2

    click crowd
    sees "complete"
    sees "crowd	-	150 open, [1-9]"
    sleep 0.3
    import -window root "$picture"
    click crowd
    sees "gone"
    click crowd
    sees "complete" 2
    click more
    sees "added	photo-22.jpg/4M"
    quit
}

# Two signals at once: the second one does not wait for what the first one has begun.
twice()
{
    local child
    open_window --rate 1000000 --idle 120 --busy 30
    click crowd
    sees "complete"
    import -window root "$picture"
    child=$(pgrep -P "$pid")
    kill -STOP "$pid"
    until_true "it stands still" stands_still
    kill -TERM "$pid"
    kill -INT "$pid"
    kill -CONT "$pid"
    has_ended 0
    [ ! -s "$folder/window.out" ] || die "it complained"
    left_nothing "$folder/window.log" it
    ! kill -0 "$child" 2>/dev/null || die "the other process is still there"
}
stands_still() { [[ $(ps -o stat= -p "$pid") == T* ]]; }

measures() # measures SECONDS: until the run beside the crowd has begun
{
    open_window --frames --seconds "$1" --idle 100 --busy 10 >"$folder/table"
    sees "complete"
    sleep 1.3
}

# Of three seconds it moves in two: more than a hundred frames are as they should be.
freeze()
{
    measures 3
    import -window root "$picture"
    kill -STOP "$pid"
    sleep 1
    kill -CONT "$pid"
    has_ended 1
    cat "$folder/table"
    for what in "from one frame to the next" late; do # hundreds of milliseconds
        grep -q ", $what, 99 %: [0-9]\{3,\}\..*: NOT GOOD$" "$folder/table" || die "it has not seen that it stood still"
    done

    measures 2
    kill -KILL "$(pgrep -P "$pid")"
    has_ended 1
    cat "$folder/window.out"
    grep -q "cannot measure the frames: .*the other process has ended" "$folder/window.out" || die "it has not seen that all are gone"

    FETCH_CROWD=/bin/false open_window --frames --seconds 1
    has_ended 1
    grep -q "cannot measure the frames: .*the other process has ended" "$folder/window.out" || die "it has not seen that none come"
}

case $name in
scene) scene ;;
clicks) clicks ;;
twice) twice ;;
freeze) freeze ;;
*) die "there is no test $name" ;;
esac
