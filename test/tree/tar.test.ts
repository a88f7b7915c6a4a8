import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { Failure } from "../../src/base/index.ts";
import type { FileEntry, TreeEntry } from "../../src/tree/index.ts";
import { randomTree, sourceOf } from "../filesystem/random-tree.ts";
import { entriesOf, expectedOf, readerOver, readWhole, tarOf } from "./tar-tree.ts";

const plain: Omit<FileEntry, "path"> = {
  kind: "file",
  mode: 0o644,
  uid: 0,
  gid: 0,
  modified: { seconds: 1_700_000_000, nanoseconds: 0 },
  sizeBytes: 0,
};

test("what was written comes back, whatever the chunks are", async () => {
  const chunkSizes = fc.constantFrom(200, 511, 512, 700, 4096, 65536, 4 * 1024 * 1024);
  await fc.assert(
    fc.asyncProperty(randomTree(20), chunkSizes, async (tree, chunkBytes) => {
      const bytes = await tarOf(entriesOf(sourceOf(tree)));
      assert.equal(bytes.length % 10240, 0);
      assert.deepEqual(await readWhole(readerOver(bytes, chunkBytes)), expectedOf(tree));
    }),
    { numRuns: 40 },
  );
});

test("the same tree gives the same bytes, whether its content is streamed or not", async () => {
  const tree = fc.sample(randomTree(30), { numRuns: 1, seed: 7 })[0]!;
  const once = await tarOf(entriesOf(sourceOf(tree, 7)));
  assert.ok(once.equals(await tarOf(entriesOf(sourceOf(tree, 2)))));
});

test("long and odd names, large numbers, times before 1970 and binary attributes survive", async () => {
  const acl = Buffer.from(
    "0200000001000600ffffffff02000400e803000004000400ffffffff10000600ffffffff20000400ffffffff",
    "hex",
  );
  const entries: TreeEntry[] = [
    { ...plain, path: "", kind: "directory", mode: 0o1777 },
    { ...plain, path: "a".repeat(100) },
    { ...plain, path: "b".repeat(101) },
    { ...plain, path: `${"p".repeat(150)}/${"q".repeat(99)}`, kind: "directory" },
    { ...plain, path: "x/".repeat(2000) + "y" },
    { ...plain, path: `byte\udcff${"z".repeat(120)}`, uid: 4_000_000_000, gid: 2_097_152 },
    { ...plain, path: "line\nend = %3D", modified: { seconds: -2, nanoseconds: 999_999_999 } },
    { ...plain, path: "future", modified: { seconds: 2 ** 34, nanoseconds: 1 } },
    { ...plain, path: "link", kind: "symlink", linkTarget: "../".repeat(60) + "ü" },
    { path: "hard", kind: "hardlink", linkTarget: "b".repeat(101) },
    { ...plain, path: "null", kind: "character", device: { major: 1, minor: 1_048_575 } },
    {
      ...plain,
      path: "attributes",
      mode: 0o664, // as the ACL has it
      accessed: { seconds: -1, nanoseconds: 5 },
      changed: { seconds: 7, nanoseconds: 70_000_000 },
      xattrs: new Map([
        ["security.capability", Uint8Array.from([0, 10, 61, 255, 10, 128])],
        ["system.posix_acl_access", Uint8Array.from(acl)],
        ["user.100%=%3D", Uint8Array.of(1)],
        ["user.empty", new Uint8Array(0)],
      ]),
    },
  ];
  const bytes = await tarOf(entries);
  const wanted = entries.map((entry) => {
    return entry.kind === "hardlink" ? entry : { ...entry, whole: entry.kind === "file" ? Buffer.alloc(0) : undefined };
  });
  assert.deepEqual(await readWhole(readerOver(bytes)), wanted);
  assert.deepEqual(await readWhole(readerOver(bytes, 1)), wanted);
});

