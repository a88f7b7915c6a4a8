/* Stands between a program and one of its files: some sectors of it cannot be read, as on a disk that is worn out.
   BAD_FILE is the inode, BAD_SECTORS a list such as "2048 2049". For LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static int is_bad(int fd, off_t at, size_t count) {
  const char *inode = getenv("BAD_FILE"), *list = getenv("BAD_SECTORS");
  struct stat status;
  if (inode == NULL || list == NULL || fstat(fd, &status) != 0) return 0;
  if (status.st_ino != strtoull(inode, NULL, 10)) return 0;
  for (char *next; *list != 0; list = next) {
    off_t sector = strtoll(list, &next, 10);
    if (next == list) break;
    if (at < (sector + 1) * 512 && sector * 512 < at + (off_t)count) return 1;
  }
  return 0;
}

#define STAND_IN(name)                                                          \
  ssize_t name(int fd, void *into, size_t count, off_t at) {                    \
    static ssize_t (*real)(int, void *, size_t, off_t);                         \
    if (real == NULL) real = (ssize_t (*)(int, void *, size_t, off_t))dlsym(RTLD_NEXT, #name); \
    if (is_bad(fd, at, count)) {                                                \
      errno = EIO;                                                              \
      return -1;                                                                \
    }                                                                           \
    return real(fd, into, count, at);                                           \
  }

STAND_IN(pread)
STAND_IN(pread64)
