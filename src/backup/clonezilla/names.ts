import type { LogicalVolume } from "../../device/index.ts";

/** A partition as the kernel calls it: `sda1`, `nvme0n1p1`. */
export function partitionName(disk: string, number: number): string {
  return /\d$/.test(disk) ? `${disk}p${number}` : `${disk}${number}`;
}

/** The number of a partition of a disk by its name; undefined where it is none of that disk's. */
export function partitionNumber(disk: string, name: string): number | undefined {
  const rest = name.startsWith(disk) ? name.slice(disk.length) : "";
  const match = (/\d$/.test(disk) ? /^p(\d+)$/ : /^(\d+)$/).exec(rest);
  return match === null ? undefined : Number(match[1]);
}

/**
 * The number of a partition by its name alone, whatever disk that is on: of `sda2` and `nvme0n1p2`. Undefined for whole
 * disks, and for logical volumes, whose names have a dash.
 */
export function numberInName(name: string): number | undefined {
  if (/^(?:nvme\d+n|mmcblk|loop|md|nbd)\d+$/.test(name)) return undefined;
  if (name.includes("-") && !/-c\d+d\d+p\d+$/.test(name)) return undefined;
  const number = Number(/(?:\dp|[a-z])(\d+)$/.exec(name)?.[1] ?? "0");
  return number > 0 ? number : undefined;
}

/** A logical volume of LVM: `vg-root`. */
export function volumeName({ group, name }: LogicalVolume): string {
  return `${group}-${name}`;
}

/** What a data file's name says. */
export interface DataName {
  /** Whose data it is: `sda1`. */
  readonly part: string;
  /** The partclone program: `ext4`; `dd` for plain bytes. */
  readonly kind: string;
  /** `zst`, `gz`, …; absent in old folders, where the first bytes tell. */
  readonly packed?: string;
  readonly suffix?: string;
}

/** What data files that partimage has written are said to be of. */
export const partimageKind = "partimage";

/** `sda1.ext4-ptcl-img.zst.aa`; undefined for other files. */
export function parseDataName(fileName: string): DataName | undefined {
  const today = /^(.+)\.([^.]+)-ptcl-img\.([a-z0-9]+)(?:\.([a-z]{2,3}))?$/.exec(fileName);
  if (today !== null) {
    const [, part = "", kind = "", packed = "", suffix] = today;
    return { part, kind, packed, ...(suffix === undefined ? {} : { suffix }) };
  }
  // partimage's, of which the kind is not told.
  const [, imaged = "", number] = /^([^.]+)\.(\d{3})$/.exec(fileName) ?? [];
  if (number !== undefined) return { part: imaged, kind: partimageKind, suffix: number };
  const old = /^(.+)\.([^.]+)-img(?:\.([a-z]{2,3}))?$/.exec(fileName);
  if (old === null) return undefined;
  const [, part = "", kind = "", suffix] = old;
  return { part, kind, ...(suffix === undefined ? {} : { suffix }) };
}

export function dataName({ part, kind, packed, suffix }: Required<DataName>): string {
  return `${part}.${kind}-ptcl-img.${packed}.${suffix}`;
}

/** What could not be read of a disk when it was saved; only ours have it. */
export function badSectorsName(disk: string): string {
  return `${disk}-bad-sectors.txt`;
}
