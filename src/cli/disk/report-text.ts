import { formatSize, printableName } from "../../bytes/index.ts";
import type { DiskReport, FileSystemReport, PartitionReport, TableReport } from "../../disk/index.ts";
import { drawDiskBar, type BarSegment } from "../disk-bar.ts";
import type { Style } from "../output.ts";
import { layOutTable, type Column } from "../table.ts";
import { textWidth } from "../text-width.ts";

export interface ReportLayout {
  readonly isTerminal: boolean;
  readonly columns: number;
  readonly style: Style;
}

/** A disk for people: what it is, its partitions as a table, what is wrong, and on a terminal the drawn bar. */
export function reportLines(report: DiskReport, layout: ReportLayout): string[] {
  const blocks = [headLines(report, layout), partitionLines(report, layout), remarkLines(report, layout)];
  if (layout.isTerminal) blocks.push(drawDiskBar(barSegments(report), layout));
  return blocks.filter((lines) => lines.length > 0).flatMap((lines, at) => (at === 0 ? lines : ["", ...lines]));
}

function headLines(report: DiskReport, layout: ReportLayout): string[] {
  const { geometry, table, fileSystem, allocatedBytes } = report;
  const count = `${Math.floor(report.sizeBytes / report.sectorSizeBytes)} sectors of ${report.sectorSizeBytes}`;
  const facts: [string, string][] = [["size", `${exactSize(report.sizeBytes)}, ${count}`]];
  if (allocatedBytes !== undefined) facts.push(["takes", `${formatSize(allocatedBytes)} of this machine's disk`]);
  if (geometry !== undefined) {
    const { cylinders, heads, sectors, usableBytes } = geometry;
    facts.push([
      "geometry",
      `${cylinders} ${cylinders === 1 ? "cylinder" : "cylinders"}, ${heads} heads, ${sectors} sectors: ${usableBytes} bytes usable`,
    ]);
  }
  facts.push(["table", table === undefined ? "none" : `${table.kind}, disk ${table.diskId}`]);
  facts.push(["boot code", report.bootCode]);
  if (fileSystem !== undefined) facts.push(["file system", fileSystemWords(fileSystem)]);
  const columns: Column<[string, string]>[] = [
    { text: ([name]) => `  ${layout.style("dim", name)}` },
    { text: ([, value]) => value },
  ];
  return [layout.style("bold", printableName(report.path)), ...layOutTable(columns, facts)];
}

function exactSize(sizeBytes: number): string {
  return sizeBytes < 1024 ? `${sizeBytes} bytes` : `${formatSize(sizeBytes)} (${sizeBytes} bytes)`;
}

function fileSystemWords(system: FileSystemReport): string {
  const label = system.label === "" ? "" : ` "${printableName(system.label)}"`;
  const uuid = system.uuid === undefined ? "" : `, UUID ${system.uuid}`;
  return `${system.kind}${label}${uuid}, ${spaceWords(system)}`;
}

function spaceWords({ sizeBytes, usedBytes, freeBytes }: FileSystemReport): string {
  if (usedBytes === undefined || freeBytes === undefined) return `${formatSize(sizeBytes)}, it is not known how full`;
  return `${formatSize(usedBytes)} used, ${formatSize(freeBytes)} free`;
}

function partitionLines(report: DiskReport, layout: ReportLayout): string[] {
  const { partitions, sectorSizeBytes } = report;
  const headingStyle = (text: string): string => layout.style("bold", text);
  const table = (columns: readonly Column<PartitionReport>[]): string[] =>
    partitions.length === 0 ? [] : layOutTable(columns, partitions, { headingStyle });
  const [place, identity, contents] = partitionColumns(sectorSizeBytes);
  const whole = table([...place, ...identity, ...contents, uuidColumn]);
  if (!layout.isTerminal || whole.every((line) => textWidth(line) <= layout.columns)) return whole;
  // Too wide: what the partitions are called gets a table of its own.
  return [...table([...place, ...contents]), "", ...table([numberColumn, ...identity, uuidColumn])];
}

const numberColumn: Column<PartitionReport> = { heading: "#", align: "right", text: ({ number }) => String(number) };
const uuidColumn: Column<PartitionReport> = {
  heading: "file system UUID",
  text: ({ fileSystem }) => fileSystem?.uuid ?? "",
};

