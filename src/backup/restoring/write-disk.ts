import { moveInstalledCore } from "../../boot/grub/index.ts";
import { SliceDevice, type BlockDevice } from "../../device/index.ts";
import { makeSwap } from "../../filesystem/index.ts";
import type { BootCode } from "../../partition/index.ts";
import { isSwap, type BackupPart, type BackupSwap } from "../clonezilla/index.ts";
import { writeDiskTable } from "../write-disk-table.ts";
import { fillPart, type Filling, type FillPlace } from "./fill-part.ts";
import type { DiskPlan, PlannedPart } from "./plan-disk.ts";
import { followInParts, renewSwap, renewVolume } from "./renew-ids.ts";
import { wipeGaps, wipeMarks } from "./wipe.ts";

export interface RestoredPart {
  readonly name: string;
  readonly kind: string;
  readonly restoredBytes: number;
  readonly sizeBytes: number;
}

const sectorBytes = 512;

/** Puts a disk of a backup onto a device: what was there before in its gaps, the table, the partitions. */
export async function writeDisk(
  filling: Filling,
  plan: DiskPlan,
  { device, isFresh }: { readonly device: BlockDevice; readonly isFresh: boolean },
): Promise<{ readonly parts: readonly RestoredPart[]; readonly warnings: readonly string[] }> {
  const { disk, dump, isSame } = plan;
  if (!isFresh) await wipeGaps(device, dump);
  // What sector 0 says beside a GPT goes with the old places only.
  const sizeBytes = isSame ? disk.sizeBytes : 0;
  const warnings = await writeDiskTable(device, filling.folder, { ...disk, dump, sizeBytes });
  const parts: RestoredPart[] = [];
  const filled: { readonly content: BackupPart | BackupSwap; readonly device: BlockDevice }[] = [];
  for (const part of plan.parts) {
    if (part.content === undefined) continue;
    const { startLba, sectorCount } = part.after;
    const slice = new SliceDevice(device, startLba * sectorBytes, sectorCount * sectorBytes);
    const isFilled = sectorCount !== part.before.sectorCount;
    const { startLba: wasLba, sectorCount: wasSectors } = part.before;
    const was = { wasLba, wasBytes: wasSectors * sectorBytes };
    const place = { device: slice, isFresh, startLba, isFilled, ...was };
    const restored = await restoreContent(filling, part, part.content, place);
    parts.push(restored.part);
    warnings.push(...restored.notes);
    filled.push({ content: part.content, device: slice });
  }
  await followInParts(filling, filled);
  warnings.push(...(await moveBootLoader(device, plan)), ...windowsNotes(plan, filling.renewal !== undefined));
  return { parts, warnings };
}

/** Windows' boot configuration has ids, and of an MBR places too; it is in a database that is not changed here. */
function windowsNotes({ dump, parts }: DiskPlan, hasNewIds: boolean): readonly string[] {
  const isNtfs = parts.some(({ content }) => content !== undefined && !isSwap(content) && content.kind === "ntfs");
  const isMoved = dump.kind === "mbr" && parts.some(({ before, after }) => before.startLba !== after.startLba);
  if (!isNtfs || !(hasNewIds || isMoved)) return [];
  const why = hasNewIds ? "by its id" : "by its place";
  return [`if Windows is on it, it looks for its partition ${why}: let its installation medium repair the start`];
}

/** Boot loaders that know by number in which sectors the rest of them is, and are not told anew. */
const unmovedLoaders: Partial<Record<BootCode, string>> = { "grub-legacy": "GRUB 0.9x", lilo: "LILO" };

async function moveBootLoader(device: BlockDevice, { parts }: DiskPlan): Promise<readonly string[]> {
  const moves = parts
    .filter(({ before, after }) => before.startLba !== after.startLba)
    .map(({ before, after }) => {
      return { fromLba: before.startLba, sectorCount: before.sectorCount, toLba: after.startLba };
    });
  const isChanged = parts.some(({ before, after }) => before.sectorCount !== after.sectorCount);
  if (moves.length === 0 && !isChanged) return [];
  const loader = unmovedLoaders[await moveInstalledCore(device, moves)];
  return loader === undefined ? [] : [`${loader} has to be installed anew: it does not start from moved partitions`];
}

/** Puts what was saved of a partition into its place. */
export async function restoreContent(
  filling: Filling,
  { name }: Pick<PlannedPart, "name">,
  content: BackupPart | BackupSwap,
  place: FillPlace,
): Promise<{ readonly part: RestoredPart; readonly notes: readonly string[] }> {
  const { device, isFresh } = place;
  if (!isFresh) await wipeMarks(device);
  const { sizeBytes } = device;
  const { renewal } = filling;
  if (isSwap(content)) {
    const { uuid = crypto.randomUUID(), label } = renewal === undefined ? content : renewSwap(content, renewal);
    await makeSwap(device, { uuid, label });
    return { part: { name, kind: "swap", restoredBytes: 0, sizeBytes }, notes: [] };
  }
  const { restoredBytes, notes } = await fillPart(filling, content, place);
  const kept = renewal === undefined ? [] : await renewVolume(device, content, renewal);
  return { part: { name, kind: content.kind, restoredBytes, sizeBytes }, notes: [...notes, ...kept] };
}
