import { Failure } from "../../base/index.ts";
import type { BlockDevice } from "../../device/index.ts";
import { probe, recognise, renewVolumeId } from "../../filesystem/index.ts";
import { isSwap, type BackupPart, type BackupSwap, type TableDump } from "../clonezilla/index.ts";
import { plainKind } from "../open-part.ts";
import type { Filling, Renewal } from "./fill-part.ts";
import { followIds } from "./follow-ids.ts";

/** The same table with another id of the disk, and other ones of its partitions. */
export function renewTable(dump: TableDump, { randomUuid, ids }: Renewal): TableDump {
  const uuid = randomUuid();
  if (dump.kind === "gpt") {
    if (dump.diskId !== undefined) ids.set(dump.diskId.toLowerCase(), uuid);
    const partitions = dump.partitions.map((partition) => {
      const guid = randomUuid();
      if (partition.guid !== undefined) ids.set(partition.guid.toLowerCase(), guid);
      return { ...partition, guid: guid.toUpperCase() };
    });
    return { ...dump, diskId: uuid.toUpperCase(), partitions };
  }
  const [before, after] = [(dump.diskId ?? "0x0").slice(2).toLowerCase().padStart(8, "0"), uuid.slice(0, 8)];
  for (const { number } of dump.partitions) {
    const suffix = `-${number.toString(16).padStart(2, "0")}`;
    ids.set(before + suffix, after + suffix);
  }
  return { ...dump, diskId: `0x${after}` };
}

/** Gives swap that is made anew another UUID. */
export function renewSwap(swap: BackupSwap, { randomUuid, ids }: Renewal): BackupSwap {
  const uuid = randomUuid();
  if (swap.uuid !== undefined) ids.set(swap.uuid.toLowerCase(), uuid);
  return { ...swap, uuid };
}

/** Gives the file system of a restored partition another id. Gives a note where it keeps the one that it has. */
export async function renewVolume(
  device: BlockDevice,
  { name, kind }: BackupPart,
  { randomUuid, ids }: Renewal,
): Promise<readonly string[]> {
  try {
    const renewed = await renewVolumeId(device, randomUuid());
    if (renewed?.before !== undefined) ids.set(renewed.before.toLowerCase(), renewed.after);
    if (renewed !== undefined || (kind === plainKind && (await recognise(device)) === undefined)) return [];
    return [`${name} keeps its id: only those of ext, FAT, exFAT, NTFS and swap are renewed`];
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "unsupported") throw error;
    return [`${name} keeps its id: ${error.message}`];
  }
}

/** Lets the files of restored file systems follow: fstab, boot menus, and what firmware starts. */
export async function followInParts(
  filling: Filling,
  parts: readonly { readonly content: BackupPart | BackupSwap; readonly device: BlockDevice }[],
): Promise<void> {
  if (filling.renewal === undefined) return;
  const { ids } = filling.renewal;
  for (const { content, device } of parts) {
    const family = isSwap(content) ? undefined : await probe(device);
    if (family !== undefined && editable.has(family)) await followIds(device, ids, filling.now);
  }
}

const editable: ReadonlySet<string> = new Set(["ext", "fat", "exfat"]);
