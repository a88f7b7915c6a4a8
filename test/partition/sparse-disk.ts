import fc from "fast-check";
import { OverlayDevice, type BlockReader } from "../../src/device/index.ts";
import type { PartitionRequest, TableRequest } from "../../src/partition/index.ts";

export const MiB = 1024 * 1024;

/** A disk of any size that holds only what is written to it. */
export function sparseDisk(sizeBytes: number): OverlayDevice {
  const zeros: BlockReader = {
    sizeBytes,
    read: async (_at, into) => void into.fill(0),
    async [Symbol.asyncDispose]() {},
  };
  return new OverlayDevice(zeros);
}

const mbrType = fc.constantFrom("linux", "linux-swap", "efi", "fat32-lba", "ntfs", "lvm", "0x42");
const gptType = fc.constantFrom("linux", "swap", "efi", "bios-boot", "microsoft-data", "linux-root-x86-64");
const sizeBytes = fc.oneof(
  fc.integer({ min: 1, max: 40 * MiB }),
  fc.integer({ min: 1, max: 40 }).map((n) => n * MiB),
);

function withRest(partitions: readonly PartitionRequest[], at: number): PartitionRequest[] {
  return partitions.map((partition, n) => (n === at ? { ...partition, sizeBytes: "rest" } : partition));
}

const mbrRequest: fc.Arbitrary<TableRequest> = fc
  .record({
    layout: fc.constantFrom("aligned" as const, "classic" as const),
    geometry: fc.constantFrom({ heads: 255, sectors: 63 }, { heads: 16, sectors: 63 }, { heads: 64, sectors: 32 }),
    diskSignature: fc.integer({ min: 0, max: 0xffffffff }),
    partitions: fc.array(fc.record({ sizeBytes, type: mbrType }), { minLength: 1, maxLength: 9 }),
    rest: fc.integer({ min: 0, max: 12 }),
    active: fc.boolean(),
    spare: fc.integer({ min: 0, max: 40 * MiB }),
  })
  .map(({ partitions, rest, active, spare, ...words }) => ({
    ...words,
    table: "mbr",
    // Enough for every partition rounded up to a cylinder and its boot record.
    sizeBytes: 16 * MiB + partitions.reduce((sum, partition) => sum + partition.sizeBytes + 16 * MiB, spare),
    partitions: withRest(partitions, rest).map((partition, n) => ({ ...partition, active: active && n === 0 })),
  }));

const label = fc
  .string({ unit: "grapheme", maxLength: 18 })
  .filter((text) => text.length <= 36 && !text.includes("\0"));

const gptRequest: fc.Arbitrary<TableRequest> = fc
  .record({
    diskGuid: fc.uuid(),
    entryCount: fc.constantFrom(128, 129, 256, 1024),
    partitions: fc.array(
      fc.record({
        sizeBytes,
        type: gptType,
        label,
        guid: fc.uuid(),
        attributes: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      }),
      { minLength: 1, maxLength: 12 },
    ),
    rest: fc.integer({ min: 0, max: 15 }),
    spare: fc.integer({ min: 0, max: 40 * MiB }),
  })
  .map(({ partitions, rest, spare, ...words }) => ({
    ...words,
    table: "gpt",
    layout: "aligned",
    sizeBytes: 3 * MiB + partitions.reduce((sum, partition) => sum + partition.sizeBytes + MiB, spare),
    partitions: withRest(partitions, rest),
  }));

/** Requests that fit their disk: both tables, both layouts, several geometries, "rest" anywhere or nowhere. */
export const anyRequest: fc.Arbitrary<TableRequest> = fc.oneof(mbrRequest, gptRequest);
