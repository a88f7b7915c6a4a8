import { Failure } from "../../../base/index.ts";
import { groupBlockCount, groupStart, leadingMetadataBlocks } from "../backup-groups.ts";
import { hasFeature } from "../features.ts";
import type { ExtLayout } from "../layout.ts";

/** Where the bitmaps and the inode table of a new group stand. */
export interface GroupTables {
  readonly group: number;
  readonly blockBitmap: number;
  readonly inodeBitmap: number;
  readonly inodeTable: number;
}

/** Groups of one flex whose tables are put together, at most. */
const togetherLimit = 64;

/**
 * Gives the bitmaps and inode tables of the groups from `firstGroup` on their places, all within these groups: each in
 * its own, or with `flex_bg` those of a flex together, at the start of the first new group of it.
 */
export function placeTables(layout: ExtLayout, firstGroup: number): GroupTables[] {
  const perFlex = hasFeature(layout.features, "flex_bg")
    ? Math.min(togetherLimit, 2 ** layout.record.logGroupsPerFlex)
    : 1;
  const tables: GroupTables[] = [];
  for (let first = firstGroup; first < layout.groupCount;) {
    const end = Math.min((Math.floor(first / perFlex) + 1) * perFlex, layout.groupCount);
    const together = placeTogether(layout, first, end);
    if (together !== undefined) tables.push(...together);
    else for (let group = first; group < end; group++) tables.push(placeAlone(layout, group));
    first = end;
  }
  return tables;
}

function placeAlone(layout: ExtLayout, group: number): GroupTables {
  const [tables] = placeTogether(layout, group, group + 1) ?? [];
  if (tables !== undefined) return tables;
  throw new Failure("unsupported", `cannot grow the file system: group ${group} has no room for its own tables`);
}

/** All block bitmaps, then all inode bitmaps, then all inode tables; undefined where they do not fit in these groups. */
function placeTogether(layout: ExtLayout, first: number, end: number): GroupTables[] | undefined {
  const room = new Room(layout, first, end);
  const count = end - first;
  const take = (blocks: number) => Array.from({ length: count }, () => room.take(blocks));
  const [blockBitmaps, inodeBitmaps, inodeTables] = [take(1), take(1), take(layout.inodeTableBlocks)];
  const tables: GroupTables[] = [];
  for (let n = 0; n < count; n++) {
    const [blockBitmap, inodeBitmap, inodeTable] = [blockBitmaps[n], inodeBitmaps[n], inodeTables[n]];
    if (blockBitmap === undefined || inodeBitmap === undefined || inodeTable === undefined) return undefined;
    tables.push({ group: first + n, blockBitmap, inodeBitmap, inodeTable });
  }
  return tables;
}

/** Hands out the blocks of the groups `[first, end)` in order, around what they begin with. */
class Room {
  readonly #layout: ExtLayout;
  readonly #end: number;
  #group: number;
  #next: number;

  constructor(layout: ExtLayout, first: number, end: number) {
    this.#layout = layout;
    this.#end = end;
    this.#group = first;
    this.#next = this.#firstFree(first);
  }

  /** Adjacent blocks, which may run on into groups that begin with nothing of their own. */
  take(blocks: number): number | undefined {
    while (this.#group < this.#end) {
      const start = this.#next;
      if (start + blocks <= this.#endOfRun(blocks)) {
        this.#next += blocks;
        while (this.#group + 1 < this.#end && this.#next >= groupStart(this.#layout, this.#group + 1)) this.#enter();
        return start;
      }
      this.#group++;
      this.#next = this.#firstFree(this.#group);
    }
    return undefined;
  }

  /** Goes on in the next group, behind what it begins with. */
  #enter(): void {
    this.#group++;
    this.#next = Math.max(this.#next, this.#firstFree(this.#group));
  }

  #firstFree(group: number): number {
    return groupStart(this.#layout, group) + leadingMetadataBlocks(this.#layout, group);
  }

  /** Where the free blocks from the next on end, as far as that matters for `blocks` of them. */
  #endOfRun(blocks: number): number {
    let group = this.#group;
    const endOf = () => groupStart(this.#layout, group) + groupBlockCount(this.#layout, group);
    while (endOf() < this.#next + blocks && group + 1 < this.#end) {
      if (leadingMetadataBlocks(this.#layout, group + 1) > 0) break;
      group++;
    }
    return endOf();
  }
}
