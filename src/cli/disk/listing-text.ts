import { encodeName, printableName } from "../../bytes/index.ts";
import type { ListedFolder, ListItem } from "../../disk/index.ts";
import type { EntryKind, Timestamp } from "../../tree/index.ts";
import type { Format, Output } from "../output.ts";
import { layOutTable, type Column } from "../table.ts";
import { padToWidth, textWidth } from "../text-width.ts";

export interface ListingOptions {
  readonly isLong: boolean;
  /** Each folder is headed by its path. */
  readonly isRecursive: boolean;
  readonly output: Pick<Output, "isTerminal" | "columns" | "style">;
}

/**
 * A folder as `ls` prints it. On a terminal, names have their control characters shown and stand side by side;
 * elsewhere they are the bytes of the image, one a line.
 */
export function listingText(folder: ListedFolder, options: ListingOptions): string | Uint8Array {
  const { output } = options;
  const heading = options.isRecursive && folder.isFolder ? [`${shownName(folder.path, output)}:`] : [];
  const lines = [...heading, ...itemLines(folder.items, options)];
  const text = lines.map((line) => `${line}\n`).join("");
  return text.isWellFormed() ? text : encodeName(text);
}

function itemLines(items: readonly ListItem[], { isLong, output }: ListingOptions): string[] {
  if (isLong) return layOutTable(longColumns(output), items, { gap: " " });
  const names = items.map((item) => styledName(item, output));
  return output.isTerminal ? sideBySide(names, output.columns) : names;
}

function longColumns(output: ListingOptions["output"]): Column<ListItem>[] {
  return [
    { text: (item) => modeText(item.kind, item.mode) + (item.hasXattrs ? "+" : "") },
    { align: "right", text: ({ links }) => String(links) },
    { align: "right", text: ({ uid }) => String(uid) },
    { align: "right", text: ({ gid }) => String(gid) },
    { align: "right", text: sizeText },
    { text: ({ modified }) => timeText(modified) },
    { text: (item) => styledName(item, output) + targetText(item, output) },
  ];
}

const kindLetters: Readonly<Record<EntryKind, string>> = {
  file: "-",
  directory: "d",
  symlink: "l",
  character: "c",
  block: "b",
  fifo: "p",
  socket: "s",
};

/** `-rwsr-xr-x`: the kind, and the twelve permission bits as `ls -l` shows them. */
export function modeText(kind: EntryKind, mode: number): string {
  const owner = permissionText(mode >> 6, (mode & 0o4000) !== 0, "s");
  const group = permissionText(mode >> 3, (mode & 0o2000) !== 0, "s");
  const others = permissionText(mode, (mode & 0o1000) !== 0, "t");
  return kindLetters[kind] + owner + group + others;
}

function permissionText(bits: number, isSpecial: boolean, specialLetter: string): string {
  const canExecute = (bits & 1) !== 0;
  const special = canExecute ? specialLetter : specialLetter.toUpperCase();
  const execute = isSpecial ? special : canExecute ? "x" : "-";
  return ((bits & 4) !== 0 ? "r" : "-") + ((bits & 2) !== 0 ? "w" : "-") + execute;
}

function sizeText({ kind, sizeBytes, device }: ListItem): string {
  const isDevice = kind === "character" || kind === "block";
  return isDevice && device !== undefined ? `${device.major}, ${device.minor}` : String(sizeBytes);
}

/** `2026-11-24 02:44` in UTC: an image reads the same on every machine. */
function timeText({ seconds }: Timestamp): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return `@${seconds}`;
  const [day = "", time = ""] = date.toISOString().split("T");
  return `${day} ${time.slice(0, "hh:mm".length)}`;
}

function shownName(name: string, output: ListingOptions["output"]): string {
  return output.isTerminal ? printableName(name) : name;
}

function styledName(item: ListItem, output: ListingOptions["output"]): string {
  const format = formatOf(item);
  const name = shownName(item.name, output);
  return format === undefined ? name : output.style(format, name);
}

function formatOf({ kind, mode }: ListItem): Format | undefined {
  if (kind === "directory") return "blue";
  if (kind === "symlink") return "cyan";
  if (kind !== "file") return "yellow";
  return (mode & 0o111) === 0 ? undefined : "green";
}

function targetText(item: ListItem, output: ListingOptions["output"]): string {
  return item.linkTarget === undefined ? "" : ` -> ${shownName(item.linkTarget, output)}`;
}

const gapWidth = 2;

/** Names in columns, read downwards, in as few lines as fit. */
export function sideBySide(names: readonly string[], columns: number): string[] {
  const width = names.reduce((widest, name) => Math.max(widest, textWidth(name)), 0) + gapWidth;
  const perLine = Math.max(1, Math.floor((columns + gapWidth) / width));
  const lineCount = Math.ceil(names.length / perLine);
  return Array.from({ length: lineCount }, (_, line) => {
    const row = names.filter((_name, at) => at % lineCount === line);
    return row.map((name, at) => (at === row.length - 1 ? name : padToWidth(name, width, "left"))).join("");
  });
}
