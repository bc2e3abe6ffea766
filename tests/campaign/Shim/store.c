/*
 * Stands between the program and its store: counts what is done to files below a folder, lets one step of them fail, and
 * writes down what was done. Loaded with LD_PRELOAD, and steered by the functions whose names begin with shim_.
 *
 * A flush that is made to fail loses what was written since the last one that succeeded, as a disk that fails does: zeros
 * take its place. It fails once; the next one succeeds and means nothing, which is what Linux does.
 *
 * The log has a line for each step, its fields parted by tabs, and after a write its bytes:
 *   C path            a file was made             W offset length path    bytes were written
 *   T length path     a file was cut or grown     F path                  a file or a folder was flushed
 *   S path            a volume was flushed        R from to               a rename
 *   U path            a file was removed          M path                  a folder was made
 *   K text            what shim_mark was given
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define MOST_FILES 4096

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX];
static size_t root_length;
static long steps, fail_at;
static int fail_error, failed_step;
static char failed_path[PATH_MAX];
static int log_file = -1;
static struct { off64_t from, to; } unflushed[MOST_FILES];

static void *next_of(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

void shim_begin(const char *folder, long at, int error, const char *log_path)
{
    pthread_mutex_lock(&gate);
    snprintf(root, sizeof root, "%s", folder);
    root_length = strlen(root);
    steps = failed_step = 0;
    failed_path[0] = 0;
    fail_at = at;
    fail_error = error;
    memset(unflushed, 0, sizeof unflushed);
    log_file = log_path[0] == 0 ? -1 : (int)syscall(SYS_openat, AT_FDCWD, log_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    pthread_mutex_unlock(&gate);
}

/* Gives the number of steps, and in a buffer the one that failed. */
long shim_end(char *buffer, int size)
{
    long counted;

    pthread_mutex_lock(&gate);
    counted = steps;
    root_length = 0;
    if (failed_step != 0) {
        snprintf(buffer, size, "%c %s", failed_step, failed_path);
    } else {
        buffer[0] = 0;
    }
    if (log_file >= 0) {
        syscall(SYS_close, log_file);
    }
    log_file = -1;
    pthread_mutex_unlock(&gate);
    return counted;
}

static void put(const void *bytes, size_t count)
{
    const char *from = bytes;

    while (log_file >= 0 && count > 0) {
        ssize_t done = syscall(SYS_write, log_file, from, count);
        if (done <= 0) {
            abort();
        }
        from += done;
        count -= done;
    }
}

static void note(const char *format, ...)
{
    char line[3 * PATH_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    put(line, strlen(line));
}

void shim_mark(const char *text)
{
    pthread_mutex_lock(&gate);
    note("K\t%s\n", text);
    pthread_mutex_unlock(&gate);
}

static int is_ours(const char *path)
{
    return root_length > 0 && path != NULL && strncmp(path, root, root_length) == 0;
}

/* The path of an open file; none where it is not below the folder. */
static int path_of(int fd, char *path)
{
    char link[64];
    ssize_t length;

    if (root_length == 0) {
        return 0;
    }
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, PATH_MAX - 1);
    if (length <= 0) {
        return 0;
    }
    path[length] = 0;
    return is_ours(path);
}

/* Counts a step; under the lock. Gives the error by which it fails, -1 for one that goes half way, 0 for none. */
static int count_step(char what, const char *path)
{
    if (++steps != fail_at) {
        return 0;
    }
    failed_step = what;
    snprintf(failed_path, sizeof failed_path, "%s", path);
    return fail_error;
}

static int refuse(int error)
{
    pthread_mutex_unlock(&gate);
    errno = error;
    return -1;
}

static ssize_t write_at(int fd, const void *bytes, size_t count, off64_t offset, int is_positioned)
{
    char path[PATH_MAX];
    ssize_t done;
    int error;
    ssize_t (*next)(int, const void *, size_t, off64_t) = (ssize_t (*)(int, const void *, size_t, off64_t))next_of("pwrite64");

    if (!path_of(fd, path)) {
        return is_positioned ? next(fd, bytes, count, offset) : (ssize_t)syscall(SYS_write, fd, bytes, count);
    }
    pthread_mutex_lock(&gate);
    error = count_step('W', path);
    if (error > 0) {
        return refuse(error);
    }
    if (error < 0 && count > 1) {
        count /= 2;
    }
    offset = is_positioned ? offset : lseek64(fd, 0, SEEK_CUR);
    done = is_positioned ? next(fd, bytes, count, offset) : (ssize_t)syscall(SYS_write, fd, bytes, count);
    if (done > 0 && fd < MOST_FILES) {
        int is_first = unflushed[fd].to == 0;
        unflushed[fd].from = is_first || offset < unflushed[fd].from ? offset : unflushed[fd].from;
        unflushed[fd].to = is_first || offset + done > unflushed[fd].to ? offset + done : unflushed[fd].to;
    }
    if (done > 0) {
        note("W\t%ld\t%ld\t%s\n", (long)offset, (long)done, path);
        put(bytes, done);
    }
    pthread_mutex_unlock(&gate);
    return done;
}

ssize_t write(int fd, const void *bytes, size_t count)
{
    return write_at(fd, bytes, count, 0, 0);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset)
{
    return write_at(fd, bytes, count, offset, 1);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset)
{
    return write_at(fd, bytes, count, offset, 1);
}

static void lose(int fd)
{
    static const char zeros[65536];

    for (off64_t at = unflushed[fd].from; at < unflushed[fd].to;) {
        size_t count = unflushed[fd].to - at < (off64_t)sizeof zeros ? (size_t)(unflushed[fd].to - at) : sizeof zeros;
        ssize_t done = syscall(SYS_pwrite64, fd, zeros, count, at);
        if (done <= 0) {
            break;
        }
        at += done;
    }
    unflushed[fd].from = unflushed[fd].to = 0;
}

