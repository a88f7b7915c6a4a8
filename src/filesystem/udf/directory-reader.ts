import { damaged } from "../damaged.ts";
import { readContent } from "./extents.ts";
import { fileTypes, type UdfFile } from "./file-entry.ts";
import { fileIdentifier, longExtent, tagIds } from "./records.ts";
import { verifyTag } from "./tag.ts";
import { decodeText, pathName } from "./text.ts";
import type { BlockAddress, UdfSource } from "./udf-source.ts";

/** Over a million names; a directory that says it is longer is damaged. */
const directoryLimitBytes = 128 * 1024 * 1024;

/** Bits of `characteristics` (ECMA-167 4/14.4.3). */
const isDeleted = 0x04;
const isParent = 0x08;

/** A name in a directory. */
export interface UdfName {
  readonly name: string;
  readonly address: BlockAddress;
}

/** The names in a directory, in batches; also those that are to be hidden, but not those that were deleted. */
export async function* directoryNames(source: UdfSource, directory: UdfFile): AsyncGenerator<UdfName[]> {
  const what = `the directory in block ${directory.address.block} of partition ${directory.address.partition}`;
  if (directory.fileType !== fileTypes.directory) throw damaged(what, "it is none");
  if (directory.sizeBytes > directoryLimitBytes) throw damaged(what, `it is ${directory.sizeBytes} bytes long`);
  let rest: Uint8Array = new Uint8Array(0);
  let end = 0;
  for await (const { at, bytes } of readContent(source, directory, what)) {
    if (at !== end) throw damaged(what, "it has a hole");
    end = at + bytes.length;
    const names: UdfName[] = [];
    rest = namesIn(Buffer.concat([rest, bytes]), names, what);
    if (names.length > 0) yield names;
  }
  if (rest.length > 0 || end !== directory.sizeBytes) throw damaged(what, "it ends in the middle of a name");
}

/** Adds the names of the identifiers that are there whole; gives the bytes of the one that is not. */
function namesIn(bytes: Uint8Array, names: UdfName[], what: string): Uint8Array {
  let at = 0;
  while (at + fileIdentifier.sizeBytes <= bytes.length) {
    const { characteristics, nameBytes, icb, useBytes } = fileIdentifier.decode(bytes, at);
    const nameAt = fileIdentifier.sizeBytes + useBytes;
    const lengthBytes = Math.ceil((nameAt + nameBytes) / 4) * 4;
    if (at + lengthBytes > bytes.length) break;
    const identifier = bytes.subarray(at, at + lengthBytes);
    verifyTag(identifier, { ids: [tagIds.fileIdentifier], location: undefined, what: `a name in ${what}` });
    at += lengthBytes;
    if ((characteristics & (isDeleted | isParent)) !== 0) continue;
    names.push({ name: nameOf(identifier.subarray(nameAt, nameAt + nameBytes), what), address: addressOf(icb) });
  }
  return bytes.subarray(at);
}

function nameOf(bytes: Uint8Array, what: string): string {
  const name = pathName(decodeText(bytes) ?? "");
  if (name !== "" && name !== "." && name !== "..") return name;
  throw damaged(what, `${JSON.stringify(name)} cannot be a name`);
}

/** The block that a long allocation descriptor names. */
export function addressOf(bytes: Uint8Array): BlockAddress {
  const { partition, block } = longExtent.decode(bytes);
  return { partition, block };
}
