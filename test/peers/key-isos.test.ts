/** One key, made by whoever is nobody, starts every kind of ISO file that there are packages for, by BIOS and by UEFI. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isoKeyPeers, makeIsoKey, otherSystems, rescueSays, starts, systems } from "./iso-key.ts";
import { skipWithout } from "./peer.ts";
import { machinePeers } from "./qemu.ts";
import { coloursUntil, textScreenUntil } from "./screen.ts";
import { folderForAnyone } from "./nobodys-key.ts";

const skip = skipWithout(...isoKeyPeers, ...machinePeers.bios, ...machinePeers.uefi);
/** The first line that Debian's installer itself writes. */
const installer = "Starting system log daemon";
const virtio = ["--disk", "virtio"];

test("every ISO file of one key starts", { skip, concurrency: true }, async (all) => {
  await using folder = folderForAnyone();
  const key = makeIsoKey(folder);

  const bios = all.test("by BIOS", async () => {
    for (const [entry, prints] of [...systems, ...otherSystems]) await starts(key, entry, prints, ...virtio);
    await starts(key, "mini.iso", installer, ...virtio);
    await starts(key, "grub.iso", rescueSays, ...virtio);
    const rescue = await textScreenUntil(key, "/grub-rescue-cdrom.iso", "FreeBSD");
    assert.match(rescue, /GNU GRUB +version[^]*GNU\/Linux\n[^]*FreeBSD/);
    assert.match(await textScreenUntil(key, "/ipxe.iso", "iPXE 1."), /iPXE 1\./);
    assert.match(await textScreenUntil(key, "/memtest86+x64.iso", "Memtest86+ v"), /Memtest86\+ v6/);
  });

  const uefi = all.test("by UEFI", async () => {
    for (const [entry, prints] of systems) await starts(key, entry, prints, ...virtio, "--uefi");
    await starts(key, "mini.iso", installer, ...virtio, "--uefi");
    await starts(key, "grub.iso", rescueSays, ...virtio, "--uefi");
    await starts(key, "ipxe.iso", "iPXE 1.", ...virtio, "--uefi");
    // It draws its letters itself: white on blue, which nothing else does.
    const blue = "0000aa";
    const colours = await coloursUntil(key, "/memtest86+x64.iso", (some) => (some.get(blue) ?? 0) > 0.5);
    assert.ok((colours.get(blue) ?? 0) > 0.5, JSON.stringify([...colours].slice(0, 20)));
  });

  await Promise.all([bios, uefi]);
});
