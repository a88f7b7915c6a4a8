import { readBytes, type BlockReader } from "../../device/index.ts";
import type { XfsLayout } from "./layout.ts";
import { xfsLogRecord } from "./records.ts";

/** The log is numbered in blocks of this size, and each begins with the number of the round that wrote it. */
const blockBytes = 512;
const recordMagic = 0xfeedbabe;
/** So many blocks have their first words in one header. */
const headerCoversBytes = 32 * 1024;
/** The longest record, with its headers. */
const recordLimitBlocks = 512 + 8;
/** Where an operation has its flags, and which of them says that the file system was unmounted. */
const operationFlagsAt = 9;
const unmountFlag = 0x20;

/**
 * Whether everything that the log holds is in its place too: nothing was ever written to it, or the last that was
 * says that the file system was unmounted. What cannot be understood is taken for work that is left.
 */
export async function isLogClean(reader: BlockReader, { log }: Pick<XfsLayout, "log">): Promise<boolean> {
  if (log.at + log.lengthBytes > reader.sizeBytes) return false;
  const view = new LogView(reader, log);
  const head = await view.head();
  if (head === undefined) return true;
  const record = await view.recordBefore(head);
  if (record === undefined || record.operationCount !== 1 || record.end !== head) return false;
  const flags = (await view.block(record.dataAt))[operationFlagsAt] ?? 0;
  return (flags & unmountFlag) !== 0;
}

interface RecordPlace {
  readonly operationCount: number;
  readonly dataAt: number;
  /** The block behind it. */
  readonly end: number;
}

class LogView {
  readonly #reader: BlockReader;
  readonly #at: number;
  readonly #count: number;

  constructor(reader: BlockReader, log: XfsLayout["log"]) {
    this.#reader = reader;
    this.#at = log.at;
    this.#count = Math.floor(log.lengthBytes / blockBytes);
  }

  /** A block of the log, which begins anew behind its end. */
  block(number: number): Promise<Uint8Array> {
    const inLog = ((number % this.#count) + this.#count) % this.#count;
    return readBytes(this.#reader, this.#at + inLog * blockBytes, blockBytes);
  }

  async #round(number: number): Promise<number> {
    const { magic, cycle } = xfsLogRecord.decode(await this.block(number));
    return magic === recordMagic ? cycle : magic;
  }

  /** The block that will be written next: the first that is of the round before. Undefined for a log of zeros. */
  async head(): Promise<number | undefined> {
    const first = await this.#round(0);
    const last = await this.#round(this.#count - 1);
    if (first === 0) return undefined;
    if (first === last) return 0;
    let [newer, older] = [0, this.#count - 1];
    while (older - newer > 1) {
      const middle = Math.floor((newer + older) / 2);
      if ((await this.#round(middle)) === last) older = middle;
      else newer = middle;
    }
    return older;
  }

  /** The record that begins nearest before a block. */
  async recordBefore(head: number): Promise<RecordPlace | undefined> {
    for (let back = 1; back <= Math.min(recordLimitBlocks, this.#count); back++) {
      const start = head - back;
      const { magic, version, lengthBytes, operationCount, bufferBytes } = xfsLogRecord.decode(await this.block(start));
      if (magic !== recordMagic) continue;
      const headers = version === 2 ? Math.max(1, Math.ceil(bufferBytes / headerCoversBytes)) : 1;
      const dataAt = start + headers;
      const end = dataAt + Math.ceil(lengthBytes / blockBytes);
      return { operationCount, dataAt, end: ((end % this.#count) + this.#count) % this.#count };
    }
    return undefined;
  }
}
