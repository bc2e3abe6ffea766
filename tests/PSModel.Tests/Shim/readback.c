/*
 * The machine of the report, rebuilt: what is written is right, and what is read back is not. Loaded with LD_PRELOAD, it
 * changes what read, pread and their relatives return for blobs below PSMODEL_SHIM_STORE. Writes, mapped files, the network
 * and all other files are left alone.
 *
 * PSMODEL_SHIM_MODE    runs (default): 64 random bytes at a random place of every read, so another way each time
 *                      bit: one flipped bit, always the same, at PSMODEL_SHIM_AT
 *                      zeros: a page of zeros, always the same, at PSMODEL_SHIM_AT
 *                      error: the disk does not give the byte at PSMODEL_SHIM_AT
 * PSMODEL_SHIM_ONLY    buffered: reads past the cache are right; unbuffered: those through it are
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
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
#define PAGE 4096

static int is_setting(const char *name, const char *value)
{
    const char *found = getenv(name);

    return found != NULL && strcmp(found, value) == 0;
}

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
    if (is_setting("PSMODEL_SHIM_ONLY", (fcntl(fd, F_GETFL) & O_DIRECT) != 0 ? "buffered" : "unbuffered")) {
        return 0;
    }
    return strncmp(path, store, strlen(store)) == 0 && strstr(path, "sha256-") != NULL && strstr(path, ".blocks") == NULL;
}

/* How far behind an offset PSMODEL_SHIM_AT lies. */
static off64_t place_from(off64_t offset)
{
    const char *at = getenv("PSMODEL_SHIM_AT");

    return (at == NULL ? 0 : strtoll(at, NULL, 10)) - offset;
}

/* Changes what lies at PSMODEL_SHIM_AT, if that is in the buffer. */
static void corrupt_place(unsigned char *buffer, ssize_t count, off64_t offset)
{
    off64_t place = place_from(offset);

    if (is_setting("PSMODEL_SHIM_MODE", "bit") && place >= 0 && place < count) {
        buffer[place] ^= 0x10;
    }
    if (is_setting("PSMODEL_SHIM_MODE", "zeros") && place >= 0 && place + PAGE <= count) {
        memset(buffer + place, 0, PAGE);
    }
}

static ssize_t refuse(int fd, ssize_t count, off64_t offset)
{
    off64_t place = place_from(offset);

    if (count <= 0 || !is_setting("PSMODEL_SHIM_MODE", "error") || place < 0 || place >= count || !is_in_store(fd)) {
        return count;
    }
    errno = EIO;
    return -1;
}

static void corrupt(int fd, unsigned char *buffer, ssize_t count, off64_t offset)
{
    unsigned long where;

    if (count <= 0 || !is_in_store(fd)) {
        return;
    }
    corrupt_place(buffer, count, offset);
    if (count < SMALLEST || (getenv("PSMODEL_SHIM_MODE") != NULL && !is_setting("PSMODEL_SHIM_MODE", "runs"))) {
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
    corrupt(fd, buffer, got, lseek64(fd, 0, SEEK_CUR) - got);
    return refuse(fd, got, lseek64(fd, 0, SEEK_CUR) - got);
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
        corrupt(fd, buffer, got, offset);                                                                                   \
        return refuse(fd, got, offset);                                                                                \
    }

POSITIONED(pread, off_t)
POSITIONED(pread64, off64_t)

static void corrupt_vector(int fd, const struct iovec *vector, int count, ssize_t got, off64_t offset)
{
    for (int i = 0; i < count && got > 0; i++) {
        ssize_t part = got < (ssize_t)vector[i].iov_len ? got : (ssize_t)vector[i].iov_len;
        corrupt(fd, vector[i].iov_base, part, offset);
        got -= part;
        offset += part;
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
    corrupt_vector(fd, vector, count, got, lseek64(fd, 0, SEEK_CUR) - got);
    return refuse(fd, got, lseek64(fd, 0, SEEK_CUR) - got);
}

ssize_t preadv(int fd, const struct iovec *vector, int count, off_t offset)
{
    static ssize_t (*next)(int, const struct iovec *, int, off_t);
    ssize_t got;

    if (next == NULL) {
        next = (ssize_t (*)(int, const struct iovec *, int, off_t))dlsym(RTLD_NEXT, "preadv");
    }
    got = next(fd, vector, count, offset);
    corrupt_vector(fd, vector, count, got, offset);
    return refuse(fd, got, offset);
}
