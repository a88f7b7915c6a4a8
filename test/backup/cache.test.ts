import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import { test } from "node:test";
import * as zlib from "node:zlib";
import { openBackup, type ContentCacheOptions } from "../../src/backup/index.ts";
import { Failure } from "../../src/base/index.ts";
import { readBytes } from "../../src/device/index.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { sampleBlocks, sampleContent, sampleImage } from "./sample-image.ts";
import { sampleNtfsclone } from "./sample-ntfsclone.ts";

const blockBytes = 4096;
const blocks = sampleBlocks(1500, blockBytes);
const content = sampleContent(blocks, blockBytes);
const image = sampleImage({
  blockBytes,
  blocks,
  checksum: "crc32",
  stripBlocks: 100,
  reseed: true,
  bitmapForm: "bits",
});
const dayMs = 86_400_000;
// Half made files have the times of the real clock.
const nowMs = Date.now();

/** A backup of one partition, in one zstd frame as `zstd -T0` writes it. */
function foreignBackup(folder: TemporaryFolder, name: string, data = image, kind = "ext4"): string {
  const backup = folder.join(name);
  fs.mkdirSync(backup);
  fs.writeFileSync(`${backup}/parts`, "sda1\n");
  fs.writeFileSync(`${backup}/sda1.${kind}-ptcl-img.zst.aa`, zlib.zstdCompressSync(data));
  return backup;
}

function cacheIn(folder: TemporaryFolder, more: Partial<ContentCacheOptions> = {}): ContentCacheOptions {
  return { folder: folder.join("cache"), limitBytes: 2 ** 30, nowMs, ...more };
}

/** All that is in a backup, and how often it was unpacked for that. */
async function readAll(backup: string, cache: ContentCacheOptions): Promise<{ bytes: Buffer; unpacked: number }> {
  let unpacked = 0;
  const onUnpacked = async (): Promise<void> => void unpacked++;
  await using reader = await openBackup(backup, { env: {}, cache, onUnpacked });
  const bytes = Buffer.from(await readBytes(reader, 0, reader.sizeBytes));
  return { bytes, unpacked };
}

const cached = (cache: ContentCacheOptions): string[] => fs.readdirSync(cache.folder ?? "");

test("data in one frame is unpacked once, and read anywhere from then on", async () => {
  await using folder = temporaryFolder();
  const backup = foreignBackup(folder, "backup");
  const cache = cacheIn(folder);
  const first = await readAll(backup, cache);
  assert.ok(first.bytes.equals(content));
  assert.equal(first.unpacked, 1);
  const second = await readAll(backup, cache);
  assert.ok(second.bytes.equals(content));
  assert.equal(second.unpacked, 0);
  assert.equal(fs.statSync(cache.folder ?? "").mode & 0o777, 0o700);
  assert.equal(fs.statSync(folder.join("cache", cached(cache)[0] ?? "")).mode & 0o777, 0o600);
  // The same folder elsewhere is the same backup; other data is not.
  fs.cpSync(backup, folder.join("moved"), { recursive: true, preserveTimestamps: true });
  assert.equal((await readAll(folder.join("moved"), cache)).unpacked, 0);
  fs.utimesSync(folder.join("moved", "sda1.ext4-ptcl-img.zst.aa"), 1, 1);
  assert.equal((await readAll(folder.join("moved"), cache)).unpacked, 1);
});

test("plain bytes and images of ntfsclone are unpacked too", async () => {
  await using folder = temporaryFolder();
  const cache = cacheIn(folder);
  const plain = foreignBackup(folder, "plain", content, "dd");
  assert.ok((await readAll(plain, cache)).bytes.equals(content));
  const ntfsclone = sampleNtfsclone({ clusterBytes: blockBytes, clusters: blocks, deviceBytes: content.length + 512 });
  const { bytes } = await readAll(foreignBackup(folder, "ntfs", ntfsclone, "ntfs"), cache);
  assert.ok(bytes.subarray(0, content.length).equals(content));
  assert.equal(bytes.length, content.length + 512);
});

