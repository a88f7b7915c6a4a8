import { crc32 } from "../bytes/index.ts";
import { readBytes, type BlockReader } from "../device/index.ts";
import {
  entriesLimitBytes,
  entriesSectors,
  gptEntry,
  gptHeader,
  gptSignature,
  headerCrcOf,
  decodeIfSane,
  primaryHeaderLba,
  type GptHeader,
} from "./gpt-records.ts";

/** One of the two copies of a GPT, proven whole by its CRCs. */
export interface GptCopy {
  readonly header: GptHeader;
  /** The header's sector, with whatever stands behind the known fields. */
  readonly sector: Uint8Array;
  readonly entries: Uint8Array;
}

/** Both copies; a text says why one cannot be used. */
export interface GptCopies {
  readonly primary: GptCopy | string;
  readonly backup: GptCopy | string;
  /** Where the backup was looked for. */
  readonly backupLba: number;
  /** The device's last sector, where the backup belongs. */
  readonly lastLba: number;
}

/** Reads both copies: the backup where the primary says it is, at the end of the device where it cannot say. */
export async function readGptCopies(reader: BlockReader, sectorSizeBytes: number): Promise<GptCopies> {
  const lastLba = Math.floor(reader.sizeBytes / sectorSizeBytes) - 1;
  const primary = await readGptCopy(reader, primaryHeaderLba, sectorSizeBytes);
  const backupLba = typeof primary === "string" ? lastLba : primary.header.alternateLba;
  const backup =
    backupLba === primaryHeaderLba ? "it is missing" : await readGptCopy(reader, backupLba, sectorSizeBytes);
  return { primary, backup, backupLba, lastLba };
}

/** One copy, or why it cannot be used: a text that goes on after "the header at sector N cannot be used:". */
async function readGptCopy(reader: BlockReader, lba: number, sectorSizeBytes: number): Promise<GptCopy | string> {
  if (lba < primaryHeaderLba || (lba + 1) * sectorSizeBytes > reader.sizeBytes) return "the device ends before it";
  const sector = await readBytes(reader, lba * sectorSizeBytes, sectorSizeBytes);
  const header = checkGptHeader(sector, lba);
  if (typeof header === "string") return header;
  const entriesBytes = header.entryCount * header.entrySizeBytes;
  const entriesEndLba = header.entriesLba + entriesSectors(header, sectorSizeBytes);
  if (entriesEndLba * sectorSizeBytes > reader.sizeBytes) return "its entries pass the end of the device";
  const entries = await readBytes(reader, header.entriesLba * sectorSizeBytes, entriesBytes);
  if (crc32(entries) !== header.entriesCrc) return "the checksum of its entries is wrong";
  return { header, sector, entries };
}

/** The header in a sector, or why it cannot be used. The CRC comes first: only then do the fields mean anything. */
function checkGptHeader(sector: Uint8Array, lba: number): GptHeader | string {
  if (gptHeader.get(sector, "signature") !== gptSignature) return "there is none";
  const headerSizeBytes = gptHeader.get(sector, "headerSizeBytes");
  if (headerSizeBytes < gptHeader.sizeBytes || headerSizeBytes > sector.length) {
    return `it claims ${headerSizeBytes} bytes, ${gptHeader.sizeBytes} to ${sector.length} are possible`;
  }
  if (headerCrcOf(sector, headerSizeBytes) !== gptHeader.get(sector, "headerCrc")) return "its checksum is wrong";
  const header = decodeIfSane(() => gptHeader.decode(sector));
  if (header === undefined) return "it speaks of a sector above 2^53";
  if (header.currentLba !== lba) return `it says that it belongs at sector ${header.currentLba}`;
  // §5.3.2: 128 × 2ⁿ bytes
  const units = header.entrySizeBytes / gptEntry.sizeBytes;
  if (!Number.isInteger(units) || units < 1 || (units & (units - 1)) !== 0) {
    return `its entries of ${header.entrySizeBytes} bytes are not 128, 256, 512 …`;
  }
  if (header.entryCount * header.entrySizeBytes > entriesLimitBytes) {
    return `its ${header.entryCount} entries take more than ${entriesLimitBytes} bytes`;
  }
  if (header.entriesLba <= primaryHeaderLba) return `its entries cannot be at sector ${header.entriesLba}`;
  return header;
}
