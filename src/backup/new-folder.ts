import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { open } from "node:fs/promises";
import * as path from "node:path";
import { Failure, isSystemError, systemReason } from "../base/index.ts";
import { text, type SmallFile } from "./clonezilla/index.ts";
import type { WrittenFile } from "./packed/index.ts";

/** As long as a backup is being written its folder is called so. */
const unfinishedEnding = ".part";

/**
 * The folder of a new backup: it is written under a name that ends in `.part`, and `commit` adds the checksums of all
 * files and gives it its own name. Disposed without a commit, it is removed.
 */
export class NewFolder implements AsyncDisposable {
  readonly path: string;
  readonly #partPath: string;
  readonly #small: SmallFile[] = [];
  readonly #large: WrittenFile[] = [];
  #isCommitted = false;

  private constructor(folderPath: string) {
    this.path = folderPath;
    this.#partPath = folderPath + unfinishedEnding;
  }

  static create(folderPath: string): NewFolder {
    const folder = new NewFolder(folderPath);
    if (fs.existsSync(folderPath)) {
      throw new Failure("exists", `cannot save into "${folderPath}": it is there already`, {
        hint: "give another --name",
      });
    }
    try {
      fs.mkdirSync(path.dirname(folderPath), { recursive: true });
      fs.mkdirSync(folder.#partPath);
    } catch (error) {
      if (isSystemError(error, "EEXIST")) {
        throw new Failure(
          "exists",
          `cannot save into "${folderPath}": "${folder.#partPath}" is there from another run`,
          {
            hint: "if no other holdfast is writing it, remove that folder",
            cause: error,
          },
        );
      }
      throw new Failure("failed", `cannot make the folder "${folderPath}": ${systemReason(error)}`, { cause: error });
    }
    return folder;
  }

  /** Where a file of it is while it is not finished. */
  pathOf(name: string): string {
    return path.join(this.#partPath, name);
  }

  get sizeBytes(): number {
    const small = this.#small.reduce((sum, { bytes }) => sum + bytes.length, 0);
    return this.#large.reduce((sum, { sizeBytes }) => sum + sizeBytes, small);
  }

  /** Takes a file that was written already. */
  addWritten(file: WrittenFile): void {
    this.#large.push(file);
  }

  add(file: SmallFile): void {
    const target = this.pathOf(file.name);
    try {
      fs.writeFileSync(target, file.bytes, { flag: "wx" });
    } catch (error) {
      const code = isSystemError(error, "ENOSPC", "EDQUOT") ? "no-space" : "failed";
      throw new Failure(code, `cannot write "${target}": ${systemReason(error)}`, { cause: error });
    }
    this.#small.push(file);
  }

  /** Makes the backup appear, durably. */
  async commit(): Promise<void> {
    const log = this.#small.find(({ name }) => name === "clonezilla-img");
    if (log !== undefined) {
      const id = createHash("sha512").update(log.bytes).digest("hex");
      this.add(text("Info-img-id.txt", `# The SHA-512 of the file clonezilla-img\nIMG_ID=${id}\n`));
    }
    const sha1 = this.#small.map(({ name, bytes }) => ({ name, sum: createHash("sha1").update(bytes).digest("hex") }));
    this.add(text("SHA1SUMS", sumsText([...this.#large.map(({ name, sha1: sum }) => ({ name, sum })), ...sha1])));
    const small = this.#small.map(({ name, bytes }) => {
      return { name, sum: createHash("blake2b512").update(bytes).digest("hex") };
    });
    this.add(text("B2SUMS", sumsText(small)));
    await Promise.all(this.#small.map(({ name }) => syncFile(this.pathOf(name))));
    syncFolder(this.#partPath);
    if (fs.existsSync(this.path)) {
      throw new Failure("exists", `cannot save into "${this.path}": it has come into being meanwhile`);
    }
    fs.renameSync(this.#partPath, this.path);
    this.#isCommitted = true;
    syncFolder(path.dirname(this.path));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isCommitted) fs.rmSync(this.#partPath, { recursive: true, force: true });
  }
}

function sumsText(sums: readonly { readonly name: string; readonly sum: string }[]): string {
  const sorted = sums.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return sorted.map(({ name, sum }) => `${sum}  ${name}\n`).join("");
}

async function syncFile(file: string): Promise<void> {
  await using handle = await open(file, "r");
  await handle.sync();
}

function syncFolder(folder: string): void {
  const fd = fs.openSync(folder, "r");
  try {
    fs.fsyncSync(fd);
  } catch (error) {
    if (!isSystemError(error, "EINVAL", "EPERM", "EISDIR", "ENOTSUP")) throw error;
  } finally {
    fs.closeSync(fd);
  }
}
