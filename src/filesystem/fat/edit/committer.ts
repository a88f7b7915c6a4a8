import { stopIfAborted, type JobOptions } from "../../../base/index.ts";
import type { BlockDevice } from "../../../device/index.ts";
import { writeAll } from "../../planned-write.ts";
import { planCommit } from "./commit-plan.ts";
import type { DirectoryStore } from "./directory-store.ts";
import type { FatVolume } from "./fat-volume.ts";

/** Writes all changes so that what was there before is never lost; nothing where there are none. */
export async function commitChanges(volume: FatVolume, directories: DirectoryStore, job: JobOptions): Promise<void> {
  const { device, out } = volume;
  const changed = directories.changed;
  await out.drain();
  if (changed.length === 0 && [...volume.table.changed].length === 0) return;
  const plan = await planCommit(volume, changed);
  stopIfAborted(job.signal);
  await writeAll(device, plan.open);
  await device.flush();
  for (const { at, bytes } of plan.fresh) await out.put(at, bytes);
  await out.drain();
  await device.flush();
  for (const stage of [plan.additions, plan.names, plan.changes, plan.frees, plan.close]) {
    await writeAll(device, stage);
    await device.flush();
  }
  volume.settle();
  directories.settle();
}

/** Writes what a commit would, all at once: onto a copy, to see what it will be. */
export async function applyChanges(volume: FatVolume, directories: DirectoryStore, copy: BlockDevice): Promise<void> {
  await volume.out.drain();
  const plan = await planCommit(volume, directories.changed);
  for (const stage of [plan.open, plan.fresh, plan.additions, plan.names, plan.changes, plan.frees, plan.close]) {
    await writeAll(copy, stage);
  }
}
