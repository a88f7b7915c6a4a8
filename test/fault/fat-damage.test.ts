/** FAT file systems that were damaged at random, or by hand: an error in time, and never more than asked for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryDevice } from "../../src/device/index.ts";
import { bootSector, largeTail } from "../../src/filesystem/fat/boot-sector.ts";
import { shortEntry } from "../../src/filesystem/fat/directory-entry.ts";
import { layoutOf } from "../../src/filesystem/fat/layout.ts";
import { editFileSystem, openFileSystem, probe } from "../../src/filesystem/index.ts";
import { now, sampleFat } from "../filesystem/fat/sample-fat.ts";
import { editDamaged, lookAtAll, randomFrom } from "./look-at-all.ts";

/** The runs are the same each time; another seed makes others. A failure names the seed of its run. */
const firstSeed = Number(process.env["HOLDFAST_SEED"] ?? 1);
const roundCount = Number(process.env["HOLDFAST_ROUNDS"] ?? 150);
const paths = ["/a/Ein langer Name/ordner.é/Datei Nummer 19.ὕδωρ", "/A/N18.TXT", "/missing"];

const samples = [
  ["fat12", 2 ** 21, 1024],
  ["fat16", 5 * 2 ** 20, 1024],
  ["fat32", 34 * 2 ** 20, 512],
] as const;

for (const [kind, sizeBytes, clusterBytes] of samples) {
  test(`${kind}: damage anywhere in the structures ends in a failure, soon`, async () => {
    const { bytes: whole } = await sampleFat(kind, sizeBytes, clusterBytes);
    assert.equal(await lookAtAll(whole, paths.slice(0, 2)), 0);
    const layout = layoutOf(whole);
    // Where there is something: the first sectors, the beginning of each table, directories and files.
    const places = [0, layout.tableAt, layout.rootAt, layout.dataAt];
    for (let round = 0; round < roundCount; round++) {
      const seed = firstSeed + round;
      const random = randomFrom(seed);
      const bytes = Uint8Array.from(whole);
      const count = 1 + random(8);
      for (let n = 0; n < count; n++) {
        const start = (places[random(places.length)] ?? 0) + random(random(3) === 0 ? 60_000 : 600);
        const length = 1 + random(random(4) === 0 ? 600 : 3);
        for (let at = start; at < start + length; at++) bytes[at] = random(5) === 0 ? 0xff : random(256);
      }
      const device = random(5) === 0 ? bytes.slice(0, 512 + random(bytes.length)) : bytes;
      await assert.doesNotReject(lookAtAll(device, paths), `seed ${seed}`);
      await assert.doesNotReject(editDamaged(device, seed), `seed ${seed}`);
    }
  });
}

test("a chain that leads back into itself is not followed for ever", async () => {
  const { bytes } = await sampleFat("fat16", 5 * 2 ** 20, 1024);
  const layout = layoutOf(bytes);
  const table = new DataView(bytes.buffer, layout.tableAt, layout.tableBytes);
  for (let cluster = 2; cluster < 40; cluster++) table.setUint16(cluster * 2, 2 + ((cluster - 1) % 38), true);
  await using fileSystem = await openFileSystem(new MemoryDevice(bytes));
  const id = await fileSystem.find(fileSystem.rootId, "A");
  assert.ok(id !== undefined);
  await assert.rejects(fileSystem.find(id, "N3.TXT"), { code: "damaged", message: /more than 2097152 bytes/ });
  const problems: string[] = [];
  for await (const { message } of fileSystem.check()) problems.push(message);
  assert.ok(
    problems.some((message) => /belongs to another file too/.test(message)),
    problems.join("\n"),
  );
});

test("a directory that contains itself is found out", async () => {
  const { bytes } = await sampleFat("fat12", 2 ** 21, 1024);
  const layout = layoutOf(bytes);
  const first = layout.dataAt + 64; // behind "." and ".."
  shortEntry.patch(bytes, { attributes: 0x10, clusterLow: 2, sizeBytes: 0 }, first);
  assert.ok((await lookAtAll(bytes, ["/A/A/A/A/A"])) > 0);
});

test("what follows the end of a directory does not come back when the end moves", async () => {
  const { bytes } = await sampleFat("fat16", 5 * 2 ** 20, 1024);
  const { rootAt, rootBytes } = layoutOf(bytes);
  const entry = shortEntry.encode({ name: Buffer.from("GHOST   TXT"), attributes: 0x20, clusterLow: 9, sizeBytes: 5 });
  for (let at = rootAt + 3 * 32; at < rootAt + rootBytes; at += 32) bytes.set(entry, at);
  const before = Uint8Array.from(bytes);
  const device = new MemoryDevice(bytes);
  await using fileSystem = await editFileSystem(device, { now });
  assert.equal(await fileSystem.find(fileSystem.rootId, "GHOST.TXT"), undefined);
  await fileSystem.commit();
  assert.deepEqual(device.bytes, before, "looking changes nothing");
  const metadata = { mode: 0o755, uid: 0, gid: 0, modified: now, sizeBytes: 0 };
  for (const name of ["one", "another one with a long name"]) {
    await fileSystem.create({ directory: fileSystem.rootId, name }, { kind: "directory", ...metadata });
  }
  await fileSystem.commit();
  await using reopened = await openFileSystem(device);
  const names: string[] = [];
  for await (const items of reopened.list(reopened.rootId)) names.push(...items.map(({ name }) => name));
  assert.deepEqual(names, ["A", "one", "another one with a long name"]);
});

test("a boot sector that contradicts itself is no FAT, or damaged", async () => {
  const { bytes: whole } = await sampleFat("fat32", 34 * 2 ** 20, 512);
  for (const damage of [
    { sectorBytes: 513 },
    { sectorBytes: 8192 },
    { clusterSectors: 0 },
    { clusterSectors: 3 },
    { reservedSectors: 0 },
    { tableCount: 0 },
    { media: 0x12 },
    { rootEntries: 512 },
    { sectorCount32: 0 },
    { oemName: "NTFS    " },
    { oemName: "EXFAT   " },
  ]) {
    const bytes = Uint8Array.from(whole);
    bootSector.patch(bytes, damage);
    assert.notEqual(await probe(new MemoryDevice(bytes)), "fat", JSON.stringify(damage));
  }
  for (const [damage, why] of [
    [{ tableSectors32: 0x7fffffff }, /no room for data/],
    [{ tableFlags: 0x8f }, /names table 15 of 2/],
    [{ rootCluster: 0x0ffffff0 }, /which is none/],
  ] as const) {
    const bytes = Uint8Array.from(whole);
    largeTail.patch(bytes, damage);
    await assert.rejects(openFileSystem(new MemoryDevice(bytes)), { code: "damaged", message: why });
  }
});

test("a file system that is longer than its device is not written to", async () => {
  const { bytes } = await sampleFat("fat16", 5 * 2 ** 20, 1024);
  await assert.rejects(editFileSystem(new MemoryDevice(bytes.slice(0, 2 ** 20)), { now }), { code: "damaged" });
});
