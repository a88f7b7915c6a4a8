import { Failure } from "../base/index.ts";
import { readBytes, type BlockDevice } from "../device/index.ts";
import { readGptCopies, type GptCopies, type GptCopy } from "./gpt-copy.ts";
import {
  decodeIfSane,
  entriesSectors,
  gptEntry,
  patchGptHeader,
  primaryHeaderLba,
  unusedTypeGuid,
} from "./gpt-records.ts";
import { masterBootRecord } from "./mbr-records.ts";
import { goodCopyOf, protectionOf } from "./read-gpt.ts";
import { isPartitionTable } from "./read-mbr.ts";
import type { TableOptions } from "./table.ts";
import { protect, writeGptCopy } from "./write-gpt.ts";

/**
 * Makes both copies of a GPT whole from the good one, the first where both are; puts the backup at the end of
 * the device, where it is not since the device grew; and gives the protective MBR back. Returns what was
 * done, a sentence each: none where nothing was wrong. A `damaged` failure where neither copy can be used,
 * where sector 0 holds another table, or where the partitions do not fit the device.
 */
export async function repairGpt(device: BlockDevice, options: TableOptions = {}): Promise<string[]> {
  const sectorSizeBytes = options.sectorSizeBytes ?? 512;
  if (device.sizeBytes < 3 * sectorSizeBytes) {
    throw new Failure("damaged", `cannot repair the GPT: no GPT fits a device of ${device.sizeBytes} bytes`);
  }
  const sector = await readBytes(device, 0, masterBootRecord.sizeBytes);
  const isTable = isPartitionTable(sector, Math.floor(device.sizeBytes / sectorSizeBytes));
  const protection = isTable ? protectionOf(sector) : "none";
  if (protection === "other table") {
    throw new Failure("damaged", "cannot repair the GPT: sector 0 holds an MBR with partitions, not a protective one");
  }
  const copies = await readGptCopies(device, sectorSizeBytes);
  const done = faultsOf(copies);
  if (done.length > 0) await rewriteCopies(device, copies, sectorSizeBytes);
  if (protection === "none") {
    protect(sector, copies.lastLba);
    await device.write(0, sector);
    await device.flush();
    done.push("wrote the protective MBR");
  }
  return done;
}

function faultsOf(copies: GptCopies): string[] {
  const { primary, backup, backupLba, lastLba } = copies;
  if (typeof primary === "string") {
    goodCopyOf(copies);
    return [`rewrote the primary GPT from the backup: ${primary}`];
  }
  if (typeof backup === "string") return [`rewrote the backup GPT from the primary: ${backup}`];
  if (backupLba !== lastLba) return [`moved the backup GPT from sector ${backupLba} to the last, ${lastLba}`];
  const isSame = backup.header.entriesCrc === primary.header.entriesCrc;
  if (isSame && backup.header.diskGuid === primary.header.diskGuid) return [];
  return ["rewrote the backup GPT, which differed from the primary"];
}

async function rewriteCopies(device: BlockDevice, copies: GptCopies, sectorSizeBytes: number): Promise<void> {
  const { lastLba } = copies;
  const good = goodCopyOf(copies);
  const tableSectors = entriesSectors(good.header, sectorSizeBytes);
  const backupEntriesLba = lastLba - tableSectors;
  // The primary entries may have been put elsewhere to leave room for a boot loader; only the primary knows.
  const primaryEntriesLba = good === copies.primary ? good.header.entriesLba : primaryHeaderLba + 1;
  refuseCollision(good, { firstFreeLba: primaryEntriesLba + tableSectors, endFreeLba: backupEntriesLba });

  const header = good.sector.slice();
  patchGptHeader(header, { lastUsableLba: backupEntriesLba - 1 });
  const { entries } = good;
  const backup = { currentLba: lastLba, alternateLba: primaryHeaderLba, entriesLba: backupEntriesLba };
  const primary = { currentLba: primaryHeaderLba, alternateLba: lastLba, entriesLba: primaryEntriesLba };
  // The good copy is rewritten last: until then it is what there is.
  const order = good === copies.primary ? [backup, primary] : [primary, backup];
  for (const place of order) await writeGptCopy(device, { header, entries, place, sectorSizeBytes });
}

const cutShort = "the device may have been cut short: give it back its size first";

/** A repaired table must not be written over a partition's data. */
function refuseCollision(
  { header, entries }: GptCopy,
  room: { readonly firstFreeLba: number; readonly endFreeLba: number },
): void {
  const { firstFreeLba, endFreeLba } = room;
  if (firstFreeLba > endFreeLba) {
    throw new Failure("damaged", "cannot repair the GPT: the device is too small for its two copies", {
      hint: cutShort,
    });
  }
  for (let number = 1; number <= header.entryCount; number++) {
    const at = (number - 1) * header.entrySizeBytes;
    if (gptEntry.get(entries, "typeGuid", at) === unusedTypeGuid) continue;
    const entry = decodeIfSane(() => gptEntry.decode(entries, at));
    if (entry !== undefined && entry.firstLba >= firstFreeLba && entry.lastLba < endFreeLba) continue;
    throw new Failure(
      "damaged",
      `cannot repair the GPT: partition ${number} is not within sectors ${firstFreeLba} to ${endFreeLba - 1}`,
      { hint: cutShort },
    );
  }
}
