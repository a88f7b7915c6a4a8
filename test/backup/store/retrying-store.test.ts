/** A connection that is lost now and then. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { ConnectionLost } from "../../../src/backup/store/connection-lost.ts";
import { openStore, WrappedStore, type BackupStore, type StoredItem } from "../../../src/backup/store/index.ts";
import { RetryingStore } from "../../../src/backup/store/retrying-store.ts";
import { readBytes, SliceReader, type BlockReader } from "../../../src/device/index.ts";
import { temporaryFolder } from "../../temp.ts";

const folder = temporaryFolder();

after(() => folder[Symbol.asyncDispose]());

/** Loses its connection as often as told before something succeeds; a file that was open then has to be opened again. */
class LosingStore extends WrappedStore {
  losses = 0;
  calls = 0;

  lose(): void {
    this.calls++;
    if (this.losses-- > 0) throw new ConnectionLost("cannot go on: the connection was lost");
  }

  override async list(path: string): Promise<readonly StoredItem[]> {
    this.lose();
    return super.list(path);
  }

  override async put(path: string, bytes: Uint8Array): Promise<void> {
    this.lose();
    return super.put(path, bytes);
  }

  override async open(path: string): Promise<BlockReader> {
    const reader = await super.open(path);
    const lose = (): void => this.lose();
    return new (class extends SliceReader {
      override async read(at: number, into: Uint8Array): Promise<void> {
        lose();
        await super.read(at, into);
      }
    })(reader, 0, reader.sizeBytes);
  }
}

async function stores(): Promise<{ readonly losing: LosingStore; readonly store: BackupStore }> {
  const losing = new LosingStore(await openStore(folder.path, { env: {} }));
  return { losing, store: new RetryingStore(losing, [1, 1, 1]) };
}

test("what reads goes on after as many losses as there are waits, and not after more", async () => {
  const { losing, store } = await stores();
  await store.put("file", Buffer.from("0123456789"));
  losing.losses = 3;
  assert.deepEqual(
    (await store.list("")).map(({ name }) => name),
    ["file"],
  );
  losing.losses = 4;
  await assert.rejects(store.list(""), ConnectionLost);
  losing.losses = 0;
  await using reader = await store.open("file");
  losing.losses = 3;
  assert.equal(Buffer.from(await readBytes(reader, 2, 3)).toString(), "234");
  losing.losses = 2;
  const reads = [0, 3, 6].map((at) => readBytes(reader, at, 3));
  assert.deepEqual(
    (await Promise.all(reads)).map((bytes) => Buffer.from(bytes).toString()),
    ["012", "345", "678"],
  );
  losing.losses = 5;
  await assert.rejects(readBytes(reader, 0, 1), ConnectionLost);
});

test("a file that has changed since is not read on", async () => {
  const { losing, store } = await stores();
  await store.put("changing", Buffer.from("first"));
  await using reader = await store.open("changing");
  await store.remove("changing");
  await store.put("changing", Buffer.from("longer than first"));
  losing.losses = 1;
  await assert.rejects(readBytes(reader, 0, 1), /it has changed meanwhile/);
});

test("what writes is tried once", async () => {
  const { losing, store } = await stores();
  losing.losses = 1;
  losing.calls = 0;
  await assert.rejects(store.put("other", Buffer.from("x")), ConnectionLost);
  assert.equal(losing.calls, 1);
});
