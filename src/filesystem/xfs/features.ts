import { hasChecksums, moreFeatures, versionOf, type XfsSuperblock } from "./superblock.ts";

/** Bits of the version number of version 4. */
export const versionBits = { shared: 0x200, directories2: 0x2000, foldsCase: 0x4000 } as const;
/** Bits of the second word of features of version 4. */
const moreBits = { lazyCount: 0x2, attributes2: 0x8, parents: 0x10, projects32: 0x80, fileTypes: 0x200 } as const;
const readMoreBits = moreBits.lazyCount | moreBits.attributes2 | moreBits.projects32 | moreBits.fileTypes;

export const readOnlyBits = { finobt: 0x1, rmapbt: 0x2, reflink: 0x4, inobtcount: 0x8 } as const;
const knownReadOnlyBits = 0xf;

export const incompatibleBits = {
  ftype: 0x1,
  sparse: 0x2,
  metaUuid: 0x4,
  bigtime: 0x8,
  needsRepair: 0x10,
  nrext64: 0x20,
  exchange: 0x40,
  parent: 0x80,
} as const;
const readIncompatibleBits = 0xef; // all of these but for a repair

/** Names of bits that one has to know and that are not read here. */
const otherIncompatible: Readonly<Record<number, string>> = { 0x100: "metadir", 0x200: "zoned", 0x400: "zone_gaps" };

/** Why a file system cannot be read by its superblock alone; undefined where it can. */
export function whyNotRead(superblock: XfsSuperblock): string | undefined {
  const { inProgress, logStart, realtimeBlocks, realtimeExtents } = superblock;
  const named = unknownFeatures(superblock);
  if (named !== undefined) return named;
  if (inProgress !== 0) return "it was not made to its end";
  if (logStart === 0) return "its log is on another device";
  if (realtimeBlocks > 0 || realtimeExtents > 0) return "it has a realtime device";
  return undefined;
}

function unknownFeatures(superblock: XfsSuperblock): string | undefined {
  const { version, incompatible } = superblock;
  const number = versionOf(superblock);
  if (number !== 4 && number !== 5) return `it is of version ${number}, and 4 and 5 are read`;
  if (number === 4) {
    if ((version & versionBits.directories2) === 0) return "its directories are of version 1";
    if ((version & versionBits.shared) !== 0) return "it is shared between machines";
    const others = moreFeatures(superblock) & ~readMoreBits;
    return others === 0 ? undefined : `it has features that are not known: 0x${(others >>> 0).toString(16)}`;
  }
  if ((incompatible & incompatibleBits.needsRepair) !== 0) return "it is marked for xfs_repair";
  const others = incompatible & ~readIncompatibleBits;
  if (others === 0) return undefined;
  const names = [...bitsOf(others)].map((bit) => otherIncompatible[bit] ?? `0x${bit.toString(16)}`);
  return `it has features that are not known: ${names.join(", ")}`;
}

function* bitsOf(word: number): Generator<number> {
  for (let bit = 0; bit < 32; bit++) if (((word >>> bit) & 1) !== 0) yield 2 ** bit;
}

/** Whether something is in use of which this program knows nothing, but which does not keep one from reading. */
export function hasUnknownReadOnly({ readOnlyCompatible }: XfsSuperblock): boolean {
  return (readOnlyCompatible & ~knownReadOnlyBits) !== 0;
}

export function hasFileTypes(superblock: XfsSuperblock): boolean {
  if (hasChecksums(superblock)) return (superblock.incompatible & incompatibleBits.ftype) !== 0;
  return (moreFeatures(superblock) & moreBits.fileTypes) !== 0;
}

/** In the words of mkfs.xfs. */
export function featureNames(superblock: XfsSuperblock): string[] {
  if (!hasChecksums(superblock)) return hasFileTypes(superblock) ? ["ftype"] : [];
  const { readOnlyCompatible, incompatible } = superblock;
  const names = ["crc"];
  for (const [name, bit] of Object.entries(readOnlyBits)) if ((readOnlyCompatible & bit) !== 0) names.push(name);
  for (const [bit, name] of shownIncompatible) if ((incompatible & bit) !== 0) names.push(name);
  return names;
}

/** All have ftype, and a mark for repair is no feature. */
const shownIncompatible = [
  [incompatibleBits.sparse, "sparse"],
  [incompatibleBits.metaUuid, "meta_uuid"],
  [incompatibleBits.bigtime, "bigtime"],
  [incompatibleBits.nrext64, "nrext64"],
  [incompatibleBits.exchange, "exchange"],
  [incompatibleBits.parent, "parent"],
] as const;
