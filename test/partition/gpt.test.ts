import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { MemoryDevice } from "../../src/device/index.ts";
import { gptEntry, gptHeader, patchGptHeader, type GptEntry, type GptHeader } from "../../src/partition/gpt-records.ts";
import { planTable, readTable, repairGpt, writeTable, type PartitionTable } from "../../src/partition/index.ts";
import { MiB } from "./sparse-disk.ts";

const sizeBytes = 4 * MiB;
const lastLba = sizeBytes / 512 - 1;

async function demoDisk(): Promise<MemoryDevice> {
  const disk = new MemoryDevice(new Uint8Array(sizeBytes));
  const plan = planTable({
    sizeBytes,
    table: "gpt",
    layout: "aligned",
    diskGuid: "11111111-2222-4333-8444-555555555555",
    partitions: [
      { sizeBytes: MiB, type: "efi", label: "ESP", guid: "AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEE1" },
      { sizeBytes: "rest", type: "linux", label: "Größe ✓ 😀", guid: "AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEE2" },
    ],
  });
  await writeTable(disk, plan);
  return disk;
}

/** Changes the header at a sector so that its checksum is right again. */
function patchHeader(disk: MemoryDevice, lba: number, values: Partial<GptHeader>): void {
  patchGptHeader(disk.bytes.subarray(lba * 512, (lba + 1) * 512), values);
}

/** Changes an entry in both copies so that all checksums are right again. */
function patchEntry(disk: MemoryDevice, number: number, change: (entries: Uint8Array, at: number) => void): void {
  for (const lba of [1, lastLba]) {
    const at = gptHeader.get(disk.bytes, "entriesLba", lba * 512) * 512;
    const entries = disk.bytes.subarray(at, at + 128 * 128);
    change(entries, (number - 1) * 128);
    patchHeader(disk, lba, { entriesCrc: crc32(entries) });
  }
}

const setEntry =
  (values: Partial<GptEntry>) =>
  (entries: Uint8Array, at: number): void =>
    gptEntry.patch(entries, values, at);

async function tableOf(disk: MemoryDevice): Promise<PartitionTable> {
  const table = await readTable(disk);
  assert.ok(table !== undefined);
  return table;
}

const messagesOf = async (disk: MemoryDevice): Promise<string[]> =>
  (await tableOf(disk)).problems.map(({ message }) => message);

const breakages: readonly (readonly [string, (disk: MemoryDevice) => void, RegExp])[] = [
  ["no primary header", (disk) => disk.bytes.fill(0, 512, 1024), /header at sector 1 cannot be used: there is none/],
  ["a bit of the primary header", (disk) => void (disk.bytes[512 + 0x38]! ^= 1), /sector 1 .* its checksum is wrong/],
  ["a bit of the primary entries", (disk) => void (disk.bytes[1024 + 40]! ^= 1), /checksum of its entries is wrong/],
  [
    "no backup header",
    (disk) => disk.bytes.fill(0, lastLba * 512),
    /backup GPT header at sector 8191 .* there is none/,
  ],
  [
    "a bit of the backup",
    (disk) => void (disk.bytes[lastLba * 512 + 9]! ^= 1),
    /backup GPT header .* checksum is wrong/,
  ],
  [
    "a bit of the backup's entries",
    (disk) => void (disk.bytes[(lastLba - 32) * 512]! ^= 1),
    /backup .* of its entries/,
  ],
];

for (const [what, damage, message] of breakages) {
  test(`${what} lost: the table is read from the other copy, told, and repaired to the very bytes`, async () => {
    const disk = await demoDisk();
    const whole = disk.bytes.slice();
    const before = await tableOf(disk);
    damage(disk);
    const table = await tableOf(disk);
    assert.deepEqual(table.partitions, before.partitions);
    assert.equal(table.problems.length, 1);
    assert.equal(table.problems[0]?.severity, "error");
    assert.match(table.problems[0]?.message ?? "", message);
    assert.equal((await repairGpt(disk)).length, 1);
    assert.ok(Buffer.from(disk.bytes).equals(whole), "the bytes are as before");
    assert.deepEqual(await repairGpt(disk), []);
  });
}

test("both copies damaged is a failure", async () => {
  const disk = await demoDisk();
  disk.bytes.fill(0, 512, 1024);
  disk.bytes.fill(0, lastLba * 512);
  await assert.rejects(readTable(disk), { code: "damaged", message: /sector 1 .*sector 8191/ });
  await assert.rejects(repairGpt(disk), { code: "damaged" });
});

test("the protective MBR lost is told and given back", async () => {
  const disk = await demoDisk();
  const whole = disk.bytes.slice();
  disk.bytes.fill(0, 0, 512);
  assert.deepEqual(await messagesOf(disk), ["the protective MBR is missing, other programs see an empty disk"]);
  assert.deepEqual(await repairGpt(disk), ["wrote the protective MBR"]);
  assert.ok(Buffer.from(disk.bytes).equals(whole));
});

