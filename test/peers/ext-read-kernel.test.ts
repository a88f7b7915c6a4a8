import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, before, test, type TestContext } from "node:test";
import { FileReader } from "../../src/device/index.ts";
import { openFileSystem, resolvePath, type FileSystem } from "../../src/filesystem/index.ts";
import { encryptDirectory, fillMounted, skipWithoutMount, whileMounted } from "../filesystem/ext/mounted.ts";
import { noise } from "../filesystem/ext/sample-folder.ts";
import { factsOf, factsOfFolder, type FileFacts } from "../filesystem/file-facts.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { runPeer } from "./peer.ts";

const skip = skipWithoutMount();

const cases: readonly (readonly [name: string, ...options: string[]])[] = [
  ["ext2, 1 KiB", "-t", "ext2", "-b", "1024"],
  ["ext2, 4 KiB", "-t", "ext2", "-b", "4096"],
  ["ext3, 1 KiB", "-t", "ext3", "-b", "1024"],
  ["ext4, 1 KiB", "-t", "ext4", "-b", "1024"],
  ["ext4, 4 KiB", "-t", "ext4", "-b", "4096"],
  ["ext4, inodes of 128 bytes", "-t", "ext4", "-I", "128"],
  ["ext4 without extents", "-t", "ext4", "-O", "^extent,^64bit", "-b", "1024"],
  ["ext4 with inline data", "-t", "ext4", "-O", "inline_data"],
  ["ext4 with inline data, inodes of 1 KiB", "-t", "ext4", "-O", "inline_data", "-I", "1024", "-b", "1024"],
  ["ext4 with bigalloc", "-t", "ext4", "-O", "bigalloc", "-C", "16384"],
  ["ext4 with meta_bg", "-t", "ext4", "-O", "meta_bg,^resize_inode", "-b", "1024"],
  ["ext4 with large_dir", "-t", "ext4", "-O", "large_dir", "-b", "1024"],
  ["ext4 with ea_inode", "-t", "ext4", "-O", "ea_inode", "-b", "1024"],
  ["ext4 with an orphan file", "-t", "ext4", "-O", "orphan_file"],
  ["ext4 with uninit_bg, no flex_bg", "-t", "ext4", "-O", "^metadata_csum,uninit_bg,^flex_bg", "-b", "1024"],
  ["ext4 with fast commits", "-t", "ext4", "-O", "fast_commit"],
];

let folder: TemporaryFolder;

before(() => {
  folder = temporaryFolder();
});

after(() => folder[Symbol.asyncDispose]());

for (const [name, ...options] of cases) {
  test(`reads what the kernel wrote: ${name}`, { skip }, async () => {
    const image = makeImage(options);
    let model = new Map<string, FileFacts>();
    await whileMounted(image, folder.join("mounted"), "user_xattr,acl", async () => {
      await fillMounted(folder.join("mounted"));
      model = factsOfFolder(folder.join("mounted"));
    });
    await usingImage(image, async (fileSystem) => {
      assertSame(await factsOf(fileSystem), model);
      await assertIndexFinds(fileSystem, model, "indexed");
      assert.deepEqual(await problemsOf(fileSystem), []);
    });
  });
}

const journalled: readonly (readonly [name: string, mountOptions: string, ...options: string[]])[] = [
  ["ext3, 1 KiB", "data=ordered", "-t", "ext3", "-b", "1024"],
  ["ext4, checksums", "nodelalloc", "-t", "ext4", "-b", "4096"],
  ["ext4, 1 KiB", "nodelalloc", "-t", "ext4", "-b", "1024"],
  ["ext4 with data in the journal", "data=journal", "-t", "ext4", "-b", "1024"],
  ["ext4 without 64bit and checksums", "nodelalloc", "-t", "ext4", "-O", "^64bit,^metadata_csum", "-b", "1024"],
  ["ext4 with asynchronous commits", "data=journal,journal_async_commit", "-t", "ext4", "-b", "1024"],
];

for (const [name, mountOptions, ...options] of journalled) {
  test(`replays the journal of a file system that is still in use: ${name}`, { skip }, async () => {
    const image = makeImage(["-J", "size=4", ...options]);
    const mounted = folder.join("mounted");
    const copy = folder.join("copy");
    let model = new Map<string, FileFacts>();
    await whileMounted(image, mounted, mountOptions, async () => {
      churn(mounted);
      fs.copyFileSync(image, copy);
      model = factsOfFolder(mounted);
    });
    await usingImage(copy, async (fileSystem) => {
      assert.ok(fileSystem.info.features.includes("needs_recovery"));
      assert.match(fileSystem.info.notes.join("\n"), /the journal was replayed in memory/);
      assertSame(await factsOf(fileSystem), model);
      const errors = (await problemsOf(fileSystem)).filter(({ severity }) => severity === "error");
      assert.deepEqual(errors, []);
    });
  });
}

for (const options of [
  ["-b", "1024"],
  ["-b", "1024", "-O", "^64bit,^metadata_csum"],
]) {
  test(`leaves out blocks that the journal has revoked: ${options.join(" ")}`, { skip }, async () => {
    const image = makeImage(["-t", "ext4", "-J", "size=16", ...options]);
    const mounted = folder.join("mounted");
    const copy = folder.join("copy");
    let model = new Map<string, FileFacts>();
    await whileMounted(image, mounted, "nodelalloc", async () => {
      fillWhereDirectoryWas(mounted);
      fs.copyFileSync(image, copy);
      model = factsOfFolder(mounted);
    });
    await usingImage(copy, async (fileSystem) => assertSame(await factsOf(fileSystem), model));
  });
}

