/** exFAT file systems that were damaged at random, or by hand: an error in time, and never more than asked for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryDevice } from "../../src/device/index.ts";
import { encodeBootRegion } from "../../src/filesystem/exfat/boot-region.ts";
import { chainEnd } from "../../src/filesystem/exfat/chain.ts";
import { fileSets, seal, setBytes } from "../../src/filesystem/exfat/directory-sets.ts";
import { clusterAt, readLayout, type ExfatLayout } from "../../src/filesystem/exfat/layout.ts";
import {
  bitmapEntry,
  bootSector,
  entryTypes,
  fileEntry,
  secondaryEntry,
  slotBytes,
  streamEntry,
  upcaseEntry,
} from "../../src/filesystem/exfat/records.ts";
import { editFileSystem, openFileSystem, probe, resolvePath } from "../../src/filesystem/index.ts";
import { now, sampleExfat } from "../filesystem/exfat/sample-exfat.ts";
import { fingerprint } from "../filesystem/random-edits.ts";
import { editDamaged, lookAtAll, randomFrom } from "./look-at-all.ts";

/** The runs are the same each time; another seed makes others. A failure names the seed of its run. */
const firstSeed = Number(process.env["HOLDFAST_SEED"] ?? 1);
const roundCount = Number(process.env["HOLDFAST_ROUNDS"] ?? 60);
const paths = ["/a/Ein langer Name/ordner.é/Datei Nummer 19.ὕδωρ", "/A/N18.TXT", "/missing"];
const mib = 2 ** 20;

interface Sample {
  readonly bytes: Uint8Array;
  readonly layout: ExfatLayout;
  /** The root directory, as a view of the bytes. */
  readonly root: Uint8Array;
}

async function sample(sizeBytes = 2 * mib, clusterBytes = 1024): Promise<Sample> {
  const { bytes } = await sampleExfat(sizeBytes, clusterBytes);
  const layout = await readLayout(new MemoryDevice(bytes));
  const rootAt = clusterAt(layout, layout.rootCluster);
  return { bytes, layout, root: bytes.subarray(rootAt, rootAt + clusterBytes) };
}

/** Writes both boot regions anew with other values. */
function patchBoot(bytes: Uint8Array, values: Parameters<typeof bootSector.patch>[1]): void {
  const sector = bytes.slice(0, 512);
  bootSector.patch(sector, values);
  const region = encodeBootRegion(sector, 512, bytes);
  bytes.set(region);
  bytes.set(region, region.length);
}

async function problemsOf(bytes: Uint8Array): Promise<string[]> {
  await using fileSystem = await openFileSystem(new MemoryDevice(bytes));
  const problems: string[] = [];
  for await (const { message } of fileSystem.check()) problems.push(message);
  return problems;
}

async function assertProblem(bytes: Uint8Array, wanted: RegExp): Promise<void> {
  const problems = await problemsOf(bytes);
  assert.ok(
    problems.some((message) => wanted.test(message)),
    `${wanted} in:\n${problems.join("\n")}`,
  );
}

test("damage anywhere in the structures ends in a failure, soon", async () => {
  for (const [sizeBytes, clusterBytes] of [
    [2 * mib, 512],
    [4 * mib, 4096],
  ] as const) {
    const { bytes: whole, layout } = await sample(sizeBytes, clusterBytes);
    assert.equal(await lookAtAll(whole, paths.slice(0, 2)), 0);
    // Where there is something: boot regions, the table, bitmap and up-case table, directories and files.
    const places = [0, layout.fatAt, layout.heapAt, clusterAt(layout, layout.rootCluster)];
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
      if (random(2) === 0) patchBoot(bytes, {});
      const device = random(5) === 0 ? bytes.slice(0, 512 + random(bytes.length)) : bytes;
      await assert.doesNotReject(lookAtAll(device, paths), `seed ${seed}`);
      await assert.doesNotReject(editDamaged(device, seed), `seed ${seed}`);
    }
  }
});

