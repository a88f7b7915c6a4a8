import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { planTable, type PartitionRequest, type TableRequest } from "../../src/partition/index.ts";
import { anyRequest, MiB } from "./sparse-disk.ts";

const rest: PartitionRequest = { sizeBytes: "rest", type: "linux" };
const sized = (sizeMiB: number): PartitionRequest => ({ sizeBytes: sizeMiB * MiB, type: "linux" });
const mbr = (sizeBytes: number, partitions: readonly PartitionRequest[]): TableRequest => ({
  sizeBytes,
  table: "mbr",
  layout: "aligned",
  partitions,
});
const gpt = (sizeBytes: number, partitions: readonly PartitionRequest[]): TableRequest => ({
  ...mbr(sizeBytes, partitions),
  table: "gpt",
});
const places = (request: TableRequest): [number, number, number][] =>
  planTable(request).partitions.map(({ number, startLba, sectorCount }) => [number, startLba, sectorCount]);

test("the classic case: 4141875200 bytes give one partition of 8080632 sectors from sector 63", () => {
  assert.deepEqual(places({ ...mbr(4141875200, [rest]), layout: "classic" }), [[1, 63, 8080632]]);
});

test("the rest of an aligned disk goes to the last usable sector", () => {
  assert.deepEqual(places(mbr(4141875200, [rest])), [[1, 2048, 8089600 - 2048]]);
  assert.deepEqual(places(gpt(4141875200, [rest])), [[1, 2048, 8089600 - 2048 - 33]]);
});

test("the rest may stand anywhere and takes what the others leave", () => {
  assert.deepEqual(places(gpt(100 * MiB, [sized(10), rest, sized(20)])), [
    [1, 2048, 10 * 2048],
    [2, 11 * 2048, 68 * 2048],
    [3, 79 * 2048, 20 * 2048],
  ]);
});

test("a size is rounded up to a MiB, but the last need not be where the disk has no whole MiB left", () => {
  const odd: PartitionRequest = { sizeBytes: MiB + 1, type: "linux" };
  assert.deepEqual(places(mbr(8 * MiB, [odd])), [[1, 2048, 4096]]);
  assert.deepEqual(places(mbr(2 * MiB + 1024, [odd])), [[1, 2048, 2050]]);
});

test("the fourth of more than four becomes logical, its boot record 1 MiB before it", () => {
  const plan = planTable(mbr(100 * MiB, [sized(1), sized(2), sized(3), sized(4), sized(5)]));
  assert.equal(plan.kind, "mbr");
  assert.deepEqual(plan.extended, {
    number: 4,
    startLba: 7 * 2048,
    sectorCount: 93 * 2048,
    typeCode: 5,
    active: false,
  });
  assert.deepEqual(
    plan.partitions.map(({ number, startLba, recordLba }) => [number, startLba / 2048, (recordLba ?? 0) / 2048]),
    [
      [1, 1, 0],
      [2, 2, 0],
      [3, 4, 0],
      [5, 8, 7],
      [6, 13, 12],
    ],
  );
});

test("classic partitions start and end on cylinders, but for the first track and the boot records", () => {
  const cylinder = 255 * 63;
  const plan = planTable({ ...mbr(2000 * MiB, [sized(50), sized(50), sized(50), sized(50), rest]), layout: "classic" });
  assert.equal(plan.kind, "mbr");
  assert.equal(plan.partitions[0]?.startLba, 63);
  for (const { startLba, sectorCount } of plan.partitions) assert.equal((startLba + sectorCount) % cylinder, 0);
  for (const { startLba } of plan.partitions.slice(1, 3)) assert.equal(startLba % cylinder, 0);
  for (const { startLba, recordLba } of plan.partitions.slice(3)) {
    assert.equal(recordLba, startLba - 63);
    assert.equal(recordLba % cylinder, 0);
  }
});

test("too little room says how much is needed and what there is, and that much is enough", () => {
  for (const layout of ["aligned", "classic"] as const) {
    const wish = { ...mbr(100 * MiB, [sized(60), sized(60)]), layout };
    const error = failureOf(() => planTable(wish));
    assert.equal(error.code, "no-space");
    const needed = Number(/\((\d+) bytes\) are needed/.exec(error.message)?.[1]);
    assert.match(error.message, /100 MiB \(104857600 bytes\)/);
    planTable({ ...wish, sizeBytes: needed });
    assert.throws(() => planTable({ ...wish, sizeBytes: needed - 512 }), { code: "no-space" });
  }
  const needed = Number(/\((\d+) bytes\) are needed/.exec(failureOf(() => planTable(gpt(1, [sized(7)]))).message)?.[1]);
  assert.equal(needed, 8 * MiB + 33 * 512);
  planTable(gpt(needed, [sized(7)]));
});

test("an MBR ends at 2 TiB and says so", () => {
  const tebi = 2 ** 40;
  assert.deepEqual(places(mbr(2 * tebi, [rest])), [[1, 2048, 2 ** 32 - 2048]]);
  const wish = mbr(2 * tebi + 512, [rest]);
  assert.throws(() => planTable(wish), { code: "unsupported", hint: /gpt/ });
  planTable({ ...wish, table: "gpt" });
  planTable(mbr(3 * tebi, [sized(1024)])); // a larger disk is no fault while no partition goes there
});