test("a disk erased at its start is empty until it is repaired", async () => {
  const disk = await demoDisk();
  const whole = disk.bytes.slice();
  disk.bytes.fill(0, 0, MiB);
  assert.equal(await readTable(disk), undefined);
  assert.equal((await repairGpt(disk)).length, 2);
  assert.ok(Buffer.from(disk.bytes).equals(whole));
});

test("a repair leaves another table alone", async () => {
  const disk = await demoDisk();
  disk.bytes[446 + 4] = 0x83;
  disk.bytes.fill(0, lastLba * 512);
  await assert.rejects(repairGpt(disk), { code: "damaged", message: /sector 0 holds an MBR/ });
});

test("on a device that grew, the backup is found, told to be misplaced, and moved to the end", async () => {
  const small = await demoDisk();
  const disk = new MemoryDevice(new Uint8Array(6 * MiB));
  disk.bytes.set(small.bytes);
  assert.deepEqual(await messagesOf(disk), ["the backup GPT is at sector 8191, not at the device's last, 12287"]);
  assert.deepEqual(await repairGpt(disk), ["moved the backup GPT from sector 8191 to the last, 12287"]);
  assert.deepEqual(await messagesOf(disk), []);
  assert.equal(gptHeader.get(disk.bytes, "lastUsableLba", 512), 12287 - 33);
});

test("on a device cut short the partition and the backup are told, and a repair touches no data", async () => {
  const disk = await demoDisk();
  const cut = new MemoryDevice(disk.bytes.subarray(0, 3 * MiB));
  assert.deepEqual(await messagesOf(cut), [
    "the backup GPT header at sector 8191 cannot be used: the device ends before it",
    `partition 2 ends at byte ${4 * MiB - 33 * 512}, the device at ${3 * MiB}`,
  ]);
  await assert.rejects(repairGpt(cut), { code: "damaged", message: /partition 2 is not within/, hint: /cut short/ });
});

test("a repair leaves primary entries where they were put to make room for a boot loader", async () => {
  const disk = await demoDisk();
  disk.bytes.copyWithin(100 * 512, 2 * 512, 34 * 512);
  disk.bytes.fill(0x77, 2 * 512, 34 * 512);
  patchHeader(disk, 1, { entriesLba: 100, firstUsableLba: 132 });
  disk.bytes.fill(0, lastLba * 512);
  assert.equal((await repairGpt(disk)).length, 1);
  assert.ok(disk.bytes.subarray(2 * 512, 34 * 512).every((byte) => byte === 0x77));
  assert.deepEqual(await messagesOf(disk), []);
});

const repairable: readonly (readonly [string, (disk: MemoryDevice) => MemoryDevice])[] = [
  ["the primary is lost", (disk) => (disk.bytes.fill(0, 512, 1024), disk)],
  ["the backup is lost", (disk) => (disk.bytes.fill(0, lastLba * 512), disk)],
  ["the device grew", (disk) => new MemoryDevice(Buffer.concat([disk.bytes, new Uint8Array(MiB)]))],
];

for (const [what, change] of repairable) {
  test(`a repair cut short where ${what} leaves a copy that can be used`, async () => {
    for (let writes = 0; ; writes++) {
      const disk = change(await demoDisk());
      const before = await tableOf(disk);
      let left = writes;
      const write = disk.write.bind(disk);
      disk.write = async (at, from) => {
        if (left-- > 0) return write(at, from);
        await write(at, from.subarray(0, 20)); // torn
        throw new Error("power is gone");
      };
      const done = await repairGpt(disk).then(
        () => true,
        () => false,
      );
      assert.deepEqual((await tableOf(disk)).partitions, before.partitions);
      if (done) break;
    }
  });
}

test("copies that differ are told, and the first counts", async () => {
  const disk = await demoDisk();
  patchHeader(disk, lastLba, { diskGuid: "99999999-2222-4333-8444-555555555555" });
  assert.deepEqual(await messagesOf(disk), ["the two copies of the GPT differ; the first is used"]);
  assert.equal((await tableOf(disk)).diskId, "11111111-2222-4333-8444-555555555555");
  assert.equal((await repairGpt(disk)).length, 1);
  assert.deepEqual(await messagesOf(disk), []);
});

test("a hybrid MBR is told", async () => {
  const disk = await demoDisk();
  disk.bytes.copyWithin(446 + 16, 446, 446 + 16);
  disk.bytes[446 + 16 + 4] = 0x0c;
  assert.match((await messagesOf(disk))[0] ?? "", /protective MBR has partitions of its own/);
});

