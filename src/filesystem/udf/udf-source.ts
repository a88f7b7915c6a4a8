import type { BlockReader } from "../../device/index.ts";
import { ChunkCache } from "../chunk-cache.ts";
import { damaged } from "../damaged.ts";
import type { PartitionPlaces } from "./partition-places.ts";

/** A block of one of the partitions of a logical volume. */
export interface BlockAddress {
  /** Place in the list of partition maps. */
  readonly partition: number;
  readonly block: number;
}

const chunks = { chunkBytes: 64 * 1024, chunkLimit: 128 }; // 8 MiB

/** What all that reads from one UDF volume has in hand. */
export class UdfSource {
  readonly reader: BlockReader;
  readonly blockSizeBytes: number;
  readonly structures: ChunkCache;
  /** Small files, apart from the structures. */
  readonly contents: ChunkCache;
  /** The partitions in the order of their maps; filled when the volume is opened. */
  readonly partitions: (PartitionPlaces | undefined)[] = [];
  readonly notes: string[] = [];

  constructor(reader: BlockReader, blockSizeBytes: number) {
    this.reader = reader;
    this.blockSizeBytes = blockSizeBytes;
    this.structures = new ChunkCache(reader, chunks);
    this.contents = new ChunkCache(reader, chunks);
  }

  /** The kinds of its partitions, each once. */
  get partitionKinds(): ReadonlySet<PartitionPlaces["kind"]> {
    return new Set(this.partitions.flatMap((places) => (places === undefined ? [] : [places.kind])));
  }

  /** The partition of a number in the maps. Throws `damaged` where there is none. */
  partition(number: number, what: string): PartitionPlaces {
    const partition = this.partitions[number];
    if (partition === undefined) throw damaged(what, `it names partition ${number} of ${this.partitions.length}`);
    return partition;
  }

  /** One block that holds structures. Throws `damaged` where there is no such block. */
  async block({ partition, block }: BlockAddress, what: string): Promise<Uint8Array> {
    const { deviceBlock } = this.partition(partition, what).place(block, what);
    return this.structures.bytes(deviceBlock * this.blockSizeBytes, this.blockSizeBytes);
  }
}
