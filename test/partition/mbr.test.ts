import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryDevice } from "../../src/device/index.ts";
import { encodeMbrEntry, logicalLimit, patchMbrEntries } from "../../src/partition/mbr-records.ts";
import { defaultGeometry, planTable, readTable, writeTable, type Problem } from "../../src/partition/index.ts";
import { MiB } from "./sparse-disk.ts";

interface Entry {
  readonly type: number;
  readonly lba: number;
  readonly sectorCount: number;
  readonly active?: boolean;
}

function put(disk: MemoryDevice, atLba: number, entries: readonly Entry[]): void {
  const sector = disk.bytes.subarray(atLba * 512, (atLba + 1) * 512);
  patchMbrEntries(
    sector,
    entries.map((entry) => encodeMbrEntry({ ...entry, geometry: defaultGeometry })),
  );
}

function diskWith(...entries: readonly Entry[]): MemoryDevice {
  const disk = new MemoryDevice(new Uint8Array(2 * MiB));
  put(disk, 0, entries);
  return disk;
}

const extended: Entry = { type: 5, lba: 100, sectorCount: 3000 };

async function problemsOf(disk: MemoryDevice): Promise<readonly Problem[]> {
  return (await readTable(disk))?.problems ?? [];
}

async function numbersAndStarts(disk: MemoryDevice): Promise<[number, number][]> {
  const table = await readTable(disk);
  return (table?.partitions ?? []).map(({ number, startBytes }) => [number, startBytes / 512]);
}

test("the bytes of the classic disk's only entry", async () => {
  const disk = new MemoryDevice(new Uint8Array(512));
  Object.defineProperty(disk, "sizeBytes", { value: 4141875200 });
  const plan = planTable({
    sizeBytes: 4141875200,
    table: "mbr",
    layout: "classic",
    diskSignature: 0x12345678,
    partitions: [{ sizeBytes: "rest", type: "linux", active: true }],
  });
  disk.read = async (at, into) => into.set(disk.bytes.subarray(at, at + into.length));
  disk.write = async (at, from) => disk.bytes.set(from, at);
  await writeTable(disk, plan);
  const table = Buffer.from(disk.bytes).toString("hex", 440, 512);
  const entry = "80" + "010100" + "83" + "fe7ff6" + "3f000000" + "f84c7b00";
  assert.equal(table, "78563412" + "0000" + entry + "00".repeat(48) + "55aa");
});

test("the bytes of extended boot records, the first with a link", async () => {
  const disk = new MemoryDevice(new Uint8Array(12 * MiB));
  const partitions = Array.from({ length: 5 }, () => ({ sizeBytes: MiB, type: "linux" }));
  await writeTable(disk, planTable({ sizeBytes: 12 * MiB, table: "mbr", layout: "aligned", partitions }));
  const record = (atMiB: number): string =>
    Buffer.from(disk.bytes).toString("hex", atMiB * MiB + 446, atMiB * MiB + 512);
  const end = "55aa";
  // The partition counts from its record, the link from the first record; CHS from the start of the disk.
  const first = "00" + "a22300" + "83" + "c30300" + "00080000" + "00080000";
  const link = "00" + "c30400" + "05" + "050401" + "00100000" + "00100000";
  assert.equal(record(4), first + link + "00".repeat(32) + end);
  const second = "00" + "e32400" + "83" + "050401" + "00080000" + "00080000";
  assert.equal(record(6), second + "00".repeat(48) + end);
});

test("logical partitions are numbered from 5, in the order of the chain, whichever slot they are in", async () => {
  for (const code of [0x05, 0x0f, 0x85]) {
    const disk = diskWith({ ...extended, type: code });
    put(disk, 100, [
      { type: 0x83, lba: 63, sectorCount: 100 },
      { type: code, lba: 1000, sectorCount: 500 },
    ]);
    put(disk, 1100, [
      { type: 0x05, lba: 500, sectorCount: 400 },
      { type: 0x82, lba: 10, sectorCount: 100 },
    ]);
    put(disk, 600, [{ type: 0x07, lba: 1, sectorCount: 100 }]);
    assert.deepEqual(await numbersAndStarts(disk), [
      [1, 100],
      [5, 163],
      [6, 1110],
      [7, 601],
    ]);
    assert.deepEqual(await problemsOf(disk), []);
  }
});

