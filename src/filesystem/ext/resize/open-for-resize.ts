import { Failure } from "../../../base/index.ts";
import { readBytes, type BlockReader } from "../../../device/index.ts";
import type { SizeChange } from "../../resize.ts";
import type { GroupDescriptor } from "../descriptor-table.ts";
import { hasFeature } from "../features.ts";
import { layoutOf, type ExtLayout } from "../layout.ts";
import type { ExtSource } from "../source.ts";
import { stateClean, superblock, superblockAt } from "../superblock.ts";
import { refuseUnsound, refuseUnwritable } from "../writable.ts";
import { wasBegun } from "./interrupted.ts";

/** The superblock of a file system whose size may be changed. Throws where it may not. */
export async function openForResize(
  reader: BlockReader,
  { verb }: { readonly verb: "grow" | "shrink" },
): Promise<{ readonly bytes: Uint8Array; readonly layout: ExtLayout }> {
  const bytes = await superblockOf(reader);
  // Growing that was begun here can be gone on with: what was added to the file system is added again.
  if (verb === "grow" && wasBegun(bytes))
    superblock.patch(bytes, { state: superblock.get(bytes, "state") | stateClean });
  const layout = layoutOf(bytes);
  refuseUnwritable(layout);
  if (hasFeature(layout.features, "quota")) {
    throw new Failure(
      "unsupported",
      `cannot ${verb} the file system: it uses quota, so the quotas might not stay true`,
    );
  }
  if (wasBegun(bytes) && verb === "shrink") {
    throw new Failure("damaged", "cannot shrink the file system: growing it was cut off", {
      hint: "disk grow finishes that",
    });
  }
  refuseUnsound(reader, layout);
  return { bytes, layout };
}

/** All descriptors of the old groups; a file system with a broken one is not built upon. */
export async function soundDescriptors(source: ExtSource): Promise<GroupDescriptor[]> {
  const descriptors: GroupDescriptor[] = [];
  for (let group = 0; group < source.layout.groupCount; group++) {
    const descriptor = await source.descriptors.primary(group);
    if (!descriptor.isChecksumRight || !source.descriptors.isPlausible(descriptor)) {
      throw new Failure("damaged", `cannot change the file system: the descriptor of group ${group} is broken`, {
        hint: "run e2fsck on it first",
      });
    }
    descriptors.push(descriptor);
  }
  return descriptors;
}

/** The superblock as it stands on the device. */
export function superblockOf(reader: BlockReader): Promise<Uint8Array> {
  return readBytes(reader, superblockAt, superblock.sizeBytes);
}

export function sizeChangeOf(before: ExtLayout, after: ExtLayout): SizeChange {
  return {
    beforeBytes: before.blockCount * before.blockSizeBytes,
    afterBytes: after.blockCount * after.blockSizeBytes,
  };
}
