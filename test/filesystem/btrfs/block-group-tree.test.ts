/** Block groups in a tree of their own: the mkfs.btrfs of this Debian cannot make it, so it is made of the tree of free space. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { MemoryDevice } from "../../../src/device/index.ts";
import { ids, itemTypes, type Key } from "../../../src/filesystem/btrfs/key.ts";
import { TreeNode } from "../../../src/filesystem/btrfs/node.ts";
import { blockGroup, leafItem, nodeHeader } from "../../../src/filesystem/btrfs/records.ts";
import { btrfsSuperblock, superblockPlaces } from "../../../src/filesystem/btrfs/superblock.ts";
import { openFileSystem, type FileSystem } from "../../../src/filesystem/index.ts";
import { skipWithout } from "../../peers/peer.ts";
import { temporaryFolder } from "../../temp.ts";
import { madeBtrfs, nodePlaces, sampleFolder, seal } from "./made-btrfs.ts";

const nodeBytes = 4096;

/** The leaves of a tree that were written last, and where they are. */
function newestLeaves(bytes: Uint8Array, tree: number): TreeNode[] {
  const nodes = nodePlaces(bytes).map((at) => new TreeNode(bytes.subarray(at, at + nodeBytes)));
  const own = nodes.filter(({ owner, level }) => owner === tree && level === 0);
  const newest = Math.max(...own.map(({ generation }) => generation));
  return own.filter(({ generation }) => generation === newest);
}

interface Group {
  readonly key: Key;
  readonly data: Uint8Array;
}

function groupsOf(bytes: Uint8Array): Group[] {
  const found = new Map<number, Group>();
  for (const leaf of newestLeaves(bytes, ids.extentTree)) {
    for (let n = 0; n < leaf.count; n++) {
      if (leaf.type(n) === itemTypes.blockGroup)
        found.set(leaf.id(n), { key: leaf.key(n), data: leaf.data(n).slice() });
    }
  }
  return [...found.values()].toSorted((a, b) => a.key.id - b.key.id);
}

/** Makes the tree of free space into one of block groups. */
function convert(bytes: Uint8Array, groups: readonly Group[]): void {
  for (const at of nodePlaces(bytes)) {
    const raw = bytes.subarray(at, at + nodeBytes);
    const node = new TreeNode(raw);
    if (node.level === 0 && node.owner === ids.rootTree) {
      for (let n = 0; n < node.count; n++) {
        const key = node.key(n);
        if (key.id !== ids.freeSpaceTree || key.type !== itemTypes.rootItem) continue;
        leafItem.patch(raw, { key: { ...key, id: ids.blockGroupTree } }, nodeHeader.sizeBytes + n * leafItem.sizeBytes);
      }
    } else if (node.owner === ids.freeSpaceTree) {
      nodeHeader.patch(raw, { owner: ids.blockGroupTree, itemCount: groups.length });
      let dataAt = nodeBytes - nodeHeader.sizeBytes;
      for (const [n, { key, data }] of groups.entries()) {
        dataAt -= data.length;
        raw.set(data, nodeHeader.sizeBytes + dataAt);
        leafItem.patch(raw, { key, dataAt, dataBytes: data.length }, nodeHeader.sizeBytes + n * leafItem.sizeBytes);
      }
    } else continue;
    seal(raw);
  }
  const superblock = bytes.subarray(superblockPlaces[0], superblockPlaces[0] + btrfsSuperblock.sizeBytes);
  btrfsSuperblock.patch(superblock, { readOnlyCompatible: 8n });
  seal(superblock);
}

async function opened(bytes: Uint8Array): Promise<FileSystem> {
  return await openFileSystem(new MemoryDevice(bytes));
}

test("block groups are found in their own tree", { skip: skipWithout("mkfs.btrfs") }, async () => {
  await using folder = temporaryFolder();
  const whole = fs.readFileSync(madeBtrfs(folder, sampleFolder(folder), 32, "--mixed -n 4096"));
  await using before = await opened(Uint8Array.from(whole));
  const groups = groupsOf(whole);
  assert.ok(groups.length >= 2);
  const bytes = Uint8Array.from(whole);
  convert(bytes, groups);
  await using after = await opened(bytes);
  assert.ok(after.info.features.includes("block-group-tree"));
  assert.deepEqual(await Array.fromAsync(after.check()), []);
  assert.deepEqual(await Array.fromAsync(after.usedExtents()), await Array.fromAsync(before.usedExtents()));
  const wrong = groups.map((group, n) => {
    return n === 1
      ? { ...group, data: blockGroup.encode({ ...blockGroup.decode(group.data), usedBytes: 8192 }) }
      : group;
  });
  const other = Uint8Array.from(whole);
  convert(other, wrong);
  await using torn = await opened(other);
  const problems = await Array.fromAsync(torn.check());
  assert.ok(problems.some(({ message }) => /^the block group of the chunk \d+ says that 8192 bytes/.test(message)));
});
