/*
 * A machine that computes wrong: loaded with LD_PRELOAD, it flips a bit of the state of every SHA-256 that libcrypto is asked
 * to go on with over much data, as bad memory or a bad processor would. It stands in the way of dlsym, since .NET looks the
 * function up by name.
 */
#define _GNU_SOURCE
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "dlsym.h"

#define MUCH (1024 * 1024)

static int (*update)(void *, const void *, size_t);

/* The first member of SHA256_CTX is the array of the eight words. */
static int wrong_update(void *context, const void *data, size_t length)
{
    int result = update(context, data, length);
    unsigned char bit;

    if (length >= MUCH) {
        if (getrandom(&bit, sizeof bit, 0) != sizeof bit) {
            abort();
        }
        *(uint32_t *)context ^= UINT32_C(1) << (bit % 32);
    }
    return result;
}

void *dlsym(void *handle, const char *name)
{
    void *found = real_dlsym(handle, name);

    if (found != NULL && strcmp(name, "SHA256_Update") == 0) {
        update = (int (*)(void *, const void *, size_t))found;
        return (void *)wrong_update;
    }
    return found;
}
