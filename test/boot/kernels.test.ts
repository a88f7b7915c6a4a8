import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { findKernels } from "../../src/boot/index.ts";
import { MemoryDevice } from "../../src/device/index.ts";
import { makeExt } from "../../src/filesystem/ext/index.ts";
import { openFileSystem } from "../../src/filesystem/index.ts";
import { openSource } from "../../src/tree/index.ts";
import { runHoldfast } from "../cli/run-holdfast.ts";
import { temporaryFolder } from "../temp.ts";

const menu = `set timeout=5
menuentry 'Debian' {
\tsearch --no-floppy --fs-uuid --set=root 1234
\tlinux\t/boot/vmlinuz-6.1.0-9-amd64 root=UUID=1234 ro  quiet
\tinitrd\t/boot/initrd.img-6.1.0-9-amd64
}
menuentry 'Debian (recovery mode)' {
\tlinux\t/boot/vmlinuz-6.1.0-9-amd64 root=UUID=1234 ro single
}
`;
const entry =
  "title Fedora\nlinux /vmlinuz-6.1.0-10-amd64\ninitrd /initramfs\noptions root=UUID=5678 rw\noptions audit=0\n";

const files: Readonly<Record<string, string>> = {
  "boot/vmlinuz-6.1.0-9-amd64": "nine",
  "boot/initrd.img-6.1.0-9-amd64": "initrd of nine",
  "boot/vmlinuz-6.1.0-10-amd64": "ten",
  "boot/initramfs-6.1.0-10-amd64.img": "initrd of ten",
  "boot/vmlinuz-5.10": "old",
  "boot/System.map-6.1.0-9-amd64": "map",
  "boot/grub/grub.cfg": menu,
  "boot/loader/entries/fedora.conf": entry,
};

function makeTree(root: string): void {
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(`${root}/${name.slice(0, name.lastIndexOf("/"))}`, { recursive: true });
    fs.writeFileSync(`${root}/${name}`, text);
  }
}

test("kernels come with their initrds, and the command lines of the menu or of an entry, the newest first", async () => {
  await using folder = temporaryFolder();
  makeTree(folder.join("tree"));
  const device = new MemoryDevice(new Uint8Array(4 * 2 ** 20));
  await using source = await openSource(folder.join("tree"));
  await makeExt(device, [source], { kind: "ext4", now: { seconds: 1, nanoseconds: 0 } });
  await using fileSystem = await openFileSystem(device);
  assert.deepEqual(await findKernels(fileSystem), [
    {
      version: "6.1.0-10-amd64",
      path: "/boot/vmlinuz-6.1.0-10-amd64",
      initrd: "/boot/initramfs-6.1.0-10-amd64.img",
      commandLine: "root=UUID=5678 rw audit=0",
    },
    {
      version: "6.1.0-9-amd64",
      path: "/boot/vmlinuz-6.1.0-9-amd64",
      initrd: "/boot/initrd.img-6.1.0-9-amd64",
      commandLine: "root=UUID=1234 ro  quiet",
    },
    { version: "5.10", path: "/boot/vmlinuz-5.10" },
  ]);
});

test("disk kernel lists them, and puts them beside the disk", async () => {
  await using folder = temporaryFolder();
  makeTree(folder.join("tree"));
  const [disk, out] = [folder.join("disk"), folder.join("out")];
  await runHoldfast(["disk", "create", disk, "--size", "8MiB", "--from", folder.join("tree")]);
  const { status, stdout } = await runHoldfast(["disk", "kernel", disk, "--extract", out]);
  assert.equal(status, 0);
  assert.match(stdout, /^kernel +initrd +command line\n\/boot\/vmlinuz-6\.1\.0-10-amd64 .*root=UUID=5678 rw audit=0\n/);
  assert.deepEqual(fs.readdirSync(out).toSorted(), [
    "initramfs-6.1.0-10-amd64.img",
    "initrd.img-6.1.0-9-amd64",
    "vmlinuz-5.10",
    "vmlinuz-6.1.0-10-amd64",
    "vmlinuz-6.1.0-9-amd64",
  ]);
  assert.equal(fs.readFileSync(`${out}/vmlinuz-6.1.0-9-amd64`, "utf8"), "nine");
  const again = await runHoldfast(["disk", "kernel", disk, "--extract", out]);
  assert.equal(again.status, 1, "a folder with files in it is not written to unless told");
  await runHoldfast(["disk", "rm", "-r", `${disk}:/boot`]);
  const without = await runHoldfast(["disk", "kernel", disk]);
  assert.match(without.stderr, /cannot find a kernel in .*\nhint: name the partition/);
});
