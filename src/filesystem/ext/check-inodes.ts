import { Bitmap } from "../../bytes/index.ts";
import { bitmapChecksum, isBitmapChecksum } from "./bitmap-checksum.ts";
import { checkAttributes } from "./check-attributes.ts";
import { claimMetadata } from "./check-claims.ts";
import { checkMap, checkSizes } from "./check-map.ts";
import { findDamage, type CheckState } from "./check-state.ts";
import { isShortLink } from "./block-runs.ts";
import type { GroupDescriptor } from "./descriptor-table.ts";
import { hasFeature } from "./features.ts";
import { groupInodesUninitialised } from "./group-descriptor.ts";
import {
  directoryTypeOfKind,
  inodeBase,
  inodeBaseBytes,
  inodeExtra,
  journalInode,
  resizeInode,
  rootInode,
} from "./inode.ts";
import type { ExtInode } from "./ext-inode.ts";
import { decodeInode, extraSizeOf, hasFlag, isInodeChecksumRight } from "./inode-reader.ts";
import { inodesOfGroup, type TableInode } from "./inode-table-reader.ts";

const badBlocksInode = 1;

/** Looks at every inode in use, notes it, and claims its blocks in the first window. */
export async function checkInodes(state: CheckState): Promise<void> {
  await claimMetadata(state);
  noteNameless(state);
  for (let group = 0; group < state.source.groupsOnDevice; group++) {
    await findDamage(state.report, undefined, () => checkGroupOfInodes(state, group));
  }
}

/** In a further window only claims are looked at. */
export async function claimInWindow(state: CheckState): Promise<void> {
  await claimMetadata(state);
  for (let group = 0; group < state.source.groupsOnDevice; group++) {
    await findDamage(undefined, undefined, async () => {
      for await (const stretch of inodesOfGroup(state.source, await state.source.descriptors.of(group))) {
        for (const one of stretch) {
          if (!isInUse(state, one)) continue;
          await findDamage(undefined, undefined, async () => {
            const inode = decodeInode(state.source.layout, one.id, one.raw);
            await checkMap(state, inode, false);
            await checkAttributes(state, inode, false);
          });
        }
      }
    });
  }
}

function noteNameless({ inodes, source }: CheckState): void {
  const { record, features } = source.layout;
  if (hasFeature(features, "orphan_file")) inodes.nameless.add(record.orphanFileInode);
  if (hasFeature(features, "quota")) {
    for (const id of [record.userQuotaInode, record.groupQuotaInode, record.projectQuotaInode]) inodes.nameless.add(id);
  }
}

/** A link count above 0, or a reserved inode that holds something, or one that waits to be deleted. */
function isInUse({ source, orphans }: CheckState, { id, raw }: TableInode): boolean {
  if (inodeBase.get(raw, "linkCount") > 0) return true;
  return orphans.has(id) || (id < source.layout.firstInode && inodeBase.get(raw, "mode") !== 0);
}

async function checkGroupOfInodes(state: CheckState, group: number): Promise<void> {
  const { source, report } = state;
  const { inodesPerGroup, firstInode } = source.layout;
  const descriptor = await source.descriptors.of(group);
  const used = new Bitmap(inodesPerGroup);
  let directories = 0;
  for await (const stretch of inodesOfGroup(source, descriptor)) {
    for (const one of stretch) {
      if (!isInUse(state, one)) continue;
      used.set((one.id - 1) % inodesPerGroup);
      const type = await checkInode(state, one);
      if (type === directoryTypeOfKind.directory) directories++;
    }
  }
  const reserved = firstInode - 1 - group * inodesPerGroup; // in use or not
  if (reserved > 0) used.setRange(0, Math.min(reserved, inodesPerGroup));
  await compareInodeBitmap(state, descriptor, used);
  const inUse = used.countSet();
  if (descriptor.freeInodes !== inodesPerGroup - inUse) {
    report.error(`group ${group} counts ${descriptor.freeInodes} free inodes, and has ${inodesPerGroup - inUse}`);
  }
  if (descriptor.directories !== directories) {
    report.error(`group ${group} counts ${descriptor.directories} directories, and has ${directories}`);
  }
  state.totals.freeInodes += inodesPerGroup - inUse;
}

