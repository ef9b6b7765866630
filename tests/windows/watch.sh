# windows/watch.sh, to be sourced by fetch.sh and irc.sh, when they have set `picture`: how they watch a window, whose log is a
# file $folder/*.log, and whose complaints are in $folder/*.out; and how they fail.

folder=$(mktemp -d)

# Under the address sanitizer: fontconfig keeps its patterns until the end; Mesa and D-Bus, which Qt would load, theirs.
export LSAN_OPTIONS=suppressions=$folder/lsan:print_suppressions=0
export QT_XCB_GL_INTEGRATION=none DBUS_SESSION_BUS_ADDRESS=disabled:
echo "leak:libfontconfig" >"$folder/lsan"

die()
{
    echo "${0##*/}: $*" >&2
    for file in "$folder"/*.log "$folder"/*.out; do # fetch tells of its crowd each second
        [ ! -s "$file" ] || { echo "--- ${file##*/}"; sed "/^crowd/d" "$file" | tail -n 40; } >&2
    done
    import -window root "${picture%.png}-failed.png" || :
    exit 1
}

# until_true WHAT COMMAND...: for twenty seconds at most.
until_true()
{
    local what=$1
    shift
    for _ in {1..400}; do
        if "$@"; then return; fi
        sleep 0.05
    done
    die "in vain: $what"
}

is_over() { ! kill -0 "$1" 2>/dev/null || [[ $(ps -o stat= -p "$1") == Z* ]]; } # is_over PID

left_nothing() # left_nothing LOG WHO: it has as many descriptors as before
{
    local before after
    read -r before after < <(sed -n 's/^descriptors	-	\([0-9]*\) before, \([0-9]*\) after$/\1 \2/p' "$1")
    echo "$2 has ended; descriptors: $before before, $after after"
    [ "$before" -eq "$after" ] || die "$2 has not as many descriptors as before"
}
