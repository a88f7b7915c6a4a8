/** NTFS as mkfs.ntfs and ntfs-3g make it, read as ntfsinfo, blkid, ntfs-3g and partclone do. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { Bitmap } from "../../src/bytes/index.ts";
import { FileDevice, FileReader } from "../../src/device/index.ts";
import {
  openFileSystem,
  renewVolumeId,
  resolvePath,
  type Extent,
  type FileSystem,
} from "../../src/filesystem/index.ts";
import {
  attributeHeader,
  bootSector,
  listEntry,
  outsideHeader,
  recordHeader,
  residentHeader,
  attributeTypes,
} from "../../src/filesystem/ntfs/records.ts";
import { factsOf, factsOfFolder, type FileFacts } from "../filesystem/file-facts.ts";
import {
  fillWithKinds,
  makeNtfs,
  ntfsInfo,
  ntfsProblems,
  skipNtfs,
  whileNtfs,
} from "../filesystem/ntfs/sample-ntfs.ts";
import { noise } from "../filesystem/ext/sample-folder.ts";
import { assertAsBlkid, fillWithFiles, numberAfter } from "../filesystem/recognise/recognised-file.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const skip = skipNtfs || skipWithout("blkid", "partclone.ntfs");

/** Compares what is told of a volume with what ntfsinfo and blkid say. */
async function assertAlike(image: string): Promise<void> {
  const info = await ntfsInfo(image);
  assertAsBlkid({ ...info, usedBytes: undefined, problems: [] }, image);
  const said = runPeer("ntfsinfo", ["-m", image]);
  assert.equal(info.blockSizeBytes, numberAfter(said, "Cluster Size"));
  assert.equal(info.freeBytes, numberAfter(said, "Free Clusters") * info.blockSizeBytes);
  assert.equal(Math.floor(info.sizeBytes / info.blockSizeBytes), numberAfter(said, "Volume Size in Clusters"));
  assert.deepEqual(info.notes, []);
  assert.deepEqual(await ntfsProblems(image), []);
}

const run = promisify(execFile);

/** Clusters in use as partclone saves them. */
async function savedByPartclone(image: string, output: string): Promise<Bitmap> {
  await run("/usr/sbin/partclone.ntfs", ["-c", "-q", "-s", image, "-o", output, "-L", "/dev/null"]);
  const bytes = fs.readFileSync(output);
  const count = Number(bytes.readBigUInt64LE(60));
  return new Bitmap(count, Uint8Array.from(bytes.subarray(110, 110 + Math.ceil(count / 8))));
}

async function assertUsedAsPartclone(image: string): Promise<void> {
  const theirs = await savedByPartclone(image, `${image}.partclone`);
  fs.rmSync(`${image}.partclone`);
  await using reader = await FileReader.open(image);
  await using fileSystem = await openFileSystem(reader);
  const { blockSizeBytes, sizeBytes } = fileSystem.info;
  const ours = new Bitmap(theirs.length);
  let last: Extent = { startBytes: 0, lengthBytes: 0 };
  for await (const extent of fileSystem.usedExtents()) {
    assert.ok(extent.startBytes === 0 || extent.startBytes > last.startBytes + last.lengthBytes);
    const first = extent.startBytes / blockSizeBytes;
    const end = Math.min(ours.length, Math.floor((extent.startBytes + extent.lengthBytes) / blockSizeBytes));
    if (first < end) ours.setRange(first, end - first);
    last = extent;
  }
  assert.deepEqual(Buffer.from(ours.bytes), Buffer.from(theirs.bytes));
  // Beyond the clusters, where partclone saves nothing, there is the second boot sector.
  const sectorBytes = last.startBytes + last.lengthBytes - sizeBytes;
  assert.ok(sectorBytes >= 512 && sectorBytes <= 4096);
  const sectors = Buffer.alloc(2 * sectorBytes);
  await reader.read(0, sectors.subarray(0, sectorBytes));
  await reader.read(sizeBytes, sectors.subarray(sectorBytes));
  assert.ok(sectors.subarray(0, sectorBytes).equals(sectors.subarray(sectorBytes)));
}

