import { createRequire } from "node:module";

/**
 * The few calls of the C library that Node does not offer, on Linux only. Loaded on first use (some
 * milliseconds); undefined where there is no such library, and callers then do without.
 */
export interface Libc {
  /** lseek(2) with SEEK_DATA or SEEK_HOLE: the place found, or -1 past the last data. */
  seekData(fd: number, from: number): number;
  seekHole(fd: number, from: number): number;
  /** fallocate(2), mode 0: true where the file system could reserve the space. */
  preallocate(fd: number, at: number, lengthBytes: number): boolean;
  /** An exclusive open-file-description lock on a whole file (fcntl(2), F_OFD_SETLK); false where another has one. */
  lockWhole(fd: number): boolean;
  /** A lock on a whole file that others may have too, but nobody exclusively; false where somebody has it so. */
  lockShared(fd: number): boolean;
  /** Whether somebody else has a lock on any part of a file (fcntl(2), F_OFD_GETLK). */
  isLocked(fd: number): boolean;
  /** Where in memory these bytes are, for as long as the buffer under them is kept. */
  addressOf(bytes: Uint8Array): bigint;
  /** Names and values of all extended attributes, of the link itself; `pathBytes` ends with NUL. */
  listXattrs(pathBytes: Uint8Array): Map<string, Uint8Array>;
  /** Sets one extended attribute of the link itself: 0, or the errno value. */
  setXattr(pathBytes: Uint8Array, name: string, value: Uint8Array): number;
  /** ioctl(2) without an argument: 0, or the errno value. */
  ioctl(fd: number, request: number): number;
  /** mknod(2): 0, or the errno value. */
  makeNode(pathBytes: Uint8Array, mode: number, device: bigint): number;
  /** utimensat(2) on the link itself, to the nanosecond: 0, or the errno value. */
  setTimes(pathBytes: Uint8Array, accessed: FileTime, modified: FileTime): number;
}

export interface FileTime {
  readonly seconds: number;
  readonly nanoseconds: number;
}

let loaded: Libc | undefined | null = null;

export function libc(): Libc | undefined {
  if (loaded === null) loaded = process.platform === "linux" ? load() : undefined;
  return loaded;
}

const currentFolder = -100; // AT_FDCWD
const noFollow = 0x100; // AT_SYMLINK_NOFOLLOW
const seekDataWhence = 3;
const seekHoleWhence = 4;
const getOpenFileLock = 36; // F_OFD_GETLK
const setOpenFileLock = 37; // F_OFD_SETLK
const noLock = 2; // F_UNLCK
const readLock = 0; // F_RDLCK
const writeLock = 1; // F_WRLCK
/** `struct flock` on 64-bit Linux: type and whence as 16 bits, start at 8, length at 16 (0: to the end), pid at 24. */
const flockBytes = 32;
const xattrListLimitBytes = 65536; // XATTR_LIST_MAX
const xattrValueLimitBytes = 65536; // XATTR_SIZE_MAX

const lockedErrors: ReadonlySet<number> = new Set([11, 13]); // EAGAIN, EACCES

function load(): Libc | undefined {
  let koffi: typeof import("koffi").default;
  try {
    koffi = createRequire(import.meta.url)("koffi") as typeof koffi;
  } catch {
    return undefined; // no prebuilt library for this processor
  }
  const library = koffi.load(null);
  const lseek = library.func("int64_t lseek(int fd, int64_t offset, int whence)");
  const fallocate = library.func("int fallocate(int fd, int mode, int64_t offset, int64_t length)");
  const fcntl = library.func("int fcntl(int fd, int command, ...)");
  const llistxattr = library.func("int64_t llistxattr(const uint8_t *path, uint8_t *list, size_t size)");
  const lgetxattr = library.func(
    "int64_t lgetxattr(const uint8_t *path, const uint8_t *name, uint8_t *value, size_t size)",
  );
  const lsetxattr = library.func(
    "int lsetxattr(const uint8_t *path, const uint8_t *name, const uint8_t *value, size_t size, int flags)",
  );
  const ioctl = library.func("int ioctl(int fd, unsigned long request, int64_t argument)");
  const mknod = library.func("int mknod(const uint8_t *path, uint32_t mode, uint64_t device)");
  const utimensat = library.func("int utimensat(int folder, const uint8_t *path, const int64_t *times, int flags)");
  const list = Buffer.alloc(xattrListLimitBytes);
  const value = Buffer.alloc(xattrValueLimitBytes);
  const lock = (fd: number, type: number): boolean => {
    const flock = Buffer.alloc(flockBytes);
    flock.writeInt16LE(type, 0);
    return fcntl(fd, setOpenFileLock, "uint8_t *", flock) === 0 || !lockedErrors.has(koffi.errno());
  };

  return {
    seekData: (fd, from) => Number(lseek(fd, from, seekDataWhence)),
    seekHole: (fd, from) => Number(lseek(fd, from, seekHoleWhence)),
    preallocate: (fd, at, lengthBytes) => fallocate(fd, 0, at, lengthBytes) === 0,
    lockWhole: (fd) => lock(fd, writeLock),
    lockShared: (fd) => lock(fd, readLock),
    isLocked(fd) {
      const flock = Buffer.alloc(flockBytes);
      flock.writeInt16LE(writeLock, 0);
      return fcntl(fd, getOpenFileLock, "uint8_t *", flock) === 0 && flock.readInt16LE(0) !== noLock;
    },
    addressOf: (bytes) => koffi.address(bytes),
    listXattrs(pathBytes) {
      const found = new Map<string, Uint8Array>();
      const listLength = Number(llistxattr(pathBytes, list, list.length));
      for (let at = 0; at < listLength;) {
        const end = list.indexOf(0, at);
        const name = Buffer.from(list.subarray(at, end + 1));
        const length = Number(lgetxattr(pathBytes, name, value, value.length));
        if (length >= 0)
          found.set(name.toString("utf8", 0, name.length - 1), Uint8Array.from(value.subarray(0, length)));
        at = end + 1;
      }
      return found;
    },
    setXattr(pathBytes, name, bytes) {
      return lsetxattr(pathBytes, Buffer.from(`${name}\0`), bytes, bytes.length, 0) === 0 ? 0 : koffi.errno();
    },
    setTimes(pathBytes, accessed, modified) {
      const parts = [accessed.seconds, accessed.nanoseconds, modified.seconds, modified.nanoseconds];
      const times = BigInt64Array.from(parts.map(BigInt));
      return utimensat(currentFolder, pathBytes, times, noFollow) === 0 ? 0 : koffi.errno();
    },
    ioctl: (fd, request) => (ioctl(fd, request, 0) === 0 ? 0 : koffi.errno()),
    makeNode: (pathBytes, mode, device) => (mknod(pathBytes, mode, device) === 0 ? 0 : koffi.errno()),
  };
}
