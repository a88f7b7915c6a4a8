import { crc32c, Struct, u32 } from "../../bytes/index.ts";
import { damaged } from "../damaged.ts";
import { directoryBlocks } from "./directory-reader.ts";
import { readInode, seedOfInode } from "./inode-reader.ts";
import type { ExtSource } from "./source.ts";

/** Linux kernel documentation, filesystems/ext4/orphan.rst: the end of a block of the orphan file. */
export const orphanBlockTail = new Struct("ext orphan block tail", 8, {
  magic: [0, u32],
  checksum: [4, u32],
});
const orphanBlockMagic = 0x0b10ca04;

/** A block of the orphan file: numbers of inodes, and zeros where there is none. */
export interface OrphanBlock {
  readonly physical: number;
  readonly bytes: Uint8Array;
}

/** The blocks of the orphan file. Throws `damaged` where one is not of it. */
export async function* orphanBlocks(source: ExtSource): AsyncGenerator<OrphanBlock> {
  const { layout } = source;
  const file = await readInode(source, layout.record.orphanFileInode);
  const seed = seedOfInode(layout, file);
  for await (const { physical, block } of directoryBlocks(source, file)) {
    const tailAt = block.length - orphanBlockTail.sizeBytes;
    const { magic, checksum } = orphanBlockTail.decode(block, tailAt);
    if (magic !== orphanBlockMagic) throw damaged(`block ${physical} of the orphan file`, "its signature is missing");
    if (layout.hasChecksums && checksum !== orphanChecksum(block, physical, seed)) {
      throw damaged(`block ${physical} of the orphan file`, "its checksum is wrong");
    }
    yield { physical, bytes: block };
  }
}

/** The inodes that a block of the orphan file names. */
export function orphansIn(block: Uint8Array): number[] {
  const view = new DataView(block.buffer, block.byteOffset, block.length - orphanBlockTail.sizeBytes);
  const ids: number[] = [];
  for (let at = 0; at < view.byteLength; at += 4) {
    const id = view.getUint32(at, true);
    if (id !== 0) ids.push(id);
  }
  return ids;
}

/** Takes these inodes out of a block of the orphan file. */
export function dropOrphans(
  block: Uint8Array,
  ids: ReadonlySet<number>,
  seal: { readonly physical: number; readonly seed: number | undefined },
): void {
  const tailAt = block.length - orphanBlockTail.sizeBytes;
  const view = new DataView(block.buffer, block.byteOffset, tailAt);
  for (let at = 0; at < tailAt; at += 4) if (ids.has(view.getUint32(at, true))) view.setUint32(at, 0, true);
  if (seal.seed === undefined) return;
  orphanBlockTail.patch(block, { checksum: orphanChecksum(block, seal.physical, seal.seed) }, tailAt);
}

/** Over the place of the block, so that none can stand for another, and the numbers in it. */
function orphanChecksum(block: Uint8Array, physical: number, seed: number): number {
  const place = new Uint8Array(8);
  new DataView(place.buffer).setBigUint64(0, BigInt(physical), true);
  return crc32c(block, crc32c(place, seed), 0, block.length - orphanBlockTail.sizeBytes);
}
