/* Make calls of a program slow, as a network file system would: LD_PRELOAD this library.

   Below the folders of SLOW_FOLDERS (separated by colons), calls wait as many milliseconds as these variables
   say: SLOW_OPEN (open a file or list a folder), SLOW_READ (read from a file), SLOW_STAT, SLOW_WRITE (make a
   link or rename). Glibc only. */

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { FILES = 65536 };
static char is_slow[FILES]; /* by number of the open file */

static void slow(const char *variable) {
    const char *text = getenv(variable);
    double ms = text ? atof(text) : 0;
    struct timespec time = {(time_t)(ms / 1000), (long)(ms * 1e6) % 1000000000};
    if (ms > 0) nanosleep(&time, NULL);
}

static int below(const char *path) {
    const char *folder = getenv("SLOW_FOLDERS");
    while (folder && path) {
        size_t length = strcspn(folder, ":");
        if (length && !strncmp(path, folder, length)) return 1;
        folder = folder[length] ? folder + length + 1 : NULL;
    }
    return 0;
}

static void slow_path(const char *path, const char *variable) {
    if (below(path)) slow(variable);
}

static void slow_file(int file) {
    if (file >= 0 && file < FILES && is_slow[file]) slow("SLOW_READ");
}

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        REAL(name); \
        va_list rest; \
        va_start(rest, flags); \
        int mode = flags & O_CREAT ? va_arg(rest, int) : 0; \
        va_end(rest); \
        slow_path(path, "SLOW_OPEN"); \
        int file = real(path, flags, mode); \
        if (file >= 0 && file < FILES) is_slow[file] = below(path); \
        return file; \
    }
OPEN(open)
OPEN(open64)

DIR *opendir(const char *path) {
    REAL(opendir);
    slow_path(path, "SLOW_OPEN");
    return real(path);
}

ssize_t read(int file, void *buffer, size_t size) {
    REAL(read);
    slow_file(file);
    return real(file, buffer, size);
}

/* The end of a file is known without asking the server. */
ssize_t readv(int file, const struct iovec *buffers, int count) {
    REAL(readv);
    ssize_t got = real(file, buffers, count);
    if (got) slow_file(file);
    return got;
}

#define PREADV(name, offset_type) \
    ssize_t name(int file, const struct iovec *buffers, int count, offset_type offset) { \
        REAL(name); \
        slow_file(file); \
        return real(file, buffers, count, offset); \
    }
PREADV(preadv, off_t)
PREADV(preadv64, off64_t)

#define STAT(name, result_type) \
    int name(const char *path, struct result_type *result) { \
        REAL(name); \
        slow_path(path, "SLOW_STAT"); \
        return real(path, result); \
    }
STAT(stat, stat)
STAT(stat64, stat64)
STAT(lstat, stat)
STAT(lstat64, stat64)

#define TWO_PATHS(name) \
    int name(const char *from, const char *to) { \
        REAL(name); \
        slow_path(to, "SLOW_WRITE"); \
        return real(from, to); \
    }
TWO_PATHS(link)
TWO_PATHS(symlink)
TWO_PATHS(rename)
