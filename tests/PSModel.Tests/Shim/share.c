/*
 * One of several machines that share a folder, as with NFS or FUSE whose locks stay on each machine: the file system says that
 * it is NFS, a lock is seen by the processes of one machine alone, and the start of the machine has a number of its own. Loaded
 * with LD_PRELOAD; .NET's calls are met, and those of P/Invoke, which go by way of dlsym.
 *
 * PSMODEL_SHIM_HOST    the machine's number
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "dlsym.h"

#define BOOT "/proc/sys/kernel/random/boot_id"
#define NFS_SUPER_MAGIC 0x6969

static int host(void)
{
    const char *number = getenv("PSMODEL_SHIM_HOST");

    return number == NULL ? 0 : atoi(number);
}

/* Each machine locks another byte, and does not see the others. */
int flock(int fd, int operation)
{
    struct flock range = { .l_whence = SEEK_SET, .l_start = host(), .l_len = 1 };

    range.l_type = (operation & LOCK_UN) != 0 ? F_UNLCK : (operation & LOCK_SH) != 0 ? F_RDLCK : F_WRLCK;
    return fcntl(fd, F_OFD_SETLK, &range);
}

int statfs(const char *path, struct statfs *facts)
{
    int (*next)(const char *, struct statfs *) = real_dlsym(RTLD_NEXT, "statfs");
    int result = next(path, facts);

    facts->f_type = NFS_SUPER_MAGIC;
    return result;
}

int fstatfs(int fd, struct statfs *facts)
{
    int (*next)(int, struct statfs *) = real_dlsym(RTLD_NEXT, "fstatfs");
    int result = next(fd, facts);

    facts->f_type = NFS_SUPER_MAGIC;
    return result;
}

int open(const char *path, int flags, ...)
{
    int (*next)(const char *, int, ...) = real_dlsym(RTLD_NEXT, "open");
    va_list more;
    mode_t mode;
    int fd;

    va_start(more, flags);
    mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
    va_end(more);
    if (strcmp(path, BOOT) != 0) {
        return next(path, flags, mode);
    }
    fd = memfd_create("boot", MFD_CLOEXEC);
    dprintf(fd, "00000000-0000-4000-8000-%012d\n", host());
    lseek(fd, 0, SEEK_SET);
    return fd;
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));

void *dlsym(void *library, const char *name)
{
    return strcmp(name, "flock") == 0 ? (void *)flock
        : strcmp(name, "statfs") == 0 ? (void *)statfs
        : strcmp(name, "fstatfs") == 0 ? (void *)fstatfs
        : real_dlsym(library, name);
}