test("a cache that is cut off or changed is made anew", async () => {
  await using folder = temporaryFolder();
  const backup = foreignBackup(folder, "backup");
  const cache = cacheIn(folder);
  await readAll(backup, cache);
  const file = folder.join("cache", cached(cache)[0] ?? "");
  fs.truncateSync(file, fs.statSync(file).size - 5);
  const cutOff = await readAll(backup, cache);
  assert.deepEqual([cutOff.bytes.equals(content), cutOff.unpacked], [true, 1]);
  const changed = fs.readFileSync(file);
  changed.fill(0xff, 1000, 1010);
  fs.writeFileSync(file, changed);
  const healed = await readAll(backup, cache);
  assert.deepEqual([healed.bytes.equals(content), healed.unpacked], [true, 1]);
  assert.equal((await readAll(backup, cache)).unpacked, 0);
  assert.equal(cached(cache).length, 1);
});

test("damaged data is told of, and leaves nothing in the cache", async () => {
  await using folder = temporaryFolder();
  const cache = cacheIn(folder);
  const damaged = Buffer.from(image);
  damaged[damaged.length - 3000]! ^= 1;
  const backup = foreignBackup(folder, "backup", damaged);
  await assert.rejects(readAll(backup, cache), /sda1\.ext4-ptcl-img\.zst\.aa.*checksum of the blocks/);
  assert.deepEqual(cached(cache), []);
});

test("what takes more than the limit is refused, and what was used longest ago makes room", async () => {
  await using folder = temporaryFolder();
  const cache = cacheIn(folder);
  const [a, b, c] = ["a", "b", "c"].map((name, n) => {
    const backup = foreignBackup(folder, name);
    fs.utimesSync(`${backup}/sda1.ext4-ptcl-img.zst.aa`, n, n);
    return backup;
  });
  await readAll(a!, cache);
  const [first = ""] = cached(cache);
  const { size } = fs.statSync(folder.join("cache", first));
  await readAll(b!, { ...cache, nowMs: nowMs + 1000 });
  await readAll(a!, { ...cache, nowMs: nowMs + 2000 });
  await readAll(c!, { ...cache, nowMs: nowMs + 3000, limitBytes: 2.5 * size });
  assert.equal(cached(cache).length, 2);
  assert.ok(cached(cache).includes(first));
  const tooLarge = (error: unknown): boolean => error instanceof Failure && error.code === "no-space";
  await assert.rejects(readAll(b!, { ...cache, limitBytes: 1000 }), tooLarge);
  await assert.rejects(readAll(b!, { ...cache, limitBytes: size - 1000 }), tooLarge);
  assert.ok(cached(cache).every((name) => name.endsWith(".zst")));
});

test("what nobody has looked into for a month goes, and so does what was left half made", async () => {
  await using folder = temporaryFolder();
  const cache = cacheIn(folder);
  await readAll(foreignBackup(folder, "old"), cache);
  const old = cached(cache);
  fs.writeFileSync(folder.join("cache", "x.1-2.part"), "");
  fs.utimesSync(folder.join("cache", "x.1-2.part"), nowMs / 1000, nowMs / 1000);
  fs.writeFileSync(folder.join("cache", "else"), "");
  const later = { ...cache, nowMs: nowMs + 31 * dayMs };
  const backup = foreignBackup(folder, "new", content, "dd");
  await readAll(backup, later);
  assert.equal(cached(cache).length, 2);
  assert.ok(cached(cache).includes("else"));
  assert.ok(!cached(cache).includes(old[0]!));
});

test("several at once get the same", async () => {
  await using folder = temporaryFolder();
  const backup = foreignBackup(folder, "backup");
  const cache = cacheIn(folder);
  const all = await Promise.all([1, 2, 3].map(() => readAll(backup, cache)));
  for (const { bytes } of all) assert.ok(bytes.equals(content));
  assert.equal(cached(cache).length, 1);
});

test("without a cache it is read all the same, and nothing stays", async () => {
  await using folder = temporaryFolder();
  const before = fs.readdirSync(os.tmpdir()).filter((name) => name.startsWith("holdfast-content-"));
  const { bytes } = await readAll(foreignBackup(folder, "backup"), cacheIn(folder, { folder: undefined }));
  assert.ok(bytes.equals(content));
  const after = fs.readdirSync(os.tmpdir()).filter((name) => name.startsWith("holdfast-content-"));
  assert.deepEqual(after, before);
});
