import { decodeName } from "../../bytes/index.ts";
import { aclFromDisk } from "./access-control-list.ts";
import { hasInodeAttributes, isInlineData, rawAttributes, type RawAttribute } from "./attribute-list.ts";
import { readWhole } from "./content-reader.ts";
import { damaged } from "../damaged.ts";
import { xattrName } from "./extended-attribute.ts";
import type { ExtInode } from "./ext-inode.ts";
import { hasFlag, readInode } from "./inode-reader.ts";
import type { ExtSource } from "./source.ts";

/** Linux takes no value longer than this (XATTR_SIZE_MAX). */
const valueLimitBytes = 65536;
const index = { accessAcl: 2, defaultAcl: 3, highestShown: 8 } as const;

/** All attributes that a user of the file system sees, or undefined where there are none. */
export async function readAttributes(
  source: ExtSource,
  inode: ExtInode,
): Promise<ReadonlyMap<string, Uint8Array> | undefined> {
  if (inode.xattrBlock === 0 && !hasInodeAttributes(inode)) return undefined;
  const found = new Map<string, Uint8Array>();
  for (const attribute of await rawAttributes(source, inode)) {
    if (attribute.nameIndex > index.highestShown || isInlineData(attribute)) continue; // the kernel's own
    const name = xattrName(attribute.nameIndex, decodeName(attribute.nameBytes));
    const value = await valueOf(source, inode, attribute);
    const isAcl = attribute.nameIndex === index.accessAcl || attribute.nameIndex === index.defaultAcl;
    const shown = isAcl ? aclFromDisk(value) : Uint8Array.from(value);
    if (shown !== undefined) found.set(name, shown); // the check tells of an ACL that is none
  }
  return found.size === 0 ? undefined : found;
}

/** The value of an attribute, from the file of its own where it has one (`ea_inode`). */
export async function valueOf(source: ExtSource, inode: ExtInode, attribute: RawAttribute): Promise<Uint8Array> {
  if (attribute.valueInode === 0) return attribute.value;
  const holder = await readInode(source, attribute.valueInode);
  const what = `an attribute of inode ${inode.id}`;
  if (holder.kind !== "file" || !hasFlag(holder, "xattrInode")) {
    throw damaged(what, `inode ${holder.id} does not hold a value`);
  }
  if (attribute.valueSize > valueLimitBytes || holder.sizeBytes !== attribute.valueSize) {
    throw damaged(what, `its value in inode ${holder.id} has ${holder.sizeBytes} bytes, not ${attribute.valueSize}`);
  }
  return readWhole(source, holder);
}
