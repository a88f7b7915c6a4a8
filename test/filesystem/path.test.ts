import assert from "node:assert/strict";
import { before, test } from "node:test";
import { resolvePath, type FileSystem } from "../../src/filesystem/index.ts";
import { memoryFileSystem } from "./memory-file-system.ts";

let fileSystem: FileSystem;

before(async () => {
  fileSystem = await memoryFileSystem(
    "etc/",
    "etc/passwd: root",
    "usr/",
    "usr/bin/",
    "usr/bin/sh: shell",
    "bin -> usr/bin",
    "usr/up -> ../etc/passwd",
    "usr/out -> ../../../../etc/passwd",
    "absolute -> /etc/passwd",
    "usr/back -> /usr/../etc/./passwd",
    "circle -> circle",
    "nowhere -> /no/such/place",
    ...Array.from({ length: 41 }, (_, n) => `chain-${n} -> ${n === 0 ? "etc/passwd" : `chain-${n - 1}`}`),
  );
});

const passwd = ["etc/passwd", "/etc/passwd", "//etc/./passwd", "usr/../etc/passwd", "../../etc/passwd"];
const linked = ["usr/up", "usr/out", "absolute", "usr/back", "chain-0", "chain-39"];

for (const path of [...passwd, ...linked]) {
  test(`"${path}" leads to /etc/passwd`, async () => {
    assert.equal(await resolvePath(fileSystem, path), await resolvePath(fileSystem, "etc/passwd"));
  });
}

for (const path of ["", "/", ".", "..", "usr/..", "/usr/bin/../../"]) {
  test(`"${path}" leads to the root`, async () => {
    assert.equal(await resolvePath(fileSystem, path), fileSystem.rootId);
  });
}

test("a link in the middle is followed in any case, one at the end on request", async () => {
  assert.equal(await resolvePath(fileSystem, "bin/sh"), await resolvePath(fileSystem, "usr/bin/sh"));
  const link = await fileSystem.find(fileSystem.rootId, "bin");
  assert.equal(await resolvePath(fileSystem, "bin", { followLast: false }), link);
  assert.equal(await resolvePath(fileSystem, "bin/", { followLast: false }), await resolvePath(fileSystem, "usr/bin"));
});

const failures: readonly (readonly [path: string, message: string])[] = [
  ["/etc/x", 'cannot find "/etc/x": "/etc" has no "x"'],
  ["x", 'cannot find "x": "/" has no "x"'],
  ["etc/passwd/x", 'cannot find "etc/passwd/x": "/etc/passwd" is not a directory'],
  ["etc/passwd/", 'cannot find "etc/passwd/": "/etc/passwd" is not a directory'],
  ["nowhere", 'cannot find "nowhere": "/" has no "no"'],
  ["circle", 'cannot find "circle": it leads through more than 40 symbolic links'],
  ["chain-40", 'cannot find "chain-40": it leads through more than 40 symbolic links'],
  ["a\nb", 'cannot find "a\\x0ab": "/" has no "a\\x0ab"'],
];

for (const [path, message] of failures) {
  test(`"${path.replace("\n", "\\n")}" is not found, and why`, async () => {
    await assert.rejects(resolvePath(fileSystem, path), { name: "Failure", code: "not-found", message });
  });
}
