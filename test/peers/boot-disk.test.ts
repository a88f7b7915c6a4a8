/** `disk create --boot`, by whoever is nobody: the disk starts a real kernel, by BIOS and by UEFI. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { temporaryFolder } from "../temp.ts";
import { holdfast, treeWithKernel } from "./holdfast-as-nobody.ts";
import { runPeer, skipWithout } from "./peer.ts";
import { machinePeers, serialUntil, someKernel } from "./qemu.ts";

const kernel = someKernel();
const skip = skipWithout(kernel, "e2fsck", "fsck.fat", "sfdisk", ...machinePeers.bios, ...machinePeers.uefi);
const tables = [
  ["MBR, aligned", ["--table", "mbr"]],
  ["MBR, classic", ["--table", "mbr", "--layout", "classic"]],
  ["GPT", ["--table", "gpt"]],
] as const;
const firmwares = ["bios", "uefi", "bios,uefi"] as const;

for (const [table, options] of tables) {
  for (const boot of firmwares) {
    test(`${table}, ${boot}: starts the kernel that is in it`, { skip }, async () => {
      await using folder = temporaryFolder();
      const disk = folder.join("disk");
      const words = ["disk", "create", disk, "--size", "160MB", ...options, "--from", treeWithKernel(folder, kernel)];
      const made = holdfast(...words, "--boot", boot, "--serial");
      assert.equal(made.status, 0, made.said);
      runPeer("sfdisk", ["--verify", disk]);
      for (const firmware of ["bios", "uefi"] as const) {
        if (!boot.includes(firmware)) continue;
        const said = await serialUntil(disk, "console=ttyS0,115200", firmware);
        assert.match(said, /Command line: BOOT_IMAGE=/, `${firmware}: ${said}`);
      }
      assert.match(holdfast("disk", "check", disk).said, /no errors/);
    });
  }
}

test("ext3 starts as well, its ESP where the user wants it", { skip }, async () => {
  await using folder = temporaryFolder();
  const disk = folder.join("disk");
  const from = treeWithKernel(folder, kernel);
  const partitions = [`size=100MB,fs=ext3,label=root,from=${from}`, "size=40MiB,type=efi,fs=fat16"];
  const words = ["--size", "180MB", ...partitions.flatMap((spec) => ["-p", spec]), "--boot", "bios,uefi", "--serial"];
  const made = holdfast("disk", "create", disk, ...words);
  assert.equal(made.status, 0, made.said);
  for (const firmware of ["bios", "uefi"] as const) {
    const said = await serialUntil(disk, "console=ttyS0,115200", firmware);
    assert.match(said, /Command line: BOOT_IMAGE=\/boot\/vmlinuz-\S+ root=UUID=[0-9a-f-]{36} ro console=tty0/);
  }
});

test("what cannot start is refused with a hint, and no disk is made", { skip }, async () => {
  await using folder = temporaryFolder();
  const from = treeWithKernel(folder, kernel);
  const refused = (message: RegExp, ...words: readonly string[]): void => {
    const { status, said } = holdfast("disk", "create", folder.join("disk"), "--size", "160MB", ...words);
    assert.notEqual(status, 0);
    assert.match(said, message);
    assert.deepEqual(fs.readdirSync(folder.path), ["tree"]);
  };
  refused(/no \/boot\/vmlinuz-….*\nhint: put a kernel into \/boot first/, "--boot", "bios");
  refused(/no EFI system partition\nhint: add one/, "-p", `fs=ext4,from=${from}`, "--boot", "uefi");
  refused(/hint: --boot takes bios, uefi or chain; /, "--boot", "coreboot");
  refused(/cannot use --serial without --boot/, "--serial");
  refused(/cannot use --boot: no partition has a file system/, "-p", "fs=none", "--boot", "bios");
  refused(/BIOS boot partition/, "--table", "gpt", "-p", `fs=ext4,from=${from}`, "--boot", "bios");
});
