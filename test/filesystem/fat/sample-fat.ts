import { MemoryDevice } from "../../../src/device/index.ts";
import { makeFat, type FatOptions } from "../../../src/filesystem/fat/index.ts";
import { editFileSystem } from "../../../src/filesystem/index.ts";

export const now = { seconds: 1_700_000_000, nanoseconds: 0 };
const owner = { uid: 0, gid: 0, mode: 0o644, modified: now };

/** An empty FAT file system in memory. */
export async function emptyFat(
  kind: FatOptions["kind"],
  sizeBytes: number,
  clusterSizeBytes?: number,
): Promise<MemoryDevice> {
  const device = new MemoryDevice(new Uint8Array(sizeBytes));
  const cluster = clusterSizeBytes === undefined ? {} : { clusterSizeBytes };
  await makeFat(device, [], { kind, label: "SAMPLE", uuid: "1234-ABCD", now, ...cluster });
  return device;
}

/** One with directories in each other, long and short names, and files of all sizes. */
export async function sampleFat(
  kind: FatOptions["kind"],
  sizeBytes: number,
  clusterSizeBytes?: number,
): Promise<MemoryDevice> {
  const device = await emptyFat(kind, sizeBytes, clusterSizeBytes);
  await using fileSystem = await editFileSystem(device, { now });
  let directory = fileSystem.rootId;
  for (const name of ["A", "Ein langer Name", "ordner.é"]) {
    directory = await fileSystem.create({ directory, name }, { kind: "directory", ...owner, sizeBytes: 0 });
    for (let n = 0; n < 20; n++) {
      const bytes = Buffer.alloc(n * n * 40, `${n}`);
      const content = bytes.length === 0 ? [] : [{ at: 0, bytes }];
      const file = { kind: "file", ...owner, sizeBytes: bytes.length, content } as const;
      await fileSystem.create({ directory, name: n % 3 === 0 ? `N${n}.TXT` : `Datei Nummer ${n}.ὕδωρ` }, file);
    }
  }
  await fileSystem.commit();
  return device;
}
