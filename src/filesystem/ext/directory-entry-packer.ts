import type { EntryKind } from "../../tree/index.ts";
import { directoryBlockChecksum, inodeChecksumSeed } from "./checksum.ts";
import {
  directoryEntry,
  directoryRecordLength,
  directoryTail,
  directoryTailBytes,
  directoryTailFileType,
} from "./directory-entry.ts";
import { directoryTypeOfKind } from "./inode.ts";
import type { ExtVolume } from "./volume.ts";

/** Gives the linear blocks from block `first` on their checksums. */
export function sealDirectoryBlocks(volume: ExtVolume, inode: number, bytes: Uint8Array, first: number): void {
  const { checksumSeed, blockSizeBytes } = volume;
  if (checksumSeed === undefined) return;
  const seed = inodeChecksumSeed(checksumSeed, inode, 0);
  for (let at = first * blockSizeBytes; at < bytes.length; at += blockSizeBytes) {
    const block = bytes.subarray(at, at + blockSizeBytes);
    const fields = {
      inode: 0,
      recordLength: directoryTailBytes,
      nameLength: 0,
      fileType: directoryTailFileType,
      checksum: directoryBlockChecksum(block, seed),
    };
    directoryTail.patch(block, fields, blockSizeBytes - directoryTailBytes);
  }
}

/** Packs entries into blocks, one after the other; the last of each block reaches to its end. */
export class EntryPacker {
  readonly #blockSize: number;
  readonly #usable: number;
  #bytes: Uint8Array;
  #blocks = 0;
  #next = 0;
  #last = -1;

  constructor(volume: ExtVolume, options: { readonly capacityBlocks?: number } = {}) {
    this.#blockSize = volume.blockSizeBytes;
    this.#usable = volume.blockSizeBytes - (volume.checksumSeed === undefined ? 0 : directoryTailBytes);
    this.#bytes = new Uint8Array((options.capacityBlocks ?? 1) * this.#blockSize);
    this.startBlock();
  }

  get blockCount(): number {
    return this.#blocks;
  }

  /** Whether an entry with such a name still fits in the current block, with `slackBytes` left free. */
  fits(nameBytes: number, slackBytes = 0): boolean {
    return this.#next + directoryRecordLength(nameBytes) <= this.#blockEnd - slackBytes;
  }

  add(name: Uint8Array, inode: number, kind: EntryKind): void {
    if (!this.fits(name.length)) this.startBlock();
    const length = directoryRecordLength(name.length);
    this.#setRecordLength(this.#last, this.#next - this.#last);
    this.#writeEntry(this.#next, name, inode, directoryTypeOfKind[kind]);
    this.#last = this.#next;
    this.#next += length;
    this.#setRecordLength(this.#last, this.#blockEnd - this.#last);
  }

  /** Closes the current block and begins a new one, which holds one unused entry until something is added. */
  startBlock(): void {
    const start = this.#blocks * this.#blockSize;
    this.#blocks++;
    if (this.#bytes.length < this.#blocks * this.#blockSize) {
      const larger = new Uint8Array(this.#bytes.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#next = start;
    this.#last = -1;
    this.#setRecordLength(start, this.#usable);
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#blocks * this.#blockSize);
  }

  get #blockEnd(): number {
    return (this.#blocks - 1) * this.#blockSize + this.#usable;
  }

  #setRecordLength(at: number, length: number): void {
    if (at < 0) return;
    const lengthAt = at + directoryEntry.fields.recordLength[0];
    this.#bytes[lengthAt] = length & 0xff;
    this.#bytes[lengthAt + 1] = length >>> 8;
  }

  // By hand, not by `directoryEntry.patch`: there are as many entries as files.
  #writeEntry(at: number, name: Uint8Array, inode: number, fileType: number): void {
    const bytes = this.#bytes;
    bytes[at] = inode & 0xff;
    bytes[at + 1] = (inode >>> 8) & 0xff;
    bytes[at + 2] = (inode >>> 16) & 0xff;
    bytes[at + 3] = inode >>> 24;
    bytes[at + directoryEntry.fields.nameLength[0]] = name.length;
    bytes[at + directoryEntry.fields.fileType[0]] = fileType;
    bytes.set(name, at + directoryEntry.sizeBytes);
  }
}
