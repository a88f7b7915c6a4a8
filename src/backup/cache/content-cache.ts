import * as fs from "node:fs";
import { open } from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { Failure, isSystemError, systemReason } from "../../base/index.ts";
import { formatSize } from "../../bytes/index.ts";

/** Where the content of data that cannot be read anywhere is kept, once it was unpacked. */
export interface ContentCacheOptions {
  /** Undefined keeps it as long as it is open only. */
  readonly folder: string | undefined;
  /** How much all of it may take. */
  readonly limitBytes: number;
  readonly nowMs: number;
}

const ending = ".zst";
const unfinishedEnding = ".part";
const dayMs = 24 * 60 * 60 * 1000;
/** What nobody has looked into for so long is removed. */
const keptDays = 30;

interface Kept {
  readonly path: string;
  readonly sizeBytes: number;
  readonly usedMs: number;
}

/** Files of content in one folder, bounded in size and age. Several processes may use it at a time. */
export class ContentCache {
  readonly #options: ContentCacheOptions;

  constructor(options: ContentCacheOptions) {
    this.#options = options;
  }

  get isKept(): boolean {
    return this.#options.folder !== undefined;
  }

  /** The file of a content that is there already; from now on it is the one that was used last. */
  find(key: string): string | undefined {
    const { folder } = this.#options;
    if (folder === undefined) return undefined;
    const file = path.join(folder, key + ending);
    try {
      this.#touch(file);
      return file;
    } catch {
      return undefined;
    }
  }

  #touch(file: string): void {
    fs.utimesSync(file, this.#options.nowMs / 1000, this.#options.nowMs / 1000);
  }

  /**
   * Makes the file of a content: `fill` is given what writes it. It appears under its name once all is in it; what was
   * used longest ago makes room for it. `leastBytes` is what it takes at the least.
   */
  async make(
    key: string,
    about: { readonly name: string; readonly leastBytes: number },
    fill: (write: (bytes: Uint8Array) => Promise<void>) => Promise<void>,
  ): Promise<string> {
    const folder = this.#options.folder ?? fs.mkdtempSync(path.join(os.tmpdir(), "holdfast-content-"));
    const target = path.join(folder, key + ending);
    const part = path.join(folder, `${key}.${process.pid}-${crypto.randomUUID().slice(0, 8)}${unfinishedEnding}`);
    try {
      fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
      this.#makeRoom(folder, about);
      await using file = await open(part, "wx", 0o600);
      let length = 0;
      await fill(async (bytes) => {
        length += bytes.length;
        if (length > this.#options.limitBytes) throw this.#tooLarge(about.name);
        await file.writeFile(bytes);
      });
      this.#touch(part);
      fs.renameSync(part, target);
      this.#makeRoom(folder, { name: about.name, leastBytes: 0 }, target);
      return target;
    } catch (error) {
      fs.rmSync(part, { force: true });
      if (!this.isKept) fs.rmSync(folder, { recursive: true, force: true });
      if (error instanceof Failure) throw error;
      const code = isSystemError(error, "ENOSPC", "EDQUOT", "EFBIG") ? "no-space" : "failed";
      throw new Failure(code, `cannot unpack "${about.name}" into "${folder}": ${systemReason(error)}`, {
        hint: "XDG_CACHE_HOME names another place for what is kept, TMPDIR for what is not",
        cause: error,
      });
    }
  }

  /** Removes what is too old, what other runs have left, and then what was used longest ago until the rest has room. */
  #makeRoom(folder: string, about: { readonly name: string; readonly leastBytes: number }, spared?: string): void {
    const { limitBytes, nowMs } = this.#options;
    if (about.leastBytes > limitBytes) throw this.#tooLarge(about.name);
    const found = filesIn(folder);
    const isOld = ({ path: file, usedMs }: Kept): boolean => {
      return nowMs - usedMs > (file.endsWith(ending) ? keptDays : 1) * dayMs;
    };
    for (const file of found.filter(isOld)) fs.rmSync(file.path, { force: true });
    const kept = found.filter((file) => !isOld(file) && file.path.endsWith(ending));
    let takenBytes = about.leastBytes + kept.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    for (const file of kept.toSorted((a, b) => a.usedMs - b.usedMs)) {
      if (takenBytes <= limitBytes) break;
      if (file.path === spared) continue;
      fs.rmSync(file.path, { force: true });
      takenBytes -= file.sizeBytes;
    }
    const { bavail, bsize } = fs.statfsSync(folder);
    if (about.leastBytes <= bavail * bsize) return;
    throw new Failure(
      "no-space",
      `cannot unpack "${about.name}" into "${folder}": there are ${formatSize(bavail * bsize)}, ${formatSize(about.leastBytes)} are needed`,
      { hint: "XDG_CACHE_HOME names another place for what is kept, TMPDIR for what is not" },
    );
  }

  #tooLarge(name: string): Failure {
    const limit = formatSize(this.#options.limitBytes);
    return new Failure("no-space", `cannot look into "${name}": unpacked it takes more than the ${limit} that it may`, {
      hint: "allow more by --cache-limit, or restore the partition",
    });
  }
}

function filesIn(folder: string): Kept[] {
  return fs.readdirSync(folder).flatMap((name) => {
    if (!name.endsWith(ending) && !name.endsWith(unfinishedEnding)) return [];
    const file = path.join(folder, name);
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    return stat?.isFile() === true ? [{ path: file, sizeBytes: stat.size, usedMs: stat.mtimeMs }] : [];
  });
}
