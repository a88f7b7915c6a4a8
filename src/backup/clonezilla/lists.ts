import { formatSize } from "../../bytes/index.ts";
import type { Content } from "../content.ts";
import type { Partition } from "../../partition/index.ts";
import { partitionName } from "./names.ts";

/** A partition, or a whole disk without a table, with what it holds. */
export interface SavedVolume {
  /** `sda1` */
  readonly name: string;
  readonly sizeBytes: number;
  /** Absent where a file system takes the whole disk. */
  readonly partition?: Partition;
  /** Absent for the extended partition. */
  readonly content?: Content;
}

interface DiskList {
  readonly disk: string;
  readonly sizeBytes: number;
  /** The disk's signature or GUID, as the partitions' own names are made from it. */
  readonly diskId: string | undefined;
  readonly volumes: readonly SavedVolume[];
}

/** As lsblk writes sizes: `512M`, `1.5G`. */
function listedSize(bytes: number): string {
  const [value = "0", unit = "B"] = formatSize(bytes).split(" ");
  return `${Number(Number(value).toFixed(1))}${unit.slice(0, 1)}`;
}

/** `dev-fs.list`: what Clonezilla shows to choose from. */
export function fileSystemList({ volumes }: DiskList): string {
  const rows = volumes
    .filter(({ content }) => content !== undefined)
    .map(({ name, content, sizeBytes }) => `/dev/${name} ${listedType(content)} ${listedSize(sizeBytes)}`);
  return ["# <Device name>   <File system>   <Size>", "# File system is that of the saved device", ...rows, ""].join(
    "\n",
  );
}

function listedType(content: Content | undefined): string {
  return content?.saved === "image" ? content.tag : (content?.type ?? "");
}

/** `blkid.list`: UUIDs and labels, which stand nowhere else. */
export function identityList({ volumes, diskId }: DiskList): string {
  const rows = volumes.map(({ name, partition, content }) => {
    const partUuid = partition?.guid?.toLowerCase() ?? mbrPartUuid(diskId, partition);
    const words = {
      LABEL: content?.label === "" ? undefined : content?.label,
      UUID: content?.uuid,
      BLOCK_SIZE: content?.saved === "image" ? String(content.blockBytes) : undefined,
      TYPE: content?.type === "" ? undefined : content?.type,
      PARTLABEL: partition?.label === "" ? undefined : partition?.label,
      PARTUUID: partUuid,
    };
    const told = Object.entries(words).filter(([, value]) => value !== undefined);
    return `/dev/${name}: ${told.map(([key, value]) => `${key}="${escaped(value ?? "")}"`).join(" ")}`;
  });
  return [...rows, ""].join("\n");
}

function escaped(text: string): string {
  return text.replace(/["\\`$]/g, (character) => `\\${character}`).replaceAll("\n", " ");
}

function mbrPartUuid(diskId: string | undefined, partition: Partition | undefined): string | undefined {
  if (diskId === undefined || partition === undefined) return undefined;
  return `${diskId.replace(/^0x/, "")}-${partition.number.toString(16).padStart(2, "0")}`;
}

/** `blkdev.list`: the disk and what is on it, in lsblk's columns. */
export function deviceList({ disk, sizeBytes, volumes }: DiskList): string {
  const rows = [["KNAME", "NAME", "SIZE", "TYPE", "FSTYPE", "MOUNTPOINT", "MODEL"]];
  rows.push([disk, disk, listedSize(sizeBytes), "disk", "", "", ""]);
  for (const [n, { name, sizeBytes: size, partition, content }] of volumes.entries()) {
    if (partition === undefined) continue;
    const branch = n === volumes.length - 1 ? "`-" : "|-";
    rows.push([
      name,
      branch + partitionName(disk, partition.number),
      listedSize(size),
      "part",
      content?.type ?? "",
      "",
      "",
    ]);
  }
  const widths = (rows[0] ?? []).map((_, n) => Math.max(...rows.map((row) => (row[n] ?? "").length)));
  return [
    ...rows.map((row) =>
      row
        .map((cell, n) => cell.padEnd(widths[n] ?? 0))
        .join(" ")
        .trimEnd(),
    ),
    "",
  ].join("\n");
}

/** `swappt-Xn.info`: what mkswap is told. */
export function swapText({ uuid, label }: Content): string {
  return `UUID="${uuid ?? ""}"\nLABEL="${escaped(label)}"\n`;
}
