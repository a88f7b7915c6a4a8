import type { BlockDevice } from "../../../device/index.ts";
import type { Timestamp } from "../../../tree/index.ts";
import { Committer, writeStretches } from "../commit.ts";
import { hasFeature } from "../features.ts";
import { openJournal } from "../journal-log.ts";
import { JournalWriter } from "../journal-writer.ts";
import type { ExtLayout } from "../layout.ts";
import { ExtSource } from "../source.ts";
import { superblock, superblockAt } from "../superblock.ts";
import { SuperblockWriter } from "../superblock-writer.ts";
import type { Transaction } from "../transaction.ts";
import { markBegun, unmark } from "./interrupted.ts";

export interface ChangeOfSize {
  /** As it was. */
  readonly layout: ExtLayout;
  /** As it will be, but for its checksum. */
  readonly superblock: Uint8Array;
  readonly now: Timestamp;
  /** Whether it comes to the same when it is done again after it was cut off. */
  readonly isRepeatable: boolean;
}

/** Makes a change of size durable: through the journal, or where there is none in order, the superblock last. */
export async function commitSize(device: BlockDevice, transaction: Transaction, change: ChangeOfSize): Promise<void> {
  const { layout, now } = change;
  const writer = await SuperblockWriter.open(device);
  if (hasFeature(layout.features, "has_journal")) {
    const block = await transaction.change(layout.superblockBlock);
    block.set(change.superblock, superblockAt % layout.blockSizeBytes);
    const journal = new JournalWriter(device, await openJournal(new ExtSource(device, layout)));
    await new Committer(transaction, writer, journal).commit(now);
    return;
  }
  const begun = Uint8Array.from(writer.onDevice);
  markBegun(begun, { isRepeatable: change.isRepeatable });
  writer.seal(begun);
  await writer.write(begun);
  await device.flush();
  const { changed, fresh } = transaction;
  const write = async (numbers: readonly number[], blocks: ReadonlyMap<number, Uint8Array>) => {
    const inOrder = numbers.toSorted((a, b) => a - b);
    await writeStretches(device, layout.blockSizeBytes, inOrder, blocks);
  };
  await write([...fresh.keys()], fresh);
  for (const stage of ["addition", "deletion"] as const) {
    const numbers = [...changed.keys()].filter((number) => transaction.stageOf(number) === stage);
    await write(numbers, changed);
    await device.flush();
  }
  const done = Uint8Array.from(change.superblock);
  unmark(done);
  writer.seal(done);
  await writer.write(done);
  await device.flush();
}

/** Forgets the count of overhead, which would be wrong, by a write that no loss of power can tear. */
export async function forgetOverhead(device: BlockDevice): Promise<void> {
  const writer = await SuperblockWriter.open(device);
  if (superblock.get(writer.onDevice, "overheadClusters") === 0) return;
  const bytes = Uint8Array.from(writer.onDevice);
  superblock.patch(bytes, { overheadClusters: 0 });
  writer.seal(bytes);
  await writer.write(bytes);
  await device.flush();
}
