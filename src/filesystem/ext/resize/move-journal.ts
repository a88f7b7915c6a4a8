import { Failure } from "../../../base/index.ts";
import { readBytes, type BlockDevice } from "../../../device/index.ts";
import type { Timestamp } from "../../../tree/index.ts";
import type { BlockRun } from "../block-allocator.ts";
import { writeStretches } from "../commit.ts";
import { featureWords } from "../features.ts";
import { inodeBase } from "../inode.ts";
import { readInode } from "../inode-reader.ts";
import { journalSuperblock } from "../journal-format.ts";
import { journalSuperblockChecksum, logBlockAt, openJournal, type JournalLog } from "../journal-log.ts";
import { JournalWriter } from "../journal-writer.ts";
import type { ExtLayout } from "../layout.ts";
import { ExtSource } from "../source.ts";
import { superblock, superblockAt } from "../superblock.ts";
import { SuperblockWriter } from "../superblock-writer.ts";
import { EditVolume } from "../edit/edit-volume.ts";
import { FileMap } from "../edit/file-map.ts";
import { InodeStore } from "../edit/inode-store.ts";

const needsRecovery = featureWords(["needs_recovery"]).incompatible;
/** The beginning of the journal, in which the transaction that moves it stands, is moved as a whole or not at all. */
const headBlocks = 1024;
const mapWords = 15;

/**
 * Moves the journal to before a block, by a transaction in the journal itself. Until the inode is written, which is one
 * sector and comes last, the old journal is what is replayed; from then on everything else is in its place, and the new
 * one is empty or has the same transaction.
 */
export async function moveJournal(
  device: BlockDevice,
  layout: ExtLayout,
  options: { readonly endBlock: number; readonly now: Timestamp },
): Promise<void> {
  const log = await openJournal(new ExtSource(device, layout));
  const volume = await EditVolume.open(device, layout, options.now);
  volume.confine(options.endBlock);
  const id = layout.record.journalInode;
  const map = await FileMap.read(volume, await readInode(volume.source, id));
  const zero = (to: BlockRun) => device.zero(to.start * layout.blockSizeBytes, to.length * layout.blockSizeBytes);
  await map.moveHead(options.endBlock, headBlocks, zero);
  await map.moveBefore(options.endBlock, Infinity, (_from, to) => zero(to));
  map.renewNodes(); // the old inode goes on being read through the old ones
  const inodes = new InodeStore(volume);
  const { block, blockCount } = await map.store();
  const patchCount = inodes.blockCount(blockCount);
  await inodes.change(id, (bytes) => {
    inodeBase.patch(bytes, { block });
    patchCount(bytes);
  });
  await volume.prepare();
  const inodeBlock = (await volume.inodePlace(id)).block;
  await commitMove(device, { volume, log, inodeBlock, map: block, newFirst: map.blockAt(0) ?? 0, now: options.now });
}

interface Move {
  readonly volume: EditVolume;
  readonly log: JournalLog;
  readonly inodeBlock: number;
  /** The new map, as the inode has it. */
  readonly map: Uint8Array;
  /** Where the new journal begins. */
  readonly newFirst: number;
  readonly now: Timestamp;
}

async function commitMove(device: BlockDevice, { volume, log, inodeBlock, map, newFirst, now }: Move): Promise<void> {
  const { transaction, layout } = volume;
  const { blockSizeBytes, superblockBlock } = layout;
  const { changed, fresh } = transaction;
  const journal = new JournalWriter(device, log);
  if (changed.size > Math.min(journal.capacityBlocks, headBlocks / 2)) {
    throw new Failure("no-space", `cannot move the journal: that changes ${changed.size} blocks, more than it holds`);
  }
  const isMovedWhole = newFirst !== logBlockAt(log.runs, 0);
  if (isMovedWhole) await writeEmptyJournal(device, log, newFirst);
  const writer = await SuperblockWriter.open(device);
  const place = superblockAt % blockSizeBytes;
  const after = (await transaction.change(superblockBlock)).subarray(place, place + superblock.sizeBytes);
  await writeMarked(writer, writer.onDevice, true);
  repeatMap(after, map);
  mark(after, true);
  writer.seal(after);
  const write = (numbers: readonly number[], blocks: ReadonlyMap<number, Uint8Array>) =>
    writeStretches(
      device,
      blockSizeBytes,
      numbers.toSorted((a, b) => a - b),
      blocks,
    );
  await write([...fresh.keys()], fresh);
  await journal.write(changed, now);
  await device.flush();
  await journal.open();
  await device.flush(); // from here on the change is made
  const others = [...changed.keys()].filter((number) => number !== superblockBlock && number !== inodeBlock);
  await write(others, changed);
  await writer.write(after);
  await device.flush();
  await write([inodeBlock], changed);
  await device.flush(); // from here on the new journal is the one
  if (!isMovedWhole) await journal.close();
  await device.flush();
  await writeMarked(writer, after, false);
  await device.flush();
}

/** The first block of the old journal, as it is when there is nothing in it. */
async function writeEmptyJournal(device: BlockDevice, log: JournalLog, newFirst: number): Promise<void> {
  const { blockSizeBytes } = log.source.layout;
  const bytes = await readBytes(device, logBlockAt(log.runs, 0) * blockSizeBytes, blockSizeBytes);
  journalSuperblock.patch(bytes, { startBlock: 0, firstSequence: (log.firstSequence + 1) >>> 0 });
  if (log.checksums !== "none") journalSuperblock.patch(bytes, { checksum: journalSuperblockChecksum(bytes) });
  await device.write(newFirst * blockSizeBytes, bytes);
}

/** The superblock repeats the journal's map, for e2fsck. */
function repeatMap(bytes: Uint8Array, map: Uint8Array): void {
  const words = new DataView(map.buffer, map.byteOffset);
  const sizes = superblock.get(bytes, "journalBlocks").slice(mapWords);
  const journalBlocks = [...Array.from({ length: mapWords }, (_, n) => words.getUint32(n * 4, true)), ...sizes];
  superblock.patch(bytes, { journalBlocks });
}

function mark(bytes: Uint8Array, isSet: boolean): void {
  const incompatible = superblock.get(bytes, "incompatible");
  superblock.patch(bytes, {
    incompatible: (isSet ? incompatible | needsRecovery : incompatible & ~needsRecovery) >>> 0,
  });
}

async function writeMarked(writer: SuperblockWriter, bytes: Uint8Array, isSet: boolean): Promise<void> {
  const marked = Uint8Array.from(bytes);
  mark(marked, isSet);
  writer.seal(marked);
  await writer.write(marked);
}
