import assert from "node:assert/strict";
import { test } from "node:test";
import { blake2b256, Xxhash32, xxhash64 } from "../../src/bytes/index.ts";
import { runPeer, skipWithout } from "../peers/peer.ts";

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
