import { readBytes, type BlockDevice } from "../../../device/index.ts";
import type { EditableFileSystem, EditOptions } from "../../editable-file-system.ts";
import { Committer } from "../commit.ts";
import { hasFeature } from "../features.ts";
import { openJournal } from "../journal-log.ts";
import { JournalWriter } from "../journal-writer.ts";
import { layoutOf } from "../layout.ts";
import { openOver } from "../open.ts";
import { recoverJournal } from "../recover.ts";
import { ExtSource } from "../source.ts";
import { superblock, superblockAt } from "../superblock.ts";
import { SuperblockWriter } from "../superblock-writer.ts";
import { refuseUnsound, refuseUnwritable } from "../writable.ts";
import { clearOrphans } from "./clear-orphans.ts";
import { EditVolume } from "./edit-volume.ts";
import { ExtEditor } from "./ext-editor.ts";

/**
 * Opens an ext2, ext3 or ext4 file system for changes. A journal that waits to be replayed is replayed on the device
 * first, and files that wait to be deleted are, as mounting would. Throws `unsupported` naming the feature that stands against it, `damaged` where the file
 * system is not sound enough, both before anything is written.
 */
export async function editExt(device: BlockDevice, options: EditOptions): Promise<EditableFileSystem> {
  const found = layoutOf(await readBytes(device, superblockAt, superblock.sizeBytes));
  refuseUnwritable(found);
  refuseUnsound(device, found);
  const layout = await clearOrphans(device, await recoverJournal(device, found), options.now);
  const volume = await EditVolume.open(device, layout, options.now);
  const journal = hasFeature(layout.features, "has_journal")
    ? new JournalWriter(device, await openJournal(new ExtSource(device, layout)))
    : undefined;
  const committer = new Committer(volume.transaction, await SuperblockWriter.open(device), journal);
  return new ExtEditor(await openOver(volume.source), volume, committer, options);
}
