import type { Problem } from "../file-system.ts";
import type { BtrfsSource } from "./source.ts";

/** Everything that is wrong with a btrfs. */
export async function* checkBtrfs(source: BtrfsSource): AsyncGenerator<Problem> {
  if (source.superblock.deviceBytes > source.reader.sizeBytes) {
    const { deviceBytes } = source.superblock;
    const message = `the file system takes ${deviceBytes} bytes, its device ends at ${source.reader.sizeBytes}`;
    yield { severity: "error", message };
  }
}
