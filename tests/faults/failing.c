/* A disk that fails. Preloaded into a program, it makes writes or syncs of some files fail from a moment on:
 *
 *   FAIL_CALLS  write or sync
 *   FAIL_ERROR  EIO or ENOSPC
 *   FAIL_PATH   only files with this in their path
 *   FAIL_WHEN   from the moment this file exists
 *   FAIL_AFTER  so many of these calls still succeed then
 *   FAIL_ROOM   with ENOSPC: once this file is gone there is room again
 *   FAIL_SAID   where the moment of the first failure is written, CLOCK_MONOTONIC in ns
 *
 * Built by tests/system/faults.py: cc -shared -fPIC -o failing.so failing.c
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static atomic_long passed;
static atomic_flag said = ATOMIC_FLAG_INIT;

static const char *setting(const char *name) {
    const char *value = getenv(name);
    return value ? value : "";
}

static void say_when(void) {
    ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    struct timespec now;
    char text[32];
    if (atomic_flag_test_and_set(&said)) return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int length = snprintf(text, sizeof text, "%lld", (long long)now.tv_sec * 1000000000LL + now.tv_nsec);
    int file = open(setting("FAIL_SAID"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file >= 0) {
        (void)!real(file, text, (size_t)length);
        close(file);
    }
}

static int fails(int fd, const char *call) {
    char link[64], path[4096];
    if (strcmp(setting("FAIL_CALLS"), call) != 0 || access(setting("FAIL_WHEN"), F_OK) != 0) return 0;
    int full = strcmp(setting("FAIL_ERROR"), "ENOSPC") == 0;
    if (full && *setting("FAIL_ROOM") && access(setting("FAIL_ROOM"), F_OK) != 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    if (!strstr(path, setting("FAIL_PATH"))) return 0;
    if (atomic_fetch_add(&passed, 1) < atol(setting("FAIL_AFTER"))) return 0;
    say_when();
    errno = full ? ENOSPC : EIO;
    return 1;
}

#define REAL(name) __typeof__(name) *real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *bytes, size_t count) {
    REAL(write);
    return fails(fd, "write") ? -1 : real(fd, bytes, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    REAL(pwrite);
    return fails(fd, "write") ? -1 : real(fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
    REAL(pwrite64);
    return fails(fd, "write") ? -1 : real(fd, bytes, count, at);
}

int fsync(int fd) {
    REAL(fsync);
    return fails(fd, "sync") ? -1 : real(fd);
}

int fdatasync(int fd) {
    REAL(fdatasync);
    return fails(fd, "sync") ? -1 : real(fd);
}
