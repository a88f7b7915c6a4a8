import * as fs from "node:fs";
import { open } from "node:fs/promises";
import * as path from "node:path";
import { promisify } from "node:util";
import { Failure, isSystemError, libc, OutputFile, systemReason } from "../../base/index.ts";
import { FileReader, type BlockReader } from "../../device/index.ts";
import { nameIn, pathIn, type BackupStore, type StoredItem, type StoreWriter } from "./backup-store.ts";

const writeAsync = promisify(fs.write);
const syncAsync = promisify(fs.fdatasync);
/** What is written reaches the disk in such pieces while the next one is made, and not all at the end. */
const syncedBytes = 128 * 1024 * 1024;

/** A folder of this machine. It need not be there before something is written. */
export class LocalStore implements BackupStore {
  readonly name: string;

  constructor(folder: string) {
    this.name = folder;
  }

  async list(folder: string): Promise<readonly StoredItem[]> {
    const names = this.#try("read", folder, () => fs.readdirSync(this.#path(folder))).sort();
    return names.flatMap((name) => itemAt(this.#path(pathIn(folder, name)), name) ?? []);
  }

  async find(itemPath: string): Promise<StoredItem | undefined> {
    return this.#try("look at", itemPath, () => itemAt(this.#path(itemPath), path.posix.basename(itemPath)));
  }

  open(filePath: string): Promise<BlockReader> {
    return FileReader.open(this.#path(filePath));
  }

  async makeFolder(folder: string): Promise<void> {
    this.#try("make the folder", folder, () => {
      fs.mkdirSync(path.dirname(this.#path(folder)), { recursive: true });
      fs.mkdirSync(this.#path(folder));
    });
  }

  async create(filePath: string): Promise<StoreWriter> {
    const output = OutputFile.create(this.#path(filePath));
    libc()?.lockWhole(output.fd); // for whoever would reopen it meanwhile
    return new LocalWriter(output);
  }

  async reopen(filePath: string, keptBytes: number): Promise<StoreWriter> {
    const output = OutputFile.reopen(this.#path(filePath));
    if (libc()?.lockWhole(output.fd) === false) {
      output.keep();
      await output[Symbol.asyncDispose]();
      throw new Failure("refused", `cannot go on with "${nameIn(this, filePath)}": another program is writing it`);
    }
    fs.ftruncateSync(output.fd, keptBytes);
    return new LocalWriter(output, keptBytes);
  }

  async put(filePath: string, bytes: Uint8Array): Promise<void> {
    this.#try("write", filePath, () => fs.writeFileSync(this.#path(filePath), bytes, { flag: "wx" }));
  }

  async flush(folder: string): Promise<void> {
    const files = (await this.list(folder)).filter(({ kind }) => kind === "file");
    await Promise.all(files.map(({ name }) => syncFile(this.#path(pathIn(folder, name)))));
    syncFolder(this.#path(folder));
  }

  async rename(from: string, to: string): Promise<void> {
    this.#try("rename", from, () => {
      if (fs.existsSync(this.#path(to))) {
        throw new Failure("exists", `cannot make "${nameIn(this, to)}": it is there already`);
      }
      fs.renameSync(this.#path(from), this.#path(to));
      syncFolder(path.dirname(this.#path(to)));
    });
  }

  async remove(itemPath: string): Promise<void> {
    this.#try("remove", itemPath, () => fs.rmSync(this.#path(itemPath), { recursive: true, force: true }));
  }

  async freeBytes(): Promise<number | undefined> {
    for (let folder = path.resolve(this.name); ; folder = path.dirname(folder)) {
      try {
        const { bavail, bsize } = fs.statfsSync(folder);
        return bavail * bsize;
      } catch {
        if (folder === path.dirname(folder)) return undefined;
      }
    }
  }

  async largestFileBytes(): Promise<undefined> {
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #path(itemPath: string): string {
    return path.join(this.name, itemPath);
  }

  #try<T>(action: string, itemPath: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw new Failure(codeOf(error), `cannot ${action} "${nameIn(this, itemPath)}": ${systemReason(error)}`, {
        cause: error,
      });
    }
  }
}

function codeOf(error: unknown): "not-found" | "exists" | "no-space" | "failed" {
  if (isSystemError(error, "ENOENT", "ENOTDIR")) return "not-found";
  if (isSystemError(error, "EEXIST")) return "exists";
  return isSystemError(error, "ENOSPC", "EDQUOT", "EFBIG") ? "no-space" : "failed";
}

/** Undefined where there is nothing, or what is neither a file nor a folder. */
function itemAt(systemPath: string, name: string): StoredItem | undefined {
  const stat = fs.statSync(systemPath, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  if (stat.isDirectory()) return { name, kind: "folder", sizeBytes: 0, modifiedMs: stat.mtimeMs };
  return stat.isFile() ? { name, kind: "file", sizeBytes: stat.size, modifiedMs: stat.mtimeMs } : undefined;
}

class LocalWriter implements StoreWriter {
  readonly #output: OutputFile;
  #length = 0;
  #syncedLength = 0;
  #syncing: Promise<void> = Promise.resolve();

  constructor(output: OutputFile, length = 0) {
    this.#output = output;
    this.#length = length;
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await writeAsync(this.#output.fd, bytes, done, bytes.length - done, this.#length);
        this.#length += bytesWritten;
        done += bytesWritten;
      }
    } catch (error) {
      throw this.#failure(error);
    }
    if (this.#length - this.#syncedLength >= syncedBytes) await this.#startSync();
  }

  /** One at a time: a disk slower than what is made for it is waited for here. */
  async #startSync(): Promise<void> {
    await this.#syncing;
    this.#syncedLength = this.#length;
    this.#syncing = syncAsync(this.#output.fd).catch((error: unknown) => {
      throw this.#failure(error);
    });
    this.#syncing.catch(() => undefined); // heard of when it is waited for
  }

  async commit(): Promise<void> {
    await this.#syncing;
    this.#output.commit();
  }

  keep(): void {
    this.#output.keep();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#syncing.catch(() => undefined);
    await this.#output[Symbol.asyncDispose]();
  }

  #failure(error: unknown): Failure {
    const message = `cannot write "${this.#output.target}": ${systemReason(error)}`;
    return new Failure(codeOf(error) === "no-space" ? "no-space" : "failed", message, { cause: error });
  }
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
