/** File systems made by the real programs get other ids, and these find nothing wrong with them. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, test } from "node:test";
import { FileDevice } from "../../src/device/index.ts";
import { renewVolumeId } from "../../src/filesystem/index.ts";
import { temporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const folder = temporaryFolder();
after(() => folder[Symbol.asyncDispose]());

const uuid = "01234567-89ab-4cde-8f01-23456789abcd";
const number = "0123-4567";
const made = [
  {
    name: "ext4 with checksums",
    make: ["mke2fs", "-qF", "-t", "ext4", "-b", "1024", "-O", "metadata_csum"],
    check: ["e2fsck", "-fn"],
  },
  {
    name: "ext4 with a seed",
    make: ["mke2fs", "-qF", "-t", "ext4", "-b", "1024", "-O", "metadata_csum,metadata_csum_seed,64bit"],
    check: ["e2fsck", "-fn"],
  },
  {
    name: "ext4 whose groups alone have checksums",
    make: ["mke2fs", "-qF", "-t", "ext4", "-b", "1024", "-O", "^metadata_csum,uninit_bg,meta_bg,^resize_inode"],
    check: ["e2fsck", "-fn"],
  },
  { name: "ext2", make: ["mke2fs", "-qF", "-t", "ext2", "-b", "1024"], check: ["e2fsck", "-fn"] },
  { name: "FAT16", make: ["mkfs.fat", "-F16"], check: ["fsck.fat", "-n"] },
  { name: "FAT32", make: ["mkfs.fat", "-F32"], check: ["fsck.fat", "-n"] },
  { name: "exFAT", make: ["mkfs.exfat"], check: ["fsck.exfat", "-n"] },
] as const;

for (const { name, make, check } of made) {
  const [maker, ...words] = make;
  const [checker, ...how] = check;
  test(`${name} gets another id`, { skip: skipWithout(maker, checker, "blkid") }, async () => {
    const path = folder.join("image");
    fs.writeFileSync(path, "");
    fs.truncateSync(path, 64 * 2 ** 20);
    runPeer(maker, [...words, path]);
    const id = (): string => runPeer("blkid", ["-p", "-o", "value", "-s", "UUID", path]).trim();
    const before = id();
    {
      await using device = await FileDevice.open(path);
      assert.deepEqual(await renewVolumeId(device, uuid), { before, after: maker === "mke2fs" ? uuid : number });
    }
    assert.equal(id(), maker === "mke2fs" ? uuid : number);
    runPeer(checker, [...how, path]);
    if (maker === "mke2fs") {
      const copy = runPeer("dumpe2fs", ["-h", "-o", "superblock=8193", "-o", "blocksize=1024", path]);
      assert.match(copy, new RegExp(`Filesystem UUID: +${uuid}`));
    }
    fs.rmSync(path);
  });
}
