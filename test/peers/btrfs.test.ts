/** What a kernel puts on btrfs is read as the kernel reads it, and what is said to be in use is all that there is. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import { test } from "node:test";
import { promisify } from "node:util";
import { FileReader } from "../../src/device/index.ts";
import { openFileSystem, resolvePath } from "../../src/filesystem/index.ts";
import { save } from "../backup/sample-disk.ts";
import { fillBtrfs, skipWithoutBtrfsMount } from "../filesystem/btrfs/sample-btrfs.ts";
import { whileMounted } from "../filesystem/ext/mounted.ts";
import { factsOf, factsOfFolder, type FileFacts } from "../filesystem/file-facts.ts";
import { makeBlank } from "../filesystem/recognise/recognised-file.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { copyUsed } from "./copy-used.ts";
import { runPeer, skipWithout } from "./peer.ts";

const run = promisify(execFile);
const skip = skipWithout("mkfs.btrfs", "btrfs", "partclone.chkimg", "zstd") || skipWithoutBtrfsMount();

interface Kind {
  readonly sizeMiB: number;
  readonly make: string;
  readonly mount: string;
  readonly byPartclone?: true;
  /** What btrfstune changes before it is first mounted. */
  readonly tune?: string;
  /** The subvolume that is to be mounted where none is named. */
  readonly byDefault?: string;
}

const kinds: readonly Kind[] = [
  { sizeMiB: 160, make: "-L label", mount: "compress-force=zlib", byPartclone: true },
  { sizeMiB: 160, make: "--csum xxhash -n 4096 -m raid0 -d raid0", mount: "compress-force=zstd", tune: "-m" },
  { sizeMiB: 160, make: "--csum sha256 -n 32768", mount: "compress-force=lzo" },
  { sizeMiB: 200, make: "--csum blake2 -n 65536 -m single -d dup", mount: "noatime" },
  { sizeMiB: 120, make: "--mixed -n 4096", mount: "compress=lzo,subvolid=5", byDefault: "home/inner" },
  {
    sizeMiB: 160,
    make: "-O ^no-holes,^skinny-metadata,^extref -R ^free-space-tree,quota",
    mount: "space_cache=v1,nodatacow",
  },
];

for (const { sizeMiB, make, mount, byPartclone = false, tune, byDefault } of kinds) {
  test(`btrfs ${make}, ${mount}`, { skip }, async () => {
    await using folder = temporaryFolder();
    const image = folder.join("image");
    makeBlank(image, sizeMiB);
    runPeer("mkfs.btrfs", ["-q", ...make.split(" "), image]);
    if (tune !== undefined) runPeer("btrfstune", ["-f", tune, image]);
    let wanted: ReadonlyMap<string, FileFacts> = new Map();
    await whileMounted(image, folder.join("mounted"), mount, async () => {
      await fillBtrfs(folder.join("mounted"));
      wanted = factsOfFolder(folder.join("mounted"));
      if (byDefault === undefined) return;
      runPeer("btrfs", ["subvolume", "set-default", folder.join("mounted", byDefault)]);
    });
    await using reader = await FileReader.open(image);
    await using fileSystem = await openFileSystem(reader);
    assert.deepEqual(await Array.fromAsync(fileSystem.check()), []);
    assertSame(await factsOf(fileSystem), wanted);
    for (const [path, { kind }] of wanted) {
      if (kind !== "symlink" && !path.includes("indexed/")) await resolvePath(fileSystem, path);
    }
    const notes = byDefault === undefined ? [] : [`mounted by default is the subvolume "${byDefault}"`];
    assert.deepEqual(fileSystem.info.notes, notes);
    const restored = byPartclone ? await saveAndRestore(image, folder) : folder.join("restored");
    if (!byPartclone) await copyUsed(fileSystem, reader, restored);
    fs.rmSync(image);
    runPeer("btrfs", ["check", "--readonly", "--check-data-csum", restored]);
    await whileMounted(restored, folder.join("mounted"), mount, async () => {
      const said = runPeer("btrfs", ["scrub", "start", "-B", folder.join("mounted")]);
      assert.match(said, /no errors found/);
      assertSame(factsOfFolder(folder.join("mounted")), wanted);
    });
  });
}

function assertSame(found: ReadonlyMap<string, FileFacts>, wanted: ReadonlyMap<string, FileFacts>): void {
  assert.deepEqual([...found.keys()].toSorted(), [...wanted.keys()].toSorted());
  for (const [path, facts] of found) {
    // A name of a subvolume that is elsewhere stands for a directory which the kernel makes up, with the time it is.
    const isMadeUp = /^before\/(home|before)$|of-home\/inner$/.test(path);
    const told = wanted.get(path)!;
    const madeUp = { modified: facts.modified, firstPath: facts.firstPath };
    assert.deepEqual(facts, isMadeUp ? { ...told, ...madeUp } : told, path);
  }
}

/** What is saved, as partclone restores it. */
async function saveAndRestore(image: string, folder: TemporaryFolder): Promise<string> {
  const saved = await save(image, folder.join("home"), { name: "saved", disk: "sda" });
  assert.deepEqual(
    [saved.warnings, saved.parts.map(({ type, saved: how }) => [type, how])],
    [[], [["btrfs", "image"]]],
  );
  const packed = folder.join("packed");
  runPeer("sh", ["-c", `zstd -dc ${saved.path}/sda.btrfs-ptcl-img.zst.aa > ${packed}`]);
  const quiet = ["-L", "/dev/null", "-s", packed];
  await run("/usr/sbin/partclone.chkimg", quiet, { maxBuffer: 2 ** 26 });
  const restored = folder.join("restored");
  fs.writeFileSync(restored, Buffer.alloc(fs.statSync(image).size, 0xa5));
  await run("/usr/sbin/partclone.restore", [...quiet, "-O", restored], { maxBuffer: 2 ** 26 });
  return restored;
}
