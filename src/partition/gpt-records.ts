import { crc32, ascii, bits64, guid, Struct, u32, u64, type FieldType, type StructRecord } from "../bytes/index.ts";

/** UTF-16LE padded with NUL, `units` code units long. What the bytes spell survives, lone surrogates too. */
function utf16(units: number): FieldType<string> {
  return {
    sizeBytes: units * 2,
    decode(view, at) {
      const text = Buffer.from(view.buffer, view.byteOffset + at, units * 2).toString("utf16le");
      const end = text.indexOf("\0");
      return end < 0 ? text : text.slice(0, end);
    },
    encode(view, at, value) {
      if (value.length > units) throw new RangeError(`"${value}" is longer than ${units} UTF-16 units`);
      const raw = Buffer.from(view.buffer, view.byteOffset + at, units * 2);
      raw.fill(0);
      raw.write(value, "utf16le");
    },
  };
}

// UEFI 2.10 §5.3.2, table 5.5
export const gptHeader = new Struct("GPT header", 92, {
  signature: [0x00, ascii(8)],
  revision: [0x08, u32],
  headerSizeBytes: [0x0c, u32],
  headerCrc: [0x10, u32],
  currentLba: [0x18, u64],
  alternateLba: [0x20, u64],
  firstUsableLba: [0x28, u64],
  lastUsableLba: [0x30, u64],
  diskGuid: [0x38, guid],
  entriesLba: [0x48, u64],
  entryCount: [0x50, u32],
  entrySizeBytes: [0x54, u32],
  entriesCrc: [0x58, u32],
});

/** Names have this many UTF-16 code units at most. */
export const gptLabelLimit = 36;

// UEFI 2.10 §5.3.3, table 5.6
export const gptEntry = new Struct("GPT partition entry", 128, {
  typeGuid: [0x00, guid],
  guid: [0x10, guid],
  firstLba: [0x20, u64],
  lastLba: [0x28, u64],
  attributes: [0x30, bits64],
  label: [0x38, utf16(gptLabelLimit)],
});

export type GptHeader = StructRecord<typeof gptHeader>;
export type GptEntry = StructRecord<typeof gptEntry>;

export const gptSignature = "EFI PART";
export const gptRevision = 0x00010000;
export const primaryHeaderLba = 1;
/** UEFI asks for 16 KiB of entries at least. */
export const defaultEntryCount = 128;
/** The most room that all entries may take: 64 times the usual. Read in one piece, so it has a bound. */
export const entriesLimitBytes = 1024 * 1024;
export const unusedTypeGuid = "00000000-0000-0000-0000-000000000000";

/** The header with the CRC field taken for zero, as the CRC is defined. */
export function headerCrcOf(sector: Uint8Array, headerSizeBytes: number): number {
  const copy = sector.slice(0, headerSizeBytes);
  gptHeader.patch(copy, { headerCrc: 0 });
  return crc32(copy);
}

/** Sets fields of a header and then its CRC. Bytes beyond the known fields survive. */
export function patchGptHeader(sector: Uint8Array, values: Partial<GptHeader>): void {
  gptHeader.patch(sector, values);
  gptHeader.patch(sector, { headerCrc: headerCrcOf(sector, gptHeader.get(sector, "headerSizeBytes")) });
}

/** Sectors that the entries take. */
export function entriesSectors(
  header: Pick<GptHeader, "entryCount" | "entrySizeBytes">,
  sectorSizeBytes: number,
): number {
  return Math.ceil((header.entryCount * header.entrySizeBytes) / sectorSizeBytes);
}

/** Decodes what may hold a number above 2⁵³−1: undefined then, for no disk has such a place. */
export function decodeIfSane<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
