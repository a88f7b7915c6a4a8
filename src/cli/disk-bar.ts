import { formatSize } from "../bytes/index.ts";
import type { Format, Style } from "./output.ts";
import { fitToWidth, padToWidth, textWidth } from "./text-width.ts";

/** A stretch of the disk. Segments come in the order of the disk and do not overlap. */
export interface BarSegment {
  /** A partition's number; further words after it are shown where there is room. */
  readonly label: string;
  readonly startBytes: number;
  readonly sizeBytes: number;
  /** Of a partition, where its file system tells. */
  readonly usedBytes?: number;
  readonly kind: "partition" | "free" | "table";
}

export interface BarLayout {
  readonly columns: number;
  readonly style: Style;
}

const glyphs = { used: "█", unused: "░", unknown: "▒", free: "·", table: "≡" } as const;
type Glyph = keyof typeof glyphs;

const meanings: Readonly<Record<Glyph, string>> = {
  used: "used",
  unused: "unused",
  unknown: "no file system known",
  free: "in no partition",
  table: "partition table",
};

const colours: readonly Format[] = ["blue", "green", "magenta", "yellow", "cyan", "red"];

/** A segment with its place in the drawing. */
interface Cell {
  readonly segment: BarSegment;
  readonly width: number;
  readonly colour: Format;
}

/**
 * The disk drawn to scale: a frame with a field for each stretch, the used part of a partition filled (how
 * much, not where), and a key below. A partition always gets a column; what is not one and would take less than
 * half a column is left out. Where even a column each is too much, only the key is given.
 */
export function drawDiskBar(segments: readonly BarSegment[], layout: BarLayout): string[] {
  const totalBytes = segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const room = Math.max(0, layout.columns - 2);
  const shown = segments.filter(({ kind, sizeBytes }) => {
    return kind === "partition" || (sizeBytes / totalBytes) * room >= 0.5;
  });
  const cells = layOutCells(shown, room - (shown.length - 1));
  const key = keyLines(segments, shown, layout);
  if (cells === undefined) return key;
  return [frameTop(cells, layout.style), contentLine(cells, layout.style), frameBottom(cells), ...key];
}

function layOutCells(segments: readonly BarSegment[], columns: number): Cell[] | undefined {
  if (segments.length === 0 || segments.length > columns) return undefined;
  const widths = shareColumns(
    segments.map(({ sizeBytes }) => sizeBytes),
    columns,
  );
  let partitions = 0;
  return segments.map((segment, at): Cell => {
    const colour = segment.kind === "partition" ? colours[partitions++ % colours.length] : "dim";
    return { segment, width: widths[at] ?? 1, colour: colour ?? "dim" };
  });
}

/** Whole columns in proportion to sizes, at least one each, `columns` in all. What is over goes to the largest remainders. */
export function shareColumns(sizes: readonly number[], columns: number): number[] {
  const widths = sizes.map(() => 1);
  // Those too small for a column get theirs first; the others share what is left by their true proportions.
  let open = sizes.map((_, at) => at);
  let left = columns;
  for (;;) {
    const total = open.reduce((sum, at) => sum + (sizes[at] ?? 0), 0);
    const small = open.filter((at) => ((sizes[at] ?? 0) / total) * left < 1);
    if (small.length === 0 || total === 0) {
      shareByRemainder(widths, sizes, { open, left, total });
      return widths;
    }
    open = open.filter((at) => !small.includes(at));
    left -= small.length;
  }
}

function shareByRemainder(
  widths: number[],
  sizes: readonly number[],
  share: { readonly open: readonly number[]; readonly left: number; readonly total: number },
): void {
  const { open, left, total } = share;
  const exact = (at: number): number => (total === 0 ? left / open.length : ((sizes[at] ?? 0) / total) * left);
  let spare = left;
  for (const at of open) {
    widths[at] = Math.floor(exact(at));
    spare -= widths[at] ?? 0;
  }
  const byRemainder = open.toSorted((a, b) => (exact(b) % 1) - (exact(a) % 1));
  for (const at of byRemainder.slice(0, spare)) widths[at] = (widths[at] ?? 0) + 1;
}

function frameTop(cells: readonly Cell[], style: Style): string {
  const fields = cells.map(({ segment, width, colour }) => {
    const label = segment.kind === "partition" ? labelFitting(segment.label, width) : "";
    return style(colour, label) + "─".repeat(width - textWidth(label));
  });
  return `┌${fields.join("┬")}┐`;
}

const shortestCut = 10;

