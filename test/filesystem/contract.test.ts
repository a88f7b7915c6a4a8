/** What every file system has to do that can be changed, whichever it is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryDevice } from "../../src/device/index.ts";
import { makeExt, type ExtOptions } from "../../src/filesystem/ext/index.ts";
import {
  editFileSystem,
  openFileSystem,
  resolvePath,
  type EditableFileSystem,
  type FileSystem,
  type NewFile,
} from "../../src/filesystem/index.ts";
import { emptyExfat } from "./exfat/sample-exfat.ts";
import { emptyFat } from "./fat/sample-fat.ts";
import { Dice } from "./random-edits.ts";

const now = { seconds: 1_700_000_000, nanoseconds: 0 };
const earlier = { seconds: 1_600_000_000, nanoseconds: 0 };
const mib = 2 ** 20;

/** A file system to try, made anew each time, and what it need not do. */
interface Candidate {
  readonly name: string;
  readonly make: () => Promise<MemoryDevice>;
  readonly hasLinks: boolean;
  readonly foldsCase: boolean;
}

function ext(kind: ExtOptions["kind"], options: Partial<ExtOptions>, sizeBytes = 24 * mib): Candidate {
  const make = async (): Promise<MemoryDevice> => {
    const device = new MemoryDevice(new Uint8Array(sizeBytes));
    await makeExt(device, [], { kind, uuid: "2c5ad4a2-7c0b-4e0c-9d3f-55c6f3b0e8a1", now, ...options });
    return device;
  };
  return { name: `${kind} with blocks of ${options.blockSizeBytes ?? 4096}`, make, hasLinks: true, foldsCase: false };
}

function fat(kind: "fat12" | "fat16" | "fat32", sizeBytes: number, clusterBytes: number): Candidate {
  const make = (): Promise<MemoryDevice> => emptyFat(kind, sizeBytes, clusterBytes);
  return { name: `${kind} with clusters of ${clusterBytes}`, make, hasLinks: false, foldsCase: true };
}

function exfat(sizeBytes: number, clusterBytes: number): Candidate {
  const make = (): Promise<MemoryDevice> => emptyExfat(sizeBytes, clusterBytes);
  return { name: `exfat with clusters of ${clusterBytes}`, make, hasLinks: false, foldsCase: true };
}

const candidates: readonly Candidate[] = [
  ext("ext2", { blockSizeBytes: 1024 }),
  ext("ext3", { blockSizeBytes: 2048 }),
  ext("ext4", { blockSizeBytes: 4096 }, 48 * mib),
  ext("ext4", { blockSizeBytes: 1024 }),
  fat("fat12", 14 * mib, 4096),
  fat("fat16", 24 * mib, 2048),
  fat("fat32", 40 * mib, 512),
  exfat(8 * mib, 512),
  exfat(24 * mib, 4096),
];

function fileOf(bytes: Uint8Array): NewFile {
  const content = bytes.length === 0 ? {} : { content: [{ at: 0, bytes }] };
  return { kind: "file", mode: 0o644, uid: 0, gid: 0, modified: earlier, sizeBytes: bytes.length, ...content };
}

const directory: NewFile = { kind: "directory", mode: 0o755, uid: 0, gid: 0, modified: earlier, sizeBytes: 0 };

async function bytesOf(fileSystem: FileSystem, path: string): Promise<Uint8Array> {
  const id = await resolvePath(fileSystem, path);
  const bytes = new Uint8Array((await fileSystem.stat(id)).sizeBytes);
  let end = 0;
  for await (const piece of fileSystem.content(id)) {
    assert.ok(piece.at >= end && piece.at + piece.bytes.length <= bytes.length, "pieces ascend within the file");
    bytes.set(piece.bytes, piece.at);
    end = piece.at + piece.bytes.length;
  }
  return bytes;
}

async function namesIn(fileSystem: FileSystem, path: string): Promise<string[]> {
  const names: string[] = [];
  for await (const items of fileSystem.list(await resolvePath(fileSystem, path))) {
    for (const { name, id } of items) {
      assert.equal(await fileSystem.find(await resolvePath(fileSystem, path), name), id, name);
      if (name !== "lost+found") names.push(name);
    }
  }
  return names.toSorted();
}

