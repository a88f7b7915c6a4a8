import { Failure } from "../../base/index.ts";
import { writeCpio, type CpioEntry } from "../../tree/index.ts";
import { configuredText, firstBootFolder, firstBootScript } from "./first-boot.ts";
import type { KernelModules } from "./kernel-modules.ts";
import type { SystemTree } from "../system-tree.ts";

/** What a disk may hang on in a virtual or a real machine, and what is on it: modules that are loaded, in this order. */
const wantedModules =
  "virtio_pci virtio_mmio virtio_blk virtio_scsi nvme ahci ata_piix ata_generic xen_blkfront mptspi mptsas vmw_pvscsi megaraid_sas mmc_block sdhci_pci xhci_pci ehci_pci uas usb_storage sd_mod crc32c_generic crc32c_intel ext4".split(
    " ",
  );

const klibcFolder = "/usr/lib/klibc/bin";
const programs = ["sh", "mount", "umount", "insmod", "run-init", "dd", "sync", "sleep", "chroot", "mkdir", "cat"];

/**
 * The first root of a kernel: it loads what the disk needs, finds the file system that `root=` names, sees a new
 * system configured, and starts it. Its programs are those of klibc, which Debian's own initrds use too.
 */
export async function makeInitrd(tree: SystemTree, modules: KernelModules): Promise<Buffer> {
  const entries: CpioEntry[] = ["bin", "dev", "etc", "lib", "modules", "proc", "root", "run", "sys"].map((path) => {
    return { path, mode: 0o40755 };
  });
  for (const name of programs) entries.push({ path: `bin/${name}`, mode: 0o100755, content: program(tree, name) });
  const library = tree.names("/lib").find((name) => /^klibc-.*\.so$/.test(name));
  if (library === undefined) throw noKlibc();
  entries.push({ path: `lib/${library}`, mode: 0o100755, content: tree.read(`/lib/${library}`) });
  const order = modules.closure(wantedModules);
  for (const name of order) {
    entries.push({ path: `modules/${name}.ko`, mode: 0o100644, content: await modules.read(name) });
  }
  entries.push({
    path: "modules/order",
    mode: 0o100644,
    content: Buffer.from(order.map((name) => `${name}\n`).join("")),
  });
  entries.push({ path: "init", mode: 0o100755, content: Buffer.from(initScript) });
  return writeCpio(entries);
}

function program(tree: SystemTree, name: string): Uint8Array {
  const path = `${klibcFolder}/${name}`;
  if (tree.find(path) === undefined) throw noKlibc();
  return tree.read(path);
}

function noKlibc(): Failure {
  return new Failure("not-found", "cannot make an initrd: klibc's programs are not among the packages", {
    hint: "add --package klibc-utils",
  });
}

/**
 * `UUID=` is compared with the 16 bytes at 0x468 of an ext file system, both as text: the shell drops NULs from both
 * alike. The disk may come up late, so there are some tries.
 */
const initScript = `#!/bin/sh
export PATH=/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs -o mode=0755,nosuid,nodev run /run

root= init=/sbin/init flags= kind=ext4 how=ro
for word in $(cat /proc/cmdline); do
  case "$word" in
    root=*) root="\${word#root=}" ;;
    init=*) init="\${word#init=}" ;;
    rootflags=*) flags=",\${word#rootflags=}" ;;
    rootfstype=*) kind="\${word#rootfstype=}" ;;
    rw) how=rw ;;
  esac
done

while read -r name; do
  insmod "/modules/$name.ko" 2>/dev/null
done < /modules/order

bytes_of() {
  hex="$1"
  while [ "$hex" ]; do
    case "$hex" in -*) hex="\${hex#-}"; continue ;; esac
    rest="\${hex#??}"
    digits="\${hex%$rest}"
    byte=$((0x$digits))
    octal="$((byte / 64))$((byte / 8 % 8))$((byte % 8))"
    printf "\\\\$octal"
    hex="$rest"
  done
}

find_root() {
  case "$root" in
    UUID=*)
      wanted="$(bytes_of "\${root#UUID=}")"
      for entry in /sys/class/block/*; do
        device="/dev/\${entry##*/}"
        [ -b "$device" ] || continue
        found="$(dd if="$device" bs=8 skip=141 count=2 2>/dev/null)"
        [ "$found" = "$wanted" ] && return 0
      done
      return 1 ;;
    *) device="$root"; [ -b "$device" ] ;;
  esac
}

tries=100
until find_root; do
  tries=$((tries - 1))
  if [ "$tries" = 0 ]; then
    echo "initrd: there is no disk with $root; a shell follows"
    exec sh
  fi
  sleep 0.1
done

mount -t "$kind" -o "$how$flags" "$device" /root || exec sh
mkdir -p /run/initramfs
for folder in dev proc sys run; do
  mount -o move "/$folder" "/root/$folder" || mount --move "/$folder" "/root/$folder"
done
if [ -x /root${firstBootScript} ]; then
  beforehand=
  [ -e /root${firstBootFolder}/beforehand ] && beforehand=yes
  mount -o remount,rw "$device" /root
  chroot /root ${firstBootScript} < /root/dev/console > /root/dev/console 2>&1
  if [ "$beforehand" ] && [ ! -e /root${firstBootScript} ]; then
    sync
    mount -o remount,ro "$device" /root
    echo "${configuredText}" > /root/dev/console
    while :; do sleep 1; done
  fi
fi
exec run-init /root "$init" < /root/dev/console > /root/dev/console 2>&1
`;
