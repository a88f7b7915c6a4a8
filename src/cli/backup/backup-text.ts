import type { BackupReport, ListedBackup, SavedDiskReport, SavedPartReport } from "../../backup/index.ts";
import { formatSize, printableName } from "../../bytes/index.ts";
import type { Output } from "../output.ts";
import { layOutTable, type Column } from "../table.ts";

/** What is in a backup, for people. */
export function backupLines(report: BackupReport, { style }: Pick<Output, "style">): string[] {
  const { path, savedAt, packedBytes, disks, others, unreadable, problems } = report;
  const when = savedAt === undefined ? "" : `saved ${savedAt}, `;
  const heading = (text: string): string => style("bold", text);
  const lines = [`${style("bold", printableName(path))}: ${when}${formatSize(packedBytes)}`];
  for (const disk of disks) {
    lines.push("", diskLine(disk), ...layOutTable(partColumns, disk.partitions, { headingStyle: heading }));
  }
  if (others.length > 0) lines.push("", ...layOutTable(partColumns, others, { headingStyle: heading }));
  if (unreadable !== undefined) {
    const { sectors, files } = unreadable;
    lines.push(
      "",
      `${style("yellow", "warning:")} ${sectors} sectors could not be read when it was saved: zeros stand for them`,
    );
    lines.push(...files.map((file) => `  in ${printableName(file)}`));
  }
  return [...lines, ...problems.map((problem) => `${style("red", "error:")} ${printableName(problem)}`)];
}

function diskLine({ name, sizeBytes, table, diskId }: SavedDiskReport): string {
  return `${name}: ${formatSize(sizeBytes)} (${sizeBytes} bytes), ${table}${diskId === undefined ? "" : ` ${diskId}`}`;
}

const partColumns: readonly Column<SavedPartReport>[] = [
  { heading: "name", text: ({ name }) => name },
  { heading: "size", align: "right", text: ({ sizeBytes }) => sizeText(sizeBytes) },
  { heading: "holds", text: ({ type, kind = "" }) => type ?? (kind === "dd" ? "" : kind) },
  { heading: "label", text: ({ label = "" }) => printableName(label) },
  { heading: "saved", text: savedText },
  { heading: "takes", align: "right", text: ({ packedBytes }) => sizeText(packedBytes) },
  { heading: "packed", text: packedText },
  { heading: "UUID", text: ({ uuid = "" }) => uuid },
];

function sizeText(bytes: number | undefined): string {
  return bytes === undefined ? "" : formatSize(bytes);
}

const savedWords: Readonly<Record<SavedPartReport["saved"], string>> = {
  used: "what is used",
  whole: "whole",
  swap: "UUID and label",
  extended: "",
  missing: "MISSING",
};

function savedText({ saved }: SavedPartReport): string {
  return savedWords[saved];
}

function packedText({ packed, volumes = 0 }: SavedPartReport): string {
  if (packed === undefined) return "";
  return volumes > 1 ? `${packed}, ${volumes} volumes` : packed;
}

/** The backups in a folder, for people. */
export function listLines(backups: readonly ListedBackup[], { style }: Pick<Output, "style">): string[] {
  const columns: readonly Column<ListedBackup>[] = [
    { heading: "name", text: ({ name }) => printableName(name) },
    { heading: "saved", text: ({ savedAt = "" }) => savedAt },
    { heading: "takes", align: "right", text: ({ packedBytes }) => formatSize(packedBytes) },
    { heading: "of", text: whatText },
    { text: stateText },
  ];
  return layOutTable(columns, backups, { headingStyle: (text) => style("bold", text) });
}

function whatText({ disks, parts }: ListedBackup): string {
  if (disks.length === 0) return parts.join(", ");
  return disks.map(({ name, sizeBytes }) => `${name} (${formatSize(sizeBytes)})`).join(", ");
}

function stateText({ isFinished, problems }: ListedBackup): string {
  if (!isFinished) return "not finished";
  return problems.length > 0 ? "damaged" : "";
}
