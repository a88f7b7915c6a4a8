import { fileSetAt } from "../directory-sets.ts";
import { slotBytes } from "../records.ts";
import type { DirectoryImage } from "./directory-image.ts";

/** In which order old sets go of files that have new ones: a directory's before those of what is in it. */
export interface RetireOrder {
  readonly rankCount: number;
  /** Undefined: the file itself is gone. */
  rankOf(id: number): number | undefined;
}

/** 1: new sets, and directories that change in place; then the ranks of old sets; then what changes or goes. */
const newStage = 1;

/** For each entry that the device has of a directory, the stage in which it becomes what it is to be. */
export function slotStages(image: DirectoryImage, order: RetireOrder): Uint16Array {
  const lastStage = newStage + 1 + order.rankCount;
  const stages = new Uint16Array(image.knownSlots).fill(lastStage);
  for (let slot = 0; slot < image.knownSlots; slot++) if (!image.wasUsed(slot)) stages[slot] = newStage;
  const old = image.before ?? image.bytes;
  for (const [slot, id] of image.retired) {
    const rank = order.rankOf(id);
    const count = fileSetAt(old, slot)?.count ?? 1;
    if (rank !== undefined) stages.fill(newStage + 1 + rank, slot, slot + count);
  }
  for (const slot of image.early) stages.fill(newStage, slot, slot + 2);
  return stages;
}

/** What the device has of a directory after a stage; before the first one only what follows its end becomes zeros. */
export function stageBytes(
  image: DirectoryImage,
  before: Uint8Array,
  stages: Uint16Array,
  stage: number,
): Uint8Array<ArrayBuffer> {
  const bytes = Uint8Array.from(before);
  bytes.fill(0, image.knownEnd * slotBytes);
  for (let slot = 0; slot < image.knownSlots; slot++) {
    if ((stages[slot] ?? 0) > stage) continue;
    const at = slot * slotBytes;
    bytes.fill(0, at, at + slotBytes);
    bytes.set(image.bytes.subarray(at, at + slotBytes), at);
  }
  return bytes;
}
