import { createHash, type Hash } from "node:crypto";
import { Failure, stopIfAborted } from "../base/index.ts";
import { checkDisk } from "../disk/index.ts";
import { MemoryDevice } from "../device/index.ts";
import { readTable, type PartitionTable } from "../partition/index.ts";
import { BackupUse } from "./backup-use.ts";
import {
  planFromDump,
  readBadSectors,
  readFolder,
  readSmallFile,
  type BackupDisk,
  type BackupFolder,
} from "./clonezilla/index.ts";
import { isReadAnywhere, openBackup, type OpenBackupOptions } from "./open-backup.ts";
import { openPart, packedDataOf } from "./open-part.ts";
import { openStore, readChunks } from "./store/index.ts";

/** One thing that is wrong. An error means that data is lost; a warning, that something about it is. */
export interface BackupProblem {
  readonly severity: "warning" | "error";
  /** The file in question, or the partition. */
  readonly where: string;
  readonly message: string;
}

export interface CheckedBackup {
  /** Files whose checksum was right. */
  readonly files: number;
  /** Data that was read through, by name. */
  readonly parts: readonly string[];
  /** Whether the file systems were looked through. */
  readonly hasStructure: boolean;
  readonly errorCount: number;
  readonly warningCount: number;
}

/** With a cache, data that cannot be read anywhere is unpacked into it, so that its file systems are looked through too. */
export interface CheckBackupOptions extends Omit<OpenBackupOptions, "disk"> {
  /** Hears of each problem as it is found; the check waits for it. */
  readonly onProblem: (problem: BackupProblem) => Promise<void>;
}

/** Reads all of a backup and compares every checksum; then looks through the file systems in it. Changes nothing. */
export async function checkBackup(backup: string, options: CheckBackupOptions): Promise<CheckedBackup> {
  await using stack = new AsyncDisposableStack();
  const store = stack.use(await openStore(backup, options));
  stack.use(new BackupUse(backup));
  const check = new BackupCheck(await readFolder(store), options);
  return await check.run();
}

/** Lists of checksums as Clonezilla calls them, with Node's names for what is in them. */
const sumLists: Readonly<Record<string, string>> = {
  MD5SUMS: "md5",
  SHA1SUMS: "sha1",
  SHA256SUMS: "sha256",
  SHA512SUMS: "sha512",
  B2SUMS: "blake2b512",
};

const blake3List = "B3SUMS";

interface SumLine {
  readonly list: string;
  readonly file: string;
  readonly sum: string;
}

/** Of files with sectors that could not be read, so many are named. */
const namedFileLimit = 10;

/** Clonezilla writes these again after their checksums were made. */
const rewritten = /^Info-.*\.txt$|^clonezilla-img$/;

/** How much is read at a time to be hashed. */
const hashedBytes = 1024 * 1024;

class BackupCheck {
  readonly #folder: BackupFolder;
  readonly #options: CheckBackupOptions;
  readonly #parts: string[] = [];
  readonly #totalBytes: number;
  #doneBytes = 0;
  #files = 0;
  #errorCount = 0;
  #warningCount = 0;

  constructor(folder: BackupFolder, options: CheckBackupOptions) {
    this.#folder = folder;
    this.#options = options;
    const packed = folder.parts.reduce((sum, { packedBytes }) => sum + packedBytes, 0);
    this.#totalBytes = (this.#hasLists() ? 2 : 1) * packed;
  }

