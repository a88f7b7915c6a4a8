/** What cannot be started is refused untouched, and a write that fails leaves a disk that starts as before. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { makeBiosCore } from "../../src/boot/grub/core-image.ts";
import { coreAt, writeBootSector, writeCore } from "../../src/boot/grub/embed.ts";
import { installGrub } from "../../src/boot/grub/index.ts";
import { readInstalledCore } from "../../src/boot/grub/installed-core.ts";
import { planReplacing } from "../../src/boot/grub/plan-embedding.ts";
import { readPlatformFiles } from "../../src/boot/grub/platform-files.ts";
import { MemoryDevice, SliceReader } from "../../src/device/index.ts";
import { createDisk, type NewPartitionRequest } from "../../src/disk/index.ts";
import { plainDisk } from "../disk/plain-disk.ts";
import { openFileSystem } from "../../src/filesystem/index.ts";
import { readTable } from "../../src/partition/index.ts";
import { skipWithout } from "../peers/peer.ts";
import { temporaryFolder } from "../temp.ts";

const skip = skipWithout("/usr/lib/grub/i386-pc/kernel.img");
const now = { seconds: 1_700_000_000, nanoseconds: 0 };
const request = { partition: 1, config: "echo hello\n", now } as const;
const linux: NewPartitionRequest = { type: "linux", active: false, from: [], fileSystem: { kind: "ext4" } };

async function diskOf(table: "mbr" | "gpt", ...partitions: readonly NewPartitionRequest[]): Promise<Uint8Array> {
  await using folder = temporaryFolder();
  await createDisk({
    ...plainDisk,
    path: folder.join("disk.img"),
    sizeBytes: 26 * 1024 * 1024,
    table,
    partitions,
    uuid: "11111111-2222-3333-4444-555555555555",
    nowMs: now.seconds * 1000,
  });
  return new Uint8Array(fs.readFileSync(folder.join("disk.img")));
}

class FailingDevice extends MemoryDevice {
  written = 0;
  readonly #limit: number;

  constructor(bytes: Uint8Array, writes: number) {
    super(bytes);
    this.#limit = writes;
  }

  override async write(at: number, from: Uint8Array): Promise<void> {
    if (this.written >= this.#limit) throw new Error("the power fails");
    this.written++;
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
    await using fileSystem = await openFileSystem(new SliceReader(device, 1024 * 1024, 25 * 1024 * 1024));
    const names: string[] = [];
    for await (const batch of fileSystem.list(fileSystem.rootId)) names.push(...batch.map(({ name }) => name));
    assert.ok(names.includes("lost+found"), `after ${count} writes: ${names.join(" ")}`);
  }
  assert.ok(isDone && count > 1);
});

interface Reinstalled {
  readonly table: "mbr" | "gpt";
  readonly partitions: readonly NewPartitionRequest[];
  /** The number of the first Linux partition. */
  readonly first: number;
}

const reinstalled: Readonly<Record<string, Reinstalled>> = {
  MBR: { table: "mbr", partitions: [linux, linux], first: 1 },
  GPT: {
    table: "gpt",
    partitions: [{ ...linux, type: "bios-boot", sizeBytes: 1048576, fileSystem: "none" }, linux, linux],
    first: 2,
  },
};

for (const [name, { table, partitions, first }] of Object.entries(reinstalled)) {
  test(`${name}, a GRUB over a GRUB: at every write the disk starts the old one or the new one`, { skip }, async () => {
    const installed = await diskOf(table, ...partitions.map((one) => ({ sizeBytes: 11 * 1024 * 1024, ...one })));
    await installGrub(new MemoryDevice(installed), { ...request, partition: first });
    const old = await readInstalledCore(new MemoryDevice(installed));
    const again = { ...request, partition: first + 1 }; // its core image has another prefix in it
    const counting = new FailingDevice(Uint8Array.from(installed), Infinity);
    await installGrub(counting, again);
    const { written } = counting;
    assert.ok(written > 12);
    for (
      let count = 0;
      count <= written;
      count = count < 4 || count > written - 5 ? count + 1 : Math.min(count + 25, written - 4)
    ) {
      const bytes = Uint8Array.from(installed);
      try {
        await installGrub(new FailingDevice(bytes, count), again);
      } catch (error) {
        assert.match(String(error), /the power fails/);
      }
      const found = await readInstalledCore(new MemoryDevice(bytes));
      const isOld = Buffer.from(found!.bytes).equals(old!.bytes);
      assert.equal(isOld, count < written, `after ${count} of ${written} writes`);
      if (count === written)
        assert.ok(
          found!.lbas.every((lba) => !old!.lbas.includes(lba)),
          "it lies beside the old one",
        );
    }
  });
}

test("without room for two, the same GRUB stays and another one takes its place", { skip }, async () => {
  const bytes = await diskOf("mbr", linux);
  new DataView(bytes.buffer).setUint32(0x1be + 8, 70, true); // as far as the table says, 69 sectors are free
  const device = new MemoryDevice(bytes);
  const table = await readTable(device);
  const grub = await readPlatformFiles({ platform: "i386-pc" });
  const make = (prefix: string): Uint8Array =>
    makeBiosCore(grub, { modules: ["biosdisk", "part_msdos", "ext2"], prefix });
  const install = async (core: Uint8Array): Promise<readonly number[]> => {
    const lbas = await planReplacing(device, table!, core);
    await writeCore(device, coreAt(core, lbas), lbas);
    await writeBootSector(device, grub, lbas[0]!);
    return lbas;
  };
  const first = await install(make("(,msdos1)/boot/grub"));
  assert.deepEqual(await install(make("(,msdos1)/boot/grub")), first);
  assert.deepEqual((await install(make("(,msdos2)/boot/grub"))).slice(0, 3), [1, 2, 3]);
});

test("what follows from a damaged GRUB in sector 0 is bounded", { skip }, async () => {
  const bytes = await diskOf("mbr", linux);
  await installGrub(new MemoryDevice(bytes), request);
  const view = new DataView(bytes.buffer);
  const looked = async (): Promise<unknown> => readInstalledCore(new MemoryDevice(bytes));
  assert.notEqual(await looked(), undefined);
  view.setUint16(512 + 508, 1024, true);
  assert.equal(await looked(), undefined, "more than GRUB can load");
  view.setUint16(512 + 508, 1023, true);
  assert.notEqual(await looked(), undefined);
  view.setBigUint64(512 + 500, 2n ** 60n, true);
  assert.equal(await looked(), undefined, "behind the end of the disk");
  view.setBigUint64(0x5c, 2n ** 64n - 1n, true);
  assert.equal(await looked(), undefined);
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
  const before = await diskOf("mbr", { ...linux, sizeBytes: 1024 * 1024 });
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
