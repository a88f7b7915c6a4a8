/** `backup restore` onto disks of other sizes and onto loop devices over files of the test, and what real programs say. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { after, before, test } from "node:test";
import { getFiles } from "../../src/disk/index.ts";
import { sampleDisk, save } from "../backup/sample-disk.ts";
import { runHoldfast, startHoldfast, transcriptOf } from "../cli/run-holdfast.ts";
import { temporaryFolder } from "../temp.ts";
import { refused } from "./key-stick.ts";
import { plugIn, skipWithoutLoop, type LoopStick } from "./loop-stick.ts";
import { runPeer, skipWithout } from "./peer.ts";

const mib = 2 ** 20;
const skip = skipWithout("sfdisk", "e2fsck", "fsck.fat", "wipefs");
const skipDevices = skip || skipWithoutLoop();
const folder = temporaryFolder();
const disks = { mbr: "", gpt: "" };
const backups = { mbr: "", gpt: "" };

before(async () => {
  for (const table of ["mbr", "gpt"] as const) {
    disks[table] = await sampleDisk(folder, table);
    // What is packed by gzip cannot be read anywhere, and is unpacked where it has to be.
    const packedAs = table === "mbr" ? "zst" : "gz";
    backups[table] = (await save(disks[table], folder.join(table), { packedAs })).path;
  }
});

after(() => folder[Symbol.asyncDispose]());

interface Part {
  readonly number: number;
  readonly start: number;
  readonly size: number;
}

/** By sfdisk, without the extended partition. */
function partsOf(disk: string): readonly Part[] {
  const lines = runPeer("sfdisk", ["-d", disk]).matchAll(/(\d+) : start= *(\d+), size= *(\d+), type=(\S+)/g);
  return Array.from(lines, ([, number, start, size, type]) => ({
    number: Number(number),
    start: Number(start),
    size: Number(size),
    type,
  }))
    .filter(({ type }) => type !== "5," && type !== "5" && type !== "f")
    .map(({ number, start, size }) => ({ number, start: start * 512, size: size * 512 }));
}

/** All files of a partition with everything that is known of them. */
async function tarOf(image: string, partition: number): Promise<string> {
  const hash = createHash("sha256");
  const target = { kind: "tar", write: async (bytes: Uint8Array) => void hash.update(bytes) } as const;
  await getFiles({ image, partition }, target);
  return hash.digest("hex");
}

/** Names, times of change and content of the files in a partition. */
async function filesOf(image: string, partition: number): Promise<string> {
  const taken = folder.join("taken");
  const { stderr, status } = await runHoldfast(["disk", "get", `${image}:${partition}`, taken]);
  assert.equal(status, 0, stderr);
  const script = `cd "$1" && find . -type f -printf "%p %T@ " -exec sha256sum {} ";" | sort`;
  const said = runPeer("sh", ["-c", script, "sh", taken]);
  fs.rmSync(taken, { recursive: true });
  return said;
}

/** The table is in order, the file systems are, and have all files; swap and unknown bytes are what they were. */
async function assertRestored(disk: string, table: "mbr" | "gpt"): Promise<void> {
  assert.match(runPeer("sfdisk", ["--verify", disk]), /No errors detected/);
  const [wanted, found] = [partsOf(disks[table]), partsOf(disk)];
  assert.deepEqual(
    found.map(({ number }) => number),
    wanted.map(({ number }) => number),
  );
  const [fat, ext4, ext2, swap, unknown] = found;
  for (const [n, part] of [fat, ext4, ext2].entries()) {
    if (part === undefined) continue;
    assertSound(disk, part, n === 0 ? ["fsck.fat", "-n"] : ["e2fsck", "-fn"]);
    assert.equal(await tarOf(disk, part.number), await tarOf(disks[table], part.number));
  }
  const last = wanted.at(-1);
  assert.ok(bytesOf(disk, unknown).equals(bytesOf(disks[table], last)));
  assert.match(bytesOf(disk, swap).toString("latin1"), /SWAPSPACE2/);
}

