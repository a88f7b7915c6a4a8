import { crc32c } from "../../bytes/index.ts";
import { readBytes, type BlockDevice } from "../../device/index.ts";
import type { Timestamp } from "../../tree/index.ts";
import {
  journalBlockType,
  journalCommit,
  journalHeader,
  journalMagic,
  journalSuperblock,
  journalTag,
  journalTagFlag,
  journalTagV3,
} from "./journal-format.ts";
import { journalSuperblockChecksum, logBlockAt, type JournalLog } from "./journal-log.ts";

const uuidBytes = 16;
const checksumBytes = 4;
/** So much of the log is put together before it is written. */
const stretchBytes = 1024 * 1024;

/** Writes transactions into a journal that is clean. One at a time: the journal is empty again before the next. */
export class JournalWriter {
  readonly #device: BlockDevice;
  readonly #log: JournalLog;
  readonly #blockSizeBytes: number;
  #sequence: number;

  constructor(device: BlockDevice, log: JournalLog, nextSequence = log.firstSequence) {
    this.#device = device;
    this.#log = log;
    this.#blockSizeBytes = log.source.layout.blockSizeBytes;
    this.#sequence = nextSequence;
  }

  /** How many blocks one transaction can have. */
  get capacityBlocks(): number {
    const room = this.#log.endBlock - this.#log.firstBlock - 1; // the commit block
    return Math.max(0, room - Math.ceil(room / (this.#tagsPerBlock + 1)));
  }

  /** Writes a transaction into the log. Nobody looks at it before `open`. */
  async write(blocks: ReadonlyMap<number, Uint8Array>, now: Timestamp): Promise<void> {
    const out = new LogStretch(this.#device, this.#log, this.#blockSizeBytes);
    const numbers = [...blocks.keys()];
    for (let first = 0; first < numbers.length; first += this.#tagsPerBlock) {
      const part = numbers.slice(first, first + this.#tagsPerBlock);
      const copies = part.map((number) => escaped(blocks.get(number) ?? new Uint8Array(this.#blockSizeBytes)));
      await out.put(this.#descriptor(part, copies));
      for (const { bytes } of copies) await out.put(bytes);
    }
    await out.put(this.#commit(now));
    await out.send();
  }

  /** Has the log replayed from now on whoever opens the file system; the write that decides. */
  async open(): Promise<void> {
    await this.#patchSuperblock({ startBlock: this.#log.firstBlock, firstSequence: this.#sequence });
  }

  /** Empties the log: all that was in it stands where it belongs. */
  async close(): Promise<void> {
    this.#sequence = (this.#sequence + 1) >>> 0;
    await this.#patchSuperblock({ startBlock: 0, firstSequence: this.#sequence });
  }

  get #tagBytes(): number {
    if (this.#log.checksums === "v3") return journalTagV3.sizeBytes;
    return 8 + (this.#log.checksums === "v2" ? 2 : 0) + (this.#log.has64bit ? 4 : 0);
  }

  get #tagsPerBlock(): number {
    const tail = this.#log.checksums === "none" ? 0 : checksumBytes;
    return Math.floor((this.#blockSizeBytes - journalHeader.sizeBytes - uuidBytes - tail) / this.#tagBytes);
  }

  #descriptor(numbers: readonly number[], copies: readonly EscapedBlock[]): Uint8Array {
    const block = this.#newBlock(journalBlockType.descriptor);
    let at = journalHeader.sizeBytes;
    for (const [n, number] of numbers.entries()) {
      const copy = copies[n];
      if (copy === undefined) continue;
      const flags =
        (copy.isEscaped ? journalTagFlag.escaped : 0) |
        (n > 0 ? journalTagFlag.sameUuid : 0) |
        (n === numbers.length - 1 ? journalTagFlag.last : 0);
      this.#putTag(block, at, { number, flags, checksum: this.#dataChecksum(copy.bytes) });
      at += this.#tagBytes;
      if (n > 0) continue;
      journalSuperblockUuid(block, at, this.#log.uuid);
      at += uuidBytes;
    }
    if (this.#log.checksums !== "none") this.#seal(block, block.length - checksumBytes);
    return block;
  }

  #putTag(block: Uint8Array, at: number, tag: { number: number; flags: number; checksum: number }): void {
    const low = tag.number % 2 ** 32;
    const high = Math.floor(tag.number / 2 ** 32);
    if (this.#log.checksums === "v3") {
      journalTagV3.patch(block, { blockLow: low, flags: tag.flags, blockHigh: high, checksum: tag.checksum }, at);
      return;
    }
    const whole = journalTag.encode({
      blockLow: low,
      checksum: this.#log.checksums === "v2" ? tag.checksum & 0xffff : 0,
      flags: tag.flags,
      blockHigh: high,
    });
    block.set(whole.subarray(0, this.#log.has64bit ? whole.length : 8), at);
  }

  #commit(now: Timestamp): Uint8Array {
    const block = this.#newBlock(journalBlockType.commit);
    journalCommit.patch(block, {
      commitSecondsHigh: Math.floor(now.seconds / 2 ** 32) >>> 0,
      commitSecondsLow: now.seconds >>> 0,
      commitNanoseconds: now.nanoseconds,
    });
    if (this.#log.checksums !== "none") this.#seal(block, journalCommit.fields.checksums[0]);
    return block;
  }

  #newBlock(blockType: number): Uint8Array {
    const block = new Uint8Array(this.#blockSizeBytes);
    journalHeader.patch(block, { magic: journalMagic, blockType, sequence: this.#sequence });
    return block;
  }

  /** The checksum of a block of the log, its own four bytes being zero still. */
  #seal(block: Uint8Array, at: number): void {
    new DataView(block.buffer).setUint32(at, crc32c(block, this.#log.checksumSeed));
  }

  #dataChecksum(bytes: Uint8Array): number {
    if (this.#log.checksums === "none") return 0;
    const number = new Uint8Array(4);
    new DataView(number.buffer).setUint32(0, this.#sequence);
    return crc32c(bytes, crc32c(number, this.#log.checksumSeed));
  }

  async #patchSuperblock(fields: { startBlock: number; firstSequence: number }): Promise<void> {
    const at = logBlockAt(this.#log.runs, 0) * this.#blockSizeBytes;
    const bytes = await readBytes(this.#device, at, journalSuperblock.sizeBytes);
    journalSuperblock.patch(bytes, fields);
    if (this.#log.checksums !== "none") {
      journalSuperblock.patch(bytes, { checksum: journalSuperblockChecksum(bytes) });
    }
    await this.#device.write(at, bytes.subarray(0, sectorBytes)); // what changes is in one sector
  }
}

const sectorBytes = 512;

function journalSuperblockUuid(block: Uint8Array, at: number, uuid: string): void {
  const record = journalSuperblock.encode({ uuid });
  const from = journalSuperblock.fields.uuid[0];
  block.set(record.subarray(from, from + uuidBytes), at);
}

interface EscapedBlock {
  readonly bytes: Uint8Array;
  readonly isEscaped: boolean;
}

/** A block that begins like a block of the journal itself stands in it with zeros in that place. */
function escaped(bytes: Uint8Array): EscapedBlock {
  const isEscaped = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) === journalMagic;
  if (!isEscaped) return { bytes, isEscaped };
  const copy = Uint8Array.from(bytes);
  copy.fill(0, 0, 4);
  return { bytes: copy, isEscaped };
}

/** Consecutive blocks of the log, written in stretches as long as the log stands together on the device. */
class LogStretch {
  readonly #device: BlockDevice;
  readonly #log: JournalLog;
  readonly #blockSizeBytes: number;
  readonly #buffer: Uint8Array;
  #next: number;
  #startAt = 0;
  #length = 0;

  constructor(device: BlockDevice, log: JournalLog, blockSizeBytes: number) {
    this.#device = device;
    this.#log = log;
    this.#blockSizeBytes = blockSizeBytes;
    this.#buffer = new Uint8Array(stretchBytes);
    this.#next = log.firstBlock;
  }

  async put(bytes: Uint8Array): Promise<void> {
    const at = logBlockAt(this.#log.runs, this.#next++) * this.#blockSizeBytes;
    if (at !== this.#startAt + this.#length || this.#length + bytes.length > stretchBytes) await this.send();
    if (this.#length === 0) this.#startAt = at;
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  async send(): Promise<void> {
    if (this.#length > 0) await this.#device.write(this.#startAt, this.#buffer.subarray(0, this.#length));
    this.#length = 0;
  }
}
