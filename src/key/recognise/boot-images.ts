import { Failure } from "../../base/index.ts";
import { readBytes, SliceReader, type BlockReader } from "../../device/index.ts";
import { openFileSystem, readBootImages, type BootImage } from "../../filesystem/index.ts";
import type { ImagePlace } from "./boot-entry.ts";
import { Disc, type DiscFile } from "./disc.ts";

const sectorBytes = 2048;
const smallSectorBytes = 512;
/** Folders that may hold what the catalogue names. */
const imageFolders = ["/", "/boot", "/boot/grub", "/isolinux", "/EFI", "/EFI/BOOT", "/images", "/efi"];
const imageName = /\.(?:img|ima|bin|efi|fat|flp)$|^[^.]+$/i;
const comparedBytes = 64 * 1024;

/** The images from which firmware starts a disc (El Torito), as GRUB can reach them. */
export class BootImages {
  readonly #reader: BlockReader;
  readonly #finder: ImageFinder;
  readonly #images: readonly BootImage[];

  private constructor(reader: BlockReader, disc: Disc, images: readonly BootImage[]) {
    this.#reader = reader;
    this.#finder = new ImageFinder(reader, disc);
    this.#images = images;
  }

  /** None where the catalogue cannot be read. */
  static async open(reader: BlockReader, disc: Disc): Promise<BootImages> {
    const images = await readBootImages(reader).catch(nothingOfFailure);
    return new BootImages(
      reader,
      disc,
      images.filter(({ isBootable }) => isBootable),
    );
  }

  /** The media of the images for the BIOS: `1.44 MB floppy`, `no emulation`. */
  forBios(): readonly BootImage[] {
    return this.#images.filter(({ platform }) => platform === "BIOS");
  }

  /** Where an image is that takes so many sectors of 512 bytes. */
  place(image: BootImage, sectorCount: number): Promise<ImagePlace> {
    return this.#finder.place(image, sectorCount);
  }

  /** The first answer to what is in the file systems of the images for UEFI. */
  async inEfiImages<T>(ask: (disc: Disc, place: ImagePlace) => Promise<T | undefined>): Promise<T | undefined> {
    for (const image of this.#images.filter(({ platform }) => platform === "EFI")) {
      const start = image.startSector * sectorBytes;
      if (start >= this.#reader.sizeBytes) continue;
      const answer = await this.#inside(image, start, ask);
      if (answer !== undefined) return answer;
    }
    return undefined;
  }

  async #inside<T>(
    image: BootImage,
    start: number,
    ask: (disc: Disc, place: ImagePlace) => Promise<T | undefined>,
  ): Promise<T | undefined> {
    try {
      await using fileSystem = await openFileSystem(
        new SliceReader(this.#reader, start, this.#reader.sizeBytes - start),
      );
      const count = Math.ceil(fileSystem.info.sizeBytes / smallSectorBytes);
      return await ask(new Disc(fileSystem), await this.#finder.place(image, count));
    } catch (error) {
      if (error instanceof Failure && error.code !== "interrupted") return undefined;
      throw error;
    }
  }
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

function nothingOfFailure(error: unknown): [] {
  if (error instanceof Failure) return [];
  throw error;
}
