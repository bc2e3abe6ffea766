#!/usr/bin/env bash
# Runs a Windows program on a console of its own, as WineTests does: PowerShell needs one, and so do the programs that it is started
# by. A project's tests are run by their program, all that left-out.txt does not name or the named classes or methods; Pester files
# by PowerShell.
#   tests/windows/run.sh dotnet tests/PSModel.Core.Tests/bin/Release/net10.0/PSModel.Core.Tests.dll PSModel.Core.Tests.ResumeTests
#   tests/windows/run.sh pwsh -NoProfile -File tests/Invoke-PesterFile.ps1 -Pester ~/.nuget/packages/pester/6.2.0/tools/Pester.psd1
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/places.sh"

# The output goes past the console, which has 80 columns.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
printf -v command '%q ' "$here/enter.sh" "$@"
for attempt in 1 2 3; do
    started=$SECONDS
    code=0
    timeout -k 10 1800 script -qec "$command > $log 2>&1" /dev/null < /dev/null > /dev/null || code=$?

    # Wine does not always come up: it ends at once then, without a word. A program for .NET says why it ends.
    if [ $code -eq 0 ] || [ -s "$log" ] || [ $((SECONDS - started)) -gt 1 ] || [ "$attempt" -eq 3 ]; then
        break
    fi

    echo "Wine ended with $code at once, in attempt $attempt." >&2
    sleep $((attempt * 5))
done

cat "$log"
exit $code
