import { editFileSystem } from "../../src/filesystem/index.ts";
import type { MemoryDevice } from "../../src/device/index.ts";

const now = { seconds: 1_700_000_000, nanoseconds: 0 };
const owner = { uid: 0, gid: 0, mode: 0o644, modified: now };

/** Makes directories in each other, names of all lengths, and files of all sizes. */
export async function fillSample(device: MemoryDevice): Promise<MemoryDevice> {
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