function bytesOf(disk: string, part: Part | undefined): Buffer {
  assert.ok(part !== undefined);
  const bytes = Buffer.alloc(part.size);
  const fd = fs.openSync(disk, "r");
  fs.readSync(fd, bytes, 0, part.size, part.start);
  fs.closeSync(fd);
  return bytes;
}

function assertSound(disk: string, part: Part, [program = "", ...words]: readonly string[]): void {
  const copy = folder.join("part");
  fs.writeFileSync(copy, bytesOf(disk, part));
  runPeer(program, [...words, copy]);
  fs.rmSync(copy);
}

async function restore(...words: string[]): Promise<string> {
  const { stdout, stderr, status } = await runHoldfast(["backup", "restore", ...words]);
  assert.equal(status, 0, stderr);
  return stdout;
}

const otherSizes = [
  ["mbr", "150MiB", "proportional"],
  ["mbr", "67MiB", "proportional"],
  ["gpt", "150MiB", "last"],
  ["gpt", "67MiB", "proportional"],
] as const;

for (const [table, size, fit] of otherSizes) {
  test(`a ${table} disk on one of ${size}, ${fit}`, { skip }, async () => {
    const target = folder.join("other");
    await restore(backups[table], target, "--size", size, "--fit", fit, "--verify");
    await assertRestored(target, table);
    const used = Math.max(...partsOf(target).map(({ start, size: length }) => start + length));
    const sizeBytes = fs.statSync(target).size;
    assert.ok(used > sizeBytes - 5 * mib && used <= sizeBytes);
    fs.rmSync(target);
  });
}

/** A disk with signatures of others wherever some look for them. */
function usedDisk(name: string, sizeBytes: number): LoopStick {
  const file = folder.join(name);
  const noise = Buffer.alloc(mib, "what was here before ");
  fs.writeFileSync(file, "");
  for (let at = 0; at < sizeBytes; at += mib) fs.appendFileSync(file, noise);
  runPeer("sfdisk", ["-q", file], { input: "label: gpt\nsize=50MiB\nsize=20MiB\n" });
  return plugIn(file);
}

test("onto a device with other things on it, of which nothing is found afterwards", { skip: skipDevices }, async () => {
  await using stick = usedDisk("used", 120 * mib);
  await restore(backups.mbr, stick.device, "--confirm", stick.file, "--verify");
  await assertRestored(stick.file, "mbr");
  const found = runPeer("wipefs", ["--noheadings", "--output", "TYPE", stick.device]).trim();
  assert.equal(found, "dos");
});

test("a device is shown, and written only once it is confirmed", { skip: skipDevices }, async () => {
  await using stick = usedDisk("shown", 120 * mib);
  const { device, file } = stick;
  const said = await restore(backups.gpt, device, "--fit", "last", "--dry-run");
  assert.match(said, /^device .*loop\d+\nserial .*shown\nsize .*120 MiB .*\nholds .*partition 1, 50 MiB/);
  assert.match(said, /sda3 +ext2 +5\d MiB +was 16 MiB, partition 3 at 61 MiB/);
  await refused(["backup", "restore", backups.gpt, device], file, /it is not removable\nhint: .*--confirm/);
  const small = await runHoldfast(["backup", "restore", backups.gpt, folder.join("small"), "--size", "16MiB"]);
  assert.match(small.stderr, /it takes at least [\d.]+ MiB .*\nhint: its partitions take at least: 1 [\d.]+ MiB, 2 /);
});

test("single partitions go into those of a disk that is there", { skip: skipDevices }, async () => {
  const file = folder.join("there");
  await restore(backups.gpt, file, "--size", "130MiB", "--fit", "last");
  const before = partsOf(file);
  {
    const fd = fs.openSync(file, "r+");
    const [, ext4, ext2] = before;
    for (const part of [ext4, ext2]) fs.writeSync(fd, Buffer.alloc(3 * mib, "damaged"), 0, 3 * mib, part?.start ?? 0);
    fs.closeSync(fd);
    await using stick = plugIn(file);
    await restore(backups.gpt, stick.device, "-p", "2", "-p", "3", "--fit", "last", "--confirm", file);
  }
  await assertRestored(file, "gpt");
  assert.deepEqual(partsOf(file), before);
  const taken = await runHoldfast(["backup", "restore", backups.gpt, `${file}:3`, "-p", "2"]);
  assert.match(taken.stderr, /cannot restore into partition 3 of ".*there": it holds ext\nhint: --force/);
  await restore(backups.gpt, `${file}:3`, "-p", "2", "--force", "--verify");
  assert.equal(await tarOf(file, 3), await tarOf(disks.gpt, 2));
  const [, , third] = partsOf(file);
  assert.ok(third !== undefined);
  assertSound(file, third, ["e2fsck", "-fn"]);
});

