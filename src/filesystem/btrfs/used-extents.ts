import { damaged } from "../damaged.ts";
import type { Extent } from "../file-system.ts";
import { partsInStripe, type Chunk, type Stripe } from "./chunk-map.ts";
import { ids, itemTypes, last } from "./key.ts";
import { logExtents } from "./log-trees.ts";
import { btrfsSuperblock, superblockPlaces } from "./superblock.ts";
import type { BtrfsSource } from "./source.ts";
import { leavesOf, neededTree, type Tree } from "./tree.ts";

/** Nothing is given out before: boot programs stand there, and the superblock. */
const reservedBytes = 2 ** 20;

/**
 * Which parts of the device hold data or structures, in ascending order, neighbours joined: the beginning, the superblock's
 * mirrors, everything that the tree of extents has, in all its copies, and the log.
 */
export async function* usedExtents(source: BtrfsSource): AsyncGenerator<Extent> {
  let open = { start: 0, end: 0 };
  for await (const { startBytes, lengthBytes } of inOrder(await fixedParts(source), givenOut(source))) {
    const end = startBytes + lengthBytes;
    if (startBytes <= open.end) {
      open.end = Math.max(open.end, end);
      continue;
    }
    yield { startBytes: open.start, lengthBytes: open.end - open.start };
    open = { start: startBytes, end };
  }
  yield { startBytes: open.start, lengthBytes: open.end - open.start };
}

/** What is not in the tree of extents, by its place on the device. */
async function fixedParts(source: BtrfsSource): Promise<Extent[]> {
  const { deviceBytes } = source.superblock;
  const parts: Extent[] = [{ startBytes: 0, lengthBytes: Math.min(reservedBytes, deviceBytes) }];
  for (const place of superblockPlaces) {
    const lengthBytes = btrfsSuperblock.sizeBytes;
    if (place + lengthBytes <= deviceBytes) parts.push({ startBytes: place, lengthBytes });
  }
  for (const extent of await logExtents(source)) {
    const chunk = chunkOf(source, extent);
    const from = extent.startBytes - chunk.logical;
    for (const stripe of ownStripes(source, chunk)) {
      parts.push(...partsInStripe(chunk, stripe, from, from + extent.lengthBytes));
    }
  }
  return parts.sort((a, b) => a.startBytes - b.startBytes);
}

/** All that is given out, in the order of the device: stripe by stripe, each with what its chunk holds. */
async function* givenOut(source: BtrfsSource): AsyncGenerator<Extent> {
  const extents = await neededTree(source, ids.extentTree, "extent");
  const stripes = source.chunks.chunks.flatMap((chunk) =>
    ownStripes(source, chunk).map((stripe) => ({ chunk, stripe })),
  );
  stripes.sort((a, b) => a.stripe.startBytes - b.stripe.startBytes);
  let end = 0;
  for (const { chunk, stripe } of stripes) {
    if (stripe.startBytes < end)
      throw damaged(`the btrfs chunk ${chunk.logical}`, "it overlaps another one on the device");
    end = stripe.startBytes + chunk.stripeBytes;
    for await (const { startBytes, lengthBytes } of extentsIn(source, extents, chunk)) {
      const from = startBytes - chunk.logical;
      yield* partsInStripe(chunk, stripe, from, from + lengthBytes);
    }
  }
}

function ownStripes({ superblock }: BtrfsSource, chunk: Chunk): Stripe[] {
  return chunk.stripes.filter(({ deviceId }) => deviceId === superblock.deviceId);
}

/** What is given out of one chunk, in logical addresses. */
async function* extentsIn(source: BtrfsSource, tree: Tree, chunk: Chunk): AsyncGenerator<Extent> {
  const from = { id: chunk.logical, type: 0, offset: 0 };
  const to = { id: chunk.logical + chunk.lengthBytes - 1, type: last.type, offset: last.offset };
  for await (const { leaf, start, end } of leavesOf(source, tree, from, to)) {
    for (let n = start; n < end; n++) {
      const type = leaf.type(n);
      if (type !== itemTypes.extent && type !== itemTypes.metadata) continue;
      const lengthBytes = type === itemTypes.extent ? leaf.offset(n) : source.nodeBytes;
      const extent = { startBytes: leaf.id(n), lengthBytes };
      if (chunkOf(source, extent) === chunk) yield extent;
    }
  }
}

/** The chunk that an extent is in. Throws `damaged` where it is in none, or passes its end. */
function chunkOf({ chunks }: BtrfsSource, { startBytes, lengthBytes }: Extent): Chunk {
  const chunk = chunks.at(startBytes);
  const isWithin =
    chunk !== undefined && lengthBytes > 0 && startBytes + lengthBytes <= chunk.logical + chunk.lengthBytes;
  if (isWithin) return chunk;
  throw damaged(`the btrfs extent ${startBytes}`, `its ${lengthBytes} bytes are not in a chunk`);
}

/** Two rows of extents as one, by where they start. */
async function* inOrder(few: readonly Extent[], many: AsyncIterable<Extent>): AsyncGenerator<Extent> {
  let next = 0;
  for await (const extent of many) {
    for (let one = few[next]; one !== undefined && one.startBytes <= extent.startBytes; one = few[++next]) yield one;
    yield extent;
  }
  yield* few.slice(next);
}