test("a boot region that contradicts itself is damaged, and one that is torn is made good by the second", async () => {
  const { bytes: whole } = await sample();
  for (const [damage, why] of [
    [{ sectorBytesLog2: 8 }, /checksum does not match/],
    [{ clusterSectorsLog2: 17 }, /2\^26 bytes/],
    [{ fatCount: 3 }, /it has 3 tables/],
    [{ fatSector: 2 }, /begins at sector 2/],
    [{ fatSectors: 1 }, /too short for/],
    [{ heapSector: 30 }, /in the table/],
    [{ clusterCount: 0 }, /no clusters/],
    [{ sectorCount: 2000 }, /end at sector .* of 2000/],
    [{ rootCluster: 1 }, /root directory is at cluster 1 of/],
    [{ rootCluster: 0xffffffff }, /root directory is at cluster/],
    [{ revision: 0x0200 }, /revision 2/],
  ] as const) {
    const bytes = Uint8Array.from(whole);
    patchBoot(bytes, damage);
    await assert.rejects(openFileSystem(new MemoryDevice(bytes)), { code: "damaged", message: why });
  }
  for (const [at, message] of [
    [64, "the checksum of the exFAT boot region does not match: the second one is used"],
    [3, "the exFAT boot region is gone: the second one is used"],
  ] as const) {
    const bytes = Uint8Array.from(whole);
    bytes[at] = bytes[at]! ^ 0xff;
    await using fileSystem = await openFileSystem(new MemoryDevice(bytes));
    assert.deepEqual(fileSystem.info.notes, [message]);
    assert.deepEqual(await problemsOf(bytes), [message]);
    assert.notEqual(await resolvePath(fileSystem, paths[1]!), undefined);
    await assert.rejects(editFileSystem(new MemoryDevice(bytes), { now }), { code: "damaged" });
  }
  const behind = Uint8Array.from(whole);
  behind[12 * 512 + 64]!++;
  assert.deepEqual(await problemsOf(behind), ["the second boot region of exFAT is damaged"]);
});

test("a second boot region that was left over from before says nothing", async () => {
  const { bytes } = await sample();
  bytes.fill(0, 0, 512);
  assert.equal(await probe(new MemoryDevice(bytes)), "exfat");
  Buffer.from(bytes.buffer).write("-FVE-FS-", 3, "latin1");
  assert.equal(await probe(new MemoryDevice(bytes)), undefined);
});

test("clusters beyond the device, and a bitmap for fewer of them, are told of", async () => {
  const { bytes } = await sample();
  await using short = await openFileSystem(new MemoryDevice(bytes.slice(0, mib)));
  assert.match(short.info.notes.join(), /takes 2097152 bytes, its device ends at 1048576/);
  await assertProblem(bytes.slice(0, mib), /takes 2097152 bytes/);
  await assert.rejects(editFileSystem(new MemoryDevice(bytes.slice(0, mib)), { now }), { code: "damaged" });
  const torn = await sample();
  bitmapEntry.patch(torn.root, { dataBytes: 3 }, slotBytes);
  await assert.rejects(openFileSystem(new MemoryDevice(torn.bytes)), {
    code: "damaged",
    message: /3 bytes, \d+ are needed/,
  });
  const gone = await sample();
  gone.root[slotBytes] = 0x01;
  await assert.rejects(openFileSystem(new MemoryDevice(gone.bytes)), {
    code: "damaged",
    message: /where the bitmap is/,
  });
});

test("an up-case table of which the checksum is wrong is replaced, and nothing changed by it", async () => {
  const { bytes, root } = await sample();
  upcaseEntry.patch(root, { checksum: 7 }, 2 * slotBytes);
  await using fileSystem = await openFileSystem(new MemoryDevice(bytes));
  assert.notEqual(await resolvePath(fileSystem, "/a/n18.txt"), undefined);
  await assertProblem(bytes, /checksum of the up-case table/);
  await assert.rejects(editFileSystem(new MemoryDevice(bytes), { now }), { code: "damaged", message: /up-case table/ });
});

test("a chain that leads back into itself is not followed for ever", async () => {
  const { bytes, layout } = await sample();
  const table = new DataView(bytes.buffer, layout.fatAt, layout.fatBytes);
  table.setUint32(layout.rootCluster * 4, layout.rootCluster, true);
  await assert.rejects(openFileSystem(new MemoryDevice(bytes)), { code: "damaged", message: /leads back into itself/ });
  table.setUint32(layout.rootCluster * 4, chainEnd, true);
  const inRoot = fileSets(bytes.subarray(clusterAt(layout, layout.rootCluster))).next().value!;
  const set = setBytes(bytes.subarray(clusterAt(layout, layout.rootCluster)), inRoot);
  const first = streamEntry.get(set, "firstCluster", slotBytes);
  streamEntry.patch(
    set,
    { flags: 1, dataBytes: 64 * layout.clusterBytes, validBytes: 64 * layout.clusterBytes },
    slotBytes,
  );
  seal(set);
  table.setUint32(first * 4, first, true);
  await assertProblem(bytes, new RegExp(`cluster ${first} belongs to another file too`));
  streamEntry.patch(set, { dataBytes: 2 ** 50, validBytes: 2 ** 50 }, slotBytes);
  seal(set);
  await using fileSystem = await openFileSystem(new MemoryDevice(bytes));
  await assert.rejects(resolvePath(fileSystem, "/A/N18.TXT"), {
    code: "damaged",
    message: /more than 268435456 bytes/,
  });
});