test("what was cut off does not look whole", { skip: skipDevices }, async () => {
  await using stick = usedDisk("cut", 120 * mib);
  const words = ["backup", "restore", backups.mbr, stick.device, "--confirm", stick.file, "--json"];
  const child = startHoldfast(words);
  const said = transcriptOf(child);
  child.stderr.once("data", () => child.kill("SIGKILL")); // as soon as the first progress is told
  await said;
  assert.equal(child.signalCode, "SIGKILL");
  assert.equal(runPeer("wipefs", ["--noheadings", stick.device]).trim(), "");
  await restore(backups.mbr, stick.device, "--confirm", stick.file);
  await assertRestored(stick.file, "mbr");
});

test(
  "into the device of one partition, while another one is mounted",
  { skip: skipDevices || skipWithout("partx") },
  async () => {
    const file = folder.join("nodes");
    await restore(backups.gpt, file, "--size", "110MiB");
    await using stick = plugIn(file);
    const { device } = stick;
    runPeer("partx", ["-a", device]);
    try {
      const mounted = folder.join("mounted");
      fs.mkdirSync(mounted);
      runPeer("mount", [nodeOf(device, 3), mounted]);
      try {
        const confirm = ["--confirm", file];
        await refused(["backup", "restore", backups.gpt, device, ...confirm], file, /loop\d+p3 is mounted on/);
        const there = ["backup", "restore", backups.gpt, nodeOf(device, 3), "-p", "3", ...confirm];
        await refused(there, file, /loop\d+p3 is mounted on/);
        await restore(backups.gpt, nodeOf(device, 2), "-p", "2", "--verify", ...confirm);
      } finally {
        runPeer("umount", [mounted]);
      }
    } finally {
      runPeer("partx", ["-d", device]);
    }
    await assertRestored(file, "gpt");
  },
);

/** Where the system makes no nodes for partitions, one of our own. */
function nodeOf(device: string, number: number): string {
  const name = `${device.slice("/dev/".length)}p${number}`;
  if (fs.existsSync(`/dev/${name}`)) return `/dev/${name}`;
  const node = folder.join(name);
  const [major = "", minor = ""] = fs.readFileSync(`/sys/class/block/${name}/dev`, "utf8").trim().split(":");
  if (!fs.existsSync(node)) runPeer("mknod", [node, "b", major, minor]);
  return node;
}

test("what had no table goes onto a whole device", { skip: skipDevices }, async () => {
  const bare = folder.join("bare");
  await restore(backups.mbr, bare, "-p", "2");
  const saved = await save(bare, folder.join("more"));
  await using stick = usedDisk("whole", 60 * mib);
  await restore(saved.path, stick.device, "--fit", "last", "--confirm", stick.file, "--verify");
  runPeer("e2fsck", ["-fn", stick.device]);
  assert.equal(runPeer("wipefs", ["--noheadings", "--output", "TYPE", stick.device]).trim(), "ext4");
  const blocks = /Block count: +(\d+)/.exec(runPeer("dumpe2fs", ["-h", stick.device]))?.[1];
  const blockBytes = /Block size: +(\d+)/.exec(runPeer("dumpe2fs", ["-h", stick.device]))?.[1];
  assert.ok(Number(blocks) * Number(blockBytes) > 58 * mib);
});

const skipExfat = skip || skipWithout("fsck.exfat", "mkfs.btrfs", "btrfs");

