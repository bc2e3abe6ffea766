/*
 * The machine of the report, rebuilt: what is written is right, and what is read back is not, in another way each time.
 * Loaded with LD_PRELOAD, it changes a run of 64 bytes in what read, pread and their relatives return for files below
 * PSMODEL_SHIM_STORE. Writes, the network and all other files are left alone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define RUN 64
#define SMALLEST 4096

static int is_in_store(int fd)
{
    const char *store = getenv("PSMODEL_SHIM_STORE");
    char link[64], path[PATH_MAX];
    ssize_t length;

    if (store == NULL) {
        return 0;
    }
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof path - 1);
    if (length <= 0) {
        return 0;
    }
    path[length] = 0;
    return strncmp(path, store, strlen(store)) == 0;
}

static void corrupt(int fd, unsigned char *buffer, ssize_t count)
{
    unsigned long where;

    if (count < SMALLEST || !is_in_store(fd)) {
        return;
    }
    if (getrandom(&where, sizeof where, 0) != sizeof where) {
        abort();
    }
    where = where % (unsigned long)(count / RUN) * RUN;
    if (getrandom(buffer + where, RUN, 0) != RUN) {
        abort();
    }
}

ssize_t read(int fd, void *buffer, size_t count)
{
    static ssize_t (*next)(int, void *, size_t);
    ssize_t got;

    if (next == NULL) {
        next = (ssize_t (*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
    }
    got = next(fd, buffer, count);
    corrupt(fd, buffer, got);
    return got;
}

#define POSITIONED(name, offset_type)                                                                                  \
    ssize_t name(int fd, void *buffer, size_t count, offset_type offset)                                               \
    {                                                                                                                  \
        static ssize_t (*next)(int, void *, size_t, offset_type);                                                      \
        ssize_t got;                                                                                                   \
                                                                                                                       \
        if (next == NULL) {                                                                                            \
            next = (ssize_t (*)(int, void *, size_t, offset_type))dlsym(RTLD_NEXT, #name);                             \
        }                                                                                                              \
        got = next(fd, buffer, count, offset);                                                                         \
        corrupt(fd, buffer, got);                                                                                      \
        return got;                                                                                                    \
    }

POSITIONED(pread, off_t)
POSITIONED(pread64, off64_t)

static void corrupt_vector(int fd, const struct iovec *vector, int count, ssize_t got)
{
    for (int i = 0; i < count && got > 0; i++) {
        ssize_t part = got < (ssize_t)vector[i].iov_len ? got : (ssize_t)vector[i].iov_len;
        corrupt(fd, vector[i].iov_base, part);
        got -= part;
    }
}

ssize_t readv(int fd, const struct iovec *vector, int count)
{
    static ssize_t (*next)(int, const struct iovec *, int);
    ssize_t got;

    if (next == NULL) {
        next = (ssize_t (*)(int, const struct iovec *, int))dlsym(RTLD_NEXT, "readv");
    }
    got = next(fd, vector, count);
    corrupt_vector(fd, vector, count, got);
    return got;
}

ssize_t preadv(int fd, const struct iovec *vector, int count, off_t offset)
{
    static ssize_t (*next)(int, const struct iovec *, int, off_t);
    ssize_t got;

    if (next == NULL) {
        next = (ssize_t (*)(int, const struct iovec *, int, off_t))dlsym(RTLD_NEXT, "preadv");
    }
    got = next(fd, vector, count, offset);
    corrupt_vector(fd, vector, count, got);
    return got;
}
