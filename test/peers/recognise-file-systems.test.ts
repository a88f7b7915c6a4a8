/** File systems made by their own tools, empty and with files: told as blkid and those tools tell of them. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import {
  attributeTypes,
  ntfsAttribute,
  ntfsBootSector,
  ntfsListEntry,
  ntfsNonResident,
  ntfsRecord,
  ntfsResident,
} from "../../src/filesystem/recognise/ntfs-records.ts";
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
import { skipServed, whileServed } from "./served.ts";

const skipMount = skipWithoutMount();

function words(line: string): string[] {
  return line.split(" ").filter((word) => word !== "");
}

const skipNtfs = skipWithout("mkfs.ntfs", "ntfsinfo", "ntfs-3g", "blkid");

for (const [sizeMiB, options, label] of [
  [8, "-s 512 -c 512", "Läbel ☃"],
  [40, "", ""],
  [40, "-s 512 -c 65536", "n".repeat(32)],
  [70, "-s 4096", "with 4k sectors"],
  [40, "-s 1024 -c 2048", "x"],
] as const) {
  test(`NTFS ${sizeMiB} MiB ${options} "${label.slice(0, 20)}"`, { skip: skipNtfs }, async () => {
    await using folder = temporaryFolder();
    const image = folder.join("image");
    makeBlank(image, sizeMiB);
    runPeer("mkfs.ntfs", ["-q", "-F", "-Q", ...words(options), ...(label === "" ? [] : ["-L", label]), image]);
    const assertAlike = async () => {
      const found = await recogniseFile(image);
      assertAsBlkid(found, image);
      const said = runPeer("ntfsinfo", ["-m", image]);
      const clusterBytes = numberAfter(said, "Cluster Size");
      const freeClusters = numberAfter(said, "Free Clusters");
      assert.deepEqual(found.problems, []);
      assert.equal(found.label, label);
      assert.equal(found.blockSizeBytes, clusterBytes);
      assert.equal(found.freeBytes, freeClusters * clusterBytes);
      assert.equal(found.usedBytes, (numberAfter(said, "Volume Size in Clusters") - freeClusters) * clusterBytes);
      return found;
    };
    const empty = await assertAlike();
    if (skipServed !== false) return;
    await whileServed("ntfs-3g", image, folder.join("mounted"), () => fillWithFiles(folder.join("mounted")));
    const filled = await assertAlike();
    assert.ok((filled.usedBytes ?? 0) > (empty.usedBytes ?? 0) + 3_000_000);
  });
}

test("NTFS that was grown, so that its bitmap is in several pieces", { skip: skipNtfs || skipServed }, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("image");
  makeBlank(image, 40);
  runPeer("mkfs.ntfs", ["-q", "-F", "-Q", "-c", "512", image]);
  const before = await recogniseFile(image);
  // Growing it in steps, with files between, leaves the bitmap in several runs.
  for (const sizeMiB of [60, 90, 140]) {
    await whileServed("ntfs-3g", image, folder.join("mounted"), () => {
      for (let n = 0; n < 40; n++)
        fs.writeFileSync(folder.join("mounted", `${sizeMiB}-${n}`), Buffer.alloc(200_000, 1));
    });
    fs.truncateSync(image, sizeMiB * 2 ** 20);
    runPeer("ntfsresize", ["-f", "-f", image], { stdio: ["pipe", "pipe", "ignore"], input: "y\n" });
    runPeer("ntfsfix", ["-d", image]);
  }
  const found = await recogniseFile(image);
  assert.ok(found.sizeBytes > before.sizeBytes * 3);
  const said = runPeer("ntfsinfo", ["-m", "-f", image]);
  assert.equal(found.freeBytes, numberAfter(said, "Free Clusters") * 512);
  assert.deepEqual(found.problems, []);
});

/** Divides the data of $Bitmap between its own record and another one, with a list that tells of both. */
function divideBitmap(image: string): void {
  const bytes = fs.readFileSync(image);
  const mft = ntfsBootSector.get(bytes, "mftCluster") * 512;
  const [own, other] = [mft + 6 * 1024, mft + 20 * 1024];
  let data = own + ntfsRecord.get(bytes, "attributesOffset", own);
  while (ntfsAttribute.get(bytes, "type", data) !== attributeTypes.data) {
    data += ntfsAttribute.get(bytes, "lengthBytes", data);
  }
  const whole = ntfsNonResident.decode(bytes, data);
  const runs = data + whole.runsOffset;
  const [header = 0] = bytes.subarray(runs);
  const lengthSize = header & 0xf;
  const count = bytes.readUIntLE(runs + 1, lengthSize);
  const cluster = bytes.readIntLE(runs + 1 + lengthSize, header >>> 4);
  const middle = Math.floor(count / 3);
  const piece = (first: number, last: number): Uint8Array => {
    const attribute = Uint8Array.from(bytes.subarray(data, data + 72));
    ntfsAttribute.patch(attribute, { lengthBytes: 72 });
    ntfsNonResident.patch(attribute, { firstCluster: first, lastCluster: last });
    const at = cluster + first;
    attribute.set([0x22, last - first + 1, 0, at & 0xff, at >>> 8, 0, 0, 0], whole.runsOffset);
    return attribute;
  };
  const pieces = [piece(0, middle - 1), piece(middle, count - 1)] as const;
  const entries = [
    [0x10, 0, 6, 0],
    [0x30, 0, 6, 2],
    [attributeTypes.data, 0, 6, 1],
    [attributeTypes.data, middle, 20, 1],
  ].map(([type = 0, firstCluster = 0, record = 0, instance = 0]) => {
    const entry = Buffer.alloc(32);
    entry.set(ntfsListEntry.encode({ type, lengthBytes: 32, firstCluster, recordLow: record }));
    entry[7] = 26; // where a name would be
    entry.writeUInt16LE(bytes.readUInt16LE(mft + record * 1024 + 16), 22); // the record's sequence
    entry.writeUInt16LE(instance, 24);
    return entry;
  });
  const list = Buffer.alloc(24 + entries.length * 32);
  ntfsAttribute.patch(list, { type: attributeTypes.list, lengthBytes: list.length });
  ntfsResident.patch(list, { valueBytes: list.length - 24, valueOffset: 24 });
  list.set(Buffer.concat(entries), 24);
  const end = Buffer.from("ffffffff00000000", "hex");
  // The list stands before the name (0x30), after the standard information (0x10).
  const start = own + ntfsRecord.get(bytes, "attributesOffset", own);
  const standardEnd = start + ntfsAttribute.get(bytes, "lengthBytes", start);
  const kept = Buffer.from(bytes.subarray(standardEnd, data));
  const tail = Buffer.concat([list, kept, pieces[0], end]);
  tail.copy(bytes, standardEnd);
  ntfsRecord.patch(bytes, { usedBytes: standardEnd + tail.length - own }, own);
  const extension = Buffer.concat([pieces[1], end]);
  const place = other + ntfsRecord.get(bytes, "attributesOffset", other);
  extension.copy(bytes, place);
  const sequence = bytes.readUInt16LE(own + 16);
  const usedBytes = place + extension.length - other;
  ntfsRecord.patch(bytes, { flags: 1, usedBytes, baseRecord: sequence * 2 ** 48 + 6 }, other);
  fs.writeFileSync(image, bytes);
}

