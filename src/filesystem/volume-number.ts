import { Failure } from "../base/index.ts";

/** The number of a FAT or exFAT volume as `blkid` shows it: `1234-ABCD`. */
export function formatVolumeNumber(number: number): string {
  const hex = number.toString(16).toUpperCase().padStart(8, "0");
  return `${hex.slice(0, 4)}-${hex.slice(4)}`;
}

/** The number that stands in such text, or at the beginning of a UUID. `kind` is for the message. */
export function parseVolumeNumber(kind: string, text: string): number {
  const match = /^([0-9a-f]{4})-?([0-9a-f]{4})(?:-[0-9a-f]{4}-.*)?$/i.exec(text);
  if (match !== null) return Number.parseInt(`${match[1] ?? ""}${match[2] ?? ""}`, 16);
  throw new Failure(
    "usage",
    `cannot use "${text}" as the number of ${kind === "FAT" ? "a" : "an"} ${kind} file system`,
    {
      hint: "it has eight hexadecimal digits, as in 1234-ABCD",
    },
  );
}
