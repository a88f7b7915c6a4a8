import assert from "node:assert/strict";
import { test } from "node:test";
import { isNtfsclone, readNtfscloneBlocks, readNtfscloneHead } from "../../src/backup/ntfsclone/index.ts";
import { Failure } from "../../src/base/index.ts";
import { ChunkCursor } from "../../src/tree/index.ts";
import { sampleNtfsclone, type SampleNtfsclone } from "./sample-ntfsclone.ts";

const clusterBytes = 512;
const deviceBytes = 40 * clusterBytes + 200;

function sampleClusters(): (Buffer | undefined)[] {
  return Array.from({ length: 40 }, (_, n) => (n % 7 < 3 ? Buffer.alloc(clusterBytes, n + 1) : undefined));
}

async function* chunksOf(bytes: Buffer, chunkBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield Buffer.from(bytes.subarray(at, at + chunkBytes));
}

async function restored(image: Buffer, chunkBytes: number): Promise<Buffer> {
  const cursor = new ChunkCursor(chunksOf(image, chunkBytes));
  assert.ok(await isNtfsclone(cursor));
  const head = await readNtfscloneHead(cursor);
  const target = Buffer.alloc(head.description.deviceBytes);
  for await (const batch of readNtfscloneBlocks(cursor, head)) {
    for (const { at, bytes } of batch) {
      assert.ok(at + bytes.length <= target.length);
      target.set(bytes, at);
    }
  }
  return target;
}

function contentOf({ clusters, rest = Buffer.alloc(0) }: SampleNtfsclone): Buffer {
  const whole = Buffer.concat([...clusters.map((cluster) => cluster ?? Buffer.alloc(clusterBytes)), rest]);
  return Buffer.concat([whole, Buffer.alloc(deviceBytes - whole.length)]);
}

const usual = { clusterBytes, clusters: sampleClusters(), deviceBytes, rest: Buffer.alloc(200, 0xee) };

const samples: Readonly<Record<string, SampleNtfsclone>> = {
  "with what is behind the last cluster": usual,
  "without it": { clusterBytes, clusters: sampleClusters(), deviceBytes },
  "that begins and ends with a gap": {
    ...usual,
    clusters: [undefined, ...sampleClusters().slice(1, 36), ...Array<undefined>(4)],
  },
  "with every cluster": { ...usual, clusters: sampleClusters().map((_, n) => Buffer.alloc(clusterBytes, n)) },
  "without any cluster": { ...usual, clusters: sampleClusters().map(() => undefined) },
};

for (const [what, sample] of Object.entries(samples)) {
  test(`an image of ntfsclone ${what} is restored, in whatever pieces it comes`, async () => {
    const image = sampleNtfsclone(sample);
    for (const chunkBytes of [1, 13, 700, 100_000]) {
      assert.ok((await restored(image, chunkBytes)).equals(contentOf(sample)), `${chunkBytes}`);
    }
  });
}

test("an image of ntfsclone that is cut off, or that was changed, is damaged wherever that is", async () => {
  const image = sampleNtfsclone(usual);
  const isDamaged = (error: unknown): boolean => {
    return error instanceof Failure && ["damaged", "unsupported"].includes(error.code);
  };
  for (let length = 16; length < image.length; length += length < 80 ? 1 : 97) {
    // Without what is behind the last cluster it is an image of version 10.0.
    if (length === image.length - 201) continue;
    await assert.rejects(restored(image.subarray(0, length), 500), isDamaged, `cut at ${length}`);
  }
  await assert.rejects(restored(Buffer.concat([image, Buffer.of(1)]), 500), isDamaged);
  for (const [at, value] of [
    [16, 3], // version
    [18, 1], // a cluster of 513 bytes
    [21, 0x80], // of 2 GiB
    [29, 0x10], // a device larger than numbers
    [35, 1], // too many clusters
    [46, 0], // data in the header
    [49, 1], // data behind everything
    [56, 2], // neither gap nor cluster
    [56 + 3 * 513 + 8, 1], // a gap behind the end
  ] as const) {
    const changed = Buffer.from(image);
    changed[at] = value;
    await assert.rejects(restored(changed, 500), isDamaged, `byte ${at}`);
  }
});