test("NTFS whose bitmap is in two records", { skip: skipNtfs }, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("image");
  makeBlank(image, 20);
  runPeer("mkfs.ntfs", ["-q", "-F", "-Q", "-s", "512", "-c", "512", "-p", "0", image]);
  const before = await recogniseFile(image);
  divideBitmap(image);
  const said = runPeer("ntfsinfo", ["-v", "-i", "6", image]);
  assert.match(said, /<RL_NOT_MAPPED>/); // it knows that there is more elsewhere
  assert.deepEqual(await recogniseFile(image), before);
  const freeClusters = numberAfter(runPeer("ntfsinfo", ["-m", image]), "Free Clusters");
  assert.equal(before.freeBytes, freeClusters * 512);
});

for (const clusterBytes of [512, 4096]) {
  test(`NTFS in which Windows sleeps, clusters of ${clusterBytes}`, { skip: skipNtfs || skipServed }, async () => {
    await using folder = temporaryFolder();
    const [image, mounted] = [folder.join("image"), folder.join("mounted")];
    makeBlank(image, 60);
    runPeer("mkfs.ntfs", ["-q", "-F", "-Q", "-c", String(clusterBytes), image]);
    // Enough names that the index of the root has blocks of its own, and some that are free again.
    await whileServed("ntfs-3g", image, mounted, () => {
      for (let n = 0; n < 800; n++) fs.writeFileSync(`${mounted}/some-file-with-a-name-${n}`, "x".repeat(n * 3));
      for (let n = 0; n < 700; n++) fs.rmSync(`${mounted}/some-file-with-a-name-${n}`);
      fs.writeFileSync(`${mounted}/hiberfil.sys`, Buffer.alloc(100_000, "wake"));
    });
    const awake = await recogniseFile(image);
    assert.deepEqual([awake.notes, awake.problems], [[], []]);
    await whileServed("ntfs-3g", image, mounted, () => {
      fs.writeFileSync(`${mounted}/hiberfil.sys`, Buffer.alloc(100_000, "HIBR"));
    });
    const asleep = await recogniseFile(image);
    assert.match(asleep.notes.join(), /^hibernated: Windows is asleep/);
    const hibernated = 14;
    assert.throws(() => runPeer("ntfs-3g.probe", ["--readwrite", image]), { status: hibernated });
  });
}

test("NTFS that is dirty", { skip: skipWithout("mkfs.ntfs", "ntfsfix") }, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("image");
  makeBlank(image, 10);
  runPeer("mkfs.ntfs", ["-q", "-F", "-Q", image]);
  runPeer("ntfsfix", [image]); // marks it for a check
  const ntfs = await recogniseFile(image);
  assert.deepEqual([ntfs.notes, ntfs.problems], [["dirty: Windows will check it at the next start"], []]);
});

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
