import type { DirectoryRecord } from "./directory-record.ts";
import type { RockRidge } from "./rock-ridge.ts";

/** Ids from here on stand for a file with several names; those below are where a record begins on the device. */
const linkIdBase = 2 ** 52;
/** Of files without a serial number, the block of their data stands for it. */
const blockIdBase = linkIdBase + 2 ** 32;
/** More files with several names than this are shown as separate ones. */
const fileLimit = 1_000_000;

/**
 * The files with several names that were come across, under ids that do not depend on which name came first:
 * the serial number of their PX entries, or with mkisofs, which has none, the place of their data.
 */
export class HardLinks {
  readonly #recordAt = new Map<number, { readonly at: number; readonly identity: string }>();

  /** The id of the file that a record names. */
  idOf(record: DirectoryRecord, { links = 1, serial }: RockRidge): number {
    if (links < 2 || record.isDirectory) return record.at;
    const hasData = record.dataBytes > 0;
    if (serial === undefined && !hasData) return record.at;
    const id = serial === undefined ? blockIdBase + record.dataBlock : linkIdBase + serial;
    const identity = hasData ? `${record.dataBlock}+${record.dataBytes}` : "";
    const known = this.#recordAt.get(id);
    if (known === undefined) {
      if (this.#recordAt.size >= fileLimit) return record.at;
      this.#recordAt.set(id, { at: record.at, identity });
      return id;
    }
    // The same number for other data: a file of its own.
    return known.identity === identity ? id : record.at;
  }

  /** Where a record of the file with this id stands. */
  recordAt(id: number): number {
    return this.#recordAt.get(id)?.at ?? id;
  }
}
