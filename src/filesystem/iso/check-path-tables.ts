import { Failure } from "../../base/index.ts";
import { Struct, u16, u16be, u32, u32be, u8 } from "../../bytes/index.ts";
import type { Problem } from "../file-system.ts";
import type { IsoSource } from "./iso-source.ts";
import { volumeDescriptor } from "./volume-descriptor.ts";

/** ECMA-119 §9.4, before the name. */
export const littlePathRecord = new Struct("ISO 9660 path table record", 8, {
  nameBytes: [0, u8],
  attributeBlocks: [1, u8],
  block: [2, u32],
  parent: [6, u16],
});
export const bigPathRecord = new Struct("ISO 9660 path table record, big-endian", 8, {
  nameBytes: [0, u8],
  attributeBlocks: [1, u8],
  block: [2, u32be],
  parent: [6, u16be],
});

/** A longer path table, of half a million directories and more, is not compared. */
const tableLimitBytes = 16 * 1024 * 1024;

interface Tree {
  /** The blocks in which its directories begin. */
  readonly directories: ReadonlySet<number>;
  readonly what: string;
}

/** Compares the two path tables of a tree with its directories, and with each other. */
export async function* checkPathTables(
  source: IsoSource,
  descriptor: Uint8Array,
  { directories, what }: Tree,
): AsyncGenerator<Problem> {
  const { pathTableBytes, littlePathTable, bigPathTable } = volumeDescriptor.decode(descriptor);
  if (pathTableBytes > tableLimitBytes) {
    yield { severity: "warning", message: `the path tables of ${what} are ${pathTableBytes} bytes long: not compared` };
    return;
  }
  for (const { name, struct, block } of [
    { name: "little-endian", struct: littlePathRecord, block: littlePathTable },
    { name: "big-endian", struct: bigPathRecord, block: bigPathTable },
  ]) {
    const problem = await problemOf(source, { struct, block, lengthBytes: pathTableBytes, directories });
    if (problem !== undefined) yield { severity: "error", message: `the ${name} path table of ${what} ${problem}` };
  }
}

interface PathTable {
  readonly struct: typeof littlePathRecord | typeof bigPathRecord;
  readonly block: number;
  readonly lengthBytes: number;
  readonly directories: ReadonlySet<number>;
}

async function problemOf(source: IsoSource, table: PathTable): Promise<string | undefined> {
  const { struct, block, lengthBytes, directories } = table;
  let bytes: Uint8Array;
  try {
    bytes = await source.structures.bytes(block * source.blockSizeBytes, lengthBytes);
  } catch (error) {
    if (error instanceof Failure) return `cannot be read: ${error.message}`;
    throw error;
  }
  const listed = new Set<number>();
  for (let at = 0; at + struct.sizeBytes <= bytes.length;) {
    const { nameBytes, attributeBlocks, block: start, parent } = struct.decode(bytes, at);
    if (nameBytes === 0) return `is torn at byte ${at}`;
    const place = start + attributeBlocks;
    if (!directories.has(place)) return `has a directory at block ${place} that the tree does not have`;
    listed.add(place);
    if (parent === 0 || parent > listed.size) return `has a directory at block ${place} under one that comes later`;
    at += struct.sizeBytes + nameBytes + (nameBytes & 1);
  }
  const missing = directories.size - listed.size;
  return missing === 0 ? undefined : `lacks ${missing} of ${directories.size} directories`;
}
