import { stopIfAborted, ThreadPool, type JobOptions } from "../../base/index.ts";
import { inOrder } from "./in-order.ts";
import {
  packedLimitBytes,
  packInPlace,
  PartPacker,
  type PackAnswer,
  type PackRequest,
  type Sealed,
} from "./pack-part.ts";
import type { PackWorkerData } from "./pack-worker.ts";
import { packersCount, packingOf, partsUnderWay } from "./packing.ts";
import type { Frame } from "./seek-table.ts";
import type { VolumeWriter } from "./volumes.ts";

/** A part of what is to be written: how long it is, and how it is read into a buffer of that length. */
export interface Part {
  readonly lengthBytes: number;
  /** Bytes of the source that it stands for, for progress. */
  readonly sourceBytes: number;
  readonly fill: (into: Buffer) => Promise<void>;
  /** What gets a checksum behind it once it is read. */
  readonly sealed?: readonly Sealed[];
}

/** A part as it was written, with the sum of what was in it. */
export interface WrittenPart extends Frame {
  readonly sourceBytes: number;
  readonly sum: number;
}

export interface WritePartsOptions extends Pick<JobOptions, "signal">, PackWorkerData {
  readonly partLimitBytes: number;
  /** Frames that are there already, before these parts. */
  readonly before?: readonly Frame[];
  readonly onWritten: (part: WrittenPart) => Promise<void>;
}

interface Packed extends WrittenPart {
  readonly buffer: SharedArrayBuffer;
}

/** Reads, compresses and writes parts, several at a time, in their order. */
export async function writeParts(
  volumes: Pick<VolumeWriter, "write">,
  parts: Iterable<Part>,
  options: WritePartsOptions,
): Promise<void> {
  const { packedAs, level, partLimitBytes, signal } = options;
  const free: SharedArrayBuffer[] = [];
  const frames: Frame[] = [...(options.before ?? [])];
  await using packers = new Packers({ packedAs, level });
  const pack = async (part: Part): Promise<Packed> => {
    stopIfAborted(signal);
    const { lengthBytes, sourceBytes, sealed = [] } = part;
    const buffer = free.pop() ?? new SharedArrayBuffer(packedLimitBytes(partLimitBytes));
    await part.fill(Buffer.from(buffer, 0, lengthBytes));
    const { packedBytes, sum } = await packers.pack({ buffer, lengthBytes, sealed });
    return { buffer, packedBytes, plainBytes: lengthBytes, sourceBytes, sum };
  };
  const packing = packingOf(packedAs, level);
  let startBytes = frames.length === 0 ? packing.start.length : 0;
  if (startBytes > 0) await volumes.write(packing.start);
  for await (const { buffer, ...part } of inOrder(parts, partsUnderWay, pack)) {
    const written = { ...part, packedBytes: startBytes + part.packedBytes };
    const { packedBytes, plainBytes } = written;
    await volumes.write(new Uint8Array(buffer, 0, part.packedBytes));
    startBytes = 0;
    free.push(buffer);
    frames.push({ packedBytes, plainBytes });
    await options.onWritten(written);
  }
  await volumes.write(packing.end(frames));
}

/** So many parts are packed at once on the spot: for a small file system threads take longer to start than to work. */
const partsOnTheSpot = 3;

class Packers implements AsyncDisposable {
  readonly #data: PackWorkerData;
  readonly #onTheSpot: PartPacker;
  #count = 0;
  #pool: Promise<ThreadPool<PackRequest, PackAnswer>> | undefined;

  constructor(data: PackWorkerData) {
    this.#data = data;
    this.#onTheSpot = new PartPacker(packingOf(data.packedAs, data.level));
  }

  /** As `packInPlace`, on the spot or in one of the threads. */
  async pack(request: PackRequest): Promise<PackAnswer> {
    if (this.#count++ < partsOnTheSpot) return packInPlace(this.#onTheSpot, request);
    this.#pool ??= this.#start();
    return (await this.#pool).ask(request);
  }

  #start(): Promise<ThreadPool<PackRequest, PackAnswer>> {
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    const script = new URL(`./pack-worker.${extension}`, import.meta.url);
    return ThreadPool.start(script, { count: packersCount, data: this.#data, resourceLimits });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#pool)?.[Symbol.asyncDispose]();
  }
}

/** What a thread makes lives briefly: a small nursery keeps the process small. */
const resourceLimits = { maxYoungGenerationSizeMb: 4 };
