/**
 * Every profile, on the devices that it needs: laid end to end, with the stripes moved to where they then are, they are read as one
 * device is, and what is said to be in use is enough for all of them.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { FileReader, type BlockReader } from "../../src/device/index.ts";
import { BtrfsFileSystem } from "../../src/filesystem/btrfs/btrfs-file-system.ts";
import { ChunkMap, decodeChunk, decodeSystemChunks, type Chunk } from "../../src/filesystem/btrfs/chunk-map.ts";
import { ids, itemTypes } from "../../src/filesystem/btrfs/key.ts";
import { BtrfsSource } from "../../src/filesystem/btrfs/source.ts";
import { Subvolumes } from "../../src/filesystem/btrfs/subvolumes.ts";
import { soundSuperblock, superblockPlaces, type Superblock } from "../../src/filesystem/btrfs/superblock.ts";
import { chunkTree, itemsOf } from "../../src/filesystem/btrfs/tree.ts";
import { save } from "../backup/sample-disk.ts";
import { skipWithoutBtrfsMount } from "../filesystem/btrfs/sample-btrfs.ts";
import { noise } from "../filesystem/ext/sample-folder.ts";
import { factsOf, factsOfFolder, type FileFacts } from "../filesystem/file-facts.ts";
import { makeBlank } from "../filesystem/recognise/recognised-file.ts";
import { temporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const skip = skipWithout("mkfs.btrfs", "btrfs", "losetup") || skipWithoutBtrfsMount();
const sizeMiB = 160;
const deviceBytes = sizeMiB * 2 ** 20;

/** Mounts the devices of one file system for as long as `work` runs. */
async function whileAllMounted(
  images: readonly string[],
  mountPoint: string,
  work: () => Promise<void>,
): Promise<void> {
  fs.mkdirSync(mountPoint, { recursive: true });
  const loops: string[] = [];
  try {
    for (const image of images) loops.push(runPeer("losetup", ["--find", "--show", image]).trim());
    runPeer("btrfs", ["device", "scan", ...loops]);
    runPeer("mount", [loops[0]!, mountPoint]);
    try {
      await work();
    } finally {
      runPeer("umount", [mountPoint]);
      runPeer("btrfs", ["device", "scan", "--forget", ...loops]);
    }
  } finally {
    for (const loop of loops) runPeer("losetup", ["--detach", loop]);
  }
}

/** Devices of one size as one. */
function endToEnd(readers: readonly BlockReader[]): BlockReader {
  return {
    sizeBytes: readers.length * deviceBytes,
    async read(at, into) {
      for (let done = 0; done < into.length;) {
        const n = Math.floor((at + done) / deviceBytes);
        const from = at + done - n * deviceBytes;
        const lengthBytes = Math.min(into.length - done, deviceBytes - from);
        await readers[n]!.read(from, into.subarray(done, done + lengthBytes));
        done += lengthBytes;
      }
    },
    async [Symbol.asyncDispose]() {},
  };
}

function moved(chunk: Chunk): Chunk {
  const stripes = chunk.stripes.map(({ deviceId, startBytes, index }) => {
    return { deviceId: 1, startBytes: (deviceId - 1) * deviceBytes + startBytes, index };
  });
  return { ...chunk, stripes };
}

async function openAll(reader: BlockReader): Promise<BtrfsFileSystem> {
  const { superblock } = (await soundSuperblock(reader))!;
  const whole: Superblock = { ...superblock, deviceBytes: reader.sizeBytes };
  const array = superblock.systemChunks.subarray(0, superblock.systemChunkBytes);
  const system = [...decodeSystemChunks(array, superblock.sectorBytes)].map(moved);
  const first = new BtrfsSource(reader, whole, new ChunkMap(system));
  const chunks: Chunk[] = [];
  for await (const { leaf, start, end } of itemsOf(first, chunkTree(first), ids.firstChunks, itemTypes.chunk)) {
    for (let n = start; n < end; n++) {
      chunks.push(moved(decodeChunk(leaf.offset(n), leaf.data(n), superblock.sectorBytes)));
    }
  }
  const source = new BtrfsSource(reader, whole, new ChunkMap(chunks));
  const info = {
    kind: "",
    label: "",
    uuid: "",
    sizeBytes: 0,
    blockSizeBytes: 0,
    freeBytes: 0,
    features: [],
    notes: [],
  };
  return new BtrfsFileSystem(source, new Subvolumes(source), info);
}

