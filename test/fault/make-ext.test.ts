import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { Failure } from "../../src/base/index.ts";
import { MemoryDevice, type BlockDevice } from "../../src/device/index.ts";
import { createDisk } from "../../src/disk/index.ts";
import { plainDisk } from "../disk/plain-disk.ts";
import { makeExt } from "../../src/filesystem/ext/index.ts";
import type { TreeEntry, TreeSource } from "../../src/tree/index.ts";
import { temporaryFolder } from "../temp.ts";

/** A device whose nth write, and every one after it, fails. */
function failingFrom(nth: number, inner: BlockDevice): BlockDevice & { readonly writes: number } {
  let writes = 0;
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    writes++;
    if (writes >= nth) throw new Failure("failed", `write ${nth} failed`);
    await work();
  };
  return {
    sizeBytes: inner.sizeBytes,
    get writes() {
      return writes;
    },
    read: (at, into) => inner.read(at, into),
    write: (at, from) => attempt(() => inner.write(at, from)),
    zero: (at, length) => inner.zero(at, length),
    flush: () => inner.flush(),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  };
}

const modified = { seconds: 1_700_000_000, nanoseconds: 0 };

function sampleTree(): TreeSource {
  const metadata = { mode: 0o755, uid: 0, gid: 0, modified };
  function* entries(): Generator<TreeEntry> {
    yield { ...metadata, path: "d", kind: "directory", sizeBytes: 0 };
    for (let n = 0; n < 40; n++) {
      const bytes = Buffer.alloc(n * 20_000, n);
      yield { ...metadata, path: `d/${n}`, kind: "file", sizeBytes: bytes.length, content: [{ at: 0, bytes }] };
    }
    // Replaces one: its blocks are read back and given away again.
    yield { ...metadata, path: "d/30", kind: "fifo", sizeBytes: 0 };
  }
  return {
    name: "sample",
    async *entries() {
      for (const entry of entries()) yield [entry];
    },
    async [Symbol.asyncDispose]() {},
  };
}

test("whichever write fails, making says so, and nothing is left to fail unheard", async () => {
  const unheard: unknown[] = [];
  const listen = (reason: unknown): void => void unheard.push(reason);
  process.on("unhandledRejection", listen);
  try {
    let isDone = false;
    for (let nth = 1; !isDone; nth++) {
      assert.ok(nth < 500, "it never ends");
      const device = failingFrom(nth, new MemoryDevice(new Uint8Array(48 * 2 ** 20)));
      try {
        await makeExt(device, [sampleTree()], { kind: "ext4", now: modified });
        isDone = true;
        assert.equal(device.writes, nth - 1);
      } catch (error) {
        assert.ok(error instanceof Failure && error.message === `write ${nth} failed`, String(error));
      }
      await new Promise(setImmediate);
    }
    assert.deepEqual(unheard, []);
  } finally {
    process.off("unhandledRejection", listen);
  }
});

test("a disk that is given up leaves nothing behind", async () => {
  await using folder = temporaryFolder();
  const tree = folder.join("tree");
  fs.mkdirSync(tree);
  for (let n = 0; n < 50; n++) fs.writeFileSync(`${tree}/${n}`, Buffer.alloc(100_000, n));
  const request = {
    ...plainDisk,
    path: folder.join("disk"),
    sizeBytes: 64 * 2 ** 20,
    table: "gpt",
    from: [tree],
  } as const;
  const stop = new AbortController();
  const onProgress = (): void => stop.abort();
  await assert.rejects(createDisk(request, { signal: stop.signal, onProgress }), { code: "interrupted" });
  assert.deepEqual(fs.readdirSync(folder.path), ["tree"]);
  fs.mkdirSync(`${tree}/${"deep/".repeat(3)}`, { recursive: true });
  fs.writeFileSync(`${tree}/deep/large`, Buffer.alloc(70 * 2 ** 20));
  await assert.rejects(createDisk(request), { code: "no-space" });
  assert.deepEqual(fs.readdirSync(folder.path), ["tree"]);
});
