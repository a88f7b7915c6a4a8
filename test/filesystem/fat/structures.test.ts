import assert from "node:assert/strict";
import { test } from "node:test";
import { bootSector, infoSector, largeTail, smallTail } from "../../../src/filesystem/fat/boot-sector.ts";
import { longEntry, shortEntry } from "../../../src/filesystem/fat/directory-entry.ts";
import { decodeTime, encodeTime } from "../../../src/filesystem/dos-time.ts";
import { layoutOf } from "../../../src/filesystem/fat/layout.ts";
import { planLayout } from "../../../src/filesystem/fat/plan-layout.ts";
import { encodeEntries, readEntries } from "../../../src/filesystem/fat/table.ts";
import { MemoryDevice } from "../../../src/device/index.ts";
import { emptyFat } from "./sample-fat.ts";

function offsets(struct: {
  readonly fields: Readonly<Record<string, readonly [number, unknown]>>;
}): Record<string, number> {
  return Object.fromEntries(Object.entries(struct.fields).map(([name, [offset]]) => [name, offset]));
}

test("fields are where the specification has them", () => {
  assert.deepEqual(offsets(bootSector), {
    jump: 0,
    oemName: 3,
    sectorBytes: 11,
    clusterSectors: 13,
    reservedSectors: 14,
    tableCount: 16,
    rootEntries: 17,
    sectorCount16: 19,
    media: 21,
    tableSectors16: 22,
    trackSectors: 24,
    heads: 26,
    hiddenSectors: 28,
    sectorCount32: 32,
    signature: 510,
  });
  const common = { driveNumber: 36, state: 37, extendedSignature: 38, volumeId: 39, label: 43, typeName: 54 };
  assert.deepEqual(offsets(smallTail), common);
  assert.deepEqual(offsets(largeTail), {
    tableSectors32: 36,
    tableFlags: 40,
    version: 42,
    rootCluster: 44,
    infoSector: 48,
    backupSector: 50,
    ...Object.fromEntries(Object.entries(common).map(([name, offset]) => [name, offset + 28])),
  });
  assert.deepEqual(offsets(infoSector), {
    leadSignature: 0,
    structureSignature: 484,
    freeClusters: 488,
    nextFree: 492,
    trailSignature: 508,
  });
  assert.deepEqual(offsets(shortEntry), {
    name: 0,
    attributes: 11,
    caseBits: 12,
    createdHundredths: 13,
    createdTime: 14,
    createdDate: 16,
    accessedDate: 18,
    clusterHigh: 20,
    modifiedTime: 22,
    modifiedDate: 24,
    clusterLow: 26,
    sizeBytes: 28,
  });
  assert.deepEqual(offsets(longEntry), {
    order: 0,
    name1: 1,
    attributes: 11,
    type: 12,
    checksum: 13,
    name2: 14,
    name3: 28,
  });
});

test("entries of every kind of table are read as they were written", async () => {
  for (const [kind, sizeBytes, mask] of [
    ["fat12", 2 ** 20, 0xfff],
    ["fat16", 8 * 2 ** 20, 0xffff],
    ["fat32", 40 * 2 ** 20, 0xffffffff],
  ] as const) {
    const { bytes } = await emptyFat(kind, sizeBytes);
    const layout = layoutOf(bytes);
    assert.equal(layout.kind, kind);
    for (const count of [1, 2, 3, 1000]) {
      const entries = Uint32Array.from({ length: count }, (_, n) => (Math.imul(n + 3, 2_654_435_761) & mask) >>> 0);
      bytes.set(encodeEntries(kind, entries), layout.tableAt);
      assert.deepEqual(await readEntries(new MemoryDevice(bytes), layout, 0, count), entries);
    }
  }
});

test("times are kept to two seconds, the time of making to a hundredth; others become the nearest there is", () => {
  const time = { seconds: Date.UTC(2026, 10, 24, 14, 53, 15) / 1000, nanoseconds: 987_654_321 };
  assert.deepEqual(decodeTime(encodeTime(time)), { ...time, nanoseconds: 980_000_000 });
  assert.deepEqual(decodeTime({ ...encodeTime(time), hundredths: 0 }), { seconds: time.seconds - 1, nanoseconds: 0 });
  assert.equal(decodeTime({ date: 0, time: 0, hundredths: 0 }), undefined);
  const years = [-10, 5e9].map((seconds) => decodeTime(encodeTime({ seconds, nanoseconds: 5 }))?.seconds ?? 0);
  assert.deepEqual(
    years.map((seconds) => new Date(seconds * 1000).toISOString()),
    ["1980-01-01T00:00:00.000Z", "2107-12-31T23:59:58.000Z"],
  );
});

test("the kind follows from the size, and never comes near the limits between kinds", () => {
  for (let sizeBytes = 128 * 1024; sizeBytes < 2 ** 40; sizeBytes = Math.floor(sizeBytes * 1.07)) {
    const plan = planLayout({ kind: "fat" }, sizeBytes);
    const end = plan.reservedSectors + 2 * plan.tableSectors + plan.rootEntries / 16;
    assert.ok(end + plan.clusterCount * plan.clusterSectors <= plan.sectorCount);
    assert.ok(
      plan.sectorCount * 512 <= sizeBytes && sizeBytes - plan.sectorCount * 512 < plan.clusterSectors * 512 + 512,
    );
    for (const limit of [4085, 65_525]) assert.ok(Math.abs(plan.clusterCount - limit) >= 16);
  }
});
