import assert from "node:assert/strict";
import { Failure } from "../../src/base/index.ts";
import { MemoryDevice } from "../../src/device/index.ts";
import { editFileSystem, openFileSystem, resolvePath, treeOf, type FileSystem } from "../../src/filesystem/index.ts";
import { applyRandomEdit, Dice, randomEdit } from "../filesystem/random-edits.ts";
import { BoundedDevice } from "./bounded-device.ts";

/** No damage may make a look at everything read more than so many times the device. */
const readLimit = 300;
const now = { seconds: 1_700_000_000, nanoseconds: 0 };

/** A device that such a look does not read without bound. */
export function boundedDevice(bytes: Uint8Array): BoundedDevice {
  return new BoundedDevice(bytes, readLimit * Math.max(bytes.length, 65536));
}

/** Looks at everything there is. What goes wrong must be a `Failure`; gives how many times it did. */
export async function lookAtAll(bytes: Uint8Array, paths: readonly string[]): Promise<number> {
  let failures = 0;
  const attempt = async (look: () => Promise<void>) => {
    try {
      await look();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failures++;
    }
  };
  await attempt(async () => {
    await using fileSystem = await openFileSystem(boundedDevice(bytes));
    await attempt(() => readTree(fileSystem));
    for (const path of paths) {
      await attempt(async () => void (await resolvePath(fileSystem, path)));
    }
    await attempt(async () => {
      for await (const extent of fileSystem.usedExtents()) assert.ok(extent.lengthBytes > 0);
    });
    await attempt(async () => {
      for await (const problem of fileSystem.check()) if (problem.severity === "error") failures++;
    });
  });
  return failures;
}

export async function readTree(fileSystem: FileSystem): Promise<void> {
  for await (const batch of treeOf(fileSystem, "/").entries()) {
    for (const entry of batch) {
      if (entry.kind === "hardlink") continue;
      let end = 0;
      for await (const { at, bytes } of entry.content ?? []) {
        assert.ok(at >= end && at + bytes.length <= entry.sizeBytes);
        end = at + bytes.length;
      }
    }
  }
}

export function randomFrom(seed: number): (below: number) => number {
  let state = (seed * 2_654_435_761) >>> 0;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return Math.floor(((state ^ (state >>> 13)) >>> 0) / (2 ** 32 / below)) % below;
  };
}

/** Edits either fail, or end. */
export async function editDamaged(bytes: Uint8Array, seed: number): Promise<void> {
  const dice = new Dice(seed);
  try {
    await using fileSystem = await editFileSystem(new MemoryDevice(bytes), { now });
    for (let n = 0; n < 10; n++) await applyRandomEdit(fileSystem, randomEdit(dice));
    await fileSystem.commit();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
  }
}
