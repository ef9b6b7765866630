#!/bin/sh
# windows/run.sh PROGRAM [PICTURE [ARGUMENT]...]: runs a program that opens windows on an X server of its own, which has no
# window manager and nobody's settings. PROGRAM is given PICTURE, and has to take a picture of the screen there, and the
# arguments. The screen is as large as SCREEN says.
set -eu

command -v Xvfb >/dev/null || { echo "skipped: there is no Xvfb"; exit 0; }
command -v import >/dev/null || { echo "skipped: there is no import, of ImageMagick"; exit 0; }

program=$1 picture=${2:-} server=
shift $(($# < 2 ? $# : 2))
folder=$(mktemp -d)
leave()
{
    [ -z "$server" ] || { kill "$server" && wait "$server" || :; } 2>/dev/null
    rm -rf "$folder"
}
trap leave EXIT
trap 'exit 1' HUP INT TERM

# The server chooses a number that is free, and says it when it can be used.
mkfifo "$folder/number"
Xvfb -displayfd 3 -screen 0 "${SCREEN:-640x400x24}" -nolisten tcp 3>"$folder/number" >"$folder/log" 2>&1 &
server=$!
number=
read -r number <"$folder/number" || :
[ -n "$number" ] || { echo "Xvfb did not start:"; cat "$folder/log"; exit 1; }

# Neither a bus, nor what a user has set; a toolkit's warning ends the program.
mkdir -m 700 "$folder/home"
unset DBUS_SESSION_BUS_ADDRESS WAYLAND_DISPLAY XAUTHORITY GTK_THEME GTK_MODULES
export DISPLAY=":$number" HOME="$folder/home" XDG_RUNTIME_DIR="$folder/home" XDG_CONFIG_HOME="$folder/home" LC_ALL=C.UTF-8
export GDK_BACKEND=x11 GSK_RENDERER=cairo NO_AT_BRIDGE=1 GTK_A11Y=none GSETTINGS_BACKEND=memory GIO_USE_VFS=local
export QT_QPA_PLATFORM=xcb G_DEBUG=fatal-warnings QT_FATAL_WARNINGS=1
# Not the server's answers: the focus that Qt asks for may come to a window that is not there yet, or any more (BadMatch).
export QT_LOGGING_RULES=qt.qpa.xcb.warning=false

if [ -n "$picture" ]; then
    mkdir -p "$(dirname "$picture")"
    rm -f "$picture"
fi
# Sooner than ctest's patience ends: a script that it kills would leave its server behind.
timeout --foreground -k 5 60 "$program" ${picture:+"$picture"} "$@" || {
    status=$?
    [ $status != 124 ] || echo "It did not end in a minute."
    echo "$program: status $status"
    exit 1
}

if [ -n "$picture" ]; then
    colours=$(identify -format %k "$picture")
    echo "$picture: $colours colours"
    [ "$colours" -ge 16 ] || { echo "There is nothing to see on the picture."; exit 1; }
fi
