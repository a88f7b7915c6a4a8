import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryDevice } from "../../../src/device/index.ts";
import { openFileSystem, resolvePath, treeOf, type FileSystem } from "../../../src/filesystem/index.ts";
import { sectorBytes } from "../../../src/filesystem/iso/volume-descriptor.ts";
import {
  both,
  continuation,
  descriptor,
  entry,
  indicator,
  isoImage,
  name,
  posix,
  rootBlock,
  type TestRecord,
} from "./image-builder.ts";

const text = (word: string): Uint8Array => Buffer.from(word.repeat(1000));
const moreExtents = 0x80;
const regular = 0o100644;

async function open(bytes: Uint8Array): Promise<FileSystem> {
  return openFileSystem(new MemoryDevice(bytes));
}

async function names(fileSystem: FileSystem): Promise<string[]> {
  const found: string[] = [];
  for await (const items of fileSystem.list(fileSystem.rootId)) found.push(...items.map((item) => item.name));
  return found;
}

async function read(fileSystem: FileSystem, path: string): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const { bytes } of fileSystem.content(await resolvePath(fileSystem, path))) pieces.push(bytes.slice());
  return Buffer.concat(pieces).toString();
}

/** An image with Rock Ridge. */
const rockRidge = (records: readonly TestRecord[], skip = 0): Uint8Array =>
  isoImage({ records, rootUse: [indicator(skip), posix(0o040755, 2)] });

test("plain names are in lower case, without version and empty extension", async () => {
  const records = ["README.TXT;1", "NODOT.;1", "NOVERSION", "SECOND.TXT;2", "A.;1"].map((one) => ({ name: one }));
  const fileSystem = await open(isoImage({ records }));
  assert.deepEqual(await names(fileSystem), ["readme.txt", "nodot", "noversion", "second.txt.2", "a"]);
  assert.notEqual(await fileSystem.find(fileSystem.rootId, "ReadMe.txt"), undefined);
  const { mode, modified, links } = await fileSystem.stat(await resolvePath(fileSystem, "a"));
  const seconds = Date.UTC(2024, 4, 17, 7, 30) / 1000;
  assert.deepEqual({ mode, modified, links }, { mode: 0o555, modified: { seconds, nanoseconds: 0 }, links: 1 });
  assert.equal(fileSystem.info.label, "TEST");
});

test("the tree of Joliet or of ISO 9660:1999 is read where there is no Rock Ridge", async () => {
  const enhanced = descriptor(2, 30, { version: 2 });
  const joliet = descriptor(2, 30, { escapes: "%/E" });
  const records = [{ name: "Lies;1".replace(/./g, "\0$&") }];
  const asJoliet = await open(isoImage({ records, descriptors: [enhanced, joliet] }));
  assert.deepEqual(await names(asJoliet), ["Lies"]);
  assert.deepEqual(asJoliet.info.features, ["joliet", "iso 9660:1999"]);
  const asEnhanced = await open(isoImage({ records: [{ name: "Long Name.With.Dots" }], descriptors: [enhanced] }));
  assert.deepEqual(await names(asEnhanced), ["Long Name.With.Dots"]);
});

test("a file of several extents is one file", async () => {
  const records = [
    { name: "BIG.;1", data: text("one "), flags: moreExtents },
    { name: "BIG.;1", data: text("two "), flags: moreExtents },
    { name: "BIG.;1", data: text("three") },
    { name: "NEXT.;1", data: text("next") },
  ];
  const fileSystem = await open(isoImage({ records }));
  assert.deepEqual(await names(fileSystem), ["big", "next"]);
  assert.equal(await read(fileSystem, "big"), "one ".repeat(1000) + "two ".repeat(1000) + "three".repeat(1000));
  const id = await resolvePath(fileSystem, "big");
  assert.equal((await fileSystem.stat(id)).sizeBytes, 13_000);
  assert.deepEqual(await fileSystem.stretches(id), [{ at: 0, lengthBytes: 13_000 }]);
});