/** The facts of each file that both sides have: NTFS has no modes of Unix, and each makes up others. */
function comparable(facts: ReadonlyMap<string, FileFacts>): Record<string, Omit<FileFacts, "mode">> {
  return Object.fromEntries([...facts].map(([name, { mode: _, ...rest }]) => [name, rest]));
}

async function assertSameFiles(image: string): Promise<void> {
  await using reader = await FileReader.open(image);
  await using fileSystem = await openFileSystem(reader);
  const ours = comparable(await factsOf(fileSystem));
  await whileNtfs(image, (root) => assert.deepEqual(ours, comparable(factsOfFolder(root))));
}

// partclone sleeps for a second here and there: several run at a time.
describe("NTFS of many kinds", { concurrency: true, skip }, () => {
  for (const [sizeMiB, options, label] of [
    [8, ["-s", "512", "-c", "512"], "Läbel ☃"],
    [40, ["-c", "1024"], ""],
    [40, [], "12345678901234567890123456789012"],
    [40, ["-s", "1024", "-c", "2048"], "x"],
    [70, ["-s", "4096"], "with 4k sectors"],
    [60, ["-c", "65536"], "no compression"],
    [200, ["-c", "2097152"], "the largest clusters"],
  ] as const) {
    test(`NTFS of ${sizeMiB} MiB ${options.join(" ")}: told, read and saved as its own programs do`, async () => {
      await using folder = temporaryFolder();
      const image = folder.join("image");
      makeNtfs(image, sizeMiB, [...options, ...(label === "" ? [] : ["-L", label])]);
      await assertAlike(image);
      const empty = await ntfsInfo(image);
      assert.equal(empty.label, label);
      await whileNtfs(image, (root) => {
        if (sizeMiB > 8) fillWithKinds(root);
        if (sizeMiB < 200) fillWithFiles(root);
        else fs.writeFileSync(`${root}/large`, noise(1, 10_000_000));
      });
      assert.ok((await ntfsInfo(image)).freeBytes < empty.freeBytes - 3_000_000);
      await assertAlike(image);
      await assertUsedAsPartclone(image);
      await assertSameFiles(image);
    });
  }
});

test("NTFS that was grown, so that its bitmap is in several pieces", { skip }, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("image");
  makeNtfs(image, 40, ["-c", "512"]);
  const before = await ntfsInfo(image);
  // Growing it in steps, with files between, leaves the bitmap in several runs.
  for (const sizeMiB of [60, 90, 140]) {
    await whileNtfs(image, (root) => {
      for (let n = 0; n < 40; n++) fs.writeFileSync(`${root}/${sizeMiB}-${n}`, Buffer.alloc(200_000, 1));
    });
    fs.truncateSync(image, sizeMiB * 2 ** 20);
    runPeer("ntfsresize", ["-f", "-f", image], { stdio: ["pipe", "pipe", "ignore"], input: "y\n" });
    runPeer("ntfsfix", ["-d", image]);
  }
  const found = await ntfsInfo(image);
  assert.ok(found.sizeBytes > before.sizeBytes * 3);
  const said = runPeer("ntfsinfo", ["-m", "-f", image]);
  assert.equal(found.freeBytes, numberAfter(said, "Free Clusters") * 512);
  assert.deepEqual(found.notes, []);
});

