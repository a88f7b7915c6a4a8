/** What every store promises, whatever is behind it. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import {
  openStore,
  readChunks,
  SubStore,
  type BackupStore,
  type StoreAccess,
} from "../../../src/backup/store/index.ts";
import { Failure, type FailureCode } from "../../../src/base/index.ts";
import { readBytes } from "../../../src/device/index.ts";

/** A kind of store, each time with a place of its own in which there is nothing yet. */
export interface StoreKind {
  readonly kind: string;
  readonly skip?: string | false;
  /** The word for a new place. */
  readonly newPlace: () => Promise<string>;
  readonly access: () => StoreAccess;
}

const mib = 2 ** 20;

function failsAs(code: FailureCode, ...about: readonly string[]): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.code, code, error.message);
    for (const words of about) assert.ok(error.message.includes(words), `${error.message} names ${words}`);
    return true;
  };
}

/** Bytes that tell where they are. */
function countedBytes(lengthBytes: number): Buffer {
  const bytes = Buffer.alloc(lengthBytes);
  for (let at = 0; at + 4 <= lengthBytes; at += 4) bytes.writeUInt32LE(at, at);
  return bytes;
}

async function write(store: BackupStore, path: string, bytes: Uint8Array, pieceBytes = bytes.length): Promise<void> {
  await using writer = await store.create(path);
  const piece = Buffer.alloc(pieceBytes); // filled again as soon as it may be
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const part = bytes.subarray(at, at + pieceBytes);
    piece.set(part);
    await writer.write(piece.subarray(0, part.length));
    piece.fill(0xee);
  }
  await writer.commit();
}

async function contentOf(store: BackupStore, path: string): Promise<Buffer> {
  await using reader = await store.open(path);
  return Buffer.from(await readBytes(reader, 0, reader.sizeBytes));
}

async function namesIn(store: BackupStore, folder: string): Promise<string[]> {
  const items = await store.list(folder);
  return items
    .map(({ name, kind }) => (kind === "folder" ? `${name}/` : name))
    .filter((name) => name !== "lost+found/");
}

