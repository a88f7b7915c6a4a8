import { Failure } from "../../base/index.ts";
import { readBytes, SliceReader, type BlockReader } from "../../device/index.ts";
import { openFileSystem, readBootImages, type BootImage } from "../../filesystem/index.ts";
import type { Architecture, BootEntry, ImagePlace } from "./boot-entry.ts";
import { Disc, type DiscFile } from "./disc.ts";

/** What is loaded into memory whole is no larger than this. */
export const memoryImageLimitBytes = 512 * 1024 * 1024;
const sectorBytes = 2048;
const smallSectorBytes = 512;
/** Folders that may hold what the catalogue names. */
const imageFolders = ["/", "/boot", "/boot/grub", "/isolinux", "/EFI", "/EFI/BOOT", "/images", "/efi"];
const imageName = /\.(?:img|ima|bin|efi|fat|flp)$|^[^.]+$/i;
const comparedBytes = 64 * 1024;
const floppySectors: Readonly<Record<string, number>> = {
  "1.2 MB floppy": 2400,
  "1.44 MB floppy": 2880,
  "2.88 MB floppy": 5760,
};
/** UEFI 2.10 §3.5.1.1. */
const programs: readonly (readonly [Architecture, string])[] = [
  ["x86_64", "/EFI/BOOT/BOOTX64.EFI"],
  ["i386", "/EFI/BOOT/BOOTIA32.EFI"],
  ["arm64", "/EFI/BOOT/BOOTAA64.EFI"],
];

/** The entries that start an ISO as firmware would: programs for UEFI, floppies, or all of it in memory. */
export async function elToritoEntries(reader: BlockReader, disc: Disc): Promise<readonly BootEntry[]> {
  const images = await readBootImages(reader).catch(nothingOfFailure);
  const bootable = images.filter(({ isBootable }) => isBootable);
  const finder = new ImageFinder(reader, disc);
  return [...(await biosEntries(reader, bootable, finder)), ...(await uefiEntries(reader, disc, bootable, finder))];
}

/** Finds images among the files of the disc, by what they begin with: a catalogue knows only sectors. */
class ImageFinder {
  readonly #reader: BlockReader;
  readonly #disc: Disc;

  constructor(reader: BlockReader, disc: Disc) {
    this.#reader = reader;
    this.#disc = disc;
  }

  /** Where an image is: as a file, or by its sectors, of which it takes so many. */
  async place({ startSector }: BootImage, smallSectors: number): Promise<ImagePlace> {
    const at = startSector * sectorBytes;
    const compared = Math.min(comparedBytes, smallSectors * smallSectorBytes, this.#reader.sizeBytes - at);
    const image = await readBytes(this.#reader, at, Math.max(0, compared));
    for (const file of await this.#files()) {
      if (image.length === 0 || file.sizeBytes < image.length) continue;
      if (Buffer.from(await this.#disc.start(file, image.length)).equals(image))
        return { kind: "file", path: file.path };
    }
    return { kind: "sectors", start: at / smallSectorBytes, count: smallSectors };
  }

  async #files(): Promise<readonly DiscFile[]> {
    const files: DiscFile[] = [];
    for (const folder of imageFolders) {
      for (const name of await this.#disc.names(folder)) {
        const file = imageName.test(name) ? await this.#disc.findFile(`${folder}/${name}`) : undefined;
        if (file !== undefined) files.push(file);
      }
    }
    return files;
  }
}

async function biosEntries(
  reader: BlockReader,
  images: readonly BootImage[],
  finder: ImageFinder,
): Promise<readonly BootEntry[]> {
  const forBios = images.filter(({ platform }) => platform === "BIOS");
  const base = { title: "", firmwares: ["bios"], architecture: "i386" } as const;
  for (const image of forBios) {
    const count = floppySectors[image.media];
    if (count === undefined) continue;
    const place = await finder.place(image, count);
    return [
      { ...base, how: { kind: "memdisk", image: place, medium: "floppy" }, imageBytes: count * smallSectorBytes },
    ];
  }
  const isSmall = reader.sizeBytes <= memoryImageLimitBytes;
  if (forBios.length === 0 || !isSmall) return [];
  return [{ ...base, how: { kind: "memdisk", image: { kind: "whole" }, medium: "iso" }, imageBytes: reader.sizeBytes }];
}

/** Programs in the ISO itself, and, where it has none, in an image of it. */
async function uefiEntries(
  reader: BlockReader,
  disc: Disc,
  images: readonly BootImage[],
  finder: ImageFinder,
): Promise<readonly BootEntry[]> {
  const own = await programEntries(disc, undefined);
  if (own.length > 0) return own;
  for (const image of images.filter(({ platform }) => platform === "EFI")) {
    const start = image.startSector * sectorBytes;
    if (start >= reader.sizeBytes) continue;
    const found = await entriesOfImage(new SliceReader(reader, start, reader.sizeBytes - start), image, finder);
    if (found.length > 0) return found;
  }
  return [];
}

async function entriesOfImage(
  slice: BlockReader,
  image: BootImage,
  finder: ImageFinder,
): Promise<readonly BootEntry[]> {
  try {
    await using fileSystem = await openFileSystem(slice);
    const count = Math.ceil(fileSystem.info.sizeBytes / smallSectorBytes);
    return await programEntries(new Disc(fileSystem), await finder.place(image, count));
  } catch (error) {
    return nothingOfFailure(error);
  }
}

async function programEntries(disc: Disc, image: ImagePlace | undefined): Promise<readonly BootEntry[]> {
  const entries: BootEntry[] = [];
  for (const [architecture, path] of programs) {
    const program = (await disc.findFile(path))?.path;
    if (program === undefined) continue;
    const how = { kind: "efi", program, ...(image === undefined ? {} : { image }) } as const;
    entries.push({ title: "", how, firmwares: ["uefi"], architecture });
  }
  return entries;
}

function nothingOfFailure(error: unknown): [] {
  if (error instanceof Failure) return [];
  throw error;
}