/** Divides the data of $Bitmap between its own record and another one, with a list that tells of both. */
function divideBitmap(image: string): void {
  const bytes = fs.readFileSync(image);
  const mft = bootSector.get(bytes, "mftCluster") * 512;
  const [own, other] = [mft + 6 * 1024, mft + 20 * 1024];
  let data = own + recordHeader.get(bytes, "attributesOffset", own);
  while (attributeHeader.get(bytes, "type", data) !== attributeTypes.data) {
    data += attributeHeader.get(bytes, "lengthBytes", data);
  }
  const whole = outsideHeader.decode(bytes, data);
  const runs = data + whole.runsOffset;
  const [header = 0] = bytes.subarray(runs);
  const lengthSize = header & 0xf;
  const count = bytes.readUIntLE(runs + 1, lengthSize);
  const cluster = bytes.readIntLE(runs + 1 + lengthSize, header >>> 4);
  const middle = Math.floor(count / 3);
  const piece = (first: number, last: number): Uint8Array => {
    const attribute = Uint8Array.from(bytes.subarray(data, data + 72));
    attributeHeader.patch(attribute, { lengthBytes: 72 });
    outsideHeader.patch(attribute, { firstCluster: first, lastCluster: last });
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
    entry.set(listEntry.encode({ type, lengthBytes: 32, firstCluster, recordLow: record }));
    entry[7] = 26; // where a name would be
    entry.writeUInt16LE(bytes.readUInt16LE(mft + record * 1024 + 16), 22); // the record's sequence
    entry.writeUInt16LE(instance, 24);
    return entry;
  });
  const list = Buffer.alloc(24 + entries.length * 32);
  attributeHeader.patch(list, { type: attributeTypes.list, lengthBytes: list.length });
  residentHeader.patch(list, { valueBytes: list.length - 24, valueOffset: 24 });
  list.set(Buffer.concat(entries), 24);
  const end = Buffer.from("ffffffff00000000", "hex");
  // The list stands before the name (0x30), after the standard information (0x10).
  const start = own + recordHeader.get(bytes, "attributesOffset", own);
  const standardEnd = start + attributeHeader.get(bytes, "lengthBytes", start);
  const kept = Buffer.from(bytes.subarray(standardEnd, data));
  const tail = Buffer.concat([list, kept, pieces[0], end]);
  tail.copy(bytes, standardEnd);
  recordHeader.patch(bytes, { usedBytes: standardEnd + tail.length - own }, own);
  const extension = Buffer.concat([pieces[1], end]);
  const place = other + recordHeader.get(bytes, "attributesOffset", other);
  extension.copy(bytes, place);
  const sequence = bytes.readUInt16LE(own + 16);
  const usedBytes = place + extension.length - other;
  recordHeader.patch(bytes, { flags: 1, usedBytes, baseLow: 6, baseSequence: sequence }, other);
  fs.writeFileSync(image, bytes);
}

test("NTFS whose bitmap is in two records", { skip }, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("image");
  makeNtfs(image, 20, ["-s", "512", "-c", "512"]);
  const before = await ntfsInfo(image);
  divideBitmap(image);
  const said = runPeer("ntfsinfo", ["-v", "-i", "6", image]);
  assert.match(said, /<RL_NOT_MAPPED>/); // it knows that there is more elsewhere
  assert.deepEqual(await ntfsInfo(image), before);
  const freeClusters = numberAfter(runPeer("ntfsinfo", ["-m", image]), "Free Clusters");
  assert.equal(before.freeBytes, freeClusters * 512);
});

for (const clusterBytes of [512, 4096]) {
  test(`NTFS in which Windows sleeps, clusters of ${clusterBytes}`, { skip }, async () => {
    await using folder = temporaryFolder();
    const image = folder.join("image");
    makeNtfs(image, 60, ["-c", String(clusterBytes)]);
    // Enough names that the index of the root has blocks of its own, and some that are free again.
    await whileNtfs(image, (root) => {
      for (let n = 0; n < 800; n++) fs.writeFileSync(`${root}/some-file-with-a-name-${n}`, "x".repeat(n * 3));
      for (let n = 0; n < 700; n++) fs.rmSync(`${root}/some-file-with-a-name-${n}`);
      fs.writeFileSync(`${root}/hiberfil.sys`, Buffer.alloc(100_000, "wake"));
    });
    const awake = await ntfsInfo(image);
    assert.deepEqual(awake.notes, []);
    await whileNtfs(image, (root) => {
      fs.writeFileSync(`${root}/hiberfil.sys`, Buffer.alloc(100_000, "HIBR"));
    });
    const asleep = await ntfsInfo(image);
    assert.match(asleep.notes.join(), /^hibernated: Windows is asleep/);
    assert.match((await ntfsProblems(image))[0]?.hint ?? "", /shutdown \/s/);
    const hibernated = 14;
    assert.throws(() => runPeer("ntfs-3g.probe", ["--readwrite", image]), { status: hibernated });
  });
}

