import { formatSize } from "../../bytes/index.ts";
import type { BlockReader } from "../../device/index.ts";
import {
  incompatibleNames,
  soundMirror,
  superblockAt,
  superblockFlags,
  superblockPlaces,
  whyUnread,
  type Superblock,
} from "../btrfs/index.ts";
import { nothingKnown, paddedText, Remarks, type Recognised, type Recogniser } from "./recognised.ts";

export const btrfs: Recogniser = { first: recogniseBtrfs, second: recogniseBySecond };

async function recogniseBtrfs(reader: BlockReader): Promise<Recognised | undefined> {
  const found = await superblockAt(reader, superblockPlaces[0]);
  if (found === undefined) return undefined;
  const remarks = new Remarks();
  if (found.isSealed) return described(found.superblock, remarks);
  const mirror = await soundMirror(reader);
  if (mirror !== undefined) {
    remarks.error("the checksum of the btrfs superblock does not match: a mirror is used");
    return described(mirror.superblock, remarks);
  }
  remarks.error("the checksum of the btrfs superblock does not match, and no mirror is sound");
  const { label, uuid } = found.superblock;
  return { ...nothingKnown("btrfs", reader, remarks), label: paddedText(label), uuid };
}

async function recogniseBySecond(reader: BlockReader): Promise<Recognised | undefined> {
  const mirror = await soundMirror(reader);
  if (mirror === undefined) return undefined;
  const remarks = new Remarks();
  remarks.error("the btrfs superblock is gone: a mirror is used");
  return described(mirror.superblock, remarks);
}

function described(superblock: Superblock, remarks: Remarks): Recognised {
  const { deviceCount, deviceId, deviceBytes, totalBytes, flags } = superblock;
  // Of several devices, each has what was given out of it; how much of that is in use only the trees know.
  const isOneOfMany = deviceCount > 1;
  const sizeBytes = isOneOfMany ? deviceBytes : totalBytes;
  const usedBytes = isOneOfMany ? superblock.deviceUsedBytes : superblock.usedBytes;
  if (isOneOfMany) {
    const whole = `${formatSize(superblock.usedBytes)} of ${formatSize(totalBytes)} are used`;
    remarks.note(`device ${deviceId} of a btrfs of ${deviceCount}; in all of it ${whole}`);
  }
  if (superblock.logRoot !== 0) remarks.note("not unmounted cleanly: its log waits to be replayed");
  if ((flags & superblockFlags.seeding) !== 0n) remarks.note("a seed: it can only be read");
  if ((flags & superblockFlags.metadataOnly) !== 0n) remarks.note("an image of metadata only, by btrfs-image");
  if ((flags & superblockFlags.error) !== 0n) remarks.error("btrfs is marked as having errors");
  const unread = whyUnread(superblock);
  return {
    kind: "btrfs",
    ...(unread === undefined ? {} : { whyNotRead: unread }),
    label: paddedText(superblock.label),
    uuid: superblock.uuid,
    sizeBytes,
    blockSizeBytes: superblock.sectorBytes,
    usedBytes,
    freeBytes: sizeBytes - usedBytes,
    features: incompatibleNames(superblock),
    ...remarks.told,
  };
}
