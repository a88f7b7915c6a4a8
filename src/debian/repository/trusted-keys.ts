import * as fs from "node:fs";
import * as path from "node:path";
import { Failure, isSystemError, systemReason } from "../../base/index.ts";
import { filesIn, type AptConfiguration, type AptSource } from "../apt/index.ts";
import { joinKeyrings, keysNamed, parseKeyring, type Keyring } from "../../openpgp/index.ts";

const archiveKeyring = "usr/share/keyrings/debian-archive-keyring.gpg";
const keyringLimitBytes = 256 * 1024 * 1024;

/** Which keys may sign: those of given files, else those that a source names, else those that apt trusts. */
export class TrustedKeys {
  readonly #configuration: AptConfiguration;
  readonly #given: readonly string[] | undefined;
  readonly #warn: (text: string) => void;
  readonly #read = new Map<string, Keyring>();

  constructor(configuration: AptConfiguration, given: readonly string[] | undefined, warn: (text: string) => void) {
    this.#warn = warn;
    this.#configuration = configuration;
    this.#given = given;
  }

  for(source: AptSource): Keyring {
    if (this.#given !== undefined) return joinKeyrings(this.#given.map((file) => this.#file(file)));
    const { signedBy } = source;
    if (signedBy === undefined) return this.#trusted();
    if (signedBy.embedded !== undefined) {
      return parseKeyring(Buffer.from(signedBy.embedded), `Signed-By of ${source.origin}`);
    }
    const named =
      signedBy.files.length === 0 ? this.#trusted() : joinKeyrings(signedBy.files.map((file) => this.#file(file)));
    return signedBy.fingerprints.length === 0 ? named : keysNamed(named, signedBy.fingerprints);
  }

  /** The keyring of Debian's archive, and what apt trusts where a source names no key. */
  #trusted(): Keyring {
    const root = this.#configuration.get("rootdir") ?? this.#configuration.path("dir");
    const parts = filesIn(this.#configuration.path("dir::etc::trustedparts"), /\.(gpg|asc)$/);
    const files = [path.join(root, archiveKeyring), this.#configuration.path("dir::etc::trusted"), ...parts];
    const readable = files.filter((file) => file !== "" && isReadable(file));
    return joinKeyrings(readable.flatMap((file) => this.#fileOrNone(file) ?? []));
  }

  /** Like apt, does without a file that is none. */
  #fileOrNone(file: string): Keyring | undefined {
    try {
      return this.#file(file);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#warn(`${error.message}; it is left out`);
      return undefined;
    }
  }

  #file(file: string): Keyring {
    const known = this.#read.get(file);
    if (known !== undefined) return known;
    const keyring = parseKeyring(contentOf(file), file);
    this.#read.set(file, keyring);
    return keyring;
  }
}

function isReadable(file: string): boolean {
  try {
    return fs.statSync(file).size > 0;
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR", "EACCES")) return false;
    throw error;
  }
}

function contentOf(file: string): Uint8Array {
  try {
    if (fs.statSync(file).size > keyringLimitBytes) {
      throw new Failure("failed", `cannot read the keyring "${file}": it has more than ${keyringLimitBytes} bytes`);
    }
    return fs.readFileSync(file);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure("not-found", `cannot read the keyring "${file}": ${systemReason(error)}`, {
      hint: "the package debian-archive-keyring has the keys of Debian's archive; --keyring names another file",
      cause: error,
    });
  }
}
