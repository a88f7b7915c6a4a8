/** Power may fail while the files that wait to be deleted or cut are cleared: whoever opens the image next finishes it. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { MemoryDevice } from "../../src/device/index.ts";
import { editFileSystem, openFileSystem, resolvePath } from "../../src/filesystem/index.ts";
import { skipWithoutMount } from "../filesystem/ext/mounted.ts";
import { listedImage, orphanedImage, orphanedKinds } from "../filesystem/ext/orphaned.ts";
import { Dice, fingerprint } from "../filesystem/random-edits.ts";
import { skipWithout } from "../peers/peer.ts";
import { temporaryFolder } from "../temp.ts";
import { CrashDevice, type CrashState } from "./crash-device.ts";
import { e2fsck } from "./e2fsck.ts";
import { StateFile } from "./state-file.ts";

const now = { seconds: 1_700_000_000, nanoseconds: 0 };
const programs = skipWithout("mke2fs", "e2fsck", "debugfs", "dumpe2fs");

async function clear(device: MemoryDevice): Promise<void> {
  await using fileSystem = await editFileSystem(device, { now });
  assert.ok(fileSystem.info.sizeBytes > 0);
}

async function treeIn(bytes: Uint8Array): Promise<string> {
  await using fileSystem = await openFileSystem(new MemoryDevice(bytes));
  return `${fileSystem.info.freeBytes} bytes free\n${await fingerprint(fileSystem)}`;
}

function withoutFree(tree: string): string {
  return tree.slice(tree.indexOf("\n"));
}

/** Every moment at which power might fail: after each write, within it, and with the writes before it in part only. */
function* moments(device: CrashDevice, dice: Dice): Generator<CrashState> {
  for (let count = 0; count < device.writeCount; count++) {
    yield device.after(count);
    if (dice.below(2) === 0) yield device.after(count + 1, dice.below(1 + device.sectorsOf(count + 1)));
    else yield device.reordered(count + 1, () => dice.below(2) === 0);
  }
}

for (const [name, options] of orphanedKinds.slice(0, 3)) {
  test(`${name}: clearing may be cut off anywhere`, { skip: skipWithoutMount() || programs }, async () => {
    await using folder = temporaryFolder();
    const seed = Math.floor(Math.random() * 2 ** 31);
    const whole = fs.readFileSync(await orphanedImage(folder, options, { isCut: true }));
    const device = new CrashDevice(whole);
    await clear(device);
    const wanted = await treeIn(device.bytes);
    const image = new StateFile(folder.join("state"));
    let turn = 0;
    for (const state of moments(device, new Dice(seed))) {
      const what = `seed ${seed}, ${state.how}`;
      const isOurs = turn++ % 2 === 0;
      if (isOurs) await clear(new MemoryDevice(state.bytes));
      image.write(state.bytes);
      if (!isOurs) {
        // Preening gives up where there is anything that a loss of power does not explain.
        const preened = e2fsck(image.path, "-f", "-p");
        assert.ok(preened.status === 0 || preened.status === 1, `${what}: ${preened.said}`);
      }
      const { status, said } = e2fsck(image.path, "-f", "-n");
      assert.equal(status, 0, `${what}: ${said}`);
      const left = await treeIn(image.read());
      // e2fsck may keep a block of a map that we do without.
      const [found, expected] = isOurs ? [left, wanted] : [withoutFree(left), withoutFree(wanted)];
      assert.equal(found, expected, what);
    }
  });
}

test("ext2: clearing may be cut off anywhere, e2fsck mends it and no file is lost", { skip: programs }, async () => {
  await using folder = temporaryFolder();
  const seed = Math.floor(Math.random() * 2 ** 31);
  const path = folder.join("image");
  listedImage(path, folder, ["-t", "ext2", "-b", "1024"]);
  const device = new CrashDevice(fs.readFileSync(path));
  await clear(device);
  const image = new StateFile(folder.join("state"));
  const [kept, cut] = [await contentOf(device.bytes, "kept"), await contentOf(device.bytes, "cut")];
  assert.equal(cut.length, 5_000);
  for (const state of moments(device, new Dice(seed))) {
    const what = `seed ${seed}, ${state.how}`;
    image.write(state.bytes);
    const { status, said } = e2fsck(image.path, "-f", "-y");
    assert.ok(status === 0 || status === 1, `${what}: ${said}`);
    const left = image.read();
    assert.ok((await contentOf(left, "kept")).equals(kept), `${what}: ${said}`);
    // The cut may have to be made once more: then the file has the size again that it had.
    assert.ok((await contentOf(left, "cut")).subarray(0, cut.length).equals(cut), `${what}: ${said}`);
  }
});

async function contentOf(bytes: Uint8Array, path: string): Promise<Buffer> {
  await using fileSystem = await openFileSystem(new MemoryDevice(bytes));
  const pieces: Uint8Array[] = [];
  for await (const piece of fileSystem.content(await resolvePath(fileSystem, path))) pieces.push(piece.bytes.slice());
  return Buffer.concat(pieces);
}
