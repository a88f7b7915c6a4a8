import { Failure } from "../../../base/index.ts";
import { readBytes, type BlockDevice } from "../../../device/index.ts";
import type { EditableFileSystem, EditOptions } from "../../editable-file-system.ts";
import { Committer } from "../commit.ts";
import { featureNames, featureWords, hasFeature, type Feature } from "../features.ts";
import { openJournal } from "../journal-log.ts";
import { JournalWriter } from "../journal-writer.ts";
import { layoutOf, type ExtLayout } from "../layout.ts";
import { openOver } from "../open.ts";
import { orphansOf } from "../orphans.ts";
import { recoverJournal } from "../recover.ts";
import { ExtSource } from "../source.ts";
import { stateClean, stateErrors, superblock, superblockAt } from "../superblock.ts";
import { SuperblockWriter } from "../superblock-writer.ts";
import { EditVolume } from "./edit-volume.ts";
import { ExtEditor } from "./ext-editor.ts";

/** Features with which a file system can be changed here and stay true. */
const writable = featureWords([
  "dir_prealloc",
  "has_journal",
  "ext_attr",
  "resize_inode",
  "dir_index",
  "sparse_super2",
  "fast_commit",
  "stable_inodes",
  "orphan_file",
  "filetype",
  "needs_recovery",
  "meta_bg",
  "extent",
  "64bit",
  "flex_bg",
  "ea_inode",
  "metadata_csum_seed",
  "large_dir",
  "inline_data",
  "encrypt",
  "casefold",
  "sparse_super",
  "large_file",
  "huge_file",
  "uninit_bg",
  "dir_nlink",
  "extra_isize",
  "metadata_csum",
  "verity",
]);

const whyNot: Partial<Record<Feature, string>> = {
  quota: "the quotas would no longer be true",
  project: "the quotas would no longer be true",
  bigalloc: "clusters of several blocks cannot be handed out",
  mmp: "another computer might have it mounted",
  read_only: "it is marked read-only",
  shared_blocks: "its files share blocks",
};

/**
 * Opens an ext2, ext3 or ext4 file system for changes. A journal that waits to be replayed is replayed on the device
 * first, as mounting would. Throws `unsupported` naming the feature that stands against it, `damaged` where the file
 * system is not sound enough, both before anything is written.
 */
export async function editExt(device: BlockDevice, options: EditOptions): Promise<EditableFileSystem> {
  const found = layoutOf(await readBytes(device, superblockAt, superblock.sizeBytes));
  refuseUnwritable(found);
  refuseUnsound(device, found);
  const layout = await recoverJournal(device, found);
  const volume = await EditVolume.open(device, layout, options.now);
  if ((await orphansOf(new ExtSource(device, layout))).size > 0) {
    throw new Failure("unsupported", "cannot change the file system: files are waiting to be deleted in it", {
      hint: "mount it once, or run e2fsck on it",
    });
  }
  const journal = hasFeature(layout.features, "has_journal")
    ? new JournalWriter(device, await openJournal(new ExtSource(device, layout)))
    : undefined;
  const committer = new Committer(volume.transaction, await SuperblockWriter.open(device), journal);
  return new ExtEditor(await openOver(volume.source), volume, committer, options);
}

function refuseUnwritable({ features, record, blockCount }: ExtLayout): void {
  const unknown = {
    compatible: features.compatible & ~writable.compatible,
    incompatible: features.incompatible & ~writable.incompatible,
    readOnlyCompatible: features.readOnlyCompatible & ~writable.readOnlyCompatible,
  };
  const [name] = featureNames(unknown);
  if (name !== undefined) {
    const why = whyNot[name as Feature];
    throw new Failure(
      "unsupported",
      `cannot change the file system: it uses ${name}${why === undefined ? "" : `, so ${why}`}`,
    );
  }
  if (hasFeature(features, "has_journal") && record.journalInode === 0) {
    throw new Failure("unsupported", "cannot change the file system: its journal is on another device");
  }
  if (hasFeature(features, "has_journal") && blockCount > 2 ** 32) {
    throw new Failure("unsupported", `cannot change the file system: it has ${blockCount} blocks, 2^32 are the most`);
  }
}

function refuseUnsound(device: BlockDevice, { record, features, blockCount, blockSizeBytes }: ExtLayout): void {
  const hint = "run e2fsck on it first";
  if ((record.state & stateErrors) !== 0) {
    throw new Failure("damaged", "cannot change the file system: the kernel has found errors in it", { hint });
  }
  if ((record.state & stateClean) === 0 && !hasFeature(features, "has_journal")) {
    throw new Failure("damaged", "cannot change the file system: it was not cleanly unmounted", { hint });
  }
  if (blockCount * blockSizeBytes > device.sizeBytes) {
    throw new Failure("damaged", `cannot change the file system: its device ends at ${device.sizeBytes} bytes`, {
      hint: `it needs ${blockCount * blockSizeBytes}`,
    });
  }
}
