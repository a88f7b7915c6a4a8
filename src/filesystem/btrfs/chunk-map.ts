import type { Extent } from "../file-system.ts";
import { damaged } from "../damaged.ts";
import { keyBytes, readKey, itemTypes } from "./key.ts";
import { chunkItem, chunkStripe } from "./records.ts";

/** Bits of a chunk's flags. */
export const groupFlags = { data: 1n, system: 2n, metadata: 4n } as const;

type Layout = "mirrored" | "striped" | "parity";

interface Profile {
  readonly bit: bigint;
  readonly name: string;
  readonly layout: Layout;
  /** How many stripes hold the same, or parity. */
  readonly copies: number;
  readonly parities: number;
}

const single: Profile = { bit: 0n, name: "single", layout: "mirrored", copies: 1, parities: 0 };
const profiles: readonly Profile[] = [
  single,
  { bit: 8n, name: "RAID0", layout: "striped", copies: 1, parities: 0 },
  { bit: 16n, name: "RAID1", layout: "mirrored", copies: 2, parities: 0 },
  { bit: 32n, name: "DUP", layout: "mirrored", copies: 2, parities: 0 },
  { bit: 64n, name: "RAID10", layout: "striped", copies: 2, parities: 0 },
  { bit: 128n, name: "RAID5", layout: "parity", copies: 1, parities: 1 },
  { bit: 256n, name: "RAID6", layout: "parity", copies: 1, parities: 2 },
  { bit: 512n, name: "RAID1C3", layout: "mirrored", copies: 3, parities: 0 },
  { bit: 1024n, name: "RAID1C4", layout: "mirrored", copies: 4, parities: 0 },
];
const profileBits = profiles.reduce((bits, { bit }) => bits | bit, 0n);

/** A part of a chunk that stands on one device in one piece. */
export interface Stripe {
  readonly deviceId: number;
  readonly startBytes: number;
  readonly index: number;
}

/** A stretch of logical addresses, and where it stands on devices. */
export interface Chunk {
  readonly logical: number;
  readonly lengthBytes: number;
  readonly flags: bigint;
  readonly profile: Profile;
  /** Of striped ones: how much goes to one device before the next one's turn. */
  readonly unitBytes: number;
  readonly stripes: readonly Stripe[];
  /** How long each stripe is. */
  readonly stripeBytes: number;
}

/** No unit is longer; 64 KiB is the only one that is made. */
const unitLimitBytes = 2 ** 30;

/** The chunk that a chunk item describes. Throws `damaged` where it cannot be one. */
export function decodeChunk(logical: number, item: Uint8Array, sectorBytes: number): Chunk {
  const what = `the btrfs chunk ${logical}`;
  if (item.length < chunkItem.sizeBytes + chunkStripe.sizeBytes) throw damaged(what, "its item is cut off");
  const { lengthBytes, stripeBytes: unitBytes, flags, stripeCount, subStripes } = chunkItem.decode(item);
  if (item.length !== chunkItem.sizeBytes + stripeCount * chunkStripe.sizeBytes || stripeCount === 0) {
    throw damaged(what, `its item has no room for ${stripeCount} stripes`);
  }
  const profile = profiles.find(({ bit }) => bit === (flags & profileBits));
  if (profile === undefined) throw damaged(what, "it is of two profiles at once");
  const isSpread = profile.layout !== "mirrored";
  const isUnit = Number.isInteger(Math.log2(unitBytes)) && unitBytes >= sectorBytes && unitBytes <= unitLimitBytes;
  if (isSpread && !isUnit) throw damaged(what, `its stripes cannot have units of ${unitBytes} bytes`);
  const isFitting = profile.layout === "mirrored" ? stripeCount === profile.copies : stripeCount > profile.parities;
  const isPaired = profile.name !== "RAID10" || (subStripes === profile.copies && stripeCount % subStripes === 0);
  if (!isFitting || !isPaired) throw damaged(what, `${profile.name} cannot have ${stripeCount} stripes`);
  const dataStripes = isSpread ? (stripeCount - profile.parities) / profile.copies : 1;
  const stripeBytes = lengthBytes / dataStripes;
  const isLength = Number.isSafeInteger(logical + lengthBytes) && lengthBytes > 0 && logical % sectorBytes === 0;
  if (!isLength || !Number.isInteger(stripeBytes) || stripeBytes % sectorBytes !== 0) {
    throw damaged(what, `it cannot have ${lengthBytes} bytes`);
  }
  const stripes = Array.from({ length: stripeCount }, (_, index) => {
    const { deviceId, startBytes } = chunkStripe.decode(item, chunkItem.sizeBytes + index * chunkStripe.sizeBytes);
    return { deviceId, startBytes, index };
  });
  return { logical, lengthBytes, flags, profile, unitBytes, stripes, stripeBytes };
}

