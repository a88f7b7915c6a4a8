import { SliceDevice, type BlockDevice } from "../../device/index.ts";
import { makeSwap } from "../../filesystem/index.ts";
import type { BackupPart, BackupSwap } from "../clonezilla/index.ts";
import { writeDiskTable } from "../write-disk-table.ts";
import { fillPart, type Filling, type FillPlace } from "./fill-part.ts";
import { isSwap, type DiskPlan, type PlannedPart } from "./plan-disk.ts";
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
  for (const part of plan.parts) {
    if (part.content === undefined) continue;
    const { startLba, sectorCount } = part.after;
    const slice = new SliceDevice(device, startLba * sectorBytes, sectorCount * sectorBytes);
    const isFilled = sectorCount !== part.before.sectorCount;
    const place = { device: slice, isFresh, startLba, isFilled, wasBytes: part.before.sectorCount * sectorBytes };
    const restored = await restoreContent(filling, part, part.content, place);
    parts.push(restored.part);
    warnings.push(...restored.notes);
  }
  return { parts, warnings };
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
  if (isSwap(content)) {
    await makeSwap(device, { uuid: content.uuid ?? crypto.randomUUID(), label: content.label });
    return { part: { name, kind: "swap", restoredBytes: 0, sizeBytes }, notes: [] };
  }
  const { restoredBytes, notes } = await fillPart(filling, content, place);
  return { part: { name, kind: content.kind, restoredBytes, sizeBytes }, notes };
}