test("exFAT follows its partition both ways, btrfs keeps its size and moves", { skip: skipExfat }, async () => {
  const disk = folder.join("exfat and btrfs");
  const [tree, btrfs] = [folder.join("tree"), folder.join("btrfs")];
  const specs = ["-p", `size=120MiB,fs=exfat,from=${tree}`, "-p", "size=120MiB,fs=none"];
  const made = await runHoldfast(["disk", "create", disk, "--size", "250MiB", "--table", "gpt", ...specs]);
  assert.equal(made.status, 0, made.stderr);
  const [exfat, behind] = partsOf(disk);
  fs.writeFileSync(btrfs, "");
  fs.truncateSync(btrfs, behind?.size ?? 0);
  runPeer("mkfs.btrfs", ["-q", "--rootdir", tree, btrfs]);
  const place = `seek=${(behind?.start ?? 0) / mib}`;
  runPeer("dd", [`if=${btrfs}`, `of=${disk}`, "bs=1M", place, "conv=notrunc,sparse", "status=none"]);
  const saved = await save(disk, folder.join("exfat backups"));
  for (const sizeMiB of [375, 167]) {
    const target = folder.join(`of ${sizeMiB}`);
    await restore(saved.path, target, "--size", `${sizeMiB}MiB`, "--fit", "proportional", "--verify");
    assert.match(runPeer("sfdisk", ["--verify", target]), /No errors detected/);
    const [fitted, moved] = partsOf(target);
    assert.ok(fitted !== undefined && moved !== undefined && exfat !== undefined);
    assert.deepEqual([moved.size, moved.start !== behind?.start], [behind?.size, true]);
    assert.equal(fitted.size > exfat.size, sizeMiB > 250);
    assertSound(target, fitted, ["fsck.exfat", "-n"]);
    assertSound(target, moved, ["btrfs", "check", "--readonly"]);
    assert.equal(await tarOf(target, 2), await tarOf(disk, 2));
    // Made anew, all but the times of reading and making.
    assert.deepEqual(await filesOf(target, 1), await filesOf(disk, 1));
    fs.rmSync(target);
  }
});

const skipNtfs = skip || skipWithout("mkfs.ntfs", "ntfsfix", "mkfs.xfs", "xfs_repair");

test("NTFS and XFS keep their sizes, move, and know it", { skip: skipNtfs }, async () => {
  const disk = folder.join("others");
  const sizes = ["20MiB", "16MiB", "320MiB"];
  fs.writeFileSync(disk, "");
  fs.truncateSync(disk, 360 * mib);
  runPeer("sfdisk", ["-q", disk], { input: `label: dos\n${sizes.map((size) => `size=${size}`).join("\n")}\n` });
  const [ext, ntfs, xfs] = partsOf(disk);
  const made = [
    ["mke2fs", "-qF", "-t", "ext4"],
    ["mkfs.ntfs", "-QFq", "-p", String((ntfs?.start ?? 0) / 512)],
    ["mkfs.xfs", "-q"],
  ];
  for (const [n, part] of [ext, ntfs, xfs].entries()) {
    const [program = "", ...words] = made[n] ?? [];
    const file = folder.join("part");
    fs.writeFileSync(file, "");
    fs.truncateSync(file, part?.size ?? 0);
    runPeer(program, [...words, file]);
    runPeer("dd", [
      `if=${file}`,
      `of=${disk}`,
      "bs=1M",
      `seek=${(part?.start ?? 0) / mib}`,
      "conv=notrunc,sparse",
      "status=none",
    ]);
  }
  const saved = await save(disk, folder.join("other backups"));
  const target = folder.join("moved");
  await restore(saved.path, target, "--size", "400MiB", "--fit", "proportional", "--verify", "--new-ids");
  const [grown, moved, movedXfs] = partsOf(target);
  assert.ok(grown !== undefined && moved !== undefined && movedXfs !== undefined);
  assert.ok(grown.size > 55 * mib && moved.start > (ntfs?.start ?? 0) && moved.size === ntfs?.size);
  assertSound(target, grown, ["e2fsck", "-fn"]);
  assertSound(target, moved, ["ntfsfix", "-n"]);
  assertSound(target, movedXfs, ["xfs_repair", "-n"]);
  const bytes = bytesOf(target, moved);
  assert.equal(bytes.readUInt32LE(0x1c), moved.start / 512);
  assert.ok(bytes.subarray(-512).equals(bytes.subarray(0, 512)), "and so does its second boot sector");
});
