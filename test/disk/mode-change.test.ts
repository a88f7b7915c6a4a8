import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import * as fc from "fast-check";
import { parseModeChange } from "../../src/disk/index.ts";
import { temporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "../peers/peer.ts";

const octal = (mode: number): string => mode.toString(8).padStart(4, "0");

const cases: readonly (readonly [text: string, before: string, file: string, directory: string])[] = [
  ["644", "7777", "0644", "6644"],
  ["0644", "7777", "0644", "6644"],
  ["00644", "7777", "0644", "0644"],
  ["7777", "0000", "7777", "7777"],
  ["u+x,g-w,o=", "0666", "0740", "0740"],
  ["a=rX", "0600", "0444", "0555"],
  ["a=rX", "0700", "0555", "0555"],
  ["go=u", "0750", "0777", "0777"],
  ["+t", "0755", "1755", "1755"],
  ["u+s,g+s", "0755", "6755", "6755"],
  ["+w", "0444", "0644", "0644"],
  ["=", "4755", "0000", "4000"],
  ["u=rwx,u-s", "4755", "0755", "0755"],
];

for (const [text, before, file, directory] of cases) {
  test(`${text} makes of ${before} ${file}, of a directory ${directory}`, () => {
    const change = parseModeChange(text);
    assert.equal(octal(change.apply(Number.parseInt(before, 8), false)), file);
    assert.equal(octal(change.apply(Number.parseInt(before, 8), true)), directory);
    assert.equal(change.text, text);
  });
}

for (const text of ["", "8", "10000", "u", "u+q", "u+x,", "x+u", "u+ug", "u=7", "a+x g+x"]) {
  test(`"${text}" is no mode`, () => {
    assert.throws(() => parseModeChange(text), { name: "Failure", code: "usage" });
  });
}

const permissions = fc.oneof(
  fc.constantFrom("u", "g", "o"),
  fc.string({ unit: fc.constantFrom("r", "w", "x", "X", "s", "t"), maxLength: 4 }),
);
const action = fc.tuple(fc.constantFrom("+", "-", "="), permissions).map((parts) => parts.join(""));
const clause = fc.oneof(
  fc
    .tuple(
      fc.string({ unit: fc.constantFrom("u", "g", "o", "a"), maxLength: 3 }),
      fc.array(action, { minLength: 1, maxLength: 3 }),
    )
    .map(([who, actions]) => who + actions.join("")),
  fc.tuple(fc.constantFrom("+", "-", "="), fc.nat(0o7777)).map(([operator, mode]) => operator + mode.toString(8)),
);
const symbolic = fc.array(clause, { minLength: 1, maxLength: 3 }).map((clauses) => clauses.join(","));
const numeric = fc
  .tuple(fc.nat(0o7777), fc.integer({ min: 1, max: 6 }))
  .map(([mode, width]) => mode.toString(8).padStart(width, "0"));

test("any mode does what chmod(1) makes of it", { skip: skipWithout("chmod") }, async () => {
  await using folder = temporaryFolder();
  const file = folder.join("file");
  const directory = folder.join("directory");
  fs.writeFileSync(file, "");
  fs.mkdirSync(directory);
  const ofChmod = (path: string, before: number, text: string): number => {
    fs.chmodSync(path, before);
    // A lone -w says that the umask kept it from taking all, with status 1.
    runPeer("sh", ["-c", 'umask 022; chmod -- "$1" "$2" 2>/dev/null; true', "sh", text, path]);
    return fs.statSync(path).mode & 0o7777;
  };
  fc.assert(
    fc.property(fc.oneof(symbolic, numeric), fc.nat(0o7777), (text, before) => {
      const change = parseModeChange(text);
      assert.equal(octal(change.apply(before, false)), octal(ofChmod(file, before, text)));
      assert.equal(octal(change.apply(before, true)), octal(ofChmod(directory, before, text)));
    }),
    { numRuns: 400 },
  );
});
