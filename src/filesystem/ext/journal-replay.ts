import { Failure } from "../../base/index.ts";
import type { BlockReader } from "../../device/index.ts";
import { crc32c } from "../../bytes/index.ts";
import { hasFeature } from "./features.ts";
import {
  journalBlockType,
  journalCommit,
  journalHeader,
  journalMagic,
  journalRevocation,
  journalTag,
  journalTagFlag,
  journalTagV3,
} from "./journal-format.ts";
import { logBlock, logBlockAt, openJournal, type JournalLog } from "./journal-log.ts";
import { ReplayedReader, type JournalledBlock } from "./replayed-reader.ts";
import type { ExtSource } from "./source.ts";

/**
 * Where the journal of the file system waits to be replayed: the device as it will be then. Nothing is written.
 * Undefined where there is nothing to replay, or it cannot be done, of which a note then tells.
 */
export async function replayJournal(source: ExtSource): Promise<BlockReader | undefined> {
  const { record, features } = source.layout;
  if (!hasFeature(features, "has_journal") || !hasFeature(features, "needs_recovery")) return undefined;
  if (record.journalInode === 0) {
    source.note("the journal is on another device and was not replayed: what was written last may be missing");
    return undefined;
  }
  try {
    const log = await openJournal(source);
    if (await hasFastCommits(log)) {
      source.note("the journal may hold fast commits, which were not replayed: what was written last may be missing");
    }
    if (log.startBlock === 0) return undefined;
    const { blocks } = await newestBlocks(log);
    source.note(`the journal was replayed in memory (${blocks.size} blocks)`);
    return new ReplayedReader(source.reader, source.layout.blockSizeBytes, blocks);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "damaged") throw error;
    source.note(`the journal was not replayed, what was written last may be missing: ${error.message}`);
    return undefined;
  }
}

interface Transaction {
  readonly sequence: number;
  readonly blocks: readonly (JournalledBlock & { readonly block: number })[];
  readonly revoked: readonly number[];
}

export interface ReplayedLog {
  /** Of every block its newest copy in the journal, but for copies that a later transaction has revoked. */
  readonly blocks: ReadonlyMap<number, JournalledBlock>;
  /** The number after that of the last whole transaction. */
  readonly nextSequence: number;
}

/** What replaying the whole transactions of a log comes to. */
export async function newestBlocks(log: JournalLog): Promise<ReplayedLog> {
  const transactions: Transaction[] = [];
  const revokedIn = new Map<number, number>();
  let nextSequence = log.firstSequence;
  for await (const transaction of committedTransactions(log)) {
    transactions.push(transaction);
    nextSequence = (transaction.sequence + 1) >>> 0;
    for (const block of transaction.revoked) revokedIn.set(block, transactions.length - 1);
  }
  const newest = new Map<number, JournalledBlock>();
  for (const [n, transaction] of transactions.entries()) {
    for (const { block, at, isEscaped } of transaction.blocks) {
      if (n > (revokedIn.get(block) ?? -1)) newest.set(block, { at, isEscaped });
    }
  }
  return { blocks: newest, nextSequence };
}

/** The transactions of the log, up to the first that was not wholly written. */
async function* committedTransactions(log: JournalLog): AsyncGenerator<Transaction> {
  const lengthBlocks = log.endBlock - log.firstBlock;
  const wrap = (position: number) => (position >= log.endBlock ? position - lengthBlocks : position);
  let sequence = log.firstSequence;
  let position = log.startBlock;
  let blocks: (JournalledBlock & { readonly block: number })[] = [];
  let revoked: number[] = [];
  for (let passed = 0; passed < lengthBlocks;) {
    const bytes = await logBlock(log.source, log.runs, position);
    const header = journalHeader.decode(bytes);
    if (header.magic !== journalMagic || header.sequence !== sequence) return;
    position = wrap(position + 1);
    passed++;
    if (header.blockType === journalBlockType.descriptor) {
      if (!isBlockChecksumRight(log, bytes, bytes.length - 4)) return;
      for (const tag of tagsIn(log, bytes)) {
        const held = { block: tag.block, at: logBlockAt(log.runs, position), isEscaped: tag.isEscaped };
        if (await isDataRight(log, tag, position, sequence)) blocks.push(deviceBytes(log, held));
        else log.source.note(`block ${tag.block} in the journal has a wrong checksum and was left out`);
        position = wrap(position + 1);
        passed++;
      }
    } else if (header.blockType === journalBlockType.revocation) {
      if (!isBlockChecksumRight(log, bytes, bytes.length - 4)) return;
      for (const block of revocationsIn(log, bytes)) revoked.push(block);
    } else if (header.blockType === journalBlockType.commit) {
      if (!isBlockChecksumRight(log, bytes, journalCommit.fields.checksums[0])) return;
      yield { sequence, blocks, revoked };
      blocks = [];
      revoked = [];
      sequence = (sequence + 1) >>> 0;
    } else {
      return;
    }
  }
}

