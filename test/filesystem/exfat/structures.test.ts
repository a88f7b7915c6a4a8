import assert from "node:assert/strict";
import { test } from "node:test";
import { Struct } from "../../../src/bytes/index.ts";
import { MemoryDevice } from "../../../src/device/index.ts";
import { checksum32 } from "../../../src/filesystem/exfat/checksums.ts";
import { encodeName, fileSets, hashOfName, isSealed, seal } from "../../../src/filesystem/exfat/directory-sets.ts";
import { createdAt, decodeStamp } from "../../../src/filesystem/exfat/exfat-time.ts";
import { readLayout } from "../../../src/filesystem/exfat/layout.ts";
import { planLayout, upcaseBytes } from "../../../src/filesystem/exfat/plan-layout.ts";
import * as records from "../../../src/filesystem/exfat/records.ts";
import { UpcaseTable } from "../../../src/filesystem/exfat/upcase.ts";
import { emptyExfat } from "./sample-exfat.ts";

const mib = 2 ** 20;
const gib = 2 ** 30;

test("fields are where the specification has them", () => {
  const found: Record<string, Record<string, number>> = {};
  for (const [name, value] of Object.entries<unknown>(records)) {
    if (!(value instanceof Struct)) continue;
    const fields = Object.entries<readonly [number, unknown]>(value.fields);
    found[name] = Object.fromEntries(fields.map(([field, [offset]]) => [field, offset]));
  }
  assert.deepEqual(found, {
    bootSector: {
      jump: 0,
      signature: 3,
      partitionSector: 64,
      sectorCount: 72,
      fatSector: 80,
      fatSectors: 84,
      heapSector: 88,
      clusterCount: 92,
      rootCluster: 96,
      serial: 100,
      revision: 104,
      flags: 106,
      sectorBytesLog2: 108,
      clusterSectorsLog2: 109,
      fatCount: 110,
      driveNumber: 111,
      percentInUse: 112,
      endMark: 510,
    },
    bitmapEntry: { type: 0, flags: 1, firstCluster: 20, dataBytes: 24 },
    upcaseEntry: { type: 0, checksum: 4, firstCluster: 20, dataBytes: 24 },
    labelEntry: { type: 0, unitCount: 1, label: 2 },
    fileEntry: {
      type: 0,
      secondaryCount: 1,
      checksum: 2,
      attributes: 4,
      created: 8,
      modified: 12,
      accessed: 16,
      createdHundredths: 20,
      modifiedHundredths: 21,
      createdOffset: 22,
      modifiedOffset: 23,
      accessedOffset: 24,
    },
    streamEntry: { type: 0, flags: 1, nameUnits: 3, nameHash: 4, validBytes: 8, firstCluster: 20, dataBytes: 24 },
    nameEntry: { type: 0, flags: 1, units: 2 },
    secondaryEntry: { type: 0, flags: 1, firstCluster: 20, dataBytes: 24 },
  });
});

test("the recommended up-case table is Microsoft's, byte for byte", () => {
  const table = UpcaseTable.recommended();
  const bytes = table.encode();
  assert.equal(bytes.length, upcaseBytes);
  assert.equal(checksum32(bytes), 0xe619d30d);
  assert.equal(
    table.fold("aZ\u00e4\u00ff\u00df\u03c9\u0451\u1e9e\uff5a\u{1f600}"),
    "AZ\u00c4\u0178\u00df\u03a9\u0401\u1e9e\uff3a\u{1f600}",
  );
  assert.deepEqual(UpcaseTable.decode(bytes).encode(), bytes);
});

test("an up-case table of any bytes is read", () => {
  for (const values of [[], [0xffff], [0xffff, 0xffff, 0xffff, 0xffff, 7], [0xffff, 0x61, 0x41], [0xffff, 0]]) {
    const table = UpcaseTable.decode(Buffer.from(Uint16Array.from(values).buffer));
    assert.equal(table.fold("a").length, 1);
  }
  assert.equal(UpcaseTable.decode(Buffer.from(Uint16Array.of(0xffff, 0x61, 0x41).buffer)).fold("ab"), "Ab");
});