type PartitionColumns = readonly Column<PartitionReport>[];

/** What columns there are, of the place, the name and the contents of a partition. First and last are counted in sectors, as sfdisk and its kin do; the JSON document has bytes. */
function partitionColumns(sectorSizeBytes: number): readonly [PartitionColumns, PartitionColumns, PartitionColumns] {
  const lastSector = ({ startBytes, sizeBytes }: PartitionReport): number =>
    (startBytes + sizeBytes) / sectorSizeBytes - 1;
  return [
    [
      numberColumn,
      { heading: "active", text: ({ active }) => (active ? "*" : "") },
      { heading: "first", align: "right", text: ({ startBytes }) => String(startBytes / sectorSizeBytes) },
      { heading: "last", align: "right", text: (partition) => String(lastSector(partition)) },
      { heading: "size", align: "right", text: ({ sizeBytes }) => formatSize(sizeBytes) },
    ],
    [
      { heading: "type", text: ({ typeName }) => typeName },
      { heading: "name", text: ({ name }) => printableName(name ?? "") },
    ],
    [
      { heading: "holds", text: ({ fileSystem }) => fileSystem?.kind ?? "" },
      { heading: "label", text: ({ fileSystem }) => printableName(fileSystem?.label ?? "") },
      { heading: "used", align: "right", text: ({ fileSystem }) => sizeOrNothing(fileSystem?.usedBytes) },
      { heading: "free", align: "right", text: ({ fileSystem }) => sizeOrNothing(fileSystem?.freeBytes) },
    ],
  ];
}

function sizeOrNothing(sizeBytes: number | undefined): string {
  return sizeBytes === undefined ? "" : formatSize(sizeBytes);
}

function remarkLines(report: DiskReport, layout: ReportLayout): string[] {
  const { style } = layout;
  const remarks: string[] = [];
  const problem = (where: string, { severity, message }: TableReport["problems"][number]): string =>
    `${style(severity === "error" ? "red" : "yellow", `${severity}:`)} ${where}${printableName(message)}`;
  for (const one of report.table?.problems ?? []) remarks.push(problem("table: ", one));
  for (const { number, problem: message, fileSystem } of report.partitions) {
    const where = `partition ${number}: `;
    if (message !== undefined) remarks.push(problem(where, { severity: "error", message }));
    for (const one of fileSystem?.problems ?? []) remarks.push(problem(where, one));
    for (const note of fileSystem?.notes ?? []) remarks.push(`note: partition ${number}: ${printableName(note)}`);
  }
  for (const one of report.fileSystem?.problems ?? []) remarks.push(problem("", one));
  for (const note of report.fileSystem?.notes ?? []) remarks.push(`note: ${printableName(note)}`);
  return remarks;
}

/** The disk as the bar wants it: partitions that hold something, and what lies in none. */
function barSegments(report: DiskReport): BarSegment[] {
  const { fileSystem, partitions } = report;
  if (fileSystem !== undefined && partitions.length === 0) {
    const { kind, sizeBytes, usedBytes } = fileSystem;
    const place: BarSegment = { label: kind, startBytes: 0, sizeBytes, kind: "partition" };
    const whole = usedBytes === undefined ? place : { ...place, usedBytes };
    return [whole, ...report.unpartitioned.map(freeSegment)];
  }
  const held = partitions.filter(({ extended }) => !extended).map(partitionSegment);
  return [...held, ...report.unpartitioned.map(freeSegment)].toSorted((a, b) => a.startBytes - b.startBytes);
}

function partitionSegment(partition: PartitionReport): BarSegment {
  const { number, startBytes, sizeBytes, fileSystem, name } = partition;
  const title = [fileSystem?.label, name, fileSystem?.kind, partition.typeName].find(
    (text) => text !== undefined && text !== "",
  );
  const label = `${number} ${printableName(title ?? "")}`.trim();
  const place = { label, startBytes, sizeBytes, kind: "partition" } as const;
  return fileSystem?.usedBytes === undefined ? place : { ...place, usedBytes: fileSystem.usedBytes };
}

function freeSegment(extent: { readonly startBytes: number; readonly lengthBytes: number }): BarSegment {
  return { label: "", startBytes: extent.startBytes, sizeBytes: extent.lengthBytes, kind: "free" };
}
