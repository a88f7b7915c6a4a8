import { Failure } from "../../../base/index.ts";
import type { ExtInode } from "../ext-inode.ts";
import { hasFlag } from "../inode-reader.ts";
import type { EditVolume } from "./edit-volume.ts";

/** As many names as a file, or subdirectories as a directory, is counted to have (EXT4_LINK_MAX). */
export const linkLimit = 65000;

/** Throws `failed` for a file that its owner has locked against changes. */
export function refuseLocked(inode: ExtInode): void {
  for (const flag of ["immutable", "append"] as const) {
    if (!hasFlag(inode, flag)) continue;
    throw new Failure("failed", `cannot change inode ${inode.id}: it is marked ${flag} (chattr)`, {
      hint: "take the mark away in the running system first",
    });
  }
}

/** Throws `failed` for a file that cannot have another name. */
export function refuseMoreLinks(volume: EditVolume, { id, kind, links }: ExtInode): void {
  if (links < linkLimit - 1 || (kind === "directory" && volume.has("dir_nlink"))) return;
  throw new Failure("failed", `cannot give inode ${id} another link: it has ${links}, ${linkLimit} are the most`);
}

export function notEmpty(quoted: string): Failure {
  return new Failure("failed", `cannot remove ${quoted}: it is a directory with something in it`);
}
