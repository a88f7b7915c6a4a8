import assert from "node:assert/strict";
import test from "node:test";
import { findBreaches, findCycles } from "../../check/house.ts";

/** The breaches of a house of these files, over a sound foundation. */
function breachesOf(files: Readonly<Record<string, string>>): readonly string[] {
  const foundation = {
    "base/index.ts": `export { Failure } from "./failure.ts";`,
    "base/failure.ts": `export class Failure extends Error {}`,
    "bytes/index.ts": `import { Failure } from "../base/index.ts"; export const a = Failure;`,
    "disk/index.ts": `export const disk = 1;`,
  };
  return findBreaches(new Map(Object.entries({ ...foundation, ...files })));
}

test("imports that go down, or stay in their layer, are fine", () => {
  assert.deepEqual(breachesOf({}), []);
  assert.deepEqual(
    breachesOf({
      "cli/main.ts": `import "node:fs"; import { show } from "./disk/show.ts"; import "../console/index.ts"; show();`,
      "cli/disk/show.ts": `import { disk } from "../../disk/index.ts"; import type { Words } from "../words.ts"; export const show = disk;`,
      "cli/words.ts": `export interface Words {}`,
      "console/index.ts": `import "../mail/index.ts"; import "../backup/index.ts";`,
      "key/index.ts": `import "../disk/index.ts";`,
      "backup/index.ts": `import "../disk/index.ts"; import "koffi";`,
      "mail/index.ts": `export * from "./imap/index.ts"; import "../bytes/index.ts";`,
      "mail/imap/index.ts": `import "../../base/index.ts";`,
      "filesystem/file-system.ts": `export interface FileSystem {}`,
      "filesystem/index.ts": `export { open } from "./ext/index.ts"; export type { FileSystem } from "./file-system.ts";`,
      "filesystem/ext/index.ts": `import type { FileSystem } from "../file-system.ts"; export const open = {} as FileSystem;`,
    }),
    [],
  );
});

const violations: readonly (readonly [what: string, file: string, text: string, breach: string])[] = [
  ["going up", "base/clock.ts", `import "../disk/index.ts";`, "base does not stand on disk"],
  ["going up for a type", "base/clock.ts", `import type { D } from "../disk/index.ts";`, "base does not stand on disk"],
  [
    "going up in a type's text",
    "base/clock.ts",
    `type D = import("../disk/index.ts").D;`,
    "base does not stand on disk",
  ],
  ["going up while running", "base/clock.ts", `await import("../disk/index.ts");`, "base does not stand on disk"],
  ["going up to export", "base/clock.ts", `export * from "../disk/index.ts";`, "base does not stand on disk"],
  ["mail using disks", "mail/store.ts", `import "../disk/index.ts";`, "mail uses only bytes, base"],
  ["disks using mail", "disk/post.ts", `import "../mail/index.ts";`, "disk does not stand on mail"],
  ["a neighbour", "key/make.ts", `import "../backup/index.ts";`, "key does not stand on backup"],
  ["passing an index", "disk/make.ts", `import "../base/failure.ts";`, "reaches into base/ past its index.ts"],
  ["a layer nobody knows", "utils/list.ts", `import "../base/index.ts";`, `"utils" is not in the table of layers`],
  ["using tests", "disk/make.ts", `import "../../test/temp.ts";`, "there is no such file in src/"],
  ["a file that is not there", "disk/make.ts", `import "./gone.ts";`, "there is no such file in src/"],
];

for (const [what, file, text, breach] of violations) {
  test(`a breach is named: ${what}`, () => {
    const found = breachesOf({ [file]: `\n${text}`, "mail/index.ts": "", "backup/index.ts": "" });
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0]!, new RegExp(`^src/${file}:2: imports `));
    assert.ok(found[0]!.endsWith(`: ${breach}`), found[0]);
  });
}

test("a folder of a layer speaks through its index to its siblings", () => {
  const ext = { "filesystem/ext/index.ts": "", "filesystem/ext/inode.ts": "" };
  const [breach, ...others] = breachesOf({ ...ext, "filesystem/fat/make.ts": `import "../ext/inode.ts";` });
  assert.match(breach ?? "", /reaches into filesystem\/ext\/ past its index\.ts$/);
  assert.deepEqual(others, []);
});

test("files that import each other are found, however far around", () => {
  const found = breachesOf({ "disk/a.ts": `import "./b.ts";`, "disk/b.ts": `export * from "./a.ts";` });
  assert.deepEqual(found, ["src/disk/a.ts → disk/b.ts → disk/a.ts: files that import each other"]);
  assert.deepEqual(
    findCycles(
      new Map([
        ["a", ["b", "c"]],
        ["b", ["c"]],
        ["c", ["d"]],
        ["d", []],
      ]),
    ),
    [],
  );
  assert.deepEqual(findCycles(new Map([["a", ["a"]]])), [["a", "a"]]);
});

test("a type, or a module loaded later, closes no cycle", () => {
  const later = `import type { A } from "./a.ts"; export const load = () => import("./a.ts");`;
  assert.deepEqual(breachesOf({ "disk/a.ts": `import "./b.ts";`, "disk/b.ts": later }), []);
});
