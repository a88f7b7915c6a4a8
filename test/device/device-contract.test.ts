import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import * as fc from "fast-check";
import { Failure, OutputFile } from "../../src/base/index.ts";
import {
  FileDevice,
  FileReader,
  MemoryDevice,
  OverlayDevice,
  SliceDevice,
  type BlockDevice,
} from "../../src/device/index.ts";
import { temporaryFolder } from "../temp.ts";

/** Every device must pass this suite, whatever is under it. */
interface Kind {
  readonly name: string;
  readonly make: (sizeBytes: number, folder: string) => Promise<BlockDevice>;
}

const kinds: readonly Kind[] = [
  { name: "memory", make: async (sizeBytes) => new MemoryDevice(new Uint8Array(sizeBytes)) },
  {
    name: "file",
    async make(sizeBytes, folder) {
      fs.writeFileSync(`${folder}/file`, "");
      fs.truncateSync(`${folder}/file`, sizeBytes);
      return FileDevice.open(`${folder}/file`);
    },
  },
  {
    name: "new file",
    async make(sizeBytes, folder) {
      const fd = fs.openSync(`${folder}/new`, "wx+");
      return FileDevice.overNewFile(`${folder}/new`, fd, sizeBytes);
    },
  },
  {
    name: "slice",
    make: async (sizeBytes) => new SliceDevice(new MemoryDevice(new Uint8Array(sizeBytes + 1000)), 500, sizeBytes),
  },
  {
    name: "overlay",
    make: async (sizeBytes) => new OverlayDevice(new MemoryDevice(new Uint8Array(sizeBytes))),
  },
];

const sizeBytes = 3_000_001;
const place = { at: fc.integer({ min: 0, max: sizeBytes }), length: fc.integer({ min: 0, max: 300_000 }) };
const step = fc.oneof(
  fc.record({ kind: fc.constant("write" as const), ...place, fill: fc.integer({ min: 0, max: 255 }) }),
  fc.record({ kind: fc.constant("zero" as const), ...place, fill: fc.constant(0) }),
  fc.record({ kind: fc.constant("read" as const), ...place, fill: fc.constant(0) }),
);

for (const { name, make } of kinds) {
  test(`${name}: any writes, zeros and reads agree with a plain buffer`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        await using folder = temporaryFolder();
        await using device = await make(sizeBytes, folder.path);
        const model = new Uint8Array(sizeBytes);
        for (const { kind, at, length: wanted, fill } of steps) {
          const length = Math.min(wanted, sizeBytes - at);
          if (kind === "write") {
            const bytes = Uint8Array.from({ length }, (_, n) => (n * fill) & 0xff);
            await device.write(at, bytes);
            model.set(bytes, at);
          } else if (kind === "zero") {
            await device.zero(at, length);
            model.fill(0, at, at + length);
          } else {
            const into = new Uint8Array(length);
            await device.read(at, into);
            assert.ok(Buffer.from(into).equals(model.subarray(at, at + length)));
          }
        }
        await device.flush();
        const whole = new Uint8Array(sizeBytes);
        await device.read(0, whole);
        assert.ok(Buffer.from(whole).equals(model));
      }),
      { numRuns: 25 },
    );
  });

  test(`${name}: nothing is reached outside of it`, async () => {
    await using folder = temporaryFolder();
    await using device = await make(1000, folder.path);
    const isDamaged = (error: unknown): boolean => error instanceof Failure && error.code === "damaged";
    await device.read(1000, new Uint8Array(0));
    await assert.rejects(device.read(999, new Uint8Array(2)), isDamaged);
    await assert.rejects(device.read(-1, new Uint8Array(1)), isDamaged);
    await assert.rejects(device.write(1000, new Uint8Array(1)), isDamaged);
    await assert.rejects(device.zero(500, 501), isDamaged);
  });
}

test("an overlay leaves what is under it alone", async () => {
  const under = new Uint8Array(10_000).fill(1);
  await using overlay = new OverlayDevice(new MemoryDevice(under));
  await overlay.write(4000, new Uint8Array(200).fill(2));
  await overlay.zero(0, 10);
  assert.ok(under.every((byte) => byte === 1));
  assert.equal(overlay.heldBytes, 2 * 4096);
});

test("a reader cannot write: the file is opened read-only", async () => {
  await using folder = temporaryFolder();
  const path = folder.join("file");
  fs.writeFileSync(path, "content", { mode: 0o444 });
  await using reader = await FileReader.open(path);
  const into = new Uint8Array(7);
  await reader.read(0, into);
  assert.equal(Buffer.from(into).toString(), "content");
  assert.ok(!("write" in reader));
});

test("a new file stays sparse, also where zeros are written", async () => {
  await using folder = temporaryFolder();
  const path = folder.join("sparse");
  await using output = OutputFile.create(path);
  await using device = FileDevice.overNewFile(path, output.fd, 10 * 2 ** 30);
  await device.write(5 * 2 ** 30, new Uint8Array(4096).fill(1));
  await device.zero(0, 2 ** 30);
  output.commit();
  const stat = fs.statSync(path);
  assert.equal(stat.size, 10 * 2 ** 30);
  assert.ok(stat.blocks * 512 < 1_000_000, `${stat.blocks * 512} bytes are allocated`);
});

test("a file that is not there, or is no file, is a clear failure", async () => {
  await using folder = temporaryFolder();
  await assert.rejects(FileReader.open(folder.join("none")), { code: "not-found" });
  await assert.rejects(FileReader.open(folder.path), (error) => error instanceof Failure);
});
