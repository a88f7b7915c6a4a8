import { damaged } from "../damaged.ts";

/** Where a block of a partition is on the device, and how many after it, it included, are side by side there. */
export interface Place {
  readonly deviceBlock: number;
  readonly count: number;
}

/** Where the blocks of a partition are on the device. `place` throws `damaged` for a block that it does not have. */
export interface PartitionPlaces {
  readonly kind: "plain" | "sparable" | "virtual" | "metadata";
  readonly blockCount: number;
  place(block: number, what: string): Place;
}

function refuseOutside(block: number, blockCount: number, what: string): void {
  if (block >= blockCount) throw damaged(what, `it names block ${block} of a partition of ${blockCount}`);
}

/** A partition as it stands on the device. */
export class PlainPlaces implements PartitionPlaces {
  readonly kind = "plain";
  readonly blockCount: number;
  readonly #startBlock: number;

  constructor(startBlock: number, blockCount: number) {
    this.#startBlock = startBlock;
    this.blockCount = blockCount;
  }

  place(block: number, what: string): Place {
    refuseOutside(block, this.blockCount, what);
    return { deviceBlock: this.#startBlock + block, count: this.blockCount - block };
  }
}

/** A partition of which packets that went bad were moved elsewhere on the device (UDF 2.60 §2.2.9). */
export class SparablePlaces implements PartitionPlaces {
  readonly kind = "sparable";
  readonly blockCount: number;
  readonly #plain: PlainPlaces;
  readonly #packetBlocks: number;
  /** By the first block of a packet, the block of the device where it is now. */
  readonly #moved: ReadonlyMap<number, number>;

  constructor(plain: PlainPlaces, packetBlocks: number, moved: ReadonlyMap<number, number>) {
    this.#plain = plain;
    this.blockCount = plain.blockCount;
    this.#packetBlocks = packetBlocks;
    this.#moved = moved;
  }

  place(block: number, what: string): Place {
    const whole = this.#plain.place(block, what);
    const inPacket = block % this.#packetBlocks;
    const moved = this.#moved.get(block - inPacket);
    if (moved !== undefined) return { deviceBlock: moved + inPacket, count: this.#packetBlocks - inPacket };
    // Without any moved packet there is no need to stop at each.
    const count = this.#moved.size === 0 ? whole.count : Math.min(whole.count, this.#packetBlocks - inPacket);
    return { deviceBlock: whole.deviceBlock, count };
  }
}

/** A partition on a medium that is written once: a table says where each block is now (UDF 2.60 §2.2.11). */
export class VirtualPlaces implements PartitionPlaces {
  readonly kind = "virtual";
  readonly blockCount: number;
  readonly #table: DataView;
  readonly #under: PartitionPlaces;

  constructor(table: DataView, under: PartitionPlaces) {
    this.#table = table;
    this.#under = under;
    this.blockCount = Math.floor(table.byteLength / 4);
  }

  place(block: number, what: string): Place {
    refuseOutside(block, this.blockCount, what);
    const { deviceBlock } = this.#under.place(this.#table.getUint32(block * 4, true), what);
    return { deviceBlock, count: 1 };
  }
}

/** Blocks of a metadata file that are side by side on the device. */
export interface MetadataRun {
  readonly block: number;
  readonly deviceBlock: number;
  readonly count: number;
}

/** A partition that is kept in a file (UDF 2.60 §2.2.10). */
export class MetadataPlaces implements PartitionPlaces {
  readonly kind = "metadata";
  readonly blockCount: number;
  /** In ascending order. */
  readonly #runs: readonly MetadataRun[];

  constructor(runs: readonly MetadataRun[]) {
    this.#runs = runs;
    const last = runs.at(-1);
    this.blockCount = last === undefined ? 0 : last.block + last.count;
  }

  place(block: number, what: string): Place {
    let [low, high] = [0, this.#runs.length - 1];
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const run = this.#runs[middle];
      if (run === undefined) break;
      if (block < run.block) high = middle - 1;
      else if (block >= run.block + run.count) low = middle + 1;
      else return { deviceBlock: run.deviceBlock + block - run.block, count: run.count - (block - run.block) };
    }
    throw damaged(what, `it names block ${block}, which the metadata file does not have`);
  }
}
