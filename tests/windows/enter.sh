#!/usr/bin/env bash
# Runs a Windows program under Wine, in namespaces of its own: when it ends or is killed, all that it started ends too, and what
# it changed of C: is gone. The working folder is the same, below Z:, and dotnet.exe is in the path.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/places.sh"

if [ "${PSMODEL_WINE_INSIDE:-}" != yes ]; then
    PSMODEL_WINE_INSIDE=yes exec unshare --mount --pid --fork --kill-child "${BASH_SOURCE[0]}" "$@"
fi

place=$root
if [ "${PSMODEL_WINE_KEEP:-}" != yes ]; then
    # In memory, where nobody has to remove it.
    mkdir -p "$cache/layer"
    mount -t tmpfs layer "$cache/layer"
    mkdir "$cache"/layer/{changes,work,merged}
    place=$cache/layer/merged
    mount -t overlay layer -o "lowerdir=$root,upperdir=$cache/layer/changes,workdir=$cache/layer/work" "$place"
fi

for folder in /dev /sys /tmp "$HOME" "$checkout"; do
    mkdir -p "$place$folder"
    mount --rbind "$folder" "$place$folder"
done
mkdir -p "$place/proc"
mount -t proc proc "$place/proc"

# Wine's server listens there, and must be found by this run alone.
mkdir -p -m 700 "$place/tmp/.wine-0"
mount -t tmpfs -o mode=700 server "$place/tmp/.wine-0"

# Wine 10 corrupts the registers of AVX-512. No program may outlive the server's word that all is written.
env -i \
    PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 TERM=xterm HOME=/c USER=root WINEPREFIX=/c WINEARCH=win64 WINEDEBUG="${PSMODEL_WINEDEBUG:--all}" WINEPATH='Z:\dotnet;Z:\pwsh' NO_COLOR=1 \
    WINEDLLOVERRIDES="${WINEDLLOVERRIDES-mshtml=}" DOTNET_EnableAVX512=0 DOTNET_CLI_TELEMETRY_OPTOUT=1 POWERSHELL_TELEMETRY_OPTOUT=1 \
    chroot "$place" /bin/bash -c 'cd "$1"; shift; /usr/lib/wine/wine64 "$@"; code=$?; [ "$0" != yes ] || /usr/lib/wine/wineserver64 -k -w; exit $code' \
    "${PSMODEL_WINE_KEEP:-no}" "$PWD" "$@"
