import type { Architecture, BootEntry, ImagePlace } from "./boot-entry.ts";
import type { BootImages } from "./boot-images.ts";
import type { Disc } from "./disc.ts";

/** What is loaded into memory whole is no larger than this. */
export const memoryImageLimitBytes = 512 * 1024 * 1024;
const smallSectorBytes = 512;
const floppySectors: Readonly<Record<string, number>> = {
  "1.2 MB floppy": 2400,
  "1.44 MB floppy": 2880,
  "2.88 MB floppy": 5760,
};
/** UEFI 2.10 §3.5.1.1. */
const programs: readonly (readonly [Architecture, string])[] = [
  ["x86_64", "/EFI/BOOT/BOOTX64.EFI"],
  ["i386", "/EFI/BOOT/BOOTIA32.EFI"],
  ["arm64", "/EFI/BOOT/BOOTAA64.EFI"],
];

/** What starts an ISO for the BIOS as firmware would: a floppy, or, of a small disc, all of it in memory. */
export async function biosEntries(images: BootImages, isoBytes: number): Promise<readonly BootEntry[]> {
  const base = { title: "", firmwares: ["bios"], architecture: "i386" } as const;
  for (const image of images.forBios()) {
    const count = floppySectors[image.media];
    if (count === undefined) continue;
    const place = await images.place(image, count);
    return [
      { ...base, how: { kind: "memdisk", image: place, medium: "floppy" }, imageBytes: count * smallSectorBytes },
    ];
  }
  if (images.forBios().length === 0 || isoBytes > memoryImageLimitBytes) return [];
  return [{ ...base, how: { kind: "memdisk", image: { kind: "whole" }, medium: "iso" }, imageBytes: isoBytes }];
}

/**
 * The menu of an ISO that grub-mkrescue made. Its GRUB for UEFI looks for the disc that it is on, which firmware does not
 * know of; that of the key shows the same menu.
 */
export async function ownMenuEntries(disc: Disc): Promise<readonly BootEntry[]> {
  const menu = await disc.findFile("/boot/grub/grub.cfg");
  if (menu === undefined) return [];
  const entries: BootEntry[] = [];
  for (const [architecture, folder] of [
    ["x86_64", "/boot/grub/{x86_64,i386}-efi"],
    ["arm64", "/boot/grub/arm64-efi"],
  ] as const) {
    const how = { kind: "configfile", path: menu.path } as const;
    if (await disc.has(folder)) entries.push({ title: "", how, firmwares: ["uefi"], architecture });
  }
  return entries;
}

/** Programs for UEFI: of the ISO itself, and, where it has none, of an image in it. */
export async function uefiEntries(images: BootImages, disc: Disc): Promise<readonly BootEntry[]> {
  const own = await programEntries(disc);
  if (own.length > 0) return own;
  const inside = await images.inEfiImages(async (imageDisc, place) => {
    const entries = await programEntries(imageDisc, place);
    return entries.length > 0 ? entries : undefined;
  });
  return inside ?? [];
}

async function programEntries(disc: Disc, image?: ImagePlace): Promise<readonly BootEntry[]> {
  const entries: BootEntry[] = [];
  for (const [architecture, path] of programs) {
    const program = await disc.findFile(path);
    if (program === undefined) continue;
    const how = { kind: "efi", program: program.path, ...(image === undefined ? {} : { image }) } as const;
    entries.push({ title: "", how, firmwares: ["uefi"], architecture, signers: await disc.signers(program) });
  }
  return entries;
}
