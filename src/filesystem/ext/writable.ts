import { Failure } from "../../base/index.ts";
import type { BlockReader } from "../../device/index.ts";
import { featureNames, featureWords, hasFeature, type Feature } from "./features.ts";
import type { ExtLayout } from "./layout.ts";
import { stateClean, stateErrors } from "./superblock.ts";

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
  "orphan_present",
  "quota",
]);

const whyNot: Partial<Record<Feature, string>> = {
  project: "the quotas would no longer be true",
  bigalloc: "clusters of several blocks cannot be handed out",
  mmp: "another computer might have it mounted",
  read_only: "it is marked read-only",
  shared_blocks: "its files share blocks",
};

/** Throws `unsupported` naming the feature that stands against changing a file system. */
export function refuseUnwritable({ features, record, blockCount }: ExtLayout): void {
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

/** Throws `damaged` where a file system is not sound enough to be changed, or its device cut short. */
export function refuseUnsound(device: BlockReader, { record, features, blockCount, blockSizeBytes }: ExtLayout): void {
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
