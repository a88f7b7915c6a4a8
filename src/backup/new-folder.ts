import { createHash } from "node:crypto";
import { Failure } from "../base/index.ts";
import { text, type SmallFile } from "./clonezilla/index.ts";
import type { WrittenFile } from "./packed/index.ts";
import { nameIn, pathIn, unfinishedEnding, type BackupStore } from "./store/index.ts";

/**
 * The folder of a new backup: it is written under a name that ends in `.part`, and `commit` adds the checksums of all
 * files and gives it its own name. Disposed without a commit, it is removed, unless it is to be kept.
 */
export class NewFolder implements AsyncDisposable {
  readonly store: BackupStore;
  readonly #name: string;
  readonly #partName: string;
  readonly #small: SmallFile[] = [];
  readonly #large: WrittenFile[] = [];
  #isCommitted = false;
  #isKept = false;

  private constructor(store: BackupStore, name: string) {
    this.store = store;
    this.#name = name;
    this.#partName = name + unfinishedEnding;
  }

  static async create(store: BackupStore, name: string): Promise<NewFolder> {
    const folder = new NewFolder(store, name);
    const path = nameIn(store, name);
    if ((await store.find(name)) !== undefined) {
      throw new Failure("exists", `cannot save into "${path}": it is there already`, { hint: "give another --name" });
    }
    try {
      await store.makeFolder(folder.#partName);
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== "exists") throw error;
      const partPath = nameIn(store, folder.#partName);
      throw new Failure("exists", `cannot save into "${path}": "${partPath}" is there from another run`, {
        hint: "--resume goes on with it; or, if no other holdfast is writing it, remove that folder",
        cause: error,
      });
    }
    return folder;
  }

  /** Goes on with one that was not finished. */
  static resume(store: BackupStore, name: string): NewFolder {
    return new NewFolder(store, name);
  }

  /** Disposed without a commit, it stays as it is. */
  keep(): void {
    this.#isKept = true;
  }

  /** Its name in the store while it is not finished. */
  get partName(): string {
    return this.#partName;
  }

  /** How messages call it. */
  get path(): string {
    return nameIn(this.store, this.#name);
  }

  /** Where in the store a file of it is while it is not finished. */
  pathOf(name: string): string {
    return pathIn(this.#partName, name);
  }

  get sizeBytes(): number {
    const small = this.#small.reduce((sum, { bytes }) => sum + bytes.length, 0);
    return this.#large.reduce((sum, { sizeBytes }) => sum + sizeBytes, small);
  }

  /** Takes a file that was written already. */
  addWritten(file: WrittenFile): void {
    this.#large.push(file);
  }

  async add(file: SmallFile): Promise<void> {
    await this.store.put(this.pathOf(file.name), file.bytes);
    this.#small.push(file);
  }

  /** Makes the backup appear, durably. `before` is done when all of it is there, under the name of what is not finished. */
  async commit(before: () => Promise<void>): Promise<void> {
    const log = this.#small.find(({ name }) => name === "clonezilla-img");
    if (log !== undefined) {
      const id = createHash("sha512").update(log.bytes).digest("hex");
      await this.add(text("Info-img-id.txt", `# The SHA-512 of the file clonezilla-img\nIMG_ID=${id}\n`));
    }
    const sha1 = this.#small.map(({ name, bytes }) => ({ name, sum: createHash("sha1").update(bytes).digest("hex") }));
    await this.add(text("SHA1SUMS", sumsText([...this.#large.map(({ name, sha1: sum }) => ({ name, sum })), ...sha1])));
    const small = this.#small.map(({ name, bytes }) => {
      return { name, sum: createHash("blake2b512").update(bytes).digest("hex") };
    });
    await this.add(text("B2SUMS", sumsText(small)));
    await this.store.flush(this.#partName);
    await before();
    await this.store.rename(this.#partName, this.#name);
    this.#isCommitted = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isCommitted || this.#isKept) return;
    try {
      await this.store.remove(this.#partName);
    } catch (error) {
      // What made the backup fail often keeps it from being removed too, and is what the user has to hear.
      if (!(error instanceof Failure)) throw error;
    }
  }
}

function sumsText(sums: readonly { readonly name: string; readonly sum: string }[]): string {
  const sorted = sums.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return sorted.map(({ name, sum }) => `${sum}  ${name}\n`).join("");
}
