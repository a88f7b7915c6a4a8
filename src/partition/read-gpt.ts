import { Failure } from "../base/index.ts";
import type { BlockReader } from "../device/index.ts";
import { readGptCopies, type GptCopies, type GptCopy } from "./gpt-copy.ts";
import { decodeIfSane, gptEntry, unusedTypeGuid, type GptEntry } from "./gpt-records.ts";
import { decodeMbrEntries, gptProtectiveCode, isUsedEntry } from "./mbr-records.ts";
import { partitionTypeName } from "./partition-type.ts";
import {
  errorProblem,
  legacyBootableBit,
  placementProblems,
  warningProblem,
  type Partition,
  type PartitionTable,
  type Problem,
} from "./table.ts";

/** What a table in sector 0 says of a GPT: an entry that keeps old tools away, alone or beside others (a "hybrid"). */
type Protection = "protective" | "hybrid" | "none" | "other table";

export function protectionOf(sector: Uint8Array): Protection {
  const used = decodeMbrEntries(sector).filter(isUsedEntry);
  if (used.length === 0) return "none";
  if (!used.some((entry) => entry.type === gptProtectiveCode)) return "other table";
  return used.length === 1 ? "protective" : "hybrid";
}

/**
 * The GPT of a device: from the primary copy, or from the backup where that is damaged, which is then a
 * problem of the table. Throws a `damaged` failure where neither can be used, and gives undefined
 * instead where nothing in sector 0 promises a GPT.
 */
export async function readGpt(
  reader: BlockReader,
  protection: Protection,
  sectorSizeBytes: number,
): Promise<PartitionTable | undefined> {
  const copies = await readGptCopies(reader, sectorSizeBytes);
  // A disk erased at its start is empty: the backup alone does not bring its table back, repairGpt does.
  if (protection === "none" && typeof copies.primary === "string") return undefined;
  const copy = goodCopyOf(copies);
  const { partitions, problems } = partitionsOf(copy, sectorSizeBytes);
  const { entryCount, firstUsableLba, lastUsableLba } = copy.header;
  return {
    kind: "gpt",
    sectorSizeBytes,
    diskId: copy.header.diskGuid,
    gpt: { entryCount, firstUsableLba, lastUsableLba },
    partitions,
    problems: [
      ...protectionProblems(protection),
      ...copyProblems(copies),
      ...problems,
      ...placementProblems(partitions, reader.sizeBytes),
    ],
  };
}

/** The primary copy where it is good, else the backup, else a `damaged` failure. */
export function goodCopyOf({ primary, backup, backupLba }: GptCopies): GptCopy {
  if (typeof primary !== "string") return primary;
  if (typeof backup !== "string") return backup;
  throw new Failure(
    "damaged",
    `cannot read the GPT: the header at sector 1 cannot be used (${primary}), ` +
      `nor can the backup at sector ${backupLba} (${backup})`,
  );
}

function protectionProblems(protection: Protection): Problem[] {
  if (protection === "hybrid") {
    return [warningProblem("the protective MBR has partitions of its own; the GPT is what is used")];
  }
  return protection === "none" ? [errorProblem("the protective MBR is missing, other programs see an empty disk")] : [];
}

function copyProblems({ primary, backup, backupLba, lastLba }: GptCopies): Problem[] {
  if (typeof primary === "string") {
    return [errorProblem(`the GPT header at sector 1 cannot be used: ${primary}; the backup is used`)];
  }
  if (typeof backup === "string") {
    return [errorProblem(`the backup GPT header at sector ${backupLba} cannot be used: ${backup}`)];
  }
  const problems: Problem[] = [];
  if (backupLba !== lastLba) {
    problems.push(warningProblem(`the backup GPT is at sector ${backupLba}, not at the device's last, ${lastLba}`));
  }
  const sameEntries = primary.header.entriesCrc === backup.header.entriesCrc;
  if (!sameEntries || primary.header.diskGuid !== backup.header.diskGuid) {
    problems.push(errorProblem("the two copies of the GPT differ; the first is used"));
  }
  return problems;
}

function partitionsOf(
  { header, entries }: GptCopy,
  sectorSizeBytes: number,
): Pick<PartitionTable, "partitions" | "problems"> {
  const partitions: Partition[] = [];
  const problems: Problem[] = [];
  for (let number = 1; number <= header.entryCount; number++) {
    const at = (number - 1) * header.entrySizeBytes;
    if (gptEntry.get(entries, "typeGuid", at) === unusedTypeGuid) continue;
    const entry = decodeIfSane(() => gptEntry.decode(entries, at));
    const partition = entry === undefined ? undefined : gptPartition(entry, number, sectorSizeBytes);
    if (entry === undefined || partition === undefined) {
      problems.push(errorProblem(`partition ${number} has impossible limits and is left out`));
      continue;
    }
    if (entry.firstLba < header.firstUsableLba || entry.lastLba > header.lastUsableLba) {
      const usable = `${header.firstUsableLba} to ${header.lastUsableLba}`;
      problems.push(errorProblem(`partition ${number} leaves the usable sectors ${usable}`));
    }
    partitions.push(partition);
  }
  return { partitions, problems };
}

function gptPartition(entry: GptEntry, number: number, sectorSizeBytes: number): Partition | undefined {
  const startBytes = entry.firstLba * sectorSizeBytes;
  const endBytes = (entry.lastLba + 1) * sectorSizeBytes;
  if (endBytes <= startBytes || !Number.isSafeInteger(endBytes)) return undefined;
  return {
    number,
    startBytes,
    sizeBytes: endBytes - startBytes,
    typeCode: entry.typeGuid,
    typeName: partitionTypeName(entry.typeGuid),
    label: entry.label,
    guid: entry.guid,
    active: (entry.attributes & legacyBootableBit) !== 0n,
    attributes: entry.attributes,
    extended: false,
  };
}
