import { Failure } from "../../base/index.ts";
import { decodeName } from "../../bytes/index.ts";
import { readBytes, type BlockReader } from "../../device/index.ts";
import type { Problem } from "../file-system.ts";

/** What a file system, or what else can fill a partition, says of itself that this program does not look into. */
export interface Recognised {
  /** `xfs`, `btrfs`, `f2fs`, `swap`, `luks`, `lvm2`, `squashfs` */
  readonly kind: string;
  readonly label: string;
  /** As `blkid` prints it. */
  readonly uuid: string | undefined;
  /** All bytes that it takes. */
  readonly sizeBytes: number;
  readonly blockSizeBytes: number;
  /** What is in use and what can still be; undefined where that could not be counted. */
  readonly usedBytes: number | undefined;
  readonly freeBytes: number | undefined;
  /** Names of optional features, in the words of its own tools. */
  readonly features: readonly string[];
  /** What an owner should know: "hibernated". */
  readonly notes: readonly string[];
  readonly problems: readonly Problem[];
  /** Where others of its kind are read, why this one is not, for after "it is xfs, and": "its log is on another device". */
  readonly whyNotRead?: string;
}

/** One kind, and how it is told. */
export interface Recogniser {
  /** Reads what stands at its first place; undefined where nothing of this kind does. */
  readonly first: (reader: BlockReader) => Promise<Recognised | undefined>;
  /** Reads by its second copy, and tells that the first is gone. Asked where no kind is at its first place. */
  readonly second?: (reader: BlockReader) => Promise<Recognised | undefined>;
}

/** Notes and problems, as they are come upon. */
export class Remarks {
  readonly notes: string[] = [];
  readonly problems: Problem[] = [];

  /** Both, as they belong into what is recognised. */
  get told(): Pick<Recognised, "notes" | "problems"> {
    return { notes: this.notes, problems: this.problems };
  }

  note(message: string): void {
    this.notes.push(message);
  }

  warn(message: string): void {
    this.problems.push({ severity: "warning", message });
  }

  error(message: string): void {
    this.problems.push({ severity: "error", message });
  }

  /** What `work` gives; where that is damaged, a problem is told instead and there is nothing. */
  async attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (failure) {
      if (!(failure instanceof Failure) || failure.code !== "damaged") throw failure;
      this.error(failure.message);
      return undefined;
    }
  }
}

/** What there is to say where a signature stands and nothing behind it makes sense. */
export function nothingKnown(kind: string, reader: BlockReader, remarks: Remarks): Recognised {
  return {
    kind,
    label: "",
    uuid: undefined,
    sizeBytes: reader.sizeBytes,
    blockSizeBytes: 512,
    usedBytes: undefined,
    freeBytes: undefined,
    features: [],
    ...remarks.told,
  };
}

/** Bytes of a device, or undefined where they pass its end. */
export async function bytesAt(
  reader: BlockReader,
  at: number,
  lengthBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (at < 0 || at + lengthBytes > reader.sizeBytes) return undefined;
  return readBytes(reader, at, lengthBytes);
}

/** Text of UTF-8 padded with NUL. */
export function paddedText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decodeName(bytes, 0, end < 0 ? bytes.length : end);
}

/** Text of UTF-16, little-endian, padded with NUL. What is not valid becomes U+FFFD. */
export function paddedText16(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.subarray(0, bytes.length & ~1)).toString("utf16le");
  return text.replace(/\0.*$/su, "").toWellFormed();
}

/** A UUID; undefined where it is all zeros, which stands for none. */
export function uuidOrNone(uuid: string): string | undefined {
  return /[^0-]/.test(uuid) ? uuid : undefined;
}

/** True for 1, 2, 4, 8, … from `lowest` to `highest`. */
export function isPowerOfTwo(value: number, lowest: number, highest: number): boolean {
  return value >= lowest && value <= highest && Number.isInteger(Math.log2(value));
}

/** The names of the bits that are set; a bit without a name is left out. */
export function namesOfBits(bits: number, names: Readonly<Record<number, string>>): string[] {
  return Object.entries(names)
    .filter(([bit]) => (bits & Number(bit)) !== 0)
    .map(([, name]) => name);
}

/** The failure of a structure that cannot be what it says. */
export function damaged(what: string, why: string): Failure {
  return new Failure("damaged", `cannot read ${what}: ${why}`);
}
