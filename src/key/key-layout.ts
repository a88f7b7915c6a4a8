import { gptTypeGuid, mbrTypeCode, type PartitionTable } from "../partition/index.ts";

/** What stands where on a key: docs/formats/key-layout.md. */
export const layoutVersion = 1;

/** On usbboot: GRUB's folder, as GRUB says it, and as paths of the file system begin. */
export const menuFolder = "/boot/grub";
/** What a key says of itself; a disk without it is no key. */
export const settingsPath = `${menuFolder}/key.cfg`;
/** A file for each ISO that was added, by its path on isos, and an index for each folder of that. */
export const entriesFolder = `${menuFolder}/isos`;
export const indexName = "index.cfg";
/** The menu of the ISO files that can be checked before they start. */
export const checksPath = `${menuFolder}/checks.cfg`;
/** What a key starts by, as it was when it was made. */
export const bootSumsPath = `${menuFolder}/boot.sha256`;
/** Starts disks in memory; of Syslinux. */
export const memdiskPath = `${menuFolder}/memdisk`;

/** What may be enrolled where Secure Boot is on: near the root, for those who have to look for it on a screen of firmware. */
export const certificatesFolder = "/certificates";

export const bootLabel = "USBBOOT";
export const isosLabel = "ISOS";

export type TableKind = PartitionTable["kind"];

/** GPT keeps GRUB's core image in a partition of its own, which comes first. */
export const bootNumber = (table: TableKind): number => (table === "gpt" ? 2 : 1);
export const isosNumber = (table: TableKind): number => bootNumber(table) + 1;

/** As GRUB names a partition of any disk: `msdos2`. */
export function grubPartition(table: TableKind, number: number): string {
  return `${table === "gpt" ? "gpt" : "msdos"}${number}`;
}

/** Whether a partition is for firmware, as usbboot is. */
export function isFirmwareType(typeCode: number | string): boolean {
  return typeCode === (typeof typeCode === "string" ? gptTypeGuid("efi") : mbrTypeCode("efi"));
}
