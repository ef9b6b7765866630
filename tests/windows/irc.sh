#!/bin/bash
# windows/irc.sh PICTURE NAME: the windows of demos/irc, by real clicks and keys (xdotool), at Debian's ngircd. To be run by
# windows/run.sh, with the programs in IRC_GTK and IRC_QT. What a window shows is read in the log that --log makes it write;
# the view's own text is taken as a person would, by select all and copy.
#
#   scene-gtk, scene-qt       the scripted scene (demos/irc/scene.c), at the server in the program
#   chat                      both windows on one screen: they talk to each other
#   dialog-gtk, dialog-qt     messages come while the modal dialog is open; then it leads to another connection
#   scroll-gtk, scroll-qt     new lines are scrolled to, but not by somebody who reads old ones
#   restart-gtk, restart-qt   the server is killed and started again
set -euo pipefail

PATH=$PATH:/usr/sbin
for tool in xdotool xclip ngircd; do
    command -v $tool >/dev/null || { echo "skipped: there is no $tool"; exit 0; }
done
picture=$1 name=$2
declare -A pids=() moved=() # of the windows, by toolkit; how far they are from where they opened
ngircd=
. "$(dirname "$0")/watch.sh"

leave()
{
    for pid in "${pids[@]}" $ngircd; do kill -KILL "$pid" && wait "$pid"; done 2>/dev/null || :
    rm -rf "$folder"
}
trap leave EXIT

# ---- the server ------------------------------------------------------------------------------------------

