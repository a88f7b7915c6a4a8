import { createRequire } from "node:module";
import { parentPort } from "node:worker_threads";
import type { SmbAnswer, SmbCalls, SmbItem, SmbRequest } from "./calls.ts";

/**
 * Samba's client library, in a thread of its own: it knows only one call at a time, and each waits for the network.
 * libsmbclient.h of Samba 4
 */

const readOnly = 0;
const writeNew = 0o301; // O_WRONLY | O_CREAT | O_EXCL | O_TRUNC, of which Linux makes 0o1301
const truncate = 0o1000;
const fromStart = 0;
const fromEnd = 2;
const timeoutMs = 20_000;
const folderAttribute = 0x10;

class SmbError extends Error {
  readonly errno: number;

  constructor(errno: number) {
    super(`error ${errno}`);
    this.errno = errno;
  }
}

type Koffi = typeof import("koffi").default;

/** The functions of the library that are called, with what they are given and give. */
function bind(koffi: Koffi) {
  const library = koffi.load("libsmbclient.so.0");
  // Names and passwords stand in the addresses, so that nothing is ever asked.
  koffi.proto("void SmbAuth(const char *, const char *, char *, int, char *, int, char *, int)");
  const auth = koffi.register(() => undefined, "SmbAuth *");
  const time = koffi.struct("SmbTime", { seconds: "int64_t", nanoseconds: "int64_t" });
  const info = koffi.struct("SmbFileInfo", {
    size: "uint64_t",
    attributes: "uint16_t",
    uid: "uint32_t",
    gid: "uint32_t",
    created: time,
    modified: time,
    accessed: time,
    changed: time,
    name: "const char *",
    shortName: "const char *",
  });
  const init = library.func("int smbc_init(SmbAuth *fn, int debug)");
  const opendir = library.func("int smbc_opendir(const char *url)");
  const readdir = library.func("void *smbc_readdirplus(unsigned int folder)");
  const closedir = library.func("int smbc_closedir(int folder)");
  const open = library.func("int smbc_open(const char *url, int flags, unsigned int mode)");
  const lseek = library.func("int64_t smbc_lseek(int fd, int64_t offset, int whence)");
  const read = library.func("int64_t smbc_read(int fd, _Out_ uint8_t *into, size_t length)");
  const write = library.func("int64_t smbc_write(int fd, const uint8_t *from, size_t length)");
  const close = library.func("int smbc_close(int fd)");
  const mkdir = library.func("int smbc_mkdir(const char *url, unsigned int mode)");
  const unlink = library.func("int smbc_unlink(const char *url)");
  const rmdir = library.func("int smbc_rmdir(const char *url)");
  const rename = library.func("int smbc_rename(const char *from, const char *to)");
  const statvfs = library.func("int smbc_statvfs(const char *url, uint8_t *into)");
  const setContext = library.func("void *smbc_set_context(void *context)");
  const setTimeout = library.func("void smbc_setTimeout(void *context, int milliseconds)");
  if ((init(auth, 0) as number) < 0) throw new SmbError(koffi.errno());
  setTimeout(setContext(null), timeoutMs);
  return { info, opendir, readdir, closedir, open, lseek, read, write, close, mkdir, unlink, rmdir, rename, statvfs };
}

function load(koffi: Koffi): SmbCalls {
  const { info, opendir, readdir, closedir, open, lseek, read, write, close, ...others } = bind(koffi);
  const { mkdir, unlink, rmdir, rename, statvfs } = others;
  const check = (result: number): number => {
    if (result < 0) throw new SmbError(koffi.errno());
    return result;
  };
  return {
    list(url) {
      const folder = check(opendir(url) as number);
      const items: SmbItem[] = [];
      for (let entry: unknown = readdir(folder); entry !== null; entry = readdir(folder)) {
        const { name, size, attributes, modified } = koffi.decode(entry, info) as {
          readonly name: string;
          readonly size: number | bigint;
          readonly attributes: number;
          readonly modified: { readonly seconds: number | bigint };
        };
        if (name === "." || name === "..") continue;
        const isFolder = (attributes & folderAttribute) !== 0;
        items.push({ name, isFolder, sizeBytes: Number(size), modifiedMs: Number(modified.seconds) * 1000 });
      }
      check(closedir(folder) as number);
      return items;
    },
    open(url, how) {
      const fd = check(open(url, how === "read" ? readOnly : writeNew | truncate, 0o600) as number);
      return { fd, sizeBytes: how === "read" ? check(Number(lseek(fd, 0, fromEnd))) : 0 };
    },
    read(fd, at, lengthBytes) {
      const bytes = new Uint8Array(lengthBytes);
      check(Number(lseek(fd, at, fromStart)));
      let done = 0;
      while (done < lengthBytes) {
        const count = check(Number(read(fd, bytes.subarray(done), lengthBytes - done)));
        if (count === 0) break;
        done += count;
      }
      return bytes.subarray(0, done);
    },
    write(fd, bytes) {
      for (let done = 0; done < bytes.length;) {
        done += check(Number(write(fd, bytes.subarray(done), bytes.length - done)));
      }
    },
    close: (fd) => void check(close(fd) as number),
    makeFolder: (url) => void check(mkdir(url, 0o755) as number),
    removeFile: (url) => void check(unlink(url) as number),
    removeFolder: (url) => void check(rmdir(url) as number),
    rename: (from, to) => void check(rename(from, to) as number),
    freeBytes(url) {
      const into = Buffer.alloc(256); // struct statvfs takes 112
      check(statvfs(url, into) as number);
      const [unitBytes = 0, unitFactor = 0, , , available = 0] = [0, 8, 16, 24, 32].map((at) => {
        return Number(into.readBigUInt64LE(at));
      });
      // The library tells the size of a sector and how many of them are a unit; from Unix servers the unit itself.
      return available * (unitFactor >= 512 ? unitFactor : unitBytes * unitFactor);
    },
  };
}

let calls: SmbCalls | undefined;

function answer({ id, verb, args }: SmbRequest): SmbAnswer {
  try {
    calls ??= load(createRequire(import.meta.url)("koffi") as Koffi);
  } catch (error) {
    return { id, errno: -1, message: error instanceof Error ? error.message : String(error) };
  }
  try {
    return { id, value: (calls[verb] as (...words: readonly unknown[]) => unknown)(...args) };
  } catch (error) {
    if (error instanceof SmbError) return { id, errno: error.errno };
    throw error;
  }
}

parentPort?.on("message", (request: SmbRequest) => {
  const sent = answer(request);
  parentPort?.postMessage(sent, sent.value instanceof Uint8Array ? [sent.value.buffer as ArrayBuffer] : []);
});