async function compareInodeBitmap(state: CheckState, descriptor: GroupDescriptor, used: Bitmap): Promise<void> {
  const { source, report } = state;
  const { inodesPerGroup, hasChecksums } = source.layout;
  const { group } = descriptor;
  const first = group * inodesPerGroup + 1;
  const what = `the inode bitmap of group ${group}`;
  if ((descriptor.flags & groupInodesUninitialised) !== 0) return; // nothing of such a group was looked at
  const block = await source.block(descriptor.inodeBitmap, what);
  if (hasChecksums) {
    const sum = bitmapChecksum(source.layout, block.subarray(0, Math.ceil(inodesPerGroup / 8)));
    if (!isBitmapChecksum(source.layout, sum, descriptor.inodeBitmapChecksum)) {
      report.error(`the checksum of ${what} is wrong`);
    }
  }
  const bitmap = new Bitmap(block.length * 8, block);
  for (let n = 0; n < inodesPerGroup; n++) {
    if (bitmap.has(n) === used.has(n)) continue;
    if (used.has(n)) report.error(`inode ${first + n} is in use, and free in the bitmap`, first + n);
    else report.error(`inode ${first + n} is not in use, and taken in the bitmap`);
  }
  if (bitmap.nextClear(inodesPerGroup) >= 0) report.warning(`the end of ${what} is not filled`);
}

/** Looks at one inode and gives its type, 0 where it has none. */
async function checkInode(state: CheckState, { id, raw }: TableInode): Promise<number> {
  const { source, report, inodes } = state;
  const { layout } = source;
  if (!isInodeChecksumRight(layout, id, raw)) report.error(`inode ${id}: its checksum is wrong`, id);
  const links = inodeBase.get(raw, "linkCount");
  if (id === badBlocksInode) {
    await claimBadBlocks(state, raw);
    return 0;
  }
  let inode: ExtInode;
  try {
    inode = decodeInode(layout, id, raw);
  } catch {
    report.error(`inode ${id}: its mode ${inodeBase.get(raw, "mode").toString(8)} is no kind of file`, id);
    return 0;
  }
  const type = directoryTypeOfKind[inode.kind];
  inodes.add(id, type, links);
  if (links === 0 && state.orphans.has(id)) inodes.nameless.add(id); // one that is only to be cut keeps its names
  if (hasFlag(inode, "xattrInode")) state.valueInodes.add(id);
  checkFields(state, inode, raw);
  const map = await checkMap(state, inode, true);
  const attributeBlocks = await checkAttributes(state, inode, true);
  if (id !== resizeInode) checkSizes(state, inode, map, attributeBlocks);
  if (inode.kind === "symlink") await checkLink(state, inode);
  return type;
}

function checkFields({ report, source, orphans }: CheckState, inode: ExtInode, raw: Uint8Array): void {
  const { id } = inode;
  const { features, firstInode } = source.layout;
  if (raw.length > inodeBaseBytes && extraSizeOf(raw) === 0) {
    const extraSize = inodeExtra.get(raw.subarray(inodeBaseBytes), "extraSize");
    if (extraSize !== 0) report.error(`inode ${id}: its extra part of ${extraSize} bytes does not fit`, id);
  }
  if (inode.links > 0 && inodeBase.get(raw, "deletionTime") !== 0 && !orphans.has(id) && id >= firstInode) {
    report.error(`inode ${id}: it is in use, and has a time of deletion`, id);
  }
  if (hasFlag(inode, "extents") && !hasFeature(features, "extent")) {
    report.error(`inode ${id}: it has extents, and the file system has not`, id);
  }
  if (hasFlag(inode, "inlineData") && !hasFeature(features, "inline_data")) {
    report.error(`inode ${id}: its data is inline, and the file system has none such`, id);
  }
  if (id === rootInode && inode.kind !== "directory") report.error("the root is not a directory", id);
  if (id === journalInode && inode.kind !== "file") report.error("the journal is not a file", id);
}

async function checkLink({ source, report }: CheckState, inode: ExtInode): Promise<void> {
  const { id, sizeBytes } = inode;
  if (sizeBytes === 0 || sizeBytes > source.layout.blockSizeBytes) {
    report.error(`inode ${id}: a symbolic link of ${sizeBytes} bytes cannot be`, id);
  } else if (isShortLink(source.layout, inode) && !hasFlag(inode, "inlineData") && !hasFlag(inode, "encrypted")) {
    const end = inode.block.indexOf(0);
    if ((end < 0 ? inode.block.length : end) !== sizeBytes) {
      report.error(`inode ${id}: the length of the symbolic link is wrong`, id);
    }
  }
}

/** The inode of bad blocks has no kind; its map is one of a file. */
async function claimBadBlocks(state: CheckState, raw: Uint8Array): Promise<void> {
  const asFile = Uint8Array.from(raw);
  inodeBase.patch(asFile, { mode: 0x8000 });
  await checkMap(state, decodeInode(state.source.layout, badBlocksInode, asFile), true);
}
