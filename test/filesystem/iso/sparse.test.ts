/** Sparse files of Rock Ridge. No program is known that makes them: the images are of our own making, after RRIP 1.12. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MemoryDevice } from "../../../src/device/index.ts";
import { openFileSystem, resolvePath, type FileSystem } from "../../../src/filesystem/index.ts";
import { sectorBytes } from "../../../src/filesystem/iso/volume-descriptor.ts";
import {
  both,
  entry,
  indicator,
  isoImage,
  name,
  posix,
  rootBlock,
  sparse,
  sparseSection,
  type SparsePart,
  type TestRecord,
} from "./image-builder.ts";

const sectionAt = (rootBlock + 1) * sectorBytes;
const rootTableAt = sectionAt + 2048;
const moreExtents = 0x80;

async function open(records: readonly TestRecord[]): Promise<FileSystem> {
  return openFileSystem(new MemoryDevice(imageOf(records)));
}

function imageOf(records: readonly TestRecord[]): Uint8Array {
  return isoImage({ records, rootUse: [indicator(), posix(0o040755, 2)] });
}

const sparseRecord = (data: Uint8Array, entryBytes: Uint8Array): TestRecord => ({
  name: "S.;1",
  data,
  systemUse: [name("sparse"), posix(0o100644), entryBytes],
});

/** What is read, with where; pieces that follow one another as one. */
async function pieces(fileSystem: FileSystem): Promise<{ at: number; bytes: Buffer }[]> {
  const found: { at: number; bytes: Buffer }[] = [];
  for await (const { at, bytes } of fileSystem.content(await resolvePath(fileSystem, "sparse"))) {
    const last = found.at(-1);
    if (last !== undefined && last.at + last.bytes.length === at) last.bytes = Buffer.concat([last.bytes, bytes]);
    else found.push({ at, bytes: Buffer.from(bytes) });
  }
  return found;
}

async function problems(fileSystem: FileSystem): Promise<string> {
  const messages: string[] = [];
  for await (const { message } of fileSystem.check()) {
    if (!message.includes("path table")) messages.push(message);
  }
  return messages.join("\n");
}

/** Parts of a table, and what is in them where they begin at `start` and each covers `span` bytes. */
function partsArbitrary(depth: number): fc.Arbitrary<readonly SparsePart[]> {
  const hole = fc.constant<SparsePart>("hole");
  const data = fc.nat(255).map<SparsePart>((byte) => Buffer.alloc(256 ** depth, byte + 1));
  const whole = depth <= 2 ? [{ weight: depth === 1 ? 4 : 1, arbitrary: data }] : [];
  const table = depth > 1 ? [{ weight: 2, arbitrary: partsArbitrary(depth - 1) }] : [];
  return fc
    .array(fc.oneof({ weight: 2, arbitrary: hole }, ...whole, ...table), { maxLength: depth === 1 ? 20 : 4 })
    .chain((parts) =>
      fc.nat(256 - parts.length).map((before) => [...Array.from({ length: before }, () => "hole" as const), ...parts]),
    );
}

function* dataOf(parts: readonly SparsePart[], depth: number, start = 0): Generator<{ at: number; bytes: Uint8Array }> {
  for (const [n, part] of parts.entries()) {
    const at = start + n * 256 ** depth;
    if (part instanceof Uint8Array) yield { at, bytes: part };
    else if (part !== "hole") yield* dataOf(part, depth - 1, at);
  }
}

test("any sparse file reads as it was laid down, its holes as holes", async () => {
  const files = fc.integer({ min: 1, max: 5 }).chain((depth) =>
    fc.record({
      depth: fc.constant(depth),
      root: partsArbitrary(depth),
      cut: fc.nat(300),
      splitAt: fc.nat(6),
    }),
  );
  await fc.assert(
    fc.asyncProperty(files, async ({ depth, root, cut, splitAt }) => {
      const whole = [...dataOf(root, depth)];
      const end = Math.max(0, ...whole.map(({ at, bytes }) => at + bytes.length));
      const sizeBytes = cut > 200 ? Math.min(256 ** (depth + 1), end + cut * 999) : Math.max(0, end - cut);
      const section = sparseSection(root);
      const split = splitAt * sectorBytes;
      const record = sparseRecord(section, sparse(sizeBytes, depth));
      // A section may be of several extents; every one has the entries.
      const records =
        split > 0 && split < section.length
          ? [
              { ...record, data: section.subarray(0, split), flags: moreExtents },
              { ...record, data: section.subarray(split) },
            ]
          : [record];
      const fileSystem = await open(records);
      const id = await resolvePath(fileSystem, "sparse");
      assert.equal((await fileSystem.stat(id)).sizeBytes, sizeBytes);
      const expected: { at: number; bytes: Buffer }[] = [];
      for (const { at, bytes } of whole) {
        const kept = bytes.subarray(0, Math.max(0, sizeBytes - at));
        const last = expected.at(-1);
        if (last !== undefined && last.at + last.bytes.length === at) last.bytes = Buffer.concat([last.bytes, kept]);
        else if (kept.length > 0) expected.push({ at, bytes: Buffer.from(kept) });
      }
      const found = await pieces(fileSystem);
      assert.deepEqual(
        found.map(({ at, bytes }) => [at, bytes.length]),
        expected.map(({ at, bytes }) => [at, bytes.length]),
      );
      assert.ok(found.every(({ bytes }, n) => bytes.equals(expected[n]!.bytes)));
      assert.deepEqual(
        await fileSystem.stretches(id),
        expected.map(({ at, bytes }) => ({ at, lengthBytes: bytes.length })),
      );
      assert.equal(await problems(fileSystem), "");
    }),
    { numRuns: 150 },
  );
});