test("names become sets of entries and come back, of every length", () => {
  const upcase = UpcaseTable.recommended();
  assert.equal(hashOfName("", upcase), 0);
  assert.equal(hashOfName("Read Me.txt", upcase), hashOfName("READ ME.TXT", upcase));
  for (const length of [1, 2, 14, 15, 16, 30, 31, 254, 255]) {
    const name = `\u{1f600}${"\u00e4x".repeat(200)}`.slice(0, length).toWellFormed();
    const parts = encodeName(name);
    const count = 2 + parts.length / 32;
    const set = Buffer.concat([
      records.fileEntry.encode({ type: 0x85, secondaryCount: count - 1 }),
      records.streamEntry.encode({ type: 0xc0, nameUnits: name.length }),
      parts,
    ]);
    seal(set);
    assert.ok(isSealed(set));
    assert.deepEqual([...fileSets(set)], [{ kind: "file", name, slot: 0, count }]);
    for (let cut = 1; cut < count; cut++) assert.deepEqual([...fileSets(set.subarray(0, cut * 32))], []);
    set[40] = 1;
    assert.ok(!isSealed(set));
  }
});

test("times are kept to a hundredth of a second, whatever zone they were written in", () => {
  const time = { seconds: Date.UTC(2026, 10, 24, 14, 53, 15) / 1000, nanoseconds: 980_000_000 };
  const { created, createdHundredths, createdOffset } = createdAt({ ...time, nanoseconds: 987_654_321 });
  assert.deepEqual(decodeStamp(created, createdHundredths, createdOffset), time);
  const shown = (offset: number): number =>
    (decodeStamp(created, createdHundredths, offset)?.seconds ?? 0) - time.seconds;
  assert.equal(shown(0), 0, "no offset: as it stands");
  assert.equal(shown(0x80 | 4), -3600, "east of Greenwich it is earlier in UTC");
  assert.equal(shown(0x80 | (0x80 - 22)), 5.5 * 3600);
  assert.equal(shown(0x7c), 0, "an offset that is not valid is none");
  assert.equal(decodeStamp(0, 0, 0), undefined);
});

test("the layout of new file systems fits their size, at every size", async () => {
  for (let sizeBytes = mib; sizeBytes < 2 ** 46; sizeBytes = Math.floor(sizeBytes * 1.37)) {
    const plan = planLayout(sizeBytes);
    assert.ok(plan.fatSector >= 24 && plan.fatSector + plan.fatSectors <= plan.heapSector);
    assert.ok(plan.fatSectors * 512 >= (plan.clusterCount + 2) * 4);
    const endSector = plan.heapSector + plan.clusterCount * plan.clusterSectors;
    assert.ok(endSector <= plan.sectorCount && plan.sectorCount - endSector < plan.clusterSectors);
    const expected = sizeBytes <= 256 * mib ? 8 : sizeBytes <= 32 * gib ? 64 : 256;
    assert.equal(plan.clusterSectors, expected);
  }
  for (const clusterBytes of [512, 4096, 2 ** 18]) {
    const layout = await readLayout(await emptyExfat(4 * mib, clusterBytes));
    assert.deepEqual([layout.clusterBytes, layout.problem], [clusterBytes, undefined]);
  }
  assert.throws(() => planLayout(mib - 1), { code: "usage", message: /at least 1 MiB/ });
  assert.throws(() => planLayout(8 * mib, 1000), { code: "usage", message: /power of two/ });
  assert.throws(() => planLayout(8 * mib, 32 * mib), { code: "usage", message: /would be 0/ });
  assert.throws(() => planLayout(2 ** 46, 512), { code: "usage", message: /clusters/ });
});

test("making is reproducible, and says what it was asked to", async () => {
  const [one, other] = [await emptyExfat(8 * mib), await emptyExfat(8 * mib)];
  assert.deepEqual(one.bytes, other.bytes);
  const layout = await readLayout(new MemoryDevice(one.bytes));
  assert.equal(layout.serial, 0x1234abcd);
  assert.equal(one.bytes[112], 0, "percent in use");
});
