import { crc32 } from "../bytes/index.ts";
import type { BlockDevice } from "../device/index.ts";
import { chsOfLba, cylindersOf, lastCylinder } from "./chs.ts";
import {
  entriesSectors,
  gptEntry,
  gptHeader,
  gptRevision,
  gptSignature,
  patchGptHeader,
  primaryHeaderLba,
} from "./gpt-records.ts";
import { gptProtectiveCode, masterBootRecord, mbrEntry, patchMbrEntries } from "./mbr-records.ts";
import type { GptPlan } from "./plan.ts";

/** Writes the backup copy, then the primary, then the protective MBR over what is given of sector 0. */
export async function writeGpt(device: BlockDevice, plan: GptPlan, sector: Uint8Array): Promise<void> {
  const lastLba = Math.floor(plan.sizeBytes / 512) - 1;
  const { entryCount, firstUsableLba, lastUsableLba, diskGuid } = plan;
  const tableSectors = entriesSectors({ entryCount, entrySizeBytes: gptEntry.sizeBytes }, 512);
  const entries = encodeEntries(plan);
  const header = new Uint8Array(512);
  gptHeader.patch(header, {
    signature: gptSignature,
    revision: gptRevision,
    headerSizeBytes: gptHeader.sizeBytes,
    firstUsableLba,
    lastUsableLba,
    diskGuid,
    entryCount,
    entrySizeBytes: gptEntry.sizeBytes,
    entriesCrc: crc32(entries),
  });
  await writeGptCopy(device, {
    header,
    entries,
    place: { currentLba: lastLba, alternateLba: primaryHeaderLba, entriesLba: lastLba - tableSectors },
    sectorSizeBytes: 512,
  });
  await writeGptCopy(device, {
    header,
    entries,
    place: { currentLba: primaryHeaderLba, alternateLba: lastLba, entriesLba: primaryHeaderLba + 1 },
    sectorSizeBytes: 512,
  });
  masterBootRecord.patch(sector, { diskSignature: 0 }); // UEFI 2.10 table 5.3: unused, zero
  protect(sector, lastLba);
  await device.write(0, sector);
}

/** Writes one copy durably: the entries, then the header, which makes them count. */
export async function writeGptCopy(
  device: BlockDevice,
  copy: {
    readonly header: Uint8Array;
    readonly entries: Uint8Array;
    readonly place: { readonly currentLba: number; readonly alternateLba: number; readonly entriesLba: number };
    readonly sectorSizeBytes: number;
  },
): Promise<void> {
  const { place, entries, sectorSizeBytes } = copy;
  const header = copy.header.slice();
  patchGptHeader(header, place);
  await device.write(place.entriesLba * sectorSizeBytes, entries);
  await device.flush();
  await device.write(place.currentLba * sectorSizeBytes, header);
  await device.flush();
}

/** One entry over the whole disk keeps programs that know no GPT away (UEFI 2.10 §5.2.3). */
export function protect(sector: Uint8Array, lastLba: number): void {
  const isBeyondChs = cylindersOf(lastLba * 512) > lastCylinder;
  const entry = mbrEntry.encode({
    start: chsOfLba(primaryHeaderLba),
    type: gptProtectiveCode,
    end: isBeyondChs ? { cylinder: 1023, head: 255, sector: 63 } : chsOfLba(lastLba),
    startLba: primaryHeaderLba,
    sectorCount: Math.min(lastLba, 0xffffffff),
  });
  patchMbrEntries(sector, [entry]);
}

function encodeEntries({ entryCount, partitions }: GptPlan): Uint8Array {
  const entries = new Uint8Array(entryCount * gptEntry.sizeBytes);
  for (const { number, startLba, sectorCount, typeCode, guid, attributes, label } of partitions) {
    const lastLba = startLba + sectorCount - 1;
    const entry = { typeGuid: typeCode, guid, firstLba: startLba, lastLba, attributes, label };
    gptEntry.patch(entries, entry, (number - 1) * gptEntry.sizeBytes);
  }
  return entries;
}