test("holes stay holes, and content of 8 GiB and more has its size", async () => {
  const sizeBytes = 20 * 1024 ** 3;
  const pieces = [{ at: 12 * 1024 ** 3, bytes: Buffer.from("middle") }];
  const bytes = await tarOf([
    { ...plain, path: "sparse", sizeBytes, content: [{ at: pieces[0]!.at, bytes: new Uint8Array(pieces[0]!.bytes) }] },
    { ...plain, path: "after" },
  ]);
  assert.ok(bytes.length <= 10240);
  const read: TreeEntry[] = [];
  for await (const entry of entriesOf(readerOver(bytes, bytes.length))) read.push(structuredClone(entry));
  assert.deepEqual(read, [
    { ...plain, path: "sparse", sizeBytes, content: [{ at: pieces[0]!.at, bytes: new Uint8Array(pieces[0]!.bytes) }] },
    { ...plain, path: "after" },
  ]);
});

test("the holes of what is streamed are known before, and go on into another tar", async () => {
  const content = [0, 4_000_000, 9_000_000].map((at) => ({ at, bytes: Buffer.alloc(300_000, at / 1e6 + 1) }));
  const bytes = await tarOf([{ ...plain, path: "sparse", sizeBytes: 10_000_000, content }]);
  assert.ok(bytes.length < 1_000_000);
  assert.ok((await tarOf(entriesOf(readerOver(bytes)))).equals(bytes));
});

test("content that the consumer gives up is passed by", async () => {
  const content = [{ at: 0, bytes: Buffer.alloc(700_000, 1) }];
  const bytes = await tarOf(["a", "b", "c"].map((path) => ({ ...plain, path, sizeBytes: 700_000, content })));
  const paths: string[] = [];
  for await (const entry of entriesOf(readerOver(bytes))) {
    paths.push(entry.path);
    if (entry.kind === "hardlink" || entry.path === "a") continue;
    for await (const piece of entry.content!) {
      assert.equal(piece.bytes[0], 1);
      if (entry.path === "b") break;
    }
  }
  assert.deepEqual(paths, ["a", "b", "c"]);
});

test("a socket is left out with a warning, and so are its other names", async () => {
  const entries: TreeEntry[] = [
    { ...plain, path: "run/socket", kind: "socket" },
    { path: "other", kind: "hardlink", linkTarget: "run/socket" },
  ];
  assert.deepEqual(await readWhole(readerOver(await tarOf(entries))), []);
});

test("paths are made plain, and those that lead out are refused", async () => {
  const pathOf = async (path: string): Promise<string | undefined> => {
    return (await readWhole(readerOver(await tarOf([{ ...plain, path }]))))[0]?.path;
  };
  assert.equal(await pathOf("/etc/passwd"), "etc/passwd");
  assert.equal(await pathOf("././a//b/./c"), "a/b/c");
  assert.equal(await pathOf("..a/...b/c.."), "..a/...b/c..");
  for (const path of ["..", "../a", "a/../../b", "a/..", "./.."]) {
    await assert.rejects(pathOf(path), (error) => error instanceof Failure && error.code === "refused");
  }
});

test("content out of place is refused by the writer", async () => {
  const bytes = Buffer.alloc(1000);
  const wrong: FileEntry[] = [
    { ...plain, path: "a", sizeBytes: 1001, content: [{ at: 2, bytes }] },
    {
      ...plain,
      path: "a",
      sizeBytes: 2000,
      content: [
        { at: 1000, bytes },
        { at: 0, bytes },
      ],
    },
    { ...plain, path: "a", sizeBytes: 9000, content: [{ at: 0, bytes }], stretches: [{ at: 1, lengthBytes: 1000 }] },
    { ...plain, path: "a", sizeBytes: 9000, content: [{ at: 0, bytes }], stretches: [{ at: 0, lengthBytes: 1001 }] },
    { ...plain, path: "a", sizeBytes: 9000, content: [{ at: 0, bytes }], stretches: [{ at: 0, lengthBytes: 999 }] },
  ];
  for (const entry of wrong) await assert.rejects(tarOf([entry]), Failure);
});
