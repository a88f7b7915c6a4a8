import { bootCodeBytes } from "./mbr-records.ts";

/** Whose boot code lies in sector 0. `windows-7` is also that of 8, 10 and 11, which never changed it. */
export type BootCode =
  | "none"
  | "holdfast-chain"
  | "grub2"
  | "grub-legacy"
  | "syslinux"
  | "isolinux-hybrid"
  | "lilo"
  | "windows-xp"
  | "windows-vista"
  | "windows-7"
  | "unknown";

/** Names the boot code in the first sector of a disk by its error messages. Looks at the first 440 bytes only. */
export function identifyBootSector(sector: Uint8Array): BootCode {
  const code = Buffer.from(sector.buffer, sector.byteOffset, Math.min(bootCodeBytes, sector.length));
  if (code.every((byte) => byte === 0)) return "none";
  if (code.includes("GRUB \0Geom\0Hard Disk\0Read\0 Error\r\n")) return "grub2";
  if (code.includes("GRUB \0Geom\0Hard Disk\0Read\0 Error")) return "grub-legacy";
  if (code.includes("No partition is active.") && code.includes("The active partition has no boot sector."))
    return "holdfast-chain";
  if (code.includes("isolinux.bin missing or corrupt")) return "isolinux-hybrid";
  if (code.includes("LILO") && [2, 6].includes(code.indexOf("LILO"))) return "lilo";
  if (code.includes("Operating system load error.")) return "syslinux";
  if (code.includes("Missing OS\r\n") && code.includes("Multiple active partitions")) return "syslinux"; // gptmbr.bin
  return windowsCode(code) ?? "unknown";
}

// Microsoft's three generations have the same messages at different places.
const windowsMessageAt = { "windows-xp": 0x12c, "windows-vista": 0x162, "windows-7": 0x163 } as const;

function windowsCode(code: Buffer): BootCode | undefined {
  const at = code.indexOf("Invalid partition table\0Error loading operating system\0Missing operating system");
  if (at < 0) return undefined;
  if (at === windowsMessageAt["windows-xp"]) return "windows-xp";
  if (at === windowsMessageAt["windows-vista"]) return "windows-vista";
  return at === windowsMessageAt["windows-7"] ? "windows-7" : undefined;
}

const fileSystemNames = ["NTFS    ", "EXFAT   ", "-FVE-FS-"];

/** True where sector 0 begins a FAT, exFAT, NTFS or BitLocker volume: its last bytes then need not be a table. */
export function isVolumeBootSector(sector: Uint8Array): boolean {
  const raw = Buffer.from(sector.buffer, sector.byteOffset, sector.length);
  if (raw[0] !== 0xeb && raw[0] !== 0xe9) return false;
  if (fileSystemNames.includes(raw.toString("latin1", 3, 11))) return true;
  // The BIOS parameter block of FAT: only values that a driver would accept.
  const bytesPerSector = raw.readUInt16LE(11);
  const sectorsPerCluster = raw.readUInt8(13);
  const reservedSectors = raw.readUInt16LE(14);
  const fatCount = raw.readUInt8(16);
  const media = raw.readUInt8(21);
  return (
    [512, 1024, 2048, 4096].includes(bytesPerSector) &&
    sectorsPerCluster > 0 &&
    (sectorsPerCluster & (sectorsPerCluster - 1)) === 0 &&
    reservedSectors > 0 &&
    (fatCount === 1 || fatCount === 2) &&
    (media === 0xf0 || media >= 0xf8)
  );
}
