import { Bitmap, printableName } from "../../bytes/index.ts";
import { readBytes } from "../../device/index.ts";
import type { Problem } from "../file-system.ts";
import { bootSector, infoSector, infoSignatures, largeTail, unknownCount } from "./boot-sector.ts";
import { DirectoryCheck } from "./check-directories.ts";
import type { FatSource } from "./fat-source.ts";
import { firstCluster } from "../cluster-run.ts";
import { hasBootSignature } from "./layout.ts";
import { allEntries, readEntries } from "./table.ts";

/**
 * Everything that is wrong with a FAT file system: its boot sector and the copy of it, the tables against each other,
 * every directory, every chain of clusters, and what is counted.
 */
export async function* checkFat(source: FatSource): AsyncGenerator<Problem> {
  yield* checkBootSectors(source);
  yield* checkTables(source);
  const claimed = new Bitmap(firstCluster + source.layout.clusterCount);
  const directories = new DirectoryCheck(source, claimed);
  yield* directories.run();
  const { freeClusters, lostClusters, badClusters } = await countClusters(source, claimed);
  if (lostClusters > 0 && !directories.isTorn) {
    yield warning(`${count(lostClusters, "cluster is", "clusters are")} in use that belong to no file`);
  }
  if (badClusters > 0) yield warning(`${count(badClusters, "cluster is", "clusters are")} marked bad`);
  yield* checkInfoSector(source, freeClusters);
}

function error(message: string): Problem {
  return { severity: "error", message };
}

function warning(message: string): Problem {
  return { severity: "warning", message };
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}

async function* checkBootSectors({ reader, layout }: FatSource): AsyncGenerator<Problem> {
  if (layout.sizeBytes > reader.sizeBytes) {
    yield error(`the file system takes ${layout.sizeBytes} bytes, its device ends at ${reader.sizeBytes}`);
  }
  const boot = await readBytes(reader, 0, bootSector.sizeBytes);
  if (!hasBootSignature(boot)) yield warning("the boot sector does not end in 55 AA");
  if (layout.isDirty) yield warning("the boot sector says that the file system was not closed");
  if (layout.backupAt === undefined) return;
  const backup = await readBytes(reader, layout.backupAt, bootSector.sizeBytes);
  for (const sector of [boot, backup]) largeTail.patch(sector, { state: 0 });
  if (Buffer.compare(boot, backup) !== 0) yield warning("the copy of the boot sector differs from it");
}

async function* checkTables({ reader, layout, table }: FatSource): AsyncGenerator<Problem> {
  const { marks } = table;
  const first = await table.value(0);
  if ((first & 0xff) !== layout.media) {
    yield error(`the table begins with the media type ${first & 0xff}, the boot sector says ${layout.media}`);
  }
  const second = await table.value(1);
  if (marks.closedBit !== 0 && (second & marks.closedBit) === 0) {
    yield warning("the table says that the file system was not closed");
  }
  if (marks.soundBit !== 0 && (second & marks.soundBit) === 0)
    yield warning("the table says that a read or write failed");
  if (!layout.isMirrored) return;
  for (let other = 1; other < layout.tableCount; other++) {
    let differing = 0;
    for await (const { first: from, entries } of allEntries(reader, layout)) {
      const copy = await readEntries(reader, layout, from, entries.length, other);
      for (let n = 0; n < entries.length; n++) {
        if ((((entries[n] ?? 0) ^ (copy[n] ?? 0)) & marks.mask) !== 0) differing++;
      }
    }
    if (differing > 0)
      yield error(`table ${other + 1} differs from the first in ${count(differing, "entry", "entries")}`);
  }
}

async function countClusters(
  { reader, layout, table }: FatSource,
  claimed: Bitmap,
): Promise<{ freeClusters: number; lostClusters: number; badClusters: number }> {
  const { mask, bad } = table.marks;
  const counts = { freeClusters: 0, lostClusters: 0, badClusters: 0 };
  for await (const { first, entries } of allEntries(reader, layout)) {
    for (let n = Math.max(0, firstCluster - first); n < entries.length; n++) {
      const value = (entries[n] ?? 0) & mask;
      if (value === 0) counts.freeClusters++;
      else if (value === bad) counts.badClusters++;
      else if (!claimed.has(first + n)) counts.lostClusters++;
    }
  }
  return counts;
}

async function* checkInfoSector({ reader, layout }: FatSource, freeClusters: number): AsyncGenerator<Problem> {
  if (layout.infoAt === undefined) return;
  const info = infoSector.decode(await readBytes(reader, layout.infoAt, infoSector.sizeBytes));
  for (const [name, signature] of Object.entries(infoSignatures)) {
    if (info[name as keyof typeof infoSignatures] === signature) continue;
    yield warning(`the sector that counts what is free lacks a signature (${printableName(name)})`);
    return;
  }
  if (info.freeClusters !== unknownCount && info.freeClusters !== freeClusters) {
    yield warning(`${info.freeClusters} clusters are said to be free, ${freeClusters} are`);
  }
}
