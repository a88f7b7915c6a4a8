/** What cannot be started is refused untouched, and a write that fails leaves a disk that starts as before. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { installGrub } from "../../src/boot/grub/index.ts";
import { MemoryDevice, SliceReader } from "../../src/device/index.ts";
import { createDisk, type NewPartitionRequest } from "../../src/disk/index.ts";
import { openFileSystem } from "../../src/filesystem/index.ts";
import { skipWithout } from "../peers/peer.ts";
import { temporaryFolder } from "../temp.ts";

const skip = skipWithout("/usr/lib/grub/i386-pc/kernel.img");
const now = { seconds: 1_700_000_000, nanoseconds: 0 };
const request = { partition: 1, config: "echo hello\n", now } as const;
const linux: NewPartitionRequest = { type: "linux", active: false, from: [], fileSystem: { kind: "ext4" } };

async function diskOf(table: "mbr" | "gpt", partition: NewPartitionRequest, sizeMiB = 24): Promise<Uint8Array> {
  await using folder = temporaryFolder();
  await createDisk({
    path: folder.join("disk.img"),
    sizeBytes: sizeMiB * 1024 * 1024,
    table,
    layout: "aligned",
    partitions: [partition],
    from: [],
    force: false,
    preallocate: false,
    uuid: "11111111-2222-3333-4444-555555555555",
    nowMs: now.seconds * 1000,
  });
  return new Uint8Array(fs.readFileSync(folder.join("disk.img")));
}

class FailingDevice extends MemoryDevice {
  #left: number;

  constructor(bytes: Uint8Array, writes: number) {
    super(bytes);
    this.#left = writes;
  }

  override async write(at: number, from: Uint8Array): Promise<void> {
    if (this.#left-- <= 0) throw new Error("the power fails");
    await super.write(at, from);
  }
}

test("the n-th write fails: sector 0 is as before, and the file system can be read", { skip }, async () => {
  const before = await diskOf("mbr", linux);
  let isDone = false;
  let count = 0;
  for (; !isDone && count < 500; count += count < 3 ? 1 : 7) {
    const bytes = Uint8Array.from(before);
    await using device = new FailingDevice(bytes, count);
    try {
      await installGrub(device, request);
      isDone = true;
    } catch (error) {
      assert.match(String(error), /the power fails/);
      assert.ok(Buffer.from(bytes.subarray(0, 512)).equals(before.subarray(0, 512)), `after ${count} writes`);
    }
    await using fileSystem = await openFileSystem(new SliceReader(device, 1024 * 1024, 23 * 1024 * 1024));
    const names: string[] = [];
    for await (const batch of fileSystem.list(fileSystem.rootId)) names.push(...batch.map(({ name }) => name));
    assert.ok(names.includes("lost+found"), `after ${count} writes: ${names.join(" ")}`);
  }
  assert.ok(isDone && count > 1);
});

const refused: Readonly<
  Record<string, () => Promise<[Uint8Array, { readonly code: string; readonly message: RegExp }]>>
> = {
  "no table": async () => [
    new Uint8Array(1024 * 1024),
    { code: "unsupported", message: /there is no partition table/ },
  ],
  "no BIOS boot partition": async () => [
    await diskOf("gpt", linux),
    { code: "no-space", message: /the GPT has no BIOS boot partition/ },
  ],
  "no file system": async () => [
    await diskOf("mbr", { ...linux, fileSystem: "none" }),
    { code: "unsupported", message: /cannot find a file system/ },
  ],
};

for (const [name, make] of Object.entries(refused)) {
  test(`${name}: refused, and not a byte is changed`, { skip }, async () => {
    const [before, failure] = await make();
    const bytes = Uint8Array.from(before);
    await using device = new MemoryDevice(bytes);
    await assert.rejects(installGrub(device, request), failure);
    assert.ok(Buffer.from(bytes).equals(before));
  });
}

test("a file system too small for the modules keeps what it had", { skip }, async () => {
  const before = await diskOf("mbr", linux, 2);
  const bytes = Uint8Array.from(before);
  await using device = new MemoryDevice(bytes);
  await assert.rejects(installGrub(device, request), { code: "no-space" });
  assert.ok(Buffer.from(bytes.subarray(0, 1024 * 1024)).equals(before.subarray(0, 1024 * 1024)));
  await using fileSystem = await openFileSystem(new SliceReader(device, 1024 * 1024, 1024 * 1024));
  assert.equal(await fileSystem.find(fileSystem.rootId, "boot"), undefined);
});

test("a partition that is not there is refused", { skip }, async () => {
  await using device = new MemoryDevice(await diskOf("mbr", linux));
  await assert.rejects(installGrub(device, { ...request, partition: 2 }), {
    code: "not-found",
    message: /partition 2: there is no/,
  });
  await assert.rejects(installGrub(device, { ...request, sources: { given: ["/nowhere"] } }), { code: "not-found" });
});