test("as many MBR partitions as other programs read, and no more", () => {
  const many = (count: number): PartitionRequest[] => Array.from({ length: count }, () => sized(1));
  assert.equal(places(mbr(1024 * MiB, many(59))).at(-1)?.[0], 60);
  assert.throws(() => planTable(mbr(1024 * MiB, many(60))), { code: "unsupported", hint: /gpt/ });
});

test("as many GPT entries as fit 1 MiB, and no more", () => {
  planTable({ ...gpt(100 * MiB, [rest]), entryCount: 8192 });
  assert.throws(() => planTable({ ...gpt(100 * MiB, [rest]), entryCount: 8193 }), { code: "usage" });
  assert.throws(() => planTable({ ...gpt(100 * MiB, [rest]), entryCount: 127 }), { code: "usage" });
  const plan = planTable(
    gpt(
      300 * MiB,
      Array.from({ length: 130 }, () => sized(1)),
    ),
  );
  assert.equal(plan.kind === "gpt" && plan.entryCount, 132);
});

test("a name of 36 UTF-16 units fits, one more does not", () => {
  planTable(gpt(10 * MiB, [{ ...rest, label: "😀".repeat(18) }]));
  assert.throws(() => planTable(gpt(10 * MiB, [{ ...rest, label: "x".repeat(37) }])), { code: "usage" });
});

const wrongWords: readonly (readonly [string, TableRequest])[] = [
  ["GPT in cylinders", { ...gpt(100 * MiB, [rest]), layout: "classic" }],
  ["two rests", mbr(100 * MiB, [rest, rest])],
  ["a size of nothing", mbr(100 * MiB, [sized(0)])],
  ["a part of a byte", mbr(100 * MiB, [{ sizeBytes: 1.5, type: "linux" }])],
  ["an unknown type", mbr(100 * MiB, [{ sizeBytes: "rest", type: "lunix" }])],
  ["an extended partition", mbr(100 * MiB, [{ sizeBytes: "rest", type: "extended" }])],
  ["an empty type", mbr(100 * MiB, [{ sizeBytes: "rest", type: "0" }])],
  ["a name in an MBR", mbr(100 * MiB, [{ ...rest, label: "root" }])],
  [
    "two active partitions",
    mbr(
      100 * MiB,
      [sized(1), sized(1)].map((one) => ({ ...one, active: true })),
    ),
  ],
  [
    "an active logical partition",
    mbr(
      100 * MiB,
      [1, 2, 3, 4, 5].map((n) => ({ ...sized(1), active: n === 4 })),
    ),
  ],
  ["a geometry of 64 sectors", { ...mbr(100 * MiB, [rest]), geometry: { heads: 255, sectors: 64 } }],
  ["a geometry without heads", { ...mbr(100 * MiB, [rest]), geometry: { heads: 0, sectors: 63 } }],
  ["a disk signature of 33 bits", { ...mbr(100 * MiB, [rest]), diskSignature: 2 ** 32 }],
  ["a disk GUID that is none", { ...gpt(100 * MiB, [rest]), diskGuid: "me" }],
  ["65 attribute bits", gpt(100 * MiB, [{ ...rest, attributes: 2n ** 64n }])],
];

for (const [what, request] of wrongWords) {
  test(`${what} is a usage failure`, () => assert.throws(() => planTable(request), { code: "usage" }));
}

test("any plan keeps its partitions inside the disk, apart, and as large as asked", () => {
  fc.assert(
    fc.property(anyRequest, (request) => {
      const plan = planTable(request);
      const endLba = plan.kind === "gpt" ? plan.lastUsableLba + 1 : Math.floor(plan.sizeBytes / 512);
      let freeFrom = plan.kind === "gpt" ? plan.firstUsableLba : 1;
      plan.partitions.forEach(({ startLba, sectorCount, ...partition }, n) => {
        const recordLba = "recordLba" in partition ? partition.recordLba : undefined;
        assert.ok((recordLba ?? startLba) >= freeFrom, "starts after the one before");
        assert.ok(recordLba === undefined || recordLba < startLba, "the boot record is before the partition");
        const wish = request.partitions[n]?.sizeBytes;
        assert.ok(wish === "rest" ? sectorCount > 0 : sectorCount * 512 >= (wish ?? 0), "is large enough");
        if (request.layout === "aligned") assert.equal(startLba % 2048, 0);
        freeFrom = startLba + sectorCount;
      });
      assert.ok(freeFrom <= endLba, "ends inside the disk");
    }),
  );
});

test("the same request with the same source of randomness gives the same plan", () => {
  const randomUuid = (): string => "12345678-9abc-4def-8123-456789abcdef";
  const plan = planTable({ ...mbr(100 * MiB, [rest]), randomUuid });
  assert.equal(plan.kind === "mbr" && plan.diskSignature, 0x12345678);
  const wish = { ...gpt(100 * MiB, [rest]), randomUuid };
  assert.deepEqual(planTable(wish), planTable(wish));
});

function failureOf(call: () => unknown): Error & { readonly code: string } {
  try {
    call();
  } catch (error) {
    return error as Error & { readonly code: string };
  }
  throw new Error("it did not fail");
}
