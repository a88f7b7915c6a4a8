/** Where the first copy of what tells of a file system is damaged or gone, the second one tells the same. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { makeBlank, recogniseFile } from "../filesystem/recognise/recognised-file.ts";
import { temporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

/** A byte that is changed, or a stretch that becomes zeros, and what is then told. */
interface Damage {
  readonly at: number;
  readonly zeroBytes?: number;
  readonly severity?: "warning";
  readonly message: string;
}

interface Kind {
  readonly program: string;
  readonly sizeMiB: number;
  readonly options: readonly string[];
  readonly damages: readonly Damage[];
}

const kinds: readonly Kind[] = [
  {
    program: "mkfs.btrfs",
    sizeMiB: 120,
    options: ["-q", "-L", "label"],
    damages: [
      { at: 65_536 + 300, message: "the checksum of the btrfs superblock does not match: a mirror is used" },
      { at: 65_536, zeroBytes: 4096, message: "the btrfs superblock is gone: a mirror is used" },
    ],
  },
  {
    program: "mkfs.f2fs",
    sizeMiB: 60,
    options: ["-q", "-l", "label", "-O", "extra_attr,sb_checksum"],
    damages: [
      { at: 1024 + 130, message: "the f2fs superblock is damaged: the second one is used" },
      { at: 1024, zeroBytes: 512, message: "the f2fs superblock is gone: the second one is used" },
      { at: 4096 + 1024 + 130, severity: "warning", message: "the second f2fs superblock is damaged" },
    ],
  },
];

for (const { program, sizeMiB, options, damages } of kinds) {
  test(`${program} ${options.join(" ")}: by its second copy`, { skip: skipWithout(program) }, async () => {
    await using folder = temporaryFolder();
    const image = folder.join("image");
    for (const { at, zeroBytes, severity = "error", message } of damages) {
      makeBlank(image, sizeMiB);
      runPeer(program, [...options, image], { stdio: ["ignore", "pipe", "ignore"] });
      const whole = await recogniseFile(image);
      assert.deepEqual(whole.problems, []);
      const file = fs.openSync(image, "r+");
      const bytes = Buffer.alloc(zeroBytes ?? 1);
      if (zeroBytes === undefined) fs.readSync(file, bytes, 0, 1, at);
      if (zeroBytes === undefined) bytes[0]! ^= 0x55;
      fs.writeSync(file, bytes, 0, bytes.length, at);
      fs.closeSync(file);
      const torn = await recogniseFile(image);
      assert.deepEqual(torn.problems, [{ severity, message }]);
      assert.deepEqual({ ...torn, problems: [] }, whole, message);
    }
  });
}

test("a file system whose image was cut short says so", { skip: skipWithout("mkfs.f2fs") }, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("image");
  makeBlank(image, 100);
  runPeer("mkfs.f2fs", ["-q", image]);
  fs.truncateSync(image, 60 * 2 ** 20);
  const { problems, sizeBytes } = await recogniseFile(image);
  assert.equal(sizeBytes, 100 * 2 ** 20);
  assert.deepEqual(problems, [
    { severity: "error", message: `the f2fs takes ${100 * 2 ** 20} bytes, its device ends at ${60 * 2 ** 20}` },
  ]);
});
