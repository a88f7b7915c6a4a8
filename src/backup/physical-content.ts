import { MemoryDevice, OverlayDevice, readBytes, type BlockReader } from "../device/index.ts";
import { makeSwap } from "../filesystem/index.ts";
import type { Stretch } from "./lvm/index.ts";
import type { Piece } from "./partclone/index.ts";

/** A partition of LVM with what is on it, whatever that is read from. */
export interface PhysicalContent<Volume> {
  readonly sizeBytes: number;
  /** What LVM keeps in front. */
  readonly head: Uint8Array;
  readonly volumes: readonly PlacedVolume<Volume>[];
}

export interface PlacedVolume<Volume> {
  readonly sizeBytes: number;
  /** In ascending order. */
  readonly stretches: readonly Stretch[];
  readonly content: Volume;
}

interface PieceStream extends AsyncDisposable {
  readonly batches: AsyncIterable<readonly Piece[]>;
}

/** All bytes of the partition that are known, volume by volume. */
export async function* physicalPieces<Volume>(
  { head, volumes }: PhysicalContent<Volume>,
  open: (volume: PlacedVolume<Volume>) => Promise<PieceStream>,
): AsyncGenerator<readonly Piece[], void, void> {
  yield [{ at: 0, bytes: head }];
  for (const volume of volumes) {
    await using stream = await open(volume);
    for await (const batch of stream.batches) {
      const placed: Piece[] = [];
      for (const { at, bytes } of batch) {
        for (const { from, start, end } of overlaps(volume.stretches, at, at + bytes.length)) {
          placed.push({ at: from, bytes: bytes.subarray(start - at, end - at) });
        }
      }
      yield placed;
    }
  }
}

/** Where the bytes of a volume from `at` to `end` are. */
function* overlaps(
  stretches: readonly Stretch[],
  at: number,
  end: number,
): Generator<{ readonly from: number; readonly start: number; readonly end: number }> {
  let [low, high] = [0, stretches.length];
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((stretches[middle]?.at ?? Infinity) <= at) low = middle;
    else high = middle;
  }
  for (let n = low; n < stretches.length; n++) {
    const stretch = stretches[n];
    if (stretch === undefined || stretch.at >= end) return;
    const start = Math.max(at, stretch.at);
    const until = Math.min(end, stretch.at + stretch.lengthBytes);
    if (start < until) yield { from: stretch.from + start - stretch.at, start, end: until };
  }
}

/** The partition to be read anywhere, zeros where nothing is known. Each volume is opened when it is first read. */
export class PhysicalReader<Volume> implements BlockReader {
  readonly sizeBytes: number;
  readonly #content: PhysicalContent<Volume>;
  readonly #open: (volume: PlacedVolume<Volume>) => Promise<BlockReader>;
  readonly #opened = new Map<PlacedVolume<Volume>, Promise<BlockReader>>();

  constructor(content: PhysicalContent<Volume>, open: (volume: PlacedVolume<Volume>) => Promise<BlockReader>) {
    this.sizeBytes = content.sizeBytes;
    this.#content = content;
    this.#open = open;
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    into.fill(0);
    const end = at + into.length;
    const { head, volumes } = this.#content;
    if (at < head.length) into.set(head.subarray(at, end));
    for (const volume of volumes) {
      for (const { at: start, lengthBytes, from } of volume.stretches) {
        const first = Math.max(at, from);
        const last = Math.min(end, from + lengthBytes);
        if (first >= last) continue;
        const reader = await this.#reader(volume);
        const inVolume = start + first - from;
        // What is saved of a volume may be shorter than it.
        const count = Math.min(last - first, reader.sizeBytes - inVolume);
        if (count > 0) await reader.read(inVolume, into.subarray(first - at, first - at + count));
      }
    }
  }

  #reader(volume: PlacedVolume<Volume>): Promise<BlockReader> {
    const opened = this.#opened.get(volume) ?? this.#open(volume);
    opened.catch(() => undefined); // whoever reads hears of it
    this.#opened.set(volume, opened);
    return opened;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const opened of await Promise.allSettled(this.#opened.values())) {
      if (opened.status === "fulfilled") await opened.value[Symbol.asyncDispose]();
    }
  }
}

const swapHeadBytes = 4096;

/** The page that makes a volume of that size swap. */
export async function swapHead(
  sizeBytes: number,
  { uuid, label }: { readonly uuid: string | undefined; readonly label: string },
): Promise<Uint8Array> {
  const zeros: BlockReader = {
    sizeBytes,
    read: async (_, into) => void into.fill(0),
    [Symbol.asyncDispose]: async () => undefined,
  };
  const device = new OverlayDevice(zeros);
  await makeSwap(device, { uuid: uuid ?? crypto.randomUUID(), label });
  return readBytes(device, 0, swapHeadBytes);
}

/** The same, to be read. */
export async function swapReader(sizeBytes: number, swap: Parameters<typeof swapHead>[1]): Promise<BlockReader> {
  return new MemoryDevice(await swapHead(sizeBytes, swap));
}