test("partitions that overlap or leave the usable sectors are told", async () => {
  const disk = await demoDisk();
  patchEntry(disk, 1, setEntry({ firstLba: 5, lastLba: 5000 }));
  assert.deepEqual(await messagesOf(disk), [
    "partition 1 leaves the usable sectors 34 to 8158",
    "partitions 1 and 2 overlap",
  ]);
});

test("limits above 2^53, or an end before the start, leave a partition out with a problem", async () => {
  const huge = (offset: number) => (entries: Uint8Array, at: number) =>
    entries.fill(0xff, at + offset, at + offset + 8);
  const backwards = setEntry({ firstLba: 3000, lastLba: 2998 });
  const bytesOverflow = setEntry({ firstLba: 3000, lastLba: Number.MAX_SAFE_INTEGER - 1 });
  for (const change of [huge(0x20), huge(0x28), backwards, bytesOverflow]) {
    const disk = await demoDisk();
    patchEntry(disk, 1, change);
    const table = await tableOf(disk);
    assert.deepEqual(
      table.partitions.map(({ number }) => number),
      [2],
    );
    assert.equal(table.problems[0]?.message, "partition 1 has impossible limits and is left out");
  }
});

const impossibleHeaders: readonly (readonly [string, Partial<GptHeader>, RegExp])[] = [
  ["headers at another place", { currentLba: 7 }, /says that it belongs at sector 7/],
  ["entries of 64 bytes", { entrySizeBytes: 64 }, /entries of 64 bytes/],
  ["entries of 384 bytes", { entrySizeBytes: 384 }, /entries of 384 bytes/],
  ["one entry past the limit", { entryCount: 8193 }, /8193 entries take more than 1048576 bytes/],
  ["2³² entries", { entryCount: 0xffffffff }, /entries take more than/],
  ["entries over the header", { entriesLba: 1 }, /cannot be at sector 1/],
  ["entries past the end", { entriesLba: 8190 }, /entries pass the end/],
];

for (const [what, values, message] of impossibleHeaders) {
  test(`a header with a right checksum but ${what} is not used`, async () => {
    const disk = await demoDisk();
    patchHeader(disk, 1, values);
    assert.match((await messagesOf(disk))[0] ?? "", message);
  });
}

test("a header that names a place above 2^53 is not used", async () => {
  const disk = await demoDisk();
  disk.bytes.fill(0xff, 512 + 0x28, 512 + 0x30);
  patchHeader(disk, 1, {});
  assert.match((await messagesOf(disk))[0] ?? "", /a sector above 2\^53/);
});

test("a header of another length is read by its length", async () => {
  const disk = await demoDisk();
  const before = await tableOf(disk);
  patchHeader(disk, 1, { headerSizeBytes: 512 });
  patchHeader(disk, lastLba, { headerSizeBytes: 92 + 4 });
  assert.deepEqual(await tableOf(disk), before);
  for (const headerSizeBytes of [91, 513]) {
    const broken = await demoDisk();
    gptHeader.patch(broken.bytes, { headerSizeBytes }, 512);
    assert.match((await messagesOf(broken))[0] ?? "", /claims \d+ bytes/);
  }
});

test("as many entries as the limit are read, and larger ones too", async () => {
  const disk = new MemoryDevice(new Uint8Array(sizeBytes));
  const entryCount = 8192;
  const partitions = [{ sizeBytes: "rest", type: "linux" }] as const;
  await writeTable(disk, planTable({ sizeBytes, table: "gpt", layout: "aligned", entryCount, partitions }));
  const before = await tableOf(disk);
  assert.deepEqual(before.problems, []);
  for (const lba of [1, lastLba]) patchHeader(disk, lba, { entryCount: 4096, entrySizeBytes: 256 });
  const after = await tableOf(disk);
  assert.equal(after.gpt?.entryCount, 4096);
  assert.deepEqual({ ...after, gpt: before.gpt }, before);
});

test("a disk of 4096-byte sectors is read and repaired as such", async () => {
  const disk = await demoDisk();
  const big = new MemoryDevice(new Uint8Array(sizeBytes * 8));
  // Sector n of the one is sector n of the other: only the entries lie closer together.
  for (const lba of [0, 1, lastLba]) big.bytes.set(disk.bytes.subarray(lba * 512, (lba + 1) * 512), lba * 4096);
  for (const [lba, from] of [
    [2, 2],
    [lastLba - 32, lastLba - 32],
  ] as const) {
    big.bytes.set(disk.bytes.subarray(from * 512, (from + 32) * 512), lba * 4096);
  }
  const table = await readTable(big, { sectorSizeBytes: 4096 });
  assert.deepEqual(table?.problems, []);
  assert.equal(table.partitions[0]?.startBytes, 2048 * 4096);
  big.bytes.fill(0, 4096, 8192);
  assert.equal((await repairGpt(big, { sectorSizeBytes: 4096 })).length, 1);
  assert.deepEqual((await readTable(big, { sectorSizeBytes: 4096 }))?.partitions, table.partitions);
});
