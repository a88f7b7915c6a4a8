import { readBytes, type BlockReader } from "../device/index.ts";
import { masterBootRecord } from "./mbr-records.ts";
import { protectionOf, readGpt } from "./read-gpt.ts";
import { isPartitionTable, readMbr } from "./read-mbr.ts";
import type { PartitionTable, TableOptions } from "./table.ts";

/**
 * The partition table of a device with everything that is wrong with it, or undefined where there is none,
 * as where a file system takes the whole device. A GPT of which neither copy can be used is a `damaged` failure.
 */
export async function readTable(reader: BlockReader, options: TableOptions = {}): Promise<PartitionTable | undefined> {
  const sectorSizeBytes = options.sectorSizeBytes ?? 512;
  if (reader.sizeBytes < masterBootRecord.sizeBytes) return undefined;
  const sector = await readBytes(reader, 0, masterBootRecord.sizeBytes);
  const isTable = isPartitionTable(sector, Math.floor(reader.sizeBytes / sectorSizeBytes));
  const protection = isTable ? protectionOf(sector) : "none";
  if (protection !== "other table") {
    const table = await readGpt(reader, protection, sectorSizeBytes);
    if (table !== undefined) return table;
  }
  return isTable ? readMbr(reader, sector, sectorSizeBytes) : undefined;
}
