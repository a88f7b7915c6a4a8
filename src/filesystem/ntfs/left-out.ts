import { readBytes, type BlockReader } from "../../device/index.ts";
import { bootSector } from "./records.ts";
import { geometryOf, isSigned, secondAt } from "./geometry.ts";

/** Bytes and the place on a device where they belong. */
export interface LeftOut {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/**
 * What belongs to an NTFS volume and is in no image of its clusters, such as partclone's: the second boot sector, a copy
 * of the first. Nothing where there is no room for it or no boot sector.
 */
export async function leftOutOfNtfs(reader: BlockReader): Promise<LeftOut | undefined> {
  if (reader.sizeBytes < bootSector.sizeBytes) return undefined;
  const sector = await readBytes(reader, 0, bootSector.sizeBytes);
  const geometry = isSigned(sector) ? geometryOf(sector) : undefined;
  if (geometry === undefined || secondAt(geometry) + geometry.sectorBytes > reader.sizeBytes) return undefined;
  return { at: secondAt(geometry), bytes: await readBytes(reader, 0, geometry.sectorBytes) };
}
