import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Bench } from "./bench.ts";
import { isoFile, makeKey } from "./inputs.ts";

const gib = 2 ** 30;
const keyBytes = 4_000_000_000;
const usedBytes = 256 * 2 ** 20;
const smallIso = "/usr/lib/ipxe/ipxe.iso";

/** Where isos begins on a key with an MBR, as docs/formats/key-layout.md has it. */
const isosStart = 17 * 2 ** 20;

function keysIn(folder: string): readonly [ours: string, theirs: string] {
  return [path.join(folder, "ours.key"), path.join(folder, "theirs.key")];
}

function copySparse(from: string, to: string): void {
  execFileSync("cp", ["--sparse=always", from, to]);
  execFileSync("sync", [to]);
}

const addToExt4: Bench = {
  name: "add an ISO file of 1 GiB to a key of ext4",
  peer: "cp onto a loop mount, fsync (root)",
  ratioLimit: 1.11,
  prepare(folder) {
    const iso = isoFile(folder, gib);
    const empty = makeKey(path.join(folder, "empty.key"), "--size", String(keyBytes), "--fs", "ext4");
    const [ours, theirs] = keysIn(folder);
    const mountPoint = path.join(folder, "mnt");
    const copy = `${mountPoint}/1.iso`;
    return {
      ours: ["./holdfast", "key", "add", ours, iso],
      theirs: ["sh", "-c", `cp "$0" "$1" && sync "$1"`, iso, copy],
      beforeOurs: () => copySparse(empty, ours),
      beforeTheirs() {
        copySparse(empty, theirs);
        fs.mkdirSync(mountPoint, { recursive: true });
        execFileSync("mount", ["-o", `loop,offset=${isosStart}`, theirs, mountPoint]);
      },
      afterTheirs: () => void execFileSync("umount", [mountPoint]),
      outputs: [ours, theirs],
      cleanUp: () => fs.rmSync(empty),
    };
  },
};

const addToFat: Bench = {
  name: "add an ISO file of 1 GiB to a key of FAT32",
  peer: "mcopy, fsync",
  ratioLimit: 1,
  prepare(folder) {
    const iso = isoFile(folder, gib);
    const empty = makeKey(path.join(folder, "empty.key"), "--size", String(keyBytes));
    const [ours, theirs] = keysIn(folder);
    return {
      ours: ["./holdfast", "key", "add", ours, iso],
      theirs: ["sh", "-c", `mcopy -i "$1@@${isosStart}" "$0" ::/1.iso && sync "$1"`, iso, theirs],
      beforeOurs: () => copySparse(empty, ours),
      beforeTheirs: () => copySparse(empty, theirs),
      outputs: [ours, theirs],
      cleanUp: () => fs.rmSync(empty),
    };
  },
};

/** A stick that is a file of ours, which the kernel reads and writes past its page cache as it does a device. */
function plugIn(file: string): string {
  fs.writeFileSync(file, "");
  fs.truncateSync(file, keyBytes);
  execFileSync("sync", [file]);
  return execFileSync("losetup", ["--find", "--show", "--direct-io=on", file], { encoding: "utf8" }).trim();
}

const writeKey: Bench = {
  name: "write a key of 4 GB, a fifteenth of it used, onto a stick, and verify it",
  peer: "dd bs=4M conv=fsync (root)",
  ratioLimit: 0.07, // what is used of it
  prepare(folder) {
    const key = makeKey(path.join(folder, "full.key"), "--size", String(keyBytes), "--add", isoFile(folder, usedBytes));
    const file = path.join(folder, "stick");
    const device = plugIn(file);
    const unplug = (): void => void execFileSync("losetup", ["--detach", device]);
    return {
      ours: ["./holdfast", "key", "write", key, device, "--confirm", fs.realpathSync(file)],
      theirs: ["dd", `if=${key}`, `of=${device}`, "bs=4M", "conv=fsync", "status=none"],
      beforeOurs: () => void execFileSync("blkdiscard", ["--force", device], { stdio: "ignore" }),
      beforeTheirs: () => void execFileSync("blkdiscard", ["--force", device], { stdio: "ignore" }),
      outputs: [],
      cleanUp() {
        unplug();
        for (const one of [key, file]) fs.rmSync(one);
      },
    };
  },
};

const modules =
  "biosdisk normal configfile test echo search search_fs_uuid part_msdos part_gpt fat ext2 iso9660 loopback linux chain serial";

/** The same by hand, with fewer modules. */
const byHand = `
truncate -s 64M "$0"
printf '2048,32768,ef,*\n34816,,0c\n' | sfdisk -q "$0"
mkfs.fat -n USBBOOT --offset 2048 "$0" 16384 >/dev/null
mkfs.fat -F 32 -s 1 -n ISOS --offset 34816 "$0" 48128 >/dev/null
grub-mkimage -O i386-pc -p '(,msdos1)/boot/grub' -o "$0.core" ${modules}
grub-mkimage -O x86_64-efi -p /boot/grub -o "$0.x64" ${modules.replace("biosdisk", "efi_gop")}
grub-mkimage -O i386-efi -p /boot/grub -o "$0.ia32" ${modules.replace("biosdisk", "efi_gop")}
dd if=/usr/lib/grub/i386-pc/boot.img of="$0" bs=440 count=1 conv=notrunc status=none
dd if="$0.core" of="$0" bs=512 seek=1 conv=notrunc status=none
mmd -i "$0@@1M" ::EFI ::EFI/BOOT ::boot ::boot/grub
mcopy -i "$0@@1M" "$0.x64" ::EFI/BOOT/BOOTX64.EFI
mcopy -i "$0@@1M" "$0.ia32" ::EFI/BOOT/BOOTIA32.EFI
printf 'menuentry one { true; }\n' > "$0.cfg"
mcopy -i "$0@@1M" "$0.cfg" ::boot/grub/grub.cfg
mcopy -i "$0@@17M" "$1" ::ipxe.iso
sync "$0"
`;

const smallKey: Bench = {
  name: "a key with one small ISO file",
  peer: "sfdisk, mkfs.fat, grub-mkimage, mcopy",
  secondsLimit: 1,
  prepare(folder) {
    const [ours, theirs] = keysIn(folder);
    return {
      ours: ["./holdfast", "key", "create", ours, "--size", "64MiB", "--add", smallIso],
      theirs: ["sh", "-e", "-c", byHand, theirs, smallIso],
      outputs: [ours, ...["", ".core", ".x64", ".ia32", ".cfg"].map((ending) => `${theirs}${ending}`)],
    };
  },
};

/** Keys: made, filled, written onto sticks. */
export const benches: readonly Bench[] = [addToExt4, addToFat, writeKey, smallKey];
