import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { hashName, hashVersion } from "../../src/filesystem/ext/directory-hash.ts";
import { runPeer, skipWithout } from "./peer.ts";

const words = {
  legacy: "legacy",
  halfMd4: "half_md4",
  tea: "tea",
  legacyUnsigned: "HASHALG_3",
  halfMd4Unsigned: "HASHALG_4",
  teaUnsigned: "HASHALG_5",
} as const;

const names = fc.array(fc.stringMatching(/^[a-z0-9é日ü_.][a-z0-9é日ü_.-]{0,80}$/u), { minLength: 60, maxLength: 60 });
const seeds = fc.uuid();

for (const [version, word] of Object.entries(words) as [keyof typeof words, string][]) {
  test(`${version} is as debugfs has it`, { skip: skipWithout("debugfs") }, () => {
    fc.assert(
      fc.property(names, seeds, (list, seed) => {
        const raw = Buffer.from(seed.replaceAll("-", ""), "hex");
        const seedWords = [0, 4, 8, 12].map((at) => raw.readUInt32LE(at));
        const commands = list.map((name) => `dx_hash -h ${word} -s ${seed} ${name}\n`).join("");
        const said = [
          ...runPeer("debugfs", ["-f", "-"], { input: commands }).matchAll(/ is (0x\w+) \(minor (0x\w+)\)/g),
        ];
        const ours = list.map((name) => hashName(Buffer.from(name), hashVersion[version], seedWords));
        assert.deepEqual(
          ours,
          said.map(([, major, minor]) => ({ major: Number(major), minor: Number(minor) })),
        );
      }),
      { numRuns: 10 },
    );
  });
}
