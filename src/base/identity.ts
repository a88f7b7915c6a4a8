import { createRequire } from "node:module";

/** An account of the system. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** Calls about who a process is that Node does not offer; Linux only. */
export interface Identities {
  /** By getpwnam(3): from wherever the system has its accounts. */
  accountNamed(name: string): Account | undefined;
  /** The id of a group, by getgrnam(3). */
  groupNamed(name: string): number | undefined;
  /**
   * Lets only the calling thread be root, of a process that is: all other threads become somebody else, and so do the
   * files that this thread opens. False where that cannot be.
   */
  keepRootInThisThread(others: FileUser): boolean;
  /** As whom the calling thread, which is root, opens files (setfsuid(2)): false where it is not. */
  setFileUser(user: FileUser): boolean;
}

export interface FileUser {
  readonly uid: number;
  readonly gid: number;
}

/** Numbers of setresuid(2) and setresgid(2), which the C library would call in every thread. */
const systemCalls: Readonly<Record<string, { readonly setresuid: number; readonly setresgid: number }>> = {
  x64: { setresuid: 117, setresgid: 119 },
  arm64: { setresuid: 147, setresgid: 149 },
};

let loaded: Identities | undefined | null = null;

/** Loaded on first use; undefined where there are no such calls. */
export function identities(): Identities | undefined {
  if (loaded === null) loaded = process.platform === "linux" ? load() : undefined;
  return loaded;
}

function load(): Identities | undefined {
  let koffi: typeof import("koffi").default;
  try {
    koffi = createRequire(import.meta.url)("koffi") as typeof koffi;
  } catch {
    return undefined; // no prebuilt library for this processor
  }
  const library = koffi.load(null);
  koffi.struct("passwd", {
    name: "char *",
    password: "char *",
    uid: "uint32_t",
    gid: "uint32_t",
    gecos: "char *",
    home: "char *",
    shell: "char *",
  });
  koffi.struct("group", { name: "char *", password: "char *", gid: "uint32_t", members: "void *" });
  const getpwnam = library.func("passwd *getpwnam(const char *name)");
  const getgrnam = library.func("group *getgrnam(const char *name)");
  const setfsuid = library.func("int setfsuid(uint32_t uid)");
  const setfsgid = library.func("int setfsgid(uint32_t gid)");
  const syscall = library.func("long syscall(long number, int64_t a, int64_t b, int64_t c)");
  const unchanged = 0xff_ff_ff_ff;
  const setFileUser = ({ uid, gid }: FileUser): boolean => {
    setfsgid(gid);
    setfsuid(uid);
    // Neither tells whether it did anything; asked for what cannot be, they tell what holds.
    return setfsgid(unchanged) === gid && setfsuid(unchanged) === uid;
  };
  return {
    accountNamed(name) {
      const found = getpwnam(name) as unknown;
      if (found === null) return undefined;
      const { uid, gid, home } = koffi.decode(found, "passwd") as Account;
      return { name, uid, gid, home };
    },
    groupNamed(name) {
      const found = getgrnam(name) as unknown;
      return found === null ? undefined : (koffi.decode(found, "group") as { gid: number }).gid;
    },
    keepRootInThisThread(others) {
      const numbers = systemCalls[process.arch];
      if (numbers === undefined || process.geteuid?.() !== 0) return false;
      process.setegid?.(others.gid);
      process.seteuid?.(others.uid);
      const isRoot = syscall(numbers.setresuid, -1, 0, -1) === 0 && syscall(numbers.setresgid, -1, 0, -1) === 0;
      return isRoot && setFileUser(others);
    },
    setFileUser,
  };
}
