import * as posix from "node:path/posix";
import { Failure } from "../../base/index.ts";
import { signersOfFile } from "../../boot/index.ts";
import { readText, resolvePath, type FileStat, type FileSystem } from "../../filesystem/index.ts";

/** A file of the disc, by its path as it is spelled there, from the root on. */
export interface DiscFile {
  readonly path: string;
  readonly id: number;
  readonly kind: FileStat["kind"];
  readonly sizeBytes: number;
}

/** Beyond as many names a folder is not looked through; kernels stand in small ones. */
const folderNameLimit = 20_000;
/** How many files a pattern may stand for. */
const globLimit = 64;
/** Longer files are no menus. */
const textLimitBytes = 1024 * 1024;

/** The files of an ISO as boot loaders look for them: ISOLINUX does not mind upper and lower case, nor do people. */
export class Disc {
  readonly fileSystem: FileSystem;
  /** Of those who have signed what was looked at so far, by the names of their issuers. */
  readonly certificates = new Map<string, Uint8Array>();
  readonly #folders = new Map<string, Promise<readonly string[]>>();

  constructor(fileSystem: FileSystem) {
    this.fileSystem = fileSystem;
  }

  /** The file of a path, if need be in another case; links are followed. Undefined where there is none. */
  async find(path: string): Promise<DiscFile | undefined> {
    return this.#stat((await this.#spelled(path)) ?? path);
  }

  async findFile(path: string): Promise<DiscFile | undefined> {
    const found = await this.find(path);
    return found?.kind === "file" ? found : undefined;
  }

  /** Whether a pattern stands for anything. */
  async has(pattern: string): Promise<boolean> {
    return (await this.glob(pattern)).length > 0;
  }

  /** The files that a pattern stands for, in order: `*` is any part of a name, `{a,b}` one of several. */
  async glob(pattern: string): Promise<readonly DiscFile[]> {
    const found = new Map<string, DiscFile>();
    for (const path of await this.#paths(pattern)) {
      const file = await this.find(path);
      if (file !== undefined) found.set(file.path, file);
    }
    return [...found.values()];
  }

  /** By whom a kernel or program is signed, as Secure Boot asks for: the issuers of the signers' certificates. */
  async signers({ id }: DiscFile): Promise<readonly string[]> {
    const signers = await signersOfFile(this.fileSystem, id);
    for (const { issuer, certificate } of signers) {
      if (certificate !== undefined) this.certificates.set(issuer, certificate);
    }
    return [...new Set(signers.map(({ issuer }) => issuer))];
  }

  /** The text of a small file; undefined where there is none. */
  async text(path: string): Promise<string | undefined> {
    const file = await this.findFile(path);
    return file && (await readText(this.fileSystem, file.path, textLimitBytes));
  }

  /** The first bytes of a file. */
  async start(file: DiscFile, limitBytes: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(Math.min(limitBytes, file.sizeBytes));
    for await (const piece of this.fileSystem.content(file.id)) {
      if (piece.at >= bytes.length) break;
      bytes.set(piece.bytes.subarray(0, bytes.length - piece.at), piece.at);
      if (piece.at + piece.bytes.length >= bytes.length) break;
    }
    return bytes;
  }

  /** The names in a folder, in order; none where it is none. */
  names(folder: string): Promise<readonly string[]> {
    let names = this.#folders.get(folder);
    if (names === undefined) this.#folders.set(folder, (names = this.#readNames(folder)));
    return names;
  }

  async #paths(pattern: string): Promise<readonly string[]> {
    let paths: readonly string[] = ["/"];
    for (const part of pattern.split("/").filter((name) => name !== "")) {
      const next: string[] = [];
      for (const path of paths) {
        const names = /[*{]/.test(part) ? (await this.names(path)).filter(matcherOf(part)) : [part];
        next.push(...names.map((name) => posix.join(path, name)));
      }
      paths = next.slice(0, globLimit);
    }
    return paths;
  }

  async #stat(path: string): Promise<DiscFile | undefined> {
    try {
      const id = await resolvePath(this.fileSystem, path);
      const { kind, sizeBytes } = await this.fileSystem.stat(id);
      return { path: posix.normalize(`/${path}`), id, kind, sizeBytes };
    } catch (error) {
      if (error instanceof Failure && error.code === "not-found") return undefined;
      throw error;
    }
  }

  /** The path as it is spelled on the disc. */
  async #spelled(path: string): Promise<string | undefined> {
    let spelled = "/";
    for (const part of posix.normalize(`/${path}`).split("/").filter(Boolean)) {
      const names = await this.names(spelled);
      const name = names.includes(part) ? part : names.find((one) => one.toLowerCase() === part.toLowerCase());
      if (name === undefined) return undefined;
      spelled = posix.join(spelled, name);
    }
    return spelled;
  }

  async #readNames(folder: string): Promise<readonly string[]> {
    const found = await this.#stat(folder);
    if (found?.kind !== "directory") return [];
    const names: string[] = [];
    for await (const items of this.fileSystem.list(found.id)) {
      names.push(...items.map(({ name }) => name));
      if (names.length > folderNameLimit) return [];
    }
    return names.toSorted();
  }
}

/** Whether a name is one of those that a pattern stands for, in any case. */
function matcherOf(pattern: string): (name: string) => boolean {
  const expression = pattern
    .replace(/[.+^$()|[\]\\?]/g, String.raw`\$&`)
    .replace(/\{([^}]*)\}/g, (_, list: string) => `(?:${list.replaceAll(",", "|")})`)
    .replaceAll("*", "[^/]*");
  const whole = new RegExp(`^${expression}$`, "i");
  return (name) => whole.test(name);
}
