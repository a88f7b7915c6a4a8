import assert from "node:assert/strict";
import { test } from "node:test";
import { hashName, hashVersion } from "../../../src/filesystem/ext/directory-hash.ts";

const noSeed = [0, 0, 0, 0];
/** The UUID 6b1bd8a1-1c2d-4f3e-8a9b-0c1d2e3f4a5b as four little-endian words. */
const seed = [0xa1d81b6b, 0x3e4f2d1c, 0x1d0c9b8a, 0x5b4a3f2e].map((word) => word >>> 0);

/** What `debugfs -R "dx_hash -h VERSION -s SEED NAME"` of e2fsprogs 1.47.0 says. */
const vectors: readonly (readonly [
  name: string,
  version: keyof typeof hashVersion,
  seed: readonly number[],
  major: number,
  minor: number,
])[] = [
  ["a", "legacy", noSeed, 0xe74b53e2, 0],
  ["a", "halfMd4", noSeed, 0xd5fa7d7a, 0xacb48187],
  ["a", "halfMd4", seed, 0x254ccb2a, 0xa1473b8c],
  ["a", "tea", noSeed, 0x6d0ea4c0, 0xc18922df],
  ["a", "tea", seed, 0x9cee4354, 0x159d73e5],
  ["hello", "legacy", noSeed, 0x32252546, 0],
  ["hello", "halfMd4", seed, 0xdc2d73ee, 0x66400dfb],
  ["hello", "tea", seed, 0x51d56976, 0xfbc60ba7],
  ["ünïcödé", "legacy", seed, 0x225a136c, 0],
  ["ünïcödé", "halfMd4", seed, 0x6c0f8a8a, 0x90bb3e45],
  ["ünïcödé", "tea", seed, 0x1433a7a6, 0x89644261],
  ["x".repeat(40), "legacy", seed, 0x382d277e, 0],
  ["x".repeat(40), "halfMd4", seed, 0x5506ff16, 0x957e55d5],
  ["x".repeat(40), "tea", seed, 0xcfe62cdc, 0x7bb7badb],
  ["a name of exactly thirty-two chrs", "halfMd4", seed, 0xda72aea2, 0xe5e7a04f],
  ["a name of exactly thirty-two chrs", "tea", seed, 0x779dd386, 0xfb280a20],
];

for (const [name, version, words, major, minor] of vectors) {
  test(`${version} of "${name}"${words === seed ? " with a seed" : ""}`, () => {
    assert.deepEqual(hashName(Buffer.from(name), hashVersion[version], words), { major, minor });
  });
}

test("a hash that needs a key is not known", () => {
  assert.equal(hashName(Buffer.from("a"), hashVersion.sipHash, noSeed), undefined);
});
