#!/usr/bin/env bash
# Lays out Wine 10, .NET for Windows, and oras below the user's cache, without touching the system's own packages. Needs root, apt,
# dpkg, unshare and x86_64-w64-mingw32-gcc. What is there already is left.
set -euo pipefail
. "$(dirname "$0")/places.sh"

made_from=$(cat "$here"/{install.sh,places.sh,dotnet.c,PSModel.Windows.csproj} "$checkout/.config/dotnet-tools.json" | sha256sum)
if [ -f "$ready" ] && [ "$(cat "$ready")" = "$made_from" ]; then
    exit 0
fi

rm -rf "$cache"
mkdir -p "$cache"/apt/{lists,cache/archives}/partial "$root"

# Wine 8 of bookworm does not run .NET: errors in the runtime, and hangs in its garbage collector. So an apt of its own, over
# the machine's source with another suite, and with nothing installed, so that every dependency is brought.
awk -v RS= '/Suites: [a-z]+ [a-z]+-updates/ { sub(/Suites: [^\n]*/, "Suites: trixie"); print; exit }' \
    /etc/apt/sources.list.d/debian.sources > "$cache/apt/trixie.sources"
: > "$cache/apt/status"
cat > "$cache/apt/apt.conf" <<CONF
Dir::Etc::sourcelist "$cache/apt/trixie.sources";
Dir::Etc::sourceparts "-";
Dir::State "$cache/apt";
Dir::State::status "$cache/apt/status";
Dir::Cache "$cache/apt/cache";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Debug::NoLocking "true";
CONF
export APT_CONFIG=$cache/apt/apt.conf
apt-get update -qq
apt-get install -qq -y --download-only wine64 wine bash coreutils dash sed grep libc-bin fonts-wine oras > "$cache/apt/log"
for package in "$cache"/apt/cache/archives/*.deb; do
    dpkg -x "$package" "$root"
done

# bookworm has no oras, which carries image layouts; this one runs there as well.
mkdir -p "$cache/bin"
mv "$root/usr/bin/oras" "$cache/bin"

# As libwine's postinst: a mark makes zlib1.dll one of Wine's own.
zlib=$root/usr/x86_64-w64-mingw32/lib/zlib1.dll
{ head -c 64 "$zlib"; printf 'Wine builtin DLL'; head -c 16 /dev/zero; tail -c +97 "$zlib"; } > "$root/usr/lib/x86_64-linux-gnu/wine/x86_64-windows/zlib1.dll"

echo 'root:x:0:0:root:/root:/bin/bash' > "$root/etc/passwd"
echo 'root:x:0:' > "$root/etc/group"
echo '127.0.0.1 localhost' > "$root/etc/hosts"
rm -rf "$cache/apt" "$root"/usr/share/{doc,man,locale}
chroot "$root" /sbin/ldconfig

# .NET, as its installer lays it out, with a dotnet.exe of ours.
unset APT_CONFIG
dotnet restore "$here/PSModel.Windows.csproj" -v quiet
packages=$(dotnet nuget locals global-packages --list --force-english-output | sed 's/^global-packages: //')
for framework in NETCore WindowsDesktop; do
    for package in "$packages/microsoft.${framework,,}.app.runtime.win-x64"/10.*; do
        version=${package##*/}
        shared=$root/dotnet/shared/Microsoft.$framework.App/$version
        mkdir -p "$shared"
        cp "$package"/runtimes/win-x64/lib/net*/*.{dll,json} "$package"/runtimes/win-x64/native/* "$shared"
        if [ $framework = NETCore ]; then
            mkdir -p "$root/dotnet/host/fxr/$version"
            mv "$shared/hostfxr.dll" "$root/dotnet/host/fxr/$version"
        fi
    done
done
x86_64-w64-mingw32-gcc -municode -O1 -Wall -Werror -o "$root/dotnet/dotnet.exe" "$here/dotnet.c"

# PowerShell, where jobs find pwsh.exe.
(cd "$checkout" && dotnet tool restore -v quiet)
version=$(sed -n 's/.*"version": "\(.*\)".*/\1/p' "$checkout/.config/dotnet-tools.json")
cp -r "$packages/powershell/$version"/tools/net*/any/win "$root/pwsh"
cp "$root/dotnet/dotnet.exe" "$root/pwsh/pwsh.exe"

# C:, in the folder itself rather than in a run's own layer. Without Mono and HTML, which Wine would ask for; no screen; an
# unhandled exception must end its process, where Wine's debugger would wait for ever.
export PSMODEL_WINE_KEEP=yes
WINEDLLOVERRIDES='mscoree,mshtml=' timeout 300 "$here/enter.sh" wineboot -i
timeout 60 "$here/enter.sh" reg add 'HKCU\Software\Wine\Drivers' /v Graphics /d null /f
timeout 60 "$here/enter.sh" reg add 'HKLM\Software\Microsoft\Windows NT\CurrentVersion\AeDebug' /v Auto /d 1 /f
timeout 60 "$here/enter.sh" reg add 'HKLM\Software\Microsoft\Windows NT\CurrentVersion\AeDebug' /v Debugger /d 'none.exe %ld %ld' /f

timeout 60 "$here/enter.sh" dotnet --list-runtimes
timeout 60 "$here/run.sh" pwsh -NoProfile -Command '$PSVersionTable.OS'
echo "$made_from" > "$ready"
