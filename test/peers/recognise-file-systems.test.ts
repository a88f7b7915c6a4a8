/** File systems made by their own tools, empty and with files: told as blkid and those tools tell of them. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { whileMounted, skipWithoutMount } from "../filesystem/ext/mounted.ts";
import {
  assertAsBlkid,
  fillWithFiles,
  makeBlank,
  numberAfter,
  recogniseFile,
} from "../filesystem/recognise/recognised-file.ts";
import { temporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const skipMount = skipWithoutMount();

function words(line: string): string[] {
  return line.split(" ").filter((word) => word !== "");
}

test("XFS whose log or files are on another device", { skip: skipWithout("mkfs.xfs", "xfs_db", "blkid") }, async () => {
  await using folder = temporaryFolder();
  const [image, other] = [folder.join("image"), folder.join("other")];
  makeBlank(image, 320);
  makeBlank(other, 100);
  runPeer("mkfs.xfs", ["-q", "-l", `logdev=${other},size=64m`, image]);
  const withLog = await recogniseFile(image);
  assert.deepEqual([withLog.notes, withLog.problems], [["its log is on another device"], []]);
  makeBlank(image, 320);
  makeBlank(other, 100);
  runPeer("mkfs.xfs", ["-q", "-m", "reflink=0", "-r", `rtdev=${other}`, image]);
  const withFiles = await recogniseFile(image);
  assert.deepEqual([withFiles.notes, withFiles.problems], [["its realtime device has 100 MiB more"], []]);
  assertAsBlkid(withFiles, image);
  const said = runPeer("xfs_db", ["-r", "-c", "sb 0", "-c", "print blocksize dblocks fdblocks", image]);
  assert.equal(withFiles.sizeBytes, numberAfter(said, "dblocks") * 4096);
  assert.equal(withFiles.freeBytes, numberAfter(said, "fdblocks") * 4096);
});

function isMountable(kind: string): boolean {
  return new RegExp(String.raw`\t${kind}$`, "m").test(fs.readFileSync("/proc/filesystems", "utf8"));
}

function usedByKernel(folder: string): number {
  const { blocks, bfree, bsize } = fs.statfsSync(folder);
  return (blocks - bfree) * bsize;
}

for (const [options, label] of [
  ["", ""],
  ["--csum xxhash -m single", "Läbel ☃"],
  ["--csum sha256 -n 32768 -m single", "l".repeat(254)],
  ["--csum blake2 -m single", "blake"],
  ["--mixed -m single -d single", "mixed"],
] as const) {
  const skip = skipWithout("mkfs.btrfs", "btrfs", "blkid");
  test(`btrfs ${options} "${label.slice(0, 20)}"`, { skip }, async () => {
    await using folder = temporaryFolder();
    const image = folder.join("image");
    makeBlank(image, 200);
    runPeer("mkfs.btrfs", ["-q", ...words(options), ...(label === "" ? [] : ["-L", label]), image]);
    const assertAlike = async () => {
      const found = await recogniseFile(image);
      assertAsBlkid(found, image);
      const said = runPeer("btrfs", ["inspect-internal", "dump-super", image]);
      assert.match(said, /^csum\t.*\[match\]/m);
      assert.deepEqual({ problems: found.problems, label: found.label }, { problems: [], label });
      assert.equal(found.sizeBytes, numberAfter(said, "\ntotal_bytes"));
      assert.equal(found.usedBytes, numberAfter(said, "\nbytes_used"));
      return found;
    };
    const empty = await assertAlike();
    if (skipMount !== false || !isMountable("btrfs")) return;
    const mounted = folder.join("mounted");
    let kernelUsed = 0;
    await whileMounted(image, mounted, "", async () => {
      const usedBefore = usedByKernel(mounted);
      fillWithFiles(mounted);
      runPeer("sync", ["-f", mounted]);
      kernelUsed = usedByKernel(mounted) - usedBefore;
    });
    const { usedBytes = 0 } = await assertAlike();
    const used = usedBytes - (empty.usedBytes ?? 0);
    assert.ok(used > 3_000_000 && Math.abs(used - kernelUsed) < 2_000_000, `${used}, the kernel ${kernelUsed}`);
    // The superblock is lost, but not its mirror.
    const file = fs.openSync(image, "r+");
    fs.writeSync(file, Buffer.alloc(4096), 0, 4096, 65_536);
    fs.closeSync(file);
    const mirrored = await recogniseFile(image);
    assert.deepEqual([mirrored.usedBytes, mirrored.label], [usedBytes, label]);
    assert.deepEqual(mirrored.problems, [
      { severity: "error", message: "the btrfs superblock is gone: a mirror is used" },
    ]);
  });
}

test("one of two devices of a btrfs", { skip: skipWithout("mkfs.btrfs", "blkid") }, async () => {
  await using folder = temporaryFolder();
  const images = [folder.join("one"), folder.join("two")];
  for (const image of images) makeBlank(image, 200);
  runPeer("mkfs.btrfs", ["-q", "-L", "pair", ...images]);
  for (const [n, image] of images.entries()) {
    const found = await recogniseFile(image);
    assertAsBlkid(found, image);
    assert.equal(found.sizeBytes, 200 * 2 ** 20);
    assert.match(
      found.notes.join(),
      new RegExp(`^device ${n + 1} of a btrfs of 2; in all of it .* of 400 MiB are used$`),
    );
  }
});

for (const [sizeMiB, options, label] of [
  [120, "", ""],
  [200, "-O extra_attr,inode_checksum,sb_checksum,compression", "Läbel ☃"],
  [300, "-s 2 -z 2", "l".repeat(500)],
  [100, "-i -o 20", "nodes"],
] as const) {
  const skip = skipWithout("mkfs.f2fs", "dump.f2fs", "sload.f2fs", "blkid");
  test(`f2fs ${sizeMiB} MiB ${options} "${label.slice(0, 20)}"`, { skip }, async () => {
    await using folder = temporaryFolder();
    const [image, tree] = [folder.join("image"), folder.join("tree")];
    makeBlank(image, sizeMiB);
    runPeer("mkfs.f2fs", ["-q", ...words(options), ...(label === "" ? [] : ["-l", label]), image]);
    const assertAlike = async () => {
      const found = await recogniseFile(image);
      const said = runPeer("dump.f2fs", ["-d", "1", image]);
      const count = (name: string) => Number(new RegExp(String.raw`^${name} .*: (\d+)\]`, "m").exec(said)?.[1]);
      if (label.length < 500) assertAsBlkid(found, image); // blkid has no room for more
      assert.deepEqual({ problems: found.problems, label: found.label }, { problems: [], label });
      assert.equal(found.sizeBytes, count("block_count") * 4096);
      assert.equal(found.usedBytes, count("valid_block_count") * 4096);
      assert.equal(found.freeBytes, (count("user_block_count") - count("valid_block_count")) * 4096);
      return found;
    };
    await assertAlike();
    fillWithFiles(tree);
    runPeer("sload.f2fs", ["-f", tree, image]);
    const { usedBytes = 0 } = await assertAlike();
    assert.ok(usedBytes > 3_000_000);
  });
}

test("f2fs on two devices", { skip: skipWithout("mkfs.f2fs") }, async () => {
  await using folder = temporaryFolder();
  const [image, other] = [folder.join("image"), folder.join("other")];
  for (const file of [image, other]) makeBlank(file, 100);
  runPeer("mkfs.f2fs", ["-q", "-c", other, image]);
  const { notes, sizeBytes, usedBytes, problems } = await recogniseFile(image);
  assert.deepEqual(notes, ["the first of 2 devices of an f2fs of 200 MiB: 8 KiB of it are used"]);
  assert.deepEqual([sizeBytes, usedBytes, problems], [100 * 2 ** 20, undefined, []]);
});

for (const options of [
  "-comp gzip -b 4096",
  "-comp xz -b 1M",
  "-comp lz4 -no-fragments",
  "-comp zstd",
  "-comp lzo",
  "-noI -noD",
]) {
  test(`squashfs ${options}`, { skip: skipWithout("mksquashfs", "unsquashfs", "blkid") }, async () => {
    await using folder = temporaryFolder();
    const [image, tree] = [folder.join("image"), folder.join("tree")];
    fillWithFiles(tree);
    runPeer("mksquashfs", [tree, image, "-quiet", "-noappend", ...words(options)]);
    const found = await recogniseFile(image);
    assertAsBlkid(found, image);
    const said = runPeer("unsquashfs", ["-s", image]);
    assert.deepEqual(found.problems, []);
    assert.equal(found.usedBytes, numberAfter(said, "Filesystem size"));
    assert.equal(found.blockSizeBytes, numberAfter(said, "Block size"));
    assert.equal(found.sizeBytes, fs.statSync(image).size);
    assert.deepEqual(found.features, [/^Compression (\w+)$/m.exec(said)?.[1]]);
    if (skipMount !== false || !isMountable("squashfs") || !isKernelUnpacking(options)) return;
    await whileMounted(image, folder.join("mounted"), "ro", async () => {
      const kernelUsed = usedByKernel(folder.join("mounted"));
      assert.equal(kernelUsed, Math.ceil((found.usedBytes ?? 0) / found.blockSizeBytes) * found.blockSizeBytes);
    });
  });
}

/** A kernel can be made without some of them; the first one is in all. */
function isKernelUnpacking(options: string): boolean {
  return options.includes("gzip") || !options.includes("-comp");
}
