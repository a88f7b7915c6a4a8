import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SerialText } from "../../../src/disk/machine/index.ts";

function read(...pieces: readonly (string | Uint8Array)[]): SerialText {
  const text = new SerialText();
  for (const piece of pieces) text.add(typeof piece === "string" ? Buffer.from(piece) : piece);
  return text;
}

test("a text is found across pieces, colours and cursor movements", () => {
  assert.ok(read("Debian GNU/Linux 12 vm ttyS0\r\n\r\nvm lo", "gin: ").has("login:"));
  assert.ok(read("\u001B[1;32mlog\u001B[0", "min\u001B[Kx").has("loginx"));
  assert.ok(read("\u001B]0;window\u0007log\u001B(Bin:").has("login:"), "window titles, character sets");
  assert.ok(!read("log\nin:").has("login:"), "a line end is not nothing");
  assert.ok(!read("window \u001B]0;login:").has("login:"), "an unfinished title is not text");
});

test("letters of several bytes come whole, bytes that are none do no harm", () => {
  const bytes = Buffer.from("grün ✓");
  assert.ok(read(...Array.from(bytes, (byte) => Uint8Array.of(byte))).has("grün ✓"));
  assert.ok(read(Uint8Array.of(0xff, 0xfe, 0), "after").has("after"));
});

test("the last line is the last with something in it", () => {
  assert.equal(read("one\r\n  two \r\n\r\n").lastLine, "two");
  assert.equal(read("").lastLine, "");
});

test("however it is cut into pieces, the same is seen", () => {
  const parts = fc.constantFrom(
    "text ",
    "login: ",
    "\r\n",
    "\u001B[2J",
    "\u001B[01;01H",
    "\u001B]2;t\u001B\\",
    "ü",
    "\0",
  );
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 40 }), fc.array(fc.nat(300), { maxLength: 20 }), (words, cuts) => {
      const all = Buffer.from(words.join(""));
      const ends = [...cuts.map((cut) => Math.min(cut, all.length)), all.length].toSorted((a, b) => a - b);
      const pieces = ends.map((end, n) => all.subarray(ends[n - 1] ?? 0, end));
      assert.equal(read(...pieces).lastLine, read(all).lastLine);
      assert.equal(read(...pieces).has("login:"), words.includes("login: "));
    }),
  );
});

test("what never ends is not kept for ever", () => {
  const text = read("\u001B]0;");
  for (let n = 0; n < 100; n++) text.add(Buffer.alloc(1000, "x"));
  text.add(Buffer.from("\u0007 login:"));
  assert.ok(text.has("login:"));
});
