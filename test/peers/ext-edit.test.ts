import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { isSystemError, libc } from "../../src/base/index.ts";
import { FileDevice, FileReader } from "../../src/device/index.ts";
import { editFileSystem, openFileSystem } from "../../src/filesystem/index.ts";
import { skipWithoutMount, whileMounted } from "../filesystem/ext/mounted.ts";
import { factsOf, factsOfFolder, type FileFacts } from "../filesystem/file-facts.ts";
import { applyRandomEdit, Dice, folders, randomEdit, type RandomEdit } from "../filesystem/random-edits.ts";
import { temporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const skip = skipWithoutMount() || skipWithout("e2fsck", "mke2fs", "debugfs");
const now = { seconds: 1_700_000_000, nanoseconds: 0 };

/** Carries an edit out in a mounted folder; false where the kernel refuses it. */
function applyToFolder(root: string, edit: RandomEdit): boolean {
  try {
    apply(root, edit);
    return true;
  } catch (error) {
    if (
      isSystemError(
        error,
        "EEXIST",
        "ENOENT",
        "ENOTDIR",
        "EISDIR",
        "ENOTEMPTY",
        "EINVAL",
        "ELOOP",
        "EPERM",
        "ENAMETOOLONG",
      )
    ) {
      return false;
    }
    throw error;
  }
}

function apply(root: string, edit: RandomEdit): void {
  const at = path.join(root, edit.path);
  const own = (mode: number): void => {
    fs.lchownSync(at, 0, 0); // a set-id directory would hand its group on
    fs.chmodSync(at, mode);
  };
  switch (edit.verb) {
    case "file": {
      const isNew = fs.lstatSync(at, { throwIfNoEntry: false }) === undefined;
      writeAt(at, fs.constants.O_CREAT | fs.constants.O_TRUNC, 0, edit.bytes);
      if (isNew) own(edit.mode);
      return;
    }
    case "mkdir":
      fs.mkdirSync(at);
      return own(0o755);
    case "rmdir":
      return fs.rmdirSync(at);
    case "unlink":
      return fs.unlinkSync(at);
    case "write":
      return writeAt(at, 0, edit.at, edit.bytes);
    case "truncate": {
      const fd = fs.openSync(at, fs.constants.O_WRONLY | fs.constants.O_NOFOLLOW);
      fs.ftruncateSync(fd, edit.sizeBytes);
      return fs.closeSync(fd);
    }
    case "rename":
      return fs.renameSync(at, path.join(root, edit.to));
    case "link":
      return fs.linkSync(at, path.join(root, edit.to));
    case "symlink":
      fs.symlinkSync(edit.target, at);
      return fs.lchownSync(at, 0, 0);
    case "chmod":
      return fs.chmodSync(at, edit.mode);
    case "chown": {
      const { mode } = fs.lstatSync(at);
      fs.lchownSync(at, edit.uid, edit.gid);
      if ((mode & 0o170000) !== 0o120000) fs.chmodSync(at, mode & 0o7777); // chown(2) takes set-id bits away
    }
  }
}

function writeAt(at: string, flags: number, position: number, bytes: Uint8Array): void {
  const fd = fs.openSync(at, fs.constants.O_WRONLY | fs.constants.O_NOFOLLOW | flags, 0o600);
  try {
    if (bytes.length > 0) fs.writeSync(fd, bytes, 0, bytes.length, position);
  } finally {
    fs.closeSync(fd);
  }
}

/** What both have to agree on: not the times, which the two took at different moments. */
function comparable(facts: ReadonlyMap<string, FileFacts>): Record<string, unknown> {
  const entries = [...facts].filter(([name]) => name !== "lost+found" && name !== "");
  return Object.fromEntries(entries.map(([name, { modified: _, ...rest }]) => [name, rest]));
}

/** Names the files that differ: all of both would be too much to read. */
function assertSame(actual: Record<string, unknown>, wanted: Record<string, unknown>, message: string): void {
  assert.deepEqual(Object.keys(actual).toSorted(), Object.keys(wanted).toSorted(), message);
  for (const [name, facts] of Object.entries(wanted)) assert.deepEqual(actual[name], facts, `${message}, ${name}`);
}

async function ownFacts(image: string): Promise<Map<string, FileFacts>> {
  await using reader = await FileReader.open(image);
  await using fileSystem = await openFileSystem(reader);
  return await factsOf(fileSystem);
}

const kinds = [
  ["ext4", ["-t", "ext4"]],
  ["ext4 with blocks of 1 KiB", ["-t", "ext4", "-b", "1024"]],
  ["ext3", ["-t", "ext3", "-b", "1024", "-I", "128"]],
  ["ext2", ["-t", "ext2"]],
  ["ext4 with data in inodes", ["-t", "ext4", "-O", "inline_data"], ["-t", "ext4"]],
  ["ext4 with values of attributes in files", ["-t", "ext4", "-O", "ea_inode"]],
  ["ext4 with quotas", ["-t", "ext4", "-O", "ea_inode"]],
  [
    "ext4 with quotas and blocks of 1 KiB",
    ["-t", "ext4", "-b", "1024", "-O", "^metadata_csum,inline_data"],
    ["-t", "ext4", "-b", "1024"],
  ],
  ["ext4 without checksums and extents", ["-t", "ext4", "-O", "^metadata_csum,^64bit,^extent,uninit_bg"]],
] as const;
const editsInAll = 10_000;

/** What the kernel leaves for the edits to change: small files, as many kernels keep in their inodes. */
function populate(root: string): void {
  for (const folder of folders) {
    const at = path.join(root, folder);
    if (folder !== "") fs.mkdirSync(at);
    for (let n = 0; n < 20; n += 1 + folder.length) {
      const file = path.join(at, `n${n}`);
      fs.writeFileSync(file, "x".repeat(n * 9));
      setAttributes(file);
    }
    if (folder !== "") setAttributes(at);
  }
}

/** One that every kind has room for, and some that need a file of their own: several share it. */
function setAttributes(file: string): void {
  const name = Buffer.from(`${file}\0`);
  libc()?.setXattr(name, "user.short", Buffer.from("s"));
  if (file.length % 2 === 0) libc()?.setXattr(name, "user.large", Buffer.alloc(10_000, "large"));
  if (file.length % 3 === 0) libc()?.setXattr(name, "user.larger", Buffer.alloc(30_000, file));
}

// Kernels lose data that is written far behind the end of a file in its inode: there the other one has no such files.
for (const [name, options, otherOptions = options] of kinds) {
  test(`${name}: thousands of random edits come to what the kernel makes of them`, { skip }, async () => {
    await using folder = temporaryFolder();
    const seed = Math.floor(Math.random() * 2 ** 31);
    const dice = new Dice(seed);
    const [ours, theirs] = [folder.join("ours"), folder.join("theirs")];
    runPeer("mke2fs", ["-q", "-F", ...options, ours, "64M"]);
    runPeer("mke2fs", ["-q", "-F", ...otherOptions, theirs, "64M"]);
    const mountPoint = folder.join("mnt");
    await whileMounted(ours, mountPoint, "rw", async () => populate(mountPoint));
    if (name.includes("quotas")) {
      runPeer("tune2fs", ["-O", "quota", ours]); // not every kernel can mount that for writing
      runPeer("sh", ["-c", 'e2fsck -fy "$1" || test $? = 1', "sh", ours]); // tune2fs counts some attributes wrong
    }
    await whileMounted(theirs, mountPoint, "rw", async () => {
      populate(mountPoint);
      for (let done = 0; done < editsInAll / kinds.length; done += 100) {
        await using device = await FileDevice.open(ours);
        await using fileSystem = await editFileSystem(device, { now });
        for (let n = 0; n < 100; n++) {
          const edit = randomEdit(dice);
          const [own, kernels] = [await applyRandomEdit(fileSystem, edit), applyToFolder(mountPoint, edit)];
          assert.equal(own, kernels, `seed ${seed}, edit ${done + n}: ${edit.verb} ${edit.path}`);
          if (n % 20 === 19) await fileSystem.commit();
        }
        runPeer("e2fsck", ["-fn", ours]);
      }
      const wanted = comparable(factsOfFolder(mountPoint));
      assert.ok(Object.keys(wanted).length > 20, "there is something to compare");
      assertSame(comparable(await ownFacts(ours)), wanted, `seed ${seed}`);
    });
    const wanted = comparable(await ownFacts(ours));
    await whileMounted(ours, mountPoint, "ro", async () => {
      assertSame(comparable(factsOfFolder(mountPoint)), wanted, `seed ${seed}`);
    });
  });
}
