# tests/install.sh, to be sourced: install_packages WHO PACKAGE...: installs the Debian packages that are missing, as root
# or through sudo, and says so. Ends the script, in the name of WHO, if that cannot be done.

install_packages()
{
    who=$1
    shift
    command -v dpkg-query >/dev/null || { echo "This is no Debian; hoya needs what Debian calls: $*"; return 0; }
    missing=
    for package; do
        dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q ' ok installed$' || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0

    sudo=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null ||
            { echo "$who: these packages are missing, and there is no sudo to install them:$missing" >&2; exit 2; }
        sudo=sudo
    fi
    echo "Installing Debian packages${sudo:+ through sudo}:$missing"
    get() { $sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@"; }
    apt-cache show $missing >/dev/null 2>&1 || get update
    get install -y --no-install-recommends $missing >/dev/null ||
        { get update && get install -y --no-install-recommends $missing >/dev/null; } ||
        { echo "$who: these packages could not be installed:$missing" >&2; exit 2; }
}
