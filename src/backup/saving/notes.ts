import { text, type SmallFile } from "../clonezilla/index.ts";
import type { SavedPart, SaveRequest } from "./request.ts";

/** `2026-11-30-1205-sda`, in local time. */
export function backupName({ nowMs }: Pick<SaveRequest, "nowMs">, disk: string): string {
  const { year, month, day, time } = localTime(nowMs);
  return `${year}-${month}-${day}-${time}-${disk}`;
}

/** What people read: how the backup was made, and by what. */
export function notesOf(
  { command, nowMs, source }: Pick<SaveRequest, "command" | "nowMs" | "source">,
  disk: { readonly name: string; readonly sizeBytes: number },
  parts: readonly SavedPart[],
): SmallFile[] {
  const { year, month, day, time } = localTime(nowMs);
  const rows = parts.map(({ name, type, saved, usedBytes, packedBytes }) => {
    return `${name}: ${type === "" ? "unknown" : type}, ${saved}, ${usedBytes} bytes read, ${packedBytes} written`;
  });
  const log = [
    "",
    `This image was saved by Holdfast, in Clonezilla's format, at ${new Date(nowMs).toISOString()}.`,
    "The log during saving:",
    "----------------------------------------------------------",
    `${source}: ${disk.name}, ${disk.sizeBytes} bytes`,
    ...rows,
    "----------------------------------------------------------",
    `### Image created time: ${year}-${month}${day}-${time}`,
    "",
  ].join("\n");
  const packedBytes = parts.reduce((sum, part) => sum + part.packedBytes, 0);
  return [
    text("Info-saved-by-cmd.txt", `${command}\n`),
    text("Info-img-size.txt", `Image size (Bytes):\n${packedBytes}\n`),
    text("clonezilla-img", log),
  ];
}

function localTime(nowMs: number) {
  const at = new Date(nowMs);
  const two = (value: number): string => String(value).padStart(2, "0");
  return {
    year: at.getFullYear(),
    month: two(at.getMonth() + 1),
    day: two(at.getDate()),
    time: two(at.getHours()) + two(at.getMinutes()),
  };
}
