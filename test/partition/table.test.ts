import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MemoryDevice, readBytes, type BlockReader } from "../../src/device/index.ts";
import {
  openPartitionDevice,
  openPartitionReader,
  planTable,
  readTable,
  writeTable,
  type PartitionTable,
  type TablePlan,
  type TableRequest,
} from "../../src/partition/index.ts";
import { anyRequest, MiB, sparseDisk } from "./sparse-disk.ts";

const rest = { sizeBytes: "rest", type: "linux" } as const;

async function tableOf(reader: BlockReader): Promise<PartitionTable> {
  const table = await readTable(reader);
  assert.ok(table !== undefined, "there is a table");
  return table;
}

function assertSame(table: PartitionTable, plan: TablePlan): void {
  assert.deepEqual(table.problems, []);
  assert.equal(table.kind, plan.kind);
  const id = plan.kind === "gpt" ? plan.diskGuid : `0x${plan.diskSignature.toString(16).padStart(8, "0")}`;
  assert.equal(table.diskId, id);
  const found = table.partitions.filter((partition) => !partition.extended);
  assert.equal(found.length, plan.partitions.length);
  plan.partitions.forEach((planned, n) => {
    const { startLba, sectorCount, ...words } = planned;
    if ("recordLba" in words) delete words.recordLba;
    const expected = { ...words, startBytes: startLba * 512, sizeBytes: sectorCount * 512 };
    assert.deepEqual({ ...found[n], ...expected }, found[n]);
  });
  const extended = table.partitions.find((partition) => partition.extended);
  if (plan.kind === "mbr") assert.equal(extended?.startBytes, plan.extended && plan.extended.startLba * 512);
}

test("whatever is planned and written is read again, without a problem", async () => {
  await fc.assert(
    fc.asyncProperty(anyRequest, async (request) => {
      const plan = planTable(request);
      await using disk = sparseDisk(request.sizeBytes);
      await writeTable(disk, plan);
      assertSame(await tableOf(disk), plan);
    }),
  );
});

test("one table replaces another, of either kind", async () => {
  await fc.assert(
    fc.asyncProperty(anyRequest, anyRequest, async (first, second) => {
      const sizeBytes = Math.max(first.sizeBytes, second.sizeBytes);
      await using disk = sparseDisk(sizeBytes);
      for (const request of [first, second]) {
        const plan = planTable({ ...request, sizeBytes });
        await writeTable(disk, plan);
        assertSame(await tableOf(disk), plan);
      }
    }),
    { numRuns: 50 },
  );
});

const both: readonly TableRequest[] = (["mbr", "gpt"] as const).map((table) => ({
  sizeBytes: 8 * MiB,
  table,
  layout: "aligned",
  partitions: [rest],
}));

for (const request of both) {
  test(`boot code survives a new ${request.table} table, what started a file system does not`, async () => {
    const disk = new MemoryDevice(new Uint8Array(8 * MiB));
    disk.bytes.fill(0x90, 0, 440);
    disk.bytes.fill(0x77, 512 * 40, MiB);
    await writeTable(disk, planTable(request));
    assert.ok(disk.bytes.subarray(0, 440).every((byte) => byte === 0x90));
    assert.ok(disk.bytes.subarray(512 * 40, MiB).every((byte) => byte === 0x77));
    disk.bytes.set(fatBootSector());
    await writeTable(disk, planTable(request));
    assert.ok(disk.bytes.subarray(0, 440).every((byte) => byte === 0));
    assert.equal((await tableOf(disk)).kind, request.table);
  });

  test(`a ${request.table} table cut short while it is written leaves the old table or the new`, async () => {
    const old = planTable({ ...request, table: request.table === "mbr" ? "gpt" : "mbr" });
    const plan = planTable(request);
    for (let writes = 0; ; writes++) {
      const disk = sparseDisk(8 * MiB);
      await writeTable(disk, old);
      let left = writes;
      const write = disk.write.bind(disk);
      disk.write = async (at, from) => {
        if (left-- <= 0) throw new Error("power is gone");
        await write(at, from);
      };
      const done = await writeTable(disk, plan).then(
        () => true,
        () => false,
      );
      const table = await tableOf(disk);
      const expected = table.kind === plan.kind ? plan : old;
      assert.equal(table.partitions[0]?.sizeBytes, (expected.partitions[0]?.sectorCount ?? 0) * 512);
      if (done) break;
    }
  });
}

/** The first sector of a 1.44 MB floppy, as far as it matters. */
function fatBootSector(): Uint8Array {
  const sector = Buffer.alloc(512);
  sector.set([0xeb, 0x3c, 0x90]);
  sector.write("MSDOS5.0", 3);
  sector.writeUInt16LE(512, 11);
  sector.writeUInt8(1, 13);
  sector.writeUInt16LE(1, 14);
  sector.writeUInt8(2, 16);
  sector.writeUInt8(0xf0, 21);
  sector.writeUInt16LE(0xaa55, 510);
  return sector;
}

