import type { PhysicalData } from "./read-lvm.ts";
import { parseDataName, type DataName } from "./names.ts";

export interface BackupPart {
  /** `sda1`, or `VG-LV` of a logical volume. */
  readonly name: string;
  /** As Clonezilla names it: `ext4`; `dd` for plain bytes. */
  readonly kind: string;
  /** As file names have it; absent in old folders. */
  readonly packed: string | undefined;
  /** In their order. */
  readonly fileNames: readonly string[];
  readonly packedBytes: number;
  /** Of a partition of LVM, whose volumes are saved one by one. */
  readonly physical?: PhysicalData;
}

/** Data files, volumes of one in their order. What is missing is added to `problems`. */
export function partsOf(files: ReadonlyMap<string, number>, problems: string[]): BackupPart[] {
  const byPart = new Map<string, { readonly name: DataName; readonly fileNames: string[] }>();
  for (const fileName of files.keys()) {
    const name = parseDataName(fileName);
    if (name === undefined) continue;
    const key = `${name.part}.${name.kind}.${name.packed ?? ""}`;
    const found = byPart.get(key) ?? { name, fileNames: [] };
    found.fileNames.push(fileName);
    byPart.set(key, found);
  }
  const parts = [...byPart.values()].map(({ name, fileNames }) => {
    const gap = missingVolume(fileNames);
    if (gap !== undefined) problems.push(`the volume "${gap}" is missing`);
    const packedBytes = fileNames.reduce((sum, fileName) => sum + (files.get(fileName) ?? 0), 0);
    return { name: name.part, kind: name.kind, packed: name.packed, fileNames, packedBytes };
  });
  const twice = parts.find(({ name }, n) => parts.findIndex((part) => part.name === name) !== n);
  if (twice !== undefined) problems.push(`there are two kinds of data of ${twice.name}`);
  return parts.toSorted((a, b) => compareNames(a.name, b.name));
}

/** `sda2` comes before `sda10`. */
function compareNames(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}

/** The first of the volumes that should be there by their suffixes, and is not. */
function missingVolume(fileNames: readonly string[]): string | undefined {
  const [first = ""] = fileNames;
  const suffix = parseDataName(first)?.suffix;
  if (suffix === undefined) return undefined;
  let wanted = suffix.replace(/[a-z]/g, "a").replace(/\d/g, "0");
  for (const fileName of fileNames) {
    if (!fileName.endsWith(`.${wanted}`)) return first.slice(0, -suffix.length) + wanted;
    wanted = following(wanted);
  }
  return undefined;
}

const lastOf: Readonly<Record<string, string>> = { z: "a", "9": "0" };

function following(suffix: string): string {
  const signs = suffix.split("");
  for (let n = signs.length - 1; n >= 0; n--) {
    const sign = signs[n] ?? "a";
    const first = lastOf[sign];
    signs[n] = first ?? String.fromCharCode(sign.charCodeAt(0) + 1);
    if (first === undefined) break;
  }
  return signs.join("");
}