export function testStore({ kind, skip = false, newPlace, access }: StoreKind): void {
  const open = async (): Promise<BackupStore> => openStore(await newPlace(), access());
  const check = (what: string, work: (store: BackupStore) => Promise<void>): void => {
    test(`${kind}: ${what}`, { skip }, async () => {
      await using store = await open();
      await work(store);
    });
  };

  check("what was written is listed and read, by whoever opens it next", async () => {
    const place = await newPlace();
    const bytes = countedBytes(3 * mib + 5);
    const before = Date.now();
    {
      await using store = await openStore(place, access());
      await store.makeFolder("one/two");
      await write(store, "one/two/large", bytes, 700_001);
      await write(store, "one/two/empty", new Uint8Array(0));
      await store.put("one/two/small", Buffer.from("few"));
      await store.put("one/two/Größe 1 #%&+.txt", Buffer.from("Größe"));
      await store.flush("one/two");
    }
    await using store = await openStore(place, access());
    assert.deepEqual(await namesIn(store, ""), ["one/"]);
    assert.deepEqual(await namesIn(store, "one"), ["two/"]);
    assert.deepEqual(await namesIn(store, "one/two"), ["Größe 1 #%&+.txt", "empty", "large", "small"]);
    const large = (await store.list("one/two")).find(({ name }) => name === "large");
    assert.equal(large?.sizeBytes, bytes.length);
    assert.ok(Math.abs((large?.modifiedMs ?? 0) - before) < 10 * 60_000, "the time is about now");
    assert.deepEqual(await store.find("one/two/large"), large);
    assert.equal((await store.find("one/two"))?.kind, "folder");
    assert.equal(await store.find("one/none"), undefined);
    assert.equal(await store.find("none/none"), undefined);
    assert.ok((await contentOf(store, "one/two/large")).equals(bytes));
    assert.equal((await contentOf(store, "one/two/empty")).length, 0);
    assert.equal((await contentOf(store, "one/two/Größe 1 #%&+.txt")).toString(), "Größe");
  });

  check("a file is read anywhere, several reads at a time, and not past its end", async (store) => {
    const bytes = countedBytes(2 * mib + 100);
    await store.makeFolder("f");
    await write(store, "f/file", bytes);
    await using reader = await store.open("f/file");
    assert.equal(reader.sizeBytes, bytes.length);
    const places = [
      [0, 1],
      [mib - 3, 7],
      [1, 2 * mib],
      [bytes.length - 5, 5],
      [bytes.length, 0],
      [70_000, 300_000],
    ] as const;
    await Promise.all(
      places.map(async ([at, length]) => {
        assert.ok(bytes.subarray(at, at + length).equals(await readBytes(reader, at, length)), `${length} at ${at}`);
      }),
    );
    await assert.rejects(readBytes(reader, bytes.length - 4, 5), failsAs("damaged"));
    const hash = createHash("sha1");
    for await (const chunk of readChunks(reader, 300_000)) hash.update(chunk);
    assert.equal(hash.digest("hex"), createHash("sha1").update(bytes).digest("hex"));
  });

  check("a file that is not finished does not appear", async (store) => {
    await store.makeFolder("f");
    {
      await using writer = await store.create("f/file");
      await writer.write(countedBytes(mib));
      assert.equal(await store.find("f/file"), undefined);
    }
    assert.deepEqual(await namesIn(store, "f"), []);
    await write(store, "f/file", Buffer.from("again"));
    assert.equal((await contentOf(store, "f/file")).toString(), "again");
  });

  check("nothing that is there is replaced", async (store) => {
    await store.makeFolder("f");
    await store.put("f/small", Buffer.from("first"));
    await assert.rejects(store.put("f/small", Buffer.from("second")), failsAs("exists", "small"));
    await assert.rejects(write(store, "f/small", Buffer.from("third")), failsAs("exists", "small"));
    await assert.rejects(store.makeFolder("f"), failsAs("exists", "f"));
    assert.equal((await contentOf(store, "f/small")).toString(), "first");
  });

  check("what is not there is named", async (store) => {
    await assert.rejects(store.list("none"), failsAs("not-found", store.name, "none"));
    await assert.rejects(store.open("none/file"), failsAs("not-found", "none/file"));
    await store.remove("none");
  });

  check("a backup appears under its name at once, and the unfinished one is gone", async (store) => {
    await store.makeFolder("b.part");
    await store.put("b.part/parts", Buffer.from("sda1\n"));
    await write(store, "b.part/data", countedBytes(1000));
    await store.flush("b.part");
    assert.deepEqual(await namesIn(store, ""), ["b.part/"]);
    assert.equal(await store.find("b"), undefined);
    assert.deepEqual(await namesIn(store, "b.part"), ["data", "parts"]);
    assert.equal((await contentOf(store, "b.part/parts")).toString(), "sda1\n");
    await store.rename("b.part", "b");
    assert.deepEqual(await namesIn(store, ""), ["b/"]);
    assert.equal(await store.find("b.part"), undefined);
    assert.deepEqual(await namesIn(store, "b"), ["data", "parts"]);
    const again = async (): Promise<void> => {
      await store.makeFolder("b.part");
      await store.put("b.part/parts", Buffer.from("other\n"));
      await store.rename("b.part", "b");
    };
    await assert.rejects(again(), failsAs("exists", "b"));
    assert.equal((await contentOf(store, "b/parts")).toString(), "sda1\n");
  });

  check("a folder is removed with all in it, and nothing beside it", async (store) => {
    await store.makeFolder("gone.part/inner");
    await store.makeFolder("gone-2");
    await store.put("gone.part/inner/file", Buffer.from("1"));
    await store.put("gone.part/file", Buffer.from("2"));
    await store.put("gone-2/file", Buffer.from("3"));
    await store.remove("gone.part");
    assert.deepEqual(await namesIn(store, ""), ["gone-2/"]);
    await store.remove("gone-2/file");
    assert.equal(await store.find("gone-2/file"), undefined);
  });

  check("a folder of it is a store too", async (store) => {
    await store.makeFolder("deep/er");
    const inner = new SubStore(store, "deep/er");
    await inner.makeFolder("x.part");
    await inner.put("x.part/file", Buffer.from("1"));
    await inner.rename("x.part", "x");
    assert.deepEqual(await namesIn(store, "deep/er/x"), ["file"]);
    assert.ok(inner.name.endsWith("deep/er"));
    await assert.rejects(inner.open("y"), failsAs("not-found", "deep/er/y"));
  });

  check("the room that is left is told, or not known", async (store) => {
    const free = await store.freeBytes();
    assert.ok(free === undefined || (Number.isSafeInteger(free) && free > 0), `${free}`);
  });
}
