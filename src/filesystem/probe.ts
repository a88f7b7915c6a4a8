import { Failure } from "../base/index.ts";
import type { BlockDevice, BlockReader } from "../device/index.ts";
import type { EditableFileSystem, EditOptions } from "./editable-file-system.ts";
import type { FileSystem } from "./file-system.ts";
import type { GrowOptions, ShrinkOptions, SizeChange } from "./resize.ts";

/** What can be done with a kind of file system. */
interface Family {
  readonly probe: (reader: BlockReader) => Promise<boolean>;
  /** Whether a second copy of what tells it is there. Asked where nothing that is known stands at its first place. */
  readonly probeSecond?: (reader: BlockReader) => Promise<boolean>;
  readonly open: (reader: BlockReader) => Promise<FileSystem>;
  /** Absent where this program only reads. */
  readonly edit?: (device: BlockDevice, options: EditOptions) => Promise<EditableFileSystem>;
  /** Absent where its size stays as it was made. */
  readonly resize?: {
    readonly planGrowth: (reader: BlockReader, sizeBytes: number) => Promise<SizeChange>;
    readonly grow: (device: BlockDevice, options: GrowOptions) => Promise<SizeChange>;
    readonly planShrink: (reader: BlockReader, sizeBytes: number | undefined) => Promise<SizeChange>;
    readonly shrink: (device: BlockDevice, options: ShrinkOptions) => Promise<SizeChange>;
  };
}

interface KnownFamily {
  readonly name: string;
  /** What it is called in messages. */
  readonly kinds: string;
  readonly load: () => Promise<Family>;
}

/** In the order in which they are asked; each is loaded when its turn comes. */
const families: readonly KnownFamily[] = [
  { name: "ext", kinds: "ext2, ext3, ext4", load: loadExt },
  { name: "fat", kinds: "FAT12, FAT16, FAT32", load: loadFat },
  { name: "exfat", kinds: "exFAT", load: loadExfat },
  { name: "ntfs", kinds: "NTFS", load: loadNtfs },
  { name: "xfs", kinds: "XFS", load: loadXfs },
  { name: "btrfs", kinds: "btrfs", load: loadBtrfs },
  { name: "udf", kinds: "UDF", load: loadUdf },
  { name: "iso", kinds: "ISO 9660", load: loadIso },
];

async function loadExt(): Promise<Family> {
  const ext = await import("./ext/index.ts");
  return {
    probe: ext.probeExt,
    open: ext.openExt,
    edit: ext.editExt,
    resize: {
      planGrowth: ext.planExtGrowth,
      grow: ext.growExt,
      planShrink: ext.planExtShrink,
      shrink: ext.shrinkExt,
    },
  };
}

async function loadFat(): Promise<Family> {
  const { probeFat, openFat, editFat } = await import("./fat/index.ts");
  return { probe: probeFat, open: openFat, edit: editFat };
}

async function loadExfat(): Promise<Family> {
  const { probeExfat, probeSecondRegion, openExfat, editExfat } = await import("./exfat/index.ts");
  return { probe: probeExfat, probeSecond: probeSecondRegion, open: openExfat, edit: editExfat };
}

async function loadNtfs(): Promise<Family> {
  const { probeNtfs, probeSecondBoot, openNtfs } = await import("./ntfs/index.ts");
  return { probe: probeNtfs, probeSecond: probeSecondBoot, open: openNtfs };
}

async function loadXfs(): Promise<Family> {
  const { probeXfs, openXfs } = await import("./xfs/index.ts");
  return { probe: probeXfs, open: openXfs };
}

async function loadBtrfs(): Promise<Family> {
  const { probeBtrfs, probeBtrfsMirror, openBtrfs } = await import("./btrfs/index.ts");
  return { probe: probeBtrfs, probeSecond: probeBtrfsMirror, open: openBtrfs };
}

async function loadUdf(): Promise<Family> {
  const [{ isReadAsUdf }, { openUdf }] = [await import("./bridge.ts"), await import("./udf/index.ts")];
  return { probe: isReadAsUdf, open: openUdf };
}