test("a file of more than 4 GiB has all its size", async () => {
  const whole = 2 ** 32 - sectorBytes;
  const records = [
    { name: "BIG.;1", dataBytes: whole, flags: moreExtents, extentBlock: 100 },
    { name: "BIG.;1", dataBytes: whole, flags: moreExtents, extentBlock: 100 + whole / sectorBytes },
    { name: "BIG.;1", dataBytes: 7, extentBlock: 100 + (2 * whole) / sectorBytes },
  ];
  const fileSystem = await open(isoImage({ records }));
  const id = await resolvePath(fileSystem, "big");
  assert.equal((await fileSystem.stat(id)).sizeBytes, 2 * whole + 7);
  assert.deepEqual(await fileSystem.stretches(id), [{ at: 0, lengthBytes: 2 * whole + 7 }]);
  await assert.rejects(read(fileSystem, "big"), { name: "Failure", code: "damaged" });
});

test("refuses a file whose further extents are not there, or that is interleaved", async () => {
  const records = [
    { name: "TORN.;1", data: text("torn"), flags: moreExtents },
    { name: "OTHER.;1", data: text("other") },
    { name: "MIXED.;1", data: text("mixed"), unitBlocks: 1 },
  ];
  const fileSystem = await open(isoImage({ records }));
  await assert.rejects(read(fileSystem, "torn"), { code: "damaged", message: /the rest of its file does not follow/ });
  await assert.rejects(read(fileSystem, "mixed"), { code: "unsupported", message: /interleaved/ });
});

test("Rock Ridge names, owners, times and links", async () => {
  const time = Uint8Array.of(99, 12, 31, 23, 59, 59, 0);
  const longTime = Buffer.concat([Buffer.from("2024051709300050"), Buffer.of(0xfc)]); // an hour west
  const component = (flags: number, word = ""): Uint8Array =>
    Buffer.concat([Buffer.of(flags, word.length), Buffer.from(word)]);
  const fileSystem = await open(
    rockRidge([
      {
        name: "A.;1",
        systemUse: [name("two ", 1), name("pieces"), posix(0o104755), entry("TF", 0x0e, time, time, time)],
      },
      { name: "B.;1", systemUse: [name("long"), posix(regular), entry("TF", 0x82, longTime)] },
      {
        name: "C.;1",
        systemUse: [
          name("link"),
          posix(0o120777),
          entry("SL", 1, component(8), component(0, "usr"), component(1, "b")),
          entry("SL", 0, component(0, "in"), component(4), component(2), component(0, "x")),
        ],
      },
      { name: "D.;1", systemUse: [name("tty"), posix(0o020620), entry("PN", both(4, 65))] },
      { name: "E.;1", systemUse: [name("old"), posix(0o060660), entry("PN", both(0, 0x0801))] },
    ]),
  );
  const stat = async (path: string) => fileSystem.stat((await fileSystem.find(fileSystem.rootId, path))!);
  const first = await stat("two pieces");
  const seconds = Date.UTC(1999, 11, 31, 23, 59, 59) / 1000;
  assert.deepEqual([first.mode, first.uid, first.gid, first.modified.seconds], [0o4755, 1000, 100, seconds]);
  assert.equal(first.changed?.seconds, seconds);
  assert.deepEqual((await stat("long")).modified, { seconds: Date.UTC(2024, 4, 17, 10, 30) / 1000, nanoseconds: 5e8 });
  const link = await stat("link");
  assert.equal(await fileSystem.readLink(link.id), "/usr/bin/.././x");
  assert.equal(link.sizeBytes, 15);
  assert.deepEqual((await stat("tty")).device, { major: 4, minor: 65 });
  assert.deepEqual((await stat("old")).device, { major: 8, minor: 1 });
});

test("names with the same serial number and the same data are one file", async () => {
  const shared = { data: text("data") };
  const records = [
    { name: "A.;1", systemUse: [name("a"), posix(regular, 2, 77)], ...shared },
    { name: "B.;1", systemUse: [name("b"), posix(regular, 2, 77)], extentBlock: rootBlock + 1, dataBytes: 4000 },
    { name: "C.;1", systemUse: [name("c"), posix(regular, 2, 77)], data: text("else") },
    { name: "D.;1", systemUse: [name("d"), posix(regular, 1, 77)], extentBlock: rootBlock + 1, dataBytes: 4000 },
  ];
  const fileSystem = await open(rockRidge(records));
  const [a, b, c, d] = await Promise.all(["a", "b", "c", "d"].map((path) => resolvePath(fileSystem, path)));
  assert.equal(a, b);
  assert.equal(new Set([a, c, d]).size, 3);
  assert.equal(await read(fileSystem, "c"), "else".repeat(1000));
  const second = await open(rockRidge(records));
  assert.equal(await resolvePath(second, "b"), a, "whichever name comes first");
  const kinds: string[] = [];
  for await (const batch of treeOf(second, "/").entries())
    kinds.push(...batch.map(({ path, kind }) => `${path} ${kind}`));
  assert.deepEqual(kinds, [" directory", "a file", "b hardlink", "c file", "d file"]);
});