test("lists encrypted directories and refuses what is in their files", { skip }, async (context) => {
  const image = makeImage(["-t", "ext4", "-O", "encrypt"]);
  const mounted = folder.join("mounted");
  let isEncrypted = false;
  await whileMounted(image, mounted, "user_xattr", async () => {
    fs.mkdirSync(`${mounted}/secret`);
    isEncrypted = encryptDirectory(`${mounted}/secret`);
    for (let n = 0; n < 300; n++) fs.writeFileSync(`${mounted}/secret/file-${n}`, "hidden");
    fs.symlinkSync("target", `${mounted}/secret/link`);
  });
  if (!isEncrypted) return skipHere(context, "this kernel does not encrypt");
  await usingImage(image, async (fileSystem) => {
    const secret = await resolvePath(fileSystem, "secret");
    let count = 0;
    for await (const items of fileSystem.list(secret)) {
      for (const item of items) {
        assert.match(item.name, /^encrypted-[\w-]+$/);
        assert.equal(await fileSystem.find(secret, item.name), item.id);
        const { kind } = await fileSystem.stat(item.id);
        const look =
          kind === "symlink"
            ? fileSystem.readLink(item.id)
            : fileSystem.content(item.id)[Symbol.asyncIterator]().next();
        await assert.rejects(look, { name: "Failure", code: "unsupported" });
        count++;
      }
    }
    assert.equal(count, 301);
    assert.deepEqual(await problemsOf(fileSystem), []);
  });
});

function skipHere(context: TestContext, why: string): void {
  context.skip(why);
}

function makeImage(options: readonly string[]): string {
  const image = folder.join("image");
  fs.rmSync(image, { force: true });
  runPeer("mke2fs", ["-q", "-F", ...options, image, "48M"]);
  return image;
}

async function usingImage(image: string, work: (fileSystem: FileSystem) => Promise<void>): Promise<void> {
  await using reader = await FileReader.open(image);
  await using fileSystem = await openFileSystem(reader);
  await work(fileSystem);
}

async function problemsOf(fileSystem: FileSystem): Promise<{ readonly severity: string; readonly message: string }[]> {
  const problems = [];
  for await (const problem of fileSystem.check()) problems.push(problem);
  return problems;
}

function assertSame(facts: Map<string, FileFacts>, model: Map<string, FileFacts>): void {
  assert.deepEqual([...facts.keys()].sort(), [...model.keys()].sort());
  for (const [name, expected] of model) {
    assert.deepEqual(facts.get(name), expected, name);
  }
}

async function assertIndexFinds(
  fileSystem: FileSystem,
  model: Map<string, FileFacts>,
  directory: string,
): Promise<void> {
  const id = await resolvePath(fileSystem, directory);
  const names = [...model.keys()].filter((name) => name.startsWith(`${directory}/`));
  assert.ok(names.length > 1000);
  for (const name of names) {
    assert.ok((await fileSystem.find(id, name.slice(directory.length + 1))) !== undefined, name);
  }
  for (let n = 0; n < 300; n++) assert.equal(await fileSystem.find(id, `missing-${n}`), undefined);
}

/** Goes around the journal more than once, with blocks that change what they are for, and leaves it full of news. */
function churn(root: string): void {
  for (let round = 0; round < 60; round++) {
    const directory = `${root}/directory-${round % 4}`;
    fs.rmSync(directory, { recursive: true, force: true });
    settle(root);
    fs.writeFileSync(`${root}/file-${round % 7}`, startsLikeJournal(round, 20_000));
    fs.mkdirSync(directory);
    for (let n = 0; n < 60; n++) fs.writeFileSync(`${directory}/${"n".repeat(100)}-${round}-${n}`, noise(n, n * 20));
    settle(root);
  }
}

/** Blocks of a directory, which are in the journal, become content, which is not, for there is no other room. */
function fillWhereDirectoryWas(root: string): void {
  fs.mkdirSync(`${root}/directory`);
  for (let n = 0; n < 1500; n++) fs.writeFileSync(`${root}/directory/${"n".repeat(200)}-${n}`, "");
  settle(root);
  fillUp(`${root}/filler`);
  settle(root);
  fs.rmSync(`${root}/directory`, { recursive: true });
  settle(root);
  fillUp(`${root}/filler`);
  settle(root);
}

function fillUp(file: string): void {
  const fd = fs.openSync(file, "a");
  try {
    for (let n = 0; ; n++) fs.writeSync(fd, noise(n, 10_240));
  } catch (error) {
    assert.ok(error instanceof Error && "code" in error && error.code === "ENOSPC");
  } finally {
    fs.closeSync(fd);
  }
}

/** Content that begins each block with the signature of the journal, which the journal has to escape. */
function startsLikeJournal(seed: number, lengthBytes: number): Buffer {
  const bytes = noise(seed, lengthBytes);
  for (let at = 0; at + 4 <= lengthBytes; at += 1024) bytes.writeUInt32BE(0xc03b3998, at);
  return bytes;
}

function settle(root: string): void {
  const fd = fs.openSync(root, "r");
  fs.fsyncSync(fd);
  fs.closeSync(fd);
}