port=
start_ngircd() # at $port again, or at one that is free
{
    local given=$port
    for _ in {1..20}; do
        [ -n "$given" ] || port=$((20000 + RANDOM % 20000))
        cat >"$folder/ngircd.conf" <<END
[Global]
Name = irc.test.invalid
Listen = 127.0.0.1
Ports = $port
MotdPhrase = "Welcome"
[Limits]
MaxConnectionsIP = 0
MaxPenaltyTime = 0
[Options]
DNS = no
Ident = no
PAM = no
SyslogFacility = local1
END
        ngircd -n -f "$folder/ngircd.conf" >"$folder/ngircd.out" 2>&1 &
        ngircd=$!
        for _ in {1..100}; do
            if { true >"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null; then break; fi
            kill -0 "$ngircd" 2>/dev/null || break
            sleep 0.05
        done
        if kill -0 "$ngircd" 2>/dev/null; then return; fi # else the port was somebody's
    done
    die "ngircd does not start"
}

kill_ngircd()
{
    kill -KILL "$ngircd"
    wait "$ngircd" 2>/dev/null || :
    ngircd=
}

# A friend without a window, by hand: connected as descriptor 8.
start_friend() # start_friend NICK
{
    exec 8<>"/dev/tcp/127.0.0.1/$port"
    printf 'NICK %s\r\nUSER %s 0 * :A friend\r\nJOIN #hoya\r\n' "$1" "$1" >&8
}
friend_says() { printf 'PRIVMSG #hoya :%s\r\n' "$1" >&8; }

# ---- a window --------------------------------------------------------------------------------------------

open_window() # open_window TOOLKIT NICK
{
    local program=IRC_${1^^}
    : >"$folder/$1.log"
    "${!program}" --server "127.0.0.1:$port" --nick "$2" --join "#hoya" --log "$folder/$1.log" 2>"$folder/$1.out" &
    pids[$1]=$!
    until_true "$1 shows where its widgets are" has "$1" "place	view	"
}

window_of() { xdotool search --onlyvisible --all --pid "${pids[$1]}" --name "$2" | tail -n 1; }

# together TOOLKIT NICK...: it shows that they are in the channel.
together()
{
    local toolkit=$1
    shift
    until_true "$toolkit shows that $* are there" named "$toolkit" "$@"
}
named()
{
    local line nick
    line=$(sed -n 's/^names	#hoya	//p' "$folder/$1.log" | tail -n 1 | tr -d '@+')
    shift
    for nick; do [[ " $line " == *" $nick "* ]] || return 1; done
}

count_of() { grep -c -- "$2" "$folder/$1.log" || :; }
has() { grep -q -- "$2" "$folder/$1.log"; } # has TOOLKIT LINE
has_more() { [ "$(count_of "$1" "$2")" -gt "$3" ]; } # has_more TOOLKIT LINE THAN
sees() { until_true "$1 shows \"$2\"" has "$1" "$2"; }

in_front() # in_front TOOLKIT [TITLE]
{
    local id
    until_true "$1 has a window ${2:-}" id_of "$1" "${2:-hoya IRC}"
    xdotool windowraise "$id" windowfocus "$id"
}
id_of() { id=$(window_of "$1" "$2" 2>/dev/null) && [ -n "$id" ]; }

click() # click TOOLKIT WIDGET
{
    local x y left top id
    read -r x y < <(sed -n "s/^place	$2	//p" "$folder/$1.log")
    read -r left top <<<"${moved[$1]:-0 0}"
    in_front "$1"
    xdotool mousemove $((x + left)) $((y + top)) click 1
}
keys() { xdotool key --clearmodifiers "$@"; }
types() { xdotool type --delay 8 -- "$1"; } # into what has the focus

says() # says TOOLKIT TEXT: by mouse and keys
{
    click "$1" entry
    types "$2"
    keys Return
}

# Select all, copy: what the view itself has.
view_has() # view_has TOOLKIT TEXT
{
    click "$1" view
    keys ctrl+a ctrl+c
    timeout 5 xclip -o -selection clipboard >"$folder/view.out" 2>/dev/null || return 1
    grep -q -- "$2" "$folder/view.out"
}

take_picture() { sleep 0.4; import -window root "$picture"; }

# Closes it by a key: it ends with 0, has complained of nothing, and has as many descriptors as before.
quit()
{
    local rc=0
    in_front "$1"
    keys ctrl+q
    until_true "$1 ends" is_over "${pids[$1]}"
    wait "${pids[$1]}" || rc=$?
    unset "pids[$1]"
    [ "$rc" = 0 ] || die "$1 ended with $rc"
    [ ! -s "$folder/$1.out" ] || die "$1 complained"
    left_nothing "$folder/$1.log" "$1"
}

# ---- what is tested --------------------------------------------------------------------------------------

scene() # scene TOOLKIT
{
    local program=IRC_${1^^}
    "${!program}" --scene "$picture" --log "$folder/$1.log" || die "the scene failed"
    for what in chat dialog; do
        [ "$(identify -format %k "${picture%.png}-$what.png")" -ge 64 ] || die "there is nothing to see in the picture"
    done
    cp "${picture%.png}-chat.png" "$picture"
}

chat()
{
    start_ngircd
    open_window gtk gina
    sees gtk "^state	online"
    open_window qt quinn
    xdotool windowmove "$(window_of qt 'hoya IRC')" 930 40
    moved[qt]="930 40"
    sees qt "^state	online"
    together gtk gina quinn

    says gtk "Hello from GTK"
    sees qt "^line	#hoya	gina: Hello from GTK"
    says qt "Hello from Qt"
    sees gtk "^line	#hoya	quinn: Hello from Qt"
    click qt entry
    types "gi"
    keys Tab
    types "this is by Tab"
    keys Return
    sees gtk "^line	#hoya	quinn: gina: this is by Tab"
    click gtk entry
    keys Up
    types ", twice"
    keys Return
    sees qt "^line	#hoya	gina: Hello from GTK, twice"
    says gtk "/msg quinn a secret"
    sees qt "^line	gina	gina: a secret"

    for toolkit in gtk qt; do
        until_true "the view of $toolkit has it all" view_has "$toolkit" "Hello from GTK, twice"
        grep -q "quinn: *gina: this is by Tab\|quinn  gina: this is by Tab" "$folder/view.out" || die "$toolkit lacks a line"
    done
    take_picture
    quit qt
    sees gtk "quinn .*\(quit\|left\|gone\)"
    quit gtk
}

dialog() # dialog TOOLKIT
{
    start_ngircd
    open_window "$1" gina
    sees "$1" "^state	online"
    start_friend fred
    together "$1" fred gina

    click "$1" connect
    sees "$1" "^dialog	-	open"
    in_front "$1" "Connect to a server"
    friend_says "can you read this"
    friend_says "and this"
    sees "$1" "^line	#hoya	fred: can you read this"
    sees "$1" "^line	#hoya	fred: and this"
    ! has "$1" "^dialog	-	closed" || die "the dialog is closed too early"
    take_picture
    keys Escape
    sees "$1" "^dialog	-	closed"
    until_true "they are in the view" view_has "$1" "and this"

    # Once more; and now to connect under another name.
    local before
    before=$(count_of "$1" "^dialog	-	open")
    click "$1" connect
    until_true "the dialog is open again" has_more "$1" "^dialog	-	open" "$before"
    in_front "$1" "Connect to a server"
    keys alt+n
    keys ctrl+a
    types greta
    keys Return
    together "$1" fred greta
    friend_says "welcome back"
    sees "$1" "^line	#hoya	fred: welcome back"
    click "$1" disconnect
    sees "$1" "^state	offline"
    sees "$1" "^spinner	-	off"
    quit "$1"
}

# What the middle of the view looks like: a number that is another one when that changes.
look() # look TOOLKIT
{
    local x y
    read -r x y < <(sed -n "s/^place	view	//p" "$folder/$1.log")
    sleep 0.5 # a toolkit may scroll slowly
    import -window root -crop "400x300+$((x - 200))+$((y - 150))" rgb:- | cksum
}

hears() # hears TOOLKIT LINE: from the friend
{
    friend_says "$2"
    sees "$1" "^line	#hoya	fred: $2$"
}

moves() # moves TOOLKIT BEFORE WHAT_ELSE: the view shows something else than it did, before long
{
    local i
    for i in {1..10}; do
        [ "$(look "$1")" = "$2" ] || return 0
    done
    die "$3"
}

scroll() # scroll TOOLKIT
{
    local before after
    start_ngircd
    open_window "$1" gina
    sees "$1" "^state	online"
    start_friend fred
    together "$1" fred gina
    for i in {1..60}; do friend_says "line $i"; done
    sees "$1" "^line	#hoya	fred: line 60$"

    click "$1" view
    before=$(look "$1")
    hears "$1" "this is scrolled to"
    moves "$1" "$before" "the view does not follow"
    before=$(look "$1")
    xdotool click --repeat 8 --delay 30 4 # the wheel, upwards
    moves "$1" "$before" "the wheel does nothing"
    after=$(look "$1")
    hears "$1" "nobody looks at this"
    [ "$(look "$1")" = "$after" ] || die "somebody reads, and the view goes away"
    xdotool click 1
    [ "$(look "$1")" = "$after" ] || die "a click, and the view goes away"
    take_picture
    xdotool click --repeat 60 --delay 30 5
    before=$(look "$1")
    hears "$1" "this is scrolled to again"
    moves "$1" "$before" "the view does not follow any more"
    quit "$1"
}

restart() # restart TOOLKIT
{
    start_ngircd
    open_window "$1" gina
    together "$1" gina
    local online joined
    online=$(count_of "$1" "^state	online")
    joined=$(count_of "$1" "^names	#hoya	.*gina")
    kill_ngircd
    sees "$1" "^trouble"
    sees "$1" "^state	waiting"
    until_true "the spinner turns" last_is "$1" spinner on
    take_picture
    start_ngircd
    until_true "it is online again" has_more "$1" "^state	online" "$online"
    until_true "it is in the channel again" has_more "$1" "^names	#hoya	.*gina" "$joined"
    until_true "the spinner is gone" last_is "$1" spinner off
    start_friend fred
    together "$1" fred gina
    friend_says "there you are"
    sees "$1" "^line	#hoya	fred: there you are"
    says "$1" "here I am"
    sees "$1" "^line	#hoya	gina: here I am"
    quit "$1"
}
last_is() { [ "$(sed -n "s/^$2	-	//p" "$folder/$1.log" | tail -n 1)" = "$3" ]; }

case $name in
scene-*) scene "${name#*-}" ;;
chat) chat ;;
dialog-*) dialog "${name#*-}" ;;
scroll-*) scroll "${name#*-}" ;;
restart-*) restart "${name#*-}" ;;
*) die "there is no test $name" ;;
esac