static int flush(int fd, char what, const char *name)
{
    char path[PATH_MAX];
    int done, error;
    int (*next)(int) = (int (*)(int))next_of(name);

    if (!path_of(fd, path)) {
        return next(fd);
    }
    pthread_mutex_lock(&gate);
    error = count_step(what, path);
    if (error > 0) {
        if (what == 'F' && fd < MOST_FILES) {
            lose(fd);
        }
        return refuse(error);
    }
    done = next(fd);
    if (done == 0) {
        if (what == 'S') {
            memset(unflushed, 0, sizeof unflushed);
        } else if (fd < MOST_FILES) {
            unflushed[fd].from = unflushed[fd].to = 0;
        }
        note("%c\t%s\n", what, path);
    }
    pthread_mutex_unlock(&gate);
    return done;
}

int fsync(int fd)
{
    return flush(fd, 'F', "fsync");
}

int fdatasync(int fd)
{
    return flush(fd, 'F', "fdatasync");
}

int syncfs(int fd)
{
    return flush(fd, 'S', "syncfs");
}

static int truncate_to(int fd, off64_t length)
{
    char path[PATH_MAX];
    int done, error;

    if (!path_of(fd, path)) {
        return (int)syscall(SYS_ftruncate, fd, length);
    }
    pthread_mutex_lock(&gate);
    error = count_step('T', path);
    if (error > 0) {
        return refuse(error);
    }
    done = (int)syscall(SYS_ftruncate, fd, length);
    if (done == 0) {
        note("T\t%ld\t%s\n", (long)length, path);
    }
    pthread_mutex_unlock(&gate);
    return done;
}

int ftruncate(int fd, off_t length)
{
    return truncate_to(fd, length);
}

int ftruncate64(int fd, off64_t length)
{
    return truncate_to(fd, length);
}

static int open_at(int folder, const char *path, int flags, mode_t mode)
{
    int fd, error, is_new;

    if (!is_ours(path)) {
        return (int)syscall(SYS_openat, folder, path, flags, mode);
    }
    pthread_mutex_lock(&gate);
    error = count_step('O', path);
    if (error > 0) {
        return refuse(error);
    }
    is_new = (flags & O_CREAT) != 0 && syscall(SYS_faccessat, AT_FDCWD, path, F_OK) != 0;
    fd = (int)syscall(SYS_openat, folder, path, flags, mode);
    if (fd >= 0 && fd < MOST_FILES) {
        unflushed[fd].from = unflushed[fd].to = 0;
    }
    if (fd >= 0 && is_new) {
        note("C\t%s\n", path);
    }
    if (fd >= 0 && !is_new && (flags & O_TRUNC) != 0) {
        note("T\t0\t%s\n", path);
    }
    pthread_mutex_unlock(&gate);
    return fd;
}

#define OPEN(name)                                                                                                     \
    int name(const char *path, int flags, ...)                                                                         \
    {                                                                                                                  \
        va_list arguments;                                                                                             \
        mode_t mode;                                                                                                   \
                                                                                                                       \
        va_start(arguments, flags);                                                                                    \
        mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;                                   \
        va_end(arguments);                                                                                             \
        return open_at(AT_FDCWD, path, flags, mode);                                                                   \
    }

OPEN(open)
OPEN(open64)

#define OPEN_AT(name)                                                                                                  \
    int name(int folder, const char *path, int flags, ...)                                                             \
    {                                                                                                                  \
        va_list arguments;                                                                                             \
        mode_t mode;                                                                                                   \
                                                                                                                       \
        va_start(arguments, flags);                                                                                    \
        mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;                                   \
        va_end(arguments);                                                                                             \
        return open_at(folder, path, flags, mode);                                                                     \
    }

OPEN_AT(openat)
OPEN_AT(openat64)

int close(int fd)
{
    char path[PATH_MAX];
    int error = 0;

    if (path_of(fd, path)) {
        pthread_mutex_lock(&gate);
        error = count_step('X', path);
        pthread_mutex_unlock(&gate);
    }
    if (syscall(SYS_close, fd) != 0) {
        return -1;
    }
    if (error > 0) {
        errno = error;
        return -1;
    }
    return 0;
}

static int rename_between(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    int done, error;

    if (!is_ours(from) && !is_ours(to)) {
        return (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
    }
    pthread_mutex_lock(&gate);
    error = count_step('R', from);
    if (error > 0) {
        return refuse(error);
    }
    done = (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
    if (done == 0) {
        note("R\t%s\t%s\n", from, to);
    }
    pthread_mutex_unlock(&gate);
    return done;
}

int rename(const char *from, const char *to)
{
    return rename_between(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    return rename_between(from_folder, from, to_folder, to, 0);
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    return rename_between(from_folder, from, to_folder, to, flags);
}

int unlink(const char *path)
{
    int done, error;

    if (!is_ours(path)) {
        return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    }
    pthread_mutex_lock(&gate);
    error = count_step('U', path);
    if (error > 0) {
        return refuse(error);
    }
    done = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (done == 0) {
        note("U\t%s\n", path);
    }
    pthread_mutex_unlock(&gate);
    return done;
}

int mkdir(const char *path, mode_t mode)
{
    int done, error;

    if (!is_ours(path)) {
        return (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    }
    pthread_mutex_lock(&gate);
    error = count_step('M', path);
    if (error > 0) {
        return refuse(error);
    }
    done = (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    if (done == 0) {
        note("M\t%s\n", path);
    }
    pthread_mutex_unlock(&gate);
    return done;
}