/** The chunks that stand in the superblock itself, so that the others can be found. */
export function* decodeSystemChunks(array: Uint8Array, sectorBytes: number): Generator<Chunk> {
  const what = "the system chunks of btrfs";
  for (let at = 0; at < array.length;) {
    if (at + keyBytes + chunkItem.sizeBytes > array.length) throw damaged(what, "they are cut off");
    const { type, offset } = readKey(new DataView(array.buffer, array.byteOffset, array.length), at);
    if (type !== itemTypes.chunk) throw damaged(what, `there is an item of the type ${type}`);
    const start = at + keyBytes;
    const end = start + chunkItem.sizeBytes + chunkItem.get(array, "stripeCount", start) * chunkStripe.sizeBytes;
    yield decodeChunk(offset, array.subarray(start, Math.min(end, array.length)), sectorBytes);
    at = end;
  }
}

/** Which stripes hold the bytes at a logical address that stand together there, where, and how many they are. */
export interface Mapped {
  readonly places: readonly { readonly deviceId: number; readonly at: number }[];
  readonly lengthBytes: number;
}

/** Where the bytes of a chunk are from a place in it on, as far as they stand together. */
export function mapInChunk(chunk: Chunk, offset: number): Mapped {
  const { profile, stripes, unitBytes, lengthBytes } = chunk;
  if (profile.layout === "mirrored") {
    const places = stripes.map(({ deviceId, startBytes }) => ({ deviceId, at: startBytes + offset }));
    return { places, lengthBytes: lengthBytes - offset };
  }
  const unit = Math.floor(offset / unitBytes);
  const inUnit = offset - unit * unitBytes;
  const columns = (stripes.length - profile.parities) / profile.copies;
  const row = Math.floor(unit / columns);
  const column = unit % columns;
  const first = profile.layout === "parity" ? (column + row) % stripes.length : column * profile.copies;
  const places = stripes.slice(first, first + profile.copies).map(({ deviceId, startBytes }) => {
    return { deviceId, at: startBytes + row * unitBytes + inUnit };
  });
  return { places, lengthBytes: Math.min(unitBytes - inUnit, lengthBytes - offset) };
}

/**
 * Which parts of one stripe hold what stands in a stretch of its chunk, in ascending order. Parity is of whole rows,
 * whether all of a row is in use or not: then all of its row is needed.
 */
export function* partsInStripe(chunk: Chunk, stripe: Stripe, from: number, to: number): Generator<Extent> {
  const { profile, unitBytes, stripes } = chunk;
  if (profile.layout === "mirrored") {
    yield { startBytes: stripe.startBytes + from, lengthBytes: to - from };
    return;
  }
  const columns = (stripes.length - profile.parities) / profile.copies;
  const rowBytes = columns * unitBytes;
  const firstRow = Math.floor(from / rowBytes);
  const endRow = Math.ceil(to / rowBytes);
  if (profile.layout === "parity") {
    const startBytes = stripe.startBytes + firstRow * unitBytes;
    yield { startBytes, lengthBytes: (endRow - firstRow) * unitBytes };
    return;
  }
  const column = Math.floor(stripe.index / profile.copies);
  // From the first unit of this column that is touched to the last one all are, but for the ends.
  const first = firstRow * rowBytes + column * unitBytes;
  const last = (endRow - 1) * rowBytes + column * unitBytes;
  const start = Math.min(Math.max(from - first, 0), unitBytes);
  const end = Math.min(Math.max(to - last, 0), unitBytes);
  const startBytes = stripe.startBytes + firstRow * unitBytes + start;
  const lengthBytes = stripe.startBytes + (endRow - 1) * unitBytes + end - startBytes;
  if (lengthBytes > 0) yield { startBytes, lengthBytes };
}

/** All chunks, by their logical addresses. */
export class ChunkMap {
  readonly chunks: readonly Chunk[];

  /** Throws `damaged` where two chunks have the same address. */
  constructor(chunks: readonly Chunk[]) {
    this.chunks = chunks.toSorted((a, b) => a.logical - b.logical);
    for (const [n, { logical }] of this.chunks.entries()) {
      const before = this.chunks[n - 1];
      if (before !== undefined && before.logical + before.lengthBytes > logical) {
        throw damaged(`the btrfs chunk ${logical}`, `it overlaps the chunk ${before.logical}`);
      }
    }
  }

  /** The chunk that an address is in. */
  at(logical: number): Chunk | undefined {
    let low = 0;
    let high = this.chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.chunks[middle] as Chunk).logical <= logical) low = middle + 1;
      else high = middle;
    }
    const chunk = this.chunks[low - 1];
    return chunk !== undefined && logical < chunk.logical + chunk.lengthBytes ? chunk : undefined;
  }
}
