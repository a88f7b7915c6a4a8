import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryDevice } from "../../../src/device/index.ts";
import { openFileSystem, resolvePath, type FileSystem } from "../../../src/filesystem/index.ts";
import { fileTypes } from "../../../src/filesystem/udf/file-entry.ts";
import { sparingEntry, sparingTable } from "../../../src/filesystem/udf/records.ts";
import { factsOf } from "../file-facts.ts";
import {
  blockBytes,
  continued,
  directory,
  entryWith,
  fileEntry,
  identifier,
  longExtent,
  partitionStart,
  plainMap,
  reserveBlock,
  seal,
  shortExtent,
  sparableMap,
  UdfImage,
  virtualMap,
} from "./image-builder.ts";
import { metadataImage, sampleUdf } from "./sample-udf.ts";

async function open(image: UdfImage): Promise<FileSystem> {
  return openFileSystem(new MemoryDevice(image.bytes));
}

async function read(fileSystem: FileSystem, path: string): Promise<string> {
  const id = await resolvePath(fileSystem, path);
  const whole = Buffer.alloc((await fileSystem.stat(id)).sizeBytes, ".");
  for await (const { at, bytes } of fileSystem.content(id)) whole.set(bytes, at);
  return whole.toString("latin1");
}

async function problems(fileSystem: FileSystem): Promise<string[]> {
  const found: string[] = [];
  for await (const { message } of fileSystem.check()) found.push(message);
  return found;
}

const block = (letter: string): Uint8Array => Buffer.alloc(blockBytes, letter);
const root = (number: number) => ({ partition: 0, block: number });

test("reads files however they are stored, and everything that is told of them", async () => {
  const fileSystem = await open(sampleUdf());
  assert.deepEqual(await problems(fileSystem), []);
  const facts = await factsOf(fileSystem);
  assert.deepEqual([...facts.keys()].toSorted(), ["", "fifo", "hard", "in entry", "link", "pieces", "tty", "☃"]);
  assert.equal(await read(fileSystem, "in entry"), "small");
  assert.equal(
    await read(fileSystem, "pieces"),
    "a".repeat(blockBytes) + ".".repeat(2 * blockBytes) + "b".repeat(blockBytes) + "ccc",
  );
  const pieces = await resolvePath(fileSystem, "pieces");
  assert.deepEqual(await fileSystem.stretches(pieces), [
    { at: 0, lengthBytes: blockBytes },
    { at: 3 * blockBytes, lengthBytes: blockBytes + 3 },
  ]);
  const stat = await fileSystem.stat(await resolvePath(fileSystem, "in entry"));
  assert.deepEqual([stat.mode, stat.uid, stat.gid, stat.links], [0o4751, 12, 0, 1]);
  assert.deepEqual(stat.modified, { seconds: Date.UTC(2024, 4, 17, 8, 30) / 1000, nanoseconds: 250_000_000 });
  assert.equal(facts.get("link")?.linkTarget, "/usr/.././x");
  assert.deepEqual(facts.get("tty")?.device, { major: 4, minor: 65 });
  assert.equal(facts.get("hard")?.firstPath, "hard");
  assert.equal(await resolvePath(fileSystem, "☃"), await resolvePath(fileSystem, "hard"));
  assert.equal(facts.get("fifo")?.kind, "fifo");
});

test("finds what was moved from bad places", async () => {
  const image = new UdfImage([sparableMap(290, 32)]);
  const table = Buffer.alloc(sparingTable.sizeBytes + sparingEntry.sizeBytes);
  sparingTable.patch(table, { entryCount: 1 });
  sparingEntry.patch(table, { original: 32, mapped: 540 }, sparingTable.sizeBytes);
  image.putOnDevice(290, seal(table, 0, 290));
  image.putFileSet(0, root(1));
  image.put(1, entryWith(1, fileTypes.directory, directory(root(1), identifier("file", root(2)))));
  image.put(
    2,
    fileEntry(2, {
      fileType: fileTypes.regular,
      sizeBytes: 4 * blockBytes,
      form: 0,
      descriptors: shortExtent(4 * blockBytes, 30),
    }),
  );
  for (const [at, letter] of [
    [30, "a"],
    [31, "b"],
    [32, "x"],
    [33, "x"],
  ] as const)
    image.put(at, block(letter));
  image.putOnDevice(540, block("c"));
  image.putOnDevice(541, block("d"));
  const fileSystem = await open(image);
  assert.deepEqual(fileSystem.info.features, ["udf 2.50", "sparable"]);
  assert.equal(
    await read(fileSystem, "file"),
    ["a", "b", "c", "d"].map((letter) => letter.repeat(blockBytes)).join(""),
  );
});

