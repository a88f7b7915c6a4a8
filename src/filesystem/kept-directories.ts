/** A directory held in memory, which may not be as the device has it. */
interface HeldDirectory {
  readonly isChanged: boolean;
}

/** How many directories are kept in memory that need not be: more than any one change uses. */
const seenLimit = 64;

/** The directories of a file system that is being changed, by their ids: those that changed, and the last others. */
export class KeptDirectories<Directory extends HeldDirectory> {
  /** Directories that were looked into, the one used last at the end. Some may have changed since. */
  readonly #seen = new Map<number, Directory>();
  readonly #changed = new Map<number, Directory>();

  /** Those that are not as the device has them. */
  get changed(): readonly Directory[] {
    return [...this.#changed.values(), ...this.#seen.values()].filter((directory) => directory.isChanged);
  }

  /** The directory with an id, which is loaded where it is not kept. */
  async open(id: number, load: () => Promise<Directory>): Promise<Directory> {
    const changed = this.#changed.get(id);
    if (changed !== undefined) return changed;
    const directory = this.#seen.get(id) ?? (await load());
    this.#seen.delete(id); // and in again, as the newest
    this.keep(id, directory);
    return directory;
  }

  keep(id: number, directory: Directory): void {
    for (const [oldestId, oldest] of this.#seen) {
      if (this.#seen.size < seenLimit) break;
      this.#seen.delete(oldestId);
      if (oldest.isChanged) this.#changed.set(oldestId, oldest);
    }
    this.#seen.set(id, directory);
  }

  forget(id: number): void {
    this.#seen.delete(id);
    this.#changed.delete(id);
  }

  /** The changes are on the device. */
  settle(): void {
    this.#changed.clear();
    for (const [id, directory] of this.#seen) if (directory.isChanged) this.#seen.delete(id);
  }
}
