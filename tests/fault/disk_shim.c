/* LD_PRELOAD: a disk that is full, or that fails to sync, below DISK_FOLDER and nowhere else. What is
   broken is what exists in the folder DISK_FAULTS at the moment of the call:
     full   nothing that would make a file longer finds room (ENOSPC)
     quota  the same, but EDQUOT
     sync   fsync and fdatasync fail (EIO); each such call adds one octet to "syncs"
     names  the same, of folders alone: what was renamed may have its old name after a power cut */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static int broken(const char *what) {
    const char *folder = getenv("DISK_FAULTS");
    char path[4096];
    if (folder == NULL || snprintf(path, sizeof path, "%s/%s", folder, what) >= (int)sizeof path) return 0;
    const int kept = errno;
    const int found = access(path, F_OK) == 0;
    errno = kept;
    return found;
}

static int ours(int fd) {
    const char *folder = getenv("DISK_FOLDER");
    char link[64];
    char path[4096];
    if (folder == NULL) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t n = readlink(link, path, sizeof path - 1);
    if (n <= 0) return 0;
    path[n] = '\0';
    return strncmp(path, folder, strlen(folder)) == 0;
}

/* errno of a call that would make the file end at `end`, or 0. */
static int refusal(int fd, off_t end) {
    const int error = broken("full") ? ENOSPC : broken("quota") ? EDQUOT : 0;
    struct stat about;
    if (error == 0 || !ours(fd) || fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) return 0;
    return end > about.st_size ? error : 0;
}

#define NEXT(type, name)                                            \
    static type next;                                               \
    if (next == NULL) next = (type)(uintptr_t)dlsym(RTLD_NEXT, name)

typedef ssize_t (*write_fn)(int, const void *, size_t);
typedef ssize_t (*pwrite_fn)(int, const void *, size_t, off_t);
typedef int (*truncate_fn)(int, off_t);
typedef int (*allocate_fn)(int, off_t, off_t);
typedef int (*sync_fn)(int);

ssize_t write(int fd, const void *data, size_t size) {
    NEXT(write_fn, "write");
    const off_t at = lseek(fd, 0, SEEK_CUR);
    const int error = at < 0 ? 0 : refusal(fd, at + (off_t)size);
    if (error != 0) return errno = error, -1;
    return next(fd, data, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    NEXT(pwrite_fn, "pwrite");
    const int error = refusal(fd, at + (off_t)size);
    if (error != 0) return errno = error, -1;
    return next(fd, data, size, at);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off_t at) { return pwrite(fd, data, size, at); }

int ftruncate(int fd, off_t size) {
    NEXT(truncate_fn, "ftruncate");
    const int error = refusal(fd, size);
    if (error != 0) return errno = error, -1;
    return next(fd, size);
}
int ftruncate64(int fd, off_t size) { return ftruncate(fd, size); }

int posix_fallocate(int fd, off_t at, off_t size) {
    NEXT(allocate_fn, "posix_fallocate");
    const int error = refusal(fd, at + size);
    return error != 0 ? error : next(fd, at, size);
}
int posix_fallocate64(int fd, off_t at, off_t size) { return posix_fallocate(fd, at, size); }

static int is_folder(int fd) {
    struct stat about;
    return fstat(fd, &about) == 0 && S_ISDIR(about.st_mode);
}

static int failed_sync(int fd) {
    if (!(broken("sync") || (broken("names") && is_folder(fd))) || !ours(fd)) return 0;
    char path[4096];
    snprintf(path, sizeof path, "%s/syncs", getenv("DISK_FAULTS"));
    const int counter = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    NEXT(write_fn, "write");
    if (counter >= 0) {
        if (next(counter, "x", 1) != 1) abort();
        close(counter);
    }
    errno = EIO;
    return 1;
}

int fsync(int fd) {
    NEXT(sync_fn, "fsync");
    return failed_sync(fd) ? -1 : next(fd);
}

int fdatasync(int fd) {
    NEXT(sync_fn, "fdatasync");
    return failed_sync(fd) ? -1 : next(fd);
}