test("NTFS that is dirty", { skip }, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("image");
  makeNtfs(image, 10);
  runPeer("ntfsfix", [image]); // marks it for a check
  const message = "dirty: Windows will check it at the next start";
  assert.deepEqual((await ntfsInfo(image)).notes, [message]);
  assert.deepEqual(
    (await ntfsProblems(image)).map((one) => [one.severity, one.message]),
    [["error", message]],
  );
});

/** A reparse point as the kernel of Windows has it, for ntfs-3g to set. */
function reparseData(tag: number, data: Uint8Array): string {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(tag);
  header.writeUInt16LE(data.length, 4);
  return `0x${Buffer.concat([header, data]).toString("hex")}`;
}

/** Two names, the first of which counts, behind their places. */
function linkData(flags: readonly number[], target: string): Buffer {
  const text = Buffer.from(target, "utf16le");
  const fields = Buffer.alloc(8);
  fields.writeUInt16LE(text.length, 2);
  fields.writeUInt16LE(text.length, 4);
  fields.writeUInt16LE(text.length, 6);
  return Buffer.concat([fields, Buffer.from(flags), text, text]);
}

test("links of Windows are links, and data in forms that are not known is refused by name", { skip }, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("image");
  makeNtfs(image, 16);
  const wof = Buffer.from("01000000020000000100000004000000", "hex"); // none that there is
  await whileNtfs(image, (root) => {
    fs.mkdirSync(`${root}/Users/Anna`, { recursive: true });
    fs.writeFileSync(`${root}/Users/Anna/notes`, "hers");
    fs.mkdirSync(`${root}/Documents and Settings`);
    for (const name of ["link", "system.dll", "deduplicated"]) fs.writeFileSync(`${root}/${name}`, "");
    for (const [name, value] of [
      ["Documents and Settings", reparseData(0xa0000003, linkData([], String.raw`\??\C:\Users`))],
      ["link", reparseData(0xa000000c, linkData([1, 0, 0, 0], String.raw`Users\Anna\notes`))],
      ["system.dll", reparseData(0x80000017, wof)],
      ["deduplicated", reparseData(0x80000013, Buffer.alloc(16, 1))],
    ] as const) {
      runPeer("setfattr", ["-h", "-n", "system.ntfs_reparse_data", "-v", value, `${root}/${name}`]);
    }
  });
  await using reader = await FileReader.open(image);
  await using fileSystem = await openFileSystem(reader);
  const id = (path: string): Promise<number> => resolvePath(fileSystem, path, { followLast: false });
  assert.equal(await fileSystem.readLink(await id("/Documents and Settings")), "/Users");
  assert.equal(await fileSystem.readLink(await id("/link")), "Users/Anna/notes");
  assert.equal(await readText(fileSystem, "/Documents and Settings/anna/NOTES"), "hers");
  assert.equal(await readText(fileSystem, "/link"), "hers");
  for (const [path, message] of [
    ["/system.dll", /cannot read "system.dll".*WOF/],
    ["/deduplicated", /cannot read "deduplicated".*deduplicated/],
  ] as const) {
    const file = await id(path);
    assert.equal((await fileSystem.stat(file)).kind, "file");
    await assert.rejects(Array.fromAsync(fileSystem.content(file)), { code: "unsupported", message });
  }
  assert.deepEqual(await ntfsProblems(image), []);
});

async function readAll(fileSystem: FileSystem, path: string): Promise<Buffer> {
  const pieces = await Array.fromAsync(fileSystem.content(await resolvePath(fileSystem, path)));
  return Buffer.concat(pieces.map(({ bytes }) => bytes));
}

async function readText(fileSystem: FileSystem, path: string): Promise<string> {
  return (await readAll(fileSystem, path)).toString();
}

test("another serial number stands in both boot sectors", { skip }, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("image");
  makeNtfs(image, 12);
  const before = await ntfsInfo(image);
  const renewed = await (async () => {
    await using device = await FileDevice.open(image);
    return await renewVolumeId(device, "01234567-89ab-cdef-8000-000000000000");
  })();
  assert.deepEqual(renewed, { before: before.uuid, after: "0123456789ABCDEF" });
  await assertAlike(image);
  const bytes = fs.readFileSync(image);
  assert.ok(bytes.subarray(0, 512).equals(bytes.subarray(-512)));
  runPeer("ntfsfix", ["-n", image]);
});