async function assertSound(fileSystem: FileSystem): Promise<void> {
  for await (const { message } of fileSystem.check()) assert.fail(message);
  let end = 0;
  let usedBytes = 0;
  for await (const { startBytes, lengthBytes } of fileSystem.usedExtents()) {
    assert.ok(startBytes >= end && lengthBytes > 0, "used extents ascend");
    end = startBytes + lengthBytes;
    usedBytes += lengthBytes;
  }
  const { sizeBytes, freeBytes } = fileSystem.info;
  assert.ok(end <= sizeBytes && usedBytes >= sizeBytes - freeBytes - mib, "what is not free is used");
}

for (const { name, make, hasLinks, foldsCase } of candidates) {
  const edit = (device: MemoryDevice): Promise<EditableFileSystem> => editFileSystem(device, { now });
  const inRoot = (fileSystem: FileSystem, own: string) => ({ directory: fileSystem.rootId, name: own });

  test(`${name}: what was made is there after a commit, and shows before it`, async () => {
    const device = await make();
    const contents = [0, 1, 511, 512, 4096, 5000, 300_000].map((length) => new Dice(length).bytes(length));
    {
      await using fileSystem = await edit(device);
      let place = fileSystem.rootId;
      for (const [depth, bytes] of contents.entries()) {
        await fileSystem.create({ directory: place, name: `file ${depth}` }, fileOf(bytes));
        place = await fileSystem.create({ directory: place, name: "déeper" }, directory);
      }
      assert.deepEqual(await bytesOf(fileSystem, "/déeper/déeper/file 2"), contents[2]);
      await assertSound(fileSystem);
      await fileSystem.commit();
      await assertSound(fileSystem);
    }
    await using fileSystem = await openFileSystem(device);
    await assertSound(fileSystem);
    for (const [depth, bytes] of contents.entries()) {
      const path = `/${"déeper/".repeat(depth)}`;
      assert.deepEqual(await bytesOf(fileSystem, `${path}file ${depth}`), bytes);
      assert.deepEqual(await namesIn(fileSystem, path), ["déeper", `file ${depth}`]);
      const stat = await fileSystem.stat(await resolvePath(fileSystem, `${path}file ${depth}`));
      assert.deepEqual([stat.kind, stat.modified, stat.mode, stat.links], ["file", earlier, 0o644, 1]);
    }
  });

  test(`${name}: without a commit nothing has changed`, async () => {
    const device = await make();
    const before = Uint8Array.from(device.bytes);
    {
      await using fileSystem = await edit(device);
      await fileSystem.create(inRoot(fileSystem, "made"), fileOf(new Dice(1).bytes(100)));
      await fileSystem.create(inRoot(fileSystem, "folder"), directory);
    }
    await using left = await openFileSystem(device);
    await using wanted = await openFileSystem(new MemoryDevice(before));
    assert.deepEqual(await namesIn(left, "/"), []);
    assert.deepEqual(left.info, wanted.info);
    await assertSound(left);
  });

  test(`${name}: what rename(2) and its kin refuse is refused, and changes nothing`, async () => {
    const device = await make();
    await using fileSystem = await edit(device);
    const at = (own: string) => inRoot(fileSystem, own);
    const folder = await fileSystem.create(at("folder"), directory);
    const inner = await fileSystem.create({ directory: folder, name: "inner" }, directory);
    const file = await fileSystem.create(at("file"), fileOf(Buffer.from("file")));
    await fileSystem.create(at("empty"), directory);
    await fileSystem.commit();
    const code = (wanted: string) => ({ name: "Failure", code: wanted });
    await assert.rejects(fileSystem.create(at("file"), fileOf(new Uint8Array(0))), code("exists"));
    await assert.rejects(fileSystem.create({ directory: file, name: "x" }, directory), code("failed"));
    await assert.rejects(fileSystem.remove(at("folder")), code("failed"));
    await assert.rejects(fileSystem.remove(at("missing")), code("not-found"));
    await assert.rejects(fileSystem.rename(at("missing"), at("other")), code("not-found"));
    await assert.rejects(fileSystem.rename(at("folder"), { directory: inner, name: "below" }), code("failed"));
    await assert.rejects(fileSystem.rename(at("empty"), at("folder")), code("failed"));
    await assert.rejects(fileSystem.rename(at("file"), at("empty")), code("exists"));
    await assert.rejects(fileSystem.rename(at("folder"), at("file")), code("exists"));
    await assert.rejects(fileSystem.write(folder, 0, Buffer.from("x")), code("failed"));
    for (const bad of ["", ".", "..", "a/b", "x".repeat(256)]) {
      await assert.rejects(fileSystem.create(at(bad), directory), code("failed"), JSON.stringify(bad));
    }
    await assert.rejects(fileSystem.stat(9_999_999).then(() => fileSystem.content(9_999_999)));
    await fileSystem.commit();
    assert.deepEqual(await namesIn(fileSystem, "/"), ["empty", "file", "folder"]);
    await assertSound(fileSystem);
  });

  test(`${name}: a name moves, replaces a file or an empty directory, and keeps its id`, async () => {
    const device = await make();
    await using fileSystem = await edit(device);
    const at = (own: string) => inRoot(fileSystem, own);
    const [a, b] = [await fileSystem.create(at("a"), directory), await fileSystem.create(at("b"), directory)];
    const file = await fileSystem.create({ directory: a, name: "file" }, fileOf(Buffer.from("one")));
    await fileSystem.create({ directory: b, name: "file" }, fileOf(Buffer.from("another")));
    await fileSystem.commit();
    await fileSystem.rename({ directory: a, name: "file" }, { directory: b, name: "file" });
    assert.equal(await fileSystem.find(b, "file"), file);
    assert.equal(await fileSystem.find(a, "file"), undefined);
    await fileSystem.rename(at("b"), at("a"));
    assert.deepEqual(await namesIn(fileSystem, "/"), ["a"]);
    await fileSystem.rename(at("a"), at("a"));
    await fileSystem.create(at("top"), directory);
    await fileSystem.rename(at("a"), { directory: await resolvePath(fileSystem, "/top"), name: "a name that is new" });
    await fileSystem.commit();
    assert.deepEqual(await bytesOf(fileSystem, "/top/a name that is new/file"), new Uint8Array(Buffer.from("one")));
    if (foldsCase) {
      await fileSystem.rename(at("top"), at("TOP"));
      assert.deepEqual(await namesIn(fileSystem, "/"), ["TOP"]);
      await fileSystem.rename(at("TOP"), at("top"));
    }
    await fileSystem.commit();
    await assertSound(fileSystem);
    await using reopened = await openFileSystem(device);
    assert.deepEqual(await namesIn(reopened, "/top/a name that is new"), ["file"]);
    await assertSound(reopened);
  });

  test(`${name}: parts of files are overwritten, cut off and drawn out, with zeros where nothing was`, async () => {
    const device = await make();
    const dice = new Dice(7);
    let wanted = new Uint8Array(0);
    await using fileSystem = await edit(device);
    const id = await fileSystem.create(inRoot(fileSystem, "file"), fileOf(wanted));
    for (let turn = 0; turn < 60; turn++) {
      if (dice.below(3) === 0) {
        const cut = new Uint8Array(dice.below(60_000));
        cut.set(wanted.subarray(0, cut.length));
        await fileSystem.truncate(id, cut.length);
        wanted = cut;
      } else {
        const [start, bytes] = [dice.below(50_000), dice.bytes(dice.below(20_000))];
        const longer = new Uint8Array(
          bytes.length === 0 ? wanted.length : Math.max(wanted.length, start + bytes.length),
        );
        longer.set(wanted);
        if (bytes.length > 0) longer.set(bytes, start);
        await fileSystem.write(id, start, bytes);
        wanted = longer;
      }
      assert.deepEqual(await bytesOf(fileSystem, "/file"), wanted, `turn ${turn}`);
      if (turn % 7 === 0) await fileSystem.commit();
    }
    await fileSystem.replaceContent(id, { sizeBytes: 3, content: [{ at: 0, bytes: Buffer.from("end") }] });
    assert.deepEqual(await bytesOf(fileSystem, "/file"), new Uint8Array(Buffer.from("end")));
    await fileSystem.replaceContent(id, { sizeBytes: 5000 });
    assert.deepEqual(await bytesOf(fileSystem, "/file"), new Uint8Array(5000));
    await fileSystem.commit();
    await assertSound(fileSystem);
    assert.deepEqual((await fileSystem.stat(id)).modified, now);
  });

  test(`${name}: thousands of names in a directory, and all their room is free again without them`, async () => {
    const device = await make();
    await using fileSystem = await edit(device);
    const parent = await fileSystem.create(inRoot(fileSystem, "many"), directory);
    await fileSystem.commit();
    const { freeBytes } = fileSystem.info;
    const names = Array.from({ length: 2000 }, (_, n) => `a name that is rather long ${n}`);
    for (const own of names) await fileSystem.create({ directory: parent, name: own }, fileOf(new Uint8Array(0)));
    await fileSystem.commit();
    assert.deepEqual(await namesIn(fileSystem, "/many"), names.toSorted());
    await assertSound(fileSystem);
    for (const own of names) await fileSystem.remove({ directory: parent, name: own });
    await fileSystem.remove(inRoot(fileSystem, "many"));
    await fileSystem.commit();
    assert.ok(fileSystem.info.freeBytes >= freeBytes, "nothing is left behind");
    await assertSound(fileSystem);
  });

  test(`${name}: where there is no room, nothing changes on the device`, async () => {
    const device = await make();
    const before = await openFileSystem(device);
    await using fileSystem = await edit(device);
    const bytes = new Uint8Array(mib).fill(1);
    await assert.rejects(
      async () => {
        for (let n = 0; n < 100; n++) await fileSystem.create(inRoot(fileSystem, `file ${n}`), fileOf(bytes));
        await fileSystem.commit();
      },
      { name: "Failure", code: "no-space" },
    );
    await using left = await openFileSystem(device);
    assert.deepEqual(await namesIn(left, "/"), []);
    assert.deepEqual(left.info, before.info);
    await assertSound(left);
  });

  test(`${name}: links and owners are kept, or refused by name`, async () => {
    const device = await make();
    await using fileSystem = await edit(device);
    const at = (own: string) => inRoot(fileSystem, own);
    const id = await fileSystem.create(at("file"), fileOf(Buffer.from("x")));
    const link: NewFile = { ...directory, kind: "symlink", linkTarget: "file" };
    if (hasLinks) {
      await fileSystem.link(at("second"), id);
      await fileSystem.create(at("link"), link);
      await fileSystem.setMetadata(id, { uid: 7, gid: 8, mode: 0o4755 });
      const { uid, gid, mode, links } = await fileSystem.stat(id);
      assert.deepEqual([uid, gid, mode, links], [7, 8, 0o4755, 2]);
    } else {
      const unsupported = { name: "Failure", code: "unsupported" };
      await assert.rejects(fileSystem.link(at("second"), id), unsupported);
      await assert.rejects(fileSystem.create(at("link"), link), unsupported);
      await assert.rejects(fileSystem.setMetadata(id, { uid: 7 }), unsupported);
      await assert.rejects(fileSystem.setMetadata(id, { mode: 0o600 }), unsupported);
      assert.deepEqual(fileSystem.keepable({ uid: 7, mode: 0o600, modified: now }), { modified: now });
      await fileSystem.setMetadata(id, { mode: 0o444 });
      assert.equal((await fileSystem.stat(id)).mode, 0o444);
    }
    await fileSystem.setMetadata(id, { modified: earlier, accessed: earlier });
    assert.deepEqual((await fileSystem.stat(id)).modified, earlier);
    await fileSystem.commit();
    await assertSound(fileSystem);
  });
}
