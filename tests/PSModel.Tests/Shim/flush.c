/*
 * A disk that loses a write: one flush of a partial file takes long and fails, and those after it succeed, as the kernel tells
 * of a lost write once. Loaded with LD_PRELOAD; .NET's calls are met, and those of P/Invoke, which go by way of dlsym.
 *
 * PSMODEL_SHIM_FLUSH   which flush fails, from 1 on
 * PSMODEL_SHIM_MARK    a file that is made when it begins
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dlsym.h"

static int seen;

int fsync(int fd)
{
    static int (*next)(int);
    char link[64], path[PATH_MAX];
    ssize_t length;

    if (next == NULL) {
        next = real_dlsym(RTLD_NEXT, "fsync");
    }
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof path - 1);
    path[length > 0 ? length : 0] = 0;
    if (strstr(path, ".partial") != NULL && __sync_add_and_fetch(&seen, 1) == atoi(getenv("PSMODEL_SHIM_FLUSH"))) {
        close(open(getenv("PSMODEL_SHIM_MARK"), O_WRONLY | O_CREAT, 0644));
        sleep(3);
        errno = EIO;
        return -1;
    }
    return next(fd);
}

void *dlsym(void *library, const char *name)
{
    return strcmp(name, "fsync") == 0 ? (void *)fsync : real_dlsym(library, name);
}
