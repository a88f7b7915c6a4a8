import type { BlockReader } from "../../device/index.ts";
import { bytesAt } from "./recognised.ts";

interface Signature {
  readonly at: number;
  /** As Latin-1. */
  readonly text: string;
}

/** What stands at its first place in file systems, and what else fills a device, of which nothing more is known here. */
const signatures: readonly Signature[] = [
  { at: 3, text: "-FVE-FS-" }, // BitLocker
  { at: 3, text: "ReFS" },
  { at: 32, text: "NXSB" }, // APFS
  { at: 512, text: "EFI PART" }, // a table inside
  { at: 1024, text: "H+" }, // HFS+
  { at: 1024, text: "HX" },
  { at: 1024, text: "BD" }, // HFS
  { at: 4096, text: "\u00fc\u004e\u002b\u00a9" }, // a member of a Linux RAID
  { at: 4096 + 24, text: "\u00c6\u0085\u0073\u00f6\u004e\u001a\u0045\u00ca" }, // bcachefs
  { at: 32_768, text: "JFS1" },
  { at: 65_536 + 52, text: "ReIsEr" }, // as of ReIsErFs, ReIsEr2Fs, ReIsEr3Fs
  { at: 65_536, text: "ReIsEr4" },
];

/** Whether something that is not known here stands at its first place, so that second copies are but left over. */
export async function isTakenByOthers(reader: BlockReader): Promise<boolean> {
  for (const { at, text } of signatures) {
    const bytes = await bytesAt(reader, at, text.length);
    if (bytes !== undefined && Buffer.from(bytes).toString("latin1") === text) return true;
  }
  return false;
}
