/* What dlsym gives, for a shim that stands in its way itself: .NET looks its functions up by name. Needs _GNU_SOURCE. */
#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>

static void *real_dlsym(void *library, const char *name)
{
    static void *(*next)(void *, const char *);
    const char *versions[] = { "GLIBC_2.34", "GLIBC_2.17", "GLIBC_2.2.5" };
    unsigned i;

    for (i = 0; next == NULL && i < sizeof versions / sizeof *versions; i++) {
        next = dlvsym(RTLD_NEXT, "dlsym", versions[i]);
    }
    if (next == NULL) {
        abort();
    }
    return next(library, name);
}