async function loadIso(): Promise<Family> {
  const { probeIso, openIso } = await import("./iso/index.ts");
  return { probe: probeIso, open: openIso };
}

/** The family of the file system that a device holds (`ext`), or undefined where none is known. */
export async function probe(reader: BlockReader): Promise<string | undefined> {
  return (await familyOf(reader))?.name;
}

/** Whether what tells a CD or DVD is on a device, whatever else is: asks, and loads, only what that takes. */
export async function isDisc(reader: BlockReader): Promise<boolean> {
  const [{ probeIso }, { probeUdf }] = [await import("./iso/index.ts"), await import("./udf/index.ts")];
  return (await probeIso(reader)) || (await probeUdf(reader));
}

/** Opens whatever file system a device holds. Throws `unsupported` where none is known. */
export async function openFileSystem(reader: BlockReader): Promise<FileSystem> {
  return (await knownFamily(reader)).open(reader);
}

/** Opens whatever file system a device holds for changes. Throws `unsupported` where none is known, or it is only read. */
export async function editFileSystem(device: BlockDevice, options: EditOptions): Promise<EditableFileSystem> {
  const { edit, kinds } = await knownFamily(device);
  if (edit !== undefined) return edit(device, options);
  throw new Failure("unsupported", `cannot change the file system: ${kinds} is only read`);
}

/** Says how a file system would grow to fill `sizeBytes`. Throws where it cannot, and changes nothing. */
export async function planGrowth(reader: BlockReader, sizeBytes: number): Promise<SizeChange> {
  return (await resizeOf(reader)).planGrowth(reader, sizeBytes);
}

/**
 * Grows a file system to fill its device. Cut off at any write, it is as before or as after once its journal is
 * replayed, and growing it again finishes what was begun.
 */
export async function growFileSystem(device: BlockDevice, options: GrowOptions): Promise<SizeChange> {
  return (await resizeOf(device)).grow(device, options);
}

/** Says how a file system would shrink to `sizeBytes`, or to what it needs. Throws where it cannot; changes nothing. */
export async function planShrink(reader: BlockReader, sizeBytes: number | undefined): Promise<SizeChange> {
  return (await resizeOf(reader)).planShrink(reader, sizeBytes);
}

/**
 * Shrinks a file system, which may move what is in it. Cut off at any write, all files are there once its journal is
 * replayed, and shrinking it again finishes what was begun.
 */
export async function shrinkFileSystem(device: BlockDevice, options: ShrinkOptions): Promise<SizeChange> {
  return (await resizeOf(device)).shrink(device, options);
}

async function resizeOf(reader: BlockReader): Promise<Required<Family>["resize"]> {
  const { resize, kinds } = await knownFamily(reader);
  if (resize !== undefined) return resize;
  throw new Failure("unsupported", `cannot change the size of the file system: ${kinds} keeps the one it has`);
}

async function knownFamily(reader: BlockReader): Promise<FoundFamily> {
  const family = await familyOf(reader);
  if (family !== undefined) return family;
  throw new Failure("unsupported", "cannot find a file system: there is none that is known", {
    hint: `known are: ${families.map(({ kinds }) => kinds).join(", ")}`,
  });
}

type FoundFamily = Family & Pick<KnownFamily, "name" | "kinds">;

async function familyOf(reader: BlockReader): Promise<FoundFamily | undefined> {
  const loaded: FoundFamily[] = [];
  for (const { name, kinds, load } of families) {
    const family = { ...(await load()), name, kinds };
    if (await family.probe(reader)) return family;
    loaded.push(family);
  }
  for (const family of loaded) {
    // A second copy may be left over from before: it counts only where nothing else is.
    if ((await family.probeSecond?.(reader)) === true && (await isUnclaimed(reader, family))) return family;
  }
  return undefined;
}

/** Whether nothing else is on a device that this program only recognises. */
async function isUnclaimed(reader: BlockReader, { name }: FoundFamily): Promise<boolean> {
  const { recognise, isTakenByOthers } = await import("./recognise/index.ts");
  const found = await recognise(reader);
  return (found === undefined || found.kind === name) && !(await isTakenByOthers(reader));
}