test("a set that is cut off is passed over, one with a wrong checksum is listed and not read", async () => {
  const { bytes, root } = await sample();
  const set = fileSets(root).next().value!;
  const names = async (): Promise<string[]> => {
    await using fileSystem = await openFileSystem(new MemoryDevice(bytes));
    const found: string[] = [];
    for await (const items of fileSystem.list(fileSystem.rootId)) found.push(...items.map(({ name }) => name));
    return found;
  };
  assert.deepEqual(await names(), ["A"]);
  fileEntry.patch(root, { checksum: 0 }, set.slot * slotBytes);
  assert.deepEqual(await names(), ["A"]);
  await using fileSystem = await openFileSystem(new MemoryDevice(bytes));
  await assert.rejects(resolvePath(fileSystem, "/A/N18.TXT"), { code: "damaged", message: /"A": the checksum/ });
  await assertProblem(bytes, /checksum of its directory entries does not match \(\/A\)/);
  for (const [slot, type, wanted] of [
    [2, entryTypes.unused, /of its 3 entries there are 2/],
    [1, entryTypes.name, /does not say where its data is/],
    [2, 0xc2, /an entry of the kind 0xc2/],
    [0, entryTypes.unused, /it belongs to no other/],
    [0, 0x8f, /of the kind 0x8f, which one must know/],
  ] as const) {
    const at = (set.slot + slot) * slotBytes;
    const before = root[at]!;
    root[at] = type;
    assert.deepEqual(await names(), []);
    await assertProblem(bytes, wanted);
    root[at] = before;
  }
  streamEntry.patch(root, { nameUnits: 255 }, (set.slot + 1) * slotBytes);
  assert.deepEqual(await names(), []);
  await assertProblem(bytes, /no room for a name of 255 characters/);
});

test("an unknown kind of entry that one must know keeps a volume from being changed", async () => {
  const { bytes, root } = await sample();
  const end = fileSets(root).next().value!;
  root[(end.slot + end.count) * slotBytes] = 0x8f;
  await using fileSystem = await openFileSystem(new MemoryDevice(bytes));
  assert.notEqual(await resolvePath(fileSystem, "/A/N18.TXT"), undefined);
  await assert.rejects(editFileSystem(new MemoryDevice(bytes), { now }), { code: "unsupported", message: /not known/ });
});

test("TexFAT is read, not changed", async () => {
  const { bytes } = await sample();
  patchBoot(bytes, { fatCount: 2, fatSectors: 8 });
  const view = new DataView(bytes.buffer);
  patchBoot(bytes, { clusterCount: view.getUint32(92, true) - 1100, fatSectors: 8 });
  await assert.rejects(editFileSystem(new MemoryDevice(bytes), { now }), { code: "unsupported", message: /TexFAT/ });
});

test("what makers add to the set of a file stays with it, and its clusters go with it", async () => {
  const { bytes, layout, root } = await sample();
  const device = new MemoryDevice(bytes);
  {
    await using fileSystem = await editFileSystem(device, { now });
    const file = { kind: "file", mode: 0o644, uid: 0, gid: 0, modified: now, sizeBytes: 0 } as const;
    await fileSystem.create({ directory: fileSystem.rootId, name: "with more" }, file);
    await fileSystem.commit();
  }
  const found = [...fileSets(root)].find(({ name }) => name === "with more")!;
  const cluster = layout.clusterCount; // the last but one
  const vendor = secondaryEntry.encode({ type: 0xe1, flags: 3, firstCluster: cluster, dataBytes: 700 });
  root.set(vendor, (found.slot + found.count) * slotBytes);
  const whole = { ...found, count: found.count + 1 };
  fileEntry.patch(root, { secondaryCount: whole.count - 1 }, found.slot * slotBytes);
  seal(setBytes(root, whole));
  const bit = cluster - 2;
  bytes[layout.heapAt + (bit >> 3)]! |= 1 << (bit & 7);
  assert.deepEqual(await problemsOf(bytes), []);
  await using fileSystem = await editFileSystem(device, { now });
  const { freeBytes } = fileSystem.info;
  const place = { directory: fileSystem.rootId, name: "with more" };
  const renamed = { ...place, name: "with a name that is longer than before" };
  await fileSystem.rename(place, renamed);
  await fileSystem.commit();
  assert.deepEqual(await problemsOf(bytes), []);
  assert.ok(Buffer.from(root.buffer, root.byteOffset, root.length).includes(Buffer.from(vendor.subarray(1))));
  await fileSystem.remove(renamed);
  await fileSystem.commit();
  assert.equal(fileSystem.info.freeBytes, freeBytes + layout.clusterBytes);
  assert.deepEqual(await problemsOf(bytes), []);
});

