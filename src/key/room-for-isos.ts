import { Failure } from "../base/index.ts";
import { formatSize } from "../bytes/index.ts";
import { FileReader } from "../device/index.ts";
import { roomIn } from "../filesystem/index.ts";
import { largeFileOf } from "./large-files.ts";
import { isosFileSystem, type IsosKind, type KeyWish } from "./plan-key.ts";

const mib = 2 ** 20;
/** The largest clusters, or blocks, of each kind of isos. */
const clusterBytesOf: Readonly<Record<IsosKind, number>> = { fat32: 32 * 1024, exfat: 128 * 1024, ext4: 32 * 1024 };
/** For names, folders, and what says where a large file lies. */
const spareBytes = mib;

/** What isos is to be for a new key that gets some files at once. */
export async function isosFor(
  isosKind: IsosKind | undefined,
  sources: readonly string[],
): Promise<Required<Pick<KeyWish, "isosKind" | "isosBytes">>> {
  const large = await largeFileOf(sources);
  if (large !== undefined && isosKind === "fat32") {
    const why = `it has ${formatSize(large.sizeBytes)}, FAT holds files below 4 GiB`;
    throw new Failure("unsupported", `cannot add "${large.source}": ${why}`, {
      hint: "leave out --fs fat32, and isos is ext4; --fs exfat holds it too",
    });
  }
  const kind = isosKind ?? (large === undefined ? "fat32" : "ext4");
  if (sources.length === 0) return { isosKind: kind, isosBytes: 0 };
  const clusterBytes = clusterBytesOf[kind];
  let neededBytes = spareBytes;
  for (const source of sources) {
    await using reader = await FileReader.open(source);
    neededBytes += Math.ceil(reader.sizeBytes / clusterBytes) * clusterBytes;
  }
  return { isosKind: kind, isosBytes: await fittingBytes(kind, neededBytes) };
}

/** The size, in MiB, of an isos that has room for so much and little more. */
async function fittingBytes(isosKind: IsosKind, neededBytes: number): Promise<number> {
  const identity = { uuid: "00000000-0000-4000-8000-000000000000", now: { seconds: 0, nanoseconds: 0 } };
  let sizeBytes = Math.max(8, Math.ceil(neededBytes / mib)) * mib;
  for (;;) {
    const room = await roomIn(sizeBytes, { ...isosFileSystem({ isosKind }, sizeBytes), ...identity });
    if (room >= neededBytes) return sizeBytes;
    sizeBytes += Math.ceil((neededBytes - room) / mib) * mib;
  }
}
