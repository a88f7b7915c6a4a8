import { stopIfAborted, type JobOptions } from "../../base/index.ts";
import { inOrder, Slots } from "./in-order.ts";
import { partsPacked, partsUnderWay, type Packing } from "./packing.ts";
import type { Frame } from "./seek-table.ts";
import type { VolumeWriter } from "./volumes.ts";

/** A part of what is to be written: how long it is, and how it is read into a buffer of that length. */
export interface Part {
  readonly lengthBytes: number;
  /** Bytes of the source that it stands for, for progress. */
  readonly sourceBytes: number;
  readonly fill: (into: Buffer) => Promise<void>;
}

export interface WritePartsOptions extends Pick<JobOptions, "signal"> {
  readonly packing: Packing;
  readonly partLimitBytes: number;
  readonly onWritten: (sourceBytes: number) => void;
}

interface Packed extends Frame {
  readonly bytes: Uint8Array;
  readonly sourceBytes: number;
  readonly release: () => void;
}

/** Reads, compresses and writes parts, several at a time, in their order. */
export async function writeParts(
  volumes: VolumeWriter,
  parts: Iterable<Part>,
  options: WritePartsOptions,
): Promise<void> {
  const { packing, partLimitBytes, signal } = options;
  const free: Buffer[] = [];
  const frames: Frame[] = [];
  const zeros = new ZeroParts(packing);
  const slots = new Slots(partsPacked);
  const pack = async (part: Part): Promise<Packed> => {
    stopIfAborted(signal);
    const whole = free.pop() ?? Buffer.allocUnsafeSlow(partLimitBytes);
    const buffer = whole.subarray(0, part.lengthBytes);
    await part.fill(buffer);
    const bytes = await slots.run(() => zeros.pack(buffer));
    const release = (): void => void free.push(whole);
    return { bytes, packedBytes: bytes.length, plainBytes: buffer.length, sourceBytes: part.sourceBytes, release };
  };
  for await (const packed of inOrder(parts, partsUnderWay, pack)) {
    await volumes.write(packed.bytes);
    packed.release();
    frames.push({ packedBytes: packed.packedBytes, plainBytes: packed.plainBytes });
    options.onWritten(packed.sourceBytes);
  }
  await volumes.write(packing.end(frames));
}

/** Parts of zeros are compressed once for each length. */
class ZeroParts {
  readonly #packing: Packing;
  readonly #packed = new Map<number, Promise<Uint8Array>>();

  constructor(packing: Packing) {
    this.#packing = packing;
  }

  pack(part: Buffer): Promise<Uint8Array> {
    if (!isZero(part)) return this.#packing.pack(part);
    const known = this.#packed.get(part.length) ?? this.#packing.pack(part).then((packed) => new Uint8Array(packed));
    this.#packed.set(part.length, known);
    return known;
  }
}

const zeroPage = Buffer.alloc(64 * 1024);

export function isZero(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += zeroPage.length) {
    const count = Math.min(zeroPage.length, bytes.length - at);
    if (zeroPage.compare(bytes, at, at + count, 0, count) !== 0) return false;
  }
  return true;
}
