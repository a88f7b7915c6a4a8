import { cylindersOf, defaultGeometry, type Partition, type PartitionTable } from "../../partition/index.ts";

/** A partition of a disk with what is in it, for lists. */
export interface ListedPartition {
  readonly partition: Partition;
  /** `ext4`, `fat32`, `swap`; empty where nothing is known. */
  readonly kind: string;
}

interface DiskText {
  readonly disk: string;
  readonly sizeBytes: number;
  readonly table: PartitionTable;
  readonly partitions: readonly ListedPartition[];
}

const partedTypes: Readonly<Record<string, string>> = {
  swap: "linux-swap(v1)",
  LVM2_member: "",
  crypto_LUKS: "",
  squashfs: "",
};
const gptFlags: Readonly<Record<string, string>> = {
  efi: "boot, esp",
  "bios-boot": "bios_grub",
  "linux-swap": "swap",
  "microsoft-data": "msftdata",
  "microsoft-reserved": "msftres",
  lvm: "lvm",
  raid: "raid",
};
const mbrFlags: Readonly<Record<number, string>> = {
  0x0c: "lba",
  0x0e: "lba",
  0x0f: "lba",
  0x82: "swap",
  0x8e: "lvm",
  0xef: "esp",
  0xfd: "raid",
};

/** What `parted unit s print` shows, or `parted print` with sizes for people. */
export function partedText(text: DiskText, isCompact: boolean): string {
  const { disk, sizeBytes, table } = text;
  const size = (bytes: number): string => (isCompact ? compactSize(bytes) : `${Math.floor(bytes / 512)}s`);
  const end = (bytes: number): string => (isCompact ? compactSize(bytes) : `${Math.floor(bytes / 512) - 1}s`);
  const rows = text.partitions
    .toSorted((a, b) => a.partition.startBytes - b.partition.startBytes)
    .map(({ partition, kind }) => {
      const { number, startBytes, sizeBytes: lengthBytes } = partition;
      const places = [size(startBytes), end(startBytes + lengthBytes), size(lengthBytes)];
      const fileSystem = partedTypes[kind] ?? kind;
      const row = [` ${number}`, ...places];
      if (table.kind === "mbr") return [...row, levelOf(partition), fileSystem, mbrFlagsOf(partition)];
      return [...row, fileSystem, partition.label ?? "", gptFlagsOf(partition)];
    });
  const ofKind = table.kind === "mbr" ? ["Type", "File system"] : ["File system", "Name"];
  return [
    "Model:  (file)",
    `Disk /dev/${disk}: ${size(sizeBytes)}`,
    `Sector size (logical/physical): ${table.sectorSizeBytes}B/${table.sectorSizeBytes}B`,
    `Partition Table: ${table.kind === "mbr" ? "msdos" : "gpt"}`,
    "Disk Flags: ",
    "",
    ...columns([["Number", "Start", "End", "Size", ...ofKind, "Flags"], ...rows]),
    "",
    "",
  ].join("\n");
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, n) => Math.max(...rows.map((row) => (row[n] ?? "").length)));
  return rows.map((row) =>
    row
      .map((cell, n) => cell.padEnd(widths[n] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

function levelOf({ number, extended }: Partition): string {
  if (extended) return "extended";
  return number > 4 ? "logical" : "primary";
}

function mbrFlagsOf({ active, typeCode }: Partition): string {
  const own = typeof typeCode === "number" ? mbrFlags[typeCode] : undefined;
  return [...(active ? ["boot"] : []), ...(own === undefined ? [] : [own])].join(", ");
}

function gptFlagsOf({ typeName, active, attributes }: Partition): string {
  const own = gptFlags[typeName];
  const isHidden = (attributes & 1n) !== 0n; // UEFI's "required partition"
  return [
    ...(own === undefined ? [] : [own]),
    ...(isHidden ? ["hidden"] : []),
    ...(active ? ["legacy_boot"] : []),
  ].join(", ");
}

/** As parted writes sizes for people: decimal, in the unit in which there are at least ten. */
function compactSize(bytes: number): string {
  const units = [
    ["TB", 1e12],
    ["GB", 1e9],
    ["MB", 1e6],
    ["kB", 1e3],
  ] as const;
  const [unit, factor] = units.find(([, each]) => bytes >= 10 * each) ?? ["B", 1];
  const value = bytes / factor;
  return `${unit === "B" ? value : value.toFixed(value < 100 ? 1 : 0)}${unit}`;
}

/** `X-chs.sf`: the geometry that a BIOS would tell, as shell assignments. */
export function geometryText(sizeBytes: number): string {
  const { heads, sectors } = defaultGeometry;
  return `cylinders=${cylindersOf(sizeBytes)}\nheads=${heads}\nsectors=${sectors}\n`;
}
