import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { FileReader, SliceReader } from "../../src/device/index.ts";
import { createDisk } from "../../src/disk/index.ts";
import { plainDisk } from "../disk/plain-disk.ts";
import { openExt } from "../../src/filesystem/ext/index.ts";
import { fillMounted, skipWithoutMount, whileMounted } from "../filesystem/ext/mounted.ts";
import { factsOf, factsOfFolder, type FileFacts } from "../filesystem/file-facts.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

/*
 * What we make, seen by the kernel: every field of every file equal to what it was made from.
 */

const partitionAt = 1024 * 1024;
async function makeDisk(image: string, kind: string, blockSizeBytes: number, source: string): Promise<void> {
  const partition = { active: false, from: [source], fileSystem: { kind, blockSizeBytes } };
  const { warnings } = await createDisk({
    ...plainDisk,
    force: true,
    path: image,
    sizeBytes: 400e6,
    partitions: [partition],
  });
  assert.deepEqual(warnings, []);
}

function assertSame(there: Map<string, FileFacts>, expected: Map<string, FileFacts>): void {
  const names = (facts: Map<string, FileFacts>) => [...facts.keys()].filter((name) => name !== "lost+found").toSorted();
  assert.deepEqual(names(there), names(expected));
  for (const [name, facts] of expected) {
    // A folder's own size is its file system's matter.
    const comparable = (one: FileFacts | undefined) => (one?.kind === "directory" ? { ...one, sizeBytes: 0 } : one);
    assert.deepEqual(comparable(there.get(name)), comparable(facts), name);
  }
}

/** A tree of everything that a kernel can put into a folder. */
async function sampleTree(folder: TemporaryFolder): Promise<string> {
  const image = folder.join("sample");
  const tree = folder.join("tree");
  fs.writeFileSync(image, "");
  fs.truncateSync(image, 300_000_000);
  runPeer("mke2fs", ["-q", "-t", "ext4", "-F", image]);
  await whileMounted(image, folder.join("mnt"), "rw", async () => {
    await fillMounted(folder.join("mnt"));
    fs.rmSync(folder.join("mnt", "lost+found"), { recursive: true });
    runPeer("cp", ["-a", `${folder.join("mnt")}/.`, tree]);
  });
  return tree;
}

test(
  "the kernel sees every file of a folder as it was",
  {
    skip: skipWithoutMount() || skipWithout("e2fsck"),
  },
  async () => {
    await using folder = temporaryFolder();
    const tree = await sampleTree(folder);
    const expected = factsOfFolder(tree);
    for (const kind of ["ext2", "ext3", "ext4"]) {
      for (const blockSizeBytes of [1024, 2048, 4096]) {
        const image = folder.join("disk");
        await makeDisk(image, kind, blockSizeBytes, tree);
        await assertPartition(image, folder, expected);
      }
    }
  },
);

/** e2fsck, the kernel and our reader agree that the first partition holds these files. */
async function assertPartition(
  image: string,
  folder: TemporaryFolder,
  expected: Map<string, FileFacts>,
): Promise<void> {
  const said = runPeer("e2fsck", ["-fn", `${image}?offset=${partitionAt}`]);
  const complaints = said.split("\n").filter((line) => line !== "" && !/^Pass \d|: \d+\/\d+ files/.test(line));
  assert.deepEqual(complaints, []);
  const mountPoint = folder.join("check");
  await whileMounted(image, mountPoint, `ro,offset=${partitionAt}`, async () => {
    assertSame(factsOfFolder(mountPoint), expected);
  });
  await using reader = await FileReader.open(image);
  const slice = new SliceReader(reader, partitionAt, reader.sizeBytes - partitionAt);
  await using fileSystem = await openExt(slice);
  assertSame(await factsOf(fileSystem), expected);
}

/** A tree of Debian's essential packages, as root; undefined where there is no network. */
function minbase(folder: string): string | undefined {
  const tree = path.join(folder, "minbase");
  try {
    runPeer("debootstrap", ["--variant=minbase", "bookworm", tree]);
  } catch {
    return undefined;
  }
  return tree;
}

test(
  "a Debian minbase tree as tar comes out the same in ext2, ext3 and ext4 of each block size",
  {
    skip: skipWithoutMount() || skipWithout("e2fsck", "debootstrap", "tar"),
  },
  async (t) => {
    await using folder = temporaryFolder();
    const tree = minbase(folder.path);
    if (tree === undefined) {
      t.skip("debootstrap found no mirror");
      return;
    }
    const tar = folder.join("minbase.tar");
    runPeer("tar", ["--xattrs", "--acls", "--format=pax", "--numeric-owner", "-C", tree, "-cf", tar, "."]);
    const expected = factsOfFolder(tree);
    for (const kind of ["ext2", "ext3", "ext4"]) {
      for (const blockSizeBytes of [1024, 2048, 4096]) {
        const image = folder.join("disk");
        await makeDisk(image, kind, blockSizeBytes, tar);
        await assertPartition(image, folder, expected);
        // GNU tar's own comparison, for it knows nothing of our ways.
        await whileMounted(image, folder.join("check"), `ro,offset=${partitionAt}`, async () => {
          runPeer("tar", ["--compare", "--xattrs", "--acls", "--numeric-owner", "-C", folder.join("check"), "-f", tar]);
        });
      }
    }
  },
);
