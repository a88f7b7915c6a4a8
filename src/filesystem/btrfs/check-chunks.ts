import type { Problem } from "../file-system.ts";
import { error, warning } from "./check-report.ts";
import type { Chunk } from "./chunk-map.ts";
import { ids, itemTypes } from "./key.ts";
import { blockGroup, deviceExtent, deviceItem } from "./records.ts";
import type { BtrfsSource } from "./source.ts";
import { chunkTree, find, itemsOf, neededTree, type Tree } from "./tree.ts";

/** Chunks against block groups and what was found to be given out of them. */
export async function* checkGroups(
  source: BtrfsSource,
  groups: Tree,
  usedBytes: ReadonlyMap<Chunk, number>,
): AsyncGenerator<Problem> {
  let totalBytes = 0;
  for (const chunk of source.chunks.chunks) {
    const key = { id: chunk.logical, type: itemTypes.blockGroup, offset: chunk.lengthBytes };
    const item = await find(source, groups, key);
    const what = `the chunk ${chunk.logical}`;
    if (item === undefined || item.leaf.data(item.n).length < blockGroup.sizeBytes) {
      yield error(`${what} has no block group`);
      continue;
    }
    const group = blockGroup.decode(item.leaf.data(item.n));
    const found = usedBytes.get(chunk) ?? 0;
    totalBytes += group.usedBytes;
    if (group.flags !== chunk.flags) yield error(`${what} is of another kind than its block group`);
    if (group.usedBytes !== found) {
      yield error(`the block group of ${what} says that ${group.usedBytes} bytes are in use, there are ${found}`);
    }
  }
  if (totalBytes !== source.superblock.usedBytes) {
    yield error(`the superblock says that ${source.superblock.usedBytes} bytes are in use, there are ${totalBytes}`);
  }
}

/** Chunks against what the tree of devices has given out of this one. */
export async function* checkDevice(source: BtrfsSource): AsyncGenerator<Problem> {
  const { deviceId, deviceBytes, deviceUsedBytes, deviceUuid } = source.superblock;
  const tree = await neededTree(source, ids.deviceTree, "device");
  const wanted = new Map<number, Chunk>();
  for (const chunk of source.chunks.chunks) {
    for (const { startBytes } of chunk.stripes) wanted.set(startBytes, chunk);
  }
  let usedBytes = 0;
  for await (const { leaf, start, end } of itemsOf(source, tree, deviceId, itemTypes.deviceExtent)) {
    for (let n = start; n < end; n++) {
      const at = leaf.offset(n);
      const data = leaf.data(n);
      const chunk = wanted.get(at);
      wanted.delete(at);
      if (data.length < deviceExtent.sizeBytes) {
        yield error(`what is given out at ${at} of the device is cut off`);
        continue;
      }
      const { chunkLogical, lengthBytes } = deviceExtent.decode(data);
      usedBytes += lengthBytes;
      const isSame = chunk?.logical === chunkLogical && chunk.stripeBytes === lengthBytes;
      if (!isSame) yield error(`what is given out at ${at} of the device is not what a chunk has there`);
    }
  }
  for (const [at, { logical }] of wanted)
    yield error(`the chunk ${logical} is at ${at} of the device, which is not given out`);
  yield* overlapsOf(source);
  const key = { id: 1, type: itemTypes.device, offset: deviceId };
  const item = await find(source, chunkTree(source), key);
  if (item === undefined || item.leaf.data(item.n).length < deviceItem.sizeBytes) {
    yield error(`there is no item of device ${deviceId}`);
    return;
  }
  const device = deviceItem.decode(item.leaf.data(item.n));
  if (device.totalBytes !== deviceBytes || device.uuid !== deviceUuid) {
    yield error("the superblock and the tree of chunks tell of different devices");
  }
  if (usedBytes !== device.usedBytes || usedBytes !== deviceUsedBytes) {
    yield warning(`the device says that ${device.usedBytes} bytes are given out, there are ${usedBytes}`);
  }
}

function* overlapsOf({ chunks }: BtrfsSource): Generator<Problem> {
  const stripes = chunks.chunks.flatMap((chunk) => chunk.stripes.map(({ startBytes }) => ({ chunk, startBytes })));
  let end = 0;
  for (const { chunk, startBytes } of stripes.sort((a, b) => a.startBytes - b.startBytes)) {
    if (startBytes < end) yield error(`the chunk ${chunk.logical} overlaps another one at ${startBytes} of the device`);
    end = startBytes + chunk.stripeBytes;
  }
}
