import type { BackupFolder } from "./read-folder.ts";
import { readSmallFile } from "./small-files.ts";

/** What a backup says could not be read when it was saved. */
export interface SavedUnreadable {
  /** The list of one disk. */
  readonly list: string;
  /** Of 512 bytes. */
  readonly sectors: number;
  /** `sda2: /home/anna/letter` */
  readonly files: readonly string[];
}

/** For each list of bad sectors in a backup what is in it. */
export async function readBadSectors(folder: BackupFolder): Promise<readonly SavedUnreadable[]> {
  const found: SavedUnreadable[] = [];
  for (const list of [...folder.files.keys()].filter((name) => name.endsWith("-bad-sectors.txt"))) {
    const lines = ((await readSmallFile(folder, list))?.toString() ?? "").split("\n");
    const counts = lines.map((line) => Number(/^\d+ (\d{1,15}) \S+$/.exec(line)?.[1] ?? "0"));
    const files = lines.filter((line) => /^[^# ]+: \//.test(line));
    found.push({ list, sectors: counts.reduce((sum, count) => sum + count, 0), files });
  }
  return found;
}
