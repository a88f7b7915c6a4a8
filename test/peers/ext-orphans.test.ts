/** Files that wait to be deleted or cut, as a machine leaves them that lost power: cleared before the first change. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { FileDevice, FileReader } from "../../src/device/index.ts";
import { editFileSystem, openFileSystem } from "../../src/filesystem/index.ts";
import { skipWithoutMount, whileMounted } from "../filesystem/ext/mounted.ts";
import { debugfs, listedImage, orphanedImage, orphanedKinds } from "../filesystem/ext/orphaned.ts";
import { factsOf } from "../filesystem/file-facts.ts";
import { temporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const skip = skipWithoutMount() || skipWithout("e2fsck", "mke2fs", "debugfs", "dumpe2fs");
const now = { seconds: 1_700_000_000, nanoseconds: 0 };

/** Opens an image for changes, and makes none. */
async function openOnly(image: string): Promise<void> {
  await using device = await FileDevice.open(image);
  await using fileSystem = await editFileSystem(device, { now });
  assert.ok(fileSystem.info.freeBytes > 0);
}

interface State {
  readonly freeBlocks: string | undefined;
  readonly freeInodes: string | undefined;
  readonly files: Record<string, unknown>;
}

/** What there is, and how much is free. Times of files that were cut are those of the moment. */
async function stateOf(image: string): Promise<State> {
  await using reader = await FileReader.open(image);
  await using fileSystem = await openFileSystem(reader);
  const facts = [...(await factsOf(fileSystem))].map(([path, { modified: _, ...rest }]) => [path, rest] as const);
  const said = runPeer("dumpe2fs", ["-h", image]);
  const [, freeBlocks] = /^Free blocks: *(\d+)$/m.exec(said) ?? [];
  const [, freeInodes] = /^Free inodes: *(\d+)$/m.exec(said) ?? [];
  return { freeBlocks, freeInodes, files: Object.fromEntries(facts) };
}

for (const [number, [name, options]] of orphanedKinds.entries()) {
  test(`${name}: files that wait to be deleted go as the kernel and e2fsck let them go`, { skip }, async () => {
    await using folder = temporaryFolder();
    for (const isCut of number < 2 ? [false, true] : [true]) {
      const image = await orphanedImage(folder, options, { isCut });
      const [ours, kernels, checkers] = ["ours", "kernels", "checkers"].map((copy) => {
        fs.copyFileSync(image, folder.join(copy));
        return folder.join(copy);
      }) as [string, string, string];
      await openOnly(ours);
      runPeer("e2fsck", ["-fn", ours]);
      await whileMounted(kernels, folder.join("mnt"), "rw", async () => {});
      runPeer("sh", ["-c", 'e2fsck -fy "$1" || test $? = 1', "sh", checkers]);
      const [own, ofKernel, ofChecker] = [await stateOf(ours), await stateOf(kernels), await stateOf(checkers)];
      assert.deepEqual(own, ofChecker, `as e2fsck leaves it, cut: ${isCut}`);
      // Of a file that it cuts the kernel may keep blocks of the map that are no longer needed.
      const kept = isCut ? { freeBlocks: own.freeBlocks } : {};
      assert.deepEqual(own, { ...ofKernel, ...kept }, `as the kernel leaves it, cut: ${isCut}`);
      const features = runPeer("dumpe2fs", ["-h", ours]);
      assert.doesNotMatch(features, /orphan_present|needs_recovery|^First orphan inode/m);
    }
  });
}

const skipList = skipWithout("mke2fs", "e2fsck", "debugfs", "dumpe2fs");

for (const kind of ["ext2", "ext4"]) {
  test(`${kind}: a list that debugfs made is cleared as e2fsck does`, { skip: skipList }, async () => {
    await using folder = temporaryFolder();
    const [ours, checkers] = [folder.join("ours"), folder.join("checkers")];
    listedImage(ours, folder, ["-t", kind, "-b", "1024"]);
    fs.copyFileSync(ours, checkers);
    await openOnly(ours);
    runPeer("e2fsck", ["-fn", ours]);
    runPeer("sh", ["-c", 'e2fsck -fy "$1" || test $? = 1', "sh", checkers]);
    const state = await stateOf(ours);
    assert.deepEqual(state, await stateOf(checkers));
    assert.deepEqual(Object.keys(state.files).toSorted(), ["", "cut", "kept", "lost+found"]);
  });
}

test("a damaged list is refused by name, and nothing is written", { skip: skipList }, async () => {
  await using folder = temporaryFolder();
  const whole = folder.join("whole");
  const inodes = listedImage(whole, folder, ["-t", "ext4"]);
  const last = inodes.at(-1)!;
  const cases: readonly (readonly [message: RegExp, command: string])[] = [
    [/inode \d+ is on it twice/, `set_inode_field <${last}> dtime ${inodes[0]}`],
    [/inode \d+ is on it twice/, `set_inode_field <${last}> dtime ${last}`],
    [/inode 99999999 is on it, which no file can have/, `set_inode_field <${last}> dtime @99999999`],
    [/inode 2 is on it, which no file can have/, `set_inode_field <${last}> dtime 2`],
    [/inode 500 is on it, which is not in use/, `set_inode_field <${last}> dtime 500`],
    [/inode 500 is on it, which is not in use/, "set_super_value last_orphan 500"],
    [/which is not in use/, `freei <${inodes[1]}>`],
    [/it is not in use|is no kind/, `set_inode_field <${last}> mode 0`],
    [/the bitmap has some of them as free/, `freeb 1 7000`],
  ];
  for (const [message, command] of cases) {
    const image = folder.join("damaged");
    fs.copyFileSync(whole, image);
    debugfs(image, [command]);
    const before = fs.readFileSync(image);
    await assert.rejects(openOnly(image), { name: "Failure", code: "damaged", message }, command);
    assert.ok(before.equals(fs.readFileSync(image)), command);
  }
});

test("a damaged orphan file is refused by name, and nothing is written", { skip }, async () => {
  await using folder = temporaryFolder();
  const image = await orphanedImage(folder, ["-t", "ext4", "-O", "orphan_file"], { isCut: true });
  const block = Number(runPeer("debugfs", ["-R", "blocks <12>", image]).trim().split(/\s+/)[0]);
  const [, size] = /^Block size: *(\d+)$/m.exec(runPeer("dumpe2fs", ["-h", image])) ?? [];
  const tailAt = (block + 1) * Number(size) - 8;
  const cases = [
    [/its signature is missing/, tailAt],
    [/its checksum is wrong/, tailAt + 4],
    [/its checksum is wrong/, block * Number(size)],
  ] as const;
  const whole = fs.readFileSync(image);
  for (const [message, at] of cases) {
    const bytes = Buffer.from(whole);
    bytes[at]! ^= 0x55;
    fs.writeFileSync(image, bytes);
    await assert.rejects(openOnly(image), { name: "Failure", code: "damaged", message });
    assert.ok(bytes.equals(fs.readFileSync(image)));
  }
});