/** What is in use of each device, onto what was never zero. */
async function copyUsed(fileSystem: BtrfsFileSystem, reader: BlockReader, targets: readonly string[]): Promise<void> {
  const filling = Buffer.alloc(deviceBytes, 0xa5);
  const files = targets.map((target) => {
    fs.writeFileSync(target, filling);
    return fs.openSync(target, "r+");
  });
  const copy = async (at: number, lengthBytes: number): Promise<void> => {
    const bytes = Buffer.alloc(lengthBytes);
    await reader.read(at, bytes);
    for (let done = 0; done < lengthBytes;) {
      const n = Math.floor((at + done) / deviceBytes);
      const from = at + done - n * deviceBytes;
      const count = Math.min(lengthBytes - done, deviceBytes - from);
      done += fs.writeSync(files[n]!, bytes, done, count, from);
    }
  };
  for (const n of targets.keys()) {
    for (const place of superblockPlaces.slice(0, 2)) await copy(n * deviceBytes + place, 4096);
  }
  for await (const { startBytes, lengthBytes } of fileSystem.usedExtents()) await copy(startBytes, lengthBytes);
  for (const file of files) fs.closeSync(file);
}

for (const [data, metadata, deviceCount] of [
  ["raid0", "raid1", 3],
  ["raid10", "raid1c3", 4],
  ["raid5", "raid10", 4],
  ["raid6", "raid1c4", 4],
] as const) {
  test(`${data} with ${metadata} on ${deviceCount} devices`, { skip }, async () => {
    await using folder = temporaryFolder();
    const images = Array.from({ length: deviceCount }, (_, n) => folder.join(`device-${n}`));
    for (const image of images) makeBlank(image, sizeMiB);
    runPeer("mkfs.btrfs", ["-q", "-d", data, "-m", metadata, ...images], { stdio: ["ignore", "pipe", "ignore"] });
    const mountPoint = folder.join("mounted");
    let wanted: ReadonlyMap<string, FileFacts> = new Map();
    await whileAllMounted(images, mountPoint, async () => {
      for (let n = 0; n < 40; n++) fs.writeFileSync(`${mountPoint}/${n}`, noise(n, 1 + n * 9001));
      wanted = factsOfFolder(mountPoint);
    });
    const readers = await Promise.all(images.map((image) => FileReader.open(image)));
    const reader = endToEnd(readers);
    const fileSystem = await openAll(reader);
    assert.deepEqual(await factsOf(fileSystem), wanted);
    const targets = images.map((image) => `${image}-restored`);
    await copyUsed(fileSystem, reader, targets);
    for (const one of readers) await one[Symbol.asyncDispose]();
    for (const image of images.slice(1)) fs.rmSync(image);
    await whileAllMounted(targets, mountPoint, async () => {
      assert.match(runPeer("btrfs", ["scrub", "start", "-B", mountPoint]), /no errors found/);
      assert.deepEqual(factsOfFolder(mountPoint), wanted);
    });
    const saved = await save(images[0]!, folder.join("home"), { name: "one", disk: "sda" });
    assert.deepEqual(
      saved.parts.map((part) => part.saved),
      ["whole"],
    );
    assert.match(
      saved.warnings.join(),
      new RegExp(`sda: .*is spread over ${deviceCount} devices, of which this is number 1`),
    );
  });
}
