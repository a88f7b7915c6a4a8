import { defaultGeometry } from "../partition/index.ts";
import type { CreateDiskRequest } from "./request.ts";

const sectorBytes = 512;
const grainBytes = 1024 * 1024;
const primariesInMbr = 4;

/** The size of the smallest disk whose layout has room for partitions of these sizes in bytes. */
export function diskSizeFor(request: CreateDiskRequest, sizes: readonly number[]): number {
  // From the fourth partition on an MBR keeps a record in front of each.
  const hasLogical = request.table === "mbr" && sizes.length > primariesInMbr;
  const logicalCount = hasLogical ? sizes.length - (primariesInMbr - 1) : 0;
  if (request.layout === "classic") {
    const { heads, sectors } = request.geometry ?? defaultGeometry;
    const cylinderBytes = heads * sectors * sectorBytes;
    const trackBytes = sectors * sectorBytes;
    return sizes.reduce((sum, size) => sum + Math.ceil((size + trackBytes) / cylinderBytes) * cylinderBytes, 0);
  }
  const aligned = sizes.reduce((sum, size) => sum + Math.ceil(size / grainBytes) * grainBytes, 0);
  const backupTable = request.table === "gpt" ? grainBytes : 0;
  return grainBytes + aligned + logicalCount * grainBytes + backupTable;
}