function deviceBytes(log: JournalLog, held: JournalledBlock & { readonly block: number }) {
  return { ...held, at: held.at * log.source.layout.blockSizeBytes };
}

/** The checksum of a whole block of the journal, its own four bytes taken as zero. */
function isBlockChecksumRight(log: JournalLog, bytes: Uint8Array, checksumAt: number): boolean {
  if (log.checksums === "none") return true;
  const stored = new DataView(bytes.buffer, bytes.byteOffset + checksumAt, 4).getUint32(0);
  const before = crc32c(bytes, log.checksumSeed, 0, checksumAt);
  return crc32c(bytes, crc32c(new Uint8Array(4), before), checksumAt + 4) === stored;
}

interface Tag {
  readonly block: number;
  readonly isEscaped: boolean;
  readonly checksum: number;
}

const uuidBytes = 16;

function tagsIn(log: JournalLog, bytes: Uint8Array): Tag[] {
  const tags: Tag[] = [];
  const sizeBytes = tagBytes(log);
  const end = bytes.length - (log.checksums === "none" ? 0 : 4);
  for (let at = journalHeader.sizeBytes; at + sizeBytes <= end;) {
    const { tag, flags } = decodeTag(log, bytes, at);
    tags.push(tag);
    at += sizeBytes + ((flags & journalTagFlag.sameUuid) === 0 ? uuidBytes : 0);
    if ((flags & journalTagFlag.last) !== 0) break;
  }
  return tags;
}

/** Checksums of version 2 add two bytes to the older form, which they do not use. */
function tagBytes(log: JournalLog): number {
  if (log.checksums === "v3") return journalTagV3.sizeBytes;
  return 8 + (log.checksums === "v2" ? 2 : 0) + (log.has64bit ? 4 : 0);
}

function decodeTag(log: JournalLog, bytes: Uint8Array, at: number): { readonly tag: Tag; readonly flags: number } {
  const padded = new Uint8Array(journalTagV3.sizeBytes);
  padded.set(bytes.subarray(at, Math.min(at + padded.length, bytes.length)));
  const { blockLow, blockHigh, flags, checksum } =
    log.checksums === "v3" ? journalTagV3.decode(padded) : journalTag.decode(padded);
  const block = blockLow + (log.has64bit ? blockHigh * 2 ** 32 : 0);
  return { tag: { block, isEscaped: (flags & journalTagFlag.escaped) !== 0, checksum }, flags };
}

/** The checksum of a data block covers the number of its transaction too. */
async function isDataRight(log: JournalLog, tag: Tag, position: number, sequence: number): Promise<boolean> {
  if (tag.block >= log.source.layout.blockCount) return false;
  if (log.checksums === "none") return true;
  const number = new Uint8Array(4);
  new DataView(number.buffer).setUint32(0, sequence);
  const sum = crc32c(await logBlock(log.source, log.runs, position), crc32c(number, log.checksumSeed));
  return tag.checksum === (log.checksums === "v3" ? sum : sum & 0xffff);
}

function revocationsIn(log: JournalLog, bytes: Uint8Array): number[] {
  const sizeBytes = log.has64bit ? 8 : 4;
  const end = Math.min(journalRevocation.get(bytes, "usedBytes"), bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const blocks: number[] = [];
  for (let at = journalRevocation.sizeBytes; at + sizeBytes <= end; at += sizeBytes) {
    blocks.push(sizeBytes === 4 ? view.getUint32(at) : view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4));
  }
  return blocks;
}

const fastCommitHead = { tag: 0x0009, sizeBytes: 4 } as const;

/** Whether there may be fast commits: they stand behind the ring, in another form, with only the changes since the last whole commit. */
async function hasFastCommits(log: JournalLog): Promise<boolean> {
  const last = log.runs.at(-1);
  if (last === undefined || last.logical + last.count <= log.endBlock) return false;
  const bytes = await logBlock(log.source, log.runs, log.endBlock);
  const tag = new DataView(bytes.buffer, bytes.byteOffset, fastCommitHead.sizeBytes).getUint16(0, true);
  return tag === fastCommitHead.tag;
}

/** Throws where the journal may hold fast commits: they cannot be replayed here, and must not be lost. */
export async function refuseFastCommits(log: JournalLog): Promise<void> {
  if (!(await hasFastCommits(log))) return;
  throw new Failure("unsupported", "cannot replay the journal: it may hold fast commits", {
    hint: "mount the file system once, or run e2fsck on it",
  });
}
