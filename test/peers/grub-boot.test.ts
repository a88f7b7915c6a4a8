/** Disks made here start in QEMU by BIOS, from GRUB that was installed here. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { installGrub } from "../../src/boot/grub/index.ts";
import { FileDevice } from "../../src/device/index.ts";
import { createDisk, type CreateDiskRequest } from "../../src/disk/index.ts";
import { plainDisk } from "../disk/plain-disk.ts";
import { temporaryFolder } from "../temp.ts";
import { biosTextUntil } from "./bios-text.ts";
import { runPeer, skipWithout } from "./peer.ts";
import { machinePeers, serialUntil } from "./qemu.ts";

const skip = skipWithout("e2fsck", ...machinePeers.bios);
const now = { seconds: 1_700_000_000, nanoseconds: 0 };
const marker = "holdfast-menu-reached";

const config = `serial
terminal_output serial
echo ${marker} $grub_cpu-$grub_platform $root $cmdpath
halt
`;

/** Everything but the file. */
const disks: Readonly<Record<string, Pick<CreateDiskRequest, "table" | "layout"> & { readonly root: number }>> = {
  "MBR, aligned": { table: "mbr", layout: "aligned", root: 1 },
  "MBR, classic, first partition at byte 32256": { table: "mbr", layout: "classic", root: 1 },
  "GPT with a BIOS boot partition": { table: "gpt", layout: "aligned", root: 2 },
};

async function makeDisk(path: string, kind: string, fileSystem: string, from: readonly string[] = []): Promise<number> {
  const { table, layout, root } = disks[kind]!;
  const rest = { type: "linux", active: false, from, fileSystem: { kind: fileSystem } };
  const small = { sizeBytes: 1024 * 1024, type: "bios-boot", active: false, fileSystem: "none", from: [] } as const;
  await createDisk({
    ...plainDisk,
    path,
    sizeBytes: 48 * 1024 * 1024,
    table,
    layout,
    partitions: table === "gpt" ? [small, rest] : [rest],
    uuid: "11111111-2222-3333-4444-555555555555",
    nowMs: now.seconds * 1000,
  });
  return root;
}

// That a kernel starts from each of them is in boot-disks.ts.
for (const kind of Object.keys(disks)) {
  test(`${kind}: runs the grub.cfg that it is given, table and signature survive`, { skip }, async () => {
    await using folder = temporaryFolder();
    const image = folder.join("disk.img");
    const root = await makeDisk(image, kind, "ext3");
    const before = fs.readFileSync(image).subarray(0x1b8, 512);
    {
      await using device = await FileDevice.open(image);
      await installGrub(device, { partition: root, config, now });
    }
    assert.ok(fs.readFileSync(image).subarray(0x1b8, 512).equals(before), "signature and table survive");
    const table = kind.startsWith("GPT") ? "gpt" : "msdos";
    const wanted = `${marker} i386-pc hd0,${table}${root}`;
    const said = await serialUntil(image, wanted);
    assert.ok(said.includes(wanted), said);
  });
}

test("another GRUB over a GRUB, beside its core image, is the one that starts", { skip }, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("disk.img");
  const root = await makeDisk(image, "MBR, aligned", "ext4");
  const other = folder.join("i386-pc");
  fs.cpSync("/usr/lib/grub/i386-pc", other, { recursive: true });
  const kernel = fs.readFileSync(path.join(other, "kernel.img"));
  const said = kernel.indexOf("Welcome to GRUB!");
  assert.notEqual(said, -1);
  kernel.write("Welcome to Grub!", said);
  fs.writeFileSync(path.join(other, "kernel.img"), kernel);
  for (const [given, welcome] of [
    [[], "Welcome to GRUB!"],
    [[other], "Welcome to Grub!"],
  ] as const) {
    {
      await using device = await FileDevice.open(image);
      await installGrub(device, { partition: root, config, now, sources: { given } });
    }
    const text = await biosTextUntil(image, marker);
    assert.ok(text.includes(welcome) && text.includes(marker), text);
  }
});

test("what is in the file system is sound afterwards", { skip }, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("disk.img");
  const root = await makeDisk(image, "MBR, aligned", "ext4");
  {
    await using device = await FileDevice.open(image);
    await installGrub(device, { partition: root, config, font: Buffer.from("font"), now });
    await installGrub(device, { partition: root, now });
  }
  runPeer("e2fsck", ["-fn", `${image}?offset=1048576`]);
});

test("without a kernel there is no menu to make", { skip }, async () => {
  await using folder = temporaryFolder();
  const root = await makeDisk(folder.join("disk.img"), "MBR, aligned", "ext4");
  await using device = await FileDevice.open(folder.join("disk.img"));
  const config = { timeoutSeconds: 0 };
  await assert.rejects(installGrub(device, { partition: root, config, now }), {
    code: "not-found",
    message: /no \/boot\/vm/,
  });
});
