/** `disk create --boot` for disks that could not start. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { temporaryFolder } from "../temp.ts";
import { holdfast, treeWithKernel } from "./holdfast-as-nobody.ts";
import { skipWithout } from "./peer.ts";
import { machinePeers, someKernel } from "./qemu.ts";

const kernel = someKernel();
const skip = skipWithout(kernel, ...machinePeers.bios, ...machinePeers.uefi);

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
  refused(/cannot use --timeout without --boot/, "--timeout", "0");
  refused(/cannot use --boot: no partition has a file system/, "-p", "fs=none", "--boot", "bios");
  refused(/BIOS boot partition/, "--table", "gpt", "-p", `fs=ext4,from=${from}`, "--boot", "bios");
});