test("a file of RRIP 1.10 has a table of depth 3, and one of 8 PiB costs what is stored of it", async () => {
  const data = Buffer.alloc(256, "x");
  const old = await open([sparseRecord(sparseSection(["hole", [[data]]]), entry("SF", both(2 ** 24 + 100)))]);
  assert.deepEqual(await pieces(old), [{ at: 2 ** 24, bytes: data.subarray(0, 100) }]);
  const last: SparsePart = ["hole", [[[[["hole", data]]]]]];
  const huge = await open([sparseRecord(sparseSection([last]), sparse(2 ** 53 - 1, 7))]);
  const [piece, ...rest] = await pieces(huge);
  assert.deepEqual([piece?.at, rest], [2 ** 48 + 256, []]);
  const { sizeBytes, allocatedBytes } = await huge.stat(await resolvePath(huge, "sparse"));
  assert.equal(sizeBytes, 2 ** 53 - 1);
  assert.ok(allocatedBytes < 20 * sectorBytes);
});

test("names what is wrong with a sparse file, in reading and in the check", async () => {
  const data = Buffer.alloc(256, "x");
  const section = sparseSection([[data, data], data]);
  const place = (value: number, at = 0) => ({ at: rootTableAt - sectionAt + at, bytes: both(value) });
  const torn = both(0x8000_0000);
  torn[7] = 1;
  const cases: readonly [RegExp, Uint8Array, { readonly at: number; readonly bytes: Uint8Array }?][] = [
    [/SF entry has 20 bytes/, entry("SF", both(0, 1))],
    [/byte orders of "sizeLow" of its SF entry differ/, entry("SF", both(0), Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 2), 1)],
    [/table is of depth 0/, sparse(500, 0)],
    [/table is of depth 8/, sparse(500, 8)],
    [/more than can be read/, entry("SF", both(2 ** 21, 0), 7)],
    [/65537 bytes, and its table covers 65536/, sparse(65_537, 1)],
    [/leads to another where none can follow/, sparse(65_536, 1)],
    [/byte orders of an entry/, sparse(2 ** 17, 2), { at: 2048, bytes: torn }],
    [/ends at byte \d+ of the \d+ stored/, sparse(2 ** 17, 2), place(0x4000_0000 + 0xff_ffff)],
    [/ends at byte \d+ of the \d+ stored/, sparse(2 ** 17, 2), place(0xff_ffff)],
    [/more bytes than the \d+ that are stored/, sparse(2 ** 24, 7), place(0x4000_0001)], // itself, again and again
  ];
  for (const [message, entryBytes, patch] of cases) {
    const image = imageOf([sparseRecord(section, entryBytes)]);
    if (patch !== undefined) image.set(patch.bytes, sectionAt + patch.at);
    const fileSystem = await openFileSystem(new MemoryDevice(image));
    await assert.rejects(pieces(fileSystem), { name: "Failure", code: "damaged", message }, `${message}`);
    assert.match(await problems(fileSystem), message);
  }
});

test("refuses a file that is packed and sparse at once", async () => {
  const packed = entry("ZF", "pz", 4, 15, both(500));
  const section = sparseSection([Buffer.alloc(256, "x")]);
  const record = { ...sparseRecord(section, sparse(200, 1)) };
  const fileSystem = await open([{ ...record, systemUse: [...(record.systemUse ?? []), packed] }]);
  await assert.rejects(pieces(fileSystem), {
    code: "unsupported",
    message: /packed \(ZF\) and in parts \(SF\) at once/,
  });
});
