import { crc32c } from "../../../bytes/index.ts";
import { featureWords } from "../features.ts";
import { stateClean, superblock } from "../superblock.ts";

/**
 * Without a journal a change of size that is cut off is done again. The superblock, which stays the old one until the
 * end, is marked not clean meanwhile, and with this: a checksum of itself, so that whoever mounts or checks the file
 * system in between makes it wrong. It stands in a field for snapshots that Linux never had.
 */
export function markBegun(bytes: Uint8Array, { isRepeatable }: { readonly isRepeatable: boolean }): void {
  superblock.patch(bytes, { state: superblock.get(bytes, "state") & ~stateClean });
  superblock.patch(bytes, { unusedSnapshotId: isRepeatable ? markOf(bytes) : 0 });
}

export function unmark(bytes: Uint8Array): void {
  superblock.patch(bytes, { state: superblock.get(bytes, "state") | stateClean, unusedSnapshotId: 0 });
}

/** Whether a change of size that can be done again was begun and cut off, and nobody has touched the file system since. */
export function wasBegun(bytes: Uint8Array): boolean {
  const { compatible } = featureWords(["has_journal"]);
  const hasJournal = (superblock.get(bytes, "compatible") & compatible) !== 0;
  const isClean = (superblock.get(bytes, "state") & stateClean) !== 0;
  const mark = superblock.get(bytes, "unusedSnapshotId");
  return !hasJournal && !isClean && mark !== 0 && mark === markOf(bytes);
}

function markOf(bytes: Uint8Array): number {
  const copy = Uint8Array.from(bytes);
  superblock.patch(copy, { unusedSnapshotId: 0, unusedCompression: 0, checksum: 0 });
  return crc32c(copy) || 1;
}
