import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { layOutTable } from "../../src/cli/table.ts";
import { fitToWidth, padToWidth, textWidth, wrapText } from "../../src/cli/text-width.ts";

test("width counts columns, not characters", () => {
  assert.equal(textWidth("abc"), 3);
  assert.equal(textWidth("é"), 1);
  assert.equal(textWidth("e\u0301"), 1);
  assert.equal(textWidth("日本"), 4);
  assert.equal(textWidth("😀"), 2);
  assert.equal(textWidth("\u001b[31mred\u001b[39m"), 3);
});

test("columns are as wide as their widest text, and empty ones are left out", () => {
  const rows = [
    { name: "日本", size: "5", note: "" },
    { name: "a", size: "1234", note: "" },
  ];
  const lines = layOutTable(
    [
      { heading: "name", text: (row: (typeof rows)[number]) => row.name },
      { heading: "note", text: (row) => row.note },
      { heading: "size", align: "right", text: (row) => row.size },
    ],
    rows,
  );
  assert.deepEqual(lines, ["name  size", "日本     5", "a     1234"]);
});

test("no rows, no lines", () => {
  assert.deepEqual(layOutTable([{ text: String }], []), []);
});

test("what is fitted is never wider than asked", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.nat(20), (text, width) => {
      const printable = text.replace(/\p{Cc}/gu, "");
      assert.ok(textWidth(fitToWidth(printable, width)) <= width);
      assert.ok(textWidth(padToWidth(printable, width, "right")) >= width);
    }),
  );
});

test("wrapped lines hold every word in order, and none is wider than asked unless a word is", () => {
  const words = fc.array(fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 12 }), { minLength: 1 });
  fc.assert(
    fc.property(words, fc.integer({ min: 1, max: 30 }), (list, width) => {
      const lines = wrapText(list.join(" "), width);
      assert.deepEqual(lines.join(" ").split(" "), list);
      for (const line of lines) assert.ok(line.length <= width || !line.includes(" "));
    }),
  );
});
