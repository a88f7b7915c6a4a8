/** Keys of other kinds, on other buses, with names that are not plain: the systems on them still find their ISO. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { installerPeers, makeUsbIso } from "./installer-iso.ts";
import { isoKeyPeers, starts } from "./iso-key.ts";
import { makeDebianLive, makeLiveBootInitrd, reportOf } from "./live-systems.ts";
import { runPeer, skipWithout } from "./peer.ts";
import { machinePeers } from "./qemu.ts";
import { makeCasperIso } from "./tiny-systems.ts";
import { done, folderForAnyone, isosOf } from "./nobodys-key.ts";

const skip = skipWithout(...isoKeyPeers, ...installerPeers, ...machinePeers.bios, ...machinePeers.uefi);

test("names in other alphabets, on FAT and on ext4 of a GPT", { skip, concurrency: true }, async (all) => {
  await using folder = folderForAnyone();
  const ubuntu = makeCasperIso(folder, "ubuntu.iso", "Ubuntu");
  const debian = makeDebianLive(folder, { name: "debian.iso", proof: "Debian", initrd: makeLiveBootInitrd(folder) });
  const virtio = ["--disk", "virtio"];

  const fat = all.test("live-boot on FAT", async () => {
    const key = folder.join("fat.img");
    done("create", key, "--size", "100MB");
    done("add", key, debian, "--name", "Größe/Übung_日本");
    const backing = ["/run/live/findiso/Größe/Übung_日本.iso", "/run/live/medium/live/filesystem.squashfs"];
    await starts(key, "Größe/Übung_日本.iso", reportOf("Debian", ...backing), ...virtio);
  });

  const ext4 = all.test("casper on ext4 of a GPT", async () => {
    const key = folder.join("ext4.img");
    done("create", key, "--size", "100MB", "--table", "gpt", "--fs", "ext4");
    assert.match(done("add", key, ubuntu, "--name", "with a space"), /may not find an ISO of that name/);
    done("add", key, ubuntu, "--name", "Ünïcødé");
    const backing = ["/isodevice/Ünïcødé.iso", "/cdrom/casper/filesystem.squashfs"];
    await starts(key, "Ünïcødé.iso", reportOf("Ubuntu", ...backing), ...virtio);
  });

  await Promise.all([fat, ext4]);
});

test(
  "on USB 3, by BIOS and by UEFI; a copied file whose name has a space",
  { skip, concurrency: true },
  async (all) => {
    await using folder = folderForAnyone();
    const key = folder.join("key.img");
    const iso = makeUsbIso(folder, "usb.iso");
    done("create", key, "--size", "100MB");
    done("add", key, iso);
    runPeer("mcopy", ["-i", isosOf(key), iso, "::with a space.iso"]);
    const found = "found /usb.iso on USB";
    const bios = all.test("by BIOS", async () => {
      await starts(key, "usb.iso", found);
      await starts(key, "with a space.iso", "There is a space in /with a space.iso: its system will not find it.");
    });
    const uefi = all.test("by UEFI", () => starts(key, "usb.iso", found, "--uefi"));
    await Promise.all([bios, uefi]);
  },
);
