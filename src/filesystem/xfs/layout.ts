import { damaged } from "../damaged.ts";
import { hasFileTypes, incompatibleBits, readOnlyBits, versionBits } from "./features.ts";
import { groupLength } from "./group-headers.ts";
import { hasChecksums, isPowerOfTwo, type XfsSuperblock } from "./superblock.ts";

/** What the superblock says of where things are, checked. */
export interface XfsLayout {
  readonly superblock: XfsSuperblock;
  readonly sizeBytes: number;
  readonly blockBytes: number;
  readonly dataBlocks: number;
  readonly groupCount: number;
  readonly groupBlocks: number;
  /** In numbers of blocks of the whole file system the group stands above so many bits. */
  readonly groupShift: number;
  /** The same of numbers of inodes. */
  readonly inodeShift: number;
  readonly inodeBytes: number;
  readonly inodesPerBlock: number;
  readonly directoryBlockBytes: number;
  readonly rootInode: number;
  readonly log: { readonly at: number; readonly lengthBytes: number };
  readonly hasChecksums: boolean;
  /** The UUID in every block that has a checksum. */
  readonly metadataUuid: Uint8Array;
  readonly hasFileTypes: boolean;
  readonly foldsCase: boolean;
  readonly hasSparseInodes: boolean;
  readonly hasFreeInodeTree: boolean;
  readonly hasOwnerTree: boolean;
  readonly hasReferenceTree: boolean;
}

const directoryBlockLimitBytes = 65_536;
const what = "the XFS superblock";

/** Throws `damaged` where the superblock contradicts itself. */
export function layoutOf(superblock: XfsSuperblock): XfsLayout {
  const { blockSizeBytes, dataBlocks, groupCount, groupBlocks, groupBlocksLog2, inodesPerBlockLog2 } = superblock;
  const { inodeBytes, directoryBlocksLog2, incompatible, readOnlyCompatible, version, rootInode } = superblock;
  const sealed = hasChecksums(superblock);
  const has = (word: number, bit: number): boolean => sealed && (word & bit) !== 0;
  const inodesPerBlock = blockSizeBytes / inodeBytes;
  if (!isPowerOfTwo(inodeBytes, 256, 2048) || inodesPerBlock < 1 || inodesPerBlock !== 2 ** inodesPerBlockLog2) {
    throw damaged(what, `inodes of ${inodeBytes} bytes, 2^${inodesPerBlockLog2} to a block, cannot be`);
  }
  if (groupBlocksLog2 > 31 || groupBlocksLog2 !== Math.ceil(Math.log2(groupBlocks))) {
    throw damaged(what, `groups of ${groupBlocks} blocks do not have 2^${groupBlocksLog2}`);
  }
  const directoryBlockBytes = blockSizeBytes * 2 ** directoryBlocksLog2;
  if (directoryBlockBytes > directoryBlockLimitBytes) {
    throw damaged(what, `directories cannot have blocks of ${directoryBlockBytes} bytes`);
  }
  const layout = {
    superblock,
    sizeBytes: dataBlocks * blockSizeBytes,
    blockBytes: blockSizeBytes,
    dataBlocks,
    groupCount,
    groupBlocks,
    groupShift: groupBlocksLog2,
    inodeShift: groupBlocksLog2 + inodesPerBlockLog2,
    inodeBytes,
    inodesPerBlock,
    directoryBlockBytes,
    rootInode,
    hasChecksums: sealed,
    metadataUuid: uuidBytes(has(incompatible, incompatibleBits.metaUuid) ? superblock.metadataUuid : superblock.uuid),
    hasFileTypes: hasFileTypes(superblock),
    foldsCase: (version & versionBits.foldsCase) !== 0,
    hasSparseInodes: has(incompatible, incompatibleBits.sparse),
    hasFreeInodeTree: has(readOnlyCompatible, readOnlyBits.finobt),
    hasOwnerTree: has(readOnlyCompatible, readOnlyBits.rmapbt),
    hasReferenceTree: has(readOnlyCompatible, readOnlyBits.reflink),
  };
  return { ...layout, log: logOf(superblock, layout) };
}

function uuidBytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll("-", ""), "hex"));
}

function logOf(superblock: XfsSuperblock, shape: BlockShape): XfsLayout["log"] {
  const { logStart, logBlocks } = superblock;
  const place = blockPlace(shape, logStart);
  if (place === undefined || logBlocks === 0 || place.block + logBlocks > groupLength(superblock, place.group)) {
    throw damaged(what, `the log cannot have ${logBlocks} blocks from block ${logStart} on`);
  }
  return { at: placeOnDevice(shape, place), lengthBytes: logBlocks * shape.blockBytes };
}

type BlockShape = Pick<XfsLayout, "superblock" | "groupShift" | "groupBlocks" | "groupCount" | "blockBytes">;

/** A block of an allocation group. */
export interface BlockPlace {
  readonly group: number;
  readonly block: number;
}

/** The group and block for which a number stands; undefined where there is no such block. */
export function blockPlace(shape: BlockShape, number: number): BlockPlace | undefined {
  const group = Math.floor(number / 2 ** shape.groupShift);
  if (!(group < shape.groupCount)) return undefined;
  const block = number - group * 2 ** shape.groupShift;
  return block < groupLength(shape.superblock, group) ? { group, block } : undefined;
}

export function placeOnDevice({ groupBlocks, blockBytes }: BlockShape, { group, block }: BlockPlace): number {
  return (group * groupBlocks + block) * blockBytes;
}
