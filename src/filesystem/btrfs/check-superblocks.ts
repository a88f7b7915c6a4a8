import type { Problem } from "../file-system.ts";
import { error, warning } from "./check-report.ts";
import type { BtrfsSource } from "./source.ts";
import { btrfsSuperblock, superblockAt, superblockFlags, superblockPlaces } from "./superblock.ts";

/** The superblock at each of its places, against the one that is used. */
export async function* checkSuperblocks({ reader, superblock }: BtrfsSource): AsyncGenerator<Problem> {
  const { deviceBytes, flags, generation, uuid } = superblock;
  if (deviceBytes > reader.sizeBytes) {
    yield error(`the file system takes ${deviceBytes} bytes, its device ends at ${reader.sizeBytes}`);
  }
  if ((flags & superblockFlags.error) !== 0n) yield error("btrfs is marked as having errors");
  for (const place of superblockPlaces) {
    if (place + btrfsSuperblock.sizeBytes > Math.min(deviceBytes, reader.sizeBytes)) continue;
    const isFirst = place === superblockPlaces[0];
    const what = isFirst ? "the superblock" : `the mirror of the superblock at ${place}`;
    const found = await superblockAt(reader, place);
    // Without the first one nothing mounts it, though all data is there.
    const tell = isFirst ? error : warning;
    if (found === undefined) yield tell(`${what} is gone`);
    else if (!found.isSealed) yield tell(`the checksum of ${what} does not match`);
    else if (found.superblock.uuid !== uuid) yield warning(`${what} is of another file system`);
    else if (found.superblock.generation !== generation) {
      yield warning(`${what} is of generation ${found.superblock.generation}, not ${generation}`);
    }
  }
}
