import { MemoryDevice } from "../../../src/device/index.ts";
import { makeExfat } from "../../../src/filesystem/exfat/index.ts";
import { editFileSystem } from "../../../src/filesystem/index.ts";

export const now = { seconds: 1_700_000_000, nanoseconds: 0 };
const owner = { uid: 0, gid: 0, mode: 0o644, modified: now };

/** An empty exFAT file system in memory. */
export async function emptyExfat(sizeBytes: number, clusterSizeBytes?: number): Promise<MemoryDevice> {
  const device = new MemoryDevice(new Uint8Array(sizeBytes));
  const cluster = clusterSizeBytes === undefined ? {} : { clusterSizeBytes };
  await makeExfat(device, [], { kind: "exfat", label: "Sämple", uuid: "1234-ABCD", now, ...cluster });
  return device;
}

/** One with directories in each other, names of all lengths, and files of all sizes. */
export async function sampleExfat(sizeBytes: number, clusterSizeBytes?: number): Promise<MemoryDevice> {
  const device = await emptyExfat(sizeBytes, clusterSizeBytes);
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
