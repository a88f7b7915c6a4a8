/** Damaged file systems that are to grow or shrink: done or refused for a reason, in bounded time; no file suffers. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { Failure } from "../../src/base/index.ts";
import { MemoryDevice } from "../../src/device/index.ts";
import { growFileSystem, openFileSystem, shrinkFileSystem } from "../../src/filesystem/index.ts";
import { stateClean, superblock, superblockAt } from "../../src/filesystem/ext/superblock.ts";
import { Dice, fingerprint } from "../filesystem/random-edits.ts";
import { sampleImage } from "../filesystem/ext/sample-image.ts";
import { BoundedDevice } from "./bounded-device.ts";

/** The runs are the same each time; another seed makes others. A failure names the seed of its run. */
const firstSeed = Number(process.env["HOLDFAST_SEED"] ?? 1);
const roundCount = Number(process.env["HOLDFAST_ROUNDS"] ?? 30);
/** No damage may make either read more than so many times the device. */
const readLimit = 20;
const MiB = 1024 * 1024;
const options = { now: { seconds: 1_700_000_000, nanoseconds: 0 }, zeroFromBytes: 8 * MiB };

const kinds = ["ext2", "ext3", "ext4"] as const;
const images = new Map<string, Uint8Array>();

before(async () => {
  for (const kind of kinds) {
    const bytes = new Uint8Array(30 * MiB);
    bytes.set((await sampleImage({ kind })).bytes);
    images.set(kind, bytes);
  }
});

/** Grows or shrinks it if that can be; why not has to be a `Failure`, which is given. */
async function resize(bytes: Uint8Array, how: "grow" | "shrink"): Promise<Failure | undefined> {
  try {
    const device = new BoundedDevice(bytes, readLimit * bytes.length);
    if (how === "grow") await growFileSystem(device, options);
    else await shrinkFileSystem(device, options);
    return undefined;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

async function treeIn(bytes: Uint8Array): Promise<string | undefined> {
  try {
    await using fileSystem = await openFileSystem(new MemoryDevice(bytes));
    return await fingerprint(fileSystem);
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

for (const kind of kinds) {
  test(`an undamaged ${kind} made here grows, and stays sound`, async () => {
    const bytes = Uint8Array.from(images.get(kind)!);
    const tree = await treeIn(bytes);
    assert.equal(await resize(bytes, "grow"), undefined);
    await using fileSystem = await openFileSystem(new MemoryDevice(bytes));
    assert.ok(fileSystem.info.sizeBytes > 29 * MiB);
    for await (const { message } of fileSystem.check()) assert.fail(message);
    assert.equal(await fingerprint(fileSystem), tree);
  });

  test(`an undamaged ${kind} made here shrinks, and stays sound`, async () => {
    const bytes = Uint8Array.from(images.get(kind)!);
    const tree = await treeIn(bytes);
    assert.equal(await resize(bytes, "shrink"), undefined);
    await using fileSystem = await openFileSystem(new MemoryDevice(bytes));
    assert.ok(fileSystem.info.sizeBytes < 5 * MiB, `${fileSystem.info.sizeBytes} bytes`);
    for await (const { message } of fileSystem.check()) assert.fail(message);
    assert.equal(await fingerprint(fileSystem), tree);
  });

  for (const how of ["grow", "shrink"] as const) {
    test(`withstands flipped bits in ${kind} that is to ${how}, and garbage in place of whole blocks`, async () => {
      let doneCount = 0;
      for (let seed = firstSeed; seed < firstSeed + roundCount; seed++) {
        const bytes = Uint8Array.from(images.get(kind)!);
        const dice = new Dice(seed);
        for (let n = dice.below(4); n >= 0; n--) {
          const end = dice.pick([2048, 4096, 400_000]);
          let at = dice.below(end);
          while (bytes[at] === 0 && at < end - 1) at++; // empty room is mostly not looked at
          bytes[at] = bytes[at]! ^ (1 << dice.below(8));
        }
        if (dice.below(4) === 0) bytes.set(dice.bytes(1024), (1 + dice.below(300)) * 1024);
        const tree = await treeIn(bytes);
        const failure = await resize(bytes, how).catch((error) =>
          assert.fail(`HOLDFAST_SEED=${seed}, ${kind}: ${error.stack}`),
        );
        if (failure === undefined) doneCount++;
        assert.equal(await treeIn(bytes), tree, `HOLDFAST_SEED=${seed}, ${kind}: the files are others`);
      }
      assert.ok(doneCount > 0 && doneCount < roundCount);
    });
  }
}

test("what was not cleanly unmounted, or marked by somebody else, is refused", async () => {
  const bytes = Uint8Array.from(images.get("ext2")!);
  const place = bytes.subarray(superblockAt, superblockAt + superblock.sizeBytes);
  superblock.patch(place, { state: superblock.get(place, "state") & ~stateClean });
  assert.match((await resize(bytes, "grow"))?.message ?? "", /was not cleanly unmounted/);
  superblock.patch(place, { unusedSnapshotId: 7 });
  assert.match((await resize(bytes, "grow"))?.message ?? "", /was not cleanly unmounted/);
});
