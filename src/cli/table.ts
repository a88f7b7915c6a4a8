import { padToWidth, textWidth } from "./text-width.ts";

export interface Column<Row> {
  /** Absent in every column: the table has no heading. */
  readonly heading?: string;
  /** On which side the text stands; numbers stand on the right. */
  readonly align?: "left" | "right";
  readonly text: (row: Row) => string;
}

export interface TableLayout {
  /** What stands between two columns. */
  readonly gap?: string;
  readonly headingStyle?: (text: string) => string;
}

/** Lays rows out in columns as wide as their widest text. A column that is empty in every row is left out. */
export function layOutTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  layout: TableLayout = {},
): string[] {
  const cells = columns.map((column) => ({ column, texts: rows.map((row) => column.text(row)) }));
  const shown = cells.filter(({ texts }) => texts.some((text) => text !== ""));
  const gap = layout.gap ?? "  ";
  const widths = shown.map(({ column, texts }) => {
    let width = textWidth(column.heading ?? "");
    for (const text of texts) width = Math.max(width, textWidth(text));
    return width;
  });
  const line = (textOf: (cell: (typeof shown)[number]) => string): string =>
    shown
      .map((cell, at) => padToWidth(textOf(cell), widths[at] ?? 0, cell.column.align ?? "left"))
      .join(gap)
      .trimEnd();
  const lines = rows.map((_, at) => line((cell) => cell.texts[at] ?? ""));
  if (shown.every(({ column }) => column.heading === undefined)) return lines;
  const heading = line((cell) => cell.column.heading ?? "");
  return [layout.headingStyle === undefined ? heading : layout.headingStyle(heading), ...lines];
}
