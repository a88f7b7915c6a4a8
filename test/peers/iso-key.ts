/** One key with every kind of ISO file, made and filled by whoever is nobody. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import type { TemporaryFolder } from "../temp.ts";
import { holdfastMeanwhile } from "./holdfast-as-nobody.ts";
import { installerPeers, makeMiniIso } from "./installer-iso.ts";
import { makeRescueIso } from "./live-iso.ts";
import { liveSystemPeers, makeDebianLive, makeFedoraLive, makeLiveBootInitrd, reportOf } from "./live-systems.ts";
import { runPeer } from "./peer.ts";
import { makeArchIso, makeCasperIso } from "./tiny-systems.ts";
import { done, isosOf } from "./nobodys-key.ts";

const ipxe = "/usr/lib/ipxe/ipxe.iso";
const memtest = "/usr/lib/memtest86+/memtest86+x64.iso";
const rescue = "/usr/lib/grub-rescue/grub-rescue-cdrom.iso";

/** In one word: firmware for UEFI shows each word twice on the serial port, its own console being there too. */
export const rescueSays = "GRUB.of.the.ISO";

/** What it needs, for `skipWithout`. */
export const isoKeyPeers: readonly string[] = [
  ...liveSystemPeers,
  ...installerPeers,
  ipxe,
  memtest,
  rescue,
  "/usr/lib/syslinux/memdisk",
  "grub-mkrescue",
  "sfdisk",
  "mcopy",
];

/** Starts an entry of a key, and fails unless its system prints this on the serial port. */
export async function starts(key: string, entry: string, prints: string, ...how: readonly string[]): Promise<void> {
  const limits = ["--no-acceleration", "--no-network", "--cpus", "1", "--time-limit", "600"];
  const { status, said } = await holdfastMeanwhile(
    "key",
    "run",
    key,
    "--choose",
    entry,
    "--until",
    prints,
    ...limits,
    ...how,
  );
  assert.equal(status, 0, `${entry} ${how.join(" ")}: ${said.slice(-4000)}`);
}

/** An entry to start, and what its system prints on the serial port when it runs. */
type System = readonly [entry: string, prints: string];

const debianRoot = "/run/live/medium/live/filesystem.squashfs";
const ubuntuRoot = "/cdrom/casper/filesystem.squashfs";
const archRoot = "/run/archiso/bootmnt/arch/x86_64/airootfs.sfs";
const fedoraRoot = [
  "/run/initramfs/live/LiveOS/squashfs.img",
  "/LiveOS/rootfs.img", // what it is in has been unmounted
  "/overlay (deleted)",
];

/** Each kind of system once, one of them in a folder, into which it was merely copied. */
export const systems: readonly System[] = [
  ["debian-live.iso", reportOf("Debian one", "/run/live/findiso/debian-live.iso", debianRoot)],
  ["fedora.iso", reportOf("Fedora", "/run/initramfs/isoscan/fedora.iso", ...fedoraRoot)],
  ["ubuntu.iso", reportOf("Ubuntu", "/isodevice/ubuntu.iso", ubuntuRoot)],
  ["copied/arch.iso", reportOf("Arch", "/run/archiso/img_dev/copied/arch.iso", archRoot)],
];

/** The same systems in other ways: by a menu of the ISO's own, copied. */
export const otherSystems: readonly System[] = [
  ["other_debian.iso", reportOf("Debian two", "/run/live/findiso/other_debian.iso", debianRoot)],
  ["copied.iso", reportOf("Ubuntu", "/isodevice/copied.iso", ubuntuRoot)],
];

/** Makes the ISO files and a key of them; gives the path of the key. */
export function makeIsoKey(folder: TemporaryFolder): string {
  const key = folder.join("key.img");
  done("create", key, "--size", "400MB");
  const initrd = makeLiveBootInitrd(folder);
  const debian = makeDebianLive(folder, { name: "debian-live.iso", proof: "Debian one", initrd });
  const other = makeDebianLive(folder, {
    name: "other debian.iso",
    proof: "Debian two",
    initrd,
    loopbackMenu: "set timeout=0\n",
  });
  const mini = makeMiniIso(folder, "mini.iso");
  const arch = makeArchIso(folder, "arch.iso", "Arch");
  const ubuntu = makeCasperIso(folder, "ubuntu.iso", "Ubuntu");
  const grub = makeRescueIso(folder, "grub.iso", rescueSays);
  const fedora = makeFedoraLive(folder, "fedora.iso", "Fedora");
  done("add", key, debian, other, fedora, ubuntu, mini, grub, ipxe, memtest, rescue);
  const place = isosOf(key);
  runPeer("mmd", ["-i", place, "::copied"]);
  runPeer("mcopy", ["-i", place, arch, "::copied/arch.iso"]);
  runPeer("mcopy", ["-i", place, ubuntu, "::copied.iso"]);
  for (const iso of [debian, other, mini, arch, ubuntu, grub, fedora]) fs.rmSync(iso);
  return key;
}
