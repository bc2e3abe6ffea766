#!/usr/bin/env bash
# Runs a Windows program on a console of its own, as WineTests does: PowerShell needs one, and so do the programs that it is started
# by. A project's tests are run by their program, all that left-out.txt does not name or the named classes or methods; Pester files
# by PowerShell.
#   tests/windows/run.sh dotnet tests/PSModel.Core.Tests/bin/Release/net10.0/PSModel.Core.Tests.dll PSModel.Core.Tests.ResumeTests
#   tests/windows/run.sh pwsh -NoProfile -File tests/Invoke-PesterFile.ps1 -Pester ~/.nuget/packages/pester/6.2.0/tools/Pester.psd1
# After PSMODEL_WINE_PATIENCE seconds, half an hour where that is not set, it is ended with code 124 and what it wrote is shown.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/places.sh"

# The output goes past the console, which has 80 columns.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
printf -v command '%q ' "$here/enter.sh" "$@"
code=0
# The command is quoted for bash: script would hand it to the user's shell, or to sh where none is named, as in CI.
SHELL=$BASH timeout -k 10 "${PSMODEL_WINE_PATIENCE:-1800}" script -qec "$command > $log 2>&1" /dev/null < /dev/null > /dev/null || code=$?

cat "$log"
exit $code
