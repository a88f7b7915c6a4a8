import { hasChecksumHigh, inodeChecksum, inodeChecksumSeed } from "./checksum.ts";
import { inodeBase, inodeBaseBytes, inodeExtra } from "./inode.ts";
import type { ExtLayout } from "./layout.ts";

/** Makes the checksum of a changed inode right, where the file system has one. */
export function sealInode(layout: ExtLayout, id: number, bytes: Uint8Array): void {
  if (!layout.hasChecksums) return;
  const seed = inodeChecksumSeed(layout.checksumSeed, id, inodeBase.get(bytes, "generation"));
  const sum = inodeChecksum(bytes, 0, bytes.length, seed);
  inodeBase.patch(bytes, { checksumLow: sum & 0xffff });
  if (bytes.length > inodeBaseBytes && hasChecksumHigh(bytes, 0)) {
    inodeExtra.patch(bytes.subarray(inodeBaseBytes), { checksumHigh: sum >>> 16 });
  }
}
