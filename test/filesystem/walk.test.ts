import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { MemoryDevice } from "../../src/device/index.ts";
import { makeExt } from "../../src/filesystem/ext/index.ts";
import { openFileSystem, probe, treeOf } from "../../src/filesystem/index.ts";
import type { TreeEntry } from "../../src/tree/index.ts";
import { hashOf } from "./file-facts.ts";
import { memoryFileSystem } from "./memory-file-system.ts";
import { contentOf, randomTree, sourceOf } from "./random-tree.ts";

async function entriesOf(fileSystem: Parameters<typeof treeOf>[0], path: string): Promise<TreeEntry[]> {
  const entries: TreeEntry[] = [];
  for await (const batch of treeOf(fileSystem, path).entries()) {
    for (const entry of batch) {
      if (entry.kind !== "hardlink" && entry.content !== undefined) await hashOf(entry); // takes what is streamed
      entries.push(entry);
    }
  }
  return entries;
}

test("a tree comes in order, each directory before what it holds, with second names as links", async () => {
  const fileSystem = await memoryFileSystem("b/", "b/z: 1", "b/a: 22", "a: 333", "b/y = a", "c -> b", "b-: 4");
  const lines = (await entriesOf(fileSystem, "/")).map((entry) => {
    return `${entry.path} ${entry.kind} ${entry.kind === "hardlink" ? entry.linkTarget : entry.sizeBytes}`;
  });
  assert.deepEqual(lines, [
    " directory 0",
    "a file 3",
    "b directory 0",
    "b/a file 2",
    "b/y hardlink a",
    "b/z file 1",
    "b- file 1",
    "c symlink 0",
    "lost+found directory 0",
  ]);
});

test("a tree may start anywhere, at a file too", async () => {
  const fileSystem = await memoryFileSystem("b/", "b/c/", "b/c/d: text", "link -> b");
  assert.deepEqual(
    (await entriesOf(fileSystem, "b/c")).map(({ path }) => path),
    ["", "d"],
  );
  assert.deepEqual(
    (await entriesOf(fileSystem, "link")).map(({ path }) => path),
    ["", "c", "c/d"],
  );
  const [file] = await entriesOf(fileSystem, "b/c/d");
  assert.equal(file?.path, "");
  assert.ok(file.kind === "file" && file.sizeBytes === 4);
});

test("what one reads is what was put in, whatever it is", async () => {
  const cases = fc.tuple(
    randomTree(25),
    fc.constantFrom("ext2" as const, "ext3" as const, "ext4" as const),
    fc.constantFrom(1024, 4096),
  );
  await fc.assert(
    fc.asyncProperty(cases, async ([tree, kind, blockSizeBytes]) => {
      const device = new MemoryDevice(new Uint8Array(32 * 1024 * 1024));
      await makeExt(device, [sourceOf(tree)], {
        kind,
        blockSizeBytes,
        now: { seconds: 1, nanoseconds: 0 },
      });
      assert.equal(await probe(device), "ext");
      const fileSystem = await openFileSystem(device);
      const found = new Map<string, { readonly entry: TreeEntry; readonly hash: string }>();
      for await (const batch of treeOf(fileSystem, "/").entries()) {
        for (const entry of batch)
          found.set(entry.path, { entry, hash: entry.kind === "file" ? await hashOf(entry) : "" });
      }
      for (const expected of tree.entries) {
        const there = found.get(expected.path);
        assert.ok(there !== undefined, expected.path);
        if (expected.kind === "hardlink" || there.entry.kind === "hardlink") continue;
        const { entry } = there;
        assert.deepEqual(
          [entry.kind, entry.mode, entry.uid, entry.gid],
          [expected.kind, expected.mode, expected.uid, expected.gid],
        );
        assert.equal(entry.linkTarget, expected.linkTarget);
        assert.deepEqual({ ...entry.device }, { ...expected.device });
        assert.deepEqual(new Map(entry.xattrs ?? []), toBytes(expected.xattrs));
        if (expected.kind === "file") {
          const content = contentOf(expected);
          const whole = { ...entry, content: [{ at: 0, bytes: content }] };
          assert.equal(there.hash, await hashOf(whole), expected.path);
        }
      }
      for await (const problem of fileSystem.check()) assert.fail(problem.message);
    }),
    { numRuns: 60 },
  );
});

function toBytes(xattrs: ReadonlyMap<string, Uint8Array> | undefined): Map<string, Uint8Array> {
  return new Map([...(xattrs ?? [])].map(([name, value]) => [name, Uint8Array.from(value)]));
}
