/** XFS that is not read, or not as it stands: what is said of it, and what becomes of it in a backup. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { readFile, showDisk } from "../../src/disk/index.ts";
import { checksumOf } from "../../src/filesystem/xfs/checksum.ts";
import { xfsSuperblock } from "../../src/filesystem/xfs/records.ts";
import { save } from "../backup/sample-disk.ts";
import { makeXfs, problemsOf, usingXfs } from "../filesystem/xfs/xfs-image.ts";
import { temporaryFolder } from "../temp.ts";
import { skipWithout } from "./peer.ts";

const skip = skipWithout("mkfs.xfs");
const mib = 2 ** 20;

/** Changes the first superblock, with a checksum that is right. */
function patch(image: string, values: Parameters<typeof xfsSuperblock.patch>[1]): void {
  const bytes = fs.readFileSync(image);
  const sector = bytes.subarray(0, 512);
  xfsSuperblock.patch(sector, values);
  xfsSuperblock.patch(sector, { checksum: checksumOf(sector, 224) });
  fs.writeFileSync(image, bytes);
}

for (const [name, options, change, why] of [
  [
    "a feature that came later",
    "",
    { incompatible: 0x10b },
    /^it is xfs, and it has features that are not known: metadir$/,
  ],
  ["one that has no name yet", "", { incompatible: 0x4000000b }, /features that are not known: 0x40000000$/],
  ["a mark for repair", "", { incompatible: 0x1b }, /it is marked for xfs_repair$/],
  ["what was being made", "", { inProgress: 1 }, /it was not made to its end$/],
  ["a log elsewhere", "-l logdev=LOG,size=10m", undefined, /its log is on another device$/],
  ["files elsewhere", "-m reflink=0 -r rtdev=LOG", undefined, /it has a realtime device$/],
] as const) {
  test(`XFS with ${name} is told, and saved whole`, { skip }, async () => {
    await using folder = temporaryFolder();
    const [image, log] = [folder.join("image"), folder.join("log")];
    fs.writeFileSync(log, "");
    fs.truncateSync(log, 20 * mib);
    makeXfs(image, 32, `-L label ${options.replace("LOG", log)}`);
    if (change !== undefined) patch(image, change);
    await assert.rejects(readFile({ image, path: "/" }).next(), (error: Error) => {
      assert.match(error.message.replace(/^.*": /, ""), why);
      return true;
    });
    const { fileSystem } = await showDisk(image);
    assert.deepEqual([fileSystem?.kind, fileSystem?.label, fileSystem?.isOnlyRecognised], ["xfs", "label", true]);
    const notes = [...(fileSystem?.notes ?? []), ...(fileSystem?.problems ?? []).map(({ message }) => message)];
    assert.equal(notes.length, 1, notes.join());
    const saved = await save(image, folder.join("home"));
    assert.deepEqual(
      saved.parts.map(({ type, saved: how, usedBytes }) => [type, how, usedBytes]),
      [["xfs", "whole", 32 * mib]],
    );
  });
}

for (const groups of [2, 8]) {
  test(`of a torn superblock one of ${groups - 1} copies is used, and the check says so`, { skip }, async () => {
    await using folder = temporaryFolder();
    const image = folder.join("image");
    makeXfs(image, 160, `-L label -d agcount=${groups}`);
    const bytes = fs.readFileSync(image);
    bytes[110]! ^= 0x55;
    fs.writeFileSync(image, bytes);
    const message = "the checksum of the XFS superblock does not match: a copy is used";
    await usingXfs(image, async (fileSystem) => {
      assert.deepEqual([fileSystem.info.label, fileSystem.info.notes], ["label", [message]]);
      assert.deepEqual(await problemsOf(fileSystem), [`error: ${message}`]);
    });
    await assert.rejects(save(image, folder.join("home")), {
      code: "damaged",
      message: /checksum of the XFS superblock/,
    });
  });
}

test("an image that was cut short is looked into, checked with an error and not saved", { skip }, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("image");
  makeXfs(image, 64, "");
  fs.truncateSync(image, 40 * mib);
  await usingXfs(image, async (fileSystem) => {
    const message = `the file system takes ${64 * mib} bytes, its device ends at ${40 * mib}`;
    assert.ok(fileSystem.info.notes.includes(message));
    assert.ok((await problemsOf(fileSystem)).includes(`error: ${message}`));
  });
  await assert.rejects(save(image, folder.join("home")), { code: "damaged", message: /the file system is cut off/ });
});
