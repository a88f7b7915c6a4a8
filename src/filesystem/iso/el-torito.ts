import { Failure } from "../../base/index.ts";
import type { BlockBytes } from "./iso-source.ts";
import { bootEntry, sectionHeader, sectorBytes, validationEntry } from "./volume-descriptor.ts";

/** A way in which a disc can be booted. */
export interface BootImage {
  /** `BIOS`, `EFI`, … */
  readonly platform: string;
  readonly isBootable: boolean;
  readonly media: string;
  /** Of 2048 bytes. */
  readonly startSector: number;
  /** Of 512 bytes: what firmware loads, which for UEFI may be too few, or 0 or 1 for all up to the end. */
  readonly sectorCount: number;
}

/** What the boot catalogue of a disc says, and what is wrong with it. */
export interface BootCatalogue {
  readonly images: readonly BootImage[];
  readonly problems: readonly string[];
  /** The images in words. */
  readonly notes: readonly string[];
}

const platforms: Readonly<Record<number, string>> = { 0x00: "BIOS", 0x01: "PowerPC", 0x02: "Macintosh", 0xef: "EFI" };
const mediaTypes = ["no emulation", "1.2 MB floppy", "1.44 MB floppy", "2.88 MB floppy", "hard disk"];

const bootable = 0x88;
const notBootable = 0x00;
const moreSections = 0x90;
const lastSection = 0x91;
const sectionExtension = 0x44;
const entryBytes = 32;

/** Reads the boot catalogue in a sector, as far as that: 64 entries, of which no disc has that many. */
export async function readBootCatalogue(source: BlockBytes, sector: number | undefined): Promise<BootCatalogue> {
  if (sector === undefined) return { images: [], problems: [], notes: [] };
  let bytes: Uint8Array;
  try {
    bytes = await source.structures.bytes(sector * sectorBytes, sectorBytes);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const problem = `the boot catalogue cannot be read: ${error.message}`;
    return { images: [], problems: [problem], notes: [problem] };
  }
  return decodeBootCatalogue(bytes);
}

/** The catalogue in a sector. */
function decodeBootCatalogue(bytes: Uint8Array): BootCatalogue {
  const problems: string[] = [];
  const { headerId, platform, key } = validationEntry.decode(bytes);
  if (headerId !== 1 || key[0] !== 0x55 || key[1] !== 0xaa) {
    const problem = "the boot catalogue does not begin with a validation entry";
    return { images: [], problems: [problem], notes: [problem] };
  }
  if (wordSum(bytes.subarray(0, entryBytes)) !== 0) problems.push("the checksum of the boot catalogue is wrong");
  const images = [imageAt(bytes, entryBytes, platform, problems)];
  let left = 0;
  let sectionPlatform = platform;
  for (let at = 2 * entryBytes; at < bytes.length; at += entryBytes) {
    const indicator = bytes[at];
    if (indicator === sectionExtension) continue;
    if (left > 0) {
      images.push(imageAt(bytes, at, sectionPlatform, problems));
      left--;
    } else if (indicator === moreSections || indicator === lastSection) {
      const header = sectionHeader.decode(bytes, at);
      left = header.entryCount;
      sectionPlatform = header.platform;
    } else {
      break;
    }
  }
  return { images, problems, notes: [...images.map(imageWords), ...problems] };
}

function imageAt(bytes: Uint8Array, at: number, platform: number, problems: string[]): BootImage {
  const { indicator, mediaType, startSector, sectorCount } = bootEntry.decode(bytes, at);
  if (indicator !== bootable && indicator !== notBootable) {
    problems.push(`entry ${at / entryBytes} of the boot catalogue is neither bootable nor not`);
  }
  return {
    platform: platforms[platform] ?? `platform 0x${platform.toString(16).padStart(2, "0")}`,
    isBootable: indicator === bootable,
    media: mediaTypes[mediaType & 0x0f] ?? `medium ${mediaType & 0x0f}`,
    startSector,
    sectorCount,
  };
}

function imageWords({ platform, isBootable, media, startSector }: BootImage): string {
  const verb = isBootable ? "boots" : "could boot";
  return `${verb} by El Torito: ${platform}, ${media}, image at sector ${startSector}`;
}

/** The sum of the 16-bit words, which is to be 0. */
function wordSum(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum = (sum + view.getUint16(at, true)) & 0xffff;
  return sum;
}
