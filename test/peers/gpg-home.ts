/** Keys and signatures of gpg, in a home of their own. */
import * as fs from "node:fs";
import { temporaryFolder } from "../temp.ts";
import { runPeer } from "./peer.ts";

/** What tests with these need, for `skipWithout`. */
export const gpgPeers: readonly string[] = ["gpg", "gpgconf"];

export class GpgHome implements AsyncDisposable {
  readonly #folder = temporaryFolder();

  constructor() {
    fs.chmodSync(this.#folder.path, 0o700);
  }

  /** The file of a name in it. */
  join(name: string): string {
    return this.#folder.join(name);
  }

  gpg(args: readonly string[], input = ""): string {
    const quietly = ["--batch", "--no-tty", "--quiet", "--yes", "--homedir", this.#folder.path];
    return runPeer("gpg", [...quietly, "--pinentry-mode", "loopback", "--passphrase", "", ...args], { input });
  }

  /** Makes a key that signs; gives its fingerprint. */
  makeKey(name: string, algorithm: string, options: readonly string[] = []): string {
    this.gpg([...options, "--quick-generate-key", name, algorithm, "cert,sign", "2y"]);
    return this.fingerprintOf(name);
  }

  fingerprintOf(name: string): string {
    return /^fpr:+([0-9A-F]+):/m.exec(this.gpg(["--with-colons", "--list-keys", name]))?.[1] ?? "";
  }

  /** Writes the public keys of these names to a file. */
  export(file: string, ...names: readonly string[]): string {
    this.gpg(["--armor", "--output", file, "--export", ...names]);
    return file;
  }

  /** gpg keeps a revocation of each key that it makes beside it, with a colon before its first line. */
  revoke(fingerprint: string): void {
    const prepared = fs.readFileSync(this.#folder.join(`openpgp-revocs.d/${fingerprint}.rev`), "utf8");
    this.gpg(["--import"], prepared.replace(":-----BEGIN", "-----BEGIN"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    runPeer("gpgconf", ["--homedir", this.#folder.path, "--kill", "all"]);
    await this.#folder[Symbol.asyncDispose]();
  }
}
