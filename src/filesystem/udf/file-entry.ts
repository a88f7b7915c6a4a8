import { Failure } from "../../base/index.ts";
import type { EntryKind } from "../../tree/index.ts";
import { damaged } from "../damaged.ts";
import { extendedFileEntry, fileEntry, tagIds } from "./records.ts";
import { verifyTag } from "./tag.ts";
import type { BlockAddress, UdfSource } from "./udf-source.ts";

/** A file as its entry tells of it. */
export interface UdfFile {
  readonly address: BlockAddress;
  /** Of ECMA-167 4/14.6.6. */
  readonly fileType: number;
  readonly flags: number;
  readonly uid: number;
  readonly gid: number;
  readonly permissions: number;
  readonly links: number;
  readonly sizeBytes: number;
  readonly recordedBlocks: number;
  readonly accessed: Uint8Array;
  readonly modified: Uint8Array;
  readonly changed: Uint8Array;
  /** Only extended file entries have it. */
  readonly created: Uint8Array | undefined;
  readonly attributes: Uint8Array;
  /** The allocation descriptors; or where the file stands in its entry, its content. */
  readonly descriptors: Uint8Array;
}

/** The kinds of files (ECMA-167 4/14.6.6; UDF 2.60 §2.2.13). */
export const fileTypes = {
  unspecified: 0,
  directory: 4,
  regular: 5,
  block: 6,
  character: 7,
  fifo: 9,
  socket: 10,
  symlink: 12,
  virtualTable: 248,
  realTime: 249,
  metadata: 250,
  metadataMirror: 251,
} as const;

const kindOfType: Readonly<Record<number, EntryKind>> = {
  [fileTypes.unspecified]: "file",
  [fileTypes.directory]: "directory",
  [fileTypes.regular]: "file",
  [fileTypes.block]: "block",
  [fileTypes.character]: "character",
  [fileTypes.fifo]: "fifo",
  [fileTypes.socket]: "socket",
  [fileTypes.symlink]: "symlink",
  [fileTypes.realTime]: "file",
};

/** What kind of file an entry is of. Throws `damaged` for one that has no name. */
export function kindOf({ fileType, address }: UdfFile): EntryKind {
  const kind = kindOfType[fileType];
  if (kind !== undefined) return kind;
  throw damaged(`the file in block ${address.block} of partition ${address.partition}`, `its type is ${fileType}`);
}

/** The strategy in which each entry stands for itself; in the other, 4096, of a medium that is written once, it has a list of successors. */
const plainStrategy = 4;

/** Reads the entry of a file. Throws `damaged` where there is none, `unsupported` for one that may have successors. */
export async function readEntry(source: UdfSource, address: BlockAddress): Promise<UdfFile> {
  const what = `the file entry in block ${address.block} of partition ${address.partition}`;
  return decodeEntry(await source.block(address, what), address, what);
}

/** An entry that stands in a block. */
export function decodeEntry(bytes: Uint8Array, address: BlockAddress, what: string): UdfFile {
  const ids = [tagIds.fileEntry, tagIds.extendedFileEntry];
  const id = verifyTag(bytes, { ids, location: address.block, what });
  const isExtended = id === tagIds.extendedFileEntry;
  const struct = isExtended ? extendedFileEntry : fileEntry;
  const { strategy, icbFlags, sizeBytes, recordedBlocks, attributeBytes, descriptorBytes, ...record } =
    struct.decode(bytes);
  if (strategy !== plainStrategy) {
    throw new Failure("unsupported", `cannot read ${what}: it is of strategy ${strategy}, only 4 is known`);
  }
  const attributesEnd = struct.sizeBytes + attributeBytes;
  if (attributesEnd + descriptorBytes > bytes.length) throw damaged(what, "its parts do not fit its block");
  return {
    ...record,
    address,
    flags: icbFlags,
    sizeBytes: countOf(sizeBytes, what),
    recordedBlocks: countOf(recordedBlocks, what),
    created: isExtended ? extendedFileEntry.get(bytes, "created") : undefined,
    attributes: bytes.subarray(struct.sizeBytes, attributesEnd),
    descriptors: bytes.subarray(attributesEnd, attributesEnd + descriptorBytes),
  };
}

function countOf(value: bigint, what: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged(what, `a count of ${value} cannot be`);
  return Number(value);
}
