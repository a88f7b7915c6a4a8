import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { openBackup, restoreBackup, showBackup } from "../../src/backup/index.ts";
import { readBytes } from "../../src/device/index.ts";
import { swapUuid } from "../backup/sample-disk.ts";
import { lvmIds, sampleGroup } from "../backup/sample-lvm.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { plugIn, skipWithoutLoop } from "./loop-stick.ts";
import { runPeer, skipWithout } from "./peer.ts";

const mib = 2 ** 20;
const { env } = process;

/** A folder as Clonezilla makes it of a disk with two partitions of one group. */
function lvmBackup(folder: TemporaryFolder): string {
  const backup = folder.join("backup");
  fs.mkdirSync(backup);
  const write = (name: string, content: string | Buffer): void => fs.writeFileSync(`${backup}/${name}`, content);
  write("disk", "sda\n");
  write("parts", "sda1 sda2\n");
  const partition = (n: number): string =>
    `/dev/sda${n + 1} : start=${(1 + 24 * n) * 2048}, size=${22 * 2048}, type=8e\n`;
  write("sda-pt.sf", `label: dos\nlabel-id: 0xc0ffee01\nunit: sectors\n\n${partition(0)}${partition(1)}`);
  write("lvm_vg_dev.list", lvmIds.map((id, n) => `vg /dev/sda${n + 1} ${id}\n`).join(""));
  write("lvm_vg.conf", sampleGroup());
  write(
    "lvm_logv.list",
    `/dev/vg/root  Linux rev 1.0 ext4 filesystem data\n/dev/vg/swap  Linux swap file, 4k page size, little endian, version 1, size 511 pages, 0 bad pages, LABEL=pages, UUID=${swapUuid}\n/dev/vg/striped  data\n`,
  );
  const root = folder.join("root");
  fs.writeFileSync(root, "");
  fs.truncateSync(root, 9 * mib);
  const tree = folder.join("tree");
  fs.mkdirSync(tree);
  fs.writeFileSync(`${tree}/file`, "of LVM\n".repeat(300_000));
  runPeer("mke2fs", ["-q", "-F", "-t", "ext4", "-b", "1024", "-d", tree, root]);
  runPeer("sh", ["-c", `partclone.ext4 -L /dev/null -c -s ${root} | zstd -c > ${backup}/vg-root.ext4-ptcl-img.zst`]);
  write("vg-striped.dd-ptcl-img.uncomp.aa", stripedContent());
  return backup;
}

function stripedContent(): Buffer {
  return Buffer.concat(Array.from({ length: 64 }, (_, n) => Buffer.alloc(mib / 16, n + 1)));
}

/** What a volume has, by where the group says that its pieces are. */
function volumeIn(
  disk: Buffer,
  pieces: readonly (readonly [partition: number, extent: number, count: number])[],
): Buffer {
  return Buffer.concat(
    pieces.map(([partition, extent, count]) => {
      const at = (1 + 24 * partition + 1 + extent) * mib;
      return disk.subarray(at, at + count * mib);
    }),
  );
}

const needs = { skip: skipWithout("mke2fs", "partclone.ext4", "zstd", "e2fsck", "debugfs", "blkid") };

test("a disk with LVM is put together from volumes that were saved one by one", needs, async () => {
  await using folder = temporaryFolder();
  const backup = lvmBackup(folder);
  assert.deepEqual((await showBackup(backup, { env })).problems, []);
  const target = folder.join("restored");
  await restoreBackup({ backup, target, force: false, env });
  const disk = fs.readFileSync(target);
  const root = folder.join("root.again");
  fs.writeFileSync(
    root,
    volumeIn(disk, [
      [0, 4, 6],
      [1, 2, 3],
    ]),
  );
  runPeer("e2fsck", ["-fn", root]);
  assert.equal(runPeer("debugfs", ["-R", "cat /file", root]), "of LVM\n".repeat(300_000));
  const swap = folder.join("swap");
  fs.writeFileSync(swap, volumeIn(disk, [[0, 0, 2]]));
  assert.match(runPeer("blkid", ["-p", swap]), new RegExp(`LABEL="pages" UUID="${swapUuid}".*TYPE="swap"`));
  const [even, odd] = [volumeIn(disk, [[0, 12, 2]]), volumeIn(disk, [[1, 16, 2]])];
  const stripes = Array.from({ length: 64 }, (_, n) =>
    (n % 2 === 0 ? even : odd).subarray((n >> 1) << 16, ((n >> 1) + 1) << 16),
  );
  assert.ok(Buffer.concat(stripes).equals(stripedContent()));
  const cache = { folder: undefined, limitBytes: 2 ** 30, nowMs: Date.now() };
  await using reader = await openBackup(backup, { env, cache });
  assert.ok(Buffer.from(await readBytes(reader, 0, reader.sizeBytes)).equals(disk.subarray(0, reader.sizeBytes)));
});

const needsLvm = { skip: skipWithoutLoop() || skipWithout("pvs", "vgck", "pvck", "partclone.ext4", "zstd") };

test("LVM finds its group on a restored disk, and nothing wrong with it", needsLvm, async () => {
  await using folder = temporaryFolder();
  const target = folder.join("restored");
  await restoreBackup({ backup: lvmBackup(folder), target, force: false, env });
  await using first = plugIn(target, undefined, ["--offset", String(mib), "--sizelimit", String(22 * mib)]);
  await using second = plugIn(target, undefined, ["--offset", String(25 * mib), "--sizelimit", String(22 * mib)]);
  const devices = [first.device, second.device];
  const filter = devices.map((device) => `"a|^${device}$|"`).join(",");
  const config = `devices { use_devicesfile=0 filter=[${filter},"r|.*|"] } backup { backup=0 archive=0 } global { event_activation=0 }`;
  const lvm = (program: string, ...words: readonly string[]): string =>
    runPeer(program, ["--config", config, ...words]);
  lvm("vgck", "vg");
  assert.deepEqual(
    lvm("pvs", "--noheadings", "-o", "pv_name,vg_name,pv_uuid")
      .trim()
      .split("\n")
      .map((line) => line.trim().split(/\s+/)),
    devices.map((device, n) => [device, "vg", lvmIds[n]]),
  );
  const volumes = lvm("lvs", "--noheadings", "--units", "m", "--nosuffix", "-o", "lv_name,lv_size");
  assert.deepEqual(
    volumes
      .trim()
      .split("\n")
      .map((line) => line.trim().split(/\s+/)),
    [
      ["root", "9.00"],
      ["striped", "4.00"],
      ["swap", "2.00"],
    ],
  );
  for (const device of devices) assert.match(lvm("pvck", "--dump", "headers", device), /pv_header/);
});
