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

export interface WritePartsOptions<P extends Part> extends Pick<JobOptions, "signal"> {
  readonly packing: Packing;
  readonly partLimitBytes: number;
  /** Frames that are there already, before these parts. */
  readonly before?: readonly Frame[];
  readonly onWritten: (part: P, frame: Frame) => Promise<void>;
}

interface Packed<P extends Part> extends Frame {
  readonly part: P;
  readonly bytes: Uint8Array;
  readonly release: () => void;
}

/** Reads, compresses and writes parts, several at a time, in their order. */
export async function writeParts<P extends Part>(
  volumes: VolumeWriter,
  parts: Iterable<P>,
  options: WritePartsOptions<P>,
): Promise<void> {
  const { packing, partLimitBytes, signal } = options;
  const free: Buffer[] = [];
  const frames: Frame[] = [...(options.before ?? [])];
  const zeros = new ZeroParts(packing);
  const slots = new Slots(partsPacked);
  const pack = async (part: P): Promise<Packed<P>> => {
    stopIfAborted(signal);
    const whole = free.pop() ?? Buffer.allocUnsafeSlow(partLimitBytes);
    const buffer = whole.subarray(0, part.lengthBytes);
    await part.fill(buffer);
    const bytes = await slots.run(() => zeros.pack(buffer));
    const release = (): void => void free.push(whole);
    return { part, bytes, packedBytes: bytes.length, plainBytes: buffer.length, release };
  };
  for await (const packed of inOrder(parts, partsUnderWay, pack)) {
    await volumes.write(packed.bytes);
    packed.release();
    const frame = { packedBytes: packed.packedBytes, plainBytes: packed.plainBytes };
    frames.push(frame);
    await options.onWritten(packed.part, frame);
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