/** The label, cut where that leaves enough of it, or its number, or nothing: a cut number would be another number. */
function labelFitting(label: string, width: number): string {
  const number = label.split(" ", 1)[0] ?? "";
  if (textWidth(label) < width) return number === label ? label : `${label} `;
  if (width >= shortestCut) return `${fitToWidth(label, width - 1)} `;
  return textWidth(number) <= width ? number : "";
}

function contentLine(cells: readonly Cell[], style: Style): string {
  return `│${cells.map((cell) => fieldContent(cell, style)).join("│")}│`;
}

function fieldContent({ segment, width, colour }: Cell, style: Style): string {
  if (segment.kind !== "partition") return style("dim", glyphs[segment.kind].repeat(width));
  if (segment.usedBytes === undefined) return style(colour, glyphs.unknown.repeat(width));
  const used = usedColumns(segment.usedBytes, segment.sizeBytes, width);
  return style(colour, glyphs.used.repeat(used) + glyphs.unused.repeat(width - used));
}

/** Rounded, but neither empty nor full unless it is so. One column says which it is nearer to. */
function usedColumns(usedBytes: number, sizeBytes: number, width: number): number {
  if (usedBytes <= 0) return 0;
  if (usedBytes >= sizeBytes) return width;
  const rounded = Math.round((usedBytes / sizeBytes) * width);
  return width < 2 ? rounded : Math.min(width - 1, Math.max(1, rounded));
}

function frameBottom(cells: readonly Cell[]): string {
  return `└${cells.map(({ width }) => "─".repeat(width)).join("┴")}┘`;
}

/** What the fields are, and what the glyphs mean of which any is drawn. */
function keyLines(segments: readonly BarSegment[], shown: readonly BarSegment[], layout: BarLayout): string[] {
  const { style } = layout;
  const partitions = segments.filter(({ kind }) => kind === "partition");
  const entries = partitions.map((segment, at) => keyEntry(segment, colours[at % colours.length] ?? "dim", style));
  const freeBytes = segments.filter(({ kind }) => kind === "free").reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const glyphsUsed = glyphsIn(shown);
  const legend = glyphsUsed.map((glyph) => {
    const size = glyph === "free" ? ` ${formatSize(freeBytes)}` : "";
    return style("dim", `${glyphs[glyph]} ${meanings[glyph]}${size}`);
  });
  const perLine = Math.max(1, Math.floor((layout.columns - 1 + gap.length) / (widestOf(entries) + gap.length)));
  return [...alignedLines(entries, perLine), ...joinedLines(legend, layout.columns)];
}

function keyEntry(segment: BarSegment, colour: Format, style: Style): string {
  const { label, sizeBytes, usedBytes } = segment;
  const used = usedBytes === undefined || sizeBytes === 0 ? "" : `, ${percent(usedBytes / sizeBytes)} used`;
  return `${style(colour, label)} ${formatSize(sizeBytes)}${used}`;
}

function percent(share: number): string {
  const value = share * 100;
  if (value > 0 && value < 1) return "<1%";
  if (value > 99 && value < 100) return ">99%";
  return `${Math.round(value)}%`;
}

function glyphsIn(segments: readonly BarSegment[]): Glyph[] {
  const found = new Set<Glyph>();
  for (const { kind, usedBytes } of segments) {
    if (kind !== "partition") found.add(kind);
    else if (usedBytes === undefined) found.add("unknown");
    else found.add("used").add("unused");
  }
  return (["used", "unused", "unknown", "free", "table"] as const).filter((glyph) => found.has(glyph));
}

const gap = "   ";

function widestOf(entries: readonly string[]): number {
  return entries.reduce((widest, entry) => Math.max(widest, textWidth(entry)), 0);
}

/** Entries below each other in columns of one width. */
function alignedLines(entries: readonly string[], perLine: number): string[] {
  const width = widestOf(entries);
  const lineCount = Math.ceil(entries.length / perLine);
  return Array.from({ length: lineCount }, (_, line) => {
    const row = entries.slice(line * perLine, (line + 1) * perLine);
    return ` ${row.map((entry) => padToWidth(entry, width, "left")).join(gap)}`.trimEnd();
  });
}

/** Entries one after the other, as many in a line as there is room for. */
function joinedLines(entries: readonly string[], columns: number): string[] {
  const lines: string[] = [];
  for (const entry of entries) {
    const last = lines.at(-1);
    if (last !== undefined && textWidth(last + gap + entry) <= columns) lines[lines.length - 1] = last + gap + entry;
    else lines.push(` ${entry}`);
  }
  return lines;
}
