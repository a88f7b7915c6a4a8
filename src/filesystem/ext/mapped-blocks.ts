import { readBytes } from "../../device/index.ts";
import type { BlockRun } from "./block-allocator.ts";
import { directBlocks } from "./block-map.ts";
import { extentEntryBytes, extentHeader, extentIndex, extentLeaf } from "./extent.ts";
import { inodeBase, inodeFlag, kindOfMode } from "./inode.ts";
import type { ExtVolume } from "./volume.ts";

/** All blocks of a file that this maker wrote to the device, those of its block map included. */
export async function readMappedBlocks(volume: ExtVolume, rawInode: Uint8Array): Promise<BlockRun[]> {
  const inode = inodeBase.decode(rawInode);
  const kind = kindOfMode(inode.mode);
  const hasBlocks = kind === "file" || (kind === "symlink" && inode.sizeLow >= inode.block.length);
  if (!hasBlocks) return [];
  const runs: BlockRun[] = [];
  if ((inode.flags & inodeFlag.extents) !== 0) {
    await addExtents(volume, inode.block, runs);
    return runs;
  }
  const words = new DataView(inode.block.buffer, inode.block.byteOffset);
  for (let n = 0; n < directBlocks; n++) addBlock(runs, words.getUint32(n * 4, true));
  for (let levels = 1; levels <= 3; levels++) {
    await addIndirect(volume, words.getUint32((directBlocks + levels - 1) * 4, true), levels, runs);
  }
  return runs;
}

async function addExtents(volume: ExtVolume, node: Uint8Array, runs: BlockRun[]): Promise<void> {
  const { entryCount, depth } = extentHeader.decode(node);
  for (let n = 0; n < entryCount; n++) {
    const at = extentHeader.sizeBytes + n * extentEntryBytes;
    if (depth === 0) {
      const leaf = extentLeaf.decode(node, at);
      runs.push({ start: leaf.startLow + leaf.startHigh * 2 ** 32, length: leaf.length });
    } else {
      const index = extentIndex.decode(node, at);
      const child = index.childLow + index.childHigh * 2 ** 32;
      runs.push({ start: child, length: 1 });
      await addExtents(volume, await readBlock(volume, child), runs);
    }
  }
}

async function addIndirect(volume: ExtVolume, block: number, levels: number, runs: BlockRun[]): Promise<void> {
  if (block === 0) return;
  addBlock(runs, block);
  const node = await readBlock(volume, block);
  const words = new DataView(node.buffer);
  for (let at = 0; at < node.length; at += 4) {
    if (levels === 1) addBlock(runs, words.getUint32(at, true));
    else await addIndirect(volume, words.getUint32(at, true), levels - 1, runs);
  }
}

function addBlock(runs: BlockRun[], block: number): void {
  const last = runs.at(-1);
  if (block === 0) return;
  if (last !== undefined && last.start + last.length === block) {
    runs[runs.length - 1] = { start: last.start, length: last.length + 1 };
  } else runs.push({ start: block, length: 1 });
}

async function readBlock(volume: ExtVolume, block: number): Promise<Uint8Array<ArrayBuffer>> {
  return readBytes(volume.device, block * volume.blockSizeBytes, volume.blockSizeBytes);
}
