import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { blake2b256, Xxhash3, Xxhash32, Xxhash64, xxhash64 } from "../../src/bytes/index.ts";
import { runPeer, skipWithout } from "../peers/peer.ts";
import { temporaryFolder } from "../temp.ts";

test("XXH64 is that of its specification", () => {
  assert.equal(xxhash64(new Uint8Array(0)), 0xef46db3751d8e999n);
  assert.equal(xxhash64(Buffer.from("abc")), 0x44bc2cf5ad770999n);
  assert.equal(xxhash64(Buffer.from("Nobody inspects the spammish repetition")), 0xfbcea83c8a378bf1n);
});

test("XXH32 is that of its specification, however the bytes are cut", () => {
  const hashOf = (text: string, pieceBytes: number): number => {
    const [bytes, hash] = [Buffer.from(text), new Xxhash32()];
    for (let at = 0; at < bytes.length; at += pieceBytes) hash.update(bytes.subarray(at, at + pieceBytes));
    return hash.digest();
  };
  for (const pieceBytes of [1, 5, 16, 17, 100]) {
    assert.equal(hashOf("", pieceBytes), 0x02cc5d05);
    assert.equal(hashOf("abc", pieceBytes), 0x32d153ff);
    assert.equal(hashOf("Nobody inspects the spammish repetition", pieceBytes), 0xe2293b2f);
  }
});

test("BLAKE2b-256 is what b2sum makes of every length around a block's", { skip: skipWithout("b2sum") }, () => {
  for (const length of [0, 1, 3, 127, 128, 129, 255, 256, 257, 4064]) {
    const bytes = Buffer.from(Array.from({ length }, (_, n) => (n * 7) & 0xff));
    const [wanted] = runPeer("b2sum", ["-l", "256"], { input: bytes }).split(" ");
    assert.equal(Buffer.from(blake2b256(bytes)).toString("hex"), wanted, `${length} bytes`);
  }
});

test("XXH3-128 is what xxhsum makes, however the bytes are cut", { skip: skipWithout("xxhsum") }, async () => {
  await using folder = temporaryFolder();
  const all = Buffer.from(Array.from({ length: 100_000 }, (_, n) => (n * 7 + (n >> 8) * 3) & 0xff));
  for (const length of [241, 256, 257, 1024, 1025, 1088, 5000, 65_537, 100_000]) {
    const file = folder.join("bytes");
    fs.writeFileSync(file, all.subarray(0, length));
    const [wanted] = runPeer("xxhsum", ["-H2", file]).split(" ");
    for (const pieceBytes of [length, 1, 63, 64, 1000]) {
      const hash = new Xxhash3();
      for (let at = 0; at < length; at += pieceBytes) hash.update(all.subarray(at, Math.min(length, at + pieceBytes)));
      const { low, high } = hash.digest();
      assert.equal(((high << 64n) | low).toString(16).padStart(32, "0"), wanted, `${length} bytes in ${pieceBytes}`);
    }
  }
});

test("XXH64 in pieces is that of the whole", () => {
  const all = Buffer.from(Array.from({ length: 1000 }, (_, n) => (n * 7) & 0xff));
  for (const pieceBytes of [1, 31, 32, 33, 500]) {
    const hash = new Xxhash64();
    for (let at = 0; at < all.length; at += pieceBytes) hash.update(all.subarray(at, at + pieceBytes));
    assert.equal(hash.digest(), xxhash64(all));
  }
});
