import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LateDevice } from "../../../src/backup/restoring/late-device.ts";
import { StackedDevice } from "../../../src/backup/restoring/stacked-device.ts";
import { MemoryDevice, readBytes, type BlockDevice } from "../../../src/device/index.ts";

const sizeBytes = 40_000;

interface Access {
  readonly at: number;
  readonly lengthBytes: number;
  readonly kind: "write" | "zero" | "read";
}

const accesses = fc.array(
  fc.record({
    at: fc.nat(sizeBytes - 1),
    lengthBytes: fc.integer({ min: 1, max: 9000 }),
    kind: fc.constantFrom("write", "zero", "read"),
  }) as fc.Arbitrary<Access>,
  { maxLength: 30 },
);

/** Does the same with a device and with plain bytes, which have to stay the same. */
async function same(device: BlockDevice, model: Uint8Array, all: readonly Access[]): Promise<void> {
  for (const [n, { at, kind, ...access }] of all.entries()) {
    const lengthBytes = Math.min(access.lengthBytes, sizeBytes - at);
    if (kind === "write") {
      const bytes = new Uint8Array(lengthBytes).fill(n + 1);
      model.set(bytes, at);
      await device.write(at, bytes);
    } else if (kind === "zero") {
      model.fill(0, at, at + lengthBytes);
      await device.zero(at, lengthBytes);
    } else assert.deepEqual(await readBytes(device, at, lengthBytes), model.slice(at, at + lengthBytes));
  }
  assert.deepEqual(await readBytes(device, 0, sizeBytes), model);
}

test("what is kept until the end reads as it was written, and is zero on the device until then", async () => {
  await fc.assert(
    fc.asyncProperty(accesses, async (all) => {
      const under = new MemoryDevice(new Uint8Array(sizeBytes).fill(0xaa));
      const stretches = [
        { startBytes: 0, lengthBytes: 1000 },
        { startBytes: sizeBytes - 700, lengthBytes: 4096 },
      ];
      const model = under.bytes.slice();
      for (const { startBytes, lengthBytes } of stretches) model.fill(0, startBytes, startBytes + lengthBytes);
      const late = await LateDevice.over(under, stretches);
      await same(late, model, all);
      assert.ok(under.bytes.subarray(0, 1000).every((byte) => byte === 0));
      assert.ok(under.bytes.subarray(-700).every((byte) => byte === 0));
      await late.release();
      assert.deepEqual(under.bytes, model);
    }),
  );
});

test("a device with more behind its end is one, and what is behind is never written", async () => {
  await fc.assert(
    fc.asyncProperty(accesses, async (all) => {
      const lower = new MemoryDevice(new Uint8Array(15_000).fill(1));
      const whole = new MemoryDevice(new Uint8Array(sizeBytes).fill(2));
      const model = whole.bytes.slice();
      model.set(lower.bytes);
      await same(new StackedDevice(lower, whole), model, all);
      assert.deepEqual(lower.bytes, model.slice(0, 15_000));
      assert.ok(whole.bytes.every((byte) => byte === 2));
    }),
  );
});
