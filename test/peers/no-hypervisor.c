/*
 * Lets Xen's own xl read a configuration where no Xen runs: with this preloaded, the hypervisor's device is an empty
 * file, and every hypercall is answered with zeros. xl then parses, checks and prints as it always does.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* xen/include/public: IOCTL_PRIVCMD_HYPERCALL is number 0 of type 'P'. */
#define HYPERCALL 0x5000

static int open_file(const char *path, int flags, int mode) {
  if (strcmp(path, "/dev/xen/privcmd") == 0) path = "/dev/null";
  return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  int mode = va_arg(rest, int);
  va_end(rest);
  return open_file(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  int mode = va_arg(rest, int);
  va_end(rest);
  return open_file(path, flags, mode);
}

int ioctl(int fd, unsigned long request, ...) {
  (void)fd;
  if ((request & 0xffff) == HYPERCALL) return 0;
  errno = ENOTTY;
  return -1;
}
