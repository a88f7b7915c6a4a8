import { Struct, u16, u32, u8 } from "../../bytes/index.ts";

/** Linux kernel documentation, filesystems/ext4/attributes.rst: the header of an attribute block. */
export const xattrBlockHeader = new Struct("ext attribute block header", 32, {
  magic: [0x00, u32],
  referenceCount: [0x04, u32],
  blockCount: [0x08, u32],
  hash: [0x0c, u32],
  checksum: [0x10, u32],
});

/** One attribute; its name follows, its value stands elsewhere. */
export const xattrEntry = new Struct("ext attribute entry", 16, {
  nameLength: [0x0, u8],
  nameIndex: [0x1, u8],
  valueOffset: [0x2, u16],
  valueInode: [0x4, u32],
  valueSize: [0x8, u32],
  hash: [0xc, u32],
});

export const xattrMagic = 0xea020000;
export const xattrEntryBytes = 16;
/** In an inode only the magic number stands in front of the entries; offsets count from behind it. */
export const xattrInodeHeaderBytes = 4;
/** In a block the entries follow the header; offsets count from the start of the block. */
export const xattrBlockHeaderBytes = 32;

/** Prefixes that are kept as a number. An index of 2 or 3 is the whole name. */
const prefixOfIndex: ReadonlyMap<number, string> = new Map([
  [1, "user."],
  [2, "system.posix_acl_access"],
  [3, "system.posix_acl_default"],
  [4, "trusted."],
  [6, "security."],
  [7, "system."],
  [8, "system.richacl"],
]);

const wholeNames = new Map([...prefixOfIndex].filter(([, name]) => !name.endsWith(".")).map(([n, name]) => [name, n]));
const prefixes = [...prefixOfIndex].filter(([, name]) => name.endsWith("."));

/** The full name of an attribute as getfattr shows it. */
export function xattrName(nameIndex: number, rest: string): string {
  return (prefixOfIndex.get(nameIndex) ?? (nameIndex === 0 ? "" : `index-${nameIndex}.`)) + rest;
}

/** A full name in its two parts. */
export function splitXattrName(name: string): { readonly nameIndex: number; readonly rest: string } {
  const whole = wholeNames.get(name);
  if (whole !== undefined) return { nameIndex: whole, rest: "" };
  for (const [nameIndex, prefix] of prefixes) {
    if (name.startsWith(prefix)) return { nameIndex, rest: name.slice(prefix.length) };
  }
  return { nameIndex: 0, rest: name };
}

/**
 * The hash of one attribute. Characters of the name are unsigned, as the kernel takes them since 6.2; older
 * kernels took them as signed, which differs for names that are not ASCII only.
 */
export function xattrEntryHash(name: Uint8Array, value: Uint8Array): number {
  let hash = 0;
  for (const character of name) hash = (hash << 5) ^ (hash >>> 27) ^ character;
  for (let at = 0; at < value.length; at += 4) {
    const word =
      (value[at] ?? 0) | ((value[at + 1] ?? 0) << 8) | ((value[at + 2] ?? 0) << 16) | ((value[at + 3] ?? 0) << 24);
    hash = (hash << 16) ^ (hash >>> 16) ^ word;
  }
  return hash >>> 0;
}

/** The hash of an attribute block over the hashes of its entries: 0 where one of them is 0 (never shared). */
export function xattrBlockHash(entryHashes: readonly number[]): number {
  let hash = 0;
  for (const entryHash of entryHashes) {
    if (entryHash === 0) return 0;
    hash = (hash << 16) ^ (hash >>> 16) ^ entryHash;
  }
  return hash >>> 0;
}
