// A disk that misbehaves, between a test and the system. Loaded before the C library, for files in MESHWATT_DISK_DIR only:
// - What was synchronised is copied to MESHWATT_DISK_SYNCED, so that folder is what a power cut leaves: every write that
//   was not synchronised is missing there, and a file that was removed is still there until its folder was synchronised.
// - While MESHWATT_DISK_SYNCED holds a file "full" or "read-only", writes fail as on such a disk.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// The name inside the folder of a file that is open, or NULL when it lies elsewhere.
static const char *inside(int fd, char *path) {
    const char *dir = getenv("MESHWATT_DISK_DIR");
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = dir ? readlink(link, path, PATH_MAX - 1) : -1;
    if (length < 0) return NULL;
    path[length] = 0;
    size_t prefix = strlen(dir);
    return strncmp(path, dir, prefix) == 0 && path[prefix] == '/' ? path + prefix + 1 : NULL;
}

static int is_set(const char *what) {
    char path[PATH_MAX];
    const char *synced = getenv("MESHWATT_DISK_SYNCED");
    if (!synced) return 0;
    snprintf(path, sizeof path, "%s/%s", synced, what);
    return access(path, F_OK) == 0;
}

// Whether a write must fail; sets errno.
static int refuses(int fd) {
    char path[PATH_MAX];
    if (!inside(fd, path)) return 0;
    if (is_set("full")) return errno = ENOSPC, 1;
    if (is_set("read-only")) return errno = EROFS, 1;
    return 0;
}

// The folder itself was synchronised: what was removed from it is gone for good.
static void forget_removed(int fd) {
    char path[PATH_MAX], link[64], copy[PATH_MAX], original[PATH_MAX];
    const char *dir = getenv("MESHWATT_DISK_DIR"), *synced = getenv("MESHWATT_DISK_SYNCED");
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = dir && synced ? readlink(link, path, PATH_MAX - 1) : -1;
    if (length < 0) return;
    path[length] = 0;
    DIR *entries = strcmp(path, dir) == 0 ? opendir(synced) : NULL;
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        snprintf(original, sizeof original, "%s/%s", dir, entry->d_name);
        snprintf(copy, sizeof copy, "%s/%s", synced, entry->d_name);
        // The faults have no original; they are the test's.
        int fault = strcmp(entry->d_name, "full") == 0 || strcmp(entry->d_name, "read-only") == 0;
        if (!fault && access(original, F_OK) != 0) unlink(copy);
    }
    if (entries) closedir(entries);
}

static void keep(int fd) {
    char path[PATH_MAX], from[64], to[PATH_MAX], unfinished[PATH_MAX], block[65536];
    const char *name = inside(fd, path), *synced = getenv("MESHWATT_DISK_SYNCED");
    if (!name || !synced || strchr(name, '/')) return;
    struct stat kind;
    if (fstat(fd, &kind) != 0 || !S_ISREG(kind.st_mode)) return;
    snprintf(from, sizeof from, "/proc/self/fd/%d", fd);
    snprintf(to, sizeof to, "%s/%s", synced, name);
    snprintf(unfinished, sizeof unfinished, "%s/%s.unfinished", synced, name);
    int in = open(from, O_RDONLY), out = open(unfinished, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ssize_t (*really_write)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    for (ssize_t count; in >= 0 && out >= 0 && (count = read(in, block, sizeof block)) > 0;)
        if (really_write(out, block, count) != count) abort();
    close(in);
    close(out);
    if (rename(unfinished, to) != 0) abort();
}

ssize_t write(int fd, const void *bytes, size_t count) {
    ssize_t (*really)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    return refuses(fd) ? -1 : really(fd, bytes, count);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
    ssize_t (*really)(int, const void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pwrite64");
    return refuses(fd) ? -1 : really(fd, bytes, count, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    return pwrite64(fd, bytes, count, at);
}

int fsync(int fd) {
    int (*really)(int) = dlsym(RTLD_NEXT, "fsync");
    int done = really(fd);
    if (done == 0) keep(fd), forget_removed(fd);
    return done;
}

int fdatasync(int fd) {
    int (*really)(int) = dlsym(RTLD_NEXT, "fdatasync");
    int done = really(fd);
    if (done == 0) keep(fd);
    return done;
}
