import { Failure } from "../../base/index.ts";
import type { BlockDevice } from "../../device/index.ts";
import { writeStretches } from "./commit.ts";
import { damaged } from "../damaged.ts";
import { featureWords, hasFeature } from "./features.ts";
import { JournalWriter } from "./journal-writer.ts";
import { openJournal } from "./journal-log.ts";
import { newestBlocks, refuseFastCommits } from "./journal-replay.ts";
import { layoutOf, type ExtLayout } from "./layout.ts";
import { ReplayedReader } from "./replayed-reader.ts";
import { ExtSource } from "./source.ts";
import { superblock } from "./superblock.ts";
import { SuperblockWriter } from "./superblock-writer.ts";

const needsRecovery = featureWords(["needs_recovery"]).incompatible;
/** So many blocks are carried from the journal to their places at a time. */
const batchBlocks = 1024;

/**
 * Replays the journal of a file system on its device, as mounting it would. Gives the layout that holds then.
 * Does nothing where nothing waits. Cut off, it is simply done again. Throws `damaged` where the journal is not
 * sound, `unsupported` where it holds what this program cannot replay.
 */
export async function recoverJournal(device: BlockDevice, layout: ExtLayout): Promise<ExtLayout> {
  if (!hasFeature(layout.features, "has_journal") || !hasFeature(layout.features, "needs_recovery")) return layout;
  if (layout.record.journalInode === 0) {
    throw new Failure("unsupported", "cannot replay the journal: it is on another device", {
      hint: "mount the file system once, or run e2fsck on it, with that device at hand",
    });
  }
  const source = new ExtSource(device, layout);
  const log = await openJournal(source);
  await refuseFastCommits(log);
  if (log.startBlock !== 0) {
    const { blocks, nextSequence } = await newestBlocks(log);
    const [problem] = source.notes;
    if (problem !== undefined) throw damaged("the journal", problem);
    const replayed = new ReplayedReader(device, layout.blockSizeBytes, blocks);
    await carryOver(
      device,
      layout.blockSizeBytes,
      replayed,
      [...blocks.keys()].sort((a, b) => a - b),
    );
    await device.flush();
    // A transaction that was not wholly written may stand behind the last with the number that comes next.
    await new JournalWriter(device, log, nextSequence).close();
    await device.flush();
  }
  const superblockWriter = await SuperblockWriter.open(device);
  const bytes = Uint8Array.from(superblockWriter.onDevice);
  superblock.patch(bytes, { incompatible: (superblock.get(bytes, "incompatible") & ~needsRecovery) >>> 0 });
  superblockWriter.seal(bytes);
  await superblockWriter.write(bytes);
  await device.flush();
  return layoutOf(bytes);
}

async function carryOver(
  device: BlockDevice,
  blockSizeBytes: number,
  replayed: ReplayedReader,
  numbers: readonly number[],
): Promise<void> {
  for (let first = 0; first < numbers.length; first += batchBlocks) {
    const part = numbers.slice(first, first + batchBlocks);
    const blocks = new Map<number, Uint8Array>();
    for (const number of part) {
      const bytes = new Uint8Array(blockSizeBytes);
      await replayed.read(number * blockSizeBytes, bytes);
      blocks.set(number, bytes);
    }
    await writeStretches(device, blockSizeBytes, part, blocks);
  }
}
