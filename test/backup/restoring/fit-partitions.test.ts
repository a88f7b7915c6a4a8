import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Failure } from "../../../src/base/index.ts";
import { planFromDump, type DumpedPartition, type TableDump } from "../../../src/backup/clonezilla/index.ts";
import { fitPartitions, type Fit, type Flexibility } from "../../../src/backup/restoring/fit-partitions.ts";

const mib = 2048;

function partition(number: number, startLba: number, sectorCount: number, type = "83"): DumpedPartition {
  return { number, startLba, sectorCount, type, active: false, attributes: 0n };
}

const mbr: TableDump = {
  kind: "mbr",
  diskId: "0x12345678",
  partitions: [
    partition(1, mib, 100 * mib),
    partition(2, 101 * mib, 400 * mib),
    partition(3, 501 * mib, 499 * mib, "5"),
    partition(5, 502 * mib, 200 * mib),
    partition(6, 703 * mib, 100 * mib, "82"),
  ],
};
const flexible = new Map<number, Flexibility>([
  [1, { leastSectors: 30 * mib, isSmall: true }],
  [2, { leastSectors: 100 * mib }],
  [5, { leastSectors: 150 * mib }],
  [6, { leastSectors: 10 * mib, isSmall: true }],
]);

function sizes({ partitions }: TableDump): readonly number[][] {
  return partitions.map(({ number, startLba, sectorCount }) => [number, startLba / mib, sectorCount / mib]);
}

test("on a larger disk the room goes to all, to the last one, or to none", () => {
  const sizeBytes = 1600 * 2 ** 20;
  assert.deepEqual(sizes(fitPartitions(mbr, { sizeBytes, fit: "none", flexible })), sizes(mbr));
  assert.deepEqual(sizes(fitPartitions(mbr, { sizeBytes, fit: "last", flexible })), [
    [1, 1, 100],
    [2, 101, 400],
    [3, 501, 1099],
    [5, 502, 997],
    [6, 1500, 100],
  ]);
  assert.deepEqual(sizes(fitPartitions(mbr, { sizeBytes, fit: "proportional", flexible })), [
    [1, 1, 100],
    [2, 101, 931],
    [3, 1032, 567],
    [5, 1033, 465],
    [6, 1499, 100],
  ]);
});

test("on a smaller disk each gives what it can, the small ones only where there is no other way", () => {
  const fit = "proportional";
  assert.deepEqual(sizes(fitPartitions(mbr, { sizeBytes: 600 * 2 ** 20, fit, flexible })), [
    [1, 1, 100],
    [2, 101, 247],
    [3, 348, 252],
    [5, 349, 150],
    [6, 500, 100],
  ]);
  const [first] = sizes(fitPartitions(mbr, { sizeBytes: 320 * 2 ** 20, fit, flexible }));
  assert.ok((first?.[2] ?? 0) < 100);
  assert.throws(
    () => fitPartitions(mbr, { sizeBytes: 280 * 2 ** 20, fit, flexible }),
    (error) =>
      error instanceof Failure &&
      error.code === "no-space" &&
      /it takes at least 293 MiB/.test(error.message) &&
      /2 100 MiB/.test(error.hint ?? ""),
  );
});

test("whatever the sizes are, partitions neither overlap nor pass the end, and none has less than it needs", () => {
  const sizesOf = fc.array(fc.record({ gap: fc.nat(50), size: fc.integer({ min: 1, max: 900 }), least: fc.nat(900) }), {
    minLength: 1,
    maxLength: 9,
  });
  fc.assert(
    fc.property(
      sizesOf,
      fc.nat(9000),
      fc.constantFrom<Fit>("last", "proportional"),
      fc.boolean(),
      (all, size, fit, isGpt) => {
        let at = isGpt ? mib : 63;
        const needs = new Map<number, Flexibility>();
        const partitions: DumpedPartition[] = [];
        let extended: { startLba: number } | undefined;
        for (const [n, one] of all.entries()) {
          const isLogical = !isGpt && n > 1;
          if (isLogical) extended ??= { startLba: at + one.gap };
          const startLba = at + one.gap + (isLogical ? 63 : 0);
          const number = isLogical ? n + 3 : n + 1;
          partitions.push({ ...partition(number, startLba, one.size * 1000), guid: crypto.randomUUID() });
          if (one.least < one.size) needs.set(number, { leastSectors: one.least * 1000, isSmall: one.gap % 2 === 0 });
          at = startLba + one.size * 1000;
        }
        if (extended !== undefined) partitions.push(partition(3, extended.startLba, at - extended.startLba, "5"));
        const type = crypto.randomUUID();
        const dump: TableDump = isGpt
          ? { kind: "gpt", diskId: type, partitions: partitions.map((one) => ({ ...one, type })) }
          : { kind: "mbr", diskId: "0x1", partitions };
        const sizeBytes = size * 1000 * 512;
        let fitted: TableDump;
        try {
          fitted = fitPartitions(dump, { sizeBytes, fit, flexible: needs });
        } catch (error) {
          assert.ok(error instanceof Failure && error.code === "no-space");
          return;
        }
        planFromDump(fitted, sizeBytes); // throws where one passes the end, or a boot record has no room
        const data = fitted.partitions
          .filter(({ number }) => isGpt || number !== 3)
          .toSorted((a, b) => a.startLba - b.startLba);
        for (const [n, { number, startLba, sectorCount }] of data.entries()) {
          const before = data[n - 1];
          assert.ok(before === undefined || before.startLba + before.sectorCount <= startLba);
          const old = dump.partitions.find((one) => one.number === number)?.sectorCount ?? 0;
          const { leastSectors = old } = needs.get(number) ?? {};
          assert.ok(sectorCount >= Math.min(old, leastSectors));
          if (!needs.has(number)) assert.equal(sectorCount, old);
        }
      },
    ),
  );
});
