import { test } from "node:test";
import fc from "fast-check";
import { Failure } from "../../src/base/index.ts";
import { MemoryDevice } from "../../src/device/index.ts";
import { planTable, readTable, repairGpt, writeTable, type TableRequest } from "../../src/partition/index.ts";
import { MiB } from "./sparse-disk.ts";

const sizeBytes = 12 * MiB;
const sized = { sizeBytes: MiB, type: "linux" } as const;

async function image(request: Pick<TableRequest, "table">): Promise<Uint8Array> {
  const disk = new MemoryDevice(new Uint8Array(sizeBytes));
  const partitions = [sized, sized, sized, sized, sized];
  await writeTable(disk, planTable({ ...request, sizeBytes, layout: "aligned", partitions }));
  return disk.bytes;
}

const images = [await image({ table: "mbr" }), await image({ table: "gpt" })];

/** Where a table has its bytes: the first sectors, the boot records of logical partitions, the last sectors. */
const place = fc.oneof(
  fc.integer({ min: 440, max: 3 * 512 }),
  fc.integer({ min: 440, max: 511 }).map((at) => 4 * MiB + at),
  fc.integer({ min: 440, max: 511 }).map((at) => 6 * MiB + at),
  fc.integer({ min: 1, max: 512 }).map((before) => sizeBytes - before),
);

/** Anything but an answer or a `Failure` fails the property. */
async function survives(call: () => Promise<unknown>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
  }
}

test("bytes changed anywhere in a table, and a device cut anywhere, give an answer or a failure", async () => {
  const damage = fc.record({
    which: fc.constantFrom(0, 1),
    changes: fc.array(fc.tuple(place, fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 8 }),
    cutBytes: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: sizeBytes })),
  });
  await fc.assert(
    fc.asyncProperty(damage, async ({ which, changes, cutBytes }) => {
      const bytes = images[which]!;
      const undo = changes.map(([at]) => [at, bytes[at]!] as const);
      for (const [at, value] of changes) bytes[at] = value;
      const disk = new MemoryDevice(bytes.subarray(0, sizeBytes - cutBytes));
      await survives(() => readTable(disk));
      await survives(() => readTable(disk, { sectorSizeBytes: 4096 }));
      await survives(() => repairGpt(new MemoryDevice(bytes.slice(0, 2 * MiB))));
      for (const [at, value] of undo.toReversed()) bytes[at] = value;
    }),
    { numRuns: 1000 },
  );
});

test("every single bit of the records of a table, flipped, gives an answer or a failure", async () => {
  const bootRecord = { from: 440, to: 512 };
  const gptRecord = { from: 0, to: 128 };
  const records = [
    ...[0, 4 * MiB, 6 * MiB].map((start) => ({ start, ...bootRecord })),
    ...[512, 1024, sizeBytes - 33 * 512, sizeBytes - 512].map((start) => ({ start, ...gptRecord })),
  ];
  for (const bytes of images) {
    const disk = new MemoryDevice(bytes);
    for (const { start, from, to } of records) {
      for (let bit = from * 8; bit < to * 8; bit++) {
        const at = start + (bit >> 3);
        bytes[at]! ^= 1 << (bit & 7);
        await survives(() => readTable(disk));
        bytes[at]! ^= 1 << (bit & 7);
      }
    }
  }
});

test("a device of noise that claims a table gives an answer or a failure", async () => {
  const noise = fc.uint8Array({ minLength: 1024, maxLength: 20_000 });
  await fc.assert(
    fc.asyncProperty(noise, fc.boolean(), async (bytes, isGpt) => {
      bytes.set([0x55, 0xaa], 510);
      if (isGpt) bytes.set([0x00, 0, 2, 0, 0xee], 446);
      await survives(() => readTable(new MemoryDevice(bytes)));
    }),
    { numRuns: 300 },
  );
});