for (const kind of ["old", "new"] as const) {
  test(`finds blocks by the ${kind} virtual table`, async () => {
    const image = new UdfImage([plainMap(), virtualMap()], { partition: 1, block: 0 });
    const virtual = (number: number) => ({ partition: 1, block: number });
    image.bytes.fill(0, 500 * blockBytes); // nothing is written there yet
    image.putFileSet(10, virtual(1), 0);
    image.put(11, entryWith(1, fileTypes.directory, directory(virtual(1), identifier("file", virtual(2)))));
    const content = longExtent(blockBytes, root(20));
    image.put(12, fileEntry(2, { fileType: fileTypes.regular, sizeBytes: blockBytes, form: 1, descriptors: content }));
    image.put(20, block("v"));
    const entries = Buffer.from(Uint32Array.of(10, 11, 12).buffer);
    const header = Buffer.alloc(kind === "new" ? 152 : 0);
    if (kind === "new") header.writeUInt16LE(152);
    const trailer = Buffer.alloc(kind === "old" ? 36 : 0);
    if (kind === "old") trailer.write("*UDF Virtual Alloc Tbl", 1, "latin1");
    const table = Buffer.concat([header, entries, trailer]);
    image.put(40, entryWith(40, kind === "new" ? fileTypes.virtualTable : fileTypes.unspecified, table));
    const fileSystem = await open(image);
    assert.deepEqual(fileSystem.info.features, ["udf 2.50", "virtual"]);
    assert.equal(await read(fileSystem, "file"), "v".repeat(blockBytes));
    assert.deepEqual(await problems(fileSystem), []);
  });
}

test("finds what is in a metadata partition, by the mirror where the file is broken", async () => {
  const image = metadataImage();
  const fileSystem = await open(image);
  assert.deepEqual([fileSystem.info.features, fileSystem.info.notes], [["udf 2.50", "metadata"], []]);
  assert.equal(await read(fileSystem, "file"), "m".repeat(blockBytes));
  image.put(5, block("x"));
  const byMirror = await open(image);
  assert.deepEqual(byMirror.info.notes, ["the metadata file cannot be read; its mirror is used"]);
  assert.equal(await read(byMirror, "file"), "m".repeat(blockBytes));
});

test("uses the reserve of the volume descriptors, and says so", async () => {
  const image = sampleUdf();
  image.putOnDevice(33, block("x"));
  const fileSystem = await open(image);
  assert.deepEqual(fileSystem.info.notes, ["the main volume descriptors are broken; the reserve is used"]);
  assert.match((await problems(fileSystem)).join("\n"), /the main volume descriptors: /);
  image.putOnDevice(reserveBlock + 1, block("x"));
  await assert.rejects(open(image), { code: "damaged", message: /no logical volume descriptor/ });
});

test("refuses what it does not know by name", async () => {
  const image = new UdfImage([plainMap()]);
  image.putFileSet(0, root(1));
  image.put(1, entryWith(1, fileTypes.directory, directory(root(1)), { strategy: 4096 }));
  const fileSystem = await open(image);
  await assert.rejects(fileSystem.stat(fileSystem.rootId), { code: "unsupported", message: /strategy 4096, only 4/ });
  const map = virtualMap();
  map.set(Buffer.from("*UDF Curious Partition\0"), 5);
  await assert.rejects(open(new UdfImage([map])), { code: "unsupported", message: /"\*UDF Curious Partition"/ });
});

test("refuses what goes on without end, or does not fit", async () => {
  const image = new UdfImage([plainMap()]);
  image.putFileSet(0, root(1));
  const names = ["loop", "huge", "far"].map((name, n) => identifier(name, root(2 + n)));
  image.put(1, entryWith(1, fileTypes.directory, directory(root(1), ...names)));
  const loop = shortExtent(blockBytes, 10, 3);
  const fields = { fileType: fileTypes.regular, form: 0 } as const;
  image.put(2, fileEntry(2, { ...fields, sizeBytes: 9000, descriptors: loop }));
  image.put(10, continued(10, loop));
  image.put(3, fileEntry(3, { ...fields, sizeBytes: Number.MAX_SAFE_INTEGER + 1, descriptors: loop }));
  image.put(4, fileEntry(4, { ...fields, sizeBytes: blockBytes, descriptors: shortExtent(blockBytes, 1000) }));
  const fileSystem = await open(image);
  await assert.rejects(read(fileSystem, "loop"), { code: "damaged", message: /lead back to themselves/ });
  await assert.rejects(read(fileSystem, "huge"), { code: "damaged", message: /a count of \d+ cannot be/ });
  await assert.rejects(read(fileSystem, "far"), { code: "damaged", message: /block 1000 of a partition of 200/ });
  assert.equal((await problems(fileSystem)).length, 3);
});

test("a count of names that is wrong is a problem", async () => {
  const image = new UdfImage([plainMap()]);
  image.putFileSet(0, root(1));
  image.put(
    1,
    entryWith(1, fileTypes.directory, directory(root(1), identifier("a", root(2)), identifier("b", root(2)))),
  );
  image.put(2, entryWith(2, fileTypes.regular, Buffer.from("text"), { links: 3 }));
  assert.deepEqual(await problems(await open(image)), ["it has 2 names, its entry says 3 (/a)"]);
  assert.ok(partitionStart > 256);
});
