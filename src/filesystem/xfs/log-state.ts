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
/** Operations: who, how long, by whom, flags. */
const operationHeadBytes = 12;
const operationFlagsAt = 9;
const unmountFlag = 0x20;
const littleEndian = 1;
/** A transaction that changes one buffer: its begin, its own head, which buffer, what is new in it, its end. */
const bufferOperations = { count: 5, headBytes: 16, itemBytes: 24, itemType: 0x123c } as const;
/** A file system that rests has two records of that kind. */
const restingRecordLimit = 16;

/**
 * What the log holds. `clean`: the file system was unmounted, or never written to. `resting`: it is mounted, but all is in
 * its place: it was frozen, as for a snapshot, or idle, and the log holds only counters of the superblock. `pending`: more.
 */
export type LogState = "clean" | "resting" | "pending";

/** What cannot be understood is taken for work that is left. */
export async function stateOfLog(reader: BlockReader, { log }: Pick<XfsLayout, "log">): Promise<LogState> {
  if (log.at + log.lengthBytes > reader.sizeBytes) return "pending";
  const view = new LogView(reader, log);
  let head = await view.head();
  if (head === undefined) return "clean";
  let last = await view.recordBefore(head);
  if (last !== undefined && last.end !== head) {
    // Cut off while it was written, or by a tool that emptied the log: what is before it counts.
    head = last.start;
    last = await view.recordBefore(head);
  }
  if (last === undefined || last.end !== head) return "pending";
  if (last.operationCount === 1) return (await isUnmount(view, last)) ? "clean" : "pending";
  return (await isResting(view, last, head)) ? "resting" : "pending";
}

async function isUnmount(view: LogView, { dataAt }: RecordPlace): Promise<boolean> {
  return (((await view.block(dataAt))[operationFlagsAt] ?? 0) & unmountFlag) !== 0;
}

/** Whether all that is to be replayed, from the tail to the head, are changes of the superblock. */
async function isResting(view: LogView, last: RecordPlace, head: number): Promise<boolean> {
  let next = last.tail;
  for (let n = 0; n < restingRecordLimit; n++) {
    const record = await view.recordAt(next);
    if (record === undefined || !(await changesOnlySuperblock(view, record))) return false;
    if (record.end === head) return true;
    next = record.end;
  }
  return false;
}

async function changesOnlySuperblock(view: LogView, record: RecordPlace): Promise<boolean> {
  const { count, headBytes, itemBytes, itemType } = bufferOperations;
  if (record.operationCount !== count || record.format !== littleEndian) return false;
  const bytes = await view.block(record.dataAt);
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headAt = operationHeadBytes;
  const itemAt = headAt + operationHeadBytes + headBytes;
  const content = itemAt + operationHeadBytes;
  return (
    data.getUint32(4) === 0 &&
    data.getUint32(headAt + 4) === headBytes &&
    data.getUint32(itemAt + 4) === itemBytes &&
    data.getUint16(content, true) === itemType &&
    data.getBigInt64(content + 8, true) === 0n
  );
}

interface RecordPlace {
  readonly operationCount: number;
  readonly format: number;
  readonly start: number;
  /** The oldest block that is needed still. */
  readonly tail: number;
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
    return readBytes(this.#reader, this.#at + this.#inLog(number) * blockBytes, blockBytes);
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
      const record = await this.recordAt(head - back);
      if (record !== undefined) return record;
    }
    return undefined;
  }

  /** The record that begins at a block, if one does. */
  async recordAt(start: number): Promise<RecordPlace | undefined> {
    const record = xfsLogRecord.decode(await this.block(start));
    if (record.magic !== recordMagic) return undefined;
    const { version, lengthBytes, operationCount, bufferBytes, format, tailBlock } = record;
    const headers = version === 2 ? Math.max(1, Math.ceil(bufferBytes / headerCoversBytes)) : 1;
    const dataAt = start + headers;
    const end = dataAt + Math.ceil(lengthBytes / blockBytes);
    return { operationCount, format, start: this.#inLog(start), dataAt, tail: tailBlock, end: this.#inLog(end) };
  }

  #inLog(number: number): number {
    return ((number % this.#count) + this.#count) % this.#count;
  }
}
