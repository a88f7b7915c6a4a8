import { stopIfAborted, type JobOptions } from "../../../base/index.ts";
import type { BlockDevice } from "../../../device/index.ts";
import { writeAll } from "../../planned-write.ts";
import { isDirectory } from "../exfat-file.ts";
import { planCommit, type CommitPlan } from "./commit-plan.ts";
import type { DirectoryStore } from "./directory-store.ts";
import type { RetireOrder } from "./directory-stages.ts";
import type { ExfatVolume } from "./exfat-volume.ts";

/** Writes all changes so that what was there before is never lost; nothing where there are none. */
export async function commitChanges(volume: ExfatVolume, directories: DirectoryStore, job: JobOptions): Promise<void> {
  const { device, out } = volume;
  await out.drain();
  if (directories.changed.length === 0 && volume.chains.size === 0) return;
  const [open = [], fresh = [], ...stages] = await planAll(volume, directories);
  stopIfAborted(job.signal);
  await writeAll(device, open);
  await device.flush();
  for (const { at, bytes } of fresh) await out.put(at, bytes);
  await out.drain();
  await device.flush();
  for (const stage of stages) {
    await writeAll(device, stage);
    await device.flush();
  }
  volume.settle();
  directories.settle();
}

/** Writes what a commit would, all at once: onto a copy, to see what it will be. */
export async function applyChanges(volume: ExfatVolume, directories: DirectoryStore, copy: BlockDevice): Promise<void> {
  await volume.out.drain();
  for (const stage of await planAll(volume, directories)) await writeAll(copy, stage);
}

async function planAll(volume: ExfatVolume, directories: DirectoryStore): Promise<CommitPlan> {
  const { changed } = directories;
  return planCommit(volume, changed, await retireOrder(directories, changed));
}

/** Directories by how deep they are, then files: so a file is never only in a directory that may yet be lost. */
async function retireOrder(directories: DirectoryStore, changed: DirectoryStore["changed"]): Promise<RetireOrder> {
  const { places } = directories;
  const depths = new Map<number, number>();
  for (const id of changed.flatMap(({ retired }) => [...retired.values()])) {
    if (!places.has(id)) continue;
    const depth = isDirectory(await directories.facts(id)) ? [...places.above(id)].length : Infinity;
    depths.set(id, depth);
  }
  const inOrder = [...new Set(depths.values())].toSorted((a, b) => a - b);
  return {
    rankCount: inOrder.length,
    rankOf: (id) => {
      const depth = depths.get(id);
      return depth === undefined ? undefined : inOrder.indexOf(depth);
    },
  };
}