test("no table: an empty disk, a disk of no size, a file system over the whole disk", async () => {
  assert.equal(await readTable(new MemoryDevice(new Uint8Array(0))), undefined);
  assert.equal(await readTable(new MemoryDevice(new Uint8Array(511))), undefined);
  assert.equal(await readTable(new MemoryDevice(new Uint8Array(MiB))), undefined);

  const fat = new MemoryDevice(new Uint8Array(MiB));
  fat.bytes.set(fatBootSector());
  assert.equal(await readTable(fat), undefined);
  fat.bytes.set(Buffer.from("Non-system disk, press any key and then do it again, thank you"), 446);
  assert.equal(await readTable(fat), undefined);

  const ntfs = new MemoryDevice(new Uint8Array(MiB));
  ntfs.bytes.set([0xeb, 0x52, 0x90, ...Buffer.from("NTFS    ")]);
  ntfs.bytes.set([0x55, 0xaa], 510);
  assert.equal(await readTable(ntfs), undefined);
});

test("a table behind a boot sector that looks like FAT is a table, for some boot keys have both", async () => {
  const disk = new MemoryDevice(new Uint8Array(8 * MiB));
  await writeTable(disk, planTable({ sizeBytes: 8 * MiB, table: "mbr", layout: "aligned", partitions: [rest] }));
  disk.bytes.set(fatBootSector().subarray(0, 440));
  assert.equal((await tableOf(disk)).partitions.length, 1);
});

test("a partition opens as a device of its own, unless it passes the end", async () => {
  const disk = new MemoryDevice(new Uint8Array(8 * MiB));
  await writeTable(disk, planTable({ sizeBytes: 8 * MiB, table: "mbr", layout: "aligned", partitions: [rest] }));
  const [partition] = (await tableOf(disk)).partitions;
  assert.ok(partition !== undefined);
  await openPartitionDevice(disk, partition).write(0, Buffer.from("here"));
  assert.equal(Buffer.from(disk.bytes).toString("latin1", MiB, MiB + 4), "here");
  const cut = new MemoryDevice(disk.bytes.subarray(0, 4 * MiB));
  assert.throws(() => openPartitionReader(cut, partition), {
    code: "damaged",
    message: `cannot open partition 1: it ends at byte ${8 * MiB}, the device at ${4 * MiB}`,
  });
  assert.equal((await readBytes(openPartitionReader(disk, partition), 0, 4)).toString(), "104,101,114,101");
});

test("an MBR written over a GPT leaves no GPT header behind", async () => {
  const disk = new MemoryDevice(new Uint8Array(8 * MiB));
  const request = { sizeBytes: 8 * MiB, layout: "aligned", partitions: [rest] } as const;
  await writeTable(disk, planTable({ ...request, table: "gpt" }));
  assert.ok(Buffer.from(disk.bytes).includes("EFI PART"));
  await writeTable(disk, planTable({ ...request, table: "mbr" }));
  assert.ok(!Buffer.from(disk.bytes).includes("EFI PART"));
});

test("a classic disk tells its geometry, also past cylinder 1023; an aligned one need not have any", async () => {
  const geometryOf = async (sizeBytes: number, layout: "classic" | "aligned"): Promise<unknown> => {
    await using disk = sparseDisk(sizeBytes);
    const geometry = { heads: 16, sectors: 63 };
    await writeTable(disk, planTable({ sizeBytes, table: "mbr", layout, geometry, partitions: [rest] }));
    return (await tableOf(disk)).geometry;
  };
  assert.deepEqual(await geometryOf(100 * MiB, "classic"), { heads: 16, sectors: 63 });
  assert.deepEqual(await geometryOf(1000 * MiB, "classic"), { heads: 16, sectors: 63 });
  assert.equal(await geometryOf(100 * MiB, "aligned"), undefined);
});

test("a GPT goes where no MBR reaches", async () => {
  const sizeBytes = 3 * 2 ** 40;
  await using disk = sparseDisk(sizeBytes);
  const plan = planTable({ sizeBytes, table: "gpt", layout: "aligned", partitions: [rest] });
  await writeTable(disk, plan);
  assertSame(await tableOf(disk), plan);
});

test("a plan is for one size of device", async () => {
  const plan = planTable({ sizeBytes: 8 * MiB, table: "mbr", layout: "aligned", partitions: [rest] });
  await assert.rejects(writeTable(sparseDisk(9 * MiB), plan), { code: "usage" });
});
