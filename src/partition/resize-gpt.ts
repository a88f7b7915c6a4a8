import { crc32 } from "../bytes/index.ts";
import { Failure } from "../base/index.ts";
import { readBytes, type BlockDevice, type BlockReader } from "../device/index.ts";
import { chsOfLba, cylindersOf, lastCylinder } from "./chs.ts";
import { readGptCopies, type GptCopy } from "./gpt-copy.ts";
import { entriesSectors, gptEntry, patchGptHeader, primaryHeaderLba } from "./gpt-records.ts";
import { decodeMbrEntries, gptProtectiveCode, masterBootRecord, mbrEntry } from "./mbr-records.ts";
import { writeGptCopy } from "./write-gpt.ts";

const sectorBytes = 512;

/** Where the last partition has to end, at the latest, for the backup of the table to have room behind it. */
export async function gptEndBytes(reader: BlockReader, diskBytes: number): Promise<number> {
  const { header } = await primaryOf(reader);
  return (Math.floor(diskBytes / sectorBytes) - 1 - entriesSectors(header, sectorBytes)) * sectorBytes;
}

/**
 * Gives a partition of a sound GPT another end, and another type where one is told, and the table's backup its place at the end of a disk of `diskBytes`.
 * Cut off at any write, one of the two copies is whole, and a reader finds it.
 */
export async function resizeGpt(
  device: BlockDevice,
  change: {
    readonly diskBytes: number;
    readonly partition: number;
    readonly endBytes: number;
    readonly typeCode?: string;
  },
): Promise<void> {
  const { diskBytes, partition, endBytes, typeCode } = change;
  const primary = await primaryOf(device);
  const tableSectors = entriesSectors(primary.header, sectorBytes);
  const lastLba = Math.floor(diskBytes / sectorBytes) - 1;
  const backupEntriesLba = lastLba - tableSectors;
  const entries = Uint8Array.from(primary.entries);
  const changed = { lastLba: endBytes / sectorBytes - 1, ...(typeCode === undefined ? {} : { typeGuid: typeCode }) };
  gptEntry.patch(entries, changed, (partition - 1) * primary.header.entrySizeBytes);
  const header = Uint8Array.from(primary.sector);
  patchGptHeader(header, { lastUsableLba: backupEntriesLba - 1, entriesCrc: crc32(entries) });
  // The primary is what there is until the backup stands.
  for (const place of [
    { currentLba: lastLba, alternateLba: primaryHeaderLba, entriesLba: backupEntriesLba },
    { currentLba: primaryHeaderLba, alternateLba: lastLba, entriesLba: primary.header.entriesLba },
  ]) {
    await writeGptCopy(device, { header, entries, place, sectorSizeBytes: sectorBytes });
  }
  await protectAsFar(device, lastLba);
}

async function primaryOf(reader: BlockReader): Promise<GptCopy> {
  const { primary } = await readGptCopies(reader, sectorBytes);
  if (typeof primary !== "string") return primary;
  throw new Failure("damaged", `cannot change the GPT: the header at sector 1 cannot be used: ${primary}`, {
    hint: "disk check --repair-table makes it whole",
  });
}

/** Lets the protective entry cover the disk; a hybrid MBR's is left as whoever made it wanted it. */
async function protectAsFar(device: BlockDevice, lastLba: number): Promise<void> {
  const sector = await readBytes(device, 0, masterBootRecord.sizeBytes);
  const used = decodeMbrEntries(sector).map(({ type }) => type);
  const n = used.indexOf(gptProtectiveCode);
  if (used.filter((type) => type !== 0).length !== 1 || n < 0) return;
  const entries = masterBootRecord.get(sector, "entries").slice();
  const isBeyondChs = cylindersOf(lastLba * sectorBytes) > lastCylinder;
  mbrEntry.patch(
    entries,
    {
      end: isBeyondChs ? { cylinder: 1023, head: 255, sector: 63 } : chsOfLba(lastLba),
      sectorCount: Math.min(lastLba, 0xffffffff),
    },
    n * mbrEntry.sizeBytes,
  );
  masterBootRecord.patch(sector, { entries });
  await device.write(0, sector);
  await device.flush();
}
