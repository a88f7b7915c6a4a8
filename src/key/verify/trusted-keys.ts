import * as fs from "node:fs";
import * as path from "node:path";
import { Failure, systemReason } from "../../base/index.ts";
import { joinKeyrings, parseKeyring, type Keyring } from "../../openpgp/index.ts";

const keyringLimitBytes = 256 * 1024 * 1024;
const keyringName = /\.(gpg|pgp|asc)$|^RPM-GPG-KEY-/;
/** Distributions keep keys here that they no longer trust. */
const distrusted = /removed|revoked/;

/** Where Debian and its kin, Fedora and its kin, and Arch put the keys that they trust. */
export const distributionKeyrings: readonly string[] = [
  "/usr/share/keyrings",
  "/etc/pki/rpm-gpg",
  "/usr/share/pacman/keyrings",
];

/** The keys that may sign ISO files: those of given files, and those that the distribution of this machine brings. */
export class TrustedKeys {
  readonly #given: readonly string[];
  readonly #folders: readonly string[];
  readonly #contents = new Map<string, Uint8Array>();
  /** By whom was asked for: a list and the next are mostly signed by the same. */
  readonly #found = new Map<string, Keyring>();

  constructor(given: readonly string[], folders: readonly string[]) {
    this.#given = given;
    this.#folders = folders;
  }

  /** Those of these fingerprints or key IDs. Throws where a given file is no keyring. */
  named(issuers: readonly string[]): Keyring {
    const asked = issuers.toSorted().join(" ");
    const known = this.#found.get(asked);
    if (known !== undefined) return known;
    const found = this.#find(issuers);
    this.#found.set(asked, found);
    return found;
  }

  #find(issuers: readonly string[]): Keyring {
    const given = this.#given.map((file) => parseKeyring(this.#contentOf(file), file, issuers));
    if (issuers.length === 0) return joinKeyrings(given);
    return joinKeyrings([
      ...given,
      ...this.#folders.flatMap(keyringsIn).flatMap((file) => this.#fileOrNone(file, issuers)),
    ]);
  }

  /** What a package puts there that is no keyring is no concern of whoever adds an ISO. */
  #fileOrNone(file: string, issuers: readonly string[]): readonly Keyring[] {
    try {
      return [parseKeyring(this.#contentOf(file), file, issuers)];
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return [];
    }
  }

  #contentOf(file: string): Uint8Array {
    const known = this.#contents.get(file);
    if (known !== undefined) return known;
    const content = readKeyring(file);
    this.#contents.set(file, content);
    return content;
  }
}

function readKeyring(file: string): Uint8Array {
  try {
    if (fs.statSync(file).size > keyringLimitBytes) {
      throw new Failure("failed", `cannot read the keyring "${file}": it has more than ${keyringLimitBytes} bytes`);
    }
    return fs.readFileSync(file);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure("not-found", `cannot read the keyring "${file}": ${systemReason(error)}`, { cause: error });
  }
}

function keyringsIn(folder: string): readonly string[] {
  try {
    const names = fs.readdirSync(folder).filter((name) => keyringName.test(name) && !distrusted.test(name));
    return names.toSorted().map((name) => path.join(folder, name));
  } catch {
    return []; // not that kind of system
  }
}