test("a boot record without a partition is skipped", async () => {
  const disk = diskWith(extended);
  put(disk, 100, [{ type: 0x05, lba: 1000, sectorCount: 500 }]);
  put(disk, 1100, [{ type: 0x83, lba: 10, sectorCount: 100 }]);
  assert.deepEqual(await numbersAndStarts(disk), [
    [1, 100],
    [5, 1110],
  ]);
});

test("a chain that comes back is told, and what it had is kept", async () => {
  const disk = diskWith(extended);
  put(disk, 100, [
    { type: 0x83, lba: 63, sectorCount: 100 },
    { type: 0x05, lba: 1000, sectorCount: 500 },
  ]);
  put(disk, 1100, [
    { type: 0x83, lba: 63, sectorCount: 100 },
    { type: 0x05, lba: 0, sectorCount: 500 },
  ]);
  assert.deepEqual(await problemsOf(disk), [
    {
      severity: "error",
      message: "the chain of logical partitions in extended partition 1 comes back to sector 100: it is a loop",
    },
  ]);
  assert.equal((await numbersAndStarts(disk)).length, 3);
});

test("a chain that leaves its partition, the device, or boot records is told", async () => {
  const outside = diskWith(extended);
  put(outside, 100, [{ type: 0x05, lba: 3000, sectorCount: 5 }]);
  assert.match((await problemsOf(outside))[0]?.message ?? "", /leads to sector 3100, outside it/);

  const beyond = diskWith({ ...extended, sectorCount: 100_000 });
  put(beyond, 100, [{ type: 0x05, lba: 50_000, sectorCount: 5 }]);
  assert.match((await problemsOf(beyond))[0]?.message ?? "", /sector 50100, past the device's end/);

  const nothing = diskWith(extended);
  put(nothing, 100, [{ type: 0x05, lba: 7, sectorCount: 5 }]);
  assert.match((await problemsOf(nothing))[0]?.message ?? "", /sector 107, which is no boot record/);

  assert.deepEqual(await problemsOf(diskWith(extended)), [
    { severity: "warning", message: "extended partition 1 was never given a boot record" },
  ]);
});

test("a logical partition outside the extended one is told", async () => {
  const disk = diskWith(extended);
  put(disk, 100, [{ type: 0x83, lba: 63, sectorCount: 2938 }]);
  assert.deepEqual(await problemsOf(disk), [
    { severity: "error", message: "logical partition 5 lies outside the extended partition" },
  ]);
});

test("as many logical partitions as the limit are read, and one more is told", async () => {
  const chain = (count: number): MemoryDevice => {
    const disk = diskWith(extended);
    for (let n = 0; n < count; n++) {
      const data = { type: 0x83, lba: 1, sectorCount: 1 };
      const link = { type: 0x05, lba: (n + 1) * 2, sectorCount: 2 };
      put(disk, 100 + n * 2, n + 1 < count ? [data, link] : [data]);
    }
    return disk;
  };
  assert.deepEqual(await problemsOf(chain(logicalLimit)), []);
  assert.equal((await numbersAndStarts(chain(logicalLimit))).length, 1 + logicalLimit);
  assert.match((await problemsOf(chain(logicalLimit + 1)))[0]?.message ?? "", /more than 128 logical partitions/);
  assert.equal((await numbersAndStarts(chain(logicalLimit + 1))).length, 1 + logicalLimit);
});

test("overlap, the end of the device and two active partitions are told", async () => {
  const disk = diskWith(
    { type: 0x83, lba: 100, sectorCount: 1000, active: true },
    { type: 0x83, lba: 200, sectorCount: 10, active: true },
    { type: 0x83, lba: 1099, sectorCount: 10 },
    { type: 0x83, lba: 4000, sectorCount: 1000 },
  );
  assert.deepEqual(
    (await problemsOf(disk)).map(({ severity, message }) => `${severity}: ${message}`),
    [
      "warning: more than one partition is active",
      "error: partition 4 ends at byte 2560000, the device at 2097152",
      "error: partitions 1 and 2 overlap",
      "error: partitions 1 and 3 overlap",
    ],
  );
});

test("an active flag that is neither set nor clear is told; four of them are no table", async () => {
  const disk = diskWith({ type: 0x83, lba: 100, sectorCount: 10 }, { type: 0x83, lba: 200, sectorCount: 10 });
  disk.bytes[446] = 0x81;
  assert.match((await problemsOf(disk))[0]?.message ?? "", /partition 1 has the active flag 0x81/);
  disk.bytes[446 + 16] = 0x12;
  assert.equal(await readTable(disk), undefined);
});