test("a set that another system put across two sectors moves when it changes", async () => {
  const { bytes, root } = await sample();
  const [set] = [...fileSets(root)];
  const moved = setBytes(root, set!).slice();
  for (let slot = set!.slot; slot < 15; slot++) root[slot * slotBytes] = entryTypes.unused;
  root.set(moved, 15 * slotBytes);
  const device = new MemoryDevice(bytes);
  await using fileSystem = await editFileSystem(device, { now });
  const id = (await fileSystem.find(fileSystem.rootId, "A"))!;
  await fileSystem.setMetadata(id, { modified: { seconds: 1_500_000_000, nanoseconds: 0 } });
  await fileSystem.remove({ directory: id, name: "N0.TXT" });
  await fileSystem.commit();
  assert.deepEqual(await problemsOf(bytes), []);
  assert.deepEqual(
    [...fileSets(root)].map(({ name, slot }) => [name, slot]),
    [["A", set!.slot]],
  );
  assert.equal(await fileSystem.find(fileSystem.rootId, "a"), id);
});

test("what was never written of a file reads as zeros, and is given them when the file changes", async () => {
  const { bytes, layout, root } = await sample();
  const device = new MemoryDevice(bytes);
  const content = [{ at: 0, bytes: new Uint8Array(5000).fill(7) }];
  {
    await using fileSystem = await editFileSystem(device, { now });
    const file = { kind: "file", mode: 0o644, uid: 0, gid: 0, modified: now, sizeBytes: 5000, content } as const;
    await fileSystem.create({ directory: fileSystem.rootId, name: "part" }, file);
    await fileSystem.commit();
  }
  const found = [...fileSets(root)].find(({ name }) => name === "part")!;
  streamEntry.patch(root, { validBytes: 1500 }, (found.slot + 1) * slotBytes);
  seal(setBytes(root, found));
  const read = async (): Promise<Uint8Array> => {
    await using fileSystem = await openFileSystem(device);
    const id = await resolvePath(fileSystem, "/part");
    const whole = new Uint8Array((await fileSystem.stat(id)).sizeBytes);
    for await (const piece of fileSystem.content(id)) whole.set(piece.bytes, piece.at);
    return whole;
  };
  const wanted = new Uint8Array(5000).fill(7, 0, 1500);
  assert.deepEqual(await read(), wanted);
  await using fileSystem = await editFileSystem(device, { now });
  await fileSystem.write(await resolvePath(fileSystem, "/part"), 3000, Buffer.from("x"));
  await fileSystem.commit();
  wanted[3000] = 0x78;
  assert.deepEqual(await read(), wanted);
  const after = [...fileSets(root)].find(({ name }) => name === "part")!;
  assert.equal(streamEntry.get(root, "validBytes", (after.slot + 1) * slotBytes), 5000);
  assert.deepEqual(await problemsOf(bytes), []);
  assert.equal(layout.clusterBytes, 1024);
});

test("where it was not closed, nothing is written over a file of which the bitmap says that it is free", async () => {
  const { bytes, layout } = await sample();
  const used = bytes.subarray(layout.heapAt, layout.heapAt + Math.ceil(layout.clusterCount / 8));
  const systemClusters = layout.rootCluster - 1; // the root directory is the last of these
  for (let bit = systemClusters; bit < layout.clusterCount; bit++) used[bit >> 3]! &= ~(1 << (bit & 7));
  bytes[106] = 2;
  await assertProblem(bytes, /the bitmap says that it is free/);
  const before = await fingerprintOf(bytes);
  const warnings: string[] = [];
  const device = new MemoryDevice(bytes);
  await using fileSystem = await editFileSystem(device, { now, onWarning: (message) => void warnings.push(message) });
  assert.match(warnings.join(), /was not closed/);
  const content = [{ at: 0, bytes: new Uint8Array(fileSystem.info.freeBytes).fill(0xee) }];
  const file = { kind: "file", mode: 0o644, uid: 0, gid: 0, modified: now, content } as const;
  const place = { directory: fileSystem.rootId, name: "fills it" };
  await fileSystem.create(place, { ...file, sizeBytes: fileSystem.info.freeBytes });
  await fileSystem.commit();
  assert.deepEqual(await problemsOf(bytes), ["the boot sector says that the file system was not closed"]);
  await fileSystem.remove(place);
  await fileSystem.commit();
  assert.equal(await fingerprintOf(bytes), before);
});

async function fingerprintOf(bytes: Uint8Array): Promise<string> {
  await using fileSystem = await openFileSystem(new MemoryDevice(bytes));
  return await fingerprint(fileSystem);
}
