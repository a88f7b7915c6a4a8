import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Failure } from "../../src/base/index.ts";
import { MemoryDevice, readBytes, RescuingReader, Unreadable, unreadableLimitBytes } from "../../src/device/index.ts";
import { FailingReader } from "../backup/failing-reader.ts";

const sectors = 64;
const bytes = Uint8Array.from({ length: sectors * 512 }, (_, n) => 1 + (n % 251));

test("whatever sectors are bad, and however a device is read, all others come as they are and these as zeros", async () => {
  const someSectors = fc.uniqueArray(fc.nat(sectors - 1), { maxLength: 20 });
  const someReads = fc.array(fc.tuple(fc.nat(bytes.length), fc.nat(9000)), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(someSectors, someReads, fc.nat(2), async (bad, reads, retries) => {
      const unreadable = new Unreadable();
      const failing = new FailingReader(new MemoryDevice(bytes), (sector) => bad.includes(sector));
      const reader = new RescuingReader(failing, { unreadable, startBytes: 4096, retries });
      const wanted = bytes.map((byte, n) => (bad.includes(Math.floor(n / 512)) ? 0 : byte));
      const met = new Set<number>();
      for (const [at, length] of reads) {
        const end = Math.min(at + length, bytes.length);
        assert.deepEqual(await readBytes(reader, at, end - at), wanted.slice(at, end));
        for (const n of bad) if (n * 512 < end && at < n * 512 + 512 && at < end) met.add(n);
      }
      const told = unreadable.stretches.flatMap(({ startBytes, lengthBytes }) => {
        return Array.from({ length: lengthBytes / 512 }, (_, n) => (startBytes - 4096) / 512 + n);
      });
      assert.deepEqual(
        told,
        [...met].sort((a, b) => a - b),
      );
    }),
  );
});

test("a sector that can be read at another attempt is not lost", async () => {
  let attempts = 0;
  const failing = new FailingReader(new MemoryDevice(bytes), (sector) => sector === 3 && attempts++ < 9);
  const unreadable = new Unreadable();
  const reader = new RescuingReader(failing, { unreadable, startBytes: 0, retries: 9 });
  assert.deepEqual(await readBytes(reader, 0, bytes.length), bytes);
  assert.deepEqual(unreadable.stretches, []);
});

test("a device that was taken out is not saved as zeros", async () => {
  const { sizeBytes } = { sizeBytes: 2 * unreadableLimitBytes };
  const gone = { sizeBytes, read: () => Promise.reject(Object.assign(new Error("EIO: i/o error"), { code: "EIO" })) };
  const inner = { ...gone, [Symbol.asyncDispose]: async () => undefined };
  const unreadable = new Unreadable([{ startBytes: 0, lengthBytes: unreadableLimitBytes - 1024 }]);
  const reader = new RescuingReader(inner, { unreadable, startBytes: 0, retries: 0 });
  await assert.rejects(readBytes(reader, unreadableLimitBytes - 2048, 8192), (error) => {
    return error instanceof Failure && error.code === "failed" && /taken out/.test(error.hint ?? "");
  });
});

test("an error that is none of the medium is not hidden", async () => {
  const inner = { sizeBytes: 512, read: () => Promise.reject(new Failure("damaged", "other")) };
  const reader = new RescuingReader(
    { ...inner, [Symbol.asyncDispose]: async () => undefined },
    { unreadable: new Unreadable(), startBytes: 0, retries: 0 },
  );
  await assert.rejects(readBytes(reader, 0, 10), /other/);
});
