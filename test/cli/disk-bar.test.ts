import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters, styleText } from "node:util";
import fc from "fast-check";
import { drawDiskBar, shareColumns, type BarSegment } from "../../src/cli/disk-bar.ts";
import { plain } from "../../src/cli/output.ts";
import { textWidth } from "../../src/cli/text-width.ts";

const MiB = 2 ** 20;
const GiB = 2 ** 30;

function segments(...list: readonly Omit<BarSegment, "startBytes">[]): BarSegment[] {
  let startBytes = 0;
  return list.map((segment) => {
    const placed = { ...segment, startBytes };
    startBytes += segment.sizeBytes;
    return placed;
  });
}

const usual = segments(
  { kind: "free", label: "", sizeBytes: MiB },
  { kind: "partition", label: "1 ESP", sizeBytes: 512 * MiB, usedBytes: 33 * MiB },
  { kind: "partition", label: "2 root", sizeBytes: 2 * GiB, usedBytes: 1.4 * GiB },
  { kind: "partition", label: "3 swap", sizeBytes: GiB },
  { kind: "free", label: "", sizeBytes: 4 * GiB },
);

test("a disk is drawn to scale", () => {
  assert.equal(
    drawDiskBar(usual, { columns: 80, style: plain }).join("\n"),
    `
┌1────┬2 root ─────────────┬3 swap ───┬────────────────────────────────────────┐
│█░░░░│██████████████░░░░░░│▒▒▒▒▒▒▒▒▒▒│········································│
└─────┴────────────────────┴──────────┴────────────────────────────────────────┘
 1 ESP 512 MiB, 6% used   2 root 2 GiB, 70% used   3 swap 1 GiB
 █ used   ░ unused   ▒ no file system known   · in no partition 4.00 GiB`.trimStart(),
  );
});

test("a tiny partition keeps a column, and is not called empty or full when it is not", () => {
  const tiny = segments(
    { kind: "partition", label: "1 boot", sizeBytes: MiB },
    { kind: "partition", label: "2 home", sizeBytes: 900 * GiB, usedBytes: 899.9 * GiB },
    { kind: "partition", label: "3 rest", sizeBytes: 9 * GiB, usedBytes: 1 },
  );
  assert.equal(
    drawDiskBar(tiny, { columns: 40, style: plain }).join("\n"),
    `
┌1┬2 home ───────────────────────────┬3┐
│▒│█████████████████████████████████░│░│
└─┴──────────────────────────────────┴─┘
 1 boot 1 MiB
 2 home 900 GiB, >99% used
 3 rest 9 GiB, <1% used
 █ used   ░ unused
 ▒ no file system known`.trimStart(),
  );
});

test("colours change nothing of what is drawn", () => {
  const coloured = drawDiskBar(usual, {
    columns: 80,
    style: (format, text) => styleText(format, text, { validateStream: false }),
  });
  assert.notDeepEqual(coloured, drawDiskBar(usual, { columns: 80, style: plain }));
  assert.deepEqual(coloured.map(stripVTControlCharacters), drawDiskBar(usual, { columns: 80, style: plain }));
});

test("more partitions than columns leave the key only", () => {
  const many = segments(
    ...Array.from({ length: 60 }, (_, at) => ({ kind: "partition" as const, label: `${at + 1}`, sizeBytes: MiB })),
  );
  const lines = drawDiskBar(many, { columns: 80, style: plain });
  assert.ok(lines.every((line) => !line.startsWith("┌")));
  assert.match(lines.join("\n"), /\b60 1 MiB/);
});

test("an empty list draws nothing", () => {
  assert.deepEqual(drawDiskBar([], { columns: 80, style: plain }), []);
});

const anySegment = fc.record({
  kind: fc.constantFrom("partition" as const, "free" as const, "table" as const),
  label: fc.constantFrom("1 root", "12 ESP", "3"),
  sizeBytes: fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 2 ** 45 })),
});

test("the frame is exactly as wide as asked, and its three lines agree", () => {
  fc.assert(
    fc.property(
      fc.array(anySegment, { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 45, max: 200 }),
      (list, columns) => {
        const [top = "", content = "", bottom = ""] = drawDiskBar(segments(...list), { columns, style: plain });
        for (const line of [top, content, bottom]) assert.equal(textWidth(line), columns);
        assert.equal(content.split("│").length, bottom.split("┴").length + 2);
      },
    ),
  );
});

test("columns are shared out in full, in proportion, one at least", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 2 ** 45 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(sizes, fc.integer({ min: 40, max: 300 }), (list, columns) => {
      const widths = shareColumns(list, columns);
      assert.equal(
        widths.reduce((sum, width) => sum + width, 0),
        columns,
      );
      for (const [at, width] of widths.entries()) {
        assert.ok(width >= 1);
        for (const [other, otherWidth] of widths.entries()) {
          if (list[at]! > list[other]!) assert.ok(width >= otherWidth);
        }
      }
    }),
  );
});
