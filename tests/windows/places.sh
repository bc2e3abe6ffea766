# Where Wine and .NET for Windows lie: outside of the checkout. Sourced.

# shellcheck disable=SC2034
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
checkout=$(cd "$here/../.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/psmodel-wine

# Debian trixie's Wine with all that it needs, made a root folder of its own; Windows' C: and .NET lie in it.
root=$cache/root

# Says that all of it is there, and from what it was made.
ready=$cache/ready
