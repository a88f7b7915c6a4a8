/** What the file system says of the usage of each owner stays true: the last word has e2fsck, which counts anew. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { FileDevice } from "../../src/device/index.ts";
import { editFileSystem, resolvePath, type EditableFileSystem } from "../../src/filesystem/index.ts";
import { listedImage } from "../filesystem/ext/orphaned.ts";
import { temporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const skip = skipWithout("mke2fs", "e2fsck", "debugfs");
const now = { seconds: 1_700_000_000, nanoseconds: 0 };

async function edit(image: string, work: (fileSystem: EditableFileSystem) => Promise<void>): Promise<void> {
  await using device = await FileDevice.open(image);
  await using fileSystem = await editFileSystem(device, { now });
  await work(fileSystem);
  await fileSystem.commit();
}

async function makeFile(fileSystem: EditableFileSystem, name: string, owner: number, sizeBytes: number): Promise<void> {
  const bytes = Buffer.alloc(sizeBytes, name);
  await fileSystem.create(
    { directory: fileSystem.rootId, name },
    {
      kind: "file",
      mode: 0o644,
      uid: owner,
      gid: owner % 1000,
      modified: now,
      sizeBytes,
      content: sizeBytes === 0 ? [] : [{ at: 0, bytes }],
    },
  );
}

/** What the user quota says: used bytes and inodes of each owner. */
function usage(image: string): Map<number, readonly [bytes: number, inodes: number]> {
  const rows = runPeer("debugfs", ["-R", "list_quota user", image]).split("\n");
  const numbers = rows.map((row) => row.trim().split(/\s+/)).filter(([id]) => /^\d+$/.test(id ?? ""));
  return new Map(numbers.map(([id, bytes, , , inodes]) => [Number(id), [Number(bytes), Number(inodes)]]));
}

/** Owners that are neighbours, far from each other, and the highest. */
const owners = Array.from({ length: 120 }, (_, n) => (n % 3 === 0 ? n : (n * 2_654_435_761) % (2 ** 32 - 1)));

for (const options of [
  ["-t", "ext4", "-b", "4096"],
  ["-t", "ext4", "-b", "1024"],
  ["-t", "ext2", "-b", "1024"],
]) {
  test(`usage of many owners, ${options.join(" ")}`, { skip }, async () => {
    await using folder = temporaryFolder();
    const image = folder.join("image");
    runPeer("mke2fs", ["-q", "-F", ...options, "-O", "quota", image, "32M"]);
    for (const half of [owners.slice(0, 60), owners.slice(60)]) {
      await edit(image, async (fileSystem) => {
        for (const [n, owner] of half.entries()) await makeFile(fileSystem, `of-${owner}`, owner, n * 300);
      });
      runPeer("e2fsck", ["-fn", image]);
    }
    const size = Number(options.at(-1));
    assert.deepEqual(usage(image).get(owners[40]!), [Math.ceil((40 * 300) / size) * size, 1]);
    await edit(image, async (fileSystem) => {
      for (const owner of owners.slice(0, 30))
        await fileSystem.remove({ directory: fileSystem.rootId, name: `of-${owner}` });
      for (const owner of owners.slice(30, 60)) {
        await fileSystem.setMetadata(await resolvePath(fileSystem, `of-${owner}`), { uid: 7, gid: owner % 100 });
      }
    });
    runPeer("e2fsck", ["-fn", image]);
    assert.equal(usage(image).get(7)?.[1], 30);
    assert.deepEqual(usage(image).get(owners[50]!) ?? [0, 0], [0, 0]);
  });
}

test("limits stay as they are", { skip }, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("image");
  runPeer("mke2fs", ["-q", "-F", "-t", "ext4", "-b", "1024", "-O", "quota", image, "16M"]);
  await edit(image, (fileSystem) => makeFile(fileSystem, "one", 1234, 5_000));
  const bytes = fs.readFileSync(image);
  const at = entryOf(bytes, 1234, blockOf(image, 5));
  bytes.writeBigUInt64LE(99n, at + 8); // a limit of inodes
  bytes.writeBigUInt64LE(2n ** 40n, at + 40); // and of bytes
  fs.writeFileSync(image, bytes);
  await edit(image, (fileSystem) => makeFile(fileSystem, "two", 1234, 5_000));
  runPeer("e2fsck", ["-fn", image]);
  const after = fs.readFileSync(image);
  assert.deepEqual([after.readBigUInt64LE(at + 8), after.readBigUInt64LE(at + 40)], [99n, 2n ** 40n]);
  assert.deepEqual(usage(image).get(1234), [2 * 5_120, 2]);
});

test("files that wait to be deleted and cut no longer count once they are cleared", { skip }, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("image");
  listedImage(image, folder, ["-t", "ext4", "-b", "1024", "-O", "quota"]);
  await edit(image, async () => {});
  runPeer("e2fsck", ["-fn", image]);
});

test("a damaged quota file is refused by name, and nothing is written", { skip }, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("image");
  runPeer("mke2fs", ["-q", "-F", "-t", "ext4", "-b", "1024", "-O", "quota", image, "16M"]);
  const whole = fs.readFileSync(image);
  const [head, root] = [blockOf(image, 0) * 1024, blockOf(image, 1) * 1024];
  const cases: readonly (readonly [message: RegExp, at: number, value: number])[] = [
    [/cannot read the user quota: its signature is missing/, head, 0xd9c01927],
    [/it is of version 0, only 1 is known/, head + 4, 0],
    [/it refers to its block 77 of 6/, root, 77],
    [/it refers to its block 1 of 6/, root, 1],
    [/there is no entry of 0 where its tree leads to/, blockOf(image, 4) * 1024, 2],
  ];
  for (const [message, at, value] of cases) {
    const bytes = Buffer.from(whole);
    bytes.writeUInt32LE(value, at);
    fs.writeFileSync(image, bytes);
    const change = edit(image, (fileSystem) => fileSystem.setMetadata(fileSystem.rootId, { uid: 5 }));
    await assert.rejects(change, { name: "Failure", message });
    assert.ok(bytes.equals(fs.readFileSync(image)), `${message}`);
  }
});

/** The block of the image that holds a block of the user quota. */
function blockOf(image: string, number: number): number {
  return Number(runPeer("debugfs", ["-R", `bmap <3> ${number}`, image]).trim());
}

function entryOf(bytes: Buffer, owner: number, block: number): number {
  for (let at = block * 1024 + 16; at < (block + 1) * 1024; at += 72) if (bytes.readUInt32LE(at) === owner) return at;
  throw new RangeError(`there is no entry of ${owner}`);
}
