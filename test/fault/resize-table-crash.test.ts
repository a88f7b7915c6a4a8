/** A partition that is given more room when the power fails: its table can be read, and says the old or the new. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { planTable, readTable, repairGpt, resizePartition, roomOf, writeTable } from "../../src/partition/index.ts";
import { MemoryDevice } from "../../src/device/index.ts";
import { Dice } from "../filesystem/random-edits.ts";
import { CrashDevice, type CrashState } from "./crash-device.ts";

const MiB = 1024 * 1024;
const seed = Number(process.env["HOLDFAST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

const disks = [
  { name: "gpt", table: "gpt", count: 3 },
  { name: "mbr", table: "mbr", count: 3 },
  { name: "mbr with logical partitions", table: "mbr", count: 6 },
] as const;

async function diskOf(table: "mbr" | "gpt", count: number, sizeBytes: number): Promise<MemoryDevice> {
  const device = new MemoryDevice(new Uint8Array(10 * MiB));
  const partitions = Array.from({ length: count }, (_, n) => ({
    sizeBytes: n + 1 === count ? ("rest" as const) : MiB / 2,
    type: "linux",
  }));
  await writeTable(device, planTable({ sizeBytes: 10 * MiB, table, layout: "aligned", partitions }));
  const longer = new Uint8Array(sizeBytes);
  longer.set(device.bytes);
  return new MemoryDevice(longer);
}

/** Moves the end of the last partition to where the disk has room for it; gives the end. */
async function growLast(device: MemoryDevice): Promise<number> {
  const found = await readTable(device);
  if (found?.kind === "gpt" && found.problems.some(({ severity }) => severity === "error")) await repairGpt(device);
  const table = await readTable(device);
  const last = table?.partitions.findLast(({ extended }) => !extended);
  assert.ok(table !== undefined && last !== undefined);
  const { endBytes } = await roomOf(device, table, last, device.sizeBytes);
  await resizePartition(device, table, { diskBytes: device.sizeBytes, partition: last.number, endBytes });
  return endBytes;
}

async function endsIn(device: MemoryDevice): Promise<number[]> {
  const table = await readTable(device);
  return (table?.partitions ?? [])
    .filter(({ extended }) => !extended)
    .map(({ startBytes, sizeBytes }) => startBytes + sizeBytes);
}

function* moments(device: CrashDevice, dice: Dice): Generator<CrashState> {
  for (let count = 0; count <= device.writeCount; count++) {
    yield device.after(count);
    if (count === 0) continue;
    for (let torn = 0; torn <= device.sectorsOf(count); torn++) yield device.after(count, torn);
    for (let n = 0; n < 4; n++) yield device.reordered(count, () => dice.below(2) === 0);
  }
}

for (const { name, table, count } of disks) {
  // By little more than nothing, so that the old backup is in the way of the new one; and by much.
  for (const moreBytes of [512, 5 * 512, 40 * 512, 6 * MiB]) {
    test(`${name}, ${moreBytes} bytes longer: cut off at any write, the table is the old or the new`, async () => {
      const dice = new Dice(seed);
      const before = await diskOf(table, count, 10 * MiB + moreBytes);
      const oldEnds = await endsIn(before);
      const device = new CrashDevice(before.bytes);
      const endBytes = await growLast(device);
      assert.ok(endBytes > (oldEnds.at(-1) ?? 0));
      assert.deepEqual((await readTable(device))?.problems, []);
      const newEnds = await endsIn(device);
      assert.deepEqual(newEnds, [...oldEnds.slice(0, -1), endBytes]);
      for (const { how, bytes } of moments(device, dice)) {
        const state = new MemoryDevice(bytes);
        const ends = await endsIn(state);
        assert.ok(
          [oldEnds, newEnds].some((one) => one.join() === ends.join()),
          `seed ${seed}, ${how}: ${ends.join()}`,
        );
        assert.equal(await growLast(state), endBytes);
        assert.deepEqual((await readTable(state))?.problems, [], `seed ${seed}, ${how}`);
        assert.deepEqual(await endsIn(state), newEnds);
      }
    });
  }
}
