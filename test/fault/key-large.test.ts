/** Isos is made anew as ext4 in place, and that is cut off: what there was is there, or it is known and done again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryDevice, SliceReader } from "../../src/device/index.ts";
import { openFileSystem, probe } from "../../src/filesystem/index.ts";
import { makeKey } from "../../src/key/create-key.ts";
import { remakeInPlace } from "../../src/key/large-files.ts";
import { openKeyOn } from "../../src/key/open-key.ts";
import { readTable } from "../../src/partition/index.ts";
import { skipWithout } from "../peers/peer.ts";
import { CrashDevice } from "./crash-device.ts";

const skip = skipWithout("/usr/lib/grub/i386-pc/kernel.img", "/usr/lib/grub/x86_64-efi/kernel.img");
const nowMs = 1_700_000_000_000;
const change = { path: "the key", neededBytes: 2 ** 20, nowMs };

/** Says what isos is, by the settings and by what is there. */
async function stateOf(bytes: Uint8Array): Promise<string> {
  const device = new MemoryDevice(bytes);
  await using key = await openKeyOn(device, "the key");
  if (key.settings.isosUuid === "") return "half made";
  await using isos = await openFileSystem(key.isos);
  assert.equal(isos.info.uuid, key.settings.isosUuid);
  assert.equal(isos.info.label, "ISOS");
  return isos.info.kind;
}

for (const table of ["mbr", "gpt"] as const) {
  test(`isos that is made anew in place is cut off at any write: ${table}`, { skip }, async () => {
    const wish = { path: "the key", table, isosKind: "fat32", isosBytes: 16 * 2 ** 20, serial: false } as const;
    const inMemory = (sizeBytes: number): MemoryDevice => new MemoryDevice(new Uint8Array(sizeBytes));
    const { device } = await makeKey({ ...wish, sizeBytes: "auto", grubFrom: [], nowMs }, inMemory);
    assert.match(await stateOf(device.bytes), /^fat/);
    const crashing = new CrashDevice(device.bytes);
    await remakeInPlace(await openKeyOn(crashing, "the key"), change);
    assert.equal(await stateOf(crashing.bytes), "ext4");
    const seen = new Set<string>();
    for (let count = 0; count <= crashing.writeCount; count++) {
      const { bytes, how } = crashing.after(count, count % 2 === 0 ? undefined : 1);
      const state = await stateOf(bytes);
      seen.add(state);
      if (state === "ext4") continue;
      const again = new MemoryDevice(Uint8Array.from(bytes));
      await remakeInPlace(await openKeyOn(again, "the key"), change);
      assert.equal(await stateOf(again.bytes), "ext4", how);
    }
    assert.deepEqual(
      [...seen].map((state) => state.replace(/^fat\d+$/, "fat")),
      ["fat", "half made", "ext4"],
    );
    const { partitions } = (await readTable(crashing)) ?? { partitions: [] };
    const isos = partitions.at(-1);
    assert.equal(isos?.typeName, "linux");
    assert.equal(await probe(new SliceReader(crashing, isos.startBytes, isos.sizeBytes)), "ext");
  });
}
