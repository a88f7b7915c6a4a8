import type { HostFileSystem } from "./boot-entry.ts";
import { conventions, type Convention } from "./conventions.ts";

/** By the name of a kernel module, without endings; programs that mount in its place count as well. */
const fileSystemOfModule: ReadonlyMap<string, HostFileSystem> = new Map([
  ["vfat", "fat"],
  ["exfat", "exfat"],
  ["ext4", "ext4"],
  ["ntfs", "ntfs"],
  ["ntfs3", "ntfs"],
]);
const fileSystemOfProgram: ReadonlyMap<string, HostFileSystem> = new Map([
  ["ntfs-3g", "ntfs"],
  ["mount.ntfs", "ntfs"],
  ["mount.exfat-fuse", "exfat"],
]);
/** The newer one first: versions that know both prefer it. */
const casperNames = ["writable", "casper-rw"];
const modulePattern = /(?:^|\/)([\w-]+)\.ko(?:\.(?:xz|zst|gz))?$/;
/** In the order in which they are told. */
const order: readonly HostFileSystem[] = ["fat", "exfat", "ext4", "ntfs"];

/** Gathers what the names of an initrd's files tell, in any order. */
export class Clues {
  readonly #fileSystems = new Set<HostFileSystem>();
  #changesName: string | undefined;
  /** Of each convention, which of its signs are still to be seen. */
  readonly #unseen = new Map<Convention, Set<RegExp>>();

  constructor() {
    for (const one of conventions) this.#unseen.set(one, new Set(one.signs));
  }

  addPath(path: string): void {
    const module = modulePattern.exec(path)?.[1];
    const name = path.slice(path.lastIndexOf("/") + 1);
    const found = module === undefined ? fileSystemOfProgram.get(name) : fileSystemOfModule.get(module);
    if (found !== undefined) this.#fileSystems.add(found);
    if (module !== undefined) return;
    for (const [, unseen] of this.#unseen) {
      for (const sign of unseen) if (sign.test(path)) unseen.delete(sign);
    }
  }

  /** `modules.builtin`: a path a line, of what is part of the kernel. */
  addModuleList(text: string): void {
    for (const line of text.split("\n")) {
      const found = fileSystemOfModule.get(modulePattern.exec(line)?.[1] ?? "");
      if (found !== undefined) this.#fileSystems.add(found);
    }
  }

  /** Casper's own script, which has the name of the file that keeps changes. */
  addCasperScript(text: string): void {
    this.#changesName = casperNames.find((name) => text.includes(name));
  }

  get changesName(): string | undefined {
    return this.#changesName;
  }

  /** Whether nothing that may follow could tell more. */
  get areComplete(): boolean {
    return this.#fileSystems.size === order.length && this.convention()?.isFinal === true;
  }

  /** The first whose signs have all been seen. */
  convention(): Convention | undefined {
    return conventions.find((one) => this.#unseen.get(one)?.size === 0);
  }

  fileSystems(): readonly HostFileSystem[] {
    return order.filter((one) => this.#fileSystems.has(one));
  }
}
