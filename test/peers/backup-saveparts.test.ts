import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { restoreBackup } from "../../src/backup/index.ts";
import { Failure } from "../../src/base/index.ts";
import type { BlockReader } from "../../src/device/index.ts";
import { FailingReader } from "../backup/failing-reader.ts";
import { sampleDisk, save } from "../backup/sample-disk.ts";
import { temporaryFolder } from "../temp.ts";
import { plugIn, skipWithoutLoop } from "./loop-stick.ts";
import { runPeer, skipWithout } from "./peer.ts";

const { env } = process;
const needsLoop = { skip: skipWithoutLoop() || skipWithout("partx", "mount", "e2fsck") };

function chkimg(home: string, name: string): string {
  const words = ["-or", home, "-nogui", "-b", name];
  return runPeer("sh", ["-c", `ocs-chkimg "$@" 2>&1 </dev/null`, "ocs-chkimg", ...words]);
}

test("the device of a partition is saved while another of its disk is mounted", needsLoop, async () => {
  await using folder = temporaryFolder();
  const disk = await sampleDisk(folder, "mbr");
  await using stick = plugIn(disk);
  runPeer("partx", ["--add", stick.device]);
  const at = folder.join("at");
  fs.mkdirSync(at);
  runPeer("mount", ["-o", "ro", `${stick.device}p3`, at]);
  try {
    await assert.rejects(save(stick.device, folder.join("home")), (error) => {
      return error instanceof Failure && error.code === "refused" && /it is in use/.test(error.message);
    });
    await assert.rejects(save(stick.device, folder.join("home"), { partitions: [2, 3] }), /p3": it is in use/);
    const { parts, path } = await save(`${stick.device}p2`, folder.join("home"), { disk: "sda" });
    assert.deepEqual(
      parts.map(({ name }) => name),
      ["sda2"],
    );
    const target = folder.join("root");
    await restoreBackup({ backup: path, target, partition: "2", force: false, env });
    runPeer("e2fsck", ["-fn", target]);
  } finally {
    runPeer("umount", [at]);
    runPeer("partx", ["--delete", stick.device]);
  }
});

// Clonezilla asks for root even to look.
const needsClonezilla = {
  skip: process.getuid?.() === 0 ? skipWithout("ocs-chkimg", "partclone.chkimg", "mke2fs", "zstd") : "not root",
};

test(
  "Clonezilla finds saved partitions restorable, with sectors that could not be read too",
  needsClonezilla,
  async () => {
    await using folder = temporaryFolder();
    const disk = await sampleDisk(folder, "gpt");
    const isBad = (sector: number): boolean => sector === 82 * 2048 + 5; // in the fifth
    const throughDevice = (device: BlockReader, at: number): BlockReader => new FailingReader(device, isBad, at);
    const more = { name: "two", partitions: [2, 5] };
    const { unreadable } = await save(disk, folder.join("home"), more, { throughDevice });
    assert.equal(unreadable?.sectors, 1);
    assert.ok(fs.existsSync(folder.join("home", "two", "sda-bad-sectors.txt")));
    const said = chkimg(folder.join("home"), "two");
    for (const name of ["sda2", "sda5"]) assert.match(said, new RegExp(`restorable: ${name}\\b`), said);
    assert.match(said, /All the images of partition or LV devices in this image were checked and they are restorable/);
  },
);

// partclone 0.3.23, which Debian 12 has, stops at such a file system, and ocs-sr goes on as if it had saved it.
test("ext4 that hands out clusters of blocks is saved, and partclone restores it", needsClonezilla, async () => {
  await using folder = temporaryFolder();
  const tree = folder.join("tree");
  fs.mkdirSync(tree);
  for (let n = 0; n < 40; n++) fs.writeFileSync(`${tree}/${n}`, Buffer.alloc(n * 7001, n));
  const image = folder.join("bigalloc.img");
  runPeer("mke2fs", ["-q", "-t", "ext4", "-O", "bigalloc", "-C", "65536", "-d", tree, image, "300M"]);
  const { path, parts } = await save(image, folder.join("home"), { name: "bigalloc", disk: "sdb1" });
  assert.equal(parts[0]?.saved, "image");
  assert.ok(parts[0].usedBytes < 100 * 2 ** 20, `${parts[0].usedBytes} bytes of 300 MiB`);
  const theirs = folder.join("theirs.img");
  fs.writeFileSync(theirs, "");
  fs.truncateSync(theirs, 300 * 2 ** 20);
  const data = `${path}/sdb1.ext4-ptcl-img.zst.aa`;
  runPeer("sh", [
    "-c",
    `zstd -dcq "$0" | partclone.restore -s - -O "$1" -L "$2" 2>&1`,
    data,
    theirs,
    folder.join("log"),
  ]);
  const ours = folder.join("ours.img");
  await restoreBackup({ backup: path, target: ours, partition: "1", force: false, env });
  for (const restored of [theirs, ours]) {
    runPeer("e2fsck", ["-fn", restored]);
    const out = folder.join(`files-of-${restored === ours ? "ours" : "theirs"}`);
    fs.mkdirSync(out);
    runPeer("debugfs", ["-R", `rdump / ${out}`, restored]);
    fs.rmSync(`${out}/lost+found`, { recursive: true });
    runPeer("diff", ["-r", tree, out]);
  }
});
