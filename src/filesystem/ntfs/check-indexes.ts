import { Failure } from "../../base/index.ts";
import { Bitmap } from "../../bytes/index.ts";
import type { Problem } from "../file-system.ts";
import type { FoundRecords } from "./check-records.ts";
import { openIndex, readBlock, type DirectoryIndex, type IndexEntry, type NameEntry } from "./directory.ts";
import type { NtfsFile } from "./ntfs-source.ts";
import type { NtfsVolume } from "./ntfs-volume.ts";
import { error } from "./problems.ts";
import { recordNumbers } from "./records.ts";
import { whatIs } from "./ntfs-file.ts";

/** Goes through the indexes of all directories, and tells which files are in none. */
export async function* checkIndexes(volume: NtfsVolume, records: FoundRecords): AsyncGenerator<Problem> {
  const check = new IndexCheck(volume, records);
  for (let n = records.directories.nextSet(0); n >= 0; n = records.directories.nextSet(n + 1)) {
    yield* check.checkDirectory(n);
  }
  yield* check.checkNames();
}

/** A node of an index that is being gone through, and how far. */
interface Level {
  readonly entries: readonly IndexEntry[];
  at: number;
  /** Whether what is before the entry has been gone through. */
  isBelow: boolean;
}

class IndexCheck {
  readonly #volume: NtfsVolume;
  readonly #records: FoundRecords;
  /** How many names in directories lead to a file. */
  readonly #found: Uint16Array;
  #isTorn = false;

  constructor(volume: NtfsVolume, records: FoundRecords) {
    this.#volume = volume;
    this.#records = records;
    this.#found = new Uint16Array(records.count);
  }

  async *checkDirectory(number: number): AsyncGenerator<Problem> {
    let what = `directory ${number}`;
    try {
      const file = await this.#volume.source.file(number);
      what = whatIs(file);
      yield* this.#checkIndex(file, what);
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      this.#isTorn = true;
      yield error(failure.message.includes(what) ? failure.message : `${failure.message} (${what})`);
    }
  }

  async *#checkIndex(file: NtfsFile, what: string): AsyncGenerator<Problem> {
    const index = await openIndex(this.#volume.source, file);
    const reached = new Bitmap(index.blockCount);
    let before: string | undefined;
    for await (const entry of this.#entriesInOrder(index, reached, what)) {
      if (before !== undefined && !this.#isInOrder(before, entry.name)) {
        yield error(`its names are not in order, so that some are not found: ${what}`);
        this.#isTorn = true;
        break;
      }
      before = entry.name;
      yield* this.#checkEntry(entry, what);
    }
    const lost = index.used.countSet() - reached.countSet();
    if (lost > 0) yield error(`${lost} blocks of its names are not in its tree: ${what}`);
  }

  /** Names as they stand in the tree. Throws `damaged` where a block is reached twice, or is said to be free. */
  async *#entriesInOrder(index: DirectoryIndex, reached: Bitmap, what: string): AsyncGenerator<NameEntry> {
    const levels: Level[] = [{ entries: index.root, at: 0, isBelow: false }];
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const current = level.entries[level.at];
      if (current === undefined) {
        levels.pop();
        continue;
      }
      if (current.child !== undefined && !level.isBelow) {
        level.isBelow = true;
        const block = (current.child * index.numberBytes) / index.blockBytes;
        claimBlock(index, reached, block);
        levels.push({ entries: await readBlock(this.#volume.source, index, block, what), at: 0, isBelow: false });
        continue;
      }
      level.at++;
      level.isBelow = false;
      if (current.entry !== undefined) yield current.entry;
    }
  }

  /** Names that are no proper UTF-16 are ordered by what they are on disk, which is not kept. */
  #isInOrder(before: string, name: string): boolean {
    return !before.isWellFormed() || !name.isWellFormed() || this.#volume.upcase.compare(before, name) < 0;
  }

  *#checkEntry({ record, sequence, name }: NameEntry, what: string): Generator<Problem> {
    const { count, files, sequences } = this.#records;
    const shown = `${JSON.stringify(name)} in ${what}`;
    if (/[/\0]/.test(name) || name === "" || name === "..") yield error(`it cannot be a name: ${shown}`);
    if (record >= count || !files.has(record)) {
      yield error(`it leads to record ${record}, which is no file: ${shown}`);
    } else if (sequences[record] !== sequence) {
      yield error(`it leads to file ${record} as it was before another took its place: ${shown}`);
    } else {
      this.#found[record] = (this.#found[record] ?? 0) + 1;
    }
  }

  /** Whether each file is as often in directories as it has names. */
  *checkNames(): Generator<Problem> {
    const { files, names } = this.#records;
    if (this.#isTorn) return; // what is in directories that cannot be read would look lost
    for (let n = files.nextSet(0); n >= 0; n = files.nextSet(n + 1)) {
      const [wanted = 0, found = 0] = [names[n], this.#found[n]];
      if (wanted === found || n === recordNumbers.root) continue;
      if (found === 0) yield error(`file ${n} is in no directory`);
      else yield error(`file ${n} has ${wanted} names, ${found} are in directories`);
    }
  }
}

function claimBlock({ blockCount, used }: DirectoryIndex, reached: Bitmap, block: number): void {
  const isWithin = Number.isInteger(block) && block < blockCount;
  const why = !isWithin
    ? "which is none of it"
    : reached.has(block)
      ? "which is there twice"
      : used.has(block)
        ? undefined
        : "which is said to be free";
  if (why !== undefined) throw new Failure("damaged", `cannot read an index: it leads to block ${block}, ${why}`);
  reached.set(block);
}
