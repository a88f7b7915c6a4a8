/** `disk create --secure-boot` beside firmware that lets only signed programs start. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { holdfast, treeWithKernel } from "./holdfast-as-nobody.ts";
import { skipWithout } from "./peer.ts";
import { machinePeers, serialUntil, someKernel } from "./qemu.ts";

const kernel = someKernel();
const skip = skipWithout(kernel, ...machinePeers.bios, ...machinePeers.uefi, ...machinePeers.secure);

async function makeDisk(folder: TemporaryFolder, tree: string, ...words: readonly string[]): Promise<string> {
  const disk = folder.join("disk");
  const made = holdfast("disk", "create", disk, "--size", "160MB", "--from", tree, "--serial", ...words);
  assert.equal(made.status, 0, made.said);
  return disk;
}

test("a signed kernel starts where Secure Boot is on", { skip }, async () => {
  await using folder = temporaryFolder();
  const words = ["--table", "gpt", "--boot", "bios,uefi", "--secure-boot"];
  const disk = await makeDisk(folder, treeWithKernel(folder, kernel), ...words);
  const said = await serialUntil(disk, "secureboot: Secure boot enabled", "secure");
  assert.match(said, /Secure boot enabled/, said);
  assert.match(said, /GNU GRUB +version/);
  const programs = holdfast("disk", "ls", `${disk}:2/EFI/BOOT`).said;
  assert.equal(programs, "BOOTX64.EFI\ngrubx64.efi\nmmx64.efi\n");
});

test("a kernel of which a byte was changed is refused", { skip }, async () => {
  await using folder = temporaryFolder();
  const tree = treeWithKernel(folder, kernel);
  const bytes = fs.readFileSync(folder.join("tree", kernel));
  bytes.writeUInt8(bytes.readUInt8(2_000_000) ^ 1, 2_000_000);
  fs.writeFileSync(folder.join("tree", kernel), bytes);
  const disk = await makeDisk(folder, tree, "--boot", "uefi", "--secure-boot", "--timeout", "0");
  const said = await serialUntil(disk, "bad shim signature", "secure");
  assert.match(said, /bad shim signature/, said);
  assert.doesNotMatch(said, /Linux version/);
});

test("a GRUB that is not signed is refused by the firmware", { skip }, async () => {
  await using folder = temporaryFolder();
  const disk = await makeDisk(folder, treeWithKernel(folder, kernel), "--boot", "uefi");
  const said = await serialUntil(disk, "Access Denied", "secure");
  assert.match(said, /Access Denied/, said);
  assert.doesNotMatch(said, /GRUB/);
});

test("what would not start is said before there is a disk", { skip }, async () => {
  await using folder = temporaryFolder();
  const from = treeWithKernel(folder, kernel);
  const refused = (message: RegExp, ...words: readonly string[]): void => {
    const { status, said } = holdfast("disk", "create", folder.join("disk"), "--size", "160MB", ...words);
    assert.notEqual(status, 0);
    assert.match(said, message);
    assert.ok(!fs.existsSync(folder.join("disk")));
  };
  refused(/cannot use --secure-boot without --boot/, "--secure-boot");
  refused(/BIOS knows no signatures\nhint: add it: --boot bios,uefi/, "--boot", "bios", "--secure-boot");
  const secure = ["--from", from, "--boot", "uefi", "--secure-boot"];
  fs.mkdirSync(folder.join("programs"));
  fs.copyFileSync("/usr/lib/shim/shimx64.efi", folder.join("programs/shimx64.efi"));
  refused(
    /cannot use "\S+\/shimx64.efi" for Secure Boot: it is not signed\nhint:/,
    ...secure,
    "--grub",
    folder.join("programs"),
  );
  const bytes = fs.readFileSync(kernel);
  fs.writeFileSync(folder.join("tree", kernel), bytes.subarray(0, bytes.length - 512));
  refused(/for Secure Boot: "\/boot\/vmlinuz-\S+" is not signed\nhint: put/, ...secure);
});
