import type { PartitionTable } from "../../partition/index.ts";
import type { BackupDisk } from "../clonezilla/index.ts";

const sectorBytes = 512;

/** How a table differs from the one in a backup, a phrase for each; empty where it says the same. */
export function tableDifferences(table: PartitionTable | undefined, { dump }: BackupDisk): string[] {
  if (table === undefined) return ["there is no partition table"];
  if (table.kind !== dump.kind) return [`the table is ${table.kind}, it was ${dump.kind}`];
  const differences: string[] = [];
  if (dump.diskId !== undefined && table.diskId.toLowerCase() !== dump.diskId.toLowerCase()) {
    differences.push(`the disk is called ${table.diskId}, it was ${dump.diskId}`);
  }
  for (const was of dump.partitions) {
    const is = table.partitions.find(({ number }) => number === was.number);
    const name = `partition ${was.number}`;
    if (is === undefined) {
      differences.push(`${name} is not there`);
      continue;
    }
    const facts: readonly (readonly [string, string | number, string | number])[] = [
      ["begins at byte", is.startBytes, was.startLba * sectorBytes],
      ["has bytes:", is.sizeBytes, was.sectorCount * sectorBytes],
      ["is of type", typeText(is.typeCode), typeText(was.type)],
      ["has the identifier", (is.guid ?? "").toUpperCase(), (was.guid ?? "").toUpperCase()],
      ["has the name", is.label ?? "", was.label ?? ""],
    ];
    for (const [what, now, before] of facts)
      if (now !== before) differences.push(`${name} ${what} ${now}, was ${before}`);
    const isActive = table.kind === "mbr" && is.active !== was.active;
    if (isActive) differences.push(`${name} is ${is.active ? "" : "not "}active`);
  }
  const added = table.partitions.filter(({ number }) => !dump.partitions.some((one) => one.number === number));
  return [...differences, ...added.map(({ number }) => `partition ${number} was not there`)];
}

/** As dumps of old and new sfdisk have it: `83`, `0x83`, `c`. */
function typeText(type: number | string): string {
  if (typeof type === "number") return type.toString(16);
  return type
    .toLowerCase()
    .replace(/^0x/, "")
    .replace(/^0(?=[0-9a-f]$)/, "");
}
