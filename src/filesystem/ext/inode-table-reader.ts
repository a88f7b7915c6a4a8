import { groupInodesUninitialised } from "./group-descriptor.ts";
import { inodeBase } from "./inode.ts";
import type { GroupDescriptor } from "./descriptor-table.ts";
import type { ExtSource } from "./source.ts";

export interface TableInode {
  readonly id: number;
  readonly raw: Uint8Array;
}

const stretchBytes = 64 * 1024;
const modeAt = inodeBase.fields.mode[0];
const linksAt = inodeBase.fields.linkCount[0];

/** How many inodes of a group may have been used: those after them were never written. */
function initialisedInodes(source: ExtSource, descriptor: GroupDescriptor): number {
  const { inodesPerGroup } = source.layout;
  if ((descriptor.flags & groupInodesUninitialised) !== 0) return 0;
  if (!source.descriptors.hasGroupChecksums) return inodesPerGroup;
  return Math.max(0, inodesPerGroup - descriptor.unusedInodes);
}

/** The inodes of a group that are not plainly empty, in stretches, in order. */
export async function* inodesOfGroup(source: ExtSource, descriptor: GroupDescriptor): AsyncGenerator<TableInode[]> {
  const { inodesPerGroup, inodeSizeBytes, blockSizeBytes } = source.layout;
  const count = initialisedInodes(source, descriptor);
  const perStretch = Math.max(1, Math.floor(stretchBytes / inodeSizeBytes));
  for (let from = 0; from < count; from += perStretch) {
    const length = Math.min(perStretch, count - from);
    const at = descriptor.inodeTable * blockSizeBytes + from * inodeSizeBytes;
    const bytes = await source.structures.bytes(at, length * inodeSizeBytes);
    const found: TableInode[] = [];
    for (let n = 0; n < length; n++) {
      const place = n * inodeSizeBytes;
      const isEmpty =
        bytes[place + modeAt] === 0 &&
        bytes[place + modeAt + 1] === 0 &&
        bytes[place + linksAt] === 0 &&
        bytes[place + linksAt + 1] === 0;
      if (isEmpty) continue;
      const raw = bytes.subarray(place, place + inodeSizeBytes);
      found.push({ id: descriptor.group * inodesPerGroup + from + n + 1, raw });
    }
    if (found.length > 0) yield found;
  }
}