test("system use areas go on elsewhere, and skip what is not theirs", async () => {
  const area = Buffer.concat([name("from elsewhere"), posix(0o100600)]);
  const records = [
    { name: "AREA.;1", data: area, systemUse: [Buffer.alloc(3), name("area"), posix(regular)] },
    { name: "B.;1", systemUse: [Buffer.alloc(3), continuation(rootBlock + 1, 0, area.length)] },
  ];
  const fileSystem = await open(rockRidge(records, 3));
  assert.deepEqual(await names(fileSystem), ["area", "from elsewhere"]);
  assert.equal((await fileSystem.stat(await resolvePath(fileSystem, "from elsewhere"))).mode, 0o600);
});

test("finds Rock Ridge on a CD-ROM XA disc", async () => {
  const extended = Buffer.concat([Buffer.of(0, 0, 0, 0, 0x8d, 0x55), Buffer.from("XA"), Buffer.alloc(6)]);
  const fileSystem = await open(
    isoImage({
      records: [{ name: "A.;1", systemUse: [extended, name("a name"), posix(0o100640)] }],
      rootUse: [extended, indicator(extended.length), posix(0o040711, 2)],
    }),
  );
  assert.deepEqual(await names(fileSystem), ["a name"]);
  assert.equal((await fileSystem.stat(fileSystem.rootId)).mode, 0o711);
});

test("refuses system use areas that go on without end", async () => {
  const area = continuation(rootBlock + 1, 0, 28);
  const records = [{ name: "AREA.;1", data: area, systemUse: [continuation(rootBlock + 1, 0, 28)] }];
  await assert.rejects(names(await open(rockRidge(records))), { code: "damaged", message: /go on without end/ });
});

test("refuses names that lead elsewhere, and modes that contradict", async () => {
  for (const bad of ["a/b", "..", ".", "a\0b"]) {
    const fileSystem = await open(rockRidge([{ name: "A.;1", systemUse: [name(bad)] }]));
    await assert.rejects(names(fileSystem), { code: "damaged", message: /cannot be a name/ }, bad);
  }
  const fileSystem = await open(rockRidge([{ name: "A.;1", systemUse: [posix(0o040755)] }]));
  await assert.rejects(resolvePath(fileSystem, "a"), { code: "damaged", message: /of a file, and its mode 040000/ });
});

test("a directory that was moved shows where it belongs, and one that leads back ends a walk", async () => {
  const records = [
    { name: "MOVED", flags: 2, systemUse: [entry("RE"), name("hidden")], extentBlock: 90 },
    { name: "BACK.;1", systemUse: [name("back"), entry("CL", both(rootBlock))] },
  ];
  const fileSystem = await open(rockRidge(records));
  assert.deepEqual(await names(fileSystem), ["back"]);
  assert.equal(await fileSystem.find(fileSystem.rootId, "back"), fileSystem.rootId);
  await assert.rejects(
    async () => {
      for await (const batch of treeOf(fileSystem, "/").entries()) assert.ok(batch.length > 0);
    },
    { code: "damaged", message: /reached a second time/ },
  );
});

test("the check tells of what is wrong", async () => {
  const image = rockRidge([{ name: "A.;1", data: text("data"), systemUse: [name("a")] }]);
  const at = Buffer.from(image).indexOf("A.;1") - 33;
  image[at + 2 + 4] = 9; // the big-endian half of the place of the data
  image[at + 10 + 3] = 1; // its size, 16 MiB
  const problems: string[] = [];
  for await (const { message } of (await open(image)).check()) problems.push(message);
  assert.match(problems.join("\n"), /byte orders of "extentBlock" .*\(\/a\)/);
  assert.match(problems.join("\n"), /byte orders of "dataBytes" .*\(\/a\)/);
  assert.match(problems.join("\n"), /its data ends at byte \d+, past the end of the volume \(\/a\)/);
  assert.match(problems.join("\n"), /path table of the primary tree lacks 1 of 1 directories/);
});
