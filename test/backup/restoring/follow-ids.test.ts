import assert from "node:assert/strict";
import { test } from "node:test";
import { followIds } from "../../../src/backup/restoring/follow-ids.ts";
import { generatedTree } from "../../../src/boot/grub/index.ts";
import { MemoryDevice } from "../../../src/device/index.ts";
import { makeFileSystem, openFileSystem, resolvePath } from "../../../src/filesystem/index.ts";

const root = "11111111-aaaa-4bbb-8ccc-222222222222";
const newRoot = "99999999-dddd-4eee-8fff-888888888888";
const ids = new Map([
  [root, newRoot],
  ["1a2b-3c4d", "5E6F-7A8B"],
  ["deadbeef-01", "0badcafe-01"],
]);
const now = { seconds: 1_700_000_000, nanoseconds: 0 };

/** What each file says before and after. */
const files: Readonly<Record<string, readonly [string, string]>> = {
  "etc/fstab": [
    `UUID=${root} / ext4 defaults 0 1\nUUID=1A2B-3C4D /boot/efi vfat umask=0077 0 1\nPARTUUID=deadbeef-01 /x ext4\n`,
    `UUID=${newRoot} / ext4 defaults 0 1\nUUID=5E6F-7A8B /boot/efi vfat umask=0077 0 1\nPARTUUID=0badcafe-01 /x ext4\n`,
  ],
  "etc/default/grub.d/50-own.cfg": [
    `GRUB_CMDLINE_LINUX="resume=UUID=${root}"\n`,
    `GRUB_CMDLINE_LINUX="resume=UUID=${newRoot}"\n`,
  ],
  "etc/initramfs-tools/conf.d/resume": [`RESUME=UUID=${root}\n`, `RESUME=UUID=${newRoot}\n`],
  "boot/grub/grub.cfg": [
    `search --no-floppy --fs-uuid --set=root --hint-bios=hd0,gpt2 ${root}\n linux /vmlinuz root=UUID=${root} ro\n`,
    `search --no-floppy --fs-uuid --set=root --hint-bios=hd0,gpt2 ${newRoot}\n linux /vmlinuz root=UUID=${newRoot} ro\n`,
  ],
  "loader/entries/a.conf": [
    `options root=UUID=${root.toUpperCase()}\n`,
    `options root=UUID=${newRoot.toUpperCase()}\n`,
  ],
  "EFI/debian/grub.cfg": [
    `search.fs_uuid ${root} root hd0,gpt2 \nset prefix=($root)'/boot/grub'\n`,
    `search.fs_uuid ${newRoot} root hd0,gpt2 \nset prefix=($root)'/boot/grub'\n`,
  ],
  "EFI/own/grubx64.efi": [`MZ\0\0search.fs_uuid ${root} root\0\xff`, `MZ\0\0search.fs_uuid ${newRoot} root\0\xff`],
  // Another id that begins, or ends, like one of these; and what is no such file.
  "etc/crypttab": [
    `x UUID=${root}-0\nx UUID=0${root}\nx UUID=01a2b-3c4d\n`,
    `x UUID=${root}-0\nx UUID=0${root}\nx UUID=01a2b-3c4d\n`,
  ],
  "home/anna/notes": [`my root is ${root}\n`, `my root is ${root}\n`],
};

for (const kind of ["ext4", "fat16"] as const) {
  test(`files on ${kind} that name ids get new ones, and no others`, async () => {
    const device = new MemoryDevice(new Uint8Array(24 * 2 ** 20));
    const tree = generatedTree(
      "files",
      Object.entries(files).map(([path, [before]]): [string, Uint8Array] => [path, Buffer.from(before, "latin1")]),
      now,
    );
    const wanted =
      kind === "ext4" ? { kind, uuid: root, now, label: "", hashSeed: root } : { kind, uuid: "1A2B-3C4D", now };
    await makeFileSystem(device, [tree], {
      wanted,
      place: { startLba: 0, geometry: { heads: 255, sectors: 63 } },
    });
    const changed = await followIds(device, ids, now);
    const expected = Object.entries(files)
      .filter(([, [before, after]]) => before !== after)
      .map(([path]) => `/${path}`);
    assert.deepEqual(changed.toSorted(), expected.toSorted());
    await using fileSystem = await openFileSystem(device);
    for (const [path, [, after]] of Object.entries(files)) {
      const bytes: Uint8Array[] = [];
      for await (const piece of fileSystem.content(await resolvePath(fileSystem, `/${path}`)))
        bytes.push(Uint8Array.from(piece.bytes));
      assert.equal(Buffer.concat(bytes).toString("latin1"), after, path);
    }
    for await (const { message } of fileSystem.check()) assert.fail(message);
    assert.deepEqual(await followIds(device, ids, now), []);
  });
}
