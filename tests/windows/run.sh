#!/usr/bin/env bash
# Runs the tests of a project under Wine, as WineTests does: all that left-out.txt does not name, or the named classes or methods.
#   tests/windows/run.sh PSModel.Core.Tests [PSModel.Core.Tests.CheckpointFileTests ...]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/places.sh"
project=$1
shift
timeout -k 10 1800 "$here/enter.sh" dotnet "$checkout/tests/$project/bin/${CONFIGURATION:-Release}/net10.0/$project.dll" "$@"