/** Bytes as wimlib packs them: a table of places, then chunks, as a stream of WOF has them. */
function packByWimlib(
  folder: TemporaryFolder,
  bytes: Uint8Array,
  algorithm: "XPRESS" | "LZX",
  chunkBytes: number,
): Buffer {
  const [source, wim] = [folder.join("source"), folder.join("wim")];
  fs.rmSync(source, { recursive: true, force: true });
  fs.mkdirSync(source);
  fs.writeFileSync(`${source}/file`, bytes);
  runPeer("wimcapture", [source, wim, `--compress=${algorithm}`, `--chunk-size=${chunkBytes}`]);
  const said = runPeer("wiminfo", ["--blobs", wim]).split("\n\n");
  const blob = said.find((one) => one.includes(`Uncompressed size = ${bytes.length} bytes`)) ?? "";
  const at = numberAfter(blob, "Offset in WIM");
  return fs.readFileSync(wim).subarray(at, at + numberAfter(blob, "Compressed size"));
}

/** Programs have calls, which LZX packs in a way of its own. */
function machineCode(lengthBytes: number): Buffer {
  const code = Buffer.alloc(lengthBytes);
  const file = fs.openSync(process.execPath, "r");
  fs.readSync(file, code, 0, lengthBytes, 30_000_000);
  fs.closeSync(file);
  return code;
}

test("what Windows compressed as its own files is unpacked", { skip: skip || skipWithout("wimcapture") }, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("image");
  makeNtfs(image, 16);
  const text = Array.from({ length: 30_000 }, (_, n) => `${n}\n`).join("");
  // A chunk of noise stands there as it is; a long repetition takes lengths of more than a byte.
  const parts = [Buffer.from(text), noise(5, 40_000), Buffer.alloc(50_001, "ab"), machineCode(200_000)];
  const content = Buffer.concat(parts);
  const kinds = {
    "4k": [0, 4096, "XPRESS"],
    "8k": [2, 8192, "XPRESS"],
    "16k": [3, 16_384, "XPRESS"],
    lzx: [1, 32_768, "LZX"],
  } as const;
  await whileNtfs(
    image,
    (root) => {
      for (const [name, [, chunkBytes, algorithm]] of Object.entries(kinds)) {
        fs.writeFileSync(`${root}/${name}`, "");
        fs.truncateSync(`${root}/${name}`, content.length);
        fs.writeFileSync(`${root}/${name}:WofCompressedData`, packByWimlib(folder, content, algorithm, chunkBytes));
      }
    },
    ["-o", "streams_interface=windows"],
  );
  await whileNtfs(image, (root) => {
    for (const [name, [algorithm]] of Object.entries(kinds)) {
      const provider = Buffer.from(`010000000200000001000000${algorithm.toString(16).padStart(2, "0")}000000`, "hex");
      const value = reparseData(0x80000017, provider);
      runPeer("setfattr", ["-h", "-n", "system.ntfs_reparse_data", "-v", value, `${root}/${name}`]);
    }
  });
  await using reader = await FileReader.open(image);
  await using fileSystem = await openFileSystem(reader);
  for (const name of Object.keys(kinds)) {
    const id = await resolvePath(fileSystem, `/${name}`);
    assert.ok((await readAll(fileSystem, `/${name}`)).equals(content), name);
    const { sizeBytes, allocatedBytes, xattrs } = await fileSystem.stat(id);
    assert.deepEqual([sizeBytes, xattrs], [content.length, undefined]);
    assert.ok(allocatedBytes > 40_000 && allocatedBytes < content.length);
    assert.deepEqual(await fileSystem.stretches(id), [{ at: 0, lengthBytes: content.length }]);
    assert.equal(await fileSystem.places?.(id), undefined);
  }
  assert.deepEqual(await ntfsProblems(image), []);
});
