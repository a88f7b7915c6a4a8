import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { test } from "node:test";
import { decodeName } from "../../src/bytes/index.ts";
import { listingText, modeText, sideBySide } from "../../src/cli/disk/listing-text.ts";
import { plain } from "../../src/cli/output.ts";
import type { ListItem } from "../../src/disk/index.ts";
import { temporaryFolder } from "../temp.ts";

const pipe = { isTerminal: false, columns: 80, style: plain };
const terminal = { isTerminal: true, columns: 80, style: plain };

function item(values: Partial<ListItem>): ListItem {
  return {
    name: "file",
    id: 12,
    kind: "file",
    mode: 0o644,
    links: 1,
    uid: 0,
    gid: 0,
    sizeBytes: 0,
    allocatedBytes: 0,
    modified: { seconds: 1_700_000_000, nanoseconds: 5 },
    hasXattrs: false,
    ...values,
  };
}

function listing(
  items: readonly ListItem[],
  options: { isLong?: boolean; isRecursive?: boolean; output?: typeof pipe },
) {
  const folder = { path: "/etc", isFolder: true, items, problems: [] };
  return listingText(folder, { isLong: false, isRecursive: false, output: pipe, ...options });
}

test("the mode is spelled as ls spells it", async () => {
  await using folder = temporaryFolder();
  const file = folder.join("file");
  fs.writeFileSync(file, "");
  for (const mode of [0, 0o777, 0o644, 0o4755, 0o4644, 0o2750, 0o2640, 0o1777, 0o1666, 0o7000, 0o7111]) {
    fs.chmodSync(file, mode);
    const spelled = execFileSync("ls", ["-ld", file], { encoding: "utf8" }).slice(0, 10);
    assert.equal(modeText("file", mode), spelled);
  }
  assert.equal(modeText("directory", 0o1777), "drwxrwxrwt");
  assert.equal(modeText("symlink", 0o777), "lrwxrwxrwx");
});

test("the long form has a column for everything", () => {
  process.env["TZ"] = "Asia/Tokyo"; // makes no difference
  const items = [
    item({ name: "passwd", sizeBytes: 1234 }),
    item({ name: "tty", kind: "character", mode: 0o666, gid: 5, device: { major: 5, minor: 0 } }),
    item({ name: "sh", kind: "symlink", mode: 0o777, sizeBytes: 4, linkTarget: "dash" }),
    item({ name: "ping", mode: 0o4755, hasXattrs: true, links: 12, uid: 1000, sizeBytes: 99 }),
  ];
  assert.equal(
    listing(items, { isLong: true }),
    `
-rw-r--r--   1    0 0 1234 2023-11-14 22:13 passwd
crw-rw-rw-   1    0 5 5, 0 2023-11-14 22:13 tty
lrwxrwxrwx   1    0 0    4 2023-11-14 22:13 sh -> dash
-rwsr-xr-x+ 12 1000 0   99 2023-11-14 22:13 ping
`.trimStart(),
  );
});

for (const [seconds, spelled] of [
  [-1, "1969-12-31 23:59"],
  [253_402_300_800, "+010000-01-01 00:00"],
  [2 ** 53, "@9007199254740992"],
] as const) {
  test(`the time ${seconds} is spelled ${spelled}`, () => {
    const listed = listing([item({ modified: { seconds, nanoseconds: 0 } })], { isLong: true });
    assert.equal(listed, `-rw-r--r-- 1 0 0 0 ${spelled} file\n`);
  });
}

test("a listing of many folders is headed by their paths", () => {
  assert.equal(listing([item({ name: "a" })], { isRecursive: true }), "/etc:\na\n");
});

test("names are safe on a terminal and exact in a pipe", () => {
  const raw = Buffer.from([0x61, 0xff, 0x1b, 0x62]);
  const items = [item({ name: decodeName(raw) })];
  assert.equal(listing(items, { output: terminal }), "a\\xff\\x1bb\n");
  assert.deepEqual(listing(items, {}), Buffer.concat([raw, Buffer.from("\n")]));
});

test("on a terminal names stand side by side, read downwards", () => {
  assert.deepEqual(sideBySide(["aa", "b", "c", "d", "e"], 10), ["aa  c   e", "b   d"]);
  assert.deepEqual(sideBySide(["longer than that"], 5), ["longer than that"]);
  assert.deepEqual(sideBySide([], 80), []);
});