  async run(): Promise<CheckedBackup> {
    for (const problem of this.#folder.problems) await this.#report("error", "folder", problem);
    await this.#checkSums();
    await this.#tellUnreadable();
    for (const disk of this.#folder.disks) await this.#checkTable(disk);
    // What is on partitions of LVM is data of its own.
    for (const part of this.#folder.parts) if (part.physical === undefined) await this.#checkPart(part);
    const hasStructure = this.#errorCount === 0 && (await this.#checkStructure());
    return {
      files: this.#files,
      parts: this.#parts,
      hasStructure,
      errorCount: this.#errorCount,
      warningCount: this.#warningCount,
    };
  }

  async #report(severity: BackupProblem["severity"], where: string, message: string): Promise<void> {
    stopIfAborted(this.#options.signal);
    if (severity === "error") this.#errorCount++;
    else this.#warningCount++;
    await this.#options.onProblem({ severity, where, message });
  }

  #progress(phase: string, bytes: number): void {
    stopIfAborted(this.#options.signal);
    this.#doneBytes = Math.min(this.#totalBytes, this.#doneBytes + bytes);
    this.#options.onProgress?.({ phase, doneBytes: this.#doneBytes, totalBytes: this.#totalBytes });
  }

  #hasLists(): boolean {
    return Object.keys(sumLists).some((list) => this.#folder.files.has(list));
  }

  async #checkSums(): Promise<void> {
    const lines: SumLine[] = [];
    for (const list of Object.keys(sumLists)) lines.push(...(await this.#readSums(list)));
    if (this.#folder.files.has(blake3List)) {
      await this.#report("warning", blake3List, "sums of BLAKE3 are not compared; those in the data are");
    }
    if (lines.length === 0) return;
    const wrong: SumLine[] = [];
    for (const file of this.#folder.files.keys()) {
      const mine = lines.filter((line) => line.file === file);
      if (mine.length > 0) wrong.push(...(await this.#compare(file, mine)));
    }
    for (const line of wrong) await this.#blame(line, lines, wrong);
    for (const { list, file } of lines.filter((line) => !this.#folder.files.has(line.file))) {
      await this.#report("error", list, `it names "${file}", which is not there`);
    }
    for (const file of this.#folder.files.keys()) {
      if (file in sumLists || file === blake3List || lines.some((line) => line.file === file) || rewritten.test(file))
        continue;
      await this.#report("warning", file, "no list of checksums has it");
    }
  }

  /** What is zeros in it, and was something else. */
  async #tellUnreadable(): Promise<void> {
    for (const { list, sectors, files } of await readBadSectors(this.#folder)) {
      const named = files.slice(0, namedFileLimit).join(", ");
      const which = files.length > namedFileLimit ? `${named} and ${files.length - namedFileLimit} more files` : named;
      const message = `${sectors} sectors could not be read when it was saved, and are zeros now`;
      await this.#report("warning", list, which === "" ? message : `${message}: ${which}`);
    }
  }

  async #readSums(list: string): Promise<SumLine[]> {
    const text = (await readSmallFile(this.#folder, list))?.toString() ?? "";
    const lines: SumLine[] = [];
    for (const line of text.split("\n").filter((one) => one !== "")) {
      const [, sum, file] = /^([0-9a-f]{32,128}) [ *](?:\.\/)?([^/]+)$/.exec(line) ?? [];
      if (sum === undefined || file === undefined) await this.#report("error", list, "a line in it cannot be read");
      else lines.push({ list, file, sum });
    }
    return lines;
  }

  /** The lines that do not match. */
  async #compare(file: string, lines: readonly SumLine[]): Promise<SumLine[]> {
    const hashes = new Map(lines.map(({ list }) => [list, createHash(sumLists[list] ?? "")]));
    try {
      await using reader = await this.#folder.store.open(file);
      for await (const chunk of readChunks(reader, hashedBytes)) {
        for (const hash of hashes.values()) hash.update(chunk);
        this.#progress("comparing checksums", chunk.length);
      }
    } catch (error) {
      if (!(error instanceof Failure) || error.code === "interrupted") throw error;
      await this.#report("error", file, error.message);
      return [];
    }
    const sums = new Map([...hashes].map(([list, hash]: [string, Hash]) => [list, hash.digest("hex")]));
    const wrong = lines.filter(({ list, sum }) => sums.get(list) !== sum);
    if (wrong.length === 0) this.#files++;
    return wrong;
  }

  /** Where two lists disagree, or a list whose every line is right does not match another, the list is what is damaged. */
  async #blame({ list, file }: SumLine, lines: readonly SumLine[], wrong: readonly SumLine[]): Promise<void> {
    const isRight = (line: SumLine): boolean => !wrong.includes(line);
    const own = lines.filter((line) => line.list === file);
    const isVouchedFor =
      lines.some((line) => line.file === file && isRight(line)) ||
      (own.length > 0 && own.every((line) => isRight(line) && this.#folder.files.has(line.file)));
    if (isVouchedFor) return this.#report("error", list, `its line for "${file}" is wrong`);
    const isOldNote = rewritten.test(file) && !lines.some((line) => line.list === "B2SUMS" && line.file === "SHA1SUMS");
    if (isOldNote) return this.#report("warning", file, `it has changed since ${list} was written`);
    return this.#report("error", file, `its checksum in ${list} does not match`);
  }

  /** The table of a disk against the copies of it. */
  async #checkTable(disk: BackupDisk): Promise<void> {
    const { name, dump, sizeBytes } = disk;
    await this.#attempt(`${name}-pt.sf`, async () => void planFromDump(dump, sizeBytes));
    const first = await readSmallFile(this.#folder, `${name}-gpt-1st`);
    if (dump.kind !== "gpt" || first === undefined) return;
    await this.#attempt(`${name}-gpt-1st`, async () => {
      const table = await readTable(new MemoryDevice(first));
      if (table === undefined) throw new Failure("damaged", "there is no table in it");
      if (!isSameTable(table, disk)) throw new Failure("damaged", `it differs from ${name}-pt.sf`);
    });
  }

  async #checkPart(part: BackupFolder["parts"][number]): Promise<void> {
    const errorsBefore = this.#errorCount;
    const data = packedDataOf(this.#folder, part, this.#options.env);
    await this.#attempt(data.name, async () => {
      const onRead = (bytes: number): void => this.#progress(`checking ${part.name}`, bytes);
      await using stream = await openPart(data, part.kind, onRead);
      for await (const batch of stream.batches) if (batch.length > 0) stopIfAborted(this.#options.signal);
    });
    if (this.#errorCount === errorsBefore) this.#parts.push(part.name);
  }

  /** False where that would take unpacking everything first. */
  async #checkStructure(): Promise<boolean> {
    const { signal, cache, env } = this.#options;
    for (const part of this.#folder.parts) {
      if (cache === undefined && !(await isReadAnywhere(this.#folder, part, env))) return false;
    }
    const disks = this.#openedAs();
    for (const disk of disks) {
      await checkDisk(
        { image: this.#folder.path },
        {
          ...(signal === undefined ? {} : { signal }),
          openImage: (name) => openBackup(name, { ...this.#options, ...(disk === undefined ? {} : { disk }) }),
          onProblem: ({ severity, where, message }) => {
            return this.#report(severity, disk === undefined ? where : `${disk}: ${where}`, message);
          },
        },
      );
    }
    return disks.length > 0;
  }

  /** The disks that it can be opened as; a single partition has no name to choose. */
  #openedAs(): readonly (string | undefined)[] {
    const { disks, tables, parts } = this.#folder;
    if (disks.length > 0) return disks.map(({ name }) => name);
    return parts.length === 1 ? [undefined] : tables.map(({ name }) => name);
  }

  async #attempt(where: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Failure) || error.code === "interrupted") throw error;
      await this.#report("error", where, error.message);
    }
  }
}

function isSameTable({ partitions, diskId }: PartitionTable, { dump }: BackupDisk): boolean {
  if (diskId.toLowerCase() !== dump.diskId?.toLowerCase()) return false;
  if (partitions.length !== dump.partitions.length) return false;
  return partitions.every(({ number, startBytes, sizeBytes, guid }, n) => {
    const other = dump.partitions[n];
    return (
      other?.number === number &&
      other.startLba * 512 === startBytes &&
      other.sectorCount * 512 === sizeBytes &&
      other.guid?.toLowerCase() === guid?.toLowerCase()
    );
  });
}
