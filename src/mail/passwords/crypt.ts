import { createRequire } from "node:module";
import { Failure } from "../../base/index.ts";

/** `struct crypt_data` of libxcrypt (crypt(3)). */
const stateBytes = 32_768;

type Crypt = (password: string, setting: string) => Promise<string | null>;

let loaded: Crypt | undefined;

/**
 * crypt(3) of the system, in a thread of the pool: DES, $1$, $5$, $6$, $y$, $2y$ and whatever else it knows. Null where
 * the setting means nothing to it. Throws `unsupported` where there is no such library.
 */
export async function crypt(password: string, setting: string): Promise<string | null> {
  loaded ??= load();
  // What is after a NUL would not count.
  if (password.includes("\0")) return null;
  return loaded(password, setting);
}

function load(): Crypt {
  const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi").default;
  const library = ["libcrypt.so.1", "libcrypt.so.2"].reduce<ReturnType<typeof koffi.load> | undefined>(
    (found, name) => {
      if (found !== undefined) return found;
      try {
        return koffi.load(name);
      } catch {
        return undefined;
      }
    },
    undefined,
  );
  if (library === undefined) {
    throw new Failure("unsupported", "cannot check a password of crypt(3): the library libcrypt is not there", {
      hint: "install libcrypt1, or give passwords with holdfast mail user, which stores them by Argon2",
    });
  }
  const cryptR = library.func("const char *crypt_r(const char *password, const char *setting, void *state)");
  const zeros = new Uint8Array(stateBytes);
  return (password, setting) =>
    new Promise((resolve, reject) => {
      // Not memory of JavaScript's: that may move while the other thread works.
      const state: unknown = koffi.alloc("uint8_t", stateBytes);
      koffi.encode(state, "uint8_t", zeros, stateBytes);
      cryptR.async(password, setting, state, (error: Error | null, result: string | null) => {
        koffi.free(state);
        if (error !== null) reject(error);
        else resolve(result === null || result.startsWith("*") ? null : result);
      });
    });
}
