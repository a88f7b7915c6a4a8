import { Failure } from "../base/index.ts";
import { printableName } from "../bytes/index.ts";
import type { FileStat, FileSystem } from "./file-system.ts";

export interface ResolveOptions {
  /** Follow a symbolic link that is the last name of the path. A path that ends in `/` does so anyway. Default: true. */
  readonly followLast?: boolean;
}

/** As many symbolic links as Linux follows in one path (MAXSYMLINKS). */
const linkLimit = 40;

/**
 * The id of the file that a path names. The path starts at the root of the file system, with or without `/` in
 * front; so do absolute targets of links, and `..` never leads out. Throws `not-found` saying what is missing.
 */
export async function resolvePath(fileSystem: FileSystem, path: string, options: ResolveOptions = {}): Promise<number> {
  return new Resolver(fileSystem, path, options.followLast ?? true).resolve();
}

class Resolver {
  readonly #fileSystem: FileSystem;
  readonly #path: string;
  readonly #followLast: boolean;
  /** The directories from the root down to where the walk has come, and their names. */
  #ids: number[];
  #names: string[] = [];
  #linksFollowed = 0;

  constructor(fileSystem: FileSystem, path: string, followLast: boolean) {
    this.#fileSystem = fileSystem;
    this.#path = path;
    this.#followLast = followLast;
    this.#ids = [fileSystem.rootId];
  }

  async resolve(): Promise<number> {
    const rest = namesOf(this.#path);
    const mustBeDirectory = /\/\.?$/.test(this.#path);
    for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
      const isLast = rest.length === 0;
      const stat = await this.#step(name);
      if (stat === undefined) continue;
      if (stat.kind === "symlink" && (!isLast || this.#followLast || mustBeDirectory)) {
        rest.unshift(...(await this.#follow(stat)));
      } else if (stat.kind === "directory") {
        this.#ids.push(stat.id);
        this.#names.push(name);
      } else if (isLast && !mustBeDirectory) {
        return stat.id;
      } else {
        throw this.#notFound(`"${this.#here(name)}" is not a directory`);
      }
    }
    return this.#ids.at(-1) ?? this.#fileSystem.rootId;
  }

  /** One name down; undefined for `..`, which has gone up. */
  async #step(name: string): Promise<FileStat | undefined> {
    if (name === "..") {
      if (this.#ids.length > 1) this.#ids.pop();
      this.#names.pop();
      return undefined;
    }
    const id = await this.#fileSystem.find(this.#ids.at(-1) ?? this.#fileSystem.rootId, name);
    if (id === undefined) throw this.#notFound(`"${this.#here()}" has no "${printableName(name)}"`);
    return this.#fileSystem.stat(id);
  }

  /** The names that a link puts in its place. An absolute one starts from the root again. */
  async #follow(stat: FileStat): Promise<string[]> {
    if (++this.#linksFollowed > linkLimit)
      throw this.#notFound(`it leads through more than ${linkLimit} symbolic links`);
    const target = await this.#fileSystem.readLink(stat.id);
    if (target.startsWith("/")) {
      this.#ids = [this.#fileSystem.rootId];
      this.#names = [];
    }
    return namesOf(target);
  }

  #here(name?: string): string {
    return printableName(`/${[...this.#names, ...(name === undefined ? [] : [name])].join("/")}`);
  }

  #notFound(why: string): Failure {
    return new Failure("not-found", `cannot find "${printableName(this.#path)}": ${why}`);
  }
}

function namesOf(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}
